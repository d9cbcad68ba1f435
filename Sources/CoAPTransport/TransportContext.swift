import CLibCoAP
import Primitives

#if canImport(Glibc)
    import Glibc
#endif

/// One context of the CoAP library: some hundred client sessions, or one listening address.
final class TransportContext {
    /// How many events of the library's epoll are taken at once.
    static let batch = 256

    let pointer: OpaquePointer
    let index: Int32
    let descriptor: Int32
    unowned(unsafe) let transport: CoAPTransport
    /// The slots of the sessions in it.
    var slots: [UInt32] = []
    /// Sessions whose active message may have been acknowledged; looked at after every event.
    var unacknowledged: [UInt32] = []
    var sessionCount: Int { self.slots.count }
    /// Handshakes and confirmable messages under way: while there are any, its timers are looked after often.
    var pending = 0
    /// Whether a notification that wanted no acknowledgement was sent, which only a Reset without a name refuses.
    var mayBeRefused = false
    let listener: Listener?

    /// - Returns: nil when the system has no memory or descriptor left.
    init?(transport: CoAPTransport, index: Int32, listener: Listener?) {
        guard let pointer = CipherHook.makeContext() else { return nil }
        self.pointer = pointer
        self.index = index
        self.descriptor = coap_context_get_coap_fd(pointer)
        self.transport = transport
        self.listener = listener
        coap_set_app_data(pointer, Unmanaged.passUnretained(self).toOpaque())
        TransportCallbacks.register(on: pointer)
    }

    func detach() {
        coap_set_app_data(self.pointer, nil)
    }

    func free() {
        coap_free_context(self.pointer)
    }

    /// The context that a callback is about.
    static func of(_ session: OpaquePointer) -> TransportContext? {
        guard let context = coap_session_get_context(session), let data = coap_get_app_data(context) else { return nil }
        return Unmanaged<TransportContext>.fromOpaque(data).takeUnretainedValue()
    }
}

/// A listening address.
final class Listener {
    let lookup: ((_ identity: [UInt8]) -> SecretBytes?)?
    /// Lent to the library for the length of one handshake step.
    let key: UnsafeMutablePointer<UInt8> = .allocate(capacity: Listener.keyCapacity)
    let answer: UnsafeMutablePointer<coap_bin_const_t> = .allocate(capacity: 1)

    static let keyCapacity = 64

    init(lookup: ((_ identity: [UInt8]) -> SecretBytes?)?) {
        self.lookup = lookup
        self.key.initialize(repeating: 0, count: Listener.keyCapacity)
        self.answer.initialize(to: coap_bin_const_t())
    }

    deinit {
        self.wipe()
        self.key.deallocate()
        self.answer.deallocate()
    }

    func wipe() {
        for index in 0..<Listener.keyCapacity { self.key[index] = 0 }
    }
}
