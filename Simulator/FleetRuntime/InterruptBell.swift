import CoAPTransport
import Glibc
import Synchronization

/// Wakes the loop from a signal handler or another thread and counts how often it was rung.
///
/// A handler may only call what is safe in one: it writes a byte to a pipe, and the loop does the rest.
final class InterruptBell: Sendable {
    /// The descriptor that the signal handler writes to; -1 while no fleet listens.
    private static let signalled = Atomic<Int32>(-1)

    private let readEnd: Int32
    private let writeEnd: Int32

    init() throws(FleetRuntimeError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .outOfDescriptors }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        self.readEnd = ends[0]
        self.writeEnd = ends[1]
    }

    deinit {
        _ = Self.signalled.compareExchange(expected: self.writeEnd, desired: -1, ordering: .relaxed)
        close(self.readEnd)
        close(self.writeEnd)
    }

    /// Rings the bell.
    func ring() { Self.ring(self.writeEnd) }

    /// Rings whenever the process gets SIGINT or SIGTERM, from now on.
    func listenForSignals() {
        Self.signalled.store(self.writeEnd, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in InterruptBell.ring(InterruptBell.signalled.load(ordering: .relaxed)) }
        }
    }

    /// Leaves signals to the system again.
    func stopListening() {
        Self.signalled.store(-1, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }

    /// Calls a closure inside the loop, once for each time the bell was rung.
    func watch(on loop: EventLoop, _ body: @escaping () -> Void) {
        let descriptor = self.readEnd
        loop.watch(descriptor: descriptor, readable: true, writable: false) { _, _ in
            var bytes: [UInt8] = [0, 0, 0, 0]
            let count = read(descriptor, &bytes, bytes.count)
            for _ in stride(from: 0, to: count, by: 1) { body() }
        }
    }

    /// Stops calling.
    func unwatch(on loop: EventLoop) {
        loop.watch(descriptor: self.readEnd, readable: false, writable: false) { _, _ in }
    }

    private static func ring(_ descriptor: Int32) {
        guard descriptor >= 0 else { return }
        var byte: UInt8 = 1
        // A full pipe has been rung often enough. The interrupted code must find errno as it left it.
        let code = errno
        _ = write(descriptor, &byte, 1)
        errno = code
    }
}
