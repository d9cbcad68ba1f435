import CLibCoAP
public import CoAPMessages
import Primitives

/// Requests of ours and their answers.
extension CoAPTransport {
    /// How many requests and observations of one session may wait.
    private static let requestLimit = 4_096
    /// What a message takes beside its options and payload: header, token, payload marker.
    private static let overhead = 4 + 8 + 1

    /// Sends a confirmable request; one answer or failure follows, and more answers for an observation.
    ///
    /// A request goes once those before it on the session have been acknowledged.
    ///
    /// - Parameters:
    ///   - request: its body may be up to ``Configuration/maximumBodySize``; Observe 0 makes it an observation.
    ///   - tag: given back with every event of the request.
    /// - Throws: ``TransportError``: `sessionUnknown`, `tooLarge`, `outOfResources`.
    public func send(_ request: CoAPRequest, on session: TransportSession, tag: UInt32) throws(TransportError) {
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        guard let (slot, pointer) = self.openSlot(of: session) else { throw .sessionUnknown }
        guard request.payload.count <= self.configuration.maximumBodySize else { throw .tooLarge }
        guard self.sessions[slot].requests.count < CoAPTransport.requestLimit else { throw .outOfResources }
        let room = coap_session_max_pdu_size(pointer) - CoAPTransport.overhead - request.options.sizeLimit
        guard room >= 0 else { throw .tooLarge }
        var pending = PendingRequest(token: self.newToken(slot), requestTag: tag, request: request)
        if request.payload.count > min(room, BlockOption(number: 0, hasMore: false, exponent: 6).size) {
            guard let exponent = BlockOption.exponent(fitting: room - 16) else { throw .tooLarge }
            pending.transfer = BlockTransfer(exponent: exponent)
        }
        let message = self.message(for: &pending)
        self.sessions[slot].requests.append(pending)
        guard self.sendConfirmable(message, .request(pending.token), on: slot) else {
            self.sessions[slot].requests.removeAll { $0.token == pending.token }
            throw .outOfResources
        }
    }

    /// Forgets an observation, so that its next notification is refused.
    public func cancelObservation(requestTag: UInt32, on session: TransportSession) {
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        guard let slot = self.slot(of: session) else { return }
        self.sessions[slot].requests.removeAll {
            $0.requestTag == requestTag && ($0.isObservation || $0.isContinuation)
        }
    }

    private func newToken(_ slot: Int) -> UInt32 {
        while true {
            let token = UInt32(truncatingIfNeeded: self.tokens.next())
            if !self.sessions[slot].requests.contains(where: { $0.token == token }) { return token }
        }
    }

    /// The next message of a request: all of it, or one block.
    private func message(for pending: inout PendingRequest) -> OutgoingMessage {
        let request = pending.request
        var options = request.options
        var payload = request.payload
        if let transfer = pending.transfer {
            if transfer.first != nil || pending.isContinuation {
                // The answer's next block: the request again, without its body.
                if options.observe != nil { options.remove(.observe) }
                let number = transfer.received.count >> (transfer.exponent + 4)
                BlockOption(number: number, hasMore: false, exponent: transfer.exponent).write(.block2, to: &options)
                payload = []
            } else {
                let end = min(transfer.sent + 16 << transfer.exponent, payload.count)
                transfer.underWay = transfer.sent..<end
                let block = BlockOption(
                    number: transfer.sent >> (transfer.exponent + 4),
                    hasMore: end < payload.count,
                    exponent: transfer.exponent
                )
                block.write(.block1, to: &options)
                if transfer.sent == 0 { options.append(.size1, unsigned: UInt64(payload.count)) }
                payload = Array(payload[transfer.underWay])
            }
        }
        return OutgoingMessage(
            code: request.method,
            token: CoAPToken(number: pending.token),
            options: options,
            payload: payload
        )
    }

    func answerTimedOut(_ token: UInt32, _ slot: Int) {
        guard let request = self.sessions[slot].requests.first(where: { $0.token == token }),
            request.isAcknowledged, !request.isEstablished
        else { return }
        self.failed(.request(token), .timedOut, slot)
    }

    // MARK: Answers

    /// - Returns: false when the peer is to be told that the answer is not wanted.
    func answerReceived(_ answer: OpaquePointer, on session: OpaquePointer, in context: TransportContext) -> Bool {
        guard let slot = self.slot(of: session), self.sessions[slot].state == .open else { return true }
        guard let token = LibraryMessage.ownToken(of: answer),
            let index = self.sessions[slot].requests.firstIndex(where: { $0.token == token })
        else {
            self.counters.unexpectedAnswers += 1
            return coap_pdu_get_type(answer) == COAP_MESSAGE_ACK
        }
        let response = CoAPResponse(
            CoAPCode(rawValue: UInt8(truncatingIfNeeded: coap_pdu_get_code(answer).rawValue)),
            options: LibraryMessage.options(of: answer),
            payload: LibraryMessage.payload(of: answer)
        )
        let handle = self.handle(slot)
        // The answer acknowledges the request, even when it overtook the acknowledgement.
        var wasActive = false
        if case .request(token) = self.sessions[slot].active?.kind { wasActive = true }
        self.answerArrived(response, at: index, slot)
        if wasActive, self.slot(of: handle) != nil, case .request(token) = self.sessions[slot].active?.kind {
            self.finishActive(slot)
        }
        return true
    }

    private func answerArrived(_ response: CoAPResponse, at index: Int, _ slot: Int) {
        var pending = self.sessions[slot].requests[index]
        if let transfer = pending.transfer, transfer.underWay.upperBound > 0,
            self.wantsNextBlock(response, transfer, of: pending.request)
        {
            self.sendNext(&pending, at: index, slot)
            return
        }
        switch BlockOption.read(.block2, in: response.options) {
        case .malformed:
            self.finish(index, slot, nil)
        case .absent:
            self.finish(index, slot, pending.isContinuation ? nil : response)
        case .block(let block):
            self.blockArrived(block, response, &pending, at: index, slot)
        }
    }

    /// Whether the peer took a block of the request's body and there is more of it.
    private func wantsNextBlock(_ response: CoAPResponse, _ transfer: BlockTransfer, of request: CoAPRequest) -> Bool {
        let block: BlockOption?
        if case .block(let read) = BlockOption.read(.block1, in: response.options) { block = read } else { block = nil }
        if response.code == .requestEntityTooLarge, transfer.sent == 0, let block, block.exponent < transfer.exponent {
            // RFC 7959, section 2.9.3: the peer wants smaller blocks.
            transfer.exponent = block.exponent
            return true
        }
        guard response.code == .continue, transfer.underWay.upperBound < request.payload.count else { return false }
        transfer.sent = transfer.underWay.upperBound
        if let block, block.exponent < transfer.exponent { transfer.exponent = block.exponent }
        return true
    }

    private func sendNext(_ pending: inout PendingRequest, at index: Int, _ slot: Int) {
        // The message under way is done with, so that the next one need not wait for it.
        let old = pending.token
        pending.token = self.newToken(slot)
        pending.isAcknowledged = false
        let message = self.message(for: &pending)
        self.sessions[slot].requests[index] = pending
        let handle = self.handle(slot)
        if case .request(old) = self.sessions[slot].active?.kind { self.finishActive(slot) }
        guard self.slot(of: handle) != nil else { return }
        if !self.sendConfirmable(message, .request(pending.token), on: slot) {
            self.failed(.request(pending.token), .notSent, slot)
        }
    }

    private func blockArrived(
        _ block: BlockOption,
        _ response: CoAPResponse,
        _ pending: inout PendingRequest,
        at index: Int,
        _ slot: Int
    ) {
        if block.number == 0, !block.hasMore {
            self.finish(
                index,
                slot,
                CoAPResponse(response.code, options: response.options.withoutBlocks, payload: response.payload)
            )
            return
        }
        if pending.isObservation, response.options.observe != nil {
            self.notificationBegan(block, response, pending, at: index, slot)
            return
        }
        let transfer =
            pending.transfer.map { $0.underWay.upperBound > 0 ? BlockTransfer(exponent: block.exponent) : $0 }
            ?? BlockTransfer(exponent: block.exponent)
        pending.transfer = transfer
        guard transfer.add(block, of: response, limit: self.configuration.maximumBodySize) else {
            self.finish(index, slot, nil)
            return
        }
        transfer.exponent = min(transfer.exponent, block.exponent)
        if block.hasMore {
            self.sendNext(&pending, at: index, slot)
        } else {
            self.finish(index, slot, transfer.whole(response))
        }
    }

    /// The first block of a large notification: the rest is asked for with a token of its own.
    private func notificationBegan(
        _ block: BlockOption,
        _ response: CoAPResponse,
        _ observation: PendingRequest,
        at index: Int,
        _ slot: Int
    ) {
        self.sessions[slot].requests[index].isEstablished = true
        self.sessions[slot].requests.removeAll { $0.isContinuation && $0.requestTag == observation.requestTag }
        let transfer = BlockTransfer(exponent: block.exponent)
        guard transfer.add(block, of: response, limit: self.configuration.maximumBodySize) else { return }
        var rest = PendingRequest(
            token: self.newToken(slot),
            requestTag: observation.requestTag,
            request: observation.request
        )
        rest.isContinuation = true
        rest.transfer = transfer
        let message = self.message(for: &rest)
        self.sessions[slot].requests.append(rest)
        let handle = self.handle(slot)
        if case .request(observation.token) = self.sessions[slot].active?.kind { self.finishActive(slot) }
        guard self.slot(of: handle) != nil else { return }
        _ = self.sendConfirmable(message, .request(rest.token), on: slot)
    }

    /// Reports an answer, or that it could not be put together.
    private func finish(_ index: Int, _ slot: Int, _ response: CoAPResponse?) {
        let pending = self.sessions[slot].requests[index]
        let handle = self.handle(slot)
        let tag = self.sessions[slot].tag
        if pending.isObservation, let response, response.options.observe != nil {
            self.sessions[slot].requests[index].isEstablished = true
        } else {
            self.sessions[slot].requests.remove(at: index)
        }
        if let response {
            self.onEvent(.responseReceived(handle, tag: tag, requestTag: pending.requestTag, response))
        } else if !pending.isContinuation {
            self.onEvent(.requestFailed(handle, tag: tag, requestTag: pending.requestTag, .malformedAnswer))
        }
    }
}

extension CoAPToken {
    /// A token of four bytes.
    init(number: UInt32) {
        self =
            CoAPToken([
                UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16),
                UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number),
            ]) ?? CoAPToken.empty
    }
}
