public import BootstrapURIs
public import Primitives

/// What a balancer does at the moment, for operators.
public struct BalancerStatus: Hashable, Sendable {
    /// What the balancer does with the zone.
    public enum Writing: Hashable, Sendable {
        /// Nothing has to be written.
        case idle
        /// A batch is on its way.
        case busy
        /// The registry cannot be reached.
        case unreachable
        /// The registry refuses with this DNS response code.
        case refused(UInt8)
        /// The names of the zone are being read.
        case reading
        /// Somebody else writes the zone.
        case superseded
    }

    /// An instance and what it has.
    public struct Instance: Hashable, Sendable {
        /// Its name.
        public var name: UTF8Text
        /// The names that lead to it, or will after the next batches.
        public var names: Int
        /// The devices that were started there and have not finished, by its notifications.
        public var started: Int
        /// The bootstraps in progress, by its reports.
        public var inProgress: Int
    }

    /// Devices that need bootstrap.
    public var waiting = 0
    /// Devices that are being bootstrapped.
    public var started = 0
    /// Those of them whose instance was lost.
    public var restarted = 0
    /// Devices that have been bootstrapped.
    public var completed = 0
    /// Instances that are up, ordered by when they came.
    public var instances: [Instance] = []
    /// Windows that are served, from earlier to later.
    public var windows: [TimeWindow] = []
    /// Names that the zone assigns.
    public var published = 0
    /// Names that are to be added or changed.
    public var pending = 0
    /// Whether names are being derived.
    public var isDeriving = false
    /// What the balancer does with the zone.
    public var writing = Writing.idle
    /// The epoch of the zone; nil: none yet.
    public var epoch: RegistryEpoch?
}

/// What a balancer saw since it was created; each number only grows.
public struct BalancerCounters: Hashable, Sendable {
    /// Devices that were started.
    public var started: UInt64 = 0
    /// Devices that completed.
    public var completed: UInt64 = 0
    /// Procedures that failed.
    public var failed: UInt64 = 0
    /// Devices that were given up.
    public var givenUp: UInt64 = 0
    /// Devices that were in progress at an instance that was lost.
    public var restarted: UInt64 = 0
    /// Notifications that said nothing new, or came too late.
    public var repeatedNotifications: UInt64 = 0
    /// Notifications and requests about devices that are not known.
    public var unknownDevices: UInt64 = 0
    /// Devices that were told to wait.
    public var held: UInt64 = 0
    /// Requests at the balancer itself for a host that is no name of the device.
    public var refusedHolds: UInt64 = 0
    /// Names that were derived.
    public var derived: UInt64 = 0
    /// Names that went to another instance because instances came or went.
    public var moved: UInt64 = 0
    /// Batches that were done.
    public var batches: UInt64 = 0
    /// Tries to reach the registry that failed.
    public var registryFailures: UInt64 = 0
    /// Whatever was refused because a table was full.
    public var refusedByBounds: UInt64 = 0

    /// Creates counters that saw nothing.
    public init() {}
}
