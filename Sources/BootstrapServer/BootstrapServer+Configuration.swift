public import BootstrapEngine
public import BootstrapURIs
public import CoAPTransport
import Glibc
public import Primitives
public import ServiceSupport

extension BootstrapServer {
    /// What a server is told once.
    public struct Configuration: Sendable {
        /// Where it listens; at least one address.
        public var addresses: [ListenAddress]
        /// The keys of the devices' bootstrap accounts; `coaps` addresses need some, here or in the database.
        public var keys: DeviceKeys
        /// What devices are told, each rule with another short server identifier; at least one, or a database.
        public var rules: [ProvisioningRule]
        /// The file of what single devices are told, as ``ProvisioningDatabase`` reads it; read again at SIGHUP.
        public var databasePath: String?
        /// Whether a device is asked first what it holds.
        public var discoversFirst = true
        /// The SQLite file of the state; nil keeps nothing beyond the process.
        public var statePath: String?
        /// The path of the control socket, which tells the counters; nil for none.
        public var controlPath: String?
        /// What devices' temporary names are made of; nil lets devices come under any host.
        public var temporaryURIs: TemporaryURIs?
        /// The balancer that the instance belongs to; it needs temporary names.
        public var balancer: BalancerLink?
        /// Whether any identity may use any endpoint name, whatever the keys say.
        public var allowsAnyEndpoint = false
        /// The rules and bounds of the engine.
        public var engine = BootstrapConfiguration()
        /// The settings of the transport.
        public var transport = CoAPTransport.Configuration()
        /// Whether SIGTERM and SIGINT end ``BootstrapServer/run()``, and SIGHUP reads the database again.
        public var stopsOnSignals = false
        /// How long bootstraps in progress may take to end before the server ends.
        public var drainTime: Duration = .seconds(10)
        /// The civil time.
        public var clock: @Sendable () -> WallTime = { WallTime(secondsSinceEpoch: Int64(time(nil))) }

        /// Creates a configuration.
        public init(addresses: [ListenAddress], keys: DeviceKeys, rules: [ProvisioningRule], statePath: String? = nil) {
            self.addresses = addresses
            self.keys = keys
            self.rules = rules
            self.statePath = statePath
            // A device comes once and goes; one that does not say so is forgotten soon.
            self.transport.idleTimeout = .seconds(600)
        }

        func check() throws(ServiceError) {
            guard !self.rules.isEmpty || self.databasePath != nil else {
                throw ServiceError(
                    "devices would be told of no server",
                    hint: "--server coaps://HOST:PORT, or --database FILE"
                )
            }
            let numbers = self.rules.map(\.server.shortServerID)
            guard Set(numbers).count == numbers.count, numbers.allSatisfy({ (1...65_534).contains($0) }) else {
                throw ServiceError("two servers have one short identifier, or one that is none", hint: "1 to 65534")
            }
            if self.statePath == nil, self.rules.contains(where: \.makesKeys) {
                throw ServiceError("keys that are made must be kept", hint: "--state FILE.sqlite")
            }
            if self.balancer != nil, self.temporaryURIs == nil {
                throw ServiceError(
                    "an instance of a balancer must know the names of its devices",
                    hint: "--profile FIELDS and --static-uri URI, the same as at the balancer"
                )
            }
        }
    }
}
