/// A point in civil time: seconds since 1970-01-01T00:00:00Z without leap seconds.
///
/// It may jump; deadlines use ``MonotonicTime``.
public struct WallTime: Hashable, Comparable, Sendable {
    /// Seconds since the epoch; negative before it.
    public let secondsSinceEpoch: Int64

    /// Creates a time from seconds since 1970-01-01T00:00:00Z.
    public init(secondsSinceEpoch: Int64) {
        self.secondsSinceEpoch = secondsSinceEpoch
    }

    /// Orders times from earlier to later.
    public static func < (lhs: WallTime, rhs: WallTime) -> Bool {
        lhs.secondsSinceEpoch < rhs.secondsSinceEpoch
    }
}
