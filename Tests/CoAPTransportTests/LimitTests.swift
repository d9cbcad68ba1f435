import CoAPMessages
import CoAPTransport
import Glibc
import Primitives
import Testing

extension TransportTests {
    @Suite(.serialized) struct LimitTests {
        @Test(arguments: [false, true])
        func saysThatAPortIsTaken(_ isSecured: Bool) throws {
            let link = try Loopback()
            let peer = try RawPeer()
            #expect(throws: TransportError.addressInUse) {
                try link.server.listen(on: peer.address, security: isSecured ? Loopback.accepting() : .none)
            }
            let address = try link.server.listen(on: link.ipv4, security: .none)
            #expect(throws: TransportError.addressInUse) { try link.client.listen(on: address, security: .none) }
        }

        @Test func saysThatAnAddressIsNotOurs() throws {
            let link = try Loopback()
            let foreign = SocketAddress(ipv4: (192, 0, 2, 1), port: 0)
            #expect(throws: TransportError.addressNotAvailable) {
                try link.server.listen(on: foreign, security: .none)
            }
            let peer = SocketAddress(ipv4: (127, 0, 0, 1), port: 9)
            #expect(throws: TransportError.self) {
                try link.client.openSession(to: peer, security: .none, from: foreign, tag: 0)
            }
            #expect(throws: TransportError.invalidAddress) {
                try link.client.openSession(to: peer, security: .none, from: link.ipv6, tag: 0)
            }
            #expect(throws: TransportError.invalidAddress) {
                try link.client.openSession(to: link.ipv4, security: .none, from: nil, tag: 0)
            }
        }

        @Test func saysHowManyDescriptorsAreMissing() throws {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let hard = Int(clamping: limit.rlim_max)
            try CoAPTransport.checkDescriptorLimit(sessions: 10)
            guard hard < Int.max / 2 else { return }
            do throws(TransportError) {
                try CoAPTransport.checkDescriptorLimit(sessions: hard)
                Issue.record("\(hard) sessions cannot be allowed")
            } catch {
                guard case .descriptorLimit(hard, let needed) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(needed > hard)
            }
        }

        @Test func opensNoMoreSessionsThanAllowed() throws {
            var few = Loopback.quick
            few.maximumSessions = 3
            few.sessionsPerContext = 2
            let link = try Loopback(client: few)
            let address = try link.server.listen(on: link.ipv4, security: .none)
            var sessions: [TransportSession] = []
            for tag in 1...3 { sessions.append(try link.connect(to: address, security: .none, tag: UInt64(tag))) }
            #expect(throws: TransportError.tooManySessions(limit: 3)) {
                try link.client.openSession(to: address, security: .none, from: nil, tag: 4)
            }
            link.client.closeSession(sessions[1])
            let another = try link.connect(to: address, security: .none, tag: 4)
            // The handle of the session that was closed means nothing, though its place is used again.
            #expect(throws: TransportError.sessionUnknown) {
                try link.client.send(CoAPRequest(.get, path: ["x"]), on: sessions[1], tag: 1)
            }
            link.client.closeSession(sessions[1])
            for (number, session) in [sessions[0], sessions[2], another].enumerated() {
                try link.client.send(CoAPRequest(.get, path: ["x"]), on: session, tag: UInt32(number))
                #expect(try link.answer(to: UInt32(number)).code == .content)
            }
        }

        @Test func manySessionsOverManyContexts() throws {
            var small = Loopback.quick
            small.sessionsPerContext = 8
            let link = try Loopback(client: small)
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            var sessions: [TransportSession] = []
            for tag in 0..<50 {
                sessions.append(
                    try link.client.openSession(
                        to: address,
                        security: Loopback.preSharedKey,
                        from: nil,
                        tag: UInt64(tag)
                    )
                )
            }
            try link.drive("all are connected") { sessions.allSatisfy { link.isConnected($0) } }
            for (tag, session) in sessions.enumerated() {
                try link.client.send(CoAPRequest(.post, path: ["rd"]), on: session, tag: UInt32(tag))
            }
            try link.drive("all are answered") {
                link.clientEvents.count { if case .responseReceived = $0 { true } else { false } } == 50
            }
            for session in sessions { link.client.closeSession(session) }
            try link.drive("the server learns of every end") {
                link.serverEvents.count { if case .sessionClosed = $0 { true } else { false } } == 50
            }
        }

        @Test func givesSessionsOfOneSourcePortsOfTheirOwn() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let source = SocketAddress(ipv4: (127, 0, 0, 9), port: 0)
            var sessions: [TransportSession] = []
            for tag in 0..<400 {
                sessions.append(
                    try link.client.openSession(to: address, security: .none, from: source, tag: UInt64(tag))
                )
            }
            try link.drive("all are ready") { sessions.allSatisfy { link.isConnected($0) } }
            for session in sessions {
                try link.client.send(CoAPRequest(.post, path: ["rd"]), on: session, tag: 1)
            }
            try link.drive("all are answered") { link.answers(to: 1).count == sessions.count }
            let peers = link.serverEvents.compactMap { event in
                if case .sessionAccepted(_, let peer, _) = event { peer } else { nil }
            }
            #expect(Set(peers).count == sessions.count)
            #expect(peers.allSatisfy { $0.addressBytes == [127, 0, 0, 9] })
        }

        @Test func closingInsideAnEventIsSafe() throws {
            let link = try Loopback()
            link.answer = { _ in nil }
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            let session = try link.connect(to: address, security: Loopback.preSharedKey)
            link.server.onEvent = { event in
                if case .requestReceived(_, let session, _, _, _) = event { link.server.closeSession(session) }
            }
            try link.client.send(CoAPRequest(.get, path: ["x"]), on: session, tag: 1)
            #expect(try link.closure(of: session) == .closed)
            // What was pending failed before the session's end was told.
            guard case .requestFailed(session, _, 1, .sessionClosed) = link.clientEvents[link.clientEvents.count - 2]
            else {
                Issue.record("the request did not fail first")
                return
            }
        }

        @Test func turnEndsAtItsTimeAndWhenWoken() throws {
            let loop = try EventLoop()
            let end = loop.now.advanced(by: .milliseconds(20))
            loop.turn(until: end)
            #expect(loop.now >= end)
            loop.wake()
            loop.turn(until: nil)
        }
    }
}
