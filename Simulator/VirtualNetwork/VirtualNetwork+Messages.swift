import ClientEngine
import CoAPMessages
import Primitives

// Requests, answers and notifications, with what RFC 7252 section 4 does for confirmable ones.
extension VirtualNetwork {
    // MARK: Sending

    func send(_ message: CoAPRequest, _ request: RequestID, on id: SessionID, by peer: Int) {
        guard let (session, end) = self.openSession(id, of: peer) else {
            return self.tell(peer, .requestFailed(request, .sessionClosed))
        }
        let token = session.makeToken(at: end)
        let sent = self.sendConfirmable(.request(token, message), .request(request, token), on: session, by: end)
        session.ends[end.rawValue].answers.append(
            PendingAnswer(
                token: token,
                request: request,
                messageID: sent,
                isObservation: message.options.observe == 0
            )
        )
    }

    func notify(
        _ response: CoAPResponse,
        _ token: CoAPToken,
        _ notification: NotificationID,
        isConfirmable: Bool,
        on id: SessionID,
        by peer: Int
    ) {
        guard let (session, end) = self.openSession(id, of: peer) else {
            return self.tell(peer, .notificationFailed(notification, .sessionClosed))
        }
        let kind = Message.Kind.response(token, response, isConfirmable: isConfirmable)
        if isConfirmable {
            self.sendConfirmable(kind, .notification(notification), on: session, by: end)
        } else {
            let message = Message(id: session.makeMessageID(at: end), kind: kind)
            self.transmit(.message(message), on: session, to: end.other)
        }
    }

    /// Answers with the acknowledgement when the request has not been acknowledged yet, otherwise in a message of its
    /// own.
    func respond(to exchange: ExchangeID, _ response: CoAPResponse) {
        guard let open = self.exchanges.removeValue(forKey: exchange) else { return }
        open.session.ends[open.receiver.rawValue].exchanges.removeAll { $0 == exchange }
        guard open.isAcknowledged else {
            return self.acknowledge(
                open,
                Message(id: open.messageID, kind: .acknowledgement(open.token, response))
            )
        }
        self.sendConfirmable(
            .response(open.token, response, isConfirmable: true),
            .separateResponse,
            on: open.session,
            by: open.receiver
        )
    }

    func forget(_ request: RequestID, on id: SessionID, of peer: Int) {
        guard let slot = self.slots[peer], let (session, end) = self.session(id, of: slot) else { return }
        session.ends[end.rawValue].answers.removeAll { $0.request == request }
    }

    private func acknowledge(_ open: OpenExchange, _ reply: Message) {
        open.session.ends[open.receiver.rawValue].recent.setReply(reply, to: open.messageID)
        self.transmit(.message(reply), on: open.session, to: open.receiver.other)
    }

    /// - Returns: the identifier of the message.
    @discardableResult
    private func sendConfirmable(
        _ kind: Message.Kind,
        _ owner: Outstanding.Owner,
        on session: VirtualSession,
        by end: End
    ) -> UInt16 {
        let message = Message(id: session.makeMessageID(at: end), kind: kind)
        let jitter = self.generator.nextUnitInterval()
        session.ends[end.rawValue].outstanding.append(Outstanding(message: message, owner: owner, jitter: jitter))
        self.transmit(.message(message), on: session, to: end.other)
        self.awaitAcknowledgement(of: message.id, on: session, by: end, attempt: 0, jitter: jitter)
        return message.id
    }

    private func awaitAcknowledgement(
        of id: UInt16,
        on session: VirtualSession,
        by end: End,
        attempt: Int,
        jitter: Double
    ) {
        self.queue.add(
            .retransmission(session, end, messageID: id, attempt: attempt),
            at: self.now.advanced(by: self.policy.wait(afterAttempt: attempt, jitter: jitter))
        )
    }

    func retransmit(_ id: UInt16, on session: VirtualSession, by end: End, attempt: Int) {
        guard
            let index = session.ends[end.rawValue].outstanding.firstIndex(where: {
                $0.message.id == id && $0.attempt == attempt
            })
        else { return }
        guard attempt < self.policy.maximumRetransmit else {
            return self.undelivered(
                session.ends[end.rawValue].outstanding.remove(at: index),
                on: session,
                end,
                .timedOut
            )
        }
        session.ends[end.rawValue].outstanding[index].attempt += 1
        let waiting = session.ends[end.rawValue].outstanding[index]
        self.slots[session.peer(at: end)]?.queue?.spendMessage(now: self.now)
        self.transmit(.message(waiting.message), on: session, to: end.other)
        self.awaitAcknowledgement(of: id, on: session, by: end, attempt: waiting.attempt, jitter: waiting.jitter)
    }

    private func undelivered(
        _ waiting: Outstanding,
        on session: VirtualSession,
        _ end: End,
        _ failure: RequestFailure
    ) {
        let peer = session.peer(at: end)
        switch waiting.owner {
        case .request(let request, let token):
            guard let index = session.answerIndex(token, at: end) else { return }
            let removed = session.ends[end.rawValue].answers.remove(at: index)
            if !removed.hasAnswer { self.tell(peer, .requestFailed(request, failure)) }
        case .notification(let notification): self.tell(peer, .notificationFailed(notification, failure))
        case .separateResponse: break
        }
    }

    func giveUpAnswer(_ token: CoAPToken, on session: VirtualSession, at end: End) {
        guard let index = session.answerIndex(token, at: end),
            !session.ends[end.rawValue].answers[index].hasAnswer
        else { return }
        let answer = session.ends[end.rawValue].answers.remove(at: index)
        self.tell(session.peer(at: end), .requestFailed(answer.request, .timedOut))
    }

    // MARK: Receiving

    func arrived(_ datagram: Datagram, on session: VirtualSession, at end: End) {
        guard session.isKnown(at: end) else { return }
        switch datagram {
        case .handshake(let flight): self.handshakeArrived(flight, on: session)
        case .refusal:
            if session.state != .open { self.drop(session, at: .client, .handshakeRefused) }
        case .closeNotify: self.drop(session, at: end, .closed)
        case .message(let message):
            guard end == .client ? session.state == .open : session.isAccepted else { return }
            self.arrived(message, on: session, at: end)
        }
    }

    private func arrived(_ message: Message, on session: VirtualSession, at end: End) {
        switch message.kind {
        case .request(let token, let request): self.requestArrived(request, token, message.id, on: session, at: end)
        case .response(let token, let response, let isConfirmable):
            guard session.ends[end.rawValue].recent.note(message.id) else {
                return self.repeatReply(to: message.id, on: session, at: end)
            }
            let isKnown = session.answerIndex(token, at: end) != nil
            if isConfirmable || !isKnown {
                let reply = Message(id: message.id, kind: isKnown ? .acknowledgement(nil, nil) : .reset)
                session.ends[end.rawValue].recent.setReply(reply, to: message.id)
                self.transmit(.message(reply), on: session, to: end.other)
            }
            if isKnown { self.answered(response, token, on: session, at: end) }
        case .acknowledgement(let token, let response):
            self.acknowledged(message.id, hasAnswer: response != nil, on: session, at: end)
            if let token, let response { self.answered(response, token, on: session, at: end) }
        case .reset:
            guard let waiting = session.takeOutstanding(message.id, at: end) else { return }
            self.undelivered(waiting, on: session, end, .reset)
        }
    }

    private func repeatReply(to id: UInt16, on session: VirtualSession, at end: End) {
        guard let reply = session.ends[end.rawValue].recent.reply(to: id) else { return }
        self.transmit(.message(reply), on: session, to: end.other)
    }

    private func requestArrived(
        _ request: CoAPRequest,
        _ token: CoAPToken,
        _ messageID: UInt16,
        on session: VirtualSession,
        at end: End
    ) {
        guard session.ends[end.rawValue].recent.note(messageID) else {
            return self.repeatReply(to: messageID, on: session, at: end)
        }
        self.lastExchange += 1
        let exchange = ExchangeID(rawValue: self.lastExchange)
        self.exchanges[exchange] = OpenExchange(session: session, receiver: end, messageID: messageID, token: token)
        session.ends[end.rawValue].exchanges.append(exchange)
        self.tell(session.peer(at: end), .requestReceived(exchange, session.id(at: end), request, token: token))
        // Still unanswered: acknowledge now, so that the sender stops sending; the answer will come separately.
        guard let open = self.exchanges[exchange] else { return }
        self.exchanges[exchange]?.isAcknowledged = true
        self.acknowledge(open, Message(id: messageID, kind: .acknowledgement(nil, nil)))
    }

    private func acknowledged(_ id: UInt16, hasAnswer: Bool, on session: VirtualSession, at end: End) {
        guard let waiting = session.takeOutstanding(id, at: end) else { return }
        switch waiting.owner {
        case .request(_, let token):
            if hasAnswer { break }
            self.queue.add(
                .answerDue(session, end, token),
                at: self.now.advanced(by: self.policy.answerTimeout)
            )
        case .notification(let notification):
            self.tell(session.peer(at: end), .notificationAcknowledged(notification))
        case .separateResponse: break
        }
    }

    private func answered(_ response: CoAPResponse, _ token: CoAPToken, on session: VirtualSession, at end: End) {
        guard let index = session.answerIndex(token, at: end) else { return }
        let answer = session.ends[end.rawValue].answers[index]
        // An answer acknowledges its request, also when the acknowledgement itself was lost.
        _ = session.takeOutstanding(answer.messageID, at: end)
        if answer.isObservation, response.code.isSuccess, response.options.observe != nil {
            session.ends[end.rawValue].answers[index].hasAnswer = true
        } else {
            session.ends[end.rawValue].answers.remove(at: index)
        }
        self.tell(session.peer(at: end), .responseReceived(answer.request, response))
    }

    /// The session on which a peer may send requests.
    private func openSession(_ id: SessionID, of peer: Int) -> (VirtualSession, End)? {
        guard let slot = self.slots[peer], let (session, end) = self.session(id, of: slot) else { return nil }
        return end == .server || session.state == .open ? (session, end) : nil
    }
}
