/// One period of a profile: everybody whose clock stands in it derives the same name.
public struct TimeWindow: Hashable, Comparable, Sendable {
    /// The rounded time stamp that goes into the derivation, in seconds since 1970-01-01T00:00:00Z.
    public let stamp: Int64

    /// Creates a window from its stamp.
    public init(stamp: Int64) {
        self.stamp = stamp
    }

    /// Orders windows from earlier to later.
    public static func < (lhs: TimeWindow, rhs: TimeWindow) -> Bool { lhs.stamp < rhs.stamp }
}
