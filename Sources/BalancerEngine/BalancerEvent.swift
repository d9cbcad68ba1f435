public import CoAPMessages
public import Primitives

/// A batch that was handed to the registry.
public struct UpdateID: Hashable, Sendable {
    /// The number the engine gave it.
    public let rawValue: UInt64

    /// Creates an identifier from its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// Changes that were handed to the store.
public struct StorageID: Hashable, Sendable {
    /// The number the engine gave them.
    public let rawValue: UInt64

    /// Creates an identifier from its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// What happened, told to ``BalancerEngine`` by its driver.
public enum BalancerEvent: Sendable {
    /// What was stored before the balancer stopped, or an empty snapshot; the first event, told once.
    case restored(BalancerSnapshot)
    /// The civil time now; without it no window is served. Told again whenever it may have jumped.
    case clockSet(WallTime)
    /// The time of ``BalancerEngine/nextDeadline`` has come; harmless when it has not.
    case deadlineReached

    /// Devices to serve; one that is known already gets the new secret, region and class.
    case devicesAdded([BalancerDevice])
    /// Every device that there is has been added; no name is removed before this was told once.
    case devicesLoaded
    /// Devices that are served no longer, by endpoint.
    case devicesRemoved([UTF8Text])
    /// Devices that completed must bootstrap again; nil: all of them.
    case devicesNeedBootstrap([UTF8Text]?)

    /// An instance is there, and has this many bootstraps in progress; told at every report of it. With its first
    /// one it has just begun, and has lost what was in progress when it ended before.
    case instanceReported(BootstrapInstance, inProgress: Int, isFirst: Bool = false)
    /// An instance leaves or has ended, by name.
    case instanceLost(UTF8Text)
    /// Instances told what became of procedures; answered by one ``BalancerOutput/acknowledge(_:)`` once it is stored.
    case bootstrapNotified(ExchangeID, [BootstrapNotification])
    /// An instance asks whether a host is pinned for a device; answered by one ``BalancerOutput/answerPin(_:isPinned:)``.
    case pinAsked(ExchangeID, endpoint: UTF8Text, host: UTF8Text)
    /// A device sent its Bootstrap-Request to the balancer; answered by one ``BalancerOutput/answerHold(_:_:)``.
    case holdAsked(ExchangeID, endpoint: UTF8Text, host: UTF8Text)
    /// The instance that was asked for runs under this name; it counts once it reports.
    case instanceStarted(UTF8Text)
    /// The instance that was asked for could not be started.
    case instanceStartFailed

    /// An operator wants names for everybody who waits, now, and those of others gone.
    case rotationRequested
    /// An operator wants this balancer to write the zone, whoever wrote it before.
    case takeOverRequested

    /// The registry did a batch.
    case updateApplied(UpdateID)
    /// The registry did not do a batch, or nobody knows.
    case updateFailed(UpdateID, RegistryFailure)
    /// The answer to ``BalancerOutput/readEpoch``; nil: the zone has none.
    case epochRead(Result<RegistryEpoch?, RegistryFailure>)
    /// The answer to ``BalancerOutput/readNames``.
    case namesRead(Result<[NameRecord], RegistryFailure>)

    /// Changes are durable.
    case stored(StorageID)
    /// Changes are not durable; they are handed out again later under another number.
    case storageFailed(StorageID)
}

/// What the driver of ``BalancerEngine`` must do next.
public enum BalancerOutput: Sendable {
    /// Store all these changes at once or none; answered by `stored` or `storageFailed`. One is under way at a time.
    case store(StorageID, [BalancerChange])
    /// Hand a batch to the registry; answered by `updateApplied` or `updateFailed`. One is under way at a time.
    case update(UpdateID, NameUpdate)
    /// Read the epoch of the zone; answered by `epochRead`.
    case readEpoch
    /// Read the names of the zone; answered by `namesRead`.
    case readNames
    /// Start an instance; answered by `instanceStarted` or `instanceStartFailed`.
    case startInstance
    /// Stop an instance that was started on demand: it has had nothing to do, and no name leads to it any more.
    case stopInstance(UTF8Text)
    /// Notifications are durable: answer the request that brought them.
    case acknowledge(ExchangeID)
    /// Answer whether a host is pinned for a device.
    case answerPin(ExchangeID, isPinned: Bool)
    /// Answer the Bootstrap-Request of a device at the balancer itself.
    case answerHold(ExchangeID, HoldAnswer)
    /// Tell the embedder.
    case report(BalancerReport)
}

/// What a device is told that sent its Bootstrap-Request to the balancer itself.
public enum HoldAnswer: Hashable, Sendable {
    /// 5.03 with this Max-Age, in seconds: an instance is on its way.
    case hold(maxAge: UInt32)
    /// 4.03: the host is no name of this device.
    case refuse
}
