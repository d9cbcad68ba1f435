internal import CLDNS
internal import Glibc
internal import Primitives

/// Owns a DNS message of the library, with everything in it.
final class MessageHandle {
    /// A section of a message.
    enum Section {
        /// What must be so for an update to be done.
        case prerequisites
        /// What an update does.
        case updates
    }

    private let pointer: UnsafeMutablePointer<ldns_pkt>

    /// Creates a message with one question, or for an update with its zone; nil without memory.
    init?(_ name: DomainName, type: ldns_rr_type, opcode: ldns_pkt_opcode) {
        guard let owner = MessageHandle.makeData(LDNS_RDF_TYPE_DNAME, name.wire) else { return nil }
        guard let pointer = ldns_pkt_query_new(owner, type, LDNS_RR_CLASS_IN, 0) else {
            ldns_rdf_deep_free(owner)
            return nil
        }
        self.pointer = pointer
        ldns_pkt_set_opcode(pointer, opcode)
        ldns_pkt_set_id(pointer, UInt16.random(in: .min ... .max))
    }

    /// Reads a message; nil when the bytes are none.
    init?(decoding bytes: [UInt8]) {
        var pointer: UnsafeMutablePointer<ldns_pkt>?
        guard ldns_wire2pkt(&pointer, bytes, bytes.count) == LDNS_STATUS_OK, let pointer else { return nil }
        self.pointer = pointer
    }

    deinit { ldns_pkt_free(self.pointer) }

    /// Adds a record; false without memory.
    ///
    /// - Parameter data: nil for a record without data, as prerequisites and deletions are.
    func append(
        _ name: DomainName,
        _ type: ldns_rr_type,
        _ recordClass: ldns_rr_class,
        timeToLive: UInt32 = 0,
        data: (type: ldns_rdf_type, bytes: [UInt8])? = nil,
        to section: Section
    ) -> Bool {
        guard let record = ldns_rr_new() else { return false }
        ldns_rr_set_type(record, type)
        ldns_rr_set_class(record, recordClass)
        ldns_rr_set_ttl(record, timeToLive)
        guard let owner = MessageHandle.makeData(LDNS_RDF_TYPE_DNAME, name.wire) else {
            ldns_rr_free(record)
            return false
        }
        ldns_rr_set_owner(record, owner)
        if let data {
            guard let field = MessageHandle.makeData(data.type, data.bytes) else {
                ldns_rr_free(record)
                return false
            }
            guard ldns_rr_push_rdf(record, field) else {
                ldns_rdf_deep_free(field)
                ldns_rr_free(record)
                return false
            }
        }
        let place = section == .prerequisites ? LDNS_SECTION_ANSWER : LDNS_SECTION_AUTHORITY
        guard ldns_pkt_push_rr(self.pointer, place, record) else {
            ldns_rr_free(record)
            return false
        }
        return true
    }

    private static func makeData(_ type: ldns_rdf_type, _ bytes: [UInt8]) -> UnsafeMutablePointer<ldns_rdf>? {
        ldns_rdf_new_frm_data(type, bytes.count, bytes)
    }

    /// Signs the message with the zone's key; false without memory.
    func sign(for zone: SignedZone) -> Bool {
        zone.key.withBytes { key in
            key.withMemoryRebound(to: CChar.self) { key in
                // 300 seconds are what RFC 8945, section 10 recommends for the clocks to differ.
                ldns_pkt_tsig_sign(
                    self.pointer,
                    zone.keyNameText,
                    key.baseAddress,
                    300,
                    "hmac-sha256.",
                    nil
                ) == LDNS_STATUS_OK
            }
        }
    }

    /// Lends the bytes of the message; nil without memory.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard ldns_pkt2wire(&bytes, self.pointer, &count) == LDNS_STATUS_OK, let bytes else { return nil }
        defer { free(bytes) }
        return body(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// Whether the message is signed with the zone's key.
    ///
    /// - Parameters:
    ///   - wire: the bytes that this message was read from.
    ///   - previous: the request, or the message before this one in a zone transfer.
    ///   - isFirst: whether the previous one is the request.
    func isSigned(for zone: SignedZone, wire: [UInt8], after previous: MessageHandle, isFirst: Bool) -> Bool {
        guard self.isSignatureOf(zone), let signature = previous.signature, let code = ldns_rr_rdf(signature, 3) else {
            return false
        }
        return zone.key.withBytes { key in
            key.withMemoryRebound(to: CChar.self) { key in
                ldns_pkt_tsig_verify_next(
                    self.pointer,
                    wire,
                    wire.count,
                    zone.keyNameText,
                    key.baseAddress,
                    code,
                    isFirst ? 0 : 1
                )
            }
        }
    }

    /// Whether the signature names the zone's key and what goes with it: the library only looks at the code.
    ///
    /// - Source: RFC 8945, sections 4.2 and 5.3.2.
    private func isSignatureOf(_ zone: SignedZone) -> Bool {
        guard let signature, let identifier = ldns_rr_rdf(signature, 4), ldns_rdf_size(identifier) == 2 else {
            return false
        }
        return DomainName(wire: MessageHandle.bytes(of: ldns_rr_owner(signature))) == zone.keyName
            && DomainName(wire: MessageHandle.bytes(of: ldns_rr_rdf(signature, 0))) == MessageHandle.algorithm
            && ldns_rr_get_class(signature) == LDNS_RR_CLASS_ANY && ldns_rr_ttl(signature) == 0
            && ldns_rdf2native_int16(identifier) == self.identifier
    }

    private static let algorithm = DomainName("hmac-sha256")

    private var signature: UnsafeMutablePointer<ldns_rr>? {
        guard let record = ldns_pkt_tsig(self.pointer), ldns_rr_rd_count(record) >= 7 else { return nil }
        return record
    }

    /// What the signature says is wrong with the request's own; 0 without one.
    ///
    /// - Source: RFC 8945, section 3.
    var signatureError: UInt16 {
        guard let signature, let error = ldns_rr_rdf(signature, 5), ldns_rdf_size(error) == 2 else { return 0 }
        return ldns_rdf2native_int16(error)
    }

    var isResponse: Bool { ldns_pkt_qr(self.pointer) }

    var isAuthoritative: Bool { ldns_pkt_aa(self.pointer) }

    var identifier: UInt16 { ldns_pkt_id(self.pointer) }

    /// The response code.
    var code: UInt8 { UInt8(truncatingIfNeeded: ldns_pkt_get_rcode(self.pointer).rawValue) }

    /// Calls the body with each record of the answer: its owner, its type and its data, one array for each field.
    func forEachAnswer(_ body: (_ owner: [UInt8], _ type: ldns_rr_type, _ data: [[UInt8]]) -> Void) {
        guard let records = ldns_pkt_answer(self.pointer) else { return }
        for index in 0..<ldns_rr_list_rr_count(records) {
            guard let record = ldns_rr_list_rr(records, index) else { continue }
            let data = (0..<ldns_rr_rd_count(record)).map { MessageHandle.bytes(of: ldns_rr_rdf(record, $0)) }
            body(MessageHandle.bytes(of: ldns_rr_owner(record)), ldns_rr_get_type(record), data)
        }
    }

    private static func bytes(of data: UnsafeMutablePointer<ldns_rdf>?) -> [UInt8] {
        guard let data, let bytes = ldns_rdf_data(data) else { return [] }
        return Array(UnsafeBufferPointer(start: bytes, count: ldns_rdf_size(data)))
    }
}
