public import LwM2MModel
public import Primitives

/// What a device is told about sessions with one gateway: who that is, what may only be changed in a session, and what
/// is done about a breach.
///
/// A value that exists is valid; a device keeps it as the resources of an instance of the Command Session object.
public struct SessionPolicy: Hashable, Sendable {
    /// Why values are no policy.
    public enum ValidationError: Error, Hashable, Sendable {
        /// There is no gateway address, or more than ``SessionPolicy/maximumAddresses``.
        case gatewayAddresses
        /// A path to protect is the root, or there are more than ``SessionPolicy/maximumPaths``.
        case protectedPaths
        /// A duration is not a whole number of seconds within its range.
        case duration
        /// A resource has a value that cannot be read or that it does not take.
        case malformed(resource: UInt16)
    }

    /// The most addresses of a gateway.
    public static let maximumAddresses = 16
    /// The most paths to protect.
    public static let maximumPaths = 64

    /// How much of the exchange carries identifiers.
    public let form: SessionForm
    /// The Short Server ID of the gateway, 1 to 65,534; nil for any server at one of the addresses.
    public let gateway: UInt16?
    /// The addresses that messages of a session may come from, 1 to ``maximumAddresses``.
    public let gatewayAddresses: [IPAddress]
    /// What no server may change outside a session, with all that is below.
    public let protectedPaths: [ObjectPath]
    /// What is done about a breach.
    public let breaches: BreachPolicy
    /// How long the response "suspend" lasts, in seconds; 1 to 2,592,000 (30 days).
    public let suspension: UInt32
    /// How long the device waits for message 3, in seconds; 1 to 86,400.
    public let timeout: UInt32

    /// Creates a policy.
    public init(
        form: SessionForm = .bothIdentifiers,
        gateway: UInt16? = nil,
        gatewayAddresses: [IPAddress],
        protectedPaths: [ObjectPath] = [],
        breaches: BreachPolicy = .standard,
        suspension: UInt32 = 3600,
        timeout: UInt32 = 60
    ) throws(ValidationError) {
        guard (1...Self.maximumAddresses).contains(gatewayAddresses.count) else { throw .gatewayAddresses }
        guard protectedPaths.count <= Self.maximumPaths, protectedPaths.allSatisfy({ $0.depth > 0 }) else {
            throw .protectedPaths
        }
        guard (1...65_534).contains(gateway ?? 1) else {
            throw .malformed(resource: SessionResource.gateway.rawValue)
        }
        guard (1...2_592_000).contains(suspension), (1...86_400).contains(timeout) else { throw .duration }
        self.form = form
        self.gateway = gateway
        self.gatewayAddresses = gatewayAddresses
        self.protectedPaths = protectedPaths
        self.breaches = breaches
        self.suspension = suspension
        self.timeout = timeout
    }

    /// Whether a change at the path would change something protected: the path, what is below it, or what it is below.
    public func protects(_ path: ObjectPath) -> Bool {
        for protected in self.protectedPaths where protected.contains(path) || path.contains(protected) { return true }
        return false
    }
}
