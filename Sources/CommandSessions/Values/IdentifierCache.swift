/// What one side remembers of the DSIDs or of the GSIDs: never more than two.
///
/// A value that was just made or just received is *provisional*, and the previous one is kept beside it until the peer
/// has given the new one back; then the new one is *established* and the previous one forgotten.
public struct IdentifierCache: Equatable, Sendable {
    /// The last value that both sides are known to hold; nil before the first session.
    public private(set) var established: SessionIdentifier?
    /// The value of the session since; nil when that one is over and done.
    public private(set) var provisional: SessionIdentifier?

    /// Creates a cache from what was stored; empty before the first session.
    public init(established: SessionIdentifier? = nil, provisional: SessionIdentifier? = nil) {
        self.established = established
        self.provisional = provisional
    }

    /// The newest value.
    public var newest: SessionIdentifier? { self.provisional ?? self.established }

    /// Whether the cache holds the value, provisional or established.
    public func contains(_ identifier: SessionIdentifier) -> Bool {
        self.established == identifier || self.provisional == identifier
    }

    /// Keeps a new value beside the established one, in place of a provisional one that nobody gave back.
    public mutating func offer(_ identifier: SessionIdentifier) {
        self.provisional = identifier
    }

    /// The provisional value was given back: it is the established one from now on.
    public mutating func establish() {
        guard let provisional = self.provisional else { return }
        self.established = provisional
        self.provisional = nil
    }
}

/// The two identifiers of one session.
public struct SessionPair: Equatable, Sendable {
    /// The gateway's; nil in the short form.
    public let gsid: SessionIdentifier?
    /// The device's.
    public let dsid: SessionIdentifier

    /// Creates a pair.
    public init(gsid: SessionIdentifier?, dsid: SessionIdentifier) {
        self.gsid = gsid
        self.dsid = dsid
    }
}

/// How much of the exchange carries identifiers; the numbers are those of the object's resource Mode.
public enum SessionForm: UInt8, Sendable, CaseIterable {
    /// Gateway and device each make an identifier.
    case bothIdentifiers = 0
    /// Only the device makes one.
    case deviceIdentifier = 1
}
