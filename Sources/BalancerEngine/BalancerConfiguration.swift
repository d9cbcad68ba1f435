public import Primitives

/// The rules and bounds of a balancer.
public struct BalancerConfiguration: Sendable {
    /// Who writes the zone: 1 to 63 letters, digits and hyphens; no two balancers of a zone share it.
    public var writer: UTF8Text
    /// How names are shared among instances.
    public var strategy = AllocationStrategy()
    /// How long resolvers may keep a name, or the answer that there is none, in seconds; at least 1.
    public var timeToLive: UInt32 = 30
    /// What publishing the names of all devices may take; the next window's names are published so much earlier.
    public var registryTime: Duration = .seconds(60)
    /// The most names in one batch; at least 1.
    public var batchSize = 400
    /// The most bytes of one batch, as ``NameUpdate/byteCount`` counts them; at least 1024.
    public var batchByteCount = 64_000
    /// Where names lead to while no instance is up; nil: they keep the last one, and no instance is started.
    public var holdingAddress: IPAddress?
    /// How long a device that is held shall wait, in seconds: at least 1.
    public var holdTime: UInt32 = 5
    /// How long an instance that was asked for may take until it reports, and the pause after one that did not.
    public var instanceStartTime: Duration = .seconds(60)
    /// How long an instance that was started on demand may have nothing to do before it is stopped; nil: it stays.
    public var instanceIdleTime: Duration?
    /// How often an instance reports; one that stays silent for three of these is lost.
    public var reportInterval: Duration = .seconds(5)
    /// When a device that started and never finished is given up, and gets new names.
    public var progressLimit: Duration = .seconds(3600)
    /// How long the registry may take to answer; twelve times as long with all the names of the zone.
    public var registryTimeout: Duration = .seconds(60)
    /// The first pause when the registry cannot be reached; doubles up to ``longestRetry``.
    public var firstRetry: Duration = .seconds(1)
    /// The longest pause when the registry cannot be reached.
    public var longestRetry: Duration = .seconds(60)
    /// The pause when the registry refuses.
    public var refusedRetry: Duration = .seconds(60)
    /// How many devices are worked on before the driver gets its turn; at least 1.
    public var sliceSize = 10_000
    /// The most devices.
    public var maximumDevices = 4_000_000
    /// The most instances at a time; at most 1000.
    public var maximumInstances = 256
    /// The most notifications and other requests that wait for the store.
    public var maximumWaiting = 10_000

    /// Creates the default rules for a writer.
    public init(writer: UTF8Text) {
        self.writer = writer
    }
}
