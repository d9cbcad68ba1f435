import CLibCoAP
import CoAPMessages
import Primitives

extension CoAPTransport {
    /// Gives a message to the library.
    ///
    /// - Returns: its message id; nil when it does not fit or the library refused it.
    func transmit(
        _ message: OutgoingMessage,
        type: coap_pdu_type_t,
        on pointer: OpaquePointer
    ) -> UInt16? {
        let code = coap_pdu_code_t(rawValue: UInt32(message.code.rawValue))
        guard let outgoing = coap_new_pdu(type, code, pointer) else {
            self.counters.failedSends += 1
            return nil
        }
        guard LibraryMessage.addToken(message.token, to: outgoing),
            LibraryMessage.fill(outgoing, options: message.options, payload: message.payload)
        else {
            coap_delete_pdu(outgoing)
            self.counters.failedSends += 1
            return nil
        }
        self.depth += 1
        let messageID = coap_send(pointer, outgoing)
        self.depth -= 1
        guard messageID != COAP_INVALID_MID else {
            self.counters.failedSends += 1
            return nil
        }
        return UInt16(truncatingIfNeeded: messageID)
    }

    /// Sends a confirmable message, or has it wait for the one before it.
    ///
    /// - Returns: false when it was refused.
    func sendConfirmable(_ message: OutgoingMessage, _ kind: ActiveMessage.Kind, on slot: Int) -> Bool {
        guard self.sessions[slot].active == nil else {
            let rare = self.rareState(slot)
            guard rare.waiting.count < RareState.waitingLimit else { return false }
            rare.waiting.append(WaitingMessage(kind: kind, message: message))
            return true
        }
        guard let pointer = self.sessions[slot].pointer,
            let messageID = self.transmit(message, type: COAP_MESSAGE_CON, on: pointer)
        else { return false }
        let context = self.context(of: slot)
        self.sessions[slot].active = ActiveMessage(
            kind: kind,
            messageID: messageID,
            level: AcknowledgementProbe.level(of: pointer) ?? 0
        )
        context.unacknowledged.append(UInt32(slot))
        self.beginPending(in: context)
        return true
    }

    /// The active message is done with; the next one goes.
    func finishActive(_ slot: Int) {
        guard self.sessions[slot].active != nil else { return }
        self.sessions[slot].active = nil
        let context = self.context(of: slot)
        self.endPending(in: context)
        if let index = context.unacknowledged.firstIndex(of: UInt32(slot)) {
            context.unacknowledged.swapAt(index, context.unacknowledged.count - 1)
            context.unacknowledged.removeLast()
        }
        while self.sessions[slot].active == nil, self.sessions[slot].state == .open,
            let rare = self.sessions[slot].rare, !rare.waiting.isEmpty
        {
            let next = rare.waiting.removeFirst()
            if !self.sendConfirmable(next.message, next.kind, on: slot) { self.failed(next.kind, .notSent, slot) }
        }
    }

    /// Looks for messages that were acknowledged without an answer.
    func takeAcknowledgements(in context: TransportContext) {
        for slot in context.unacknowledged.map({ Int($0) }) {
            guard let active = self.sessions[slot].active, self.sessions[slot].context == context.index,
                let pointer = self.sessions[slot].pointer, self.isAcknowledged(active, pointer, in: context)
            else { continue }
            let handle = self.handle(slot)
            switch active.kind {
            case .request(let token):
                guard let index = self.sessions[slot].requests.firstIndex(where: { $0.token == token }) else { break }
                self.sessions[slot].requests[index].isAcknowledged = true
                self.answers.append(
                    (handle, token),
                    at: self.loop.now.advanced(by: self.configuration.answerTimeout)
                )
            case .notification(let tag, _):
                self.onEvent(
                    .notificationAcknowledged(handle, tag: self.sessions[slot].tag, notificationTag: tag)
                )
            case .answer:
                break
            }
            if self.slot(of: handle) != nil { self.finishActive(slot) }
        }
        context.unacknowledged.removeAll { self.sessions[Int($0)].active == nil }
    }

    private func isAcknowledged(
        _ active: ActiveMessage,
        _ pointer: OpaquePointer,
        in context: TransportContext
    ) -> Bool {
        if let level = AcknowledgementProbe.level(of: pointer) { return level < active.level }
        return coap_can_exit(context.pointer) == 1
    }

    /// The library gave a message up.
    func messageFailed(
        _ messageID: UInt16,
        reason: coap_nack_reason_t,
        on session: OpaquePointer,
        in context: TransportContext
    ) {
        guard let slot = self.slot(of: session) else { return }
        switch reason {
        case COAP_NACK_RST, COAP_NACK_TOO_MANY_RETRIES:
            guard let active = self.sessions[slot].active, active.messageID == messageID else { return }
            let handle = self.handle(slot)
            self.failed(active.kind, reason == COAP_NACK_RST ? .reset : .timedOut, slot)
            if self.slot(of: handle) != nil { self.finishActive(slot) }
        default:
            let wasOpening = self.sessions[slot].state == .opening
            self.sessionEnded(slot, wasOpening ? .unreachable : .closed)
        }
    }

    /// Reports that a message will have no effect.
    func failed(_ kind: ActiveMessage.Kind, _ failure: RequestFailure, _ slot: Int) {
        let handle = self.handle(slot)
        switch kind {
        case .request(let token):
            guard let index = self.sessions[slot].requests.firstIndex(where: { $0.token == token }) else { return }
            let request = self.sessions[slot].requests.remove(at: index)
            if request.isContinuation { return }
            self.onEvent(
                .requestFailed(handle, tag: self.sessions[slot].tag, requestTag: request.requestTag, failure)
            )
        case .notification(let tag, let token):
            self.forgetObserved(token, slot)
            self.onEvent(
                .notificationFailed(
                    handle,
                    tag: self.sessions[slot].tag,
                    notificationTag: tag,
                    token: token,
                    failure
                )
            )
        case .answer:
            break
        }
    }
}
