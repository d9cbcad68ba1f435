/// The attributes of a path that steer notifications; nil where none is attached.
///
/// - Source: LwM2M Core 1.2.2, clause 7.3.2.
public struct NotificationAttributes: Hashable, Sendable {
    /// Least time between two notifications, in seconds.
    public var minimumPeriod: UInt32?
    /// Most time between two notifications, in seconds.
    public var maximumPeriod: UInt32?
    /// Notify when the value crosses this from either side.
    public var greaterThan: Double?
    /// Notify when the value crosses this from either side.
    public var lessThan: Double?
    /// Notify when the value differs by at least this from the last one sent.
    public var step: Double?

    /// Creates attributes, none attached.
    public init() {}

    /// Whether nothing is attached.
    public var isEmpty: Bool { self == NotificationAttributes() }
}
