internal import BalancerEngine
internal import Primitives

/// What the responder knows: the names of one zone, and who wrote them last.
struct PublishedZone {
    /// What stands at a name.
    enum Content {
        case address(NameTable.Assignment)
        /// The zone's own name.
        case apex
        /// Nothing, but there are names below it.
        case emptyNonTerminal
        /// The epoch's text.
        case epoch([UInt8])
        /// The responder itself.
        case nameServer
        case nothing
    }

    /// The labels of names that are not for assigning, as they stand in messages.
    static let nameServerLabel: [UInt8] = [2] + Array("ns".utf8)
    private static let epochLabel: [UInt8] = [6] + Array("_epoch".utf8)

    let name: DomainName
    private let maximumNames: Int
    private var names = NameTable()
    /// How many names stand below each that has none of its own; most zones have no such name.
    private var nonTerminals: [[UInt8]: Int] = [:]
    private(set) var epoch: RegistryEpoch?
    /// The serial number of the zone's SOA record; each batch makes it one more.
    private(set) var serial: UInt32 = 1

    init(name: DomainName, maximumNames: Int) {
        self.name = name
        self.maximumNames = maximumNames
    }

    /// How many names are assigned.
    var count: Int { self.names.count }

    /// What stands at a name of the zone.
    ///
    /// - Parameter prefix: the part before the zone's name, as in a message, in lower case.
    func content(at prefix: ArraySlice<UInt8>) -> Content {
        if prefix.isEmpty { return .apex }
        if let assignment = self.names[prefix] { return .address(assignment) }
        if prefix == PublishedZone.nameServerLabel[...] { return .nameServer }
        if prefix == PublishedZone.epochLabel[...] {
            return self.epoch.flatMap { EpochText.bytes(of: $0) }.map { .epoch($0) } ?? .nothing
        }
        return self.nonTerminals.isEmpty || self.nonTerminals[Array(prefix)] == nil ? .nothing : .emptyNonTerminal
    }

    /// Does a batch, or nothing of it.
    ///
    /// - Throws: what a DNS server would answer: ``RegistryFailure/epochMismatch``, or ``RegistryFailure/refused(_:)``
    ///   with FORMERR, REFUSED or NOTZONE; ``RegistryFailure/local`` when there would be too many names.
    mutating func apply(_ update: NameUpdate) throws(RegistryFailure) {
        guard update.expected == self.epoch else { throw .epochMismatch }
        guard EpochText.bytes(of: update.epoch) != nil else { throw .refused(1) }
        // All of it is checked before any of it is done.
        var removed: [ArraySlice<UInt8>] = []
        for name in update.removed { removed.append(try self.prefix(of: name)) }
        var assigned: [ArraySlice<UInt8>] = []
        for record in update.assigned { assigned.append(try self.prefix(of: record.name)) }
        guard self.names.count + assigned.count <= self.maximumNames else { throw .local }
        for prefix in removed where self.names.remove(prefix) { self.count(prefix, -1) }
        for (prefix, record) in zip(assigned, update.assigned) {
            let assignment = NameTable.Assignment(address: record.address, timeToLive: update.timeToLive)
            if self.names.assign(prefix, assignment) { self.count(prefix, 1) }
        }
        self.epoch = update.epoch
        self.serial &+= 1
    }

    /// Every name with its address.
    var records: [NameRecord] {
        var records: [NameRecord] = []
        records.reserveCapacity(self.names.count)
        for (prefix, assignment) in self.names.all {
            guard let name = DomainName(wire: prefix + self.name.wire) else { continue }
            records.append(NameRecord(name: name.text, address: assignment.address))
        }
        return records
    }

    private func prefix(of name: UTF8Text) throws(RegistryFailure) -> ArraySlice<UInt8> {
        guard let name = DomainName(name) else { throw .refused(1) }
        guard let length = name.prefixLength(in: self.name) else { throw .refused(10) }
        let prefix = name.wire[..<length]
        guard !prefix.isEmpty, prefix != PublishedZone.nameServerLabel[...], prefix != PublishedZone.epochLabel[...]
        else { throw .refused(5) }
        return prefix
    }

    /// Counts a name at all the names above it in the zone.
    private mutating func count(_ prefix: ArraySlice<UInt8>, _ change: Int) {
        var rest = prefix.dropFirst(1 + Int(prefix.first ?? 0))
        while let length = rest.first {
            let key = Array(rest)
            let count = (self.nonTerminals[key] ?? 0) + change
            self.nonTerminals[key] = count > 0 ? count : nil
            rest = rest.dropFirst(1 + Int(length))
        }
    }
}
