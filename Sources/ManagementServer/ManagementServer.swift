public import CoAPTransport
public import ManagementEngine
import ManagementService
public import Primitives
public import ServiceSupport

/// A management server for development: a ``ManagementService`` that also tells balancers the devices' credentials.
///
/// One thread creates and runs it. ``stop()`` may be called from inside ``run()`` or from another thread.
public final class ManagementServer {
    /// What a server is told once.
    public struct Configuration: Sendable {
        /// Where it listens; at least one address.
        public var addresses: [ListenAddress]
        /// The keys of the devices; `coaps` addresses need some.
        public var keys: DeviceKeys
        /// Who may read the devices' credentials at `/credentials`; nil for nobody.
        ///
        /// Each has a key of its own, and ``keys`` are those of a table.
        public var credentialsReaders: CredentialTable?
        /// The SQLite file of the state; nil keeps nothing beyond the process.
        public var statePath: String?
        /// The path of the control socket; nil for none.
        public var controlPath: String?
        /// The rules and bounds of the engine.
        public var engine = ManagementConfiguration()
        /// The settings of the transport.
        public var transport = CoAPTransport.Configuration()
        /// Whether SIGTERM and SIGINT end ``ManagementServer/run()``.
        public var stopsOnSignals = false

        /// Creates a configuration.
        public init(addresses: [ListenAddress], keys: DeviceKeys, statePath: String? = nil, controlPath: String? = nil)
        {
            self.addresses = addresses
            self.keys = keys
            self.statePath = statePath
            self.controlPath = controlPath
        }
    }

    private let service: ManagementService
    private var credentials: CredentialsResource?

    /// Opens the state, the addresses and the control socket.
    ///
    /// - Throws: what is wrong, for people.
    public init(configuration: Configuration) throws(ServiceError) {
        let credentials = try Self.credentials(configuration)
        var service = ManagementService.Configuration(
            addresses: configuration.addresses,
            keys: configuration.credentialsReaders.map { .joined($0, configuration.keys) } ?? configuration.keys,
            statePath: configuration.statePath,
            controlPath: configuration.controlPath
        )
        service.engine = configuration.engine
        service.transport = configuration.transport
        service.stopsOnSignals = configuration.stopsOnSignals
        self.service = try ManagementService(configuration: service)
        guard credentials != nil else { return }
        self.credentials = credentials
        self.service.onEvent = { [unowned self] event in self.credentials?.take(event) }
        self.service.ownStatistics = { [unowned self] in self.credentials?.statistics ?? [:] }
    }

    /// The resource of the credentials, when somebody may read it.
    private static func credentials(_ configuration: Configuration) throws(ServiceError) -> CredentialsResource? {
        guard let readers = configuration.credentialsReaders else { return nil }
        guard case .listed(let devices) = configuration.keys else {
            throw ServiceError("there are no credentials to read", hint: "--credentials FILE beside the readers")
        }
        guard readers.all.allSatisfy({ devices.credential(of: $0.identity) == nil }) else {
            throw ServiceError("a reader of credentials has a device's identity", hint: "give it one of its own")
        }
        return CredentialsResource(readers: readers, devices: devices)
    }

    /// The addresses in use, with the ports that the system chose.
    public var addresses: [ListenAddress] { self.service.addresses }

    /// How often the state could not be stored; each time a device was told 5.00.
    public var storageFailures: UInt64 { self.service.storageFailures }

    /// Told what happens, inside ``run()``; for a log.
    public var onReport: (ManagementReport) -> Void {
        get { self.service.onReport }
        set { self.service.onReport = newValue }
    }

    /// Counters of the server and its transport by name; what `starling ctl stats` shows.
    public var statistics: [String: UInt64] { self.service.statistics }

    /// Serves until ``stop()``.
    public func run() {
        self.service.run()
    }

    /// Waits for what happens next, at most until a time, and does what follows: one round of ``run()``.
    public func turn(until limit: MonotonicTime?) {
        self.service.turn(until: limit)
    }

    /// Ends ``run()`` after the turn that runs.
    public func stop() {
        self.service.stop()
    }
}
