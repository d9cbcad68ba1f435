/// How many devices of a fleet are in which state, and what went wrong how often.
public struct FleetCounts: Hashable, Sendable {
    /// Devices of this slice of the fleet.
    public var planned = 0
    /// Devices whose start was carried out.
    public var started = 0
    /// Devices that start at this moment and have neither registered nor failed yet.
    public var starting = 0
    /// Devices that are registered at this moment.
    public var registered = 0
    /// Devices that failed and try again by themselves.
    public var failing = 0
    /// Devices that deregistered and stopped.
    public var stopped = 0
    /// Devices that were registered at any time.
    public var everRegistered = 0
    /// Devices that had been registered and were not at the end of the run, before deregistration began.
    public var lost = 0
    /// Starts that happened later than intended by more than the tolerance.
    public var lateStarts = 0
    /// Starts that never happened: patience or the run ended first.
    public var droppedStarts = 0
    /// Devices that had not finished deregistering when its limit passed.
    public var notDeregistered = 0
    /// How often each failure happened; a device that fails twice counts twice.
    public var failures: [FailureCause: Int] = [:]
    /// Devices that are failing or lost, by the cause of their last failure.
    public var failedDevices: [FailureCause: Int] = [:]

    /// Creates counts of nothing.
    public init() {}

    /// Whether every device registered and still was when the run ended.
    public var isFlawless: Bool { self.lost == 0 && self.everRegistered == self.planned }
}
