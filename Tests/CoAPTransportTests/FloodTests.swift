import CoAPMessages
import CoAPTransport
import Glibc
import Primitives
import Testing

extension TransportTests {
    /// What many strangers can make a server keep.
    @Suite(.serialized) struct FloodTests {
        /// The first datagram of a true handshake.
        private static func clientHello(_ link: Loopback) throws -> [UInt8] {
            let catcher = try RawPeer()
            let session = try link.client.openSession(
                to: catcher.address,
                security: Loopback.preSharedKey,
                from: nil,
                tag: 77
            )
            var hello: [UInt8] = []
            try link.drive("the client greets") {
                hello = catcher.receiveBytes() ?? []
                return !hello.isEmpty
            }
            link.client.closeSession(session)
            return hello
        }

        private static func accepted(_ link: Loopback) -> Int {
            link.serverEvents.count { if case .sessionAccepted = $0 { true } else { false } }
        }

        /// Sends greetings from addresses that never speak again.
        private static func flood(_ count: Int, _ address: SocketAddress, _ link: Loopback) throws {
            let hello = try Self.clientHello(link)
            let strangers = try (0..<count).map { _ in try RawPeer() }
            for stranger in strangers {
                stranger.send(hello, to: address)
                link.loop.turn(until: link.loop.now)
            }
        }

        @Test func greetingsThatNobodyFollowsUpOpenNothing() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            let before = try link.connect(to: address, security: Loopback.preSharedKey, tag: 1)
            try Self.flood(200, address, link)
            // Who was there before is served, and a new one gets in.
            try link.client.send(CoAPRequest(.get, path: ["x"]), on: before, tag: 1)
            #expect(try link.answer(to: 1).code == .content)
            let after = try link.connect(to: address, security: Loopback.preSharedKey, tag: 2)
            try link.client.send(CoAPRequest(.get, path: ["x"]), on: after, tag: 2)
            #expect(try link.answer(to: 2).code == .content)
            #expect(Self.accepted(link) == 2)
        }

        /// The CoAP library keeps a greeting for 30 seconds: so long, new peers have to wait when there are too many.
        @Test func greetingsBeyondTheBoundAreDroppedAndHarmNoOpenSession() throws {
            var small = Loopback.quick
            small.maximumSessions = 20
            let link = try Loopback(server: small)
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            let before = try link.connect(to: address, security: Loopback.preSharedKey, tag: 1)
            try Self.flood(100, address, link)
            try link.client.send(CoAPRequest(.get, path: ["x"]), on: before, tag: 1)
            #expect(try link.answer(to: 1).code == .content)
            #expect(Self.accepted(link) == 1)
            #expect(!link.serverEvents.contains { if case .sessionClosed = $0 { true } else { false } })
        }

        @Test func manyPlainPeersTakeNoMorePlacesThanThereAre() throws {
            var small = Loopback.quick
            small.maximumSessions = 20
            let link = try Loopback(server: small)
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let strangers = try (0..<100).map { _ in try RawPeer() }
            for (number, stranger) in strangers.enumerated() {
                var message = CoAPMessage(.confirmable, .get, id: UInt16(number), token: .empty)
                message.options.append(.uriPath, Array("x".utf8))
                try stranger.send(message, to: address)
                #expect(try stranger.next(link).code == .content)
            }
            var open = 0
            for event in link.serverEvents {
                if case .sessionAccepted = event { open += 1 }
                if case .sessionClosed = event { open -= 1 }
                #expect(open <= 21)
            }
            #expect(open <= 20)
            #expect(link.server.counters.refusedSessions >= 80)
            // Each of those whose place was taken is told of as closed, so that drivers forget it.
            #expect(link.serverEvents.contains { if case .sessionClosed = $0 { true } else { false } })
        }

        @Test func theMemoryOfAnsweredRequestsOfOnePeerIsBounded() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let peer = try RawPeer()
            var message = CoAPMessage(.confirmable, .get, id: 0, token: .empty)
            message.options.append(.uriPath, Array("x".utf8))
            for id in 0..<200 {
                message.id = UInt16(id)
                try peer.send(message, to: address)
                _ = try peer.next(link)
            }
            // The latest is remembered, the first has been forgotten.
            try peer.send(message, to: address)
            _ = try peer.next(link)
            #expect(link.serverRequests.count == 200)
            message.id = 0
            try peer.send(message, to: address)
            _ = try peer.next(link)
            #expect(link.serverRequests.count == 201)
        }

        @Test func requestsOfOnePeerThatWaitAreBounded() throws {
            let link = try Loopback()
            link.answer = { _ in nil }
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let peer = try RawPeer()
            var codes: [CoAPCode] = []
            var message = CoAPMessage(.nonConfirmable, .get, id: 0, token: .empty)
            message.options.append(.uriPath, Array("x".utf8))
            for id in 0..<100 {
                message.id = UInt16(id)
                try peer.send(message, to: address)
                link.loop.turn(until: link.loop.now.advanced(by: .milliseconds(1)))
                while let answer = try peer.receive() { codes.append(answer.code) }
            }
            try link.drive("the rest is refused") {
                while let answer = try? peer.receive() { codes.append(answer.code) }
                return codes.count >= 36
            }
            #expect(codes.allSatisfy { $0 == .serviceUnavailable })
            #expect(link.serverRequests.count == 64)
        }
    }

    /// Opening and closing leaves nothing behind.
    @Suite(.serialized) struct LeakTests {
        private static func residentKiB() -> Int {
            guard let file = fopen("/proc/self/statm", "r") else { return 0 }
            defer { fclose(file) }
            var buffer = [CChar](repeating: 0, count: 128)
            fgets(&buffer, 128, file)
            let fields = buffer.map { UInt8(bitPattern: $0) }.split(separator: UInt8(ascii: " "))
            return (fields.count > 1 ? Int(String(decoding: fields[1], as: UTF8.self)) ?? 0 : 0) * 4
        }

        private static func descriptors() -> Int {
            (0..<4_096).count { fcntl(Int32($0), F_GETFD) != -1 }
        }

        /// Opens `count` sessions, asks once on each, and closes them; at most 50 are open at once.
        private static func churn(_ count: Int, security: SessionSecurity, _ link: Churn) {
            var left = count
            while left > 0 || link.open > 0 {
                while left > 0, link.open < 50 {
                    left -= 1
                    link.start(security)
                }
                link.loop.turn(until: link.loop.now.advanced(by: .milliseconds(20)))
            }
        }

        /// A client and a server that keep no events.
        private final class Churn {
            let loop: EventLoop
            let client: CoAPTransport
            let server: CoAPTransport
            var open = 0
            var answered = 0
            private var secured = SocketAddress(ipv4: (127, 0, 0, 1), port: 0)
            private var plain = SocketAddress(ipv4: (127, 0, 0, 1), port: 0)

            init() throws {
                self.loop = try EventLoop()
                self.client = try CoAPTransport(configuration: .init(), loop: self.loop)
                var bounded = CoAPTransport.Configuration()
                // Plain peers do not say that they are gone.
                bounded.maximumSessions = 200
                self.server = try CoAPTransport(configuration: bounded, loop: self.loop)
                self.secured = try self.server.listen(on: self.secured, security: Loopback.accepting())
                self.plain = try self.server.listen(on: self.plain, security: .none)
                self.client.onEvent = { [unowned self] event in
                    switch event {
                    case .sessionConnected(let session, _):
                        try? self.client.send(CoAPRequest(.get, path: ["x"]), on: session, tag: 1)
                    case .responseReceived(let session, _, _, _):
                        self.answered += 1
                        self.end(session)
                    case .requestFailed(let session, _, _, _):
                        self.end(session)
                    case .sessionClosed: self.open -= 1
                    default: break
                    }
                }
                self.server.onEvent = { [unowned self] event in
                    guard case .requestReceived(let exchange, _, _, _, _) = event else { return }
                    self.server.respond(to: exchange, CoAPResponse(.content))
                }
            }

            func start(_ security: SessionSecurity) {
                var address = self.plain
                if case .preSharedKey = security { address = self.secured }
                guard let _ = try? self.client.openSession(to: address, security: security, from: nil, tag: 1) else {
                    return
                }
                self.open += 1
            }

            private func end(_ session: TransportSession) {
                self.open -= 1
                self.client.closeSession(session)
            }
        }

        /// A session that leaked would be some 40 KiB secured and 2 KiB plain: 5,000 of them more than 80 MiB.
        @Test func fiveThousandSessionsLeaveNoMemoryAndNoDescriptor() async {
            await #expect(processExitsWith: .success) {
                let link = try Churn()
                Self.churn(300, security: Loopback.preSharedKey, link)
                Self.churn(300, security: .none, link)
                let before = (memory: Self.residentKiB(), descriptors: Self.descriptors())
                Self.churn(2_000, security: Loopback.preSharedKey, link)
                Self.churn(3_000, security: .none, link)
                let growth = Self.residentKiB() - before.memory
                print("5,600 sessions, \(link.answered) answered; the last 5,000 left \(growth) KiB")
                if link.answered != 5_600 { exit(2) }
                if Self.descriptors() > before.descriptors { exit(3) }
                if growth > 4_096 { exit(4) }
                exit(0)
            }
        }
    }
}
