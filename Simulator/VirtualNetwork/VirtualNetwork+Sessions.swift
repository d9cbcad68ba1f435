import ClientEngine
import CoAPMessages
import Primitives

// Opening and ending sessions. A secured one takes three round trips, in which every flight may be lost:
//
//     client                server
//       │──── flight 0 ──────▶│ keeps nothing, answers with a cookie
//       │◀─── flight 1 ───────│
//       │──── flight 2 ──────▶│
//       │◀─── flight 3 ───────│
//       │──── flight 4 ──────▶│ looks the identity up, refuses a wrong key
//   open│◀─── flight 5 ───────│
//
// RFC 6347, section 4.2.1, and RFC 4279, section 2.
extension VirtualNetwork {
    func shakeHands(_ id: SessionID, with server: Int, _ credentials: SessionCredentials, by peer: Int) {
        self.lastSession &+= 1
        let session = VirtualSession(
            client: (peer, id),
            server: (server, SessionID(rawValue: self.lastSession)),
            credentials: credentials,
            began: self.now
        )
        self.slots[peer]?.opened.append(session)
        self.sendFlight(0, of: session, wait: self.policy.handshakeRetry)
    }

    private func sendFlight(_ flight: Int, of session: VirtualSession, wait: Duration) {
        self.transmit(.handshake(flight: flight), on: session, to: .server)
        self.queue.add(.handshakeRetry(session, flight: flight, wait: wait), at: self.now.advanced(by: wait))
    }

    func retryHandshake(_ session: VirtualSession, _ flight: Int, wait: Duration) {
        guard session.isKnown(at: .client), session.state == .handshake(flight: flight) else { return }
        guard session.began.duration(to: self.now) < self.policy.handshakeTimeout else {
            return self.drop(session, at: .client, .unreachable)
        }
        self.sendFlight(flight, of: session, wait: wait * 2)
    }

    func handshakeArrived(_ flight: Int, on session: VirtualSession) {
        switch flight {
        case 0, 2: self.transmit(.handshake(flight: flight + 1), on: session, to: .client)
        case 1, 3:
            guard session.state == .handshake(flight: flight - 1) else { return }
            session.state = .handshake(flight: flight + 1)
            self.sendFlight(flight + 1, of: session, wait: self.policy.handshakeRetry)
        case 4: self.lastFlightArrived(on: session)
        default:
            guard session.state == .handshake(flight: 4) else { return }
            session.state = .open
            self.tell(session.client, .sessionOpened(session.clientID))
        }
    }

    private func lastFlightArrived(on session: VirtualSession) {
        guard session.isAccepted || self.accepts(session) else {
            return self.transmit(.refusal, on: session, to: .client)
        }
        self.transmit(.handshake(flight: 5), on: session, to: .client)
        guard !session.isAccepted else { return }
        session.isAccepted = true
        self.slots[session.server]?.accepted[session.serverID] = session
        // Its client may have given up meanwhile.
        if !session.isKnown(at: .client) { self.expectSilence(on: session) }
        var identity: [UInt8]?
        if case .preSharedKey(let proved, _) = session.credentials { identity = proved }
        self.tell(session.server, .sessionAccepted(session.serverID, identity: identity))
    }

    private func accepts(_ session: VirtualSession) -> Bool {
        switch session.credentials {
        case .none: true
        case .preSharedKey(let identity, let key): self.slots[session.server]?.peer.key(of: identity) == key
        }
    }

    /// A peer ends a session: the other one is told, unless that is lost.
    func close(_ id: SessionID, by peer: Int) {
        guard let slot = self.slots[peer] else { return }
        slot.unopened.removeAll { $0 == id }
        guard let (session, end) = self.session(id, of: slot) else { return }
        // A handshake that nobody has answered is left without a word.
        if end == .server || session.state != .handshake(flight: 0) {
            self.transmit(.closeNotify, on: session, to: end.other)
        }
        self.abandon(session, at: end)
    }

    /// The network ends a session for one end, which is told what failed because of it.
    func drop(_ session: VirtualSession, at end: End, _ failure: SessionFailure) {
        guard session.isKnown(at: end) else { return }
        let (peer, id) = (session.peer(at: end), session.id(at: end))
        let wasTold = end == .client || session.isAccepted
        let failed = self.abandon(session, at: end)
        guard wasTold else { return }
        for event in failed { self.tell(peer, event) }
        self.tell(peer, .sessionClosed(id, failure))
    }

    /// One end forgets a session with everything that it sent and still waits for.
    ///
    /// - Returns: what the peer would have to be told, oldest request first.
    @discardableResult
    func abandon(_ session: VirtualSession, at end: End) -> [PeerEvent] {
        guard session.isKnown(at: end) else { return [] }
        let state = session.ends[end.rawValue]
        session.ends[end.rawValue] = VirtualSession.EndState()
        session.ends[end.rawValue].hasIt = false
        for exchange in state.exchanges { self.exchanges[exchange] = nil }
        if end == .client {
            self.slots[session.client]?.opened.removeAll { $0 === session }
            if session.isAccepted, session.isKnown(at: .server) { self.expectSilence(on: session) }
        } else {
            self.slots[session.server]?.accepted[session.serverID] = nil
        }
        var events: [PeerEvent] = []
        for message in state.outstanding {
            if case .notification(let notification) = message.owner {
                events.append(.notificationFailed(notification, .sessionClosed))
            }
        }
        // An observation whose first answer came has had its one answer.
        for answer in state.answers where !answer.hasAnswer {
            events.append(.requestFailed(answer.request, .sessionClosed))
        }
        return events
    }

    /// A server forgets a session whose client has gone once it was silent for long enough.
    private func expectSilence(on session: VirtualSession) {
        self.queue.add(.idle(session), at: self.now.advanced(by: self.policy.idleTimeout))
    }

    /// The session that a peer means, and which end of it the peer is.
    func session(_ id: SessionID, of slot: PeerSlot) -> (VirtualSession, End)? {
        if let session = slot.opened.first(where: { $0.clientID == id }) { return (session, .client) }
        return slot.accepted[id].map { ($0, .server) }
    }
}
