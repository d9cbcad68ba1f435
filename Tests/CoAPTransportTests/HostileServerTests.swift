import CoAPMessages
import CoAPTransport
import Primitives
import TestSupport
import Testing

extension TransportTests {
    /// What a client makes of a server that answers nonsense, too much or nothing.
    @Suite(.serialized) struct HostileServerTests {
        /// A client with a session to a bare socket, and a request of its that the socket has received.
        private final class Victim {
            let link: Loopback
            let server: RawPeer
            let local: SocketAddress
            let session: TransportSession
            let request: CoAPMessage

            init(_ request: CoAPRequest = CoAPRequest(.post, path: ["rd"]), maximumBodySize: Int = 4_096) throws {
                var quick = Loopback.quick
                quick.answerTimeout = .milliseconds(200)
                quick.maximumBodySize = maximumBodySize
                self.link = try Loopback(client: quick)
                self.server = try RawPeer()
                self.local = try RawPeer().address
                self.session = try self.link.connect(to: self.server.address, security: .none, from: self.local)
                try self.link.client.send(request, on: self.session, tag: 1)
                self.request = try self.server.next(self.link)
            }

            func answer(
                _ code: CoAPCode,
                options: [(CoAPOptionNumber, [UInt8])] = [],
                payload: [UInt8] = []
            ) -> CoAPMessage {
                var message = CoAPMessage(.acknowledgement, code, id: self.request.id, token: self.request.token)
                for (number, value) in options { message.options.append(number, value) }
                message.payload = payload
                return message
            }

            /// How the request ended: each answer and each failure of it.
            var ends: [RequestEnd] {
                self.link.clientEvents.compactMap { event in
                    switch event {
                    case .responseReceived(_, _, 1, let response): .answered(response.code)
                    case .requestFailed(_, _, 1, let failure): .failed(failure)
                    default: nil
                    }
                }
            }

            /// Waits for the end of the request, and shows that the session still serves another one.
            func end() throws -> RequestEnd {
                try self.link.drive("the request ends") { !self.ends.isEmpty }
                while try self.server.receive() != nil {}
                try self.link.client.send(CoAPRequest(.get, path: ["again"]), on: self.session, tag: 2)
                var next = try self.server.next(self.link)
                // Block requests and resends of the first one may come before it.
                while next.options.first(.uriPath) != Array("again".utf8) { next = try self.server.next(self.link) }
                let answer = CoAPMessage(.acknowledgement, .content, id: next.id, token: next.token)
                try self.server.send(answer, to: self.local)
                #expect(try self.link.answer(to: 2).code == .content)
                #expect(self.ends.count == 1)
                return try #require(self.ends.first)
            }
        }

        enum RequestEnd: Hashable {
            case answered(CoAPCode)
            case failed(RequestFailure)
        }

        @Test func anAnswerWithAnotherTokenIsNoAnswer() throws {
            let victim = try Victim()
            var stray = victim.answer(.created)
            stray.token = try #require(CoAPToken([9, 9, 9, 9]))
            try victim.server.send(stray, to: victim.local)
            for length in [0, 1, 8] {
                stray.token = try #require(CoAPToken([UInt8](repeating: 3, count: length)))
                stray.kind = .nonConfirmable
                stray.id = UInt16(length)
                try victim.server.send(stray, to: victim.local)
            }
            #expect(try victim.end() == .failed(.timedOut))
            #expect(victim.link.client.counters.unexpectedAnswers == 4)
        }

        @Test func anAnswerWithAnotherMessageIDEndsTheRequestOnce() throws {
            let victim = try Victim()
            var stray = victim.answer(.created)
            stray.id &+= 1
            try victim.server.send(stray, to: victim.local)
            try victim.server.send(victim.answer(.created), to: victim.local)
            #expect(try victim.end() == .answered(.created))
        }

        /// Bytes instead of an answer; `id` and `token` stand for those of the request.
        private static let garbage: [(name: String, bytes: @Sendable (_ id: [UInt8], _ token: [UInt8]) -> [UInt8])] = [
            ("an empty datagram", { _, _ in [] }),
            ("a cut header", { id, _ in [0x64, 0x41, id[0]] }),
            ("a cut token", { id, token in [0x64, 0x41] + id + token.prefix(2) }),
            ("a cut option", { id, token in [0x64, 0x41] + id + token + [0x85, 1] }),
            ("a payload marker without payload", { id, token in [0x64, 0x41] + id + token + [0xFF] }),
            ("the reserved option length", { id, token in [0x64, 0x41] + id + token + [0x8F] }),
            ("a token of 9 bytes", { id, token in [0x69, 0x41] + id + token + token + [1] }),
            ("another version", { id, token in [0xA4, 0x41] + id + token }),
            ("an empty acknowledgement with content", { id, token in [0x64, 0x00] + id + token }),
        ]

        @Test(arguments: garbage.indices)
        func garbageInPlaceOfAnAnswerDoesNotHideTheAnswer(_ index: Int) throws {
            let victim = try Victim()
            let id = [UInt8(victim.request.id >> 8), UInt8(victim.request.id & 0xFF)]
            let (name, bytes) = Self.garbage[index]
            victim.server.send(bytes(id, victim.request.token.bytes), to: victim.local)
            try victim.server.send(victim.answer(.created), to: victim.local)
            let end = try victim.end()
            // Where the broken message acknowledged the request, the answer behind it is a second one.
            #expect(end == .answered(.created) || end == .failed(.timedOut), "\(name)")
        }

        /// RFC 7252, section 5.4.1: a response with a critical option that is not known must be rejected.
        @Test func anAnswerWithAnUnknownCriticalOptionIsNoAnswer() throws {
            let victim = try Victim()
            let answer = victim.answer(.created, options: [(CoAPOptionNumber(rawValue: 2_001), [1])])
            try victim.server.send(answer, to: victim.local)
            let end = try victim.end()
            #expect(end == .failed(.timedOut) || end == .failed(.malformedAnswer))
        }

        @Test(arguments: [0x01, 0x02, 0x20, 0x60, 0xE0].map { CoAPCode(rawValue: $0) })
        func acknowledgementsWithCodesThatAnswerNothingEndTheRequest(_ code: CoAPCode) throws {
            let victim = try Victim()
            try victim.server.send(victim.answer(code), to: victim.local)
            let end = try victim.end()
            #expect(end == .failed(.timedOut) || end == .failed(.malformedAnswer) || end == .answered(code))
            // RFC 7252, section 4.2: nothing of it is taken for a request, and nothing answers it.
            #expect(!victim.link.clientEvents.contains { if case .requestReceived = $0 { true } else { false } })
        }

        /// Options that mean nothing good: the answer arrives with them, or the request fails; nobody traps.
        private static let options: [(name: String, options: [(CoAPOptionNumber, [UInt8])])] = [
            ("Max-Age of 136 years", [(.maxAge, [0xFF, 0xFF, 0xFF, 0xFF])]),
            ("Max-Age of nine bytes", [(.maxAge, [UInt8](repeating: 0xFF, count: 9))]),
            ("an empty Location-Path", [(.locationPath, [])]),
            ("a Location-Path that is not UTF-8", [(.locationPath, [0xFF, 0xFE])]),
            ("200 Location-Paths", [(CoAPOptionNumber, [UInt8])](repeating: (.locationPath, [0x61]), count: 200)),
            ("a Location-Path of 400 bytes", [(.locationPath, [UInt8](repeating: 0x61, count: 400))]),
            ("Content-Format of five bytes", [(.contentFormat, [1, 2, 3, 4, 5])]),
            ("Observe of five bytes", [(.observe, [1, 2, 3, 4, 5])]),
            ("two ETags of nine bytes", [(.eTag, [UInt8](repeating: 1, count: 9)), (.eTag, [])]),
            ("Size2 of four gigabytes", [(.size2, [0xFF, 0xFF, 0xFF, 0xFF])]),
        ]

        @Test(arguments: options.indices)
        func strangeOptionsOfAnAnswerAreHarmless(_ index: Int) throws {
            let victim = try Victim()
            let (name, options) = Self.options[index]
            try victim.server.send(victim.answer(.created, options: options), to: victim.local)
            // Where the first is malformed and dropped, this one counts; otherwise it is one too many.
            try victim.server.send(victim.answer(.created), to: victim.local)
            #expect(try victim.end() == .answered(.created), "\(name)")
        }

        /// RFC 7959: blocks that do not add up; the request fails, and at most a body's length is kept meanwhile.
        @Test(arguments: [
            [UInt8]([0x0F]), [0x1E], [0xFF, 0xFF, 0xFE], [0xFF, 0xFF, 0xF6], [0x0E],
        ])
        func blocksThatDoNotAddUpFailTheRequest(_ block: [UInt8]) throws {
            let victim = try Victim(CoAPRequest(.get, path: ["big"]))
            let answer = victim.answer(
                .content,
                options: [(.block2, block)],
                payload: [UInt8](repeating: 1, count: 100)
            )
            try victim.server.send(answer, to: victim.local)
            #expect(try victim.end() == .failed(.malformedAnswer))
        }

        /// RFC 7252, section 5.4.3: an option of a wrong length counts as not known, and this one is critical.
        @Test func aBlockOptionOfFourBytesIsNoAnswer() throws {
            let victim = try Victim(CoAPRequest(.get, path: ["big"]))
            let answer = victim.answer(.content, options: [(.block2, [0, 0, 0, 0x0E])], payload: [1])
            try victim.server.send(answer, to: victim.local)
            try victim.server.send(victim.answer(.content), to: victim.local)
            #expect(try victim.end() == .answered(.content))
        }

        @Test func aBodyWithoutEndIsCutOffAtTheLimit() throws {
            let victim = try Victim(CoAPRequest(.get, path: ["endless"]), maximumBodySize: 4_096)
            var request = victim.request
            var blocks = 0
            while victim.ends.isEmpty, blocks < 100 {
                var answer = CoAPMessage(.acknowledgement, .content, id: request.id, token: request.token)
                answer.options.append(.block2, unsigned: UInt64(blocks << 4 | 8 | 6))
                answer.payload = [UInt8](repeating: 7, count: 1_024)
                try victim.server.send(answer, to: victim.local)
                blocks += 1
                try victim.link.drive("the next block is wanted, or no more") {
                    if let next = try? victim.server.receive() {
                        request = next
                        return true
                    }
                    return !victim.ends.isEmpty
                }
            }
            #expect(try victim.end() == .failed(.malformedAnswer))
            #expect(blocks == 5)
        }

        @Test func anEmptyAcknowledgementAndThenSilenceTimesOut() throws {
            let victim = try Victim()
            let id = victim.request.id
            victim.server.send([0x60, 0, UInt8(id >> 8), UInt8(id & 0xFF)], to: victim.local)
            #expect(try victim.end() == .failed(.timedOut))
        }

        @Test func aServerThatResetsEverythingIsReportedEachTime() throws {
            let victim = try Victim()
            let id = victim.request.id
            victim.server.send([0x70, 0, UInt8(id >> 8), UInt8(id & 0xFF)], to: victim.local)
            #expect(try victim.end() == .failed(.reset))
            // A Reset of nothing at all has no effect.
            for id in 0..<100 { victim.server.send([0x70, 0, 0xAB, UInt8(id)], to: victim.local) }
            try victim.link.client.send(CoAPRequest(.get, path: ["x"]), on: victim.session, tag: 3)
            let request = try victim.server.next(victim.link)
            let answer = CoAPMessage(.acknowledgement, .content, id: request.id, token: request.token)
            try victim.server.send(answer, to: victim.local)
            #expect(try victim.link.answer(to: 3).code == .content)
        }

        /// Over plain UDP an ICMP refusal is at most a hint (anybody can send one): the request ends, the session does not.
        @Test func aClosedPortEndsTheRequest() throws {
            let link = try Loopback()
            let address: SocketAddress
            do { address = try RawPeer().address }
            let session = try link.connect(to: address, security: .none)
            try? link.client.send(CoAPRequest(.get, path: ["x"]), on: session, tag: 1)
            try link.drive("the client learns") {
                link.clientEvents.contains { event in
                    switch event {
                    case .requestFailed, .sessionClosed: true
                    default: false
                    }
                }
            }
        }

        @Test func notificationsThatNobodyAskedForAreCountedAndRefused() throws {
            let victim = try Victim()
            try victim.server.send(victim.answer(.created), to: victim.local)
            #expect(try victim.end() == .answered(.created))
            let before = victim.link.client.counters.unexpectedAnswers
            var message = CoAPMessage(.confirmable, .content, id: 0, token: try #require(CoAPToken([1, 2, 3, 4])))
            message.options.append(.observe, [5])
            for id in 0..<200 {
                message.id = UInt16(id)
                try victim.server.send(message, to: victim.local)
            }
            try victim.link.drive("they are counted") {
                victim.link.client.counters.unexpectedAnswers == before + 200
            }
            #expect(try victim.server.next(victim.link).kind == .reset)
        }

        @Test func noiseInsteadOfAHandshakeIsAFailedHandshake() throws {
            var quick = Loopback.quick
            quick.handshakeTimeout = .milliseconds(600)
            let link = try Loopback(client: quick)
            let server = try RawPeer()
            let local = try RawPeer().address
            let session = try link.client.openSession(
                to: server.address,
                security: Loopback.preSharedKey,
                from: local,
                tag: 1
            )
            try SeededRuns.each(200) { generator in
                let count = Int(generator.next() % 90)
                var bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
                // Half of them begin as DTLS 1.2 records do.
                if generator.next() % 2 == 0, count > 13 {
                    bytes.replaceSubrange(0..<3, with: [UInt8(20 + generator.next() % 5), 0xFE, 0xFD])
                    bytes.replaceSubrange(11..<13, with: [0, UInt8(count - 13)])
                }
                server.send(bytes, to: local)
            }
            let failure = try link.closure(of: session)
            #expect(failure == .unreachable || failure == .handshakeRefused)
            #expect(link.client.counters.failedHandshakes == 1)
        }
    }
}
