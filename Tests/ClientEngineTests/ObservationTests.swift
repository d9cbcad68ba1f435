import ClientEngine
import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

@Suite("Core 1.2.2 §6.4 Information reporting")
struct ObservationTests {
    static let value = ObjectPath(3303, 0, 5700)

    static func set(_ number: Double) -> ClientEvent { .valueSet([ResourceRecord(Self.value, .float(number))]) }

    static func payloads(_ outputs: [ClientOutput]) -> [String] {
        outputs.notifications.map { String(decoding: $0.response.payload, as: UTF8.self) }
    }

    static func observing(
        _ configuration: ClientConfiguration = Sample.configuration
    ) -> (driver: EngineDriver, session: SessionID) {
        var (driver, session) = Sample.registered(configuration)
        _ = driver.answer(Sample.observe(Self.value), session: session, token: [7])
        return (driver, session)
    }

    @Test("§6.4.1: Observe answers with the value; a change is notified with the token and a later sequence number")
    func observes() {
        var (driver, session) = Sample.registered()
        let response = driver.answer(Sample.observe(Self.value), session: session, token: [7])
        #expect(response?.code == .content)
        #expect(response?.options.observe == 0)
        #expect(response.map { String(decoding: $0.payload, as: UTF8.self) } == "21.5")
        for (sequence, number) in [(1, 22.5), (2, 23.5)] as [(UInt64, Double)] {
            let outputs = driver.handle(Self.set(number))
            #expect(outputs.notifications.count == 1)
            #expect(outputs.notifications.first?.token == CoAPToken([7]))
            #expect(outputs.notifications.first?.response.options.observe == sequence)
            #expect(outputs.notifications.first?.response.options.contentFormat == .text)
            #expect(outputs.notifications.first?.isConfirmable == false)
            #expect(Self.payloads(outputs) == ["\(number)"])
        }
        #expect(driver.handle(Self.set(23.5)).isEmpty, "the same value is no change")
    }

    @Test(
        "§6.4.1: object, instance and resource instance are observed too",
        arguments: [
            (ObjectPath(3), ObjectPath(3, 0, 9)), (ObjectPath(3, 0), ObjectPath(3, 0, 9)),
            (ObjectPath(3, 0, 6), ObjectPath(resourceInstance: 3, 0, 6, 2)),
            (ObjectPath(resourceInstance: 3, 0, 6, 2), ObjectPath(resourceInstance: 3, 0, 6, 2)),
        ]
    )
    func observesEveryLevel(observed: ObjectPath, changed: ObjectPath) {
        var (driver, session) = Sample.registered()
        let observe = Sample.observe(observed, accept: .senMLJSON)
        #expect(driver.answer(observe, session: session)?.options.observe == 0)
        let outputs = driver.handle(.valueSet([ResourceRecord(changed, .integer(3))]))
        #expect(outputs.notifications.first?.response.options.contentFormat == .senMLJSON)
        #expect(
            driver.handle(.valueSet([ResourceRecord(ObjectPath(3, 0, 0), .string("B"))])).count
                == (observed.depth < 3 ? 1 : 0)
        )
        #expect(driver.handle(Self.set(1)).isEmpty)
    }

    @Test("A write of a server is notified to observers, after its answer")
    func notifiesWrites() {
        var (driver, session) = Sample.registered()
        let path = ObjectPath(30_000, 0, 1)
        _ = driver.answer(Sample.observe(path), session: session)
        let write = Sample.request(.put, path, format: .text, payload: Array("8".utf8))
        let (exchange, outputs) = driver.request(write, session: session)
        #expect(outputs.first == .sendResponse(exchange, CoAPResponse(.changed)))
        #expect(Self.payloads(outputs) == ["8"])
    }

    @Test("§6.4.3: Observe 1 with the token, or for the path, ends it; so does Reset")
    func cancels() {
        for token in [[7], [9]] as [[UInt8]] {
            var (driver, session) = Self.observing()
            let cancel = driver.answer(Sample.observe(Self.value, 1), session: session, token: token)
            #expect(cancel?.code == .content)
            #expect(cancel?.options.observe == nil)
            #expect(driver.handle(Self.set(30)).isEmpty)
        }
        var (driver, _) = Self.observing()
        let notification = driver.handle(Self.set(30)).notifications.first
        if let notification { driver.handle(.notificationFailed(notification.id, .reset)) }
        #expect(driver.handle(Self.set(31)).isEmpty)
    }

    @Test("Of two observations of a path, the token says which one ends")
    func cancelsByToken() {
        var (driver, session) = Self.observing()
        _ = driver.answer(Sample.observe(Self.value), session: session, token: [8])
        _ = driver.answer(Sample.observe(Self.value, 1), session: session, token: [7])
        #expect(driver.handle(Self.set(30)).notifications.map(\.token) == [CoAPToken([8])])
    }

    @Test("§7.3.2: pmin and pmax of the server's account count until attributes are attached")
    func usesTheDefaults() {
        var configuration = Sample.configuration
        configuration.servers[0].defaultMinimumPeriod = 10
        configuration.servers[0].defaultMaximumPeriod = 60
        var (driver, session) = Self.observing(configuration)
        driver.advance(.seconds(1))
        #expect(driver.handle(Self.set(30)).isEmpty)
        #expect(driver.handle(Self.set(31)).isEmpty)
        #expect(Self.payloads(driver.advance(.seconds(9))) == ["31.0"])
        #expect(Self.payloads(driver.advance(.seconds(60))) == ["31.0"])
        let attach = Sample.request(.put, ObjectPath(3303, 0), query: ["pmin=0", "pmax=100"])
        #expect(driver.answer(attach, session: session)?.code == .changed)
        #expect(Self.payloads(driver.handle(Self.set(32))) == ["32.0"])
        #expect(driver.advance(.seconds(60)).notifications.isEmpty)
        #expect(Self.payloads(driver.advance(.seconds(40))) == ["32.0"])
        #expect(
            driver.answer(Sample.request(.put, ObjectPath(3303, 0), query: ["pmax"]), session: session)?.code
                == .changed
        )
    }

    @Test("§7.3.2: gt, lt and st decide which changes are notified")
    func filtersByValue() {
        var (driver, session) = Self.observing()
        let attach = Sample.request(.put, Self.value, query: ["gt=25", "lt=-5.5", "st=3"])
        #expect(driver.answer(attach, session: session)?.code == .changed)
        var notified: [Double] = []
        for number in [22, 23, 24, 24.5, 25.5, 26, 24, 21.5, 0, -5.5, -6, -5] as [Double]
        where !driver.handle(Self.set(number)).notifications.isEmpty {
            notified.append(number)
        }
        #expect(notified == [24.5, 25.5, 24, 0, -5.5, -6, -5])
    }

    @Test("A confirmable notification in flight: the newest value goes after its acknowledgement")
    func sendsOneAtATime() throws {
        var configuration = Sample.configuration
        configuration.confirmsNotifications = true
        var (driver, _) = Self.observing(configuration)
        let first = try #require(driver.handle(Self.set(30)).notifications.first)
        #expect(first.isConfirmable)
        #expect(driver.handle(Self.set(31)).isEmpty)
        #expect(driver.handle(Self.set(32)).isEmpty)
        driver.now = driver.now.advanced(by: .seconds(1))
        #expect(Self.payloads(driver.handle(.notificationAcknowledged(first.id))) == ["32.0"])
        #expect(driver.takeReports().contains(.notificationAcknowledged(Self.value, since: .zero)))
    }

    @Test(
        "A confirmable notification that is not acknowledged ends nothing: Update asks for the server, then it is repeated"
    )
    func survivesATimeout() throws {
        var configuration = Sample.configuration
        configuration.confirmsNotifications = true
        var (driver, _) = Self.observing(configuration)
        let first = try #require(driver.handle(Self.set(30)).notifications.first)
        let outputs = driver.handle(.notificationFailed(first.id, .timedOut))
        #expect(outputs.notifications.isEmpty)
        let update = try #require(outputs.sentRequest)
        #expect(update.request.path == ["rd", "a"])
        #expect(Self.payloads(driver.handle(.responseReceived(update.id, CoAPResponse(.changed)))) == ["30.0"])
    }

    @Test("E.2, resource 6: while the server cannot be reached notifications are kept, in order, one at a time")
    func keepsNotifications() throws {
        var (driver, session) = Self.observing()
        driver.handle(.sessionClosed(session, .closed))
        for number in [1, 2, 3] as [Double] {
            driver.now = driver.now.advanced(by: .milliseconds(1))
            #expect(driver.handle(Self.set(number)).notifications.isEmpty)
        }
        let next = try #require(driver.advance(.seconds(10)).openedSession)
        let update = try #require(driver.handle(.sessionOpened(next)).sentRequest)
        #expect(driver.handle(Self.set(4)).isEmpty, "no notification before the Update is answered")
        var outputs = driver.handle(.responseReceived(update.id, CoAPResponse(.changed)))
        var seen: [String] = []
        while let notification = outputs.notifications.first {
            seen += Self.payloads(outputs)
            guard notification.isConfirmable else { break }
            outputs = driver.handle(.notificationAcknowledged(notification.id))
        }
        #expect(seen == ["1.0", "2.0", "3.0", "4.0"])
    }

    @Test("E.2, resource 6: where they are not kept only the newest value goes")
    func dropsNotifications() throws {
        var configuration = Sample.configuration
        configuration.servers[0].storesNotifications = false
        var (driver, session) = Self.observing(configuration)
        driver.handle(.sessionClosed(session, .closed))
        for number in [1, 2, 3] as [Double] { driver.handle(Self.set(number)) }
        let next = try #require(driver.advance(.seconds(10)).openedSession)
        let update = try #require(driver.handle(.sessionOpened(next)).sentRequest)
        #expect(Self.payloads(driver.handle(.responseReceived(update.id, CoAPResponse(.changed)))) == ["3.0"])
    }

    @Test("A new registration begins without observations")
    func endsWithTheRegistration() throws {
        var (driver, _) = Self.observing()
        let update = try #require(driver.advance(.seconds(207)).sentRequest)
        let register = try #require(driver.handle(.responseReceived(update.id, CoAPResponse(.notFound))).sentRequest)
        #expect(register.request.path == ["rd"])
        driver.handle(.responseReceived(register.id, Sample.created()))
        #expect(driver.handle(Self.set(30)).isEmpty)
    }

    @Test("No notification while an Update runs; it follows the answer")
    func waitsForTheUpdate() throws {
        var (driver, _) = Self.observing()
        let update = try #require(driver.advance(.seconds(207)).sentRequest)
        #expect(driver.handle(Self.set(30)).isEmpty)
        #expect(Self.payloads(driver.handle(.responseReceived(update.id, CoAPResponse(.changed)))) == ["30.0"])
    }

    @Test("RFC 7641 §4.2: what is gone is notified as an error, and the observation ends")
    func notifiesTheEnd() {
        var (driver, session) = Sample.registered()
        _ = driver.answer(Sample.observe(ObjectPath(30_000, 0, 1)), session: session)
        let outputs = driver.handle(.instanceRemoved(ObjectPath(30_000, 0)))
        // The Update with the new list goes first.
        let update = outputs.sentRequest
        let after = update.map { driver.handle(.responseReceived($0.id, CoAPResponse(.changed))) } ?? []
        #expect(after.notifications.map(\.response.code) == [.notFound])
        #expect(after.notifications.first?.response.options.observe == nil)
        #expect(driver.engine.nextDeadline == driver.now.advanced(by: .seconds(207)))
    }

    @Test("Observing again with the token replaces the observation")
    func replacesByToken() {
        var (driver, session) = Self.observing()
        _ = driver.answer(Sample.observe(Self.value), session: session, token: [7])
        #expect(driver.handle(Self.set(30)).notifications.count == 1)
    }

    @Test("Attributes of one server do not count for another")
    func keepsServersApart() throws {
        var configuration = Sample.configuration
        configuration.security.append(Sample.account(102, instance: 2))
        configuration.servers.append(Sample.server(102, instance: 1))
        var driver = EngineDriver(configuration)
        let opened = driver.handle(.started).compactMap { output -> SessionID? in
            if case .openSession(let session, _, _) = output { session } else { nil }
        }
        #expect(opened.count == 2)
        for session in opened {
            let register = try #require(driver.handle(.sessionOpened(session)).sentRequest)
            driver.handle(.responseReceived(register.id, Sample.created()))
            _ = driver.answer(Sample.observe(Self.value), session: session)
        }
        let attach = Sample.request(.put, Self.value, query: ["st=100"])
        #expect(driver.answer(attach, session: opened[0])?.code == .changed)
        let outputs = driver.handle(Self.set(30))
        guard case .sendNotification(_, opened[1], _, _, _) = outputs.first else {
            Issue.record("the other server was not notified")
            return
        }
        #expect(outputs.count == 1)
    }
}
