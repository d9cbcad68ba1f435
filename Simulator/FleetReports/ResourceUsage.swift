public import Primitives

/// What the process had used at a moment.
public struct ResourceUsage: Hashable, Sendable {
    /// When it was read.
    public var time: MonotonicTime
    /// CPU time of all threads, user and system.
    public var processorTime: Duration
    /// Bytes of memory that are resident.
    public var residentBytes: Int

    /// Creates a reading.
    public init(time: MonotonicTime, processorTime: Duration, residentBytes: Int) {
        self.time = time
        self.processorTime = processorTime
        self.residentBytes = residentBytes
    }

    /// The share of one core that was used since an earlier reading, in percent; 0 when no time has passed.
    public func processorPercent(since earlier: ResourceUsage) -> Double {
        let wall = earlier.time.duration(to: self.time).nanoseconds
        guard wall > 0 else { return 0 }
        return Double((self.processorTime - earlier.processorTime).nanoseconds) / Double(wall) * 100
    }
}

/// The readings that the costs of a fleet are computed from.
public struct FleetUsage: Hashable, Sendable {
    /// Before the first device was started.
    public var atStart: ResourceUsage
    /// When every device had been started and had registered or failed.
    public var atHold: ResourceUsage?
    /// When the devices were told to stop.
    public var atStopping: ResourceUsage?
    /// When everything was over.
    public var atEnd: ResourceUsage?

    /// Creates readings that have only begun.
    public init(atStart: ResourceUsage) {
        self.atStart = atStart
    }
}
