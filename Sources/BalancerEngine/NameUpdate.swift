public import Primitives

/// A host name with the address it leads to.
public struct NameRecord: Hashable, Sendable {
    /// The whole name in lower case, without a final dot; within the zone.
    public var name: UTF8Text
    /// The address of the instance that the name leads to.
    public var address: IPAddress

    /// Creates a record from its parts.
    public init(name: UTF8Text, address: IPAddress) {
        self.name = name
        self.address = address
    }

    /// How many bytes it takes to assign: the addresses of both kinds go, and this one comes.
    var byteCount: Int { 3 * (self.name.bytes.count + 12) + self.address.bytes.count }
}

/// The state of a zone as the one who writes it counts it; a TXT record holds its text.
public struct RegistryEpoch: Hashable, Sendable {
    /// The balancer that wrote it: letters, digits and hyphens.
    public var writer: UTF8Text
    /// Grows by one with every batch.
    public var number: UInt64

    /// Creates an epoch from its parts.
    public init(writer: UTF8Text, number: UInt64) {
        self.writer = writer
        self.number = number
    }
}

/// One batch of changes to the names of a zone: all of it happens, or nothing.
///
/// - Source: RFC 2136, section 3 (prerequisites and atomicity).
public struct NameUpdate: Hashable, Sendable {
    /// What the zone must say for the batch to be done; nil: the zone has no epoch yet.
    public var expected: RegistryEpoch?
    /// What the zone says afterwards.
    public var epoch: RegistryEpoch
    /// Names that lead to exactly this address afterwards; an address they had before is gone.
    public var assigned: [NameRecord]
    /// Names that are gone afterwards.
    public var removed: [UTF8Text]
    /// How long resolvers may keep what is assigned, in seconds.
    public var timeToLive: UInt32

    /// Creates a batch from its parts.
    public init(
        expected: RegistryEpoch?,
        epoch: RegistryEpoch,
        assigned: [NameRecord],
        removed: [UTF8Text],
        timeToLive: UInt32
    ) {
        self.expected = expected
        self.epoch = epoch
        self.assigned = assigned
        self.removed = removed
        self.timeToLive = timeToLive
    }

    /// About how many bytes the names take in a DNS message: three records to assign one, one to remove one.
    public var byteCount: Int {
        self.assigned.reduce(0) { $0 + $1.byteCount } + self.removed.reduce(0) { $0 + Self.byteCount(removing: $1) }
    }

    static func byteCount(removing name: UTF8Text) -> Int { name.bytes.count + 12 }
}

/// Why a registry did not do what it was asked.
public enum RegistryFailure: Error, Hashable, Sendable {
    /// The zone's epoch is another one: somebody else writes it, or an earlier answer was lost.
    case epochMismatch
    /// The registry refused: a wrong key, no permission, a name outside the zone; its DNS response code.
    case refused(UInt8)
    /// Nothing answered in time, or the connection broke; whether the batch was done is not known.
    case unreachable
    /// The answer is not signed as it must be, or cannot be read.
    case malformedAnswer
    /// This machine has no memory or descriptor left.
    case local
}
