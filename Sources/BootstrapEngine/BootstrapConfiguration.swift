public import LwM2MModel

/// The rules and bounds of a bootstrap server.
public struct BootstrapConfiguration: Sendable {
    /// Which endpoint name goes with which identity.
    public var endpointRule = EndpointRule()
    /// The most devices that are served at once; another one is refused with 5.03.
    public var maximumProcedures = 20_000
    /// How long a step may take; longer than the transport tries.
    public var stepTimeout: Duration = .seconds(120)
    /// Which hosts devices may have asked for; nil lets them ask for any.
    public var hostRule: HostRule?
    /// When a device that is refused with 5.03 may come again, in seconds.
    public var retryAfter: UInt32 = 10

    /// Creates the default rules.
    public init() {}
}
