import ClientEngine
import CoAPMessages
import LwM2MModel
import Primitives
import Testing

@Suite("Core 1.2.2 §6.2 Registration interface")
struct RegistrationTests {
    @Test("§6.2.1: Register names endpoint, lifetime, version, binding and objects")
    func registers() throws {
        var driver = EngineDriver(Sample.configuration)
        let opened = driver.handle(.started)
        let session = try #require(opened.openedSession)
        #expect(
            opened == [
                .openSession(
                    session,
                    try CoAPURI(parsing: "coaps://server.example"),
                    .preSharedKey(identity: [0x61], key: Sample.key)
                )
            ]
        )
        let register = try #require(driver.handle(.sessionOpened(session)).sentRequest)
        #expect(register.request.method == .post)
        #expect(register.request.path == ["rd"])
        #expect(register.request.query == ["ep=urn:dev:1", "lt=300", "lwm2m=1.1", "b=U"])
        #expect(register.request.options.contentFormat == .linkFormat)
        #expect(
            String(decoding: register.request.payload, as: UTF8.self)
                == "</>;rt=\"oma.lwm2m\";ct=\"60 110 112 11542\",</1>;ver=1.2,</1/0>,"
                + "</3>;ver=1.2,</3/0>,</3303>;ver=1.1,</3303/0>,</30000/0>"
        )
        driver.now = driver.now.advanced(by: .seconds(1))
        #expect(driver.handle(.responseReceived(register.id, Sample.created())).isEmpty)
        #expect(driver.takeReports() == [.registered(shortServerID: 101, since: .zero)])
    }

    @Test("§6.2.1: without an endpoint name there is no ep; queue mode is a query of its own since 1.1")
    func leavesOutTheEndpoint() throws {
        for (version, queries) in [
            (EnablerVersion.v1_1, ["lt=300", "lwm2m=1.1", "b=U", "Q"] as [UTF8Text]),
            (.v1_0, ["lt=300", "lwm2m=1.0", "b=UQ"]),
        ] {
            var configuration = Sample.configuration
            configuration.endpoint = nil
            configuration.enablerVersion = version
            configuration.servers[0].binding = "UQ"
            var driver = EngineDriver(configuration)
            let session = try #require(driver.handle(.started).openedSession)
            let outputs = driver.handle(.sessionOpened(session))
            #expect(outputs.sentRequest?.request.query == queries)
        }
    }

    @Test("§6.2.2: Update before the lifetime ends goes to the location and names nothing")
    func updates() throws {
        var (driver, _) = Sample.registered()
        let update = try #require(driver.jump().sentRequest)
        #expect(driver.now == MonotonicTime.zero.advanced(by: .seconds(207)))
        #expect(update.request == CoAPRequest(.post, path: ["rd", "a"]))
        driver.now = driver.now.advanced(by: .seconds(1))
        #expect(driver.handle(.responseReceived(update.id, CoAPResponse(.changed))).isEmpty)
        #expect(
            driver.takeReports().last
                == .updated(shortServerID: 101, since: MonotonicTime.zero.advanced(by: .seconds(207)))
        )
    }

    @Test("RFC 7252 §5.10.7: a location with an empty segment is used as it came")
    func keepsEmptySegments() throws {
        var driver = EngineDriver(Sample.configuration)
        let session = try #require(driver.handle(.started).openedSession)
        let register = try #require(driver.handle(.sessionOpened(session)).sentRequest)
        driver.handle(.responseReceived(register.id, Sample.created(["reg", "1", ""])))
        let update = try #require(driver.jump().sentRequest)
        #expect(update.request.path == ["reg", "1", ""])
    }

    @Test("§6.2.2: a changed list of objects is told whole, at once; many changes make few Updates")
    func tellsNewInstances() throws {
        var (driver, _) = Sample.registered()
        let outputs = driver.handle(.instanceAdded(object: 3303, instance: 1, []))
        let update = try #require(outputs.sentRequest)
        #expect(update.request.options.contentFormat == .linkFormat)
        #expect(String(decoding: update.request.payload, as: UTF8.self).contains("</3303/0>,</3303/1>"))
        #expect(driver.handle(.instanceRemoved(ObjectPath(3303, 1))).isEmpty)
        #expect(driver.handle(.objectAdded(HostedObject(Sample.note.definition, instances: []))).isEmpty)
        let next = try #require(driver.handle(.responseReceived(update.id, CoAPResponse(.changed))).sentRequest)
        #expect(String(decoding: next.request.payload, as: UTF8.self).hasSuffix("</3303/0>,</30000>"))
        #expect(driver.handle(.responseReceived(next.id, CoAPResponse(.changed))).isEmpty)
    }

    @Test("§6.2.3: stopping deregisters everywhere, then says so")
    func stops() throws {
        var configuration = Sample.configuration
        configuration.security.append(Sample.account(102, instance: 2))
        configuration.servers.append(Sample.server(102, instance: 1))
        var driver = EngineDriver(configuration)
        for case .openSession(let session, _, _) in driver.handle(.started) {
            let register = try #require(driver.handle(.sessionOpened(session)).sentRequest)
            driver.handle(.responseReceived(register.id, Sample.created()))
        }
        let outputs = driver.handle(.stopRequested)
        #expect(outputs.count == 2)
        for case .sendRequest(let id, let session, let request) in outputs {
            #expect(request == CoAPRequest(.delete, path: ["rd", "a"]))
            #expect(!driver.reports.contains(.stopped))
            #expect(driver.handle(.responseReceived(id, CoAPResponse(.deleted))) == [.closeSession(session)])
        }
        #expect(
            driver.takeReports().suffix(3)
                == [.deregistered(shortServerID: 101), .deregistered(shortServerID: 102), .stopped]
        )
        #expect(driver.engine.nextDeadline == nil)
    }

    @Test("Stopping ends in every state, also when the server is silent", arguments: 0..<4)
    func stopsFromEverywhere(stage: Int) throws {
        var driver = EngineDriver(Sample.configuration)
        if stage > 0 {
            let session = try #require(driver.handle(.started).openedSession)
            if stage > 1 {
                let register = try #require(driver.handle(.sessionOpened(session)).sentRequest)
                if stage > 2 { driver.handle(.responseReceived(register.id, Sample.created())) }
            }
        }
        let deregister = driver.handle(.stopRequested).sentRequest
        if stage == 2 { driver.handle(.requestFailed(RequestID(rawValue: 1), .timedOut)) }
        if let deregister { driver.handle(.requestFailed(deregister.id, .timedOut)) }
        #expect(!driver.reports.contains(.deregistered(shortServerID: 101)))
        #expect(driver.takeReports().last == .stopped)
        #expect(driver.handle(.started).openedSession != nil, "a stopped device can be started again")
    }

    @Test("A server that cannot be reached is tried five times, and again when the embedder asks")
    func givesUp() throws {
        var driver = EngineDriver(Sample.configuration)
        var outputs = driver.handle(.started)
        var attempts = 0
        while let session = outputs.openedSession {
            attempts += 1
            driver.handle(.sessionClosed(session, .unreachable))
            outputs = driver.jump()
        }
        #expect(attempts == 5)
        #expect(driver.takeReports().last == .registrationFailed(shortServerID: 101, .gaveUp))
        #expect(driver.engine.nextDeadline == nil)
        #expect(driver.handle(.updateRequested(shortServerID: 101)).openedSession != nil)
    }

    @Test("An account that this client cannot use is reported", arguments: 0..<5)
    func reportsUnusableAccounts(index: Int) {
        var account = Sample.account()
        switch index {
        case 0: account.serverURI = "http://x"
        case 1: account.serverURI = ""
        case 2: account.mode = .certificate
        case 3: account.serverURI = "coap://x"
        default: account.key = SecretBytes([])
        }
        var configuration = Sample.configuration
        configuration.security = [account]
        var driver = EngineDriver(configuration)
        #expect(driver.handle(.started).isEmpty)
        #expect(driver.takeReports().first == .registrationFailed(shortServerID: 101, .unusableAccount))
    }

    @Test("Without security a coap server is opened without credentials")
    func registersWithoutSecurity() throws {
        var configuration = Sample.configuration
        configuration.security = [
            SecurityAccount(instance: 0, serverURI: "coap://127.0.0.1:5683", shortServerID: 101)
        ]
        var driver = EngineDriver(configuration)
        let outputs = driver.handle(.started)
        guard case .openSession(_, let uri, .none) = outputs.first else {
            Issue.record("no session without credentials")
            return
        }
        #expect(uri.port == 5683)
    }

    @Test("A request that fails with its session reconnects once, whatever is reported next")
    func survivesADoubleReport() throws {
        var (driver, session) = Sample.registered()
        let update = try #require(driver.jump().sentRequest)
        driver.handle(.requestFailed(update.id, .sessionClosed))
        driver.handle(.sessionClosed(session, .closed))
        let outputs = driver.advance(.seconds(10))
        #expect(outputs.openedSession != nil)
        #expect(outputs.openedSession != session)
        #expect(outputs.count == 1)
    }

    @Test("Session numbers stay below 256 and are not given twice at a time")
    func reusesSessionNumbers() throws {
        var (driver, session) = Sample.registered()
        for _ in 0..<600 {
            driver.handle(.sessionClosed(session, .closed))
            session = try #require(driver.advance(.seconds(10)).openedSession)
            #expect(session.rawValue < 256)
            let update = try #require(driver.handle(.sessionOpened(session)).sentRequest)
            driver.handle(.responseReceived(update.id, CoAPResponse(.changed)))
        }
    }
}
