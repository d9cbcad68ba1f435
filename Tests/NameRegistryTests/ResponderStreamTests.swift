import CoAPTransport
import Glibc
import NameRegistry
import Primitives
import Testing

/// The responder by TCP.
@Suite("Embedded responder: TCP")
struct ResponderStreamTests {
    /// A connection that keeps what it receives.
    private final class Client {
        let descriptor: Int32
        var received: [UInt8] = []
        var isClosed = false

        init(_ harness: ResponderHarness) {
            self.descriptor = LoopbackSocket.connected(to: harness.responder.address, type: SOCK_STREAM)
        }

        deinit { close(self.descriptor) }

        func send(_ bytes: [UInt8]) { LoopbackSocket.send(self.descriptor, bytes) }

        func poll() {
            while !self.isClosed, let bytes = LoopbackSocket.receive(self.descriptor) {
                self.received += bytes
                self.isClosed = bytes.isEmpty
            }
        }

        /// The whole answers so far.
        func answers() throws -> [TestAnswer] {
            var answers: [TestAnswer] = []
            var reader = ByteReader(self.received)
            while reader.remaining >= 2 {
                let length = Int(try reader.readUnsigned(byteCount: 2))
                guard reader.remaining >= length else { break }
                answers.append(try TestAnswer(try reader.readBytes(length)))
            }
            return answers
        }
    }

    private func harness(
        _ change: (inout EmbeddedResponder.Configuration) -> Void = { _ in }
    ) throws -> ResponderHarness {
        var configuration = ResponderHarness.configuration()
        change(&configuration)
        let harness = try ResponderHarness(configuration)
        try harness.publish([("bsabc.example.test", [127, 0, 0, 11])])
        return harness
    }

    private func framed(_ question: TestQuestion = TestQuestion("bsabc.example.test")) -> [UInt8] {
        [UInt8(question.bytes.count >> 8), UInt8(question.bytes.count & 0xFF)] + question.bytes
    }

    @Test("RFC 7766 §6.2.1.1: many questions on one connection, however they are cut")
    func pipelining() throws {
        let harness = try self.harness()
        let client = Client(harness)
        var identifiers: [UInt16] = []
        var bytes: [UInt8] = []
        for number in 1...40 {
            var question = TestQuestion(number % 2 == 0 ? "bsabc.example.test" : "nobody.example.test")
            question.identifier = UInt16(number)
            identifiers.append(UInt16(number))
            bytes += self.framed(question)
        }
        for byte in bytes {
            client.send([byte])
            harness.loop.turn(until: harness.loop.now)
        }
        try harness.turn {
            client.poll()
            return (try? client.answers().count) == 40
        }
        #expect(try client.answers().map(\.identifier) == identifiers)
        #expect(try client.answers().map(\.code) == (1...40).map { $0 % 2 == 0 ? 0 : 3 })
        #expect(harness.responder.counters.questionsByTCP == 40)
        #expect(harness.responder.connectionCount == 1)
    }

    @Test("a connection that ends is forgotten")
    func ends() throws {
        let harness = try self.harness()
        var client: Client? = Client(harness)
        try harness.turn { harness.responder.connectionCount == 1 }
        #expect(client?.isClosed == false)
        client = nil
        try harness.turn { harness.responder.connectionCount == 0 }
        #expect(harness.responder.counters.connectionsClosed == 0)
    }

    @Test("what is no question ends the connection when there is nothing to say, and is FORMERR otherwise")
    func garbage() throws {
        let harness = try self.harness()
        let client = Client(harness)
        client.send([0, 14] + TestQuestion("bsabc.example.test").bytes[..<14])
        try harness.turn {
            client.poll()
            return client.received.count == 14
        }
        #expect(try client.answers().map(\.code) == [1])
        client.send([0, 3, 1, 2, 3])
        try harness.turn {
            client.poll()
            return client.isClosed
        }
        #expect(harness.responder.counters.connectionsClosed == 1)
        #expect(harness.responder.counters.malformed == 2)
    }

    @Test("one connection too many takes the place of the one that has been quiet longest")
    func bound() throws {
        let harness = try self.harness { $0.maximumConnections = 3 }
        var clients: [Client] = []
        for number in 1...3 {
            clients.append(Client(harness))
            try harness.turn { harness.responder.connectionCount == number }
        }
        // The first one asks, so that the second has been quiet longest.
        clients[0].send(self.framed())
        try harness.turn {
            clients[0].poll()
            return !clients[0].received.isEmpty
        }
        clients.append(Client(harness))
        try harness.turn {
            for client in clients { client.poll() }
            return clients[1].isClosed
        }
        #expect(clients.map(\.isClosed) == [false, true, false, false])
        #expect(harness.responder.connectionCount == 3)
        #expect(harness.responder.counters.connectionsClosed == 1)
    }

    @Test("a connection without a whole question is closed when its time is over, even if bytes come")
    func timeout() throws {
        let harness = try self.harness { $0.connectionTimeout = .milliseconds(60) }
        let quiet = Client(harness)
        let slow = Client(harness)
        try harness.turn {
            slow.send([0])
            quiet.poll()
            slow.poll()
            return quiet.isClosed && slow.isClosed
        }
        #expect(harness.responder.connectionCount == 0)
    }

    @Test("a client that does not read is not read from either, and what waits for it is bounded")
    func unread() throws {
        let harness = try self.harness()
        let client = Client(harness)
        let bytes = Array(repeating: self.framed(TestQuestion("nobody.example.test")), count: 1000).flatMap { $0 }
        var isFull = false
        var last: UInt64 = 0
        // Until neither the client can send nor the responder takes any more.
        while !isFull {
            LoopbackSocket.send(client.descriptor, bytes)
            for _ in 0..<20 { harness.loop.turn(until: harness.loop.now) }
            isFull = harness.responder.counters.questionsByTCP == last
            last = harness.responder.counters.questionsByTCP
            try #require(last < 2_000_000, "the responder reads on and on")
        }
        // Others are served meanwhile, and so is this one when it reads.
        #expect(try harness.ask("bsabc.example.test").addresses.count == 1)
        try harness.turn {
            client.poll()
            return harness.responder.counters.questionsByTCP > last
        }
    }

    @Test("everything is closed when the responder goes")
    func closes() throws {
        let loop = try EventLoop()
        var responder: EmbeddedResponder? = try EmbeddedResponder(
            configuration: ResponderHarness.configuration(),
            loop: loop
        )
        let address = try #require(responder?.address)
        let descriptor = LoopbackSocket.connected(to: address, type: SOCK_STREAM)
        defer { close(descriptor) }
        while responder?.connectionCount == 0 { loop.turn(until: loop.now.advanced(by: .milliseconds(5))) }
        responder = nil
        #expect(LoopbackSocket.receive(descriptor) == [])
        // The port is free again.
        var configuration = ResponderHarness.configuration()
        configuration.address = address
        #expect(throws: Never.self) { try EmbeddedResponder(configuration: configuration, loop: loop) }
    }
}
