import CLibCoAP
import CoAPMessages
import Glibc
import Primitives

extension CoAPTransport {
    /// How often contexts with something under way have their timers looked at.
    private static let passInterval: Duration = .milliseconds(250)

    var nextDeadline: MonotonicTime? {
        if !self.plainOpened.isEmpty || !self.closing.isEmpty { return .zero }
        return self.nextPass.nanoseconds == .max ? nil : self.nextPass
    }

    /// Something of a context began that the library times: a handshake or a confirmable message.
    func beginPending(in context: TransportContext) {
        context.pending += 1
        if self.nextPass.nanoseconds == .max {
            self.nextPass = self.loop.now.advanced(by: CoAPTransport.passInterval)
        }
    }

    func endPending(in context: TransportContext) {
        if context.pending > 0 { context.pending -= 1 }
    }

    /// Takes the events of a context's own epoll and has them worked on.
    func contextIsReady(_ context: TransportContext) {
        self.depth += 1
        if CoAPLibrary.isProven {
            let count = epoll_wait(context.descriptor, self.libraryEvents, Int32(TransportContext.batch), 0)
            if count > 0 {
                var timerFired = false
                // The library's own timer has no socket behind it.
                for index in 0..<Int(count) where self.libraryEvents[index].data.ptr == nil { timerFired = true }
                coap_io_do_epoll(self.emptyContext, self.libraryEvents, Int(count))
                if timerFired { coap_io_process(context.pointer, CoAPLibrary.noWait) }
            }
        } else {
            coap_io_process(context.pointer, CoAPLibrary.noWait)
        }
        self.depth -= 1
        self.finishBatch()
    }

    /// What waited for the library to finish.
    func finishBatch() {
        guard self.depth == 0 else { return }
        while let slot = self.closing.popLast() { self.freeSession(Int(slot)) }
    }

    func timePassed(_ now: MonotonicTime) {
        let opened = self.plainOpened
        self.plainOpened.removeAll(keepingCapacity: true)
        for session in opened {
            guard let slot = self.slot(of: session), self.sessions[slot].state == .opening else { continue }
            self.sessions[slot].state = .open
            self.onEvent(.sessionConnected(session, tag: self.sessions[slot].tag))
        }
        if self.nextPass <= now {
            let ticks = CoAPLibrary.ticks
            var anyPending = false
            self.depth += 1
            for context in self.contexts where context.pending > 0 {
                anyPending = true
                _ = coap_io_prepare_epoll(context.pointer, ticks)
            }
            self.depth -= 1
            self.nextPass =
                anyPending ? now.advanced(by: CoAPTransport.passInterval) : MonotonicTime(nanoseconds: .max)
        }
        self.finishBatch()
    }

    func eventOccurred(_ event: coap_event_t, on session: OpaquePointer, in context: TransportContext) {
        switch event {
        case COAP_EVENT_DTLS_CONNECTED:
            guard let slot = self.slot(of: session) else { return }
            self.handshakeFinished(slot, in: context)
        case COAP_EVENT_DTLS_CLOSED:
            guard let slot = self.slot(of: session) else { return }
            self.sessionEnded(slot, self.sessions[slot].state == .opening ? .handshakeRefused : .closed)
        case COAP_EVENT_DTLS_ERROR:
            guard let slot = self.slot(of: session) else { return }
            self.sessions[slot].handshakeFailed = true
            self.sessionEnded(slot, self.sessions[slot].state == .opening ? .handshakeRefused : .closed)
        case COAP_EVENT_SERVER_SESSION_NEW:
            guard context.listener != nil else { return }
            let slot = self.takeSlot(session, in: context, isClient: false)
            self.sessions[slot].isSecured = context.listener?.lookup != nil
            if self.sessions[slot].isSecured { self.beginPending(in: context) }
        case COAP_EVENT_SERVER_SESSION_DEL:
            guard let slot = self.slot(of: session) else { return }
            self.sessionEnded(slot, .closed)
            coap_session_set_app_data(session, nil)
            self.releaseSlot(slot)
        default:
            break
        }
    }

    private func handshakeFinished(_ slot: Int, in context: TransportContext) {
        guard self.sessions[slot].state == .opening else { return }
        self.sessions[slot].state = .open
        self.endPending(in: context)
        if self.sessions[slot].isClient {
            self.onEvent(.sessionConnected(self.handle(slot), tag: self.sessions[slot].tag))
        } else {
            self.reportAccepted(slot)
        }
    }

    func reportAccepted(_ slot: Int) {
        guard let pointer = self.sessions[slot].pointer else { return }
        self.sessions[slot].state = .open
        guard let address = coap_session_get_addr_remote(pointer), let peer = SocketAddress(address.pointee)
        else { return }
        var identity: [UInt8]?
        if self.sessions[slot].isSecured, let bytes = coap_session_get_psk_identity(pointer) {
            identity = Array(UnsafeBufferPointer(start: bytes.pointee.s, count: bytes.pointee.length))
        }
        self.onEvent(.sessionAccepted(self.handle(slot), peer: peer, identity: identity))
    }

    /// Reports the end of a session and has it freed.
    func sessionEnded(_ slot: Int, _ failure: SessionFailure) {
        guard self.sessions[slot].state != .free, !self.sessions[slot].isSilent else { return }
        let wasReported = self.sessions[slot].isClient || self.sessions[slot].state == .open
        self.sessions[slot].isSilent = true
        let tag = self.sessions[slot].tag
        let handle = self.handle(slot)
        if self.sessions[slot].state == .opening, self.sessions[slot].isSecured {
            self.endPending(in: self.contexts[Int(self.sessions[slot].context)])
        }
        let requests = self.sessions[slot].requests
        self.sessions[slot].requests = []
        for request in requests {
            if !request.isAnswered {
                self.onEvent(
                    .requestFailed(handle, tag: tag, requestTag: request.requestTag, .sessionClosed)
                )
            }
        }
        if self.sessions[slot].isClient { self.closing.append(UInt32(slot)) }
        self.sessions[slot].state = .closing
        if wasReported { self.onEvent(.sessionClosed(handle, tag: tag, failure)) }
    }

    /// Frees a session of the library, which tells the peer.
    func freeSession(_ slot: Int) {
        guard let pointer = self.sessions[slot].pointer else { return }
        let context = self.contexts[Int(self.sessions[slot].context)]
        self.depth += 1
        if self.sessions[slot].isClient {
            context.sessionCount -= 1
            coap_session_set_app_data(pointer, nil)
            self.releaseSlot(slot)
            coap_session_release(pointer)
        } else if coap_session_set_type_client(pointer) == 1 {
            coap_session_set_app_data(pointer, nil)
            self.releaseSlot(slot)
            coap_session_release(pointer)
        }
        self.depth -= 1
    }
}
