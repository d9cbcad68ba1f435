public import BootstrapURIs
public import CoAPMessages
public import LwM2MModel
public import Primitives

/// The version of the enabler that a device speaks: the `lwm2m` query of Register.
///
/// - Source: LwM2M Core 1.2.2, clause 6.2.1.
public enum EnablerVersion: UInt8, Hashable, Comparable, Sendable {
    case v1_0 = 10
    case v1_1 = 11
    case v1_2 = 12

    /// The version as on the wire; `"1.1"`.
    public var text: UTF8Text {
        switch self {
        case .v1_0: "1.0"
        case .v1_1: "1.1"
        case .v1_2: "1.2"
        }
    }

    var number: ObjectVersion { ObjectVersion(self.rawValue / 10, self.rawValue % 10) }

    /// The next lower version, to try after 4.12; nil below 1.0.
    var lower: EnablerVersion? { EnablerVersion(rawValue: self.rawValue - 1) }

    /// Orders versions from older to newer.
    public static func < (lhs: EnablerVersion, rhs: EnablerVersion) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// Everything a device starts with: who it is, which servers it knows, which objects it has.
///
/// With servers and no bootstrap account it is a factory bootstrap; with a bootstrap account and no server the device
/// asks the bootstrap server first.
public struct ClientConfiguration: Sendable {
    /// The endpoint client name; nil leaves it out, for servers that know it from the security identity.
    public var endpoint: UTF8Text?
    /// The instances of object 0.
    public var security: [SecurityAccount]
    /// The instances of object 1.
    public var servers: [ServerAccount]
    /// The other objects; 0 and 1 come from the accounts and are ignored here.
    public var objects: [HostedObject]
    /// The version the device speaks.
    public var enablerVersion: EnablerVersion
    /// The format of answers where the server names none, of notifications, and the one bootstrap is asked for.
    ///
    /// nil stands for TLV in 1.0 and SenML CBOR later.
    public var preferredFormat: ContentFormat?
    /// Whether every notification is confirmable; otherwise one a day is.
    public var confirmsNotifications: Bool
    /// How the temporary URIs of the bootstrap account are derived; nil for a device that asks at the static one.
    ///
    /// A profile that was stored counts instead.
    public var bootstrapURIProfile: BootstrapURIProfile?
    /// The instances of the profile object that were stored; nil when nothing was stored about them.
    var storedProfiles: [HostedInstance]?
    /// The gateways that change protected paths in command sessions; none for a device without.
    ///
    /// Those that were stored count instead.
    public var commandSessions: [CommandSessionAccount] = []
    /// The command sessions that were stored; nil when nothing was stored about them.
    var storedSessions: [StoredCommandSession]?
    /// Where the objects of this project stand.
    public var ownObjectIDs: OwnObjectIDs
    /// How long a bootstrap server may be silent in the middle of the procedure before it has failed; above zero.
    public var bootstrapTimeout: Duration = BootstrapMachine.standardFinishTimeout

    /// Creates a configuration.
    public init(
        endpoint: UTF8Text?,
        security: [SecurityAccount],
        servers: [ServerAccount] = [],
        objects: [HostedObject] = [],
        enablerVersion: EnablerVersion = .v1_1,
        preferredFormat: ContentFormat? = nil,
        confirmsNotifications: Bool = false,
        bootstrapURIProfile: BootstrapURIProfile? = nil,
        ownObjectIDs: OwnObjectIDs = .standard
    ) {
        self.endpoint = endpoint
        self.security = security
        self.servers = servers
        self.objects = objects
        self.enablerVersion = enablerVersion
        self.preferredFormat = preferredFormat
        self.confirmsNotifications = confirmsNotifications
        self.bootstrapURIProfile = bootstrapURIProfile
        self.ownObjectIDs = ownObjectIDs
    }

    /// Puts the stored accounts in place of those of this configuration.
    public mutating func apply(_ stored: StoredConfiguration) {
        self.security = stored.security
        self.servers = stored.servers
        self.storedProfiles = stored.profiles
        if let sessions = stored.sessions { self.storedSessions = sessions }
    }

    /// The command sessions that the device starts with; nil when it does not host the object.
    var sessions: [StoredCommandSession]? {
        if let stored = self.storedSessions { return stored }
        guard !self.commandSessions.isEmpty else { return nil }
        return self.commandSessions.prefix(EngineLimits.commandSessions).map { $0.stored(ids: self.ownObjectIDs) }
    }
}

/// What bootstrap or servers changed and a restart must not lose: the accounts of objects 0 and 1, the profiles of
/// temporary bootstrap URIs, and the command sessions.
public struct StoredConfiguration: Equatable, Sendable {
    /// Every instance of object 0.
    public var security: [SecurityAccount]
    /// Every instance of object 1.
    public var servers: [ServerAccount]
    /// Every instance of the object that holds profiles; nil in what was stored before there were any.
    public var profiles: [HostedInstance]?
    /// The command sessions with each gateway; nil in what was stored before there were any.
    public var sessions: [StoredCommandSession]?

    /// Creates a configuration to store or one that was loaded.
    public init(
        security: [SecurityAccount],
        servers: [ServerAccount],
        profiles: [HostedInstance]? = nil,
        sessions: [StoredCommandSession]? = nil
    ) {
        self.security = security
        self.servers = servers
        self.profiles = profiles
        self.sessions = sessions
    }
}
