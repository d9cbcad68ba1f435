public import Primitives

extension BootstrapURIProfile {
    /// The window that a time lies in; always the same one when the profile uses no time.
    public func window(at time: WallTime) -> TimeWindow {
        guard self.usesTime else { return TimeWindow(stamp: 0) }
        // Times near the ends of the range saturate: a clock that says so is wrong anyway.
        let seconds = min(max(time.secondsSinceEpoch, -Self.latestTime), Self.latestTime)
        // Closest, ties up: the window of a stamp begins half a period before it, rounded down.
        let shifted = self.rounding == .closest ? seconds + self.period / 2 : seconds
        return TimeWindow(stamp: shifted - Self.remainder(shifted, self.period))
    }

    /// When a window begins.
    public func start(of window: TimeWindow) -> WallTime {
        guard self.usesTime else { return WallTime(secondsSinceEpoch: -Self.latestTime) }
        return WallTime(secondsSinceEpoch: window.stamp - (self.rounding == .closest ? self.period / 2 : 0))
    }

    /// When a window ends, which is when the next one begins.
    public func end(of window: TimeWindow) -> WallTime {
        guard self.usesTime else { return WallTime(secondsSinceEpoch: Self.latestTime) }
        return self.start(of: self.next(window))
    }

    /// The window after another; the same one when the profile uses no time.
    public func next(_ window: TimeWindow) -> TimeWindow {
        self.usesTime ? TimeWindow(stamp: window.stamp + self.period) : window
    }

    /// The window before another; the same one when the profile uses no time.
    public func previous(_ window: TimeWindow) -> TimeWindow {
        self.usesTime ? TimeWindow(stamp: window.stamp - self.period) : window
    }

    /// The windows that clocks within the allowed skew may stand in: that of the time first, then its neighbours.
    public func windows(around time: WallTime) -> [TimeWindow] {
        let current = self.window(at: time)
        guard self.usesTime else { return [current] }
        var windows = [current]
        let seconds = time.secondsSinceEpoch
        let sinceStart = seconds - self.start(of: current).secondsSinceEpoch
        let untilEnd = self.end(of: current).secondsSinceEpoch - seconds
        let isNearStart = sinceStart < self.clockSkew
        let isNearEnd = untilEnd <= self.clockSkew
        // Of two neighbours the closer one comes first.
        if isNearStart, !isNearEnd || sinceStart < untilEnd { windows.append(self.previous(current)) }
        if isNearEnd { windows.append(self.next(current)) }
        if isNearStart, isNearEnd, sinceStart >= untilEnd { windows.append(self.previous(current)) }
        return windows
    }

    /// The year 9999: further from the epoch no clock is believed, and no arithmetic overflows.
    private static var latestTime: Int64 { 253_402_300_799 }

    private static func remainder(_ value: Int64, _ divisor: Int64) -> Int64 {
        let remainder = value % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
