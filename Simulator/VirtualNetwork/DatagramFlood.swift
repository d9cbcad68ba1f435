public import Primitives

/// Strangers who send the first flights of handshakes to an address, from senders that nobody can tell apart.
public struct DatagramFlood: Hashable, Sendable {
    /// Datagrams per second, on average.
    public var rate: Double
    /// When the first one arrives.
    public var begin: MonotonicTime
    /// When the flood is over.
    public var end: MonotonicTime

    /// Creates a flood.
    ///
    /// - Parameters:
    ///   - rate: datagrams per second; at most a thousand million, nothing below zero.
    ///   - begin: when it begins.
    ///   - end: when it ends.
    public init(rate: Double, begin: MonotonicTime = .zero, end: MonotonicTime = MonotonicTime(nanoseconds: .max)) {
        self.rate = rate.isNaN ? 0 : min(max(rate, 0), 1e9)
        self.begin = begin
        self.end = end
    }

    /// Where a flood stands: its datagrams come one by one, as far apart as chance wants, from nothing to twice the mean.
    struct Course {
        private let meanGap: Double
        private let end: Int64
        private var generator: SeededGenerator
        private var following: Int64

        init(_ flood: DatagramFlood, seed: UInt64) {
            self.meanGap = flood.rate > 0 ? 1e9 / flood.rate : 0
            self.end = flood.end.nanoseconds
            self.generator = SeededGenerator(seed: seed)
            self.following = flood.rate > 0 ? flood.begin.nanoseconds : .max
        }

        /// When the next datagram arrives, which then counts as sent; nil when none does until that moment.
        mutating func next(until now: Int64) -> Int64? {
            guard self.following <= now, self.following < self.end else { return nil }
            let time = self.following
            // Sums of whole nanoseconds, so that a flood is the same on every machine.
            self.following += Int64(self.generator.nextUnitInterval() * 2 * self.meanGap)
            return time
        }
    }
}
