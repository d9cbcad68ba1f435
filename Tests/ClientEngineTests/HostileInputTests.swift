import ClientEngine
import CoAPMessages
import LwM2MModel
import Primitives
import Testing

@Suite("No input ends the device")
struct HostileInputTests {
    static let levels: [UTF8Text] = [
        "0", "1", "3", "3303", "30000", "21", "9999", "4", "6", "8", "9", "65535", "bs", "",
    ]
    static let queries: [UTF8Text] = [
        "pmin=1", "pmin", "pmax=0", "gt=1.5", "lt=-1", "st=1", "st=0", "pmin=99999999999", "=", "", "gt=", "gt=.",
        "gt=1.", "lt=1e9", "x=1",
    ]

    static func request(_ generator: inout SeededGenerator) -> CoAPRequest {
        let methods: [UInt8] = [1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 0, 31]
        var request = CoAPRequest(method: CoAPCode(rawValue: methods.randomElement(using: &generator) ?? 1))
        for _ in 0..<Int.random(in: 0...5, using: &generator) {
            request.options.append(.uriPath, (Self.levels.randomElement(using: &generator) ?? "3").bytes)
        }
        let formats: [UInt64] = [0, 42, 60, 110, 112, 11_542, 40, 7, 70_000]
        if Bool.random(using: &generator) {
            request.options.append(.contentFormat, unsigned: formats.randomElement(using: &generator) ?? 0)
        }
        if Bool.random(using: &generator) {
            request.options.append(.accept, unsigned: formats.randomElement(using: &generator) ?? 0)
        }
        if Int.random(in: 0...3, using: &generator) == 0 {
            request.options.append(.observe, unsigned: UInt64.random(in: 0...2, using: &generator))
        }
        for _ in 0..<max(0, Int.random(in: -3...2, using: &generator)) {
            request.options.append(.uriQuery, (Self.queries.randomElement(using: &generator) ?? "").bytes)
        }
        request.payload = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
        return request
    }

    @Test("Random requests on every kind of session: each has one answer, or waits for the embedder", arguments: 0..<20)
    func answersEverything(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var pairs = [Sample.registered(), try BootstrapTests.delivering()]
        for index in pairs.indices {
            for _ in 0..<500 {
                let (exchange, outputs) = pairs[index].driver.request(
                    Self.request(&generator),
                    session: pairs[index].session,
                    token: [UInt8.random(in: 0...255, using: &generator)]
                )
                let answers = outputs.filter {
                    if case .sendResponse(exchange, _) = $0 { true } else { false }
                }
                let waits = outputs.contains {
                    switch $0 {
                    case .execute(exchange, _, _), .decideWrite(exchange, _): true
                    default: false
                    }
                }
                #expect(answers.count == (waits ? 0 : 1), "seed \(seed)")
                if waits { pairs[index].driver.handle(.executed(exchange, .changed)) }
                if let request = outputs.sentRequest {
                    pairs[index].driver.handle(.responseReceived(request.id, CoAPResponse(.changed)))
                }
                for notification in outputs.notifications where notification.isConfirmable {
                    pairs[index].driver.handle(.notificationAcknowledged(notification.id))
                }
            }
        }
    }

    @Test(
        "Random events in any order, the clock jumping: no trap, and the deadline never lies behind",
        arguments: 0..<40
    )
    func survivesAnyOrder(seed: UInt64) {
        var generator = SeededGenerator(seed: seed &+ 1000)
        var configuration = Sample.configuration
        if seed % 2 == 0 { configuration.security.append(Sample.bootstrapAccount(holdOff: UInt32(seed))) }
        if seed % 3 == 0 {
            configuration.security.append(Sample.account(102, instance: 2))
            configuration.servers.append(Sample.server(102, instance: 1, lifetime: UInt32(seed)))
        }
        configuration.confirmsNotifications = seed % 5 == 0
        var driver = EngineDriver(configuration, seed: seed)
        var sessions = [SessionID(rawValue: 0)]
        var requests = [RequestID(rawValue: 0)]
        var notifications = [NotificationID(rawValue: 0)]
        for _ in 0..<2000 {
            let session = sessions.randomElement(using: &generator) ?? SessionID(rawValue: 0)
            let request = requests.randomElement(using: &generator) ?? RequestID(rawValue: 0)
            let notification = notifications.randomElement(using: &generator) ?? NotificationID(rawValue: 0)
            let exchange = ExchangeID(rawValue: UInt64.random(in: 0...50, using: &generator))
            let codes: [UInt8] = [0x41, 0x44, 0x42, 0x80, 0x84, 0x8C, 0xA0, 0, 0xFF]
            var response = Sample.created()
            response.code = CoAPCode(rawValue: codes.randomElement(using: &generator) ?? 0)
            let events: [ClientEvent] = [
                .started, .deadlineReached, .deadlineReached, .sessionOpened(session), .sessionOpened(session),
                .sessionClosed(session, .closed), .responseReceived(request, response),
                .responseReceived(request, Sample.created()), .requestFailed(request, .timedOut),
                .requestFailed(request, .sessionClosed), .notificationAcknowledged(notification),
                .notificationFailed(notification, .timedOut), .notificationFailed(notification, .reset),
                .requestReceived(exchange, session, Self.request(&generator), token: Self.noToken),
                .requestReceived(exchange, session, Sample.observe(ObjectPath(3303, 0, 5700)), token: Self.noToken),
                .valueSet([ResourceRecord(ObjectPath(3303, 0, 5700), .float(Double(exchange.rawValue)))]),
                .valueSet([ResourceRecord(ObjectPath(1, 0, 1), .integer(Int64(exchange.rawValue) - 10))]),
                .valueSet([ResourceRecord(ObjectPath(0, 1, 0), .string("x")), ResourceRecord(.root, .integer(1))]),
                .valueRemoved(ObjectPath(3, 0, 9)), .valueRemoved(.root), .executed(exchange, .changed),
                .instanceAdded(object: 3303, instance: UInt16(exchange.rawValue), []),
                .instanceAdded(object: 3303, instance: 65_535, []), .instanceRemoved(ObjectPath(3303, 1)),
                .writeDecided(exchange, .changed), .stored(StorageID(rawValue: 1)),
                .storageFailed(StorageID(rawValue: 2)), .updateRequested(shortServerID: nil),
                .clockSet(WallTime(secondsSinceEpoch: .max)), .objectAdded(Sample.temperature),
            ]
            guard let event = events.randomElement(using: &generator) else { continue }
            if Int.random(in: 0...9, using: &generator) == 0 {
                driver.now = driver.now.advanced(by: .seconds(Int64.random(in: 0...100_000, using: &generator)))
            }
            let outputs = driver.handle(event)
            for output in outputs {
                switch output {
                case .openSession(let session, _, _): sessions = [session] + sessions.prefix(2)
                case .sendRequest(let id, _, _): requests = [id] + requests.prefix(2)
                case .sendNotification(let id, _, _, _, _): notifications = [id] + notifications.prefix(2)
                default: break
                }
            }
            if let deadline = driver.engine.nextDeadline {
                #expect(deadline > driver.now, "seed \(seed): \(event)")
                if deadline <= driver.now { return }
            }
        }
        driver.handle(.stopRequested)
    }

    static let noToken = CoAPToken.empty

    @Test("The clock at its end: nothing overflows")
    func survivesTheEndOfTime() {
        var (driver, session) = Sample.registered()
        driver.handle(.clockSet(WallTime(secondsSinceEpoch: .min)))
        driver.now = MonotonicTime(nanoseconds: .max)
        driver.handle(.deadlineReached)
        _ = driver.answer(Sample.request(.get, ObjectPath(3, 0)), session: session)
        driver.handle(.sessionClosed(session, .closed))
        driver.handle(.stopRequested)
        #expect(driver.takeReports().last == .stopped)
    }

    @Test("What is printed of an output or a configuration shows no identity and no key")
    func showsNoSecrets() {
        var account = Sample.account()
        account.identity = Array("whoami".utf8)
        account.key = SecretBytes(Array("sesame".utf8))
        var configuration = Sample.configuration
        configuration.security = [account]
        var driver = EngineDriver(configuration)
        let outputs = driver.handle(.started)
        var dumped = ""
        dump(outputs, to: &dumped)
        dump(configuration, to: &dumped)
        let printed = dumped + "\(outputs) \(configuration) \(account)"
        let secrets = [account.identity, account.key.copyBytes()]
        for secret in secrets {
            #expect(!printed.contains(String(decoding: secret, as: UTF8.self)))
            #expect(!printed.contains("\(secret)"))
        }
        #expect(printed.contains("server.example"))
    }

    @Test("Same events and seed, same outputs")
    func isDeterministic() {
        func run() -> [ClientOutput] {
            var driver = EngineDriver(BootstrapTests.configuration, seed: 7)
            var outputs = driver.handle(.started)
            for _ in 0..<20 {
                if let session = outputs.openedSession { outputs += driver.handle(.sessionClosed(session, .closed)) }
                outputs += driver.jump()
            }
            return outputs
        }
        #expect(run() == run())
    }
}
