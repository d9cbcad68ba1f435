public import BootstrapURIs
public import CoAPMessages
public import CoAPTransport
public import CommandSessions
public import FleetEngine
public import LwM2MModel
public import Primitives

/// Everything a run of a fleet is told, checked.
public struct FleetScenario: Sendable {
    /// How the devices prove who they are.
    public enum Security: Sendable {
        /// `coap`: they do not.
        case none
        /// Every device has the same key.
        case sharedKey(SecretBytes)
        /// Each device's key is derived from a secret and its identity.
        case derivedKeys(secret: SecretBytes)
    }

    /// Whom the devices are made for.
    public enum Target: Hashable, Sendable {
        /// Devices that know their management server from the factory.
        case server(CoAPURI)
        /// Devices that ask a bootstrap server first.
        case bootstrap(CoAPURI)

        /// Where a device goes first.
        public var uri: CoAPURI {
            switch self {
            case .server(let uri), .bootstrap(let uri): uri
            }
        }
    }

    /// The course of the fleet: how many devices, when they start, for how long.
    public var fleet: FleetConfiguration
    /// Where the devices go.
    public var target: Target
    /// The URI of the target as it was given, which the devices get as resource 0 of their Security object.
    public var targetText: UTF8Text
    /// How the devices derive the names under which they ask for bootstrap; nil where they use the target as it is.
    public var profile: BootstrapURIProfile?
    /// Where the objects of this project stand among the object identifiers.
    public var ownObjectIDs: OwnObjectIDs
    /// What the gateway of the devices changes in command sessions only, and who it is; nil without.
    public var sessionPolicy: SessionPolicy?
    /// The share of answers to a gateway after which a device goes down and comes back with what it has stored, 0 to 1.
    public var commandRestarts: Double
    /// How many percent of the datagrams get lost on the way to and from the devices.
    public var lossPercent: Int
    /// The endpoint names.
    public var endpoint: IdentityTemplate
    /// The PSK identities.
    public var identity: IdentityTemplate
    /// The keys.
    public var security: Security
    /// The lifetime of the registrations, in seconds; devices that bootstrap get theirs there.
    public var lifetime: UInt32
    /// How long a handshake may take; a wrong key shows only then.
    public var handshakeTimeout: Duration
    /// How long a bootstrap server may be silent in the middle of a bootstrap; nil for what the specification says.
    public var bootstrapTimeout: Duration?
    /// The local addresses that the devices share among them, one after the other; empty for the system's choice.
    public var sourceAddresses: [SocketAddress]
    /// The DNS servers to ask; empty for those of the system.
    public var nameServers: [SocketAddress]
    /// Where the report goes as JSON; nil for nowhere.
    public var reportPath: String?
    /// Whether nothing is shown before the end.
    public var isQuiet: Bool
}
