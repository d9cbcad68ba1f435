import ClientEngine
import CoAPMessages
import Primitives

// Requests, answers and notifications, with what RFC 7252 section 4 does for confirmable ones.
extension VirtualNetwork {
    // MARK: Sending

    func send(_ message: CoAPRequest, _ request: RequestID, on id: SessionID, by peer: Int) {
        guard let (number, end) = self.openSession(id, of: peer) else {
            self.tell(peer, .requestFailed(request, .sessionClosed))
            return
        }
        let token = self.makeToken(number, end)
        let key = TokenKey(session: number, sender: end, token: token)
        let sent = self.sendConfirmable(.request(token, message), .request(request, token), on: number, by: end)
        self.answers[key] = PendingAnswer(
            request: request,
            message: sent,
            isObservation: message.options.observe == 0
        )
        self.tokens[PeerRequest(peer: peer, request: request)] = key
        self.queue.add(.answerDue(key), at: self.now.advanced(by: self.policy.answerTimeout))
    }

    func notify(
        _ response: CoAPResponse,
        _ token: CoAPToken,
        _ notification: NotificationID,
        isConfirmable: Bool,
        on id: SessionID,
        by peer: Int
    ) {
        guard let (number, end) = self.openSession(id, of: peer) else {
            self.tell(peer, .notificationFailed(notification, .sessionClosed))
            return
        }
        let kind = Message.Kind.response(token, response, isConfirmable: isConfirmable)
        if isConfirmable {
            self.sendConfirmable(kind, .notification(notification), on: number, by: end)
        } else {
            let message = Message(id: self.makeMessageID(number, end), kind: kind)
            self.transmit(.message(message), on: number, to: end.other)
        }
    }

    /// Answers with the acknowledgement when the request has not been acknowledged yet, otherwise in a message of its
    /// own.
    func respond(to exchange: ExchangeID, _ response: CoAPResponse) {
        guard let open = self.exchanges.removeValue(forKey: exchange), self.sessions[open.session] != nil else {
            return
        }
        guard open.isAcknowledged else {
            self.acknowledge(open, Message(id: open.messageID, kind: .acknowledgement(open.token, response)))
            return
        }
        self.sendConfirmable(
            .response(open.token, response, isConfirmable: true),
            .separateResponse,
            on: open.session,
            by: open.receiver
        )
    }

    func forget(_ request: RequestID, of peer: Int) {
        guard let key = self.tokens.removeValue(forKey: PeerRequest(peer: peer, request: request)) else { return }
        self.answers[key] = nil
    }

    private func acknowledge(_ open: OpenExchange, _ reply: Message) {
        self.sessions[open.session]?.recent[open.receiver]?.setReply(reply, to: open.messageID)
        self.transmit(.message(reply), on: open.session, to: open.receiver.other)
    }

    @discardableResult
    private func sendConfirmable(
        _ kind: Message.Kind,
        _ owner: Outstanding.Owner,
        on number: Int,
        by end: End
    ) -> MessageKey {
        let message = Message(id: self.makeMessageID(number, end), kind: kind)
        let key = MessageKey(session: number, sender: end, id: message.id)
        let jitter = self.generator.nextUnitInterval()
        self.outstanding[key] = Outstanding(message: message, owner: owner, jitter: jitter)
        self.transmit(.message(message), on: number, to: end.other)
        self.queue.add(
            .retransmission(key, attempt: 0),
            at: self.now.advanced(by: self.policy.wait(afterAttempt: 0, jitter: jitter))
        )
        return key
    }

    func retransmit(_ key: MessageKey, attempt: Int) {
        guard var waiting = self.outstanding[key], waiting.attempt == attempt else { return }
        guard attempt < self.policy.maximumRetransmit else {
            self.outstanding[key] = nil
            self.undelivered(waiting, key, .timedOut)
            return
        }
        waiting.attempt += 1
        self.outstanding[key] = waiting
        self.transmit(.message(waiting.message), on: key.session, to: key.sender.other)
        self.queue.add(
            .retransmission(key, attempt: waiting.attempt),
            at: self.now.advanced(by: self.policy.wait(afterAttempt: waiting.attempt, jitter: waiting.jitter))
        )
    }

    private func undelivered(_ waiting: Outstanding, _ key: MessageKey, _ failure: RequestFailure) {
        guard let peer = self.peer(of: key.session, at: key.sender) else { return }
        switch waiting.owner {
        case .request(let request, let token):
            self.tokens[PeerRequest(peer: peer, request: request)] = nil
            let removed = self.answers.removeValue(
                forKey: TokenKey(session: key.session, sender: key.sender, token: token)
            )
            if let removed, !removed.hasAnswer { self.tell(peer, .requestFailed(request, failure)) }
        case .notification(let notification): self.tell(peer, .notificationFailed(notification, failure))
        case .separateResponse: break
        }
    }

    func giveUpAnswer(_ key: TokenKey) {
        guard let answer = self.answers[key], !answer.hasAnswer,
            let peer = self.peer(of: key.session, at: key.sender)
        else { return }
        self.answers[key] = nil
        self.tokens[PeerRequest(peer: peer, request: answer.request)] = nil
        self.tell(peer, .requestFailed(answer.request, .timedOut))
    }

    // MARK: Receiving

    func arrived(_ datagram: Datagram, on number: Int, at end: End) {
        guard let session = self.sessions[number] else { return }
        guard end == .client ? session.clientHasIt : session.serverHasIt else { return }
        switch datagram {
        case .handshake(let flight): self.handshakeArrived(flight, on: number)
        case .refusal:
            if session.state != .open { self.drop(number, at: .client, .handshakeRefused) }
        case .closeNotify: self.drop(number, at: end, .closed)
        case .message(let message):
            guard end == .client ? session.state == .open : session.isAccepted else { return }
            self.arrived(message, on: number, at: end)
        }
    }

    private func arrived(_ message: Message, on number: Int, at end: End) {
        switch message.kind {
        case .request(let token, let request): self.requestArrived(request, token, message.id, on: number, at: end)
        case .response(let token, let response, let isConfirmable):
            let isNew = self.sessions[number]?.recent[end]?.note(message.id) ?? false
            if !isNew {
                if let reply = self.sessions[number]?.recent[end]?.reply(to: message.id) {
                    self.transmit(.message(reply), on: number, to: end.other)
                }
                return
            }
            let isKnown = self.answers[TokenKey(session: number, sender: end, token: token)] != nil
            if isConfirmable || !isKnown {
                let reply = Message(id: message.id, kind: isKnown ? .acknowledgement(nil, nil) : .reset)
                self.sessions[number]?.recent[end]?.setReply(reply, to: message.id)
                self.transmit(.message(reply), on: number, to: end.other)
            }
            if isKnown { self.answered(response, token, on: number, at: end) }
        case .acknowledgement(let token, let response):
            self.acknowledged(message.id, on: number, at: end)
            if let token, let response { self.answered(response, token, on: number, at: end) }
        case .reset:
            let key = MessageKey(session: number, sender: end, id: message.id)
            guard let waiting = self.outstanding.removeValue(forKey: key) else { return }
            self.undelivered(waiting, key, .reset)
        }
    }

    private func requestArrived(
        _ request: CoAPRequest,
        _ token: CoAPToken,
        _ messageID: UInt16,
        on number: Int,
        at end: End
    ) {
        guard let session = self.sessions[number] else { return }
        guard self.sessions[number]?.recent[end]?.note(messageID) == true else {
            if let reply = session.recent[end]?.reply(to: messageID) {
                self.transmit(.message(reply), on: number, to: end.other)
            }
            return
        }
        self.lastExchange += 1
        let exchange = ExchangeID(rawValue: self.lastExchange)
        self.exchanges[exchange] = OpenExchange(session: number, receiver: end, messageID: messageID, token: token)
        let (peer, id) = end == .client ? (session.client, session.clientID) : (session.server, session.serverID)
        self.tell(peer, .requestReceived(exchange, id, request, token: token))
        // Still unanswered: acknowledge now, so that the sender stops sending; the answer will come separately.
        guard let open = self.exchanges[exchange] else { return }
        self.exchanges[exchange]?.isAcknowledged = true
        self.acknowledge(open, Message(id: messageID, kind: .acknowledgement(nil, nil)))
    }

    private func acknowledged(_ id: UInt16, on number: Int, at end: End) {
        guard let waiting = self.outstanding.removeValue(forKey: MessageKey(session: number, sender: end, id: id))
        else {
            return
        }
        if case .notification(let notification) = waiting.owner, let peer = self.peer(of: number, at: end) {
            self.tell(peer, .notificationAcknowledged(notification))
        }
    }

    private func answered(_ response: CoAPResponse, _ token: CoAPToken, on number: Int, at end: End) {
        let key = TokenKey(session: number, sender: end, token: token)
        guard var answer = self.answers[key], let peer = self.peer(of: number, at: end) else { return }
        // An answer acknowledges its request, also when the acknowledgement itself was lost.
        self.outstanding[answer.message] = nil
        if answer.isObservation, response.code.isSuccess, response.options.observe != nil {
            answer.hasAnswer = true
            self.answers[key] = answer
        } else {
            self.answers[key] = nil
            self.tokens[PeerRequest(peer: peer, request: answer.request)] = nil
        }
        self.tell(peer, .responseReceived(answer.request, response))
    }

    // MARK: Names

    private func openSession(_ id: SessionID, of peer: Int) -> (Int, End)? {
        guard let number = self.sessionNumbers[PeerSession(peer: peer, session: id)],
            let session = self.sessions[number]
        else { return nil }
        if session.client == peer, session.clientID == id {
            return session.state == .open && session.clientHasIt ? (number, .client) : nil
        }
        return session.isAccepted && session.serverHasIt ? (number, .server) : nil
    }

    private func makeMessageID(_ number: Int, _ end: End) -> UInt16 {
        let id = self.sessions[number]?.nextMessageID[end] ?? 0
        self.sessions[number]?.nextMessageID[end] = id &+ 1
        return id
    }

    private static var noToken: CoAPToken {
        // Four bytes always make a token; this stands for the case that does not happen.
        guard let token = CoAPToken([]) else { preconditionFailure("a token may be empty") }
        return token
    }

    private func makeToken(_ number: Int, _ end: End) -> CoAPToken {
        let value = self.sessions[number]?.nextToken[end] ?? 0
        self.sessions[number]?.nextToken[end] = value &+ 1
        var writer = ByteWriter(capacity: 4)
        writer.write(value, byteCount: 4)
        return CoAPToken(writer.bytes) ?? Self.noToken
    }
}
