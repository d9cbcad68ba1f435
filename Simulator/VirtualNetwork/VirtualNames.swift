public import BalancerEngine
public import Primitives

/// The zone of a virtual network: which names lead where, and what was asked of it.
///
/// It takes a balancer's batches as a real registry does: all of one or nothing, and only when the zone's epoch is the
/// one that the batch expects.
public struct VirtualNames: Sendable {
    /// An answer to a resolver.
    public struct Answer: Hashable, Sendable {
        /// The address; nil for a name that does not exist.
        public let address: IPAddress?
        /// How long resolvers may keep the answer, in seconds.
        public let timeToLive: UInt32
    }

    /// How long resolvers may keep the answer that a name does not exist, in seconds.
    public let negativeTimeToLive: UInt32
    /// The epoch that the last batch left; nil before the first.
    public private(set) var epoch: RegistryEpoch?
    /// Batches that were done.
    public private(set) var updates = 0
    /// Names that batches assigned or removed.
    public private(set) var changes = 0
    /// Questions that were answered with an address.
    public private(set) var found = 0
    /// Questions for names that do not exist: NXDOMAIN.
    public private(set) var notFound = 0

    private struct Assignment: Sendable {
        let address: IPAddress
        let timeToLive: UInt32
    }

    private var assignments: [UTF8Text: Assignment] = [:]

    /// Creates a zone without names.
    ///
    /// - Parameter negativeTimeToLive: in seconds; the last field of the zone's SOA record.
    public init(negativeTimeToLive: UInt32 = 5) {
        self.negativeTimeToLive = negativeTimeToLive
    }

    /// How many names exist.
    public var count: Int { self.assignments.count }

    /// Every name with its address, in no particular order.
    public var records: [NameRecord] { self.assignments.map { NameRecord(name: $0.key, address: $0.value.address) } }

    /// Assigns a name by hand, as an operator does for a static one.
    public mutating func assign(_ name: UTF8Text, to address: IPAddress, timeToLive: UInt32) {
        self.assignments[name] = Assignment(address: address, timeToLive: timeToLive)
    }

    /// Does a batch.
    ///
    /// - Throws: ``RegistryFailure/epochMismatch`` when the zone's epoch is another one; nothing has changed then.
    public mutating func apply(_ update: NameUpdate) throws(RegistryFailure) {
        guard update.expected == self.epoch else { throw .epochMismatch }
        for name in update.removed { self.assignments[name] = nil }
        for record in update.assigned {
            self.assign(record.name, to: record.address, timeToLive: update.timeToLive)
        }
        self.epoch = update.epoch
        self.updates += 1
        self.changes += update.assigned.count + update.removed.count
    }

    /// Answers a question.
    public mutating func answer(_ name: UTF8Text) -> Answer {
        guard let assignment = self.assignments[name] else {
            self.notFound += 1
            return Answer(address: nil, timeToLive: self.negativeTimeToLive)
        }
        self.found += 1
        return Answer(address: assignment.address, timeToLive: assignment.timeToLive)
    }
}
