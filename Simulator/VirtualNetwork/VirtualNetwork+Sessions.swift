import ClientEngine
import CoAPMessages
import Primitives

// Opening and ending sessions. A secured one takes two round trips, in which every flight may be lost:
//
//     client                server
//       │──── flight 0 ──────▶│ looks the identity up, refuses a wrong key
//       │◀─── flight 1 ───────│
//       │──── flight 2 ──────▶│ accepted
//   open│◀─── flight 3 ───────│
extension VirtualNetwork {
    func open(_ id: SessionID, _ uri: CoAPURI, _ credentials: SessionCredentials, by peer: Int) {
        let address = UTF8Text("\(uri.host.string):\(uri.port)")
        guard let server = self.listeners[address] else {
            self.queue.add(.unreachable(peer: peer, id, .nameNotFound), at: self.now.advanced(by: .milliseconds(1)))
            return
        }
        self.lastSession += 1
        let number = self.lastSession
        self.sessions[number] = VirtualSession(
            client: peer,
            clientID: id,
            server: server,
            serverID: SessionID(rawValue: UInt32(truncatingIfNeeded: number)),
            credentials: credentials,
            began: self.now,
            state: .handshake(flight: 0)
        )
        self.sessionNumbers[PeerSession(peer: peer, session: id)] = number
        self.sendFlight(0, of: number, wait: self.policy.handshakeRetry)
    }

    private func sendFlight(_ flight: Int, of number: Int, wait: Duration) {
        self.transmit(.handshake(flight: flight), on: number, to: .server)
        self.queue.add(
            .handshakeRetry(session: number, flight: flight, wait: wait),
            at: self.now.advanced(by: wait)
        )
    }

    func retryHandshake(_ number: Int, _ flight: Int, wait: Duration) {
        guard let session = self.sessions[number], session.clientHasIt, session.state == .handshake(flight: flight)
        else { return }
        guard session.began.duration(to: self.now) < self.policy.handshakeTimeout else {
            self.drop(number, at: .client, .unreachable)
            return
        }
        self.sendFlight(flight, of: number, wait: wait * 2)
    }

    func handshakeArrived(_ flight: Int, on number: Int) {
        guard let session = self.sessions[number] else { return }
        switch flight {
        case 0:
            guard session.serverHasIt else { return }
            self.transmit(self.accepts(session) ? .handshake(flight: 1) : .refusal, on: number, to: .client)
        case 1:
            guard session.clientHasIt, session.state == .handshake(flight: 0) else { return }
            self.sessions[number]?.state = .handshake(flight: 2)
            self.sendFlight(2, of: number, wait: self.policy.handshakeRetry)
        case 2:
            guard session.serverHasIt, self.accepts(session) else { return }
            self.transmit(.handshake(flight: 3), on: number, to: .client)
            guard !session.isAccepted else { return }
            self.sessions[number]?.isAccepted = true
            self.sessionNumbers[PeerSession(peer: session.server, session: session.serverID)] = number
            var identity: [UInt8]?
            if case .preSharedKey(let proved, _) = session.credentials { identity = proved }
            self.tell(session.server, .sessionAccepted(session.serverID, identity: identity))
        default:
            guard session.clientHasIt, session.state == .handshake(flight: 2) else { return }
            self.sessions[number]?.state = .open
            self.tell(session.client, .sessionOpened(session.clientID))
        }
    }

    private func accepts(_ session: VirtualSession) -> Bool {
        switch session.credentials {
        case .none: true
        case .preSharedKey(let identity, let key): self.peers[session.server].key(of: identity) == key
        }
    }

    /// A peer ends a session: the other one is told, unless that is lost.
    func close(_ id: SessionID, by peer: Int) {
        guard let number = self.sessionNumbers.removeValue(forKey: PeerSession(peer: peer, session: id)),
            let session = self.sessions[number]
        else { return }
        let end: End = session.client == peer && session.clientID == id ? .client : .server
        self.transmit(.closeNotify, on: number, to: end.other)
        self.forgetMessages(of: number, at: end)
        self.forget(number, at: end)
    }

    /// The network ends a session for one end, which is told what failed because of it.
    func drop(_ number: Int, at end: End, _ failure: SessionFailure) {
        guard let session = self.sessions[number] else { return }
        let (peer, id) = end == .client ? (session.client, session.clientID) : (session.server, session.serverID)
        guard self.sessionNumbers.removeValue(forKey: PeerSession(peer: peer, session: id)) != nil else {
            self.forget(number, at: end)
            return
        }
        let failed = self.forgetMessages(of: number, at: end)
        self.forget(number, at: end)
        for event in failed { self.tell(peer, event) }
        self.tell(peer, .sessionClosed(id, failure))
    }

    private func forget(_ number: Int, at end: End) {
        if end == .client {
            self.sessions[number]?.clientHasIt = false
        } else {
            self.sessions[number]?.serverHasIt = false
        }
        guard let session = self.sessions[number], !session.clientHasIt, !session.serverHasIt else { return }
        self.sessions[number] = nil
    }

    /// Forgets what one end of a session sent and still waits for.
    ///
    /// - Returns: what the peer must be told, oldest request first.
    @discardableResult
    private func forgetMessages(of number: Int, at end: End) -> [PeerEvent] {
        var events: [PeerEvent] = []
        let messages = self.outstanding.keys.filter { $0.session == number && $0.sender == end }
        for key in messages.sorted(by: { $0.id < $1.id }) {
            guard let message = self.outstanding.removeValue(forKey: key) else { continue }
            if case .notification(let notification) = message.owner {
                events.append(.notificationFailed(notification, .sessionClosed))
            }
        }
        let waiting = self.answers.filter { $0.key.session == number && $0.key.sender == end }
        for (key, answer) in waiting.sorted(by: { $0.value.request.rawValue < $1.value.request.rawValue }) {
            self.answers[key] = nil
            if let peer = self.peer(of: number, at: end) {
                self.tokens[PeerRequest(peer: peer, request: answer.request)] = nil
            }
            // An observation whose first answer came has had its one answer.
            if !answer.hasAnswer { events.append(.requestFailed(answer.request, .sessionClosed)) }
        }
        for (exchange, open) in self.exchanges where open.session == number && open.receiver == end {
            self.exchanges[exchange] = nil
        }
        return events
    }

    func peer(of number: Int, at end: End) -> Int? {
        self.sessions[number].map { end == .client ? $0.client : $0.server }
    }
}
