import Primitives
public import VirtualNetwork

/// A power cut to simulate: every device reboots within a short time and asks for bootstrap.
public struct PowerCutConfiguration: Hashable, Sendable {
    /// How many devices an experiment takes.
    public static let deviceCounts = 1...10_000_000
    /// How many balanced instances an experiment takes; 0 stands for one static server.
    public static let instanceCounts = 0...250
    /// The rates that a flood may have, in datagrams per second.
    public static let attackRates: ClosedRange<Double> = 0...10_000_000

    /// How many devices reboot; limited to ``deviceCounts``.
    public var devices: Int
    /// How many balanced bootstrap server instances there are; 0 for one server under the static name.
    public var instances: Int
    /// Datagrams per second that strangers send to the address of the static name.
    public var attackRate: Double
    /// The time in which every device has power again.
    public var within: Duration
    /// What everything random comes from.
    public var seed: UInt64
    /// How long after the power returned the experiment ends, whatever was reached.
    public var limit: Duration = .seconds(6 * 3_600)
    /// What one server, static or instance, can do.
    public var capacity = ServiceCapacity.bootstrapServer
    /// How datagrams fare.
    public var conditions = NetworkConditions(
        loss: 0.001,
        delay: .milliseconds(10)...(.milliseconds(50)),
        keepsOrder: true
    )

    /// Creates a configuration; numbers beyond the limits above are limited.
    public init(devices: Int, instances: Int, attackRate: Double = 0, within: Duration = .seconds(30), seed: UInt64) {
        self.devices = min(max(devices, Self.deviceCounts.lowerBound), Self.deviceCounts.upperBound)
        self.instances = min(max(instances, Self.instanceCounts.lowerBound), Self.instanceCounts.upperBound)
        self.attackRate = attackRate.isNaN ? 0 : min(max(attackRate, 0), Self.attackRates.upperBound)
        self.within = max(within, .milliseconds(1))
        self.seed = seed
    }

    /// Whether there is one server under the static name and nothing else.
    public var isStatic: Bool { self.instances == 0 }
}

extension ServiceCapacity {
    /// What `starling bootstrap` does on one core, measured on the machine that docs/power-cut.md names.
    public static let bootstrapServer = ServiceCapacity(
        hello: .microseconds(12),
        handshake: .microseconds(130),
        message: .microseconds(35),
        queueLimit: 500
    )
}
