internal import ClientEngine
internal import CoAPMessages
internal import CoAPTransport
internal import DeviceStore
internal import NameResolution
internal import Primitives

/// What the runtime keeps of one device.
struct DeviceSlot {
    var engine: ClientEngine
    /// The engine's sessions; few, so that a search is the fastest map.
    var sessions: [SessionSlot] = []
    let store: DeviceStore?
    /// What was stored last, where there is no store.
    var kept: StoredConfiguration?
    let sourceAddress: SocketAddress?
}

/// One session of a device.
struct SessionSlot {
    let id: SessionID
    /// The transport's session; nil while the name is being resolved.
    var handle: TransportSession?
    /// What is left to try; nil once a handshake or an answer has shown that somebody is there.
    var attempt: SessionAttempt?
}

/// An opening that is under way; it goes when the peer has shown itself, so that it costs a registered device nothing.
///
/// Plain UDP opens without a word from the peer. Where there are more addresses, the attempt then stays until the first
/// answer, and silence to the first request sends that request to the next address.
final class SessionAttempt {
    /// Whether the session is open all the same.
    var isOpen = false
    /// The first request, while nobody has answered anything.
    var unanswered: (id: RequestID, message: CoAPRequest)?
    let port: UInt16
    let security: SessionSecurity
    /// The addresses not tried yet, the next one last.
    var remaining: [IPAddress] = []
    /// The address that was tried last.
    var address: IPAddress?
    /// When the latest address was tried.
    var since: MonotonicTime

    init(port: UInt16, security: SessionSecurity, since: MonotonicTime) {
        self.port = port
        self.security = security
        self.since = since
    }
}

/// The number by which the transport names a device's session.
struct SessionTag {
    let device: UInt32
    let session: SessionID

    init(device: UInt32, session: SessionID) {
        self.device = device
        self.session = session
    }

    /// Returns nil for a session that no device of a runtime opened.
    init?(_ tag: UInt64) {
        // Places are counted from 1 here: 0 is the tag of accepted sessions.
        guard tag >> 32 > 0 else { return nil }
        self.device = UInt32(truncatingIfNeeded: (tag >> 32) - 1)
        self.session = SessionID(rawValue: UInt32(truncatingIfNeeded: tag))
    }

    var packed: UInt64 { (UInt64(self.device) + 1) << 32 | UInt64(self.session.rawValue) }
}
