public import BootstrapURIs
internal import ClientEngine
internal import CoAPMessages
public import CommandSessions
public import Logging
public import LwM2MModel
internal import NameResolution
internal import Primitives

extension LwM2MClient {
    /// How a session with a server is protected.
    public enum Security: Sendable {
        /// Not at all: `coap://`.
        case none
        /// DTLS with a pre-shared key: `coaps://`. The identity has 1 to 255 bytes, the key 1 to 64.
        case preSharedKey(identity: String, key: [UInt8])
    }

    /// What object 3 says about the device.
    public struct DeviceInformation: Sendable {
        /// Resource 0.
        public var manufacturer: String?
        /// Resource 1.
        public var model: String?
        /// Resource 2.
        public var serialNumber: String?
        /// Resource 3.
        public var firmwareVersion: String?

        /// Creates the information; what is nil is left out.
        public init(
            manufacturer: String? = nil,
            model: String? = nil,
            serialNumber: String? = nil,
            firmwareVersion: String? = nil
        ) {
            self.manufacturer = manufacturer
            self.model = model
            self.serialNumber = serialNumber
            self.firmwareVersion = firmwareVersion
        }
    }

    /// Where the client has the time from: temporary bootstrap names and resource /3/0/13 follow it.
    public enum Clock: Sendable {
        /// The system's clock, once it shows 2024 or later.
        case system
        /// Nowhere, until a server or the program writes /3/0/13.
        case unknown
        /// A clock of the program's: seconds since 1970-01-01T00:00:00Z, or nil while it is not to be trusted.
        ///
        /// It is asked about once a second, on the client's thread.
        case custom(@Sendable () -> Int64?)
    }

    /// Who the device is, which server it belongs to and what it keeps.
    public struct Configuration: Sendable {
        /// Whether the server at the URI is one that manages or one that delivers accounts.
        public enum Role: Hashable, Sendable {
            /// Register there.
            case management
            /// Ask there which servers to register with.
            case bootstrap
        }

        /// The endpoint client name, `"urn:dev:mac:0024beedacc0"`; nil where servers know it from the identity.
        public var endpoint: String?
        /// The server's URI; `"coaps://lwm2m.example.com"`.
        public var server: String
        /// What the server is.
        public var role: Role
        /// How sessions with the server are protected.
        public var security: Security
        /// How temporary bootstrap URIs are derived from ``server``; nil when the bootstrap server is asked there itself.
        ///
        /// A profile that servers wrote and the store kept counts instead.
        public var bootstrapURIProfile: BootstrapURIProfile?
        /// What the gateway may only change in a command session, and who it is; nil for a device without.
        ///
        /// A policy that bootstrap or the gateway wrote and the store kept counts instead, so with a store only what is
        /// given at the first start matters.
        public var sessionPolicy: SessionPolicy?
        /// The identifiers that the device and its gateway were given beforehand.
        ///
        /// Without them whoever comes first at the gateway's address begins the first session.
        public var sessionIdentifiers: SessionPair?
        /// Where the objects of this project stand; the servers must know the same place.
        public var ownObjectIDs: OwnObjectIDs
        /// Where the time comes from.
        public var clock: Clock
        /// How long the server keeps the registration, in whole seconds; updates come before it ends.
        public var lifetime: Duration
        /// What object 3 says.
        public var device: DeviceInformation
        /// The folder that keeps what bootstrap and servers change; nil forgets it with the process.
        public var store: String?
        /// DNS servers, `"192.0.2.53"` or `"192.0.2.53:5353"`; empty for those of the system.
        public var nameServers: [String]
        /// How long deregistering may take when the client stops.
        public var stopTimeout: Duration
        /// How many events wait for a slow reader before the oldest are dropped.
        public var eventBuffer: Int
        /// Where diagnostics go; nil for nowhere.
        public var logger: Logger?

        /// Creates a configuration.
        public init(
            endpoint: String?,
            server: String,
            role: Role = .management,
            security: Security = .none,
            bootstrapURIProfile: BootstrapURIProfile? = nil,
            sessionPolicy: SessionPolicy? = nil,
            sessionIdentifiers: SessionPair? = nil,
            ownObjectIDs: OwnObjectIDs = .standard,
            clock: Clock = .system,
            lifetime: Duration = .seconds(86_400),
            device: DeviceInformation = DeviceInformation(),
            store: String? = nil,
            nameServers: [String] = [],
            stopTimeout: Duration = .seconds(10),
            eventBuffer: Int = 256,
            logger: Logger? = nil
        ) {
            self.endpoint = endpoint
            self.server = server
            self.role = role
            self.security = security
            self.bootstrapURIProfile = bootstrapURIProfile
            self.sessionPolicy = sessionPolicy
            self.sessionIdentifiers = sessionIdentifiers
            self.ownObjectIDs = ownObjectIDs
            self.clock = clock
            self.lifetime = lifetime
            self.device = device
            self.store = store
            self.nameServers = nameServers
            self.stopTimeout = stopTimeout
            self.eventBuffer = eventBuffer
            self.logger = logger
        }
    }
}

extension LwM2MClient.Configuration {
    private static let shortServerID: UInt16 = 1

    /// What the engine starts with.
    func makeClientConfiguration(objects: [HostedObject]) throws(LwM2MError) -> ClientConfiguration {
        let uri: CoAPURI
        do { uri = try CoAPURI(parsing: UTF8Text(self.server)) } catch {
            throw LwM2MError(
                .invalidConfiguration,
                "The server URI is not one of CoAP.",
                hint: "Write coap://host:port or coaps://host:port.",
                underlying: error
            )
        }
        if let endpoint, endpoint.isEmpty || endpoint.utf8.count > 255 {
            throw LwM2MError(.invalidConfiguration, "The endpoint name has \(endpoint.utf8.count) bytes, not 1 to 255.")
        }
        var account = SecurityAccount(
            instance: 0,
            serverURI: UTF8Text(self.server),
            isBootstrap: self.role == .bootstrap,
            shortServerID: self.role == .bootstrap ? nil : Self.shortServerID
        )
        switch (self.security, uri.scheme) {
        case (.none, .coap): break
        case (.none, .coaps):
            throw LwM2MError(
                .invalidConfiguration,
                "A coaps:// server needs a pre-shared key.",
                hint: "Set security to .preSharedKey, or use coap:// on a network that you trust."
            )
        case (.preSharedKey, .coap):
            throw LwM2MError(
                .invalidConfiguration,
                "A key was given, but coap:// would not use it.",
                hint: "Use coaps://."
            )
        case (.preSharedKey(let identity, let key), .coaps):
            guard (1...255).contains(identity.utf8.count), (1...64).contains(key.count) else {
                throw LwM2MError(
                    .invalidConfiguration,
                    "The PSK identity must have 1 to 255 bytes and the key 1 to 64."
                )
            }
            account.mode = .preSharedKey
            account.identity = Array(identity.utf8)
            account.key = SecretBytes(key)
        }
        try self.checkProfile(uri: uri, key: account.key)
        var servers: [ServerAccount] = []
        if self.role == .management {
            let seconds = self.lifetime.components.seconds
            guard let lifetime = UInt32(exactly: seconds) else {
                throw LwM2MError(.invalidConfiguration, "The lifetime must be 0 to 4,294,967,295 seconds.")
            }
            servers = [ServerAccount(instance: 0, shortServerID: Self.shortServerID, lifetime: lifetime)]
        }
        var configuration = ClientConfiguration(
            endpoint: self.endpoint.map { UTF8Text($0) },
            security: [account],
            servers: servers,
            objects: objects,
            bootstrapURIProfile: self.bootstrapURIProfile,
            ownObjectIDs: self.ownObjectIDs
        )
        if let policy = self.sessionPolicy {
            configuration.commandSessions = [
                CommandSessionAccount(policy: policy, identifiers: self.sessionIdentifiers)
            ]
        }
        return configuration
    }

    /// Finds before the client starts what would keep it from deriving a name.
    private func checkProfile(uri: CoAPURI, key: SecretBytes) throws(LwM2MError) {
        guard let profile = self.bootstrapURIProfile else { return }
        guard self.role == .bootstrap else {
            throw LwM2MError(.invalidConfiguration, "Temporary URIs are those of a bootstrap server.")
        }
        do throws(ProfileError) {
            _ = try TemporaryURIs(profile: profile, staticURI: uri)
        } catch {
            throw LwM2MError(
                .invalidConfiguration,
                "The profile does not fit the server's URI.",
                hint: "\(error).",
                underlying: error
            )
        }
        guard key.count >= (profile.isTest ? 1 : BootstrapURIProfile.leastSecret) else {
            throw LwM2MError(
                .invalidConfiguration,
                "Temporary names follow from the key, which is too short for them.",
                hint: "Use a key of 16 bytes or more."
            )
        }
        guard self.endpoint != nil || !profile.parameters.contains(.endpoint) else {
            throw LwM2MError(.invalidConfiguration, "The profile derives names from the endpoint name: give one.")
        }
    }

    func makeResolverConfiguration() throws(LwM2MError) -> NameResolver.Configuration {
        var configuration = NameResolver.Configuration()
        for (index, text) in self.nameServers.enumerated() {
            guard let server = NameResolver.Configuration.Server(parsing: UTF8Text(text)) else {
                throw LwM2MError(NameResolutionError.invalidServer(at: index))
            }
            configuration.servers.append(server)
        }
        return configuration
    }
}
