import BootstrapURIs
import ClientEngine
import CoAPMessages
import CryptographicHashes
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

@Suite("The profile of temporary bootstrap URIs as an object of the device")
struct BootstrapProfileTests {
    static let object = OwnObjectIDs.standard.bootstrapURIProfile
    static let path = ObjectPath(Self.object, 0)
    static let profile = BootstrapURIProfile.standard
    static let registry = ObjectRegistry(
        ObjectRegistry.standard.definitions + [BootstrapURIProfile.objectDefinition()]
    )

    /// A device with both accounts, registered, and the session of its management server.
    static func registered(
        _ profile: BootstrapURIProfile? = Self.profile,
        isSecured: Bool = true
    ) throws -> (driver: EngineDriver, session: SessionID) {
        var configuration = BootstrapNameTests.configuration(profile)
        var account = Sample.account()
        if !isSecured {
            account.mode = .noSecurity
            account.serverURI = "coap://server.example"
        }
        configuration.security.append(account)
        configuration.servers = [Sample.server()]
        return Sample.registered(configuration)
    }

    static func delivering(
        _ profile: BootstrapURIProfile? = nil
    ) throws -> (driver: EngineDriver, session: SessionID) {
        var driver = BootstrapNameTests.driver(profile, clock: BootstrapNameTests.middle)
        let session = try #require(driver.handle(.started).openedSession)
        let request = try #require(driver.handle(.sessionOpened(session)).sentRequest)
        driver.handle(.responseReceived(request.id, CoAPResponse(.changed)))
        return (driver, session)
    }

    static func write(_ records: [ResourceRecord], at path: ObjectPath, _ method: CoAPCode = .put) throws
        -> CoAPRequest
    {
        let payload = try Payload.encode(records, as: .senMLCBOR, at: path)
        return Sample.request(method, path, format: .senMLCBOR, payload: payload)
    }

    static func records(_ fields: UTF8Text, security: UInt16 = 0) throws -> [ResourceRecord] {
        try BootstrapURIProfile(parsing: fields).records(securityInstance: security)
    }

    static func period(_ seconds: Int64) -> ResourceRecord {
        ResourceRecord(Self.path.appending(ProfileField.period.rawValue), .integer(seconds))
    }

    // MARK: From the factory, and reading

    @Test("A server reads the profile, which shows no secret")
    func isReadable() throws {
        var (driver, session) = try Self.registered()
        let read = driver.answer(Sample.request(.get, Self.path, accept: .senMLCBOR), session: session)
        let answer = try #require(read)
        #expect(answer.code == .content)
        let records = try Payload.decode(answer.payload, as: .senMLCBOR, at: Self.path, registry: Self.registry)
        #expect(try BootstrapURIProfile(records: records) == Self.profile)
        #expect(records.contains(ResourceRecord(Self.path.appending(0), .objectLink(object: 0, instance: 0))))
        #expect(!answer.payload.contains(subsequence: BootstrapNameTests.key.copyBytes()))
        let discovered = driver.answer(Sample.request(.get, Self.path, accept: .linkFormat), session: session)
        #expect(discovered?.code == .content)
        #expect(driver.answer(Sample.request(.get, ObjectPath(0, 0)), session: session)?.code == .unauthorized)
    }

    @Test("A device without a profile hosts no such object")
    func isAbsentUntilDelivered() throws {
        var (driver, session) = try Self.registered(nil)
        #expect(driver.answer(Sample.request(.get, Self.path), session: session)?.code == .notFound)
        #expect(
            driver.answer(try Self.write(Self.profile.records(), at: Self.path), session: session)?.code == .notFound
        )
    }

    @Test("A deployment moves the object by one setting")
    func movesWithTheSetting() throws {
        let ids = try #require(OwnObjectIDs(first: 40_000))
        var configuration = BootstrapNameTests.configuration()
        configuration.ownObjectIDs = ids
        var driver = EngineDriver(configuration)
        driver.handle(.clockSet(WallTime(secondsSinceEpoch: BootstrapNameTests.middle)))
        #expect(driver.engine.value(at: ObjectPath(ids.bootstrapURIProfile, 0, 8)) == .integer(3600))
        #expect(driver.engine.records(below: ObjectPath(Self.object)).isEmpty)
        #expect(driver.handle(.started).openedSession != nil)
    }

    @Test("What was stored counts before the factory's; where nothing was said about profiles, the factory's")
    func storedCountsFirst() throws {
        var configuration = BootstrapNameTests.configuration()
        configuration.apply(StoredConfiguration(security: configuration.security, servers: []))
        #expect(EngineDriver(configuration).engine.value(at: Self.path.appending(8)) == .integer(3600))
        let stored = HostedInstance(3, ResourceValues(records: try Self.records("period=60,clock-skew=5")))
        configuration.apply(StoredConfiguration(security: configuration.security, servers: [], profiles: [stored]))
        #expect(EngineDriver(configuration).engine.value(at: ObjectPath(Self.object, 3, 8)) == .integer(60))
        configuration.apply(StoredConfiguration(security: configuration.security, servers: [], profiles: []))
        #expect(EngineDriver(configuration).engine.records(below: ObjectPath(Self.object)).isEmpty)
    }

    // MARK: By bootstrap

    @Test("Bootstrap-Write delivers a profile, which is stored before Finish is answered and used from then on")
    func bootstrapDelivers() throws {
        var (driver, session) = try Self.delivering()
        #expect(
            driver.answer(try Self.write(Self.profile.records(), at: Self.path), session: session)?.code == .changed
        )
        _ = driver.answer(try BootstrapTests.write(BootstrapTests.security(), at: ObjectPath(0, 1)), session: session)
        _ = driver.answer(try BootstrapTests.write(BootstrapTests.server(), at: ObjectPath(1, 0)), session: session)
        driver.storesAtOnce = false
        let outputs = driver.request(BootstrapTests.finish, session: session).outputs
        guard case .store(let storage, let stored) = outputs.first else {
            Issue.record("nothing was stored")
            return
        }
        #expect(outputs.count == 1)
        #expect(stored.profiles == [HostedInstance(0, ResourceValues(records: Self.profile.records()))])
        let next = try #require(driver.handle(.stored(storage)).openedSession)
        let register = try #require(driver.handle(.sessionOpened(next)).sentRequest)
        driver.handle(.responseReceived(register.id, Sample.created()))
        driver.storesAtOnce = true
        let trigger = driver.request(Sample.request(.post, ObjectPath(1, 0, 9)), session: next)
        let expected = try BootstrapNameTests.uri(1_800_000_000)
        #expect(
            trigger.outputs.contains {
                if case .openSession(_, expected, _) = $0 { true } else { false }
            }
        )
    }

    @Test(
        "A profile that is not whole, or does not fit account and URI, gets 4.00 and changes nothing",
        arguments: [
            "selection=last:200", "insertion=own-label,alphabet=base64url", "parameters=endpoint+endpoint", "period=0",
            "parameters=random", "combination=what",
        ] as [UTF8Text]
    )
    func refusesAWrongProfile(fields: UTF8Text) throws {
        var (driver, session) = try Self.delivering(Self.profile)
        let before = driver.engine.records(below: ObjectPath(Self.object))
        var records = Self.profile.records()
        for part in fields.string.split(separator: ",") {
            let halves = part.split(separator: "=").map { UTF8Text(String($0)) }
            let field = try #require(ProfileField.allCases.first { $0.name == halves[0] })
            let value: ResourceValue = field == .period ? .integer(0) : .string(halves[1])
            records.removeAll { $0.path.resource == field.rawValue }
            records.append(ResourceRecord(Self.path.appending(field.rawValue), value))
        }
        #expect(driver.answer(try Self.write(records, at: Self.path), session: session)?.code == .badRequest)
        #expect(driver.engine.records(below: ObjectPath(Self.object)) == before)
    }

    @Test("A profile belongs to one bootstrap account, and an account has one profile")
    func refusesAWrongLink() throws {
        var (driver, session) = try Self.delivering(Self.profile)
        _ = driver.answer(try BootstrapTests.write(BootstrapTests.security(), at: ObjectPath(0, 1)), session: session)
        for security in [1, 9] as [UInt16] {
            let records = Self.profile.records(securityInstance: security)
            #expect(driver.answer(try Self.write(records, at: Self.path), session: session)?.code == .badRequest)
        }
        let second = Self.profile.records(instance: 1)
        let request = try Self.write(second, at: ObjectPath(Self.object, 1))
        #expect(driver.answer(request, session: session)?.code == .badRequest)
        let unlinked = Array(Self.profile.records().dropFirst())
        #expect(driver.answer(try Self.write(unlinked, at: Self.path), session: session)?.code == .badRequest)
    }

    @Test("A key too weak for names gets 4.00, unless the profile is a test")
    func refusesAWeakKey() throws {
        var configuration = BootstrapNameTests.configuration(nil)
        configuration.security[0].key = SecretBytes([1, 2, 3])
        var driver = EngineDriver(configuration)
        let session = try #require(driver.handle(.started).openedSession)
        let request = try #require(driver.handle(.sessionOpened(session)).sentRequest)
        driver.handle(.responseReceived(request.id, CoAPResponse(.changed)))
        let strict = try Self.write(Self.profile.records(), at: Self.path)
        #expect(driver.answer(strict, session: session)?.code == .badRequest)
        let test = try Self.write(try Self.records("test=yes"), at: Self.path)
        #expect(driver.answer(test, session: session)?.code == .changed)
    }

    @Test("A static URI that no longer fits its profile is found at Finish")
    func checksTheURIAtFinish() throws {
        var (driver, session) = try Self.delivering(Self.profile)
        _ = driver.answer(try BootstrapTests.write(BootstrapTests.security(), at: ObjectPath(0, 1)), session: session)
        _ = driver.answer(try BootstrapTests.write(BootstrapTests.server(), at: ObjectPath(1, 0)), session: session)
        let address = [ResourceRecord(ObjectPath(0, 0, 0), .string("coaps://192.0.2.1"))]
        let request = try BootstrapTests.write(address, at: ObjectPath(0, 0, 0))
        #expect(driver.answer(request, session: session)?.code == .changed)
        #expect(driver.answer(BootstrapTests.finish, session: session)?.code == .notAcceptable)
        #expect(driver.takeReports().contains(.bootstrapFailed(.inconsistent)))
    }

    @Test("Delete of everything leaves the account its profile; Delete of the profile removes it for good")
    func deletes() throws {
        var (driver, session) = try Self.delivering(Self.profile)
        #expect(driver.answer(CoAPRequest(.delete, path: []), session: session)?.code == .deleted)
        #expect(driver.engine.value(at: Self.path.appending(8)) == .integer(3600))
        #expect(driver.answer(Sample.request(.delete, Self.path), session: session)?.code == .deleted)
        #expect(driver.engine.records(below: ObjectPath(Self.object)).isEmpty)
        _ = driver.answer(try BootstrapTests.write(BootstrapTests.security(), at: ObjectPath(0, 1)), session: session)
        _ = driver.answer(try BootstrapTests.write(BootstrapTests.server(), at: ObjectPath(1, 0)), session: session)
        let outputs = driver.request(BootstrapTests.finish, session: session).outputs
        guard case .store(_, let stored) = outputs.first else {
            Issue.record("nothing was stored")
            return
        }
        #expect(stored.profiles == [])
    }

    @Test("A bootstrap that fails brings the profile back")
    func rollsBack() throws {
        var (driver, session) = try Self.delivering(Self.profile)
        _ = driver.answer(try Self.write(try Self.records("period=60,clock-skew=5"), at: Self.path), session: session)
        #expect(driver.engine.value(at: Self.path.appending(8)) == .integer(60))
        driver.handle(.sessionClosed(session, .closed))
        #expect(driver.engine.value(at: Self.path.appending(8)) == .integer(3600))
    }

    @Test("What the embedder sets while a server delivers is stored without what was delivered so far")
    func storesNothingHalf() throws {
        var (driver, session) = try Self.delivering(Self.profile)
        _ = driver.answer(try BootstrapTests.write(BootstrapTests.security(), at: ObjectPath(0, 1)), session: session)
        let outputs = driver.handle(.valueSet([Self.period(1800)]))
        guard case .store(_, let stored) = outputs.first else {
            Issue.record("nothing was stored")
            return
        }
        #expect(stored.security.map(\.instance) == [0])
        #expect(stored.profiles?.first?.values[8] == .integer(1800))
        _ = driver.answer(try BootstrapTests.write(BootstrapTests.server(), at: ObjectPath(1, 0)), session: session)
        let end = driver.request(BootstrapTests.finish, session: session).outputs
        guard case .store(_, let whole) = end.first else {
            Issue.record("nothing was stored")
            return
        }
        #expect(whole.security.map(\.instance) == [0, 1])
        #expect(whole.profiles?.first?.values[8] == .integer(1800))
    }

    // MARK: By a management server

    @Test("A write of a server counts when it is durable, and is answered then")
    func isWrittenDurably() throws {
        var (driver, session) = try Self.registered()
        driver.storesAtOnce = false
        let request = try Self.write([Self.period(1800)], at: Self.path.appending(8))
        let (exchange, outputs) = driver.request(request, session: session)
        guard case .store(let storage, let stored) = outputs.first else {
            Issue.record("nothing was stored before the answer")
            return
        }
        #expect(outputs.count == 1)
        #expect(stored.profiles?.first?.values[8] == .integer(1800))
        #expect(driver.engine.value(at: Self.path.appending(8)) == .integer(3600))
        #expect(driver.handle(.stored(storage)) == [.sendResponse(exchange, CoAPResponse(.changed))])
        #expect(driver.engine.value(at: Self.path.appending(8)) == .integer(1800))
    }

    @Test("What cannot be stored is not written")
    func isNotWrittenWithoutStorage() throws {
        var (driver, session) = try Self.registered()
        driver.storesAtOnce = false
        let request = try Self.write([Self.period(1800)], at: Self.path.appending(8))
        let (exchange, outputs) = driver.request(request, session: session)
        guard case .store(let storage, _) = outputs.first else {
            Issue.record("nothing was stored before the answer")
            return
        }
        let answer = driver.handle(.storageFailed(storage))
        #expect(answer == [.sendResponse(exchange, CoAPResponse(.internalServerError))])
        #expect(driver.engine.value(at: Self.path.appending(8)) == .integer(3600))
    }

    @Test("A resource that spoils the whole gets 4.00 and changes nothing; a whole instance may change all at once")
    func validatesTheWhole() throws {
        var (driver, session) = try Self.registered()
        let path = Self.path.appending(ProfileField.parameters.rawValue)
        let random = try Self.write([ResourceRecord(path, .string("endpoint+random"))], at: path)
        #expect(driver.answer(random, session: session)?.code == .badRequest)
        let link = Self.path.appending(0)
        let moved = try Self.write([ResourceRecord(link, .objectLink(object: 0, instance: 1))], at: link)
        #expect(driver.answer(moved, session: session)?.code == .badRequest)
        #expect(driver.engine.value(at: path) == Self.profile.records().first { $0.path == path }?.value)
        let whole = try Self.write(try Self.records("parameters=endpoint+random,counter=7"), at: Self.path)
        #expect(driver.answer(whole, session: session)?.code == .changed)
        #expect(driver.engine.value(at: Self.path.appending(12)) == .unsignedInteger(7))
    }

    @Test("A server whose session is not secured may read the profile but not write it")
    func needsASecuredSession() throws {
        var (driver, session) = try Self.registered(isSecured: false)
        let request = try Self.write([Self.period(1800)], at: Self.path.appending(8))
        #expect(driver.answer(request, session: session)?.code == .unauthorized)
        let update = try Self.write(Self.profile.records(), at: Self.path, .post)
        #expect(driver.answer(update, session: session)?.code == .unauthorized)
        #expect(driver.answer(Sample.request(.get, Self.path), session: session)?.code == .content)
    }

    @Test("No management server creates or deletes profiles")
    func isNotCreatedOrDeleted() throws {
        var (driver, session) = try Self.registered()
        let create = try Self.write(Self.profile.records(instance: 1), at: ObjectPath(Self.object), .post)
        #expect(driver.answer(create, session: session)?.code == .methodNotAllowed)
        #expect(driver.answer(Sample.request(.delete, Self.path), session: session)?.code == .methodNotAllowed)
    }

    @Test("The embedder sets resources of a profile together, and leaves a whole one behind")
    func embedderSets() throws {
        var (driver, _) = try Self.registered()
        let parameters = Self.path.appending(ProfileField.parameters.rawValue)
        let random = ResourceRecord(parameters, .string("endpoint+random"))
        #expect(driver.handle(.valueSet([random])).isEmpty)
        let counter = ResourceRecord(Self.path.appending(12), .unsignedInteger(7))
        let outputs = driver.handle(.valueSet([counter, random]))
        guard case .store(_, let stored) = outputs.first else {
            Issue.record("nothing was stored")
            return
        }
        #expect(stored.profiles?.first?.values[12] == .unsignedInteger(7))
        #expect(driver.handle(.valueRemoved(Self.path.appending(12))).isEmpty)
        #expect(driver.handle(.instanceRemoved(Self.path)).isEmpty)
        #expect(driver.engine.value(at: Self.path.appending(12)) == .unsignedInteger(7))
    }

    // MARK: Regeneration

    /// Counts derivations.
    final class Counter: @unchecked Sendable {
        var count = 0
        var hashes: HashFunctions {
            HashFunctions(
                sha256: HashFunctions.libCrypto.sha256,
                hmacSHA256: { key, message in
                    self.count += 1
                    return HashFunctions.libCrypto.hmacSHA256(key, message)
                }
            )
        }
    }

    @Test("With regenerate=yes the URI of every period is derived as it begins, once, and used when it is needed")
    func regenerates() throws {
        let counter = Counter()
        var configuration = BootstrapNameTests.configuration(try BootstrapURIProfile(parsing: "regenerate=yes"))
        configuration.security.append(Sample.account())
        configuration.servers = [Sample.server(lifetime: 0)]
        var engine = ClientEngine(configuration: configuration, registry: .standard, seed: 1, hashes: counter.hashes)
        let clock = WallTime(secondsSinceEpoch: BootstrapNameTests.middle)
        engine.handle(.clockSet(clock), now: .zero)
        #expect(counter.count == 0)
        engine.handle(.started, now: .zero)
        #expect(counter.count == 1)
        let first = try BootstrapNameTests.uri(1_800_000_000).text
        #expect(engine.bootstrapURI == UTF8Text(first))
        let border = MonotonicTime.zero.advanced(by: .seconds(1800))
        #expect(engine.nextDeadline == border)
        engine.handle(.deadlineReached, now: border)
        #expect(counter.count == 2)
        #expect(engine.bootstrapURI == UTF8Text(try BootstrapNameTests.uri(1_800_003_600).text))
        // The clock jumps within the window, away and back: one derivation for each new window.
        engine.handle(.clockSet(WallTime(secondsSinceEpoch: 1_800_003_000)), now: border)
        #expect(counter.count == 2)
        engine.handle(.clockSet(clock), now: border)
        engine.handle(.clockLost, now: border)
        #expect(counter.count == 3)
        #expect(engine.bootstrapURI == nil)
        #expect(engine.nextDeadline == nil)
    }

    @Test("A URI that was derived ahead from what a failed bootstrap delivered is not used")
    func derivesAnewAfterARollBack() throws {
        let profile = try BootstrapURIProfile(parsing: "regenerate=yes")
        var driver = BootstrapNameTests.driver(profile, clock: BootstrapNameTests.border)
        let first = try #require(driver.handle(.started).openedSession)
        let request = try #require(driver.handle(.sessionOpened(first)).sentRequest)
        driver.handle(.responseReceived(request.id, CoAPResponse(.changed)))
        let key = [ResourceRecord(ObjectPath(0, 0, 5), .opaque(Array("another key of 16".utf8)))]
        let answer = driver.answer(try BootstrapTests.write(key, at: ObjectPath(0, 0, 5)), session: first)
        #expect(answer?.code == .changed)
        // The window ends while the server delivers, and then the session does.
        driver.advance(.seconds(20))
        driver.handle(.sessionClosed(first, .closed))
        let outputs = driver.jump()
        let uri = try BootstrapNameTests.uri(1_800_003_600, profile)
        #expect(
            outputs.contains {
                if case .openSession(_, uri, _) = $0 { true } else { false }
            }
        )
    }

    @Test("Without regenerate=yes nothing is derived before it is needed, and no deadline waits")
    func derivesWhenNeeded() throws {
        let counter = Counter()
        var configuration = BootstrapNameTests.configuration()
        configuration.security.append(Sample.account())
        configuration.servers = [Sample.server(lifetime: 0)]
        var engine = ClientEngine(configuration: configuration, registry: .standard, seed: 1, hashes: counter.hashes)
        engine.handle(.clockSet(WallTime(secondsSinceEpoch: BootstrapNameTests.middle)), now: .zero)
        engine.handle(.started, now: .zero)
        #expect(counter.count == 0)
        #expect(engine.nextDeadline == nil)
    }
}

extension [UInt8] {
    func contains(subsequence: [UInt8]) -> Bool {
        guard !subsequence.isEmpty, subsequence.count <= self.count else { return false }
        return (0...(self.count - subsequence.count)).contains { self[$0...].starts(with: subsequence) }
    }
}
