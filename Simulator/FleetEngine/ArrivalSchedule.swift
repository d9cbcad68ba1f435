import Primitives

/// When the devices of a fleet start: an open model, in which arrivals depend on elapsed time and on nothing else.
///
/// The rate moves in a straight line from its initial to its final value and then stays there, so a constant rate is a
/// ramp of no length. Pure arithmetic: a ramp of ten hours is tested in a microsecond, and a server that answers slowly
/// never slows the arrivals down.
public struct ArrivalSchedule: Hashable, Sendable {
    /// The rates a schedule may have, in starts per second.
    public static let rates: ClosedRange<Double> = 0.001...1_000_000

    /// Starts per second at the beginning.
    public let initialRate: Double
    /// Starts per second once the ramp is over.
    public let finalRate: Double
    /// How long the rate takes from one to the other.
    public let rampDuration: Duration

    /// Creates a schedule with one rate.
    ///
    /// - Parameter rate: starts per second; limited to ``rates``.
    public init(rate: Double) {
        self.init(from: rate, to: rate, over: .zero)
    }

    /// Creates a schedule whose rate moves from one value to another.
    ///
    /// - Parameters:
    ///   - initialRate: starts per second at the beginning; 0 is allowed, the rest is limited to ``rates``.
    ///   - finalRate: starts per second at the end of the ramp and behind it; limited to ``rates``.
    ///   - rampDuration: how long the ramp takes; a negative one counts as none.
    public init(from initialRate: Double, to finalRate: Double, over rampDuration: Duration) {
        let final = Self.limited(finalRate)
        self.finalRate = final
        self.rampDuration = max(rampDuration, .zero)
        if self.rampDuration == .zero {
            self.initialRate = final
        } else {
            self.initialRate = initialRate > 0 ? Self.limited(initialRate) : 0
        }
    }

    private static func limited(_ rate: Double) -> Double {
        rate.isNaN ? Self.rates.lowerBound : min(max(rate, Self.rates.lowerBound), Self.rates.upperBound)
    }

    /// How many starts are due after a time; the first is due at once.
    ///
    /// - Parameter elapsed: time since the fleet began; nothing is due before zero.
    /// - Returns: the cumulative number of starts due.
    public func startsDue(after elapsed: Duration) -> Int {
        guard elapsed >= .zero else { return 0 }
        // The estimate may be one off where rounding meets a start; the intended times decide.
        var due = max(0, Int(self.startsPassed(seconds: Double(elapsed.nanoseconds) / 1e9).rounded(.down)))
        while due > 0, self.intendedStart(of: due - 1) > elapsed { due -= 1 }
        while self.intendedStart(of: due) <= elapsed { due += 1 }
        return due
    }

    /// When a start is meant to happen, whatever the fleet is able to do.
    ///
    /// - Parameter number: which start, counted from 0; a negative one counts as 0.
    /// - Returns: the time since the fleet began, never decreasing with the number.
    public func intendedStart(of number: Int) -> Duration {
        guard number > 0 else { return .zero }
        let wanted = Double(number)
        let ramp = Double(self.rampDuration.nanoseconds) / 1e9
        let inRamp = (self.initialRate + self.finalRate) / 2 * ramp
        let seconds: Double
        if wanted > inRamp {
            seconds = ramp + (wanted - inRamp) / self.finalRate
        } else {
            let slope = (self.finalRate - self.initialRate) / ramp
            let root = max(self.initialRate * self.initialRate + 2 * slope * wanted, 0).squareRoot()
            seconds = min(2 * wanted / (self.initialRate + root), ramp)
        }
        return .nanoseconds(Int64(min(seconds * 1e9, 9e18).rounded()))
    }

    private func startsPassed(seconds: Double) -> Double {
        let ramp = Double(self.rampDuration.nanoseconds) / 1e9
        if seconds >= ramp {
            return (self.initialRate + self.finalRate) / 2 * ramp + self.finalRate * (seconds - ramp)
        }
        let slope = (self.finalRate - self.initialRate) / ramp
        return self.initialRate * seconds + slope * seconds * seconds / 2
    }
}
