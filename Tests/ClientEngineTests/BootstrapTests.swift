import ClientEngine
import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

@Suite("Core 1.2.2 §6.1 Bootstrap interface")
struct BootstrapTests {
    static var configuration: ClientConfiguration {
        ClientConfiguration(
            endpoint: "urn:dev:1",
            security: [Sample.bootstrapAccount()],
            objects: Sample.objects
        )
    }

    static let finish = CoAPRequest(.post, path: ["bs"])

    static func security(_ instance: UInt16 = 1, id: Int64 = 101, uri: UTF8Text = "coaps://s.example")
        -> [ResourceRecord]
    {
        let path = ObjectPath(0, instance)
        return [
            ResourceRecord(path.appending(0), .string(uri)),
            ResourceRecord(path.appending(1), .boolean(false)),
            ResourceRecord(path.appending(2), .integer(0)),
            ResourceRecord(path.appending(3), .opaque([0x69])),
            ResourceRecord(path.appending(5), .opaque([9, 9, 9, 9])),
            ResourceRecord(path.appending(10), .integer(id)),
        ]
    }

    static func server(_ instance: UInt16 = 0, id: Int64 = 101) -> [ResourceRecord] {
        let path = ObjectPath(1, instance)
        return [
            ResourceRecord(path.appending(0), .integer(id)),
            ResourceRecord(path.appending(1), .integer(120)),
            ResourceRecord(path.appending(6), .boolean(false)),
            ResourceRecord(path.appending(7), .string("U")),
        ]
    }

    static func write(_ records: [ResourceRecord], at path: ObjectPath, as format: ContentFormat = .tlv) throws
        -> CoAPRequest
    {
        Sample.request(
            .put,
            path,
            format: format,
            payload: try Payload.encode(records, as: format, at: path)
        )
    }

    /// A driver whose bootstrap server was asked and answered 2.04.
    static func delivering(
        _ configuration: ClientConfiguration = Self.configuration
    ) throws -> (driver: EngineDriver, session: SessionID) {
        var driver = EngineDriver(configuration)
        let session = try #require(driver.handle(.started).openedSession)
        let opened = driver.handle(.sessionOpened(session))
        let request = try #require(opened.sentRequest)
        driver.handle(.responseReceived(request.id, CoAPResponse(.changed)))
        return (driver, session)
    }

    @Test("§6.1.5.1: request, Delete, Write, Finish; the session closes and the device registers")
    func bootstraps() throws {
        var driver = EngineDriver(Self.configuration)
        let session = try #require(driver.handle(.started).openedSession)
        let opened = driver.handle(.sessionOpened(session))
        let request = try #require(opened.sentRequest)
        var expected = CoAPRequest(.post, path: ["bs"], query: ["ep=urn:dev:1", "pct=112"])
        expected.options.append(.uriHost, Array("bootstrap.example".utf8))
        #expect(request.request == expected)
        driver.handle(.responseReceived(request.id, CoAPResponse(.changed)))
        #expect(driver.answer(CoAPRequest(.delete, path: []), session: session)?.code == .deleted)
        let security = try Self.write(Self.security(), at: ObjectPath(0, 1))
        #expect(driver.answer(security, session: session)?.code == .changed)
        let server = try Self.write(Self.server(), at: ObjectPath(1, 0))
        #expect(driver.answer(server, session: session)?.code == .changed)
        driver.storesAtOnce = false
        driver.now = driver.now.advanced(by: .seconds(2))
        let (exchange, outputs) = driver.request(Self.finish, session: session)
        guard case .store(let storage, let stored) = outputs.first else {
            Issue.record("nothing was stored before Finish was answered")
            return
        }
        #expect(outputs.count == 1)
        #expect(stored.security.map(\.instance) == [0, 1])
        #expect(stored.security.last?.serverURI == "coaps://s.example")
        #expect(stored.servers.map(\.lifetime) == [120])
        let after = driver.handle(.stored(storage))
        #expect(Array(after.prefix(2)) == [.sendResponse(exchange, CoAPResponse(.changed)), .closeSession(session)])
        let next = try #require(after.openedSession)
        #expect(
            after.last
                == .openSession(
                    next,
                    try CoAPURI(parsing: "coaps://s.example"),
                    .preSharedKey(identity: [0x69], key: SecretBytes([9, 9, 9, 9]))
                )
        )
        #expect(driver.takeReports().contains(.bootstrapFinished(since: .zero)))
        let register = try #require(driver.handle(.sessionOpened(next)).sentRequest)
        #expect(register.request.query == ["ep=urn:dev:1", "lt=120", "lwm2m=1.1", "b=U"])
    }

    @Test(
        "§6.1.7.3: Write in TLV, SenML JSON and SenML CBOR; one payload for many instances",
        arguments: [
            ContentFormat.tlv, .senMLJSON, .senMLCBOR,
        ]
    )
    func writesInEveryFormat(format: ContentFormat) throws {
        var (driver, session) = try Self.delivering()
        let accounts = Self.security() + Self.security(2, id: 102)
        let security = try Self.write(accounts, at: ObjectPath(0), as: format)
        #expect(driver.answer(security, session: session)?.code == .changed)
        let servers = try Self.write(Self.server() + Self.server(1, id: 102), at: ObjectPath(1), as: format)
        #expect(driver.answer(servers, session: session)?.code == .changed)
        let outputs = driver.request(Self.finish, session: session).outputs
        #expect(outputs.filter { if case .openSession = $0 { true } else { false } }.count == 2)
    }

    @Test("§6.1.7.3: a resource is written as text or bytes; what the client does not know is left out")
    func writesResources() throws {
        var (driver, session) = try Self.delivering()
        let security = try Self.write(Self.security(), at: ObjectPath(0, 1))
        #expect(driver.answer(security, session: session)?.code == .changed)
        var unknown = Self.server()
        unknown.append(ResourceRecord(ObjectPath(1, 0, 999), .opaque([1])))
        #expect(driver.answer(try Self.write(unknown, at: ObjectPath(1, 0)), session: session)?.code == .changed)
        let lifetime = Sample.request(.put, ObjectPath(1, 0, 1), format: .text, payload: Array("77".utf8))
        #expect(driver.answer(lifetime, session: session)?.code == .changed)
        let key = Sample.request(.put, ObjectPath(0, 1, 5), format: .opaque, payload: [7, 7])
        #expect(driver.answer(key, session: session)?.code == .changed)
        let outputs = driver.request(Self.finish, session: session).outputs
        guard case .store(_, let stored) = outputs.first else {
            Issue.record("not finished")
            return
        }
        #expect(stored.servers.first?.lifetime == 77)
        #expect(stored.security.last?.key == SecretBytes([7, 7]))
        #expect(stored.servers.first?.values[999] == nil)
    }

    @Test(
        "§6.1.7.1: Delete never touches the bootstrap account, nor what the device cannot be without",
        arguments: [
            ("/", CoAPCode.deleted), ("/0", .deleted), ("/0/0", .badRequest), ("/1", .deleted), ("/3", .badRequest),
            ("/3/0", .badRequest), ("/3303/0", .badRequest), ("/30000/0", .deleted), ("/30000/9", .notFound),
            ("/9999", .notFound), ("/0/9", .notFound), ("/1/0/1", .methodNotAllowed),
        ] as [(UTF8Text, CoAPCode)]
    )
    func deletes(path: UTF8Text, code: CoAPCode) throws {
        var configuration = Self.configuration
        configuration.security.append(Sample.account(instance: 5))
        configuration.servers = []
        var (driver, session) = try Self.delivering(configuration)
        #expect(driver.answer(Sample.request(.delete, try ObjectPath(parsing: path)), session: session)?.code == code)
        let discover = CoAPRequest(.get, path: [], accept: .linkFormat)
        let response = driver.answer(discover, session: session)
        let text = String(decoding: response?.payload ?? [], as: UTF8.self)
        #expect(text.contains("</0/0>"))
        #expect(text.contains("</3/0>"))
        #expect(text.contains("</3303/0>"))
        #expect(text.contains("</0/5>") == !(path == "/" || path == "/0"))
        #expect(text.contains("</30000/0>") == !(path == "/" || path == "/30000/0"))
    }

    @Test("§6.1.7.2: Discover names accounts with their short server identifiers")
    func discovers() throws {
        var (driver, session) = try Self.delivering()
        _ = driver.answer(try Self.write(Self.security(), at: ObjectPath(0, 1)), session: session)
        _ = driver.answer(try Self.write(Self.server(), at: ObjectPath(1, 0)), session: session)
        let response = driver.answer(CoAPRequest(.get, path: [], accept: .linkFormat), session: session)
        #expect(
            response.map { String(decoding: $0.payload, as: UTF8.self) }
                == "</>;lwm2m=1.1,</0/0>;uri=\"coaps://bootstrap.example\",</0/1>;ssid=101;uri=\"coaps://s.example\","
                + "</1>;ver=1.2,</1/0>;ssid=101,</3>;ver=1.2,</3/0>,</3303>;ver=1.1,</3303/0>,</30000/0>"
        )
    }

    @Test(
        "§6.1.7.4: Read is of objects 1 and 2 only",
        arguments: [
            ("/1", CoAPCode.content), ("/1/0", .content), ("/0", .methodNotAllowed), ("/0/0", .methodNotAllowed),
            ("/3/0", .methodNotAllowed), ("/1/0/1", .methodNotAllowed), ("/2", .notFound), ("/1/9", .notFound),
        ] as [(UTF8Text, CoAPCode)]
    )
    func reads(path: UTF8Text, code: CoAPCode) throws {
        var (driver, session) = try Self.delivering()
        _ = driver.answer(try Self.write(Self.server(), at: ObjectPath(1, 0)), session: session)
        let read = Sample.request(.get, try ObjectPath(parsing: path), accept: .tlv)
        #expect(driver.answer(read, session: session)?.code == code)
    }

    @Test("§6.1.7.5: Finish of what does not fit together is 4.06, and everything is as before", arguments: 0..<9)
    func refusesInconsistency(index: Int) throws {
        var (driver, session) = try Self.delivering()
        let noKey = Self.security().filter { $0.path.resource != 5 }
        let noLifetime = Self.server().filter { $0.path.resource != 1 }
        let deliveries: [(security: [ResourceRecord], server: [ResourceRecord])] = [
            ([], []), (Self.security(), []), ([], Self.server()), (Self.security(), Self.server(id: 102)),
            (noKey, Self.server()), (Self.security(uri: "http://x"), Self.server()),
            (Self.security(uri: "coap://x"), Self.server()), (Self.security(), noLifetime),
            (Self.security() + Self.security(2), Self.server() + Self.server(1)),
        ]
        let delivery = deliveries[index]
        if !delivery.security.isEmpty {
            _ = driver.answer(try Self.write(delivery.security, at: ObjectPath(0)), session: session)
        }
        if !delivery.server.isEmpty {
            _ = driver.answer(try Self.write(delivery.server, at: ObjectPath(1)), session: session)
        }
        let (exchange, outputs) = driver.request(Self.finish, session: session)
        #expect(outputs == [.sendResponse(exchange, CoAPResponse(.notAcceptable)), .closeSession(session)])
        #expect(driver.takeReports().last == .bootstrapFailed(.inconsistent))
        #expect(driver.engine.records(below: ObjectPath(1)).isEmpty)
        #expect(driver.jump().openedSession != nil)
    }

    @Test("A Write that is wrong changes nothing", arguments: 0..<6)
    func refusesBadWrites(index: Int) throws {
        var (driver, session) = try Self.delivering()
        let account = ObjectPath(0, 1)
        let requests: [(CoAPRequest, CoAPCode)] = [
            (try Self.write([ResourceRecord(account.appending(2), .integer(77))], at: account), .badRequest),
            (try Self.write([ResourceRecord(account.appending(10), .integer(65_535))], at: account), .badRequest),
            (Sample.request(.put, account, format: .tlv, payload: [0xC8]), .badRequest),
            (Sample.request(.put, account, payload: [1]), .badRequest),
            (
                Sample.request(.put, account, format: ContentFormat(rawValue: 50), payload: [1]),
                .unsupportedContentFormat
            ),
            (
                try Self.write([ResourceRecord(ObjectPath(9999, 0, 0), .integer(1))], at: ObjectPath(9999, 0)),
                .notFound
            ),
        ]
        #expect(driver.answer(requests[index].0, session: session)?.code == requests[index].1)
        let discover = CoAPRequest(.get, path: ["0"], accept: .linkFormat)
        #expect(
            driver.answer(discover, session: session)?.payload
                == Array("</>;lwm2m=1.1,</0/0>;uri=\"coaps://bootstrap.example\"".utf8)
        )
    }

    @Test("A failed procedure brings back what was there, and the servers of before are registered with")
    func rollsBack() throws {
        var configuration = Sample.configuration
        configuration.security.append(Sample.bootstrapAccount())
        var (driver, registered) = Sample.registered(configuration)
        let trigger = driver.request(Sample.request(.post, ObjectPath(1, 0, 9)), session: registered).outputs
        let session = try #require(trigger.openedSession)
        let request = try #require(driver.handle(.sessionOpened(session)).sentRequest)
        driver.handle(.responseReceived(request.id, CoAPResponse(.changed)))
        #expect(driver.answer(CoAPRequest(.delete, path: []), session: session)?.code == .deleted)
        #expect(driver.engine.records(below: ObjectPath(1)).isEmpty)
        driver.handle(.valueSet([ResourceRecord(ObjectPath(3303, 0, 5700), .float(30))]))
        driver.handle(.instanceAdded(object: 3303, instance: 4, []))
        let outputs = driver.advance(.seconds(247))
        #expect(outputs.first == .closeSession(session))
        #expect(driver.engine.value(at: ObjectPath(3303, 0, 5700)) == .float(30), "what was measured meanwhile stays")
        #expect(outputs.openedSession != nil)
        #expect(driver.takeReports().last == .bootstrapFailed(.timedOut))
        #expect(driver.engine.value(at: ObjectPath(1, 0, 1)) == .integer(300))
        #expect(driver.engine.value(at: ObjectPath(30_000, 0, 0)) == .string("tea"))
    }

    @Test("What cannot be stored is 5.00, and everything is as before")
    func failsWhenTheDiskIsFull() throws {
        var (driver, session) = try Self.delivering()
        _ = driver.answer(try Self.write(Self.security(), at: ObjectPath(0, 1)), session: session)
        _ = driver.answer(try Self.write(Self.server(), at: ObjectPath(1, 0)), session: session)
        driver.storesAtOnce = false
        let (exchange, outputs) = driver.request(Self.finish, session: session)
        guard case .store(let storage, _) = outputs.first else {
            Issue.record("nothing was stored")
            return
        }
        #expect(
            driver.handle(.storageFailed(storage))
                == [.sendResponse(exchange, CoAPResponse(.internalServerError)), .closeSession(session)]
        )
        #expect(driver.takeReports().last == .bootstrapFailed(.storage))
        #expect(driver.engine.records(below: ObjectPath(1)).isEmpty)
    }

    @Test("E.2, resource 16: a server that refuses leads to bootstrap; again and again, but ever later")
    func fallsBackToBootstrap() throws {
        var configuration = Sample.configuration
        configuration.security.append(Sample.bootstrapAccount())
        var driver = EngineDriver(configuration)
        var outputs = driver.handle(.started)
        var pauses: [Duration] = []
        for _ in 0..<6 {
            let session = try #require(outputs.openedSession)
            let register = try #require(driver.handle(.sessionOpened(session)).sentRequest)
            #expect(register.request.path == ["rd"])
            let refusedAt = driver.now
            var refused = driver.handle(.responseReceived(register.id, CoAPResponse(.forbidden)))
            if refused.openedSession == nil { refused = driver.jump() }
            pauses.append(refusedAt.duration(to: driver.now))
            let bootstrap = try #require(refused.openedSession)
            let request = try #require(driver.handle(.sessionOpened(bootstrap)).sentRequest)
            #expect(request.request.path == ["bs"])
            driver.handle(.responseReceived(request.id, CoAPResponse(.changed)))
            outputs = driver.request(Self.finish, session: bootstrap).outputs
        }
        #expect(pauses.first == .zero)
        for (index, full) in [10, 20, 40, 80, 160].enumerated() {
            #expect(pauses[index + 1] >= .seconds(full) / 2 && pauses[index + 1] <= .seconds(full) * 5 / 4)
        }
    }

    @Test("A bootstrap server that refuses or is silent is asked again later", arguments: 0..<4)
    func triesAgain(index: Int) throws {
        var driver = EngineDriver(Self.configuration)
        let session = try #require(driver.handle(.started).openedSession)
        if index == 0 {
            #expect(driver.handle(.sessionClosed(session, .handshakeRefused)).isEmpty)
            #expect(driver.takeReports() == [.bootstrapFailed(.session(.handshakeRefused))])
        } else {
            let request = try #require(driver.handle(.sessionOpened(session)).sentRequest)
            let events: [ClientEvent] = [
                .responseReceived(request.id, CoAPResponse(.badRequest)), .requestFailed(request.id, .timedOut),
                .sessionClosed(session, .closed),
            ]
            driver.handle(events[index - 1])
        }
        let deadline = try #require(driver.engine.nextDeadline)
        #expect((.seconds(5) ... .seconds(10)).contains(driver.now.duration(to: deadline)))
        #expect(driver.jump().openedSession != nil)
    }

    @Test("Devices with other seeds hold off for other times")
    func spreadsTheHoldOff() {
        var configuration = Self.configuration
        configuration.security = [Sample.bootstrapAccount(holdOff: 100)]
        var deadlines: Set<MonotonicTime> = []
        for seed in 0..<20 as Range<UInt64> {
            var driver = EngineDriver(configuration, seed: seed)
            driver.handle(.started)
            if let deadline = driver.engine.nextDeadline { deadlines.insert(deadline) }
        }
        #expect(deadlines.count == 20)
        #expect(deadlines.allSatisfy { (100.0...125.0).contains(Double($0.nanoseconds) / 1e9) })
    }

    @Test("Without any account the device says so")
    func reportsTheLackOfAccounts() {
        var driver = EngineDriver(ClientConfiguration(endpoint: "x", security: []))
        #expect(driver.handle(.started).isEmpty)
        #expect(driver.takeReports() == [.bootstrapFailed(.noAccount)])
        #expect(driver.engine.nextDeadline == nil)
    }

    @Test("While a delivery is being stored another operation is 5.03")
    func isBusyWhileStoring() throws {
        var (driver, session) = try Self.delivering()
        _ = driver.answer(try Self.write(Self.security(), at: ObjectPath(0, 1)), session: session)
        _ = driver.answer(try Self.write(Self.server(), at: ObjectPath(1, 0)), session: session)
        driver.storesAtOnce = false
        _ = driver.request(Self.finish, session: session)
        #expect(driver.answer(CoAPRequest(.delete, path: ["1"]), session: session)?.code == .serviceUnavailable)
        #expect(driver.answer(Self.finish, session: session)?.code == .serviceUnavailable)
    }
}
