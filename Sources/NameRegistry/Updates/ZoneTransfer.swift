internal import BalancerEngine
internal import CLDNS
internal import Primitives

/// Collects the names of a zone from the messages of its transfer.
///
/// - Source: RFC 5936, section 2.2: the SOA record stands first and last.
struct ZoneTransfer {
    private let zone: SignedZone
    private var boundaries = 0
    private var nameServers: Set<DomainName> = []
    private var addresses: [(name: DomainName, address: IPAddress)] = []

    init(zone: SignedZone) {
        self.zone = zone
    }

    var isComplete: Bool { self.boundaries >= 2 }

    /// Takes the next message.
    ///
    /// - Throws: ``RegistryFailure/malformedAnswer``; ``RegistryFailure/local`` when there are too many names.
    mutating func take(_ message: MessageHandle) throws(RegistryFailure) {
        var isMalformed = false
        message.forEachAnswer { owner, type, data in
            if type == LDNS_RR_TYPE_SOA {
                self.boundaries += 1
            } else if self.boundaries != 1 {
                isMalformed = true
            } else {
                self.take(owner, type, data)
            }
        }
        guard !isMalformed, self.boundaries > 0 else { throw .malformedAnswer }
        guard self.addresses.count <= self.zone.maximumNames else { throw .local }
    }

    private mutating func take(_ owner: [UInt8], _ type: ldns_rr_type, _ data: [[UInt8]]) {
        guard data.count == 1 else { return }
        switch type {
        case LDNS_RR_TYPE_NS:
            if let server = DomainName(wire: data[0]) { self.nameServers.insert(server) }
        case LDNS_RR_TYPE_A, LDNS_RR_TYPE_AAAA:
            // A name of other characters is none that this package has written.
            guard let name = DomainName(wire: owner), name != self.zone.name, let address = IPAddress(data[0]) else {
                return
            }
            self.addresses.append((name, address))
        default:
            break
        }
    }

    /// What was collected.
    var names: [NameRecord] {
        self.addresses.lazy.filter { !self.nameServers.contains($0.name) }
            .map { NameRecord(name: $0.name.text, address: $0.address) }
    }
}
