internal import BalancerEngine
internal import CLDNS
internal import Primitives

/// Builds the message of a batch.
///
///     zone           the zone
///     prerequisite   the epoch's TXT is the expected one, or there is none
///     update         the epoch's TXT goes and the new one comes
///                    every name that is removed goes, with all its records
///                    every name that is assigned: its addresses go, the new one comes
///
/// A server does all of it at once, in this order, so a name that is removed and assigned stays.
///
/// - Source: RFC 2136, sections 2.4 and 2.5.
enum UpdateMessage {
    /// What a batch may come to, so that zone, epoch and signature still fit beside it into 65,535 bytes.
    static let maximumSize = 64_000

    /// The most bytes that a batch can need: every record's name written out, though the library shortens many.
    ///
    /// Building a message that is too long is no way to find out: the library ends the process over it.
    static func size(of update: NameUpdate) -> Int {
        // Beside the name: two bytes of it, ten of the record, and what it says.
        let assigned = update.assigned.reduce(0) { $0 + 3 * ($1.name.bytes.count + 12) + $1.address.bytes.count }
        return update.removed.reduce(assigned) { $0 + $1.bytes.count + 12 }
    }

    static func make(_ update: NameUpdate, zone: SignedZone) throws(RegistryFailure) -> MessageHandle {
        guard self.size(of: update) <= self.maximumSize, let text = EpochText.bytes(of: update.epoch) else {
            throw .refused(SignedExchange.formatError)
        }
        guard let message = MessageHandle(zone.name, type: LDNS_RR_TYPE_SOA, opcode: LDNS_PACKET_UPDATE) else {
            throw .local
        }
        try self.appendPrerequisite(update.expected, zone, to: message)
        try self.check(message.append(zone.epochName, LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_ANY, to: .updates))
        try self.check(
            message.append(
                zone.epochName,
                LDNS_RR_TYPE_TXT,
                LDNS_RR_CLASS_IN,
                data: (LDNS_RDF_TYPE_STR, self.characterString(text)),
                to: .updates
            )
        )
        for name in update.removed {
            try self.check(message.append(self.wire(name), LDNS_RR_TYPE_ANY, LDNS_RR_CLASS_ANY, to: .updates))
        }
        for record in update.assigned {
            try self.appendAssignment(record, timeToLive: update.timeToLive, to: message)
        }
        return message
    }

    private static func appendPrerequisite(
        _ expected: RegistryEpoch?,
        _ zone: SignedZone,
        to message: MessageHandle
    ) throws(RegistryFailure) {
        guard let expected else {
            try self.check(message.append(zone.epochName, LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_NONE, to: .prerequisites))
            return
        }
        guard let text = EpochText.bytes(of: expected) else { throw .refused(SignedExchange.formatError) }
        try self.check(
            message.append(
                zone.epochName,
                LDNS_RR_TYPE_TXT,
                LDNS_RR_CLASS_IN,
                data: (LDNS_RDF_TYPE_STR, self.characterString(text)),
                to: .prerequisites
            )
        )
    }

    private static func appendAssignment(
        _ record: NameRecord,
        timeToLive: UInt32,
        to message: MessageHandle
    ) throws(RegistryFailure) {
        let name = try self.wire(record.name)
        try self.check(message.append(name, LDNS_RR_TYPE_A, LDNS_RR_CLASS_ANY, to: .updates))
        try self.check(message.append(name, LDNS_RR_TYPE_AAAA, LDNS_RR_CLASS_ANY, to: .updates))
        try self.check(
            message.append(
                name,
                record.address.isIPv6 ? LDNS_RR_TYPE_AAAA : LDNS_RR_TYPE_A,
                LDNS_RR_CLASS_IN,
                timeToLive: timeToLive,
                data: (record.address.isIPv6 ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A, record.address.bytes),
                to: .updates
            )
        )
    }

    /// A name of any zone: whether it lies in this one is for the server to say, and it does.
    private static func wire(_ name: UTF8Text) throws(RegistryFailure) -> DomainName {
        guard let name = DomainName(name) else { throw .refused(SignedExchange.formatError) }
        return name
    }

    /// A character string stands behind its length; an epoch's text is short.
    private static func characterString(_ text: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: text.count)] + text
    }

    private static func check(_ isAppended: Bool) throws(RegistryFailure) {
        guard isAppended else { throw .local }
    }
}
