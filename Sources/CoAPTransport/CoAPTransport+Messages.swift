import CLibCoAP
public import CoAPMessages
import Primitives

extension CoAPTransport {
    /// Sends a confirmable request; one answer or failure follows, and more answers for an observation.
    public func send(_ request: CoAPRequest, on session: TransportSession, tag: UInt32) throws(TransportError) {
        guard let slot = self.slot(of: session), let pointer = self.sessions[slot].pointer,
            self.sessions[slot].state == .open
        else { throw .sessionUnknown }
        let token = self.newToken(slot)
        guard
            let message = coap_new_pdu(
                COAP_MESSAGE_CON,
                coap_pdu_code_t(rawValue: UInt32(request.method.rawValue)),
                pointer
            )
        else { throw .outOfResources }
        guard LibraryMessage.addToken(token, to: message),
            LibraryMessage.fill(message, options: request.options, payload: request.payload[...])
        else {
            coap_delete_pdu(message)
            throw .tooLarge
        }
        self.depth += 1
        let messageID = coap_send(pointer, message)
        self.depth -= 1
        guard messageID != COAP_INVALID_MID else {
            self.counters.failedSends += 1
            throw .outOfResources
        }
        self.beginPending(in: self.contexts[Int(self.sessions[slot].context)])
        self.sessions[slot].requests.append(
            PendingRequest(
                token: token,
                requestTag: tag,
                messageID: UInt16(truncatingIfNeeded: messageID),
                request: request
            )
        )
    }

    /// Forgets an observation, so that its next notification is refused.
    public func cancelObservation(requestTag: UInt32, on session: TransportSession) {
        guard let slot = self.slot(of: session) else { return }
        self.sessions[slot].requests.removeAll { $0.requestTag == requestTag && $0.isObservation }
    }

    /// Answers a request; an exchange that is unknown or finished is ignored.
    public func respond(to exchange: ExchangeID, _ response: CoAPResponse) {
        guard let waiting = self.exchanges[exchange.rawValue] else { return }
        if self.current?.exchange == exchange.rawValue {
            self.exchanges[exchange.rawValue]?.response = response
            return
        }
        self.exchanges.removeValue(forKey: exchange.rawValue)
        guard let slot = self.slot(of: waiting.session), let pointer = self.sessions[slot].pointer else { return }
        let type = waiting.isConfirmable ? COAP_MESSAGE_CON : COAP_MESSAGE_NON
        guard
            let message = coap_new_pdu(type, coap_pdu_code_t(rawValue: UInt32(response.code.rawValue)), pointer)
        else { return }
        guard LibraryMessage.addToken(waiting.token, to: message),
            LibraryMessage.fill(message, options: response.options, payload: response.payload[...])
        else {
            coap_delete_pdu(message)
            return
        }
        _ = coap_send(pointer, message)
        self.beginPending(in: self.contexts[Int(self.sessions[slot].context)])
    }

    /// Sends a notification, which already carries Observe.
    public func notify(
        _ response: CoAPResponse,
        token: CoAPToken,
        on session: TransportSession,
        isConfirmable: Bool,
        tag: UInt32
    ) throws(TransportError) {
        guard let slot = self.slot(of: session), let pointer = self.sessions[slot].pointer,
            self.sessions[slot].state == .open
        else { throw .sessionUnknown }
        guard
            let message = coap_new_pdu(
                isConfirmable ? COAP_MESSAGE_CON : COAP_MESSAGE_NON,
                coap_pdu_code_t(rawValue: UInt32(response.code.rawValue)),
                pointer
            )
        else { throw .outOfResources }
        guard LibraryMessage.addToken(token, to: message),
            LibraryMessage.fill(message, options: response.options, payload: response.payload[...])
        else {
            coap_delete_pdu(message)
            throw .tooLarge
        }
        _ = coap_send(pointer, message)
    }

    private func newToken(_ slot: Int) -> UInt32 {
        while true {
            let token = UInt32(truncatingIfNeeded: self.tokens.next())
            if !self.sessions[slot].requests.contains(where: { $0.token == token }) { return token }
        }
    }

    // MARK: What the library reports

    func requestReceived(
        _ request: OpaquePointer,
        response: OpaquePointer,
        on session: OpaquePointer,
        in context: TransportContext
    ) {
        guard let slot = self.slot(of: session), !self.sessions[slot].isSilent,
            let token = LibraryMessage.token(of: request)
        else { return }
        if self.sessions[slot].state == .opening { self.reportAccepted(slot) }
        guard self.sessions[slot].state == .open else { return }
        let handle = self.handle(slot)
        self.lastExchange += 1
        let number = self.lastExchange
        let isConfirmable = coap_pdu_get_type(request) == COAP_MESSAGE_CON
        self.exchanges[number] = Exchange(session: handle, token: token, isConfirmable: isConfirmable)
        self.current = (number, response)
        self.onEvent(
            .requestReceived(
                ExchangeID(rawValue: number),
                handle,
                tag: self.sessions[slot].tag,
                CoAPRequest(
                    method: CoAPCode(rawValue: UInt8(truncatingIfNeeded: coap_pdu_get_code(request).rawValue)),
                    options: LibraryMessage.options(of: request),
                    payload: LibraryMessage.payload(of: request)
                ),
                token: token
            )
        )
        self.current = nil
        guard let answer = self.exchanges[number]?.response else { return }
        self.exchanges.removeValue(forKey: number)
        coap_pdu_set_code(response, coap_pdu_code_t(rawValue: UInt32(answer.code.rawValue)))
        _ = LibraryMessage.fill(response, options: answer.options, payload: answer.payload[...])
    }

    func answerReceived(_ answer: OpaquePointer, on session: OpaquePointer, in context: TransportContext) -> Bool {
        guard let slot = self.slot(of: session), !self.sessions[slot].isSilent else { return true }
        guard let token = LibraryMessage.ownToken(of: answer),
            let index = self.sessions[slot].requests.firstIndex(where: { $0.token == token })
        else {
            self.counters.unexpectedAnswers += 1
            return coap_pdu_get_type(answer) == COAP_MESSAGE_ACK
        }
        let pending = self.sessions[slot].requests[index]
        if !pending.isAnswered { self.endPending(in: context) }
        let response = CoAPResponse(
            CoAPCode(rawValue: UInt8(truncatingIfNeeded: coap_pdu_get_code(answer).rawValue)),
            options: LibraryMessage.options(of: answer),
            payload: LibraryMessage.payload(of: answer)
        )
        if pending.isObservation, response.options.observe != nil {
            self.sessions[slot].requests[index].isAnswered = true
        } else {
            self.sessions[slot].requests.remove(at: index)
        }
        self.onEvent(
            .responseReceived(
                self.handle(slot),
                tag: self.sessions[slot].tag,
                requestTag: pending.requestTag,
                response
            )
        )
        return true
    }

    func messageFailed(
        _ messageID: UInt16,
        sent: OpaquePointer?,
        reason: coap_nack_reason_t,
        on session: OpaquePointer,
        in context: TransportContext
    ) {
        guard let slot = self.slot(of: session), !self.sessions[slot].isSilent else { return }
        let failure: RequestFailure
        switch reason {
        case COAP_NACK_RST: failure = .reset
        case COAP_NACK_TOO_MANY_RETRIES: failure = .timedOut
        default: failure = .sessionClosed
        }
        guard let index = self.sessions[slot].requests.firstIndex(where: { $0.messageID == messageID }) else { return }
        let pending = self.sessions[slot].requests.remove(at: index)
        self.endPending(in: context)
        self.onEvent(
            .requestFailed(self.handle(slot), tag: self.sessions[slot].tag, requestTag: pending.requestTag, failure)
        )
    }
}
