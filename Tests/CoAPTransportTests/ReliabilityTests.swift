import CoAPMessages
import CoAPTransport
import Primitives
import Testing

extension TransportTests {
    @Suite(.serialized) struct ReliabilityTests {
        private let token = CoAPToken([0x55]) ?? CoAPToken.empty

        private func request(_ id: UInt16, _ code: CoAPCode = .post, _ path: String = "rd") -> CoAPMessage {
            var message = CoAPMessage(.confirmable, code, id: id, token: self.token)
            message.options.append(.uriPath, Array(path.utf8))
            return message
        }

        /// peer ──CON POST──▶ server, empty ACK back, and later the answer as a message of its own.
        @Test func answersLaterInAMessageOfItsOwn() throws {
            let link = try Loopback()
            link.answer = { _ in nil }
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let session = try link.connect(to: address, security: .none)
            try link.client.send(CoAPRequest(.get, path: ["slow"]), on: session, tag: 3)
            try link.drive("the request comes") { !link.serverRequests.isEmpty }
            // The acknowledgement has gone; another request may go before the answer.
            try link.client.send(CoAPRequest(.get, path: ["other"]), on: session, tag: 4)
            try link.drive("the second request comes") { link.serverRequests.count == 2 }
            let exchanges = link.serverEvents.compactMap { event in
                if case .requestReceived(let exchange, _, _, _, _) = event { exchange } else { nil }
            }
            for (exchange, text) in zip(exchanges.reversed(), ["second", "first"]) {
                link.server.respond(to: exchange, CoAPResponse(.content, payload: Array(text.utf8)))
            }
            #expect(try link.answer(to: 3).payload == Array("first".utf8))
            #expect(try link.answer(to: 4).payload == Array("second".utf8))
            // A second answer to the same request has no effect.
            link.server.respond(to: exchanges[0], CoAPResponse(.badRequest))
            #expect(link.answers(to: 3).count == 1)
        }

        @Test func acknowledgesBeforeItAnswers() throws {
            let link = try Loopback()
            link.answer = { _ in nil }
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let peer = try RawPeer()
            try peer.send(self.request(0x1001), to: address)
            let acknowledgement = try peer.next(link)
            #expect(acknowledgement.kind == .acknowledgement)
            #expect(acknowledgement.code == CoAPCode(rawValue: 0))
            #expect(acknowledgement.id == 0x1001)
            guard case .requestReceived(let exchange, _, _, _, _) = link.serverEvents.last else {
                Issue.record("no request")
                return
            }
            link.server.respond(to: exchange, CoAPResponse(.changed))
            let answer = try peer.next(link)
            #expect(answer.kind == .confirmable)
            #expect(answer.code == .changed)
            #expect(answer.token == self.token)
        }

        @Test(arguments: [true, false])
        func worksOnARepeatedRequestOnce(_ answersAtOnce: Bool) throws {
            let link = try Loopback()
            var count = 0
            link.answer = { _ in
                count += 1
                return answersAtOnce ? CoAPResponse(.created, payload: Array("\(count)".utf8)) : nil
            }
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let peer = try RawPeer()
            try peer.send(self.request(0x2001), to: address)
            let first = try peer.next(link)
            try peer.send(self.request(0x2001), to: address)
            let second = try peer.next(link)
            #expect(first == second)
            #expect(first.code == (answersAtOnce ? .created : CoAPCode(rawValue: 0)))
            #expect(link.serverRequests.count == 1)
            #expect(link.server.counters.duplicateRequests == 1)
            // Another message id is another request.
            try peer.send(self.request(0x2002), to: address)
            _ = try peer.next(link)
            #expect(link.serverRequests.count == 2)
        }

        @Test func survivesDatagramsThatAreNoMessages() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let peer = try RawPeer()
            let datagrams: [[UInt8]] = [
                [], [0x40], [0x40, 1, 0], [0x4F, 1, 0, 1, 2], [0x40, 1, 0, 1, 0xFF], [0x40, 1, 0, 1, 0xF0],
                [0xC0, 1, 0, 1], [0x48, 1, 0, 1, 1], [0x40, 1, 0, 1, 0xBD], [0x40, 1, 0, 1, 0xB5, 1, 2],
            ]
            for datagram in datagrams { peer.send(datagram, to: address) }
            for length in 0..<64 {
                peer.send([UInt8](repeating: UInt8(length * 37 & 0xFF), count: length), to: address)
            }
            while try peer.receive() != nil {}
            try link.drive("broken datagrams are counted") { link.server.counters.malformedDatagrams >= 5 }
            // A fresh peer is served as before.
            let other = try RawPeer()
            try other.send(self.request(0x3001), to: address)
            #expect(try other.next(link).code == .content)
        }

        @Test func refusesUnknownCriticalOptions() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let peer = try RawPeer()
            var message = self.request(0x4001)
            message.options.append(CoAPOptionNumber(rawValue: 2_001), [1])
            try peer.send(message, to: address)
            let refusal = try peer.next(link)
            #expect(refusal.code == .badOption)
            #expect(refusal.kind == .acknowledgement)
            #expect(refusal.token == self.token)
            #expect(refusal.options == CoAPOptions())
            #expect(link.serverRequests.isEmpty)
            #expect(link.server.counters.unknownCriticalOptions == 1)
            // An elective one is passed on.
            message = self.request(0x4002)
            message.options.append(CoAPOptionNumber(rawValue: 2_002), [1])
            try peer.send(message, to: address)
            #expect(try peer.next(link).code == .content)
            #expect(link.serverRequests.first?.options.first(CoAPOptionNumber(rawValue: 2_002)) == [1])
        }

        @Test(arguments: [CoAPCode.get, .post, .put, .delete, .fetch, .patch, .iPatch])
        func receivesEveryMethodOnEveryPath(_ method: CoAPCode) throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let session = try link.connect(to: address, security: .none)
            let paths: [[UTF8Text]] = [[], ["3", "0"], [".well-known", "core"], ["rd", "a/b"], ["bs"]]
            for (index, path) in paths.enumerated() {
                let request = CoAPRequest(method, path: path, contentFormat: .opaque, payload: [UInt8(index)])
                try link.client.send(request, on: session, tag: UInt32(index))
                #expect(try link.answer(to: UInt32(index)).code == .content)
                #expect(link.serverRequests.last == request)
            }
        }

        @Test func givesUpOnAPeerThatIsSilent() throws {
            let link = try Loopback()
            let silent = try RawPeer()
            let session = try link.connect(to: silent.address, security: .none)
            try link.client.send(CoAPRequest(.get, path: ["x"]), on: session, tag: 1)
            #expect(try link.failure(of: 1) == .timedOut)
            var copies: [CoAPMessage] = []
            while let message = try silent.receive() { copies.append(message) }
            // Sent once and once again, the same message.
            #expect(copies.count == 2)
            #expect(Set(copies).count == 1)
            // The session goes on.
            try link.client.send(CoAPRequest(.get, path: ["x"]), on: session, tag: 2)
            #expect(try silent.next(link).code == .get)
        }

        @Test func sendsWhatWasLostAgain() throws {
            let link = try Loopback()
            let peer = try RawPeer()
            let local = try RawPeer().address
            let session = try link.connect(to: peer.address, security: .none, from: local)
            try link.client.send(CoAPRequest(.get, path: ["x"]), on: session, tag: 1)
            let first = try peer.next(link)
            let second = try peer.next(link)
            #expect(first == second)
            let answer = CoAPMessage(.acknowledgement, .content, id: second.id, token: second.token)
            try peer.send(answer, to: local)
            #expect(try link.answer(to: 1).code == .content)
        }

        @Test func reportsAReset() throws {
            let link = try Loopback()
            let peer = try RawPeer()
            let local = try RawPeer().address
            let session = try link.connect(to: peer.address, security: .none, from: local)
            try link.client.send(CoAPRequest(.get, path: ["x"]), on: session, tag: 1)
            let request = try peer.next(link)
            peer.send([0x70, 0, UInt8(request.id >> 8), UInt8(request.id & 0xFF)], to: local)
            #expect(try link.failure(of: 1) == .reset)
        }

        @Test func givesUpOnAnAnswerThatNeverComes() throws {
            var quick = Loopback.quick
            quick.answerTimeout = .milliseconds(150)
            let link = try Loopback(client: quick)
            link.answer = { _ in nil }
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let session = try link.connect(to: address, security: .none)
            try link.client.send(CoAPRequest(.get, path: ["x"]), on: session, tag: 1)
            #expect(try link.failure(of: 1) == .timedOut)
        }

        @Test func learnsThatTheServerIsGone() throws {
            let link = try Loopback()
            var replaced: CoAPTransport? = try CoAPTransport(configuration: Loopback.quick, loop: link.loop)
            let address = try #require(try replaced?.listen(on: link.ipv4, security: Loopback.accepting()))
            let session = try link.connect(to: address, security: Loopback.preSharedKey)
            replaced = nil
            _ = try link.server.listen(on: address, security: Loopback.accepting())
            // The new server knows nothing of the session: the request dies, or the session does.
            try? link.client.send(CoAPRequest(.post, path: ["rd"]), on: session, tag: 1)
            try link.drive("the client learns") {
                link.clientEvents.contains { event in
                    switch event {
                    case .requestFailed, .sessionClosed: true
                    default: false
                    }
                }
            }
            let again = try link.connect(to: address, security: Loopback.preSharedKey, tag: 2)
            try link.client.send(CoAPRequest(.post, path: ["rd"]), on: again, tag: 2)
            #expect(try link.answer(to: 2).code == .content)
        }

        @Test func requestsInBothDirectionsOnOneSession() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            let session = try link.connect(to: address, security: Loopback.preSharedKey, tag: 99)
            try link.drive("the server knows the session") { link.acceptedSession != nil }
            try link.server.send(CoAPRequest(.get, path: ["3", "0"]), on: try #require(link.acceptedSession), tag: 8)
            try link.drive("the request comes") {
                link.clientEvents.contains {
                    if case .requestReceived(_, session, 99, let request, _) = $0 {
                        request.path == ["3", "0"]
                    } else {
                        false
                    }
                }
            }
            guard case .requestReceived(let exchange, _, _, _, _) = link.clientEvents.last else { return }
            link.client.respond(to: exchange, CoAPResponse(.content, payload: [9]))
            try link.drive("the answer comes") {
                link.serverEvents.contains {
                    if case .responseReceived(_, _, 8, let response) = $0 { response.payload == [9] } else { false }
                }
            }
        }
    }
}
