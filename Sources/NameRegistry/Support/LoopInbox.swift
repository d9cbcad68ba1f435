internal import CLDNS
internal import CoAPTransport
internal import Glibc
internal import Synchronization

/// Brings values from any thread into a later turn of the loop.
///
/// It lives and goes on the loop's thread; only ``post(_:)`` may be called from others, and not after its end.
final class LoopInbox<Item: Sendable>: @unchecked Sendable {
    // Unchecked: `loop` and `take` are touched on the loop's thread only, the rest is constant or locked.
    private let loop: EventLoop
    private let bell: Int32
    private let items = Mutex<[Item]>([])
    /// Called with everything that has come, in its order.
    var take: ([Item]) -> Void = { _ in }

    /// Creates an empty inbox; nil when the system has no descriptor left.
    init?(loop: EventLoop) {
        self.bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        self.loop = loop
        guard self.bell >= 0 else { return nil }
        let bell = self.bell
        loop.watch(descriptor: bell, readable: true, writable: false) { [unowned self] _, _ in
            var count: UInt64 = 0
            _ = read(bell, &count, 8)
            let arrived = self.items.withLock { items in
                defer { items = [] }
                return items
            }
            if !arrived.isEmpty { self.take(arrived) }
        }
    }

    deinit {
        guard self.bell >= 0 else { return }
        self.loop.watch(descriptor: self.bell, readable: false, writable: false) { _, _ in }
        close(self.bell)
    }

    func post(_ item: Item) {
        self.items.withLock { $0.append(item) }
        var one: UInt64 = 1
        _ = write(self.bell, &one, 8)
    }
}
