public import CoAPMessages
public import LwM2MCodecs
public import LwM2MModel
public import Primitives

/// What a device registered: who it is, how it is reached and what it hosts.
///
/// - Source: LwM2M Core 1.2.2, clause 6.2.1.
public struct Registration: Hashable, Sendable {
    /// The name of the device; at most 255 bytes.
    public var endpoint: UTF8Text
    /// The last segment of the registration's path; the device puts it into Update and Deregister.
    public var location: UTF8Text
    /// The identity that the device proved; nil without security.
    public var identity: [UInt8]?
    /// How long the registration lasts without an Update, in seconds; 0 means for ever.
    public var lifetime: UInt32
    /// The version of the enabler; 1.0 when the device states none.
    public var version: ObjectVersion
    /// The binding as the device stated it; `"U"` when it stated none.
    public var binding: UTF8Text
    /// Whether the device sleeps and listens only for a while after it spoke.
    public var isQueueMode: Bool
    /// What it hosts.
    public var objects: ObjectList

    /// Creates a registration from its parts.
    public init(
        endpoint: UTF8Text,
        location: UTF8Text,
        identity: [UInt8]? = nil,
        lifetime: UInt32 = 86_400,
        version: ObjectVersion = .initial,
        binding: UTF8Text = "U",
        isQueueMode: Bool = false,
        objects: ObjectList = ObjectList(entries: [])
    ) {
        self.endpoint = endpoint
        self.location = location
        self.identity = identity
        self.lifetime = lifetime
        self.version = version
        self.binding = binding
        self.isQueueMode = isQueueMode
        self.objects = objects
    }
}

/// A registration with what the server knows about it now.
public struct RegistrationStatus: Hashable, Sendable {
    /// What the device registered.
    public let registration: Registration
    /// When it ends without an Update; nil for never.
    public let expires: MonotonicTime?
    /// When the device last registered or updated.
    public let lastHeard: MonotonicTime
    /// The session to send commands on; nil when there is none.
    ///
    /// Another one than before means that the device came back with a new association, or from elsewhere.
    public let session: SessionID?
    /// Commands that wait or are on their way.
    public let pendingCommands: Int
    /// The paths whose changes the device reports.
    public let observations: [ObjectPath]

    /// Whether there is a session to send commands on.
    public var isConnected: Bool { self.session != nil }

    /// Whether the device proved who it is: its sessions are then DTLS.
    public var isSecured: Bool { self.registration.identity != nil }
}

/// A change of the registrations that must be durable before the answers behind it are sent.
public enum RegistrationChange: Hashable, Sendable {
    /// A device registered or changed its registration.
    case saved(Registration)
    /// The registration of the endpoint ended.
    case removed(endpoint: UTF8Text)
}
