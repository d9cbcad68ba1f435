import CLibCoAP
import CLibCrypto
import CoAPMessages
import Primitives

#if canImport(Glibc)
    import Glibc
#endif

/// CoAP over UDP and DTLS for thousands of sessions on one event loop.
public final class CoAPTransport {
    /// Called once for everything that happens, inside ``EventLoop/turn(until:)``.
    public var onEvent: (TransportEvent) -> Void = { _ in }

    /// What was seen since the transport was created.
    public internal(set) var counters = TransportCounters()

    let configuration: Configuration
    let loop: EventLoop
    /// A context without sessions: the library's work on events is done in its name, which skips a scan of the sessions.
    let emptyContext: OpaquePointer
    let libraryEvents: UnsafeMutablePointer<epoll_event>
    var contexts: [TransportContext] = []
    var sessions: [SessionRecord] = []
    var freeSlots: [UInt32] = []
    var openSessions = 0

    /// Plain sessions that are to be reported as connected.
    var plainOpened: [TransportSession] = []
    /// Sessions to be freed when the library has finished with them.
    var closing: [TransportSession] = []
    /// How deep the library is calling us.
    var depth = 0
    /// The socket whose event the library works on.
    var currentSocket: UnsafeMutableRawPointer?

    var tokens: SeededGenerator
    /// Requests of peers that wait for an answer that was not ready in time.
    var exchanges: [UInt64: Exchange] = [:]
    var lastExchange: UInt64 = 0
    /// The exchange that is being reported, and its answer when it came at once.
    var current: (number: UInt64, exchange: Exchange)?
    var currentAnswer: CoAPResponse?
    /// Bytes of unfinished and served bodies, all sessions together.
    var bodyBytes = 0

    var nextPass: MonotonicTime?
    var nextSweep: MonotonicTime?
    var handshakes = Deadlines<TransportSession>()
    var answers = Deadlines<(session: TransportSession, token: UInt32)>()
    var timer = 0

    /// What people should know about the CoAP library that was found; nil when it is the version this was proven with.
    ///
    /// With another version every loop turn is the library's own, in contexts of at most 64 sessions: slower, but it
    /// relies on nothing that the library does not promise.
    public static var libraryNotice: StaticString? {
        CoAPLibrary.isProven
            ? nil
            : "this is not libcoap 4.3.1: sessions are served the plain way, at most 64 to a context, which is slower"
    }

    /// Creates a transport on a loop.
    ///
    /// - Throws: ``TransportError/outOfResources``; ``TransportError/unsupported`` when the CoAP library has no DTLS.
    public init(configuration: Configuration, loop: EventLoop) throws(TransportError) {
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        // Before the hook: the first allocation of OpenSSL settles where its memory comes from.
        if configuration.compactsTLSMemory { CipherHook.limitsFragments = TLSMemory.isInstalled }
        CipherHook.install
        CoAPLibrary.start
        if configuration.lossPercent > 0 { DatagramLoss.loseSent(percent: configuration.lossPercent) }
        guard coap_dtls_is_supported() == 1 else { throw .unsupported }
        guard let emptyContext = coap_new_context(nil) else { throw .outOfResources }
        self.configuration = configuration
        self.loop = loop
        self.emptyContext = emptyContext
        self.libraryEvents = .allocate(capacity: TransportContext.batch)
        var seed: UInt64 = 0
        withUnsafeMutableBytes(of: &seed) { _ = RAND_bytes($0.bindMemory(to: UInt8.self).baseAddress, 8) }
        self.tokens = SeededGenerator(seed: seed)
        self.timer = loop.addTimer(
            deadline: { [unowned(unsafe) self] in self.nextDeadline },
            fire: { [unowned(unsafe) self] now in self.timePassed(now) }
        )
    }

    deinit {
        LibraryLock.acquire()
        defer { LibraryLock.release() }
        self.loop.removeTimer(self.timer)
        for context in self.contexts {
            self.loop.watch(descriptor: context.descriptor, readable: false, writable: false) { _, _ in }
            // From here on the library's calls find no owner.
            context.detach()
            for slot in context.slots where self.sessions[Int(slot)].isClient {
                guard let pointer = self.sessions[Int(slot)].pointer else { continue }
                coap_session_release(pointer)
            }
            context.free()
        }
        coap_free_context(self.emptyContext)
        self.libraryEvents.deallocate()
    }

    // MARK: The table of sessions

    /// The place of a session; nil when the handle is stale.
    func slot(of session: TransportSession) -> Int? {
        let slot = Int(session.slot)
        guard slot < self.sessions.count, self.sessions[slot].generation == session.generation,
            self.sessions[slot].pointer != nil
        else { return nil }
        return slot
    }

    /// The place of a session that can send.
    func openSlot(of session: TransportSession) -> (slot: Int, pointer: OpaquePointer)? {
        guard let slot = self.slot(of: session), self.sessions[slot].state == .open,
            let pointer = self.sessions[slot].pointer
        else { return nil }
        return (slot, pointer)
    }

    func handle(_ slot: Int) -> TransportSession {
        TransportSession(slot: UInt32(slot), generation: self.sessions[slot].generation)
    }

    /// The place of a session of the library.
    func slot(of pointer: OpaquePointer) -> Int? {
        guard let data = coap_session_get_app_data(pointer) else { return nil }
        let slot = Int(bitPattern: data) - 1
        guard self.sessions.indices.contains(slot), self.sessions[slot].pointer == pointer else { return nil }
        return slot
    }

    func context(of slot: Int) -> TransportContext {
        self.contexts[Int(self.sessions[slot].context)]
    }

    func rareState(_ slot: Int) -> RareState {
        if let state = self.sessions[slot].rare { return state }
        let state = RareState()
        self.sessions[slot].rare = state
        return state
    }

    /// Takes a place in the table for a session of the library.
    func takeSlot(_ pointer: OpaquePointer, in context: TransportContext, isClient: Bool) -> Int {
        let slot: Int
        if let free = self.freeSlots.popLast() {
            slot = Int(free)
        } else {
            slot = self.sessions.count
            self.sessions.append(SessionRecord())
        }
        self.sessions[slot].pointer = pointer
        self.sessions[slot].context = context.index
        self.sessions[slot].position = Int32(context.slots.count)
        self.sessions[slot].isClient = isClient
        self.sessions[slot].state = .opening
        context.slots.append(UInt32(slot))
        self.openSessions += 1
        coap_session_set_app_data(pointer, UnsafeMutableRawPointer(bitPattern: slot + 1))
        self.prepare(pointer)
        return slot
    }

    /// Gives a place back; handles to it go stale.
    func releaseSlot(_ slot: Int) {
        let record = self.sessions[slot]
        if let pointer = record.pointer { coap_session_set_app_data(pointer, nil) }
        let context = self.contexts[Int(record.context)]
        let position = Int(record.position)
        let last = context.slots.removeLast()
        if position < context.slots.count {
            context.slots[position] = last
            self.sessions[Int(last)].position = record.position
        }
        if record.waitingExchanges > 0 {
            let handle = self.handle(slot)
            for (number, exchange) in self.exchanges where exchange.session == handle {
                self.exchanges.removeValue(forKey: number)
            }
        }
        self.forgetBodies(slot)
        self.sessions[slot] = SessionRecord()
        self.sessions[slot].generation = record.generation &+ 1
        self.freeSlots.append(UInt32(slot))
        self.openSessions -= 1
    }

    /// Makes a context and watches it.
    func addContext(listener: Listener?) throws(TransportError) -> TransportContext {
        CipherHook.allowedSuites = CipherHook.mask(self.configuration.cipherSuites)
        guard let context = TransportContext(transport: self, index: Int32(self.contexts.count), listener: listener)
        else { throw .outOfResources }
        self.contexts.append(context)
        self.loop.watch(descriptor: context.descriptor, readable: true, writable: false) {
            [unowned(unsafe) self, unowned(unsafe) context] _, _ in
            self.contextIsReady(context)
        }
        return context
    }
}
