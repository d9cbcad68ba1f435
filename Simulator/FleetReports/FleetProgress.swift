public import FleetEngine
import Primitives

/// Where a running fleet stands: what the console shows once a second.
public struct FleetProgress: Sendable {
    /// One operation's line.
    public struct Operation: Hashable, Sendable {
        /// Which operation.
        public var operation: FleetOperation
        /// How many there were so far.
        public var count: Int
        /// How many there were a second since the last progress.
        public var perSecond: Double
        /// The median latency so far, milliseconds.
        public var p50: Double
        /// The 99th percentile so far, milliseconds.
        public var p99: Double

        /// Creates a line.
        public init(operation: FleetOperation, count: Int, perSecond: Double, p50: Double, p99: Double) {
            self.operation = operation
            self.count = count
            self.perSecond = perSecond
            self.p50 = p50
            self.p99 = p99
        }
    }

    /// Where the fleet stands in its course.
    public var phase: FleetEngine.Phase
    /// Time since the first start.
    public var elapsed: Duration
    /// How many devices are in which state.
    public var counts: FleetCounts
    /// The operations that happened.
    public var operations: [Operation]
    /// How devices found their bootstrap server by temporary names; nil where they have none.
    public var names: FleetNames?
    /// Share of one core since the last progress, percent.
    public var processorPercent: Double
    /// Bytes of memory that are resident.
    public var residentBytes: Int

    /// Creates a progress from its parts.
    public init(
        phase: FleetEngine.Phase,
        elapsed: Duration,
        counts: FleetCounts,
        operations: [Operation],
        names: FleetNames? = nil,
        processorPercent: Double,
        residentBytes: Int
    ) {
        self.phase = phase
        self.elapsed = elapsed
        self.counts = counts
        self.operations = operations
        self.names = names
        self.processorPercent = processorPercent
        self.residentBytes = residentBytes
    }
}

/// Turns measurements into progress, once a second: remembers what the last one showed.
///
/// Percentiles are read again only for operations that happened since, so that an idle fleet pays nothing for them.
public struct FleetProgressMeter: Sendable {
    private var last: ResourceUsage
    private var shown: [FleetProgress.Operation]

    /// Creates a meter.
    ///
    /// - Parameter usage: what the process had used when the fleet began.
    public init(usage: ResourceUsage) {
        self.last = usage
        self.shown = FleetOperation.allCases.map {
            FleetProgress.Operation(operation: $0, count: 0, perSecond: 0, p50: 0, p99: 0)
        }
    }

    /// Takes stock.
    ///
    /// - Parameters:
    ///   - fleet: where the fleet stands.
    ///   - measurements: what it measured so far.
    ///   - names: how its devices found their bootstrap server.
    ///   - usage: what the process has used by now.
    public mutating func progress(
        of fleet: borrowing FleetEngine,
        measurements: borrowing FleetMeasurements,
        names: FleetNames? = nil,
        usage: ResourceUsage
    ) -> FleetProgress {
        let seconds = Double(self.last.time.duration(to: usage.time).nanoseconds) / 1e9
        for index in self.shown.indices {
            let measured = measurements[self.shown[index].operation]
            let before = self.shown[index].count
            self.shown[index].perSecond = seconds > 0 ? Double(measured.count - before) / seconds : 0
            guard measured.count != before else { continue }
            let latencies = measured.histogram.latencies(at: [50, 99])
            self.shown[index].count = measured.count
            self.shown[index].p50 = Double(latencies[0].nanoseconds) / 1e6
            self.shown[index].p99 = Double(latencies[1].nanoseconds) / 1e6
        }
        defer { self.last = usage }
        return FleetProgress(
            phase: fleet.phase,
            elapsed: fleet.startTime.duration(to: usage.time),
            counts: fleet.counts,
            operations: self.shown.filter { $0.count > 0 },
            names: names,
            processorPercent: usage.processorPercent(since: self.last),
            residentBytes: usage.residentBytes
        )
    }
}
