import BalancerEngine
import CoAPTransport
import Glibc
import NameRegistry
import Primitives
import TestSupport
import Testing

/// What the registry makes of a server that is away, slow, refuses or lies; real servers are in the interop tests.
@Suite("Dynamic update registry")
struct DynamicUpdateRegistryTests {
    private static let key = SecretBytes(Array("0123456789abcdef0123456789abcdef".utf8))

    private func registry(
        _ loop: EventLoop,
        _ server: SocketAddress,
        timeout: Duration = .seconds(20)
    ) throws -> DynamicUpdateRegistry {
        try DynamicUpdateRegistry(
            configuration: .init(
                server: server,
                zone: "example.test",
                keyName: "balancer",
                key: Self.key,
                timeout: timeout
            ),
            loop: loop
        )
    }

    private func update(_ count: Int = 1, label: String = "bs") throws -> NameUpdate {
        let address = try #require(IPAddress([127, 0, 0, 1]))
        return NameUpdate(
            expected: nil,
            epoch: RegistryEpoch(writer: "b", number: 1),
            assigned: (0..<count).map { NameRecord(name: UTF8Text("\(label)\($0).example.test"), address: address) },
            removed: [],
            timeToLive: 5
        )
    }

    /// The failures of an update, of reading the epoch and of reading the names, at one server.
    private func failures(
        timeout: Duration = .seconds(20),
        _ rule: @escaping ([UInt8]) -> FakeNameServer.Reply
    ) throws -> [RegistryFailure?] {
        let loop = try EventLoop()
        let server = FakeNameServer(loop: loop, rule)
        let registry = try self.registry(loop, server.address, timeout: timeout)
        return try self.failures(registry, try self.update(), loop)
    }

    private func failures(
        _ registry: DynamicUpdateRegistry,
        _ update: NameUpdate,
        _ loop: EventLoop
    ) throws -> [RegistryFailure?] {
        var failures: [RegistryFailure?] = []
        func note<Value>(_ result: Result<Value, RegistryFailure>) {
            if case .failure(let failure) = result { failures.append(failure) } else { failures.append(nil) }
        }
        registry.apply(update) { note($0) }
        registry.readEpoch { note($0) }
        registry.readNames { note($0) }
        try self.turn(loop) { failures.count == 3 }
        return failures
    }

    private func turn(_ loop: EventLoop, until isReached: () -> Bool) throws {
        let end = loop.now.advanced(by: .seconds(30))
        while !isReached() {
            try #require(loop.now < end, "nothing happened for 30 seconds")
            loop.turn(until: loop.now.advanced(by: .milliseconds(20)))
        }
    }

    @Test("a server that is not there, hangs up or breaks off is unreachable")
    func unreachable() throws {
        let loop = try EventLoop()
        var server: FakeNameServer? = FakeNameServer(loop: loop) { _ in .close }
        let address = try #require(server?.address)
        server = nil
        let gone = try self.registry(loop, address)
        #expect(try self.failures(gone, self.update(), loop) == [.unreachable, .unreachable, .unreachable])
        #expect(gone.counters.messagesSent == 0)
        #expect(try self.failures { _ in .close } == [.unreachable, .unreachable, .unreachable])
    }

    @Test("a server that says nothing, or half of something, is unreachable when the time is over")
    func silent() throws {
        let silence = try self.failures(timeout: .milliseconds(50)) { _ in .silence }
        #expect(silence == [.unreachable, .unreachable, .unreachable])
        let half = try self.failures(timeout: .milliseconds(50)) { .bytes([0, 100] + $0.prefix(50)) }
        #expect(half == [.unreachable, .unreachable, .unreachable])
    }

    @Test("RFC 8945 §5.3: an answer that is not signed is not believed, whatever good or bad it says of the zone")
    func unsigned() throws {
        for code: UInt8 in [0, 3, 7, 8] {
            let answer = try self.failures { self.header(of: $0, code: code) }
            #expect(answer == [.malformedAnswer, .malformedAnswer, .malformedAnswer])
        }
    }

    @Test(
        "a refusal is told with its code, signed or not, because who refuses a key cannot sign",
        arguments: [1, 2, 5, 9]
    )
    func refused(code: UInt8) throws {
        let answer = try self.failures { self.header(of: $0, code: code) }
        #expect(answer == [.refused(code), .refused(code), .refused(code)])
    }

    @Test("the request itself as its answer is not one")
    func echo() throws {
        #expect(try self.failures { .message($0) } == [.malformedAnswer, .malformedAnswer, .malformedAnswer])
        let answer = try self.failures { request in
            var answer = request
            answer[2] |= 0x80
            return .message(answer)
        }
        #expect(answer == [.malformedAnswer, .malformedAnswer, .malformedAnswer])
    }

    @Test("an answer to another question is not one")
    func otherIdentifier() throws {
        let answer = try self.failures { request in
            guard case .message(var answer) = self.header(of: request, code: 5) else { return .close }
            answer[1] ^= 1
            return .message(answer)
        }
        #expect(answer == [.malformedAnswer, .malformedAnswer, .malformedAnswer])
    }

    @Test("any bytes as an answer are never taken for a good one")
    func garbage() throws {
        let loop = try EventLoop()
        var answer: [UInt8] = []
        let server = FakeNameServer(loop: loop) { request in
            // Mostly something that looks like an answer, so that it gets as far as it can.
            .message(answer.count > 12 ? Array(request[..<2]) + [request[2] | 0x80] + answer[3...] : answer)
        }
        let registry = try self.registry(loop, server.address)
        let update = try self.update()
        try SeededRuns.each(60) { generator in
            var bytes = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            if bytes.count > 12, Bool.random(using: &generator) {
                bytes.replaceSubrange(3..<12, with: [0, 0, 1, 0, 2, 0, 0, 0, 1])
            }
            answer = bytes
            for failure in try self.failures(registry, update, loop) {
                try #require(failure != nil)
                try #require(failure != .epochMismatch)
            }
        }
    }

    @Test("a batch that does not fit into one message is not sent, one that does is")
    func size() throws {
        let loop = try EventLoop()
        let server = FakeNameServer(loop: loop) { self.header(of: $0, code: 5) }
        let registry = try self.registry(loop, server.address)
        // A name of 32 bytes needs 3 times 44, and 4 for its address: 470 of them and 80 bytes are 64,000.
        let names = try self.update(1000, label: "bs0123456789abcd").assigned.filter { $0.name.bytes.count == 32 }
        var update = try self.update(0)
        update.assigned = Array(names.prefix(470))
        for (change, isSent) in [(0, true), (1, false), (-1, true), (40, false)] {
            update.removed = [UTF8Text(String(repeating: "a.", count: 34 + change))]
            let before = server.messages.count
            #expect(try self.failures(registry, update, loop)[0] == .refused(isSent ? 5 : 1))
            #expect(server.messages.count - before == (isSent ? 3 : 2))
        }
        let large = try self.update(40_000)
        #expect(try self.failures(registry, large, loop)[0] == .refused(1))
        #expect(server.messages.allSatisfy { $0.count <= 65_535 })
    }

    @Test("a name or a writer that no message can carry is refused without asking", arguments: ["a b", "", "ä"])
    func badNames(text: String) throws {
        let loop = try EventLoop()
        let server = FakeNameServer(loop: loop) { _ in .close }
        let registry = try self.registry(loop, server.address)
        var updates = Array(repeating: try self.update(), count: 4)
        updates[0].assigned[0].name = UTF8Text(text)
        updates[1].removed = [UTF8Text(text)]
        updates[2].epoch.writer = UTF8Text(text)
        updates[3].expected = RegistryEpoch(writer: UTF8Text(text), number: 1)
        for update in updates { #expect(try self.failures(registry, update, loop)[0] == .refused(1)) }
    }

    @Test("so many requests wait, one more fails at once, and the others are done in their order")
    func bound() throws {
        let loop = try EventLoop()
        let server = FakeNameServer(loop: loop) { self.header(of: $0, code: 5) }
        let registry = try self.registry(loop, server.address)
        var ended: [Int: RegistryFailure] = [:]
        var order: [Int] = []
        let count = DynamicUpdateRegistry.maximumWaiting + 3
        for number in 0..<count {
            registry.readEpoch { result in
                if case .failure(let failure) = result { ended[number] = failure }
                order.append(number)
            }
        }
        try self.turn(loop) { ended.count == count }
        #expect(ended.filter { $0.value == .local }.map(\.key).sorted() == Array(64..<67))
        #expect(order.filter { $0 < 64 } == Array(0..<64))
    }

    @Test("a registry that goes while the server is silent goes at once, and calls nobody")
    func stops() throws {
        let loop = try EventLoop()
        let server = FakeNameServer(loop: loop) { _ in .silence }
        var registry: DynamicUpdateRegistry? = try self.registry(loop, server.address, timeout: .seconds(300))
        var isCalled = false
        registry?.apply(try self.update()) { _ in isCalled = true }
        registry?.readEpoch { _ in isCalled = true }
        try self.turn(loop) { server.messages.count == 1 }
        // With 300 seconds for an answer, coming back at all is the proof.
        registry = nil
        try self.turn(loop) { server.connectionCount == 0 }
        #expect(!isCalled)
    }

    @Test("what is not configured well is an error before anything is sent")
    func configuration() throws {
        let loop = try EventLoop()
        let server = SocketAddress(ipv4: (127, 0, 24, 2), port: 1)
        func make(zone: UTF8Text, keyName: UTF8Text, key: [UInt8]) throws {
            let key = SecretBytes(key)
            _ = try DynamicUpdateRegistry(
                configuration: .init(server: server, zone: zone, keyName: keyName, key: key),
                loop: loop
            )
        }
        #expect(throws: RegistrySetupError.invalidZone) { try make(zone: "a b", keyName: "k", key: [1]) }
        #expect(throws: RegistrySetupError.invalidKeyName) { try make(zone: "a", keyName: "", key: [1]) }
        #expect(throws: RegistrySetupError.invalidKey) { try make(zone: "a", keyName: "k", key: []) }
        for count in 1...70 {
            #expect(throws: Never.self) { try make(zone: "a", keyName: "k", key: [UInt8](repeating: 7, count: count)) }
        }
    }

    @Test("the key is in no description of its configuration")
    func secrecy() throws {
        let server = SocketAddress(ipv4: (127, 0, 24, 2), port: 1)
        let configuration = DynamicUpdateRegistry.Configuration(
            server: server,
            zone: "example.test",
            keyName: "balancer",
            key: Self.key
        )
        var text = "\(configuration)"
        dump(configuration, to: &text)
        #expect(!text.contains("0123456789"))
        #expect(!text.contains("48, 49, 50"))
    }

    /// An answer of a header alone, to the request.
    private func header(of request: [UInt8], code: UInt8) -> FakeNameServer.Reply {
        .message(Array(request[..<2]) + [request[2] & 0x78 | 0x84, code] + [UInt8](repeating: 0, count: 8))
    }
}
