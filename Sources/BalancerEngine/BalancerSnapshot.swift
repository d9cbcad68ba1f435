public import Primitives

/// Everything a balancer must know again after it stopped; kept by the store from the changes it was given.
public struct BalancerSnapshot: Hashable, Sendable {
    /// The epoch of the zone after the last batch that was done; nil: none was.
    public var epoch: RegistryEpoch?
    /// The batch that was about to be sent, or was sent and not known to be done.
    public var batch: NameUpdate?
    /// The names that the zone assigns, ``batch`` not counted; in any order.
    public var published: [NameRecord]
    /// Devices that have started or completed; the others wait.
    public var devices: [DeviceProgress]
    /// Instances that were up.
    public var instances: [BootstrapInstance]
    /// Somebody else writes the zone, and no operator has said otherwise.
    public var isSuperseded: Bool

    /// Creates a snapshot; without arguments, that of a balancer that never ran.
    public init(
        epoch: RegistryEpoch? = nil,
        batch: NameUpdate? = nil,
        published: [NameRecord] = [],
        devices: [DeviceProgress] = [],
        instances: [BootstrapInstance] = [],
        isSuperseded: Bool = false
    ) {
        self.epoch = epoch
        self.batch = batch
        self.published = published
        self.devices = devices
        self.instances = instances
        self.isSuperseded = isSuperseded
    }
}

/// How far a device's bootstrap has come; a row of its own by endpoint.
public struct DeviceProgress: Hashable, Sendable {
    /// Where a device stands.
    public enum Phase: UInt8, Hashable, Sendable {
        /// It needs bootstrap, and has names.
        case waiting = 0
        /// It is being bootstrapped, and keeps the name it uses.
        case started = 1
        /// It has been bootstrapped, and needs no name.
        case completed = 2
    }

    /// The device.
    public var endpoint: UTF8Text
    /// Where it stands.
    public var phase: Phase
    /// The host it was started at; nil unless it is started at a temporary name.
    public var host: UTF8Text?
    /// The instance that told about it last; empty when none did.
    public var instance: UTF8Text
    /// The instance it was started at was lost since; it has the names of all windows again beside ``host``.
    public var isRestarted: Bool
    /// When it was started; nil when the civil time was not known.
    public var since: WallTime?
    /// The sequence of the last notification of ``instance`` that counted.
    public var sequence: UInt64
    /// Fingerprints of the last procedures, the newest first; the first one is under way when the device is started.
    public var procedures: [UInt64]

    /// Creates a row from its parts.
    public init(
        endpoint: UTF8Text,
        phase: Phase,
        host: UTF8Text? = nil,
        instance: UTF8Text = "",
        isRestarted: Bool = false,
        since: WallTime? = nil,
        sequence: UInt64 = 0,
        procedures: [UInt64] = []
    ) {
        self.endpoint = endpoint
        self.phase = phase
        self.host = host
        self.instance = instance
        self.isRestarted = isRestarted
        self.since = since
        self.sequence = sequence
        self.procedures = procedures
    }
}

/// One change to what is stored; those of one ``BalancerOutput/store(_:_:)`` happen in this order, all or none.
public enum BalancerChange: Hashable, Sendable {
    /// A device's row is this from now on.
    case deviceChanged(DeviceProgress)
    /// A device's row is gone.
    case deviceForgotten(UTF8Text)
    /// An instance is up, described so.
    case instanceChanged(BootstrapInstance)
    /// An instance is gone, by name.
    case instanceForgotten(UTF8Text)
    /// This batch is about to be sent; it takes the place of the one before, if any.
    case batchBegun(NameUpdate)
    /// The batch was done: its names move to the published ones, its epoch becomes the epoch, and it is gone.
    case batchDone
    /// The zone was read: these are its published names and its epoch, no others are, and there is no batch.
    case zoneRead([NameRecord], RegistryEpoch?)
    /// Whether somebody else writes the zone.
    case superseded(Bool)
}

extension BalancerSnapshot {
    /// Does changes as a store must do them; for tests, and for a store that keeps everything in memory.
    ///
    /// - Complexity: O(n) in the published names and devices for each change to them.
    public mutating func apply(_ changes: [BalancerChange]) {
        for change in changes { self.apply(change) }
    }

    private mutating func apply(_ change: BalancerChange) {
        switch change {
        case .deviceChanged(let row):
            self.devices.removeAll { $0.endpoint == row.endpoint }
            self.devices.append(row)
        case .deviceForgotten(let endpoint):
            self.devices.removeAll { $0.endpoint == endpoint }
        case .instanceChanged(let instance):
            self.instances.removeAll { $0.name == instance.name }
            self.instances.append(instance)
        case .instanceForgotten(let name):
            self.instances.removeAll { $0.name == name }
        case .batchBegun(let update):
            self.batch = update
        case .batchDone:
            guard let batch = self.batch else { return }
            let gone = Set(batch.removed).union(batch.assigned.map(\.name))
            self.published.removeAll { gone.contains($0.name) }
            self.published += batch.assigned
            self.epoch = batch.epoch
            self.batch = nil
        case .zoneRead(let names, let epoch):
            self.published = names
            self.epoch = epoch
            self.batch = nil
        case .superseded(let isSuperseded):
            self.isSuperseded = isSuperseded
        }
    }
}
