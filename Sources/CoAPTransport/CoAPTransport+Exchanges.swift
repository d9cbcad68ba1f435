import CLibCoAP
public import CoAPMessages
import Primitives

/// Requests of peers and our answers.
extension CoAPTransport {
    /// How many of a peer's latest requests are remembered.
    private static let recentLimit = 32
    /// How many of a peer's requests may wait for an answer.
    private static let waitingLimit: UInt16 = 64
    /// How long a request may come again, and how long a body is kept.
    ///
    /// - Source: RFC 7252, section 4.8.2, EXCHANGE_LIFETIME.
    static let exchangeLifetime: Duration = .seconds(247)

    /// Answers a request; an exchange that is unknown or finished is ignored.
    ///
    /// An answer given while the request is being reported travels with the acknowledgement; a later one is a
    /// message of its own.
    public func respond(to exchange: ExchangeID, _ response: CoAPResponse) {
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        if let current = self.current, current.number == exchange.rawValue {
            if self.currentAnswer == nil { self.currentAnswer = response }
            return
        }
        guard let waiting = self.exchanges.removeValue(forKey: exchange.rawValue),
            let slot = self.slot(of: waiting.session)
        else { return }
        self.sessions[slot].waitingExchanges -= 1
        guard let (slot, pointer) = self.openSlot(of: waiting.session) else { return }
        let answer = self.part(of: response, for: waiting, slot)
        let message = OutgoingMessage(
            code: answer.code,
            token: waiting.token,
            options: answer.options,
            payload: answer.payload
        )
        if waiting.isConfirmable {
            _ = self.sendConfirmable(message, .answer, on: slot)
        } else {
            _ = self.transmit(message, type: COAP_MESSAGE_NON, on: pointer)
        }
    }

    // MARK: What the library reports

    func requestReceived(
        _ request: OpaquePointer,
        response: OpaquePointer,
        on session: OpaquePointer,
        in context: TransportContext
    ) {
        guard let slot = self.slot(of: session), let token = LibraryMessage.token(of: request) else { return }
        // RFC 7252, section 4.2: an acknowledgement that carries a request is to be ignored; the library lets it pass.
        let kind = coap_pdu_get_type(request)
        guard kind == COAP_MESSAGE_CON || kind == COAP_MESSAGE_NON else {
            self.counters.malformedDatagrams += 1
            return
        }
        if self.sessions[slot].state == .opening, !self.sessions[slot].isSecured { self.openPlain(slot) }
        guard self.sessions[slot].state == .open else { return }
        let messageID = UInt16(truncatingIfNeeded: coap_pdu_get_mid(request))
        if let answer = self.duplicateAnswer(messageID, slot) {
            self.counters.duplicateRequests += 1
            if let answer { self.fill(response, answer) }
            return
        }
        let options = LibraryMessage.options(of: request)
        var exchange = Exchange(
            session: self.handle(slot),
            token: token,
            messageID: messageID,
            isConfirmable: kind == COAP_MESSAGE_CON,
            key: RequestKey(
                method: CoAPCode(rawValue: UInt8(truncatingIfNeeded: coap_pdu_get_code(request).rawValue)),
                options: options
            )
        )
        let outcome = self.body(of: request, options: options, for: &exchange, slot)
        let answer: CoAPResponse?
        switch outcome {
        case .answer(let given): answer = given
        case .body(let body): answer = self.report(exchange, options.withoutBlocks, body, slot)
        }
        guard let answer, let slot = self.slot(of: exchange.session) else { return }
        self.remember(answer, for: messageID, slot)
        self.fill(response, answer)
    }

    /// A plain session is reported with its first message.
    private func openPlain(_ slot: Int) {
        if !self.sessions[slot].isClient {
            self.reportAccepted(slot)
            return
        }
        self.sessions[slot].state = .open
        self.onEvent(.sessionConnected(self.handle(slot), tag: self.sessions[slot].tag))
    }

    /// Reports a whole request.
    ///
    /// - Returns: the answer, when it came at once.
    private func report(_ exchange: Exchange, _ options: CoAPOptions, _ body: [UInt8], _ slot: Int) -> CoAPResponse? {
        guard self.sessions[slot].waitingExchanges < CoAPTransport.waitingLimit else {
            return CoAPResponse(.serviceUnavailable)
        }
        let request = CoAPRequest(method: exchange.key.method, options: options, payload: body)
        if options.observe == 0 { self.rememberObserved(exchange.token, exchange.key, slot) }
        self.lastExchange += 1
        let number = self.lastExchange
        self.current = (number, exchange)
        self.currentAnswer = nil
        self.onEvent(
            .requestReceived(
                ExchangeID(rawValue: number),
                exchange.session,
                tag: self.sessions[slot].tag,
                request,
                token: exchange.token
            )
        )
        let answer = self.currentAnswer
        self.current = nil
        self.currentAnswer = nil
        guard let slot = self.slot(of: exchange.session) else { return nil }
        guard let answer else {
            self.exchanges[number] = exchange
            self.sessions[slot].waitingExchanges += 1
            return nil
        }
        return self.part(of: answer, for: exchange, slot)
    }

    private func fill(_ message: OpaquePointer, _ answer: CoAPResponse) {
        coap_pdu_set_code(message, coap_pdu_code_t(rawValue: UInt32(answer.code.rawValue)))
        if !LibraryMessage.fill(message, options: answer.options, payload: answer.payload) {
            self.counters.failedSends += 1
            coap_pdu_set_code(message, COAP_RESPONSE_CODE_INTERNAL_ERROR)
        }
    }

    // MARK: Requests that come again

    /// What a request that was taken before is answered with; nil when it is a new one.
    private func duplicateAnswer(_ messageID: UInt16, _ slot: Int) -> CoAPResponse?? {
        let now = self.loop.now
        let recent = self.sessions[slot].recent
        if let found = recent.last(where: { $0.messageID == messageID }), found.expires > now {
            return .some(found.answer)
        }
        if recent.count >= CoAPTransport.recentLimit { self.sessions[slot].recent.removeFirst() }
        self.sessions[slot].recent.append(
            RecentRequest(messageID: messageID, expires: now.advanced(by: CoAPTransport.exchangeLifetime))
        )
        return .none
    }

    private func remember(_ answer: CoAPResponse, for messageID: UInt16, _ slot: Int) {
        guard let index = self.sessions[slot].recent.lastIndex(where: { $0.messageID == messageID }) else { return }
        self.sessions[slot].recent[index].answer = answer
    }
}
