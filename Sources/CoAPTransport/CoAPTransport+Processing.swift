import CLibCoAP
import CoAPMessages
import Primitives

#if canImport(Glibc)
    import Glibc
#endif

extension CoAPTransport {
    /// How often contexts with something under way have their timers looked at.
    private static let passInterval: Duration = .milliseconds(250)
    /// How often idle sessions of listening addresses and unfinished bodies are looked for.
    private static let sweepInterval: Duration = .seconds(5)

    var nextDeadline: MonotonicTime? {
        if !self.plainOpened.isEmpty || !self.closing.isEmpty { return .zero }
        var deadline = self.nextPass
        for time in [self.nextSweep, self.handshakes.first, self.answers.first] {
            guard let time else { continue }
            deadline = deadline.map { min($0, time) } ?? time
        }
        return deadline
    }

    /// Something of a context began that the library times: a handshake or a confirmable message.
    func beginPending(in context: TransportContext) {
        context.pending += 1
        if self.nextPass == nil { self.nextPass = self.loop.now.advanced(by: CoAPTransport.passInterval) }
    }

    func endPending(in context: TransportContext) {
        if context.pending > 0 { context.pending -= 1 }
    }

    func scheduleSweep() {
        if self.nextSweep == nil { self.nextSweep = self.loop.now.advanced(by: CoAPTransport.sweepInterval) }
    }

    /// Takes the events of a context's own epoll and has them worked on.
    func contextIsReady(_ context: TransportContext) {
        let warnings = CoAPLibrary.warnings
        self.depth += 1
        if CoAPLibrary.isProven {
            let count = epoll_wait(context.descriptor, self.libraryEvents, Int32(TransportContext.batch), 0)
            var timerFired = false
            // The library's own timer has no socket behind it.
            for index in stride(from: 0, to: Int(count), by: 1) where self.libraryEvents[index].data.ptr == nil {
                timerFired = true
            }
            if !context.mayBeRefused {
                if count > 0 { coap_io_do_epoll(self.emptyContext, self.libraryEvents, Int(count)) }
            } else {
                self.processOneByOne(Int(count), in: context)
            }
            if timerFired { coap_io_process(context.pointer, CoAPLibrary.noWait) }
        } else {
            coap_io_process(context.pointer, CoAPLibrary.noWait)
        }
        self.depth -= 1
        if !CoAPLibrary.resets.isEmpty { CoAPLibrary.resets.removeAll(keepingCapacity: true) }
        if !context.unacknowledged.isEmpty { self.takeAcknowledgements(in: context) }
        self.countWarnings(since: warnings)
        self.finishBatch()
    }

    /// Has the events worked on one after another, so that it is known which session a Reset came on.
    private func processOneByOne(_ count: Int, in context: TransportContext) {
        for index in stride(from: 0, to: count, by: 1) {
            guard let socket = self.libraryEvents[index].data.ptr else { continue }
            self.currentSocket = socket
            coap_io_do_epoll(self.emptyContext, self.libraryEvents + index, 1)
            if !CoAPLibrary.resets.isEmpty { self.takeResets(in: context) }
        }
        self.currentSocket = nil
    }

    private func countWarnings(since before: CoAPLibrary.Warnings) {
        self.counters.libraryWarnings += CoAPLibrary.warnings.all - before.all
        self.counters.malformedDatagrams += CoAPLibrary.warnings.malformed - before.malformed
        self.counters.unknownCriticalOptions += CoAPLibrary.warnings.criticalOptions - before.criticalOptions
    }

    /// What waited for the library to finish.
    func finishBatch() {
        guard self.depth == 0 else { return }
        while let session = self.closing.popLast() {
            if let slot = self.slot(of: session) { self.freeSession(slot) }
        }
    }

    func timePassed(_ now: MonotonicTime) {
        self.reportPlainSessions()
        if let time = self.nextPass, time <= now { self.pass(now) }
        while let session = self.handshakes.pop(until: now) {
            guard let slot = self.slot(of: session), self.sessions[slot].state == .opening else { continue }
            self.handshakeTimedOut(slot)
        }
        while let waiting = self.answers.pop(until: now) {
            guard let slot = self.slot(of: waiting.session) else { continue }
            self.answerTimedOut(waiting.token, slot)
        }
        if let time = self.nextSweep, time <= now { self.sweep(now) }
        self.finishBatch()
    }

    private func reportPlainSessions() {
        guard !self.plainOpened.isEmpty else { return }
        let opened = self.plainOpened
        self.plainOpened.removeAll(keepingCapacity: true)
        for session in opened {
            guard let slot = self.slot(of: session), self.sessions[slot].state == .opening else { continue }
            self.sessions[slot].state = .open
            self.onEvent(.sessionConnected(session, tag: self.sessions[slot].tag))
        }
    }

    /// Lets the library send again what was lost, wherever something is under way.
    private func pass(_ now: MonotonicTime) {
        let ticks = CoAPLibrary.ticks
        var isAnyPending = false
        self.depth += 1
        for context in self.contexts where context.pending > 0 {
            isAnyPending = true
            _ = coap_io_prepare_epoll(context.pointer, ticks)
        }
        self.depth -= 1
        for context in self.contexts where !context.unacknowledged.isEmpty { self.takeAcknowledgements(in: context) }
        self.nextPass = isAnyPending ? now.advanced(by: CoAPTransport.passInterval) : nil
    }

    private func sweep(_ now: MonotonicTime) {
        let ticks = CoAPLibrary.ticks
        self.depth += 1
        for context in self.contexts where context.listener != nil {
            context.listener?.wipe()
            _ = coap_io_prepare_epoll(context.pointer, ticks)
        }
        self.depth -= 1
        if self.bodyBytes > 0 { self.dropExpiredBodies(now) }
        let isNeeded = self.bodyBytes > 0 || self.contexts.contains { $0.listener != nil }
        self.nextSweep = isNeeded ? now.advanced(by: CoAPTransport.sweepInterval) : nil
    }

    // MARK: Sessions come and go

    func eventOccurred(_ event: coap_event_t, on session: OpaquePointer, in context: TransportContext) {
        if event == COAP_EVENT_SERVER_SESSION_NEW {
            if context.listener != nil { self.sessionAppeared(session, in: context) }
            return
        }
        guard let slot = self.slot(of: session) else { return }
        switch event {
        case COAP_EVENT_DTLS_CONNECTED:
            self.handshakeFinished(slot, in: context)
        case COAP_EVENT_DTLS_CLOSED, COAP_EVENT_DTLS_ERROR:
            guard self.sessions[slot].state == .opening else {
                self.sessionEnded(slot, .closed)
                return
            }
            self.counters.failedHandshakes += 1
            let wasRefused = event == COAP_EVENT_DTLS_ERROR || HandshakeProgress.hasServerAnswered(session)
            self.sessionEnded(slot, wasRefused ? .handshakeRefused : .unreachable)
        case COAP_EVENT_SERVER_SESSION_DEL:
            // With every place taken, the library has the peer that was silent longest make room for a new one.
            if self.openSessions >= self.configuration.maximumSessions { self.counters.refusedSessions += 1 }
            self.sessionEnded(slot, .closed)
            self.releaseSlot(slot)
        default:
            break
        }
    }

    private func sessionAppeared(_ session: OpaquePointer, in context: TransportContext) {
        if self.openSessions >= self.configuration.maximumSessions { self.counters.refusedSessions += 1 }
        let slot = self.takeSlot(session, in: context, isClient: false)
        self.sessions[slot].isSecured = context.listener?.lookup != nil
        if self.sessions[slot].isSecured { self.beginHandshake(slot, in: context) }
    }

    func beginHandshake(_ slot: Int, in context: TransportContext) {
        self.beginPending(in: context)
        self.handshakes.append(
            self.handle(slot),
            at: self.loop.now.advanced(by: self.configuration.handshakeTimeout)
        )
    }

    private func handshakeFinished(_ slot: Int, in context: TransportContext) {
        guard self.sessions[slot].state == .opening else { return }
        self.sessions[slot].state = .open
        if let buffer = self.sessions[slot].handshakeBuffer {
            TLSMemory.discard(buffer)
            self.sessions[slot].handshakeBuffer = nil
        }
        self.endPending(in: context)
        if self.sessions[slot].isClient {
            self.onEvent(.sessionConnected(self.handle(slot), tag: self.sessions[slot].tag))
        } else {
            self.reportAccepted(slot)
        }
    }

    private func handshakeTimedOut(_ slot: Int) {
        var failure = SessionFailure.unreachable
        if self.sessions[slot].isClient {
            // A server that answered and then fell silent could not read our last message: the key is wrong.
            if let pointer = self.sessions[slot].pointer, HandshakeProgress.hasServerAnswered(pointer) {
                failure = .handshakeRefused
                self.counters.wrongKeys += 1
            }
        } else if self.sessions[slot].hasNamedIdentity {
            self.counters.wrongKeys += 1
        }
        self.counters.failedHandshakes += 1
        self.sessionEnded(slot, failure)
    }

    func reportAccepted(_ slot: Int) {
        guard let pointer = self.sessions[slot].pointer, let address = coap_session_get_addr_remote(pointer),
            let peer = SocketAddress(address.pointee)
        else { return }
        self.sessions[slot].state = .open
        var identity: [UInt8]?
        if self.sessions[slot].isSecured, let bytes = coap_session_get_psk_identity(pointer) {
            identity = Array(UnsafeBufferPointer(start: bytes.pointee.s, count: bytes.pointee.length))
        }
        self.onEvent(.sessionAccepted(self.handle(slot), peer: peer, identity: identity))
    }

    /// Reports the end of a session and has it freed.
    func sessionEnded(_ slot: Int, _ failure: SessionFailure) {
        guard self.sessions[slot].state != .free, self.sessions[slot].state != .closing else { return }
        let record = self.sessions[slot]
        let handle = self.handle(slot)
        self.endQuietly(slot)
        self.closing.append(handle)
        for request in record.requests where !request.isEstablished && !request.isContinuation {
            self.onEvent(.requestFailed(handle, tag: record.tag, requestTag: request.requestTag, .sessionClosed))
        }
        if record.isClient || record.state == .open {
            self.onEvent(.sessionClosed(handle, tag: record.tag, failure))
        }
    }

    /// Makes a session one that no event is about any more.
    func endQuietly(_ slot: Int) {
        let context = self.context(of: slot)
        if self.sessions[slot].state == .opening, self.sessions[slot].isSecured { self.endPending(in: context) }
        if self.sessions[slot].active != nil {
            self.sessions[slot].active = nil
            self.endPending(in: context)
        }
        self.sessions[slot].requests = []
        self.sessions[slot].state = .closing
    }

    /// Frees a session of the library, which tells the peer.
    private func freeSession(_ slot: Int) {
        guard let pointer = self.sessions[slot].pointer else { return }
        let isClient = self.sessions[slot].isClient
        self.depth += 1
        self.releaseSlot(slot)
        // A session of a listening address is the library's own until it is made ours.
        if isClient || coap_session_set_type_client(pointer) == 1 { coap_session_release(pointer) }
        self.depth -= 1
    }
}
