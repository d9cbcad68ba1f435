public import CoAPTransport
import Glibc

/// Turns SIGTERM and SIGINT, and SIGHUP where it is wanted, into events of a loop, for as long as it lives; one at a
/// time.
public final class TerminationSignals {
    // A handler may only write to a descriptor: it finds the number here.
    nonisolated(unsafe) private static var bell: Int32 = -1

    private let loop: EventLoop
    private let numbers: [Int32]
    private var ends: (read: Int32, write: Int32) = (-1, -1)

    /// Begins to watch.
    ///
    /// - Parameters:
    ///   - loop: the loop of the service.
    ///   - onHangUp: called inside a turn of the loop, once per SIGHUP; nil leaves that signal alone.
    ///   - onSignal: called inside a turn of the loop, once per other signal.
    public init(
        loop: EventLoop,
        onHangUp: (() -> Void)? = nil,
        onSignal: @escaping () -> Void
    ) throws(ServiceError) {
        self.loop = loop
        self.numbers = onHangUp == nil ? [SIGTERM, SIGINT] : [SIGTERM, SIGINT, SIGHUP]
        var pair: [Int32] = [-1, -1]
        guard pipe(&pair) == 0, pair.allSatisfy(Descriptor.neverBlocks) else {
            throw ServiceError(.outOfResources, about: "signals")
        }
        self.ends = (pair[0], pair[1])
        Self.bell = pair[1]
        let descriptor = pair[0]
        loop.watch(descriptor: descriptor, readable: true, writable: false) { _, _ in
            var byte: UInt8 = 0
            while read(descriptor, &byte, 1) == 1 {
                if Int32(byte) == SIGHUP { onHangUp?() } else { onSignal() }
            }
        }
        for number in self.numbers {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(TerminationSignals.bell, &byte, 1)
            }
        }
    }

    deinit {
        for number in self.numbers { signal(number, SIG_DFL) }
        Self.bell = -1
        self.loop.watch(descriptor: self.ends.read, readable: false, writable: false) { _, _ in }
        close(self.ends.read)
        close(self.ends.write)
    }
}
