import ClientEngine
import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

@Suite("What peers can make a device keep is bounded")
struct LimitTests {
    static func create(_ instance: UInt16) throws -> CoAPRequest {
        let path = ObjectPath(30_000)
        return Sample.request(
            .post,
            path,
            format: .tlv,
            payload: try Payload.encode(
                [ResourceRecord(ObjectPath(30_000, instance, 0), .string("x"))],
                as: .tlv,
                at: path
            )
        )
    }

    @Test("Instances of an object")
    func boundsInstances() throws {
        var (driver, session) = Sample.registered()
        for instance in 1..<UInt16(EngineLimits.instancesPerObject) {
            #expect(driver.answer(try Self.create(instance), session: session)?.code == .created)
        }
        #expect(driver.answer(try Self.create(1000), session: session)?.code == .internalServerError)
        #expect(driver.answer(Sample.request(.delete, ObjectPath(30_000, 5)), session: session)?.code == .deleted)
        #expect(driver.answer(try Self.create(1000), session: session)?.code == .created)
    }

    @Test("Values of an instance")
    func boundsValues() throws {
        var (driver, session) = Sample.registered()
        let path = ObjectPath(30_000, 0, 2)
        let room = EngineLimits.valuesPerInstance - driver.engine.records(below: ObjectPath(30_000, 0)).count
        for (count, code) in [(room + 1, CoAPCode.requestEntityTooLarge), (room, .changed)] {
            let records = (0..<UInt16(count)).map {
                ResourceRecord(ObjectPath(resourceInstance: 30_000, 0, 2, $0), .string("t"))
            }
            let put = Sample.request(
                .put,
                path,
                format: .tlv,
                payload: try Payload.encode(records, as: .tlv, at: path)
            )
            #expect(driver.answer(put, session: session)?.code == code)
        }
    }

    @Test("The size of a value")
    func boundsValueSizes() {
        var (driver, session) = Sample.registered()
        for (count, code) in [
            (EngineLimits.valueSize, CoAPCode.changed), (EngineLimits.valueSize + 1, .requestEntityTooLarge),
        ] {
            let put = Sample.request(
                .put,
                ObjectPath(30_000, 0, 5),
                format: .opaque,
                payload: [UInt8](repeating: 0, count: count)
            )
            #expect(driver.answer(put, session: session)?.code == code)
        }
    }

    @Test("RFC 7641 §4.1: observations of a server; one too many is answered like a read")
    func boundsObservations() {
        var (driver, session) = Sample.registered()
        let path = ObjectPath(3303, 0, 5700)
        for token in 0..<UInt8(EngineLimits.observationsPerServer) {
            let response = driver.answer(Sample.observe(path), session: session, token: [token])
            #expect(response?.options.observe == 0)
        }
        let response = driver.answer(Sample.observe(path), session: session, token: [200])
        #expect(response?.code == .content)
        #expect(response?.options.observe == nil)
        let set = ClientEvent.valueSet([ResourceRecord(path, .float(1))])
        #expect(driver.handle(set).notifications.count == EngineLimits.observationsPerServer)
    }

    @Test("Paths with attributes")
    func boundsAttributes() throws {
        var (driver, session) = Sample.registered()
        for instance in 1...UInt16(EngineLimits.attributedPathsPerServer) {
            #expect(driver.answer(try Self.create(instance), session: session)?.code == .created)
            let put = Sample.request(.put, ObjectPath(30_000, instance), query: ["pmin=1"])
            #expect(driver.answer(put, session: session)?.code == .changed)
        }
        let put = Sample.request(.put, ObjectPath(30_000, 0), query: ["pmin=1"])
        #expect(driver.answer(put, session: session)?.code == .requestEntityTooLarge)
        let remove = Sample.request(.put, ObjectPath(30_000, 1), query: ["pmin"])
        #expect(driver.answer(remove, session: session)?.code == .changed)
        #expect(driver.answer(put, session: session)?.code == .changed)
    }

    @Test("Requests that wait for the embedder")
    func boundsPendingExchanges() throws {
        var (driver, session) = Sample.registered()
        let execute = Sample.request(.post, ObjectPath(3, 0, 4))
        var first: ExchangeID?
        for _ in 0..<EngineLimits.pendingExchanges {
            let (exchange, outputs) = driver.request(execute, session: session)
            #expect(outputs == [.execute(exchange, ObjectPath(3, 0, 4), arguments: [])])
            first = first ?? exchange
        }
        #expect(driver.answer(execute, session: session)?.code == .serviceUnavailable)
        driver.handle(.executed(try #require(first), .changed))
        #expect(driver.answer(execute, session: session) == nil)
    }

    @Test("Kept notifications: a full queue drops the new ones, and the newest value still goes at the end")
    func boundsKeptNotifications() throws {
        var (driver, session) = Sample.registered()
        let path = ObjectPath(3303, 0, 5700)
        _ = driver.answer(Sample.observe(path), session: session)
        driver.handle(.sessionClosed(session, .closed))
        for number in 1...200 { driver.handle(.valueSet([ResourceRecord(path, .float(Double(number)))])) }
        let next = try #require(driver.advance(.seconds(10)).openedSession)
        let update = try #require(driver.handle(.sessionOpened(next)).sentRequest)
        var outputs = driver.handle(.responseReceived(update.id, CoAPResponse(.changed)))
        var seen: [String] = []
        while let notification = outputs.notifications.first {
            seen.append(String(decoding: notification.response.payload, as: UTF8.self))
            guard notification.isConfirmable else { break }
            outputs = driver.handle(.notificationAcknowledged(notification.id))
        }
        #expect(seen == (1...EngineLimits.storedNotificationsPerServer).map { "\($0).0" } + ["200.0"])
    }

    @Test("Accounts that a bootstrap server writes")
    func boundsAccounts() throws {
        var (driver, session) = try BootstrapTests.delivering()
        for instance in 1..<UInt16(EngineLimits.accounts) {
            let write = try BootstrapTests.write(BootstrapTests.security(instance), at: ObjectPath(0, instance))
            #expect(driver.answer(write, session: session)?.code == .changed)
        }
        let write = try BootstrapTests.write(BootstrapTests.security(99), at: ObjectPath(0, 99))
        #expect(driver.answer(write, session: session)?.code == .requestEntityTooLarge)
        for instance in 0..<UInt16(EngineLimits.accounts) {
            let write = try BootstrapTests.write(BootstrapTests.server(instance), at: ObjectPath(1, instance))
            #expect(driver.answer(write, session: session)?.code == .changed)
        }
        let server = try BootstrapTests.write(BootstrapTests.server(99), at: ObjectPath(1, 99))
        #expect(driver.answer(server, session: session)?.code == .requestEntityTooLarge)
    }

    @Test("A location that does not fit in one option's size is no location")
    func boundsLocations() throws {
        var driver = EngineDriver(Sample.configuration)
        let session = try #require(driver.handle(.started).openedSession)
        let register = try #require(driver.handle(.sessionOpened(session)).sentRequest)
        let long = UTF8Text(String(repeating: "a", count: 200))
        driver.handle(.responseReceived(register.id, Sample.created([long, long])))
        #expect(driver.takeReports().last == .registrationFailed(shortServerID: 101, .malformedAnswer))
    }
}
