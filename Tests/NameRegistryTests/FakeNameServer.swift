import CoAPTransport
import Glibc
import NameRegistry
import Primitives

/// A TCP server on the test's loop that takes whole messages and does what a rule says.
final class FakeNameServer {
    /// What to do about a message.
    enum Reply {
        /// Sends bytes as they are, without a length.
        case bytes([UInt8])
        /// Sends a message behind its length.
        case message([UInt8])
        /// Closes the connection.
        case close
        /// Does nothing.
        case silence
    }

    private let loop: EventLoop
    private let listener: Int32
    private var connections: [Int32: [UInt8]] = [:]
    private let rule: ([UInt8]) -> Reply
    let address: SocketAddress
    /// Every message that came.
    private(set) var messages: [[UInt8]] = []
    var connectionCount: Int { self.connections.count }

    init(loop: EventLoop, _ rule: @escaping ([UInt8]) -> Reply) {
        self.loop = loop
        self.rule = rule
        (self.listener, self.address) = LoopbackSocket.listening()
        loop.watch(descriptor: self.listener, readable: true, writable: false) { [unowned self] _, _ in
            let descriptor = Glibc.accept(self.listener, nil, nil)
            guard descriptor >= 0 else { return }
            self.connections[descriptor] = []
            self.loop.watch(descriptor: descriptor, readable: true, writable: false) { [unowned self] _, _ in
                self.read(descriptor)
            }
        }
    }

    deinit {
        for descriptor in [self.listener] + self.connections.keys {
            self.loop.watch(descriptor: descriptor, readable: false, writable: false) { _, _ in }
            Glibc.close(descriptor)
        }
    }

    private func close(_ descriptor: Int32) {
        self.connections[descriptor] = nil
        self.loop.watch(descriptor: descriptor, readable: false, writable: false) { _, _ in }
        Glibc.close(descriptor)
    }

    private func read(_ descriptor: Int32) {
        guard let bytes = LoopbackSocket.receive(descriptor) else { return }
        guard !bytes.isEmpty else { return self.close(descriptor) }
        self.connections[descriptor]? += bytes
        guard let received = self.connections[descriptor], received.count >= 2,
            received.count >= 2 + Int(received[0]) << 8 + Int(received[1])
        else { return }
        self.connections[descriptor] = []
        self.messages.append(Array(received[2...]))
        switch self.rule(Array(received[2...])) {
        case .bytes(let bytes): LoopbackSocket.send(descriptor, bytes)
        case .message(let message):
            LoopbackSocket.send(descriptor, [UInt8(message.count >> 8), UInt8(message.count & 0xFF)] + message)
        case .close: self.close(descriptor)
        case .silence: break
        }
    }
}
