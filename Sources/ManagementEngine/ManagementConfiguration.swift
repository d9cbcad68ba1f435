public import LwM2MModel

/// The rules and bounds of a management server.
public struct ManagementConfiguration: Sendable {
    /// Which endpoint name goes with which identity.
    public var endpointRule = EndpointRule()
    /// The most registrations; another one is refused with 5.03.
    public var maximumRegistrations = 100_000
    /// The most endpoints that one session may register, so that one peer cannot fill the table.
    public var maximumRegistrationsPerSession = 64
    /// The most bytes of an object list; a longer one is refused with 4.13.
    public var maximumObjectListLength = 16_384
    /// The most entries of an object list.
    public var maximumObjects = 1024
    /// The most commands that wait for one device.
    public var maximumPendingCommands = 64
    /// The most observations of one device.
    public var maximumObservations = 64
    /// How long a command may take, waiting included; longer than the transport tries.
    public var commandTimeout: Duration = .seconds(120)
    /// How long a device in queue mode listens after it spoke.
    ///
    /// - Source: LwM2M Core 1.2.2, clause 6.5: MAX_TRANSMIT_WAIT.
    public var awakeWindow: Duration = .seconds(93)
    /// What is observed at every device that registers and lists the object.
    public var automaticObservations: [ObjectPath] = []

    /// Creates the default rules.
    public init() {}
}
