import CoAPMessages
import LwM2MModel
import ManagementEngine
import Primitives
import Testing

@Suite("Core 1.2.2, clause 6.4: information reporting") struct ObservationTests {
    private static let sensor = ObjectPath(3303, 0, 5700)

    private func observing(_ bench: Bench) throws -> RequestID {
        _ = bench.registered()
        let (id, _) = try #require(bench.sent(.observe(Self.sensor)))
        let outputs = bench.tell(.responseReceived(id, content("1", observe: 5)))
        #expect(outputs.results == [.answered(.content, .values([ResourceRecord(Self.sensor, .float(1))]))])
        #expect(bench.engine.status(of: "dev1")?.observations == [Self.sensor])
        return id
    }

    private func notified(_ value: Double) -> ManagementOutput {
        .notified(endpoint: "dev1", Self.sensor, .values([ResourceRecord(Self.sensor, .float(value))]))
    }

    @Test func notificationsAreToldInOrder() throws {
        let bench = Bench()
        let id = try self.observing(bench)
        #expect(bench.tell(.responseReceived(id, content("2", observe: 6))) == [self.notified(2)])
        #expect(bench.tell(.responseReceived(id, content("3", observe: 9))) == [self.notified(3)])
        #expect(bench.engine.counters.notifications == 2)
    }

    @Test("RFC 7641, section 3.4: an older notification is not news")
    func staleNotificationsAreDropped() throws {
        let bench = Bench()
        let id = try self.observing(bench)
        _ = bench.tell(.responseReceived(id, content("3", observe: 9)))
        #expect(bench.tell(.responseReceived(id, content("2", observe: 6))).isEmpty)
        #expect(bench.tell(.responseReceived(id, content("3", observe: 9))).isEmpty)
        #expect(bench.engine.counters.staleNotifications == 2)
        // Around the end of the numbers, and after 128 s, the count begins anew.
        #expect(bench.tell(.responseReceived(id, content("4", observe: (1 << 23) + 8))) == [self.notified(4)])
        #expect(bench.tell(.responseReceived(id, content("5", observe: 2))) == [self.notified(5)])
        bench.now = bench.now.advanced(by: .seconds(129))
        #expect(bench.tell(.responseReceived(id, content("6", observe: 1))) == [self.notified(6)])
    }

    @Test func anErrorEndsTheObservation() throws {
        let bench = Bench()
        let id = try self.observing(bench)
        #expect(bench.tell(.responseReceived(id, CoAPResponse(.notFound))).ends == [.refused(.notFound)])
        #expect(bench.engine.status(of: "dev1")?.observations.isEmpty == true)
        #expect(bench.tell(.responseReceived(id, content("2", observe: 6))).isEmpty)
    }

    @Test func cancellingTellsTheDeviceAndTheTransport() throws {
        let bench = Bench()
        let id = try self.observing(bench)
        let (request, message) = try #require(bench.sent(.cancelObservation(Self.sensor)))
        #expect(message.options.observe == 1)
        let outputs = bench.tell(.responseReceived(request, content("1")))
        #expect(outputs.contains(.cancelObservation(id, SessionID(rawValue: 1))))
        #expect(outputs.ends == [.cancelled])
        #expect(bench.command(.cancelObservation(Self.sensor)).results == [.failed(.notObserved(Self.sensor))])
    }

    @Test func observingAgainTakesThePlaceOfTheFirst() throws {
        let bench = Bench()
        let first = try self.observing(bench)
        let (second, _) = try #require(bench.sent(.observe(Self.sensor)))
        let outputs = bench.tell(.responseReceived(second, content("2", observe: 1)))
        #expect(outputs.contains(.cancelObservation(first, SessionID(rawValue: 1))))
        #expect(outputs.ends == [.replaced])
        #expect(bench.tell(.responseReceived(first, content("9", observe: 7))).isEmpty)
        #expect(bench.tell(.responseReceived(second, content("3", observe: 2))) == [self.notified(3)])
    }

    @Test func observationsEndWithTheSessionAndTheRegistration() throws {
        var bench = Bench()
        _ = try self.observing(bench)
        #expect(bench.tell(.sessionClosed(SessionID(rawValue: 1))).ends == [.sessionClosed])

        bench = Bench()
        _ = try self.observing(bench)
        #expect(bench.wait(.seconds(300)).ends == [.registrationEnded])

        bench = Bench()
        _ = try self.observing(bench)
        #expect(bench.ask(Bench.register()).ends == [.registrationEnded])
    }

    @Test func whatIsObservedEverywhereIsObservedAtEachRegistration() {
        let bench = Bench { $0.automaticObservations = [Self.sensor, ObjectPath(9, 0, 7)] }
        bench.open()
        let outputs = bench.ask(Bench.register())
        #expect(outputs.requests.map(\.path) == [["3303", "0", "5700"]])
        // Not before the device knows that it is registered.
        let kinds = outputs.compactMap { output -> String? in
            switch output {
            case .sendResponse: "answer"
            case .sendRequest: "request"
            default: nil
            }
        }
        #expect(kinds == ["answer", "request"])
        let told = bench.tell(.responseReceived(outputs.requestIDs[0], content("1", observe: 1)))
        #expect(told.results.isEmpty)
        #expect(bench.engine.status(of: "dev1")?.observations == [Self.sensor])
    }
}
