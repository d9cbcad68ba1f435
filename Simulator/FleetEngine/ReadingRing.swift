import Primitives

/// Which device measures when: each once in an interval, at a moment of its own that seed and index decide.
///
/// The devices stand in the order of their moments, so a turn of the ring needs no heap and one integer a device.
struct ReadingRing: Sendable {
    private let interval: Duration
    private let origin: MonotonicTime
    private let moments: [Int64]
    private let order: [Int32]
    private var position = 0
    private var turn: Int64 = 0

    /// - Parameters:
    ///   - interval: how often a device measures; above zero.
    ///   - origin: when the first turn begins.
    ///   - indices: the indices of the devices in the whole fleet.
    init(interval: Duration, origin: MonotonicTime, indices: Range<Int>, seed: UInt64) {
        self.interval = interval
        self.origin = origin
        let length = Double(interval.nanoseconds)
        let moments = indices.map { index in
            var generator = SeededGenerator(seed: VirtualDevice.seed(of: index, in: ~seed))
            return Int64(generator.nextUnitInterval() * length)
        }
        self.order = (0..<Int32(moments.count)).sorted { (moments[Int($0)], $0) < (moments[Int($1)], $1) }
        self.moments = moments
    }

    /// When the next device measures; nil in a ring without devices.
    var nextDue: MonotonicTime? {
        guard self.position < self.order.count else { return nil }
        let (turns, overflow) = self.turn.multipliedReportingOverflow(by: self.interval.nanoseconds)
        guard !overflow else { return nil }
        return self.origin.advanced(by: .nanoseconds(turns))
            .advanced(by: .nanoseconds(self.moments[Int(self.order[self.position])]))
    }

    /// Takes the next device whose moment has come.
    mutating func popDue(now: MonotonicTime) -> (device: Int, due: MonotonicTime)? {
        guard let due = self.nextDue, due <= now else { return nil }
        let device = Int(self.order[self.position])
        self.position += 1
        if self.position == self.order.count {
            self.position = 0
            self.turn += 1
        }
        return (device, due)
    }
}
