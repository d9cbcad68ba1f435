import ClientEngine
import CoAPMessages
import Primitives

/// One end of a session.
enum End: Int, Hashable, Sendable {
    case client
    case server

    var other: End { self == .client ? .server : .client }
}

/// What one datagram carries.
enum Datagram {
    /// Flights 0, 2 and 4 go to the server, 1, 3 and 5 come back.
    case handshake(flight: Int)
    /// The server does not take the key.
    case refusal
    /// The session has ended.
    case closeNotify
    case message(Message)
}

/// A CoAP message as far as retransmission is concerned.
final class Message {
    enum Kind {
        case request(CoAPToken, CoAPRequest)
        case response(CoAPToken, CoAPResponse, isConfirmable: Bool)
        case acknowledgement(CoAPToken?, CoAPResponse?)
        case reset
    }

    let id: UInt16
    let kind: Kind

    init(id: UInt16, kind: Kind) {
        self.id = id
        self.kind = kind
    }
}

/// A confirmable message that waits for its acknowledgement.
struct Outstanding {
    enum Owner {
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
struct PendingAnswer {
    let token: CoAPToken
    let request: RequestID
    let messageID: UInt16
    let isObservation: Bool
    var hasAnswer = false
}

/// A request that came and waits for the peer's answer.
struct OpenExchange {
    let session: VirtualSession
    let receiver: End
    let messageID: UInt16
    let token: CoAPToken
    /// Whether an acknowledgement without an answer is already on its way.
    var isAcknowledged = false
}

/// What became of the last messages that one end received: a message that comes again gets the same treatment.
struct RecentMessages {
    private static let capacity = 64
    private var messages: [(id: UInt16, reply: Message?)] = []
    private var oldest = 0

    /// Notes a message.
    ///
    /// - Returns: false when it was there before.
    mutating func note(_ id: UInt16) -> Bool {
        guard !self.messages.contains(where: { $0.id == id }) else { return false }
        if self.messages.count < Self.capacity {
            self.messages.append((id, nil))
        } else {
            self.messages[self.oldest] = (id, nil)
            self.oldest = (self.oldest + 1) % Self.capacity
        }
        return true
    }

    mutating func setReply(_ reply: Message, to id: UInt16) {
        guard let index = self.messages.lastIndex(where: { $0.id == id }) else { return }
        self.messages[index].reply = reply
    }

    func reply(to id: UInt16) -> Message? { self.messages.last { $0.id == id }?.reply }
}
