import BalancerEngine
import CoAPTransport
import Glibc
import NameRegistry
import Primitives
import Testing

/// A responder, its loop and one client socket, all in the test's thread.
final class ResponderHarness {
    let loop: EventLoop
    let responder: EmbeddedResponder
    private let client: Int32
    private(set) var epoch: RegistryEpoch?

    static func configuration(zone: UTF8Text = "example.test") -> EmbeddedResponder.Configuration {
        .init(address: SocketAddress(ipv4: (127, 0, 24, 1), port: 0), zone: zone, negativeTimeToLive: 5)
    }

    init(_ configuration: EmbeddedResponder.Configuration = ResponderHarness.configuration()) throws {
        self.loop = try EventLoop()
        self.responder = try EmbeddedResponder(configuration: configuration, loop: self.loop)
        self.client = LoopbackSocket.connected(to: self.responder.address, type: SOCK_DGRAM)
    }

    deinit { close(self.client) }

    /// Publishes names, as one who knows the epoch.
    func publish(
        _ names: [(String, [UInt8])],
        removing removed: [String] = [],
        timeToLive: UInt32 = 30
    ) throws {
        let next = RegistryEpoch(writer: "balancer-1", number: (self.epoch?.number ?? 0) + 1)
        let failure = try self.apply(
            NameUpdate(
                expected: self.epoch,
                epoch: next,
                assigned: names.map { NameRecord(name: UTF8Text($0.0), address: try #require(IPAddress($0.1))) },
                removed: removed.map { UTF8Text($0) },
                timeToLive: timeToLive
            )
        )
        try #require(failure == nil)
        self.epoch = next
    }

    /// Does a batch; nil when it was done.
    func apply(_ update: NameUpdate) throws -> RegistryFailure? {
        let result: Result<Void, RegistryFailure> = try self.wait { self.responder.apply(update, completion: $0) }
        if case .failure(let failure) = result { return failure }
        return nil
    }

    func readEpoch() throws -> RegistryEpoch? {
        try self.wait { self.responder.readEpoch(completion: $0) }.get()
    }

    func readNames() throws -> [NameRecord] {
        try self.wait { self.responder.readNames(completion: $0) }.get()
    }

    /// Turns the loop until a completion was called.
    func wait<Value>(_ start: (@escaping (Value) -> Void) -> Void) throws -> Value {
        var value: Value?
        start { value = $0 }
        #expect(value == nil, "a completion comes in a turn of the loop")
        try self.turn { value != nil }
        return try #require(value)
    }

    /// Turns the loop until the condition holds.
    func turn(until isReached: () -> Bool) throws {
        let end = self.loop.now.advanced(by: .seconds(20))
        while !isReached() {
            try #require(self.loop.now < end, "nothing happened for 20 seconds")
            self.loop.turn(until: min(end, self.loop.now.advanced(by: .milliseconds(5))))
        }
    }

    /// Asks by UDP.
    func ask(_ name: String, _ kind: Kind = .a) throws -> TestAnswer {
        try self.ask(TestQuestion(name, kind))
    }

    func ask(_ question: TestQuestion) throws -> TestAnswer {
        try TestAnswer(#require(try self.send(question.bytes)))
    }

    /// Sends a datagram; nil when it gets no answer.
    ///
    /// A question with an answer of its own follows each: datagrams keep their order here, so when only its answer
    /// comes, the first got none, and nobody has to wait for nothing.
    func send(_ datagram: [UInt8]) throws -> [UInt8]? {
        var mark = TestQuestion("mark.outside")
        mark.identifier = 0xFEED
        LoopbackSocket.send(self.client, datagram)
        LoopbackSocket.send(self.client, mark.bytes)
        var received: [[UInt8]] = []
        try self.turn {
            while let answer = LoopbackSocket.receive(self.client) { received.append(answer) }
            return received.last?.starts(with: [0xFE, 0xED]) == true
        }
        try #require(received.count <= 2)
        return received.count == 2 ? received[0] : nil
    }
}

/// Sockets of a test that never wait.
enum LoopbackSocket {
    static func connected(to address: SocketAddress, type: __socket_type) -> Int32 {
        let descriptor = socket(AF_INET, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var peer = self.systemAddress(address)
        withUnsafePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return descriptor
    }

    /// A socket that listens on a port of its own.
    static func listening() -> (descriptor: Int32, address: SocketAddress) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = self.systemAddress(SocketAddress(ipv4: (127, 0, 24, 2), port: 0))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(descriptor, $0, length)
                _ = getsockname(descriptor, $0, &length)
            }
        }
        _ = listen(descriptor, 16)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return (descriptor, SocketAddress(ipv4: (127, 0, 24, 2), port: UInt16(bigEndian: address.sin_port)))
    }

    static func send(_ descriptor: Int32, _ bytes: [UInt8]) {
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// What waits; nil when nothing does, no bytes when the peer has closed.
    static func receive(_ descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 70_000)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == ECONNRESET { return [] }
        return count < 0 ? nil : Array(buffer[..<count])
    }

    private static func systemAddress(_ address: SocketAddress) -> sockaddr_in {
        var result = sockaddr_in()
        result.sin_family = sa_family_t(AF_INET)
        result.sin_port = address.port.bigEndian
        result.sin_addr.s_addr = address.addressBytes.reduce(0) { $0 << 8 | UInt32($1) }.bigEndian
        return result
    }
}
