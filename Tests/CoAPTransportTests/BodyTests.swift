import CoAPMessages
import CoAPTransport
import Primitives
import Testing

extension TransportTests {
    @Suite(.serialized) struct BodyTests {
        private static func body(_ count: Int, seed: Int = 0) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8 &+ seed) }
        }

        @Test(arguments: [0, 1, 1_023, 1_024, 1_025, 2_048, 5_000, 100_000], [false, true])
        func carriesBodiesBothWays(_ count: Int, isSecured: Bool) throws {
            let link = try Loopback()
            let answer = BodyTests.body(count, seed: 1)
            link.answer = { _ in
                var response = CoAPResponse(.content, contentFormat: .opaque, payload: answer)
                response.options.append(.maxAge, unsigned: 5)
                return response
            }
            let address = try link.server.listen(
                on: link.ipv4,
                security: isSecured ? Loopback.accepting() : .none
            )
            let session = try link.connect(to: address, security: isSecured ? Loopback.preSharedKey : .none)
            let request = CoAPRequest(
                .post,
                path: ["big"],
                query: ["a=1"],
                contentFormat: .opaque,
                accept: .opaque,
                payload: BodyTests.body(count)
            )
            try link.client.send(request, on: session, tag: 1)
            let response = try link.answer(to: 1)
            #expect(link.serverRequests == [request])
            #expect(response.payload == answer)
            #expect(response.code == .content)
            #expect(response.options.contentFormat == .opaque)
            #expect(response.options.unsigned(.maxAge) == 5)
            #expect(response.options.first(.block2) == nil)
            #expect(response.options.first(.block1) == nil)
        }

        @Test func carriesALargeAnswerThatComesLater() throws {
            let link = try Loopback()
            link.answer = { _ in nil }
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let session = try link.connect(to: address, security: .none)
            try link.client.send(CoAPRequest(.get, path: ["big"]), on: session, tag: 1)
            try link.drive("the request comes") { !link.serverRequests.isEmpty }
            guard case .requestReceived(let exchange, _, _, _, _) = link.serverEvents.last else { return }
            link.server.respond(to: exchange, CoAPResponse(.content, payload: BodyTests.body(3_000)))
            #expect(try link.answer(to: 1).payload == BodyTests.body(3_000))
            #expect(link.serverRequests.count == 1)
        }

        @Test func refusesToSendMoreThanAllowed() throws {
            var small = Loopback.quick
            small.maximumBodySize = 4_096
            let link = try Loopback(client: small)
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let session = try link.connect(to: address, security: .none)
            let request = CoAPRequest(.post, path: ["big"], payload: BodyTests.body(4_097))
            #expect(throws: TransportError.tooLarge) { try link.client.send(request, on: session, tag: 1) }
            // The same limit holds for answers.
            link.answer = { _ in CoAPResponse(.content, payload: BodyTests.body(8_000)) }
            try link.client.send(CoAPRequest(.get, path: ["big"]), on: session, tag: 2)
            #expect(try link.failure(of: 2) == .malformedAnswer)
        }

        @Test func tellsHowMuchItTakes() throws {
            var small = Loopback.quick
            small.maximumBodySize = 4_096
            let link = try Loopback(server: small)
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let session = try link.connect(to: address, security: .none)
            try link.client.send(CoAPRequest(.post, path: ["big"], payload: BodyTests.body(4_097)), on: session, tag: 1)
            let response = try link.answer(to: 1)
            #expect(response.code == .requestEntityTooLarge)
            #expect(link.server.counters.refusedBodies == 1)
            #expect(link.serverRequests.isEmpty)
            try link.client.send(CoAPRequest(.post, path: ["big"], payload: BodyTests.body(4_096)), on: session, tag: 2)
            #expect(try link.answer(to: 2).code == .content)
        }

        /// What a hostile peer may put into a block, and what it is answered.
        private static let hostileBlocks: [(String, [UInt8], Int, Int?, CoAPCode)] = [
            ("the last possible block first", [0xFF, 0xFF, 0xFE], 1_024, nil, .requestEntityIncomplete),
            ("the last possible block first, no more", [0xFF, 0xFF, 0xF6], 10, nil, .requestEntityIncomplete),
            ("the reserved size", [0x0F], 1_024, nil, .badRequest),
            ("four bytes", [0, 0, 0, 0x0E], 1_024, nil, .empty),
            ("fewer bytes than a block", [0x0E], 100, nil, .badRequest),
            ("more bytes than a block", [0x08], 100, nil, .badRequest),
            ("more bytes than the only block", [0x00], 100, nil, .badRequest),
            ("four gigabytes announced", [0x0E], 1_024, 0xFFFF_FFFF, .requestEntityTooLarge),
            ("the second block first", [0x1E], 1_024, nil, .requestEntityIncomplete),
        ]

        @Test(arguments: hostileBlocks.indices)
        func refusesHostileBlocks(_ index: Int) throws {
            let (name, option, count, announced, code) = BodyTests.hostileBlocks[index]
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let peer = try RawPeer()
            var message = CoAPMessage(.confirmable, .post, id: 0x5001)
            message.options.append(.uriPath, Array("rd".utf8))
            message.options.append(.block1, option)
            if let announced { message.options.append(.size1, unsigned: UInt64(announced)) }
            message.payload = BodyTests.body(count)
            try peer.send(message, to: address)
            let answer = try peer.next(link)
            #expect(answer.code == code, "\(name)")
            #expect(link.serverRequests.isEmpty)
            // An ordinary request is served as before.
            try peer.send(CoAPMessage(.confirmable, .get, id: 0x5002), to: address)
            #expect(try peer.next(link).code == .content)
        }

        @Test func takesARepeatedBlockOnceAndNoGap() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let peer = try RawPeer()
            var id: UInt16 = 0x6000
            func sendBlock(_ number: Int, hasMore: Bool) throws -> CoAPCode {
                id += 1
                var message = CoAPMessage(.confirmable, .put, id: id)
                message.options.append(.uriPath, Array("5".utf8))
                message.options.append(.block1, unsigned: UInt64(number << 4 | (hasMore ? 8 : 0) | 2))
                message.payload = [UInt8](repeating: UInt8(number), count: hasMore ? 64 : 10)
                try peer.send(message, to: address)
                return try peer.next(link).code
            }
            #expect(try sendBlock(0, hasMore: true) == .continue)
            #expect(try sendBlock(1, hasMore: true) == .continue)
            // Another message with the same block: what was kept stays as it is.
            #expect(try sendBlock(1, hasMore: true) == .continue)
            #expect(try sendBlock(2, hasMore: false) == .content)
            #expect(
                link.serverRequests.first?.payload
                    == [UInt8](repeating: 0, count: 64) + [UInt8](repeating: 1, count: 64)
                    + [UInt8](repeating: 2, count: 10)
            )
            // A gap ends the transfer, also for the block that would have fitted.
            #expect(try sendBlock(0, hasMore: true) == .continue)
            #expect(try sendBlock(2, hasMore: true) == .requestEntityIncomplete)
            #expect(try sendBlock(1, hasMore: true) == .requestEntityIncomplete)
            #expect(link.serverRequests.count == 1)
            #expect(link.server.counters.incompleteBodies == 2)
        }

        @Test func keepsAFewTransfersOfAPeerOnly() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let peer = try RawPeer()
            var id: UInt16 = 0x7000
            func sendBlock(_ path: Int, _ number: Int, hasMore: Bool) throws -> CoAPCode {
                id += 1
                var message = CoAPMessage(.confirmable, .put, id: id)
                message.options.append(.uriPath, Array("\(path)".utf8))
                message.options.append(.block1, unsigned: UInt64(number << 4 | (hasMore ? 8 : 0)))
                message.payload = [UInt8](repeating: 1, count: 16)
                try peer.send(message, to: address)
                return try peer.next(link).code
            }
            for path in 0..<20 { #expect(try sendBlock(path, 0, hasMore: true) == .continue) }
            // The first transfers were dropped for later ones, the last are there.
            #expect(try sendBlock(0, 1, hasMore: false) == .requestEntityIncomplete)
            #expect(try sendBlock(19, 1, hasMore: false) == .content)
        }

        @Test func servesAnyBlockThatIsAskedFor() throws {
            let link = try Loopback()
            let whole = BodyTests.body(300)
            link.answer = { _ in CoAPResponse(.content, payload: whole) }
            let address = try link.server.listen(on: link.ipv4, security: .none)
            let peer = try RawPeer()
            var id: UInt16 = 0x8000
            func ask(_ number: Int) throws -> CoAPMessage {
                id += 1
                var message = CoAPMessage(.confirmable, .get, id: id)
                message.options.append(.uriPath, Array("3".utf8))
                message.options.append(.block2, unsigned: UInt64(number << 4 | 2))
                try peer.send(message, to: address)
                return try peer.next(link)
            }
            // A middle block first: there is nothing kept, so the answer is made and cut.
            #expect(try ask(2).payload == Array(whole[128..<192]))
            var tags: Set<[UInt8]> = []
            var body: [UInt8] = []
            for number in 0...4 {
                let part = try ask(number)
                body += part.payload
                tags.insert(part.options.first(.eTag) ?? [])
                #expect(part.options.unsigned(.block2) == UInt64(number << 4 | (number < 4 ? 8 : 0) | 2))
            }
            #expect(body == whole)
            #expect(tags.count == 1)
            #expect(link.serverRequests.count == 2)
            #expect(try ask(5).code == .badRequest)
        }
    }
}
