internal import BalancerEngine
internal import CLDNS
internal import Glibc
internal import Synchronization

/// What a registry's thread is asked for.
enum RegistryRequest: Sendable {
    case apply(NameUpdate)
    case readEpoch
    case readNames
}

/// What it found.
enum RegistryValue: Sendable {
    case applied
    case epoch(RegistryEpoch?)
    case names([NameRecord])
}

typealias RegistryAnswer = Result<RegistryValue, RegistryFailure>

/// The end of one request.
struct RegistryReply: Sendable {
    let number: UInt64
    let answer: RegistryAnswer
    /// What it cost.
    var traffic = DynamicUpdateRegistry.Counters()
}

/// The thread on which a registry waits for its server; one request at a time, in their order.
final class RegistryWorker: Sendable {
    private struct Queue {
        var requests: [(number: UInt64, request: RegistryRequest)] = []
        var isStopping = false
    }

    private let zone: SignedZone
    private let deliver: @Sendable (RegistryReply) -> Void
    private let queue = Mutex(Queue())
    /// Counts what waits.
    private let bell: Int32
    /// Readable from the moment at which everything must end.
    private let stopBell: Int32
    private let thread: Mutex<pthread_t?> = Mutex(nil)

    /// Starts the thread.
    ///
    /// - Parameter deliver: called on the thread.
    init(zone: SignedZone, deliver: @escaping @Sendable (RegistryReply) -> Void) throws(RegistrySetupError) {
        self.zone = zone
        self.deliver = deliver
        self.bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        self.stopBell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard self.bell >= 0, self.stopBell >= 0, self.startThread() else { throw .outOfResources }
    }

    deinit {
        if self.bell >= 0 { close(self.bell) }
        if self.stopBell >= 0 { close(self.stopBell) }
    }

    func ask(_ request: RegistryRequest, number: UInt64) {
        self.queue.withLock { $0.requests.append((number, request)) }
        RegistryWorker.ring(self.bell)
    }

    /// Ends what is under way and the thread; nothing is delivered afterwards.
    func stop() {
        self.queue.withLock { $0.isStopping = true }
        RegistryWorker.ring(self.stopBell)
        if let thread = self.thread.withLock({ $0.take() }) { pthread_join(thread, nil) }
    }

    private static func ring(_ bell: Int32) {
        var one: UInt64 = 1
        _ = write(bell, &one, 8)
    }

    private func startThread() -> Bool {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<RegistryWorker>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            },
            context.toOpaque()
        )
        guard status == 0 else {
            context.release()
            return false
        }
        self.thread.withLock { $0 = thread }
        return true
    }

    private func run() {
        while true {
            var polled = [
                pollfd(fd: self.bell, events: Int16(POLLIN), revents: 0),
                pollfd(fd: self.stopBell, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&polled, 2, -1)
            var count: UInt64 = 0
            _ = read(self.bell, &count, 8)
            while let (number, request) = self.next() {
                var exchange = SignedExchange(zone: self.zone, stopBell: self.stopBell)
                let answer = exchange.perform(request)
                guard !self.isStopping else { return }
                self.deliver(RegistryReply(number: number, answer: answer, traffic: exchange.traffic))
            }
            if self.isStopping { return }
        }
    }

    private var isStopping: Bool { self.queue.withLock { $0.isStopping } }

    private func next() -> (UInt64, RegistryRequest)? {
        self.queue.withLock { queue in
            queue.isStopping || queue.requests.isEmpty ? nil : queue.requests.removeFirst()
        }
    }
}
