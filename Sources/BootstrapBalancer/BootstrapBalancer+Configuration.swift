public import BalancerEngine
public import BootstrapURIs
public import CoAPTransport
public import Primitives
public import ServiceSupport

extension BootstrapBalancer {
    /// What a balancer is told once.
    public struct Configuration: Sendable {
        /// Where the zone is published.
        public enum Registry: Sendable {
            /// By this process: a responder at an address; port 0 lets the system choose.
            case embedded(SocketAddress)
            /// By a DNS server that takes signed updates.
            case dynamicUpdates(server: SocketAddress, keyName: UTF8Text, key: SecretBytes)
        }

        /// The zone that the names are in; the static URI's host is in it.
        public var zone: UTF8Text
        /// The profile and the static URI, as devices and instances have them.
        public var uris: TemporaryURIs
        /// The devices and their secrets.
        public var secrets: DeviceSecrets
        /// Where instances report; at least one `coaps` address.
        public var addresses: [ListenAddress]
        /// The instances that may report: the endpoint of a credential is the instance's name.
        public var instances: CredentialTable
        /// Where the zone is published.
        public var registry: Registry
        /// The rules and bounds of the engine; an empty writer is replaced by one that the state keeps.
        public var engine = BalancerConfiguration(writer: "")
        /// How instances are started when none is up; nil: none is.
        public var onDemand: OnDemand?
        /// How long a signed update may take.
        public var updateTimeout: Duration = .seconds(10)
        /// The SQLite file of the state; nil keeps nothing beyond the process.
        public var statePath: String?
        /// The path of the control socket; nil for none.
        public var controlPath: String?
        /// The settings of the transports.
        public var transport = CoAPTransport.Configuration()
        /// Whether SIGTERM and SIGINT end ``BootstrapBalancer/run()``.
        public var stopsOnSignals = false

        /// Creates a configuration.
        public init(
            zone: UTF8Text,
            uris: TemporaryURIs,
            secrets: DeviceSecrets,
            addresses: [ListenAddress],
            instances: CredentialTable,
            registry: Registry
        ) {
            self.zone = zone
            self.uris = uris
            self.secrets = secrets
            self.addresses = addresses
            self.instances = instances
            self.registry = registry
            // Instances report every few seconds; devices that are held come back soon.
            self.transport.idleTimeout = .seconds(600)
            self.transport.maximumBodySize = BalancerMessages.maximumBodySize
        }
    }

    /// How instances are started when none is up.
    public struct OnDemand: Sendable {
        /// An instance that may be started: its name and its address.
        public struct Place: Hashable, Sendable {
            /// The name, one of the instance credentials.
            public var name: UTF8Text
            /// The address that the instance is told to listen on.
            public var address: IPAddress

            /// Creates a place from its parts.
            public init(name: UTF8Text, address: IPAddress) {
                self.name = name
                self.address = address
            }
        }

        /// What is run.
        public var command: CommandTemplate
        /// The instances that may be started, so many at once at most; at least one.
        public var places: [Place]
        /// The file that the output of the instances is appended to; nil: it is dropped.
        public var logPath: String?

        /// Creates a setting from its parts.
        public init(command: CommandTemplate, places: [Place], logPath: String? = nil) {
            self.command = command
            self.places = places
            self.logPath = logPath
        }
    }
}
