internal import Primitives

/// Notices when civil time no longer goes the way that monotonic time does.
struct ClockWatch {
    private var checkedAt: MonotonicTime?
    /// Civil time less monotonic time, in seconds, as told last; nil when it was not known.
    private var offset: Int64?

    /// Whether a second has passed since the last look.
    func isDue(_ now: MonotonicTime) -> Bool {
        self.checkedAt.map { $0.advanced(by: .seconds(1)) <= now } ?? true
    }

    /// Whether a time differs from what the one before lets expect, by more than rounding.
    mutating func hasJumped(_ time: WallTime?, now: MonotonicTime) -> Bool {
        let isFirst = self.checkedAt == nil
        self.checkedAt = now
        let offset = time.map { $0.secondsSinceEpoch &- now.nanoseconds / 1_000_000_000 }
        let difference: Int64? =
            if let offset, let before = self.offset { offset &- before } else { nil }
        let isSame = offset == nil && self.offset == nil || (difference.map { (-1...1).contains($0) } ?? false)
        guard !isSame else { return false }
        self.offset = offset
        return !isFirst
    }
}
