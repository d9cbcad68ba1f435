import CLibCoAP
import CoAPMessages
import Primitives

/// What the transport knows about one session.
struct SessionRecord {
    enum State: UInt8 {
        case free
        /// The handshake runs, or the plain session is not reported yet.
        case opening
        case open
        /// Ended or asked to be closed; freed when the library has finished with it.
        case closing
    }

    /// The library's session; nil while the place is free.
    var pointer: OpaquePointer?
    var generation: UInt32 = 0
    var state = State.free
    var isClient = false
    var isSecured = false
    /// A key was found for the identity that the peer named.
    var hasNamedIdentity = false
    /// Which context it lives in, and where in the context's list.
    var context: Int32 = -1
    var position: Int32 = 0
    /// How many of the peer's requests wait for an answer that is not ready.
    var waitingExchanges: UInt16 = 0
    /// The buffer of the handshake, while its pages are resident.
    var handshakeBuffer: UInt32?
    var tag: UInt64 = 0
    /// The confirmable message under way: a session has one at a time.
    var active: ActiveMessage?
    /// Requests of ours that wait for answers, and observations.
    var requests: [PendingRequest] = []
    /// The peer's latest requests, oldest first, so that none is worked on twice.
    var recent: [RecentRequest] = []
    /// What only some sessions need.
    var rare: RareState?
}

/// A confirmable message that has not been acknowledged.
struct ActiveMessage {
    enum Kind {
        /// A request of ours, by its token.
        case request(UInt32)
        /// A notification, by the driver's tag and the observation's token.
        case notification(UInt32, CoAPToken)
        /// A separate answer.
        case answer
    }

    let kind: Kind
    let messageID: UInt16
    /// What the library's count of unacknowledged messages was when this one had been sent.
    let level: UInt8
}

/// A confirmable message that waits for the one before it.
struct WaitingMessage {
    let kind: ActiveMessage.Kind
    let message: OutgoingMessage
}

/// A message before the library has it.
struct OutgoingMessage {
    let code: CoAPCode
    let token: CoAPToken
    let options: CoAPOptions
    let payload: [UInt8]
}

/// A request of ours that waits for its answer, or an observation that waits for notifications.
struct PendingRequest {
    /// The token of the message under way.
    var token: UInt32
    let requestTag: UInt32
    let request: CoAPRequest
    /// An observation whose first answer has come.
    var isEstablished = false
    /// Fetches the rest of a notification; the observation has an entry of its own.
    var isContinuation = false
    /// The peer acknowledged the request; its answer comes in a message of its own.
    var isAcknowledged = false
    var transfer: BlockTransfer?

    var isObservation: Bool { !self.isContinuation && self.request.options.observe == 0 }
}

/// A request of the peer that was taken, and what was answered.
struct RecentRequest {
    let messageID: UInt16
    let expires: MonotonicTime
    /// nil while there is none, or when it went in a message of its own: then an empty acknowledgement is right.
    var answer: CoAPResponse?
}

/// State that few sessions have, kept apart so that the others stay small.
final class RareState {
    /// How many of each a peer can make us keep.
    static let assemblyLimit = 4
    static let servedLimit = 4
    static let observedLimit = 256
    static let waitingLimit = 256
    static let unconfirmedLimit = 8

    /// Confirmable messages behind the active one.
    var waiting: [WaitingMessage] = []
    var assemblies: [BodyAssembly] = []
    var served: [ServedBody] = []
    /// The requests that the peer's observations began with.
    var observed: [(token: CoAPToken, key: RequestKey)] = []
    /// The latest notifications that were sent without wanting an acknowledgement.
    var unconfirmed: [(messageID: UInt16, notificationTag: UInt32, token: CoAPToken)] = []
}
