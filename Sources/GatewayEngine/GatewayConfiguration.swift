public import CommandSessions
public import LwM2MModel

/// The rules and bounds of a gateway.
public struct GatewayConfiguration: Sendable {
    /// How much of the exchange carries identifiers.
    public var form: SessionForm = .bothIdentifiers
    /// Where the object of command sessions stands.
    public var objectIDs: OwnObjectIDs = .standard
    /// The instance of it that devices have for this gateway.
    public var objectInstance: UInt16 = 0
    /// What is done about breaches, at first.
    public var policy: BreachPolicy = .standard
    /// Who may send which commands, at first.
    public var permissions: PermissionPolicy = .standard
    /// The most devices that are known, available or with identifiers.
    public var maximumDevices = 100_000
    /// The most commands that wait for one device, the one under way included.
    public var maximumCommandsPerDevice = 64
    /// The most commands that wait for all devices together.
    public var maximumCommands = 10_000
    /// How many sessions may be begun for one command; at least 1.
    public var maximumTries = 5
    /// How long a command may take; message 3 that is under way is waited for.
    public var commandTimeout: Duration = .seconds(3600)
    /// The pause before the second session of a command, and before an outcome is asked for again; it doubles each time.
    public var pause: Duration = .seconds(2)
    /// The longest such pause.
    public var longestPause: Duration = .seconds(300)
    /// How long no session is begun behind a message without an answer, so that it is not on its way any more.
    ///
    /// - Source: RFC 7252, section 4.8.2: MAX_LATENCY.
    public var quietTime: Duration = .seconds(100)
    /// How long ``BreachPolicy/Responses/suspend`` keeps the gateway from a device.
    public var suspension: Duration = .seconds(600)

    /// Creates the default rules.
    public init() {}
}
