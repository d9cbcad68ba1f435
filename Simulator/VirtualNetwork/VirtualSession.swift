import ClientEngine
import CoAPMessages
import Primitives

/// A session between two peers.
///
/// Nothing but what is still to happen and the ends that know it keeps it in memory.
final class VirtualSession {
    enum State: Equatable {
        /// The client waits for the answer to this flight.
        case handshake(flight: Int)
        case open
    }

    /// What one end knows of a session.
    struct EndState {
        /// Each end forgets the session by itself.
        var hasIt = true
        var nextMessageID: UInt16 = 1
        var nextToken: UInt64 = 1
        var recent = RecentMessages()
        /// Confirmable messages without an acknowledgement, oldest first.
        var outstanding: [Outstanding] = []
        /// Requests without an answer and observations, oldest first.
        var answers: [PendingAnswer] = []
        /// Requests that this end has yet to answer.
        var exchanges: [ExchangeID] = []
    }

    let client: Int
    let clientID: SessionID
    let server: Int
    let serverID: SessionID
    let credentials: SessionCredentials
    let began: MonotonicTime
    var state = State.handshake(flight: 0)
    var isAccepted = false
    /// When the last datagrams on their way to the client and to the server arrive.
    private var lastArrivals = (client: MonotonicTime.zero, server: MonotonicTime.zero)
    /// By ``End``.
    var ends = [EndState(), EndState()]

    init(
        client: (peer: Int, id: SessionID),
        server: (peer: Int, id: SessionID),
        credentials: SessionCredentials,
        began: MonotonicTime
    ) {
        self.client = client.peer
        self.clientID = client.id
        self.server = server.peer
        self.serverID = server.id
        self.credentials = credentials
        self.began = began
    }

    func peer(at end: End) -> Int { end == .client ? self.client : self.server }

    func id(at end: End) -> SessionID { end == .client ? self.clientID : self.serverID }

    func isKnown(at end: End) -> Bool { self.ends[end.rawValue].hasIt }

    /// When a datagram arrives that does not overtake those before it.
    func arrival(at end: End, notBefore time: MonotonicTime) -> MonotonicTime {
        if end == .client {
            self.lastArrivals.client = max(self.lastArrivals.client, time)
            return self.lastArrivals.client
        }
        self.lastArrivals.server = max(self.lastArrivals.server, time)
        return self.lastArrivals.server
    }

    func makeMessageID(at end: End) -> UInt16 {
        defer { self.ends[end.rawValue].nextMessageID &+= 1 }
        return self.ends[end.rawValue].nextMessageID
    }

    func makeToken(at end: End) -> CoAPToken {
        defer { self.ends[end.rawValue].nextToken &+= 1 }
        var writer = ByteWriter(capacity: 4)
        writer.write(self.ends[end.rawValue].nextToken, byteCount: 4)
        return CoAPToken(writer.bytes) ?? .empty
    }

    /// Takes out what waits for the acknowledgement of a message.
    func takeOutstanding(_ id: UInt16, at end: End) -> Outstanding? {
        guard let index = self.ends[end.rawValue].outstanding.firstIndex(where: { $0.message.id == id }) else {
            return nil
        }
        return self.ends[end.rawValue].outstanding.remove(at: index)
    }

    func answerIndex(_ token: CoAPToken, at end: End) -> Int? {
        self.ends[end.rawValue].answers.firstIndex { $0.token == token }
    }
}
