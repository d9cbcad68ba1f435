public import Primitives

/// Everything a fleet measured, per operation; what several workers measured can be merged.
public struct FleetMeasurements: Sendable {
    /// What was measured of one operation.
    public struct Operation: Sendable {
        /// The latencies.
        public fileprivate(set) var histogram = LatencyHistogram()
        /// When the first one ended.
        public fileprivate(set) var first: MonotonicTime?
        /// When the last one ended.
        public fileprivate(set) var last: MonotonicTime?

        /// How many there were.
        public var count: Int { self.histogram.count }

        /// How many there were a second, between the first and the last; 0 below two.
        public var perSecond: Double {
            guard let first = self.first, let last = self.last, first < last else { return 0 }
            return Double(self.count - 1) / (Double(first.duration(to: last).nanoseconds) / 1e9)
        }
    }

    private var operations = [Operation](repeating: Operation(), count: FleetOperation.allCases.count)

    /// Creates measurements of nothing.
    public init() {}

    /// What was measured of an operation.
    public subscript(operation: FleetOperation) -> Operation { self.operations[operation.ordinal] }

    /// Records one operation.
    ///
    /// - Parameters:
    ///   - operation: which one.
    ///   - began: when it was meant to begin.
    ///   - ended: when it was done.
    public mutating func record(_ operation: FleetOperation, from began: MonotonicTime, to ended: MonotonicTime) {
        let index = operation.ordinal
        self.operations[index].histogram.record(began.duration(to: ended))
        if self.operations[index].first == nil { self.operations[index].first = ended }
        self.operations[index].last = ended
    }

    /// Adds what another worker on the same clock measured.
    public mutating func merge(_ other: FleetMeasurements) {
        for index in self.operations.indices {
            let theirs = other.operations[index]
            self.operations[index].histogram.merge(theirs.histogram)
            self.operations[index].first = [self.operations[index].first, theirs.first].compactMap { $0 }.min()
            self.operations[index].last = [self.operations[index].last, theirs.last].compactMap { $0 }.max()
        }
    }
}
