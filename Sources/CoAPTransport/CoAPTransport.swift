import CLibCoAP
import CLibCrypto
import CoAPMessages
import Glibc
import Primitives

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
    /// Plain sessions that are to be reported as connected.
    var plainOpened: [TransportSession] = []
    /// Sessions to be closed when the library has finished with them.
    var closing: [UInt32] = []
    /// How deep the library is calling us.
    var depth = 0
    var tokens: SeededGenerator
    var openSessions = 0
    /// Exchanges that are being handled, or wait for a separate answer.
    var exchanges: [UInt64: Exchange] = [:]
    var lastExchange: UInt64 = 0
    /// The exchange whose handler runs, and the library's answer to be filled.
    var current: (exchange: UInt64, message: OpaquePointer)?
    var nextPass = MonotonicTime(nanoseconds: .max)
    var timer = 0

    /// Creates a transport on a loop.
    ///
    /// - Throws: ``TransportError/outOfResources``; ``TransportError/unsupported`` when the CoAP library has no DTLS.
    public init(configuration: Configuration, loop: EventLoop) throws(TransportError) {
        CipherHook.install
        CipherHook.allowedSuites = CipherHook.mask(configuration.cipherSuites)
        CoAPLibrary.start
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
            deadline: { [unowned self] in self.nextDeadline },
            fire: { [unowned self] now in self.timePassed(now) }
        )
    }

    deinit {
        self.loop.removeTimer(self.timer)
        for context in self.contexts {
            self.loop.watch(descriptor: context.descriptor, readable: false, writable: false) { _, _ in }
            // From here on the library's calls find no owner.
            context.detach()
            for slot in self.sessions.indices where self.sessions[slot].context == context.index {
                guard let pointer = self.sessions[slot].pointer, self.sessions[slot].isClient else { continue }
                coap_session_set_app_data(pointer, nil)
                coap_session_release(pointer)
            }
            context.free()
        }
        coap_free_context(self.emptyContext)
        self.libraryEvents.deallocate()
    }

    /// The record of a handle; nil when it is stale.
    func slot(of session: TransportSession) -> Int? {
        let slot = Int(session.slot)
        guard slot < self.sessions.count, self.sessions[slot].generation == session.generation,
            self.sessions[slot].pointer != nil
        else { return nil }
        return slot
    }

    func handle(_ slot: Int) -> TransportSession {
        TransportSession(slot: UInt32(slot), generation: self.sessions[slot].generation)
    }

    /// The slot of a session of the library.
    func slot(of pointer: OpaquePointer) -> Int? {
        guard let data = coap_session_get_app_data(pointer) else { return nil }
        let slot = Int(bitPattern: data) - 1
        guard self.sessions.indices.contains(slot), self.sessions[slot].pointer == pointer else { return nil }
        return slot
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
        let generation = self.sessions[slot].generation
        self.sessions[slot] = SessionRecord()
        self.sessions[slot].generation = generation
        self.sessions[slot].pointer = pointer
        self.sessions[slot].context = context.index
        self.sessions[slot].isClient = isClient
        self.sessions[slot].state = .opening
        self.openSessions += 1
        coap_session_set_app_data(pointer, UnsafeMutableRawPointer(bitPattern: slot + 1))
        return slot
    }

    /// Gives a place back; handles to it go stale.
    func releaseSlot(_ slot: Int) {
        let generation = self.sessions[slot].generation
        self.sessions[slot] = SessionRecord()
        self.sessions[slot].generation = generation &+ 1
        self.freeSlots.append(UInt32(slot))
        self.openSessions -= 1
    }

    /// Makes a context and watches it.
    func addContext(listener: Listener?) throws(TransportError) -> TransportContext {
        guard let context = TransportContext(transport: self, index: Int32(self.contexts.count), listener: listener)
        else { throw .outOfResources }
        self.contexts.append(context)
        self.loop.watch(descriptor: context.descriptor, readable: true, writable: false) {
            [unowned self, unowned context] _, _ in
            self.contextIsReady(context)
        }
        return context
    }
}
