import CoAPMessages
import CoAPTransport
import Primitives
import Testing

extension TransportTests {
    /// The server transport observes the client transport, as a management server observes a device.
    @Suite(.serialized) struct ObservationTests {
        private struct Observation {
            let link: Loopback
            let device: TransportSession
            let observer: TransportSession
            let token: CoAPToken

            init() throws {
                self.link = try Loopback()
                let address = try self.link.server.listen(on: self.link.ipv4, security: Loopback.accepting())
                self.device = try self.link.connect(to: address, security: Loopback.preSharedKey, tag: 11)
                try self.link.drive("the server knows the session") { [link] in link.acceptedSession != nil }
                self.observer = try #require(self.link.acceptedSession)
                var request = CoAPRequest(.get, path: ["3303", "0", "5700"])
                request.options.append(.observe, unsigned: 0)
                try self.link.server.send(request, on: self.observer, tag: 21)
                try self.link.drive("the observation begins") { [link] in !link.clientEvents.deviceRequests.isEmpty }
                let (exchange, received, token) = try #require(self.link.clientEvents.deviceRequests.first)
                #expect(received == request)
                self.token = token
                self.link.client.respond(to: exchange, Observation.value(0, [1]))
                try self.drive(1)
            }

            static func value(_ number: UInt64, _ payload: [UInt8]) -> CoAPResponse {
                var response = CoAPResponse(.content, contentFormat: .opaque, payload: payload)
                response.options.append(.observe, unsigned: number)
                return response
            }

            var received: [CoAPResponse] {
                self.link.serverEvents.compactMap { event in
                    if case .responseReceived(_, _, 21, let response) = event { response } else { nil }
                }
            }

            func drive(_ count: Int) throws {
                try self.link.drive("\(count) answers have come") { self.received.count >= count }
            }
        }

        @Test(arguments: [true, false])
        func notifies(_ isConfirmable: Bool) throws {
            let observation = try Observation()
            for number in 1...5 {
                try observation.link.client.notify(
                    Observation.value(UInt64(number), [UInt8(number)]),
                    token: observation.token,
                    on: observation.device,
                    isConfirmable: isConfirmable,
                    tag: UInt32(number)
                )
            }
            try observation.drive(6)
            #expect(observation.received.map(\.payload) == [[1], [1], [2], [3], [4], [5]])
            if isConfirmable {
                try observation.link.drive("every notification is acknowledged") {
                    observation.link.clientEvents.acknowledged.count == 5
                }
                #expect(observation.link.clientEvents.acknowledged == [1, 2, 3, 4, 5])
            } else {
                #expect(observation.link.clientEvents.acknowledged.isEmpty)
            }
        }

        @Test(arguments: [true, false])
        func learnsThatAnObservationIsNotWanted(_ isConfirmable: Bool) throws {
            let observation = try Observation()
            observation.link.server.cancelObservation(requestTag: 21, on: observation.observer)
            try observation.link.client.notify(
                Observation.value(1, [2]),
                token: observation.token,
                on: observation.device,
                isConfirmable: isConfirmable,
                tag: 31
            )
            try observation.link.drive("the refusal comes") { !observation.link.clientEvents.refused.isEmpty }
            #expect(observation.link.clientEvents.refused.map(\.tag) == [31])
            #expect(observation.link.clientEvents.refused.map(\.token) == [observation.token])
            #expect(observation.link.clientEvents.refused.map(\.failure) == [.reset])
            #expect(observation.received.count == 1)
        }

        @Test(arguments: [true, false])
        func carriesLargeNotifications(_ isConfirmable: Bool) throws {
            let observation = try Observation()
            let large = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            for (number, payload) in [large, [9], Array(large.reversed())].enumerated() {
                try observation.link.client.notify(
                    Observation.value(UInt64(number + 1), payload),
                    token: observation.token,
                    on: observation.device,
                    isConfirmable: isConfirmable,
                    tag: UInt32(number)
                )
                try observation.drive(number + 2)
            }
            #expect(observation.received.map(\.payload) == [[1], large, [9], Array(large.reversed())])
            // The later blocks came from what the transport kept, without asking the device again.
            #expect(observation.link.clientEvents.deviceRequests.count == 1)
        }

        @Test func confirmableNotificationToASilentPeerTimesOut() throws {
            let link = try Loopback()
            let peer = try RawPeer()
            let local = try RawPeer().address
            let session = try link.connect(to: peer.address, security: .none, from: local)
            let token = try #require(CoAPToken([1, 2, 3]))
            try link.client.notify(Observation.value(1, [1]), token: token, on: session, isConfirmable: true, tag: 4)
            try link.drive("the notification fails") { !link.clientEvents.refused.isEmpty }
            #expect(link.clientEvents.refused.map(\.failure) == [.timedOut])
            #expect(link.clientEvents.refused.map(\.token) == [token])
        }

        @Test func sendsOneConfirmableMessageAtATime() throws {
            let link = try Loopback()
            let peer = try RawPeer()
            let local = try RawPeer().address
            let session = try link.connect(to: peer.address, security: .none, from: local)
            let token = try #require(CoAPToken([1]))
            for number in 1...3 {
                try link.client.notify(
                    Observation.value(UInt64(number), [UInt8(number)]),
                    token: token,
                    on: session,
                    isConfirmable: true,
                    tag: UInt32(number)
                )
            }
            for number in 1...3 {
                let message = try peer.next(link)
                #expect(message.payload == [UInt8(number)])
                #expect(try peer.receive() == nil)
                peer.send([0x60, 0, UInt8(message.id >> 8), UInt8(message.id & 0xFF)], to: local)
                try link.drive("notification \(number) is acknowledged") {
                    link.clientEvents.acknowledged.count == number
                }
            }
        }
    }
}

extension [TransportEvent] {
    fileprivate var deviceRequests: [(ExchangeID, CoAPRequest, CoAPToken)] {
        self.compactMap { event in
            if case .requestReceived(let exchange, _, _, let request, let token) = event {
                (exchange, request, token)
            } else {
                nil
            }
        }
    }

    fileprivate var acknowledged: [UInt32] {
        self.compactMap { if case .notificationAcknowledged(_, _, let tag) = $0 { tag } else { nil } }
    }

    fileprivate var refused: [(tag: UInt32, token: CoAPToken, failure: RequestFailure)] {
        self.compactMap { event in
            if case .notificationFailed(_, _, let tag, let token, let failure) = event {
                (tag, token, failure)
            } else {
                nil
            }
        }
    }
}
