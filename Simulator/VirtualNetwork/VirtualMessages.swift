import ClientEngine
import CoAPMessages
import Primitives

/// One end of a session.
enum End: Hashable, Sendable {
    case client
    case server

    var other: End { self == .client ? .server : .client }
}

/// What one datagram carries.
enum Datagram: Sendable {
    /// Flight 0 and 2 go to the server, 1 and 3 come back.
    case handshake(flight: Int)
    /// The server does not take the key.
    case refusal
    /// The session has ended.
    case closeNotify
    case message(Message)
}

/// A CoAP message as far as retransmission is concerned.
struct Message: Sendable {
    enum Kind: Sendable {
        case request(CoAPToken, CoAPRequest)
        case response(CoAPToken, CoAPResponse, isConfirmable: Bool)
        case acknowledgement(CoAPToken?, CoAPResponse?)
        case reset
    }

    let id: UInt16
    let kind: Kind
}

/// A message that one end of a session sent, by its identifier.
struct MessageKey: Hashable, Sendable {
    let session: Int
    let sender: End
    let id: UInt16
}

/// A request that one end of a session sent, by its token.
struct TokenKey: Hashable, Sendable {
    let session: Int
    let sender: End
    let token: CoAPToken
}

/// A confirmable message that waits for its acknowledgement.
struct Outstanding: Sendable {
    enum Owner: Sendable {
        case request(RequestID, CoAPToken)
        case notification(NotificationID)
        case separateResponse
    }

    let message: Message
    let owner: Owner
    let jitter: Double
    var attempt = 0
}

/// A request that waits for its answer, or an observation that waits for more of them.
struct PendingAnswer: Sendable {
    let request: RequestID
    let message: MessageKey
    let isObservation: Bool
    var hasAnswer = false
}

/// A request that came and waits for the peer's answer.
struct OpenExchange: Sendable {
    let session: Int
    let receiver: End
    let messageID: UInt16
    let token: CoAPToken
    /// Whether an acknowledgement without an answer is already on its way.
    var isAcknowledged = false
}

/// What became of the last messages that one end received: a message that comes again gets the same treatment.
struct RecentMessages: Sendable {
    private static let capacity = 64
    private var order: [UInt16] = []
    private var replies: [UInt16: Message?] = [:]

    /// Notes a message.
    ///
    /// - Returns: false when it was there before.
    mutating func note(_ id: UInt16) -> Bool {
        guard self.replies[id] == nil else { return false }
        self.replies[id] = .some(nil)
        self.order.append(id)
        if self.order.count > Self.capacity { self.replies[self.order.removeFirst()] = nil }
        return true
    }

    mutating func setReply(_ reply: Message, to id: UInt16) {
        if self.replies[id] != nil { self.replies[id] = .some(reply) }
    }

    func reply(to id: UInt16) -> Message? { self.replies[id] ?? nil }
}

/// A session between two peers.
struct VirtualSession: Sendable {
    enum State: Sendable, Equatable {
        /// The client waits for the answer to this flight.
        case handshake(flight: Int)
        case open
    }

    let client: Int
    let clientID: SessionID
    let server: Int
    let serverID: SessionID
    let credentials: SessionCredentials
    let began: MonotonicTime
    var state: State
    var isAccepted = false
    /// Each end forgets the session by itself.
    var clientHasIt = true
    var serverHasIt = true
    var nextMessageID: [End: UInt16] = [.client: 1, .server: 1]
    var nextToken: [End: UInt64] = [.client: 1, .server: 1]
    var recent: [End: RecentMessages] = [.client: RecentMessages(), .server: RecentMessages()]
}
