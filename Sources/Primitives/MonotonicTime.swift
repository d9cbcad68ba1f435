/// A point on the driver's clock: nanoseconds since an arbitrary start, never decreasing.
///
/// Engines compare and add; only drivers read a clock. Tests and fleets start at ``zero`` and jump, so a printed
/// time is the same on every run.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since the start of the clock.
    public let nanoseconds: Int64

    /// The start of the clock.
    public static let zero = MonotonicTime(nanoseconds: 0)

    /// Creates the time that lies the given number of nanoseconds after the start of the clock.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Returns this time moved by a duration, which may be negative; it saturates at the ends of the clock.
    public func advanced(by duration: Duration) -> MonotonicTime {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(duration.nanoseconds)
        if overflow { return MonotonicTime(nanoseconds: duration < .zero ? .min : .max) }
        return MonotonicTime(nanoseconds: sum)
    }

    /// Returns how long after this time the other one lies; negative when it is earlier, at most 292 years either way.
    public func duration(to other: MonotonicTime) -> Duration {
        let (difference, overflow) = other.nanoseconds.subtractingReportingOverflow(self.nanoseconds)
        if overflow { return .nanoseconds(other < self ? Int64.min : .max) }
        return .nanoseconds(difference)
    }

    /// Orders times from earlier to later.
    public static func < (lhs: MonotonicTime, rhs: MonotonicTime) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }
}

extension Duration {
    /// The duration in whole nanoseconds, rounded toward zero and limited to what 64 bits hold (292 years).
    public var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, sumOverflow) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return sumOverflow ? (seconds < 0 ? .min : .max) : sum
    }
}
