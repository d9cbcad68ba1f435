public import Primitives

extension BootstrapURIProfile {
    /// Times beyond are treated as this one, some thirty thousand million years from now, so that nothing overflows.
    private static let farthest: Int64 = 1 << 60

    /// The window that a time falls in; always the same one without a time stamp.
    public func window(at time: WallTime) -> TimeWindow {
        guard self.usesTime else { return TimeWindow(stamp: 0) }
        let seconds = min(max(time.secondsSinceEpoch, -Self.farthest), Self.farthest)
        let remainder = seconds % self.period
        let passed = remainder < 0 ? remainder + self.period : remainder
        let floor = seconds - passed
        switch self.rounding {
        case .closest: return TimeWindow(stamp: passed * 2 >= self.period ? floor + self.period : floor)
        case .floor: return TimeWindow(stamp: floor)
        }
    }

    /// The first second of a window; of the only one of a profile without a time stamp, a time before all others.
    public func start(of window: TimeWindow) -> WallTime {
        guard self.usesTime else { return WallTime(secondsSinceEpoch: -Self.farthest) }
        let stamp = self.bounded(window)
        return WallTime(secondsSinceEpoch: self.rounding == .floor ? stamp : stamp - self.period / 2)
    }

    /// The first second after a window; of the only one of a profile without a time stamp, a time after all others.
    public func end(of window: TimeWindow) -> WallTime {
        guard self.usesTime else { return WallTime(secondsSinceEpoch: Self.farthest) }
        return WallTime(secondsSinceEpoch: self.start(of: window).secondsSinceEpoch + self.period)
    }

    /// The window behind a window; the same one without a time stamp.
    public func next(_ window: TimeWindow) -> TimeWindow {
        self.usesTime ? TimeWindow(stamp: self.bounded(window) + self.period) : window
    }

    /// The window before a window; the same one without a time stamp.
    public func previous(_ window: TimeWindow) -> TimeWindow {
        self.usesTime ? TimeWindow(stamp: self.bounded(window) - self.period) : window
    }

    /// The windows in which a clock may stand that is right within ``clockSkew``: that of the time, then its neighbours.
    ///
    /// Of two neighbours the one whose border is nearer comes first. A skew beyond a period reaches no farther than the
    /// neighbours.
    public func windows(around time: WallTime) -> [TimeWindow] {
        let current = self.window(at: time)
        guard self.usesTime else { return [current] }
        let seconds = min(max(time.secondsSinceEpoch, -Self.farthest), Self.farthest)
        let sinceStart = seconds - self.start(of: current).secondsSinceEpoch
        let untilEnd = self.end(of: current).secondsSinceEpoch - seconds
        let before = sinceStart < self.clockSkew ? [self.previous(current)] : []
        let after = untilEnd <= self.clockSkew ? [self.next(current)] : []
        return [current] + (sinceStart < untilEnd ? before + after : after + before)
    }

    private func bounded(_ window: TimeWindow) -> Int64 {
        min(max(window.stamp, -Self.farthest * 2), Self.farthest * 2)
    }
}
