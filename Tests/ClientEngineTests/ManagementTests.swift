import ClientEngine
import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

@Suite("Core 1.2.2 §6.3 Device management")
struct ManagementTests {
    static func text(_ response: CoAPResponse?) -> String? {
        response.map { String(decoding: $0.payload, as: UTF8.self) }
    }

    static func tlv(_ records: [ResourceRecord], at path: ObjectPath) throws -> [UInt8] {
        try Payload.encode(records, as: .tlv, at: path)
    }

    // MARK: Read

    @Test(
        "§6.3.1: object, instance, resource and resource instance are read",
        arguments: [
            (ObjectPath(3303), 2), (ObjectPath(3303, 0), 2), (ObjectPath(3303, 0, 5700), 1),
            (ObjectPath(3, 0, 6), 2), (ObjectPath(resourceInstance: 3, 0, 6, 2), 1), (ObjectPath(30_000), 3),
        ]
    )
    func reads(path: ObjectPath, count: Int) throws {
        for format in [ContentFormat.tlv, .senMLJSON, .senMLCBOR] {
            var (driver, session) = Sample.registered()
            let answer = driver.answer(Sample.request(.get, path, accept: format), session: session)
            let response = try #require(answer)
            #expect(response.code == .content)
            #expect(response.options.contentFormat == format)
            let registry = ObjectRegistry(ObjectRegistry.standard.definitions + [Sample.note.definition])
            let records = try Payload.decode(response.payload, as: format, at: path, registry: registry)
            #expect(records.count == count)
            #expect(records == driver.engine.records(below: path).filter { $0.path != ObjectPath(30_000, 0, 5) })
        }
    }

    @Test("§7.4: without Accept the answer is SenML CBOR since 1.1, TLV in 1.0, or what is configured")
    func choosesAFormat() {
        var old = Sample.configuration
        old.enablerVersion = .v1_0
        var chosen = Sample.configuration
        chosen.preferredFormat = .senMLJSON
        for (configuration, format) in [
            (Sample.configuration, ContentFormat.senMLCBOR), (old, .tlv), (chosen, .senMLJSON),
        ] {
            var (driver, session) = Sample.registered(configuration)
            let response = driver.answer(Sample.request(.get, ObjectPath(3, 0)), session: session)
            #expect(response?.options.contentFormat == format)
        }
    }

    @Test("E.4, resource 13: the time counts on from when it was set, also by a server")
    func tellsTheTime() {
        var (driver, session) = Sample.registered()
        let path = ObjectPath(3, 0, 13)
        #expect(driver.answer(Sample.request(.get, path, accept: .text), session: session)?.code == .notFound)
        driver.handle(.clockSet(WallTime(secondsSinceEpoch: 1_700_000_000)))
        driver.advance(.seconds(90))
        #expect(
            Self.text(driver.answer(Sample.request(.get, path, accept: .text), session: session)) == "1700000090"
        )
        let write = Sample.request(.put, path, format: .text, payload: Array("1800000000".utf8))
        #expect(driver.answer(write, session: session)?.code == .changed)
        driver.advance(.seconds(10))
        #expect(
            Self.text(driver.answer(Sample.request(.get, path, accept: .text), session: session)) == "1800000010"
        )
    }

    // MARK: Write

    @Test("§6.3.4: PUT replaces a resource, an instance's writable resources, or a resource instance")
    func replaces() throws {
        var (driver, session) = Sample.registered()
        let path = ObjectPath(30_000, 0)
        let tags = try Self.tlv(
            [
                ResourceRecord(ObjectPath(30_000, 0, 0), .string("cup")),
                ResourceRecord(ObjectPath(resourceInstance: 30_000, 0, 2, 1), .string("a")),
                ResourceRecord(ObjectPath(resourceInstance: 30_000, 0, 2, 5), .string("b")),
            ],
            at: path
        )
        #expect(
            driver.answer(Sample.request(.put, path, format: .tlv, payload: tags), session: session)?.code == .changed
        )
        #expect(driver.engine.value(at: path.appending(1)) == nil, "an optional resource that is not named goes")
        #expect(driver.engine.value(at: path.appending(3)) == .integer(99), "a read-only resource stays")
        let instance = ObjectPath(resourceInstance: 30_000, 0, 2, 5)
        let put = Sample.request(.put, instance, format: .text, payload: Array("c".utf8))
        #expect(driver.answer(put, session: session)?.code == .changed)
        #expect(driver.engine.value(at: instance) == .string("c"))
        #expect(driver.engine.value(at: ObjectPath(resourceInstance: 30_000, 0, 2, 1)) == .string("a"))
        let one = try Self.tlv(
            [ResourceRecord(ObjectPath(resourceInstance: 30_000, 0, 2, 9), .string("z"))],
            at: path.appending(2)
        )
        let putAll = Sample.request(.put, path.appending(2), format: .tlv, payload: one)
        #expect(driver.answer(putAll, session: session)?.code == .changed)
        #expect(driver.engine.records(below: path.appending(2)).count == 1)
    }

    @Test("§6.3.4: POST updates what it names and keeps the rest")
    func updates() throws {
        var (driver, session) = Sample.registered()
        let path = ObjectPath(30_000, 0)
        let level = try Self.tlv([ResourceRecord(path.appending(1), .integer(42))], at: path)
        let post = Sample.request(.post, path, format: .tlv, payload: level)
        #expect(driver.answer(post, session: session)?.code == .changed)
        #expect(driver.engine.value(at: path.appending(0)) == .string("tea"))
        #expect(driver.engine.value(at: path.appending(1)) == .integer(42))
        for id in [1, 2] as [UInt16] {
            let tag = try Self.tlv(
                [ResourceRecord(ObjectPath(resourceInstance: 30_000, 0, 2, id), .string("t"))],
                at: path.appending(2)
            )
            let add = Sample.request(.post, path.appending(2), format: .tlv, payload: tag)
            #expect(driver.answer(add, session: session)?.code == .changed)
        }
        #expect(driver.engine.records(below: path.appending(2)).count == 2)
        #expect(driver.takeReports().contains(.valueWritten(path.appending(2))))
    }

    @Test("Values behind a multiple resource in a payload are not lost")
    func readsBehindMultipleResources() throws {
        var (driver, session) = Sample.registered()
        let path = ObjectPath(30_000, 0)
        let payload = try Payload.encode(
            [
                ResourceRecord(ObjectPath(resourceInstance: 30_000, 0, 2, 0), .string("a")),
                ResourceRecord(ObjectPath(resourceInstance: 30_000, 0, 2, 1), .string("b")),
                ResourceRecord(path.appending(5), .opaque([1])),
            ],
            as: .tlv,
            at: path
        )
        let post = Sample.request(.post, path, format: .tlv, payload: payload)
        #expect(driver.answer(post, session: session)?.code == .changed)
        #expect(driver.engine.value(at: path.appending(5)) == .opaque([1]))
    }

    @Test("A write to the Server object is answered when it is durable, and an Update follows")
    func storesTheServerAccount() throws {
        var (driver, session) = Sample.registered()
        driver.storesAtOnce = false
        let path = ObjectPath(1, 0, 1)
        let (exchange, outputs) = driver.request(
            Sample.request(.put, path, format: .text, payload: Array("600".utf8)),
            session: session
        )
        guard case .store(let storage, let stored) = outputs.first else {
            Issue.record("nothing was stored")
            return
        }
        #expect(outputs.count == 1)
        #expect(stored.servers.first?.lifetime == 600)
        #expect(driver.engine.value(at: path) == .integer(300))
        let other = Sample.request(.put, path, format: .text, payload: Array("700".utf8))
        #expect(driver.answer(other, session: session)?.code == .serviceUnavailable)
        let after = driver.handle(.stored(storage))
        #expect(after.first == .sendResponse(exchange, CoAPResponse(.changed)))
        let update = try #require(after.sentRequest?.request)
        #expect(update.path == ["rd", "a"])
        #expect(update.query == ["lt=600"])
        #expect(update.payload.isEmpty)
        #expect(driver.engine.value(at: path) == .integer(600))
    }

    @Test("A write to the Server object that cannot be stored is 5.00 and changes nothing")
    func refusesWhatCannotBeStored() {
        var (driver, session) = Sample.registered()
        driver.storesAtOnce = false
        let path = ObjectPath(1, 0, 1)
        let (exchange, outputs) = driver.request(
            Sample.request(.put, path, format: .text, payload: Array("600".utf8)),
            session: session
        )
        guard case .store(let storage, _) = outputs.first else {
            Issue.record("nothing was stored")
            return
        }
        #expect(
            driver.handle(.storageFailed(storage)) == [.sendResponse(exchange, CoAPResponse(.internalServerError))]
        )
        #expect(driver.engine.value(at: path) == .integer(300))
    }

    @Test("The embedder decides a write of an object that asks")
    func asksTheEmbedder() {
        var configuration = Sample.configuration
        var asking = Sample.note
        asking.asksBeforeWrite = true
        configuration.objects = [asking]
        var (driver, session) = Sample.registered(configuration)
        let path = ObjectPath(30_000, 0, 1)
        let write = Sample.request(.put, path, format: .text, payload: Array("50".utf8))
        for (code, value) in [(CoAPCode.forbidden, 7), (.changed, 50)] as [(CoAPCode, Int64)] {
            let (exchange, outputs) = driver.request(write, session: session)
            #expect(outputs == [.decideWrite(exchange, [ResourceRecord(path, .integer(50))])])
            #expect(driver.handle(.writeDecided(exchange, code)) == [.sendResponse(exchange, CoAPResponse(code))])
            #expect(driver.engine.value(at: path) == .integer(value))
            #expect(driver.handle(.writeDecided(exchange, code)).isEmpty)
        }
    }

    // MARK: Execute, Create, Delete, Discover

    @Test("§6.3.5: Execute asks the embedder and answers what it says")
    func executes() {
        var (driver, session) = Sample.registered()
        let path = ObjectPath(30_000, 0, 4)
        let post = Sample.request(.post, path, payload: Array("0='a',3".utf8))
        let (exchange, outputs) = driver.request(post, session: session)
        #expect(outputs == [.execute(exchange, path, arguments: Array("0='a',3".utf8))])
        #expect(
            driver.handle(.executed(exchange, .changed)) == [.sendResponse(exchange, CoAPResponse(.changed))]
        )
        #expect(driver.takeReports().last == .operationServed(.execute, path, .changed))
        #expect(driver.handle(.executed(exchange, .changed)).isEmpty)
    }

    @Test("§6.3.6: Create with the payload's identifier, or one that the device chooses; Update lists it")
    func creates() throws {
        var (driver, session) = Sample.registered()
        let object = ObjectPath(30_000)
        let named = try Self.tlv([ResourceRecord(ObjectPath(30_000, 7, 0), .string("x"))], at: object)
        let (_, outputs) = driver.request(
            Sample.request(.post, object, format: .tlv, payload: named),
            session: session
        )
        guard case .sendResponse(_, let response) = outputs.first else {
            Issue.record("no answer")
            return
        }
        #expect(response.code == .created)
        #expect(response.options.texts(.locationPath) == ["30000", "7"])
        let update = try #require(outputs.sentRequest)
        #expect(update.request.options.contentFormat == .linkFormat)
        #expect(String(decoding: update.request.payload, as: UTF8.self).contains("</30000/7>"))
        driver.handle(.responseReceived(update.id, CoAPResponse(.changed)))
        let unnamed = try Self.tlv([ResourceRecord(ObjectPath(30_000, 0, 0), .string("y"))], at: ObjectPath(30_000, 0))
        let chosen = driver.answer(Sample.request(.post, object, format: .tlv, payload: unnamed), session: session)
        #expect(chosen?.options.texts(.locationPath) == ["30000", "1"])
        #expect(driver.engine.value(at: ObjectPath(30_000, 1, 0)) == .string("y"))
    }

    @Test("§6.3.6: a read-only resource in a Create is left out")
    func leavesOutReadOnlyResources() throws {
        var (driver, session) = Sample.registered()
        let payload = try Self.tlv(
            [
                ResourceRecord(ObjectPath(30_000, 7, 0), .string("x")),
                ResourceRecord(ObjectPath(30_000, 7, 3), .integer(1)),
            ],
            at: ObjectPath(30_000)
        )
        let create = Sample.request(.post, ObjectPath(30_000), format: .tlv, payload: payload)
        #expect(driver.answer(create, session: session)?.code == .created)
        #expect(driver.engine.value(at: ObjectPath(30_000, 7, 3)) == nil)
    }

    @Test("§6.3.7: Delete removes an instance, and Update tells it")
    func deletes() throws {
        var (driver, session) = Sample.registered()
        let (exchange, outputs) = driver.request(Sample.request(.delete, ObjectPath(30_000, 0)), session: session)
        #expect(outputs.first == .sendResponse(exchange, CoAPResponse(.deleted)))
        let update = try #require(outputs.sentRequest)
        #expect(String(decoding: update.request.payload, as: UTF8.self).hasSuffix(",</30000>"))
        #expect(driver.answer(Sample.request(.delete, ObjectPath(30_000, 0)), session: session)?.code == .notFound)
    }

    @Test(
        "§6.3.3: Discover lists what is there with the attributes of the asking server",
        arguments: [
            (ObjectPath(30_000), "</30000>,</30000/0>;pmin=10,</30000/0/0>,</30000/0/1>,</30000/0/3>,</30000/0/4>"),
            (ObjectPath(30_000, 0), "</30000/0>;pmin=10,</30000/0/0>,</30000/0/1>;gt=5.5,</30000/0/3>,</30000/0/4>"),
            (ObjectPath(30_000, 0, 1), "</30000/0/1>;pmin=10;gt=5.5"),
            (ObjectPath(3, 0, 6), "</3/0/6>;dim=2,</3/0/6/0>,</3/0/6/2>"),
        ]
    )
    func discovers(path: ObjectPath, expected: String) {
        var (driver, session) = Sample.registered()
        let pmin = Sample.request(.put, ObjectPath(30_000, 0), query: ["pmin=10"])
        #expect(driver.answer(pmin, session: session)?.code == .changed)
        let gt = Sample.request(.put, ObjectPath(30_000, 0, 1), query: ["gt=5.5"])
        #expect(driver.answer(gt, session: session)?.code == .changed)
        let response = driver.answer(Sample.request(.get, path, accept: .linkFormat), session: session)
        #expect(response?.code == .content)
        #expect(response?.options.contentFormat == .linkFormat)
        #expect(Self.text(response) == expected)
    }

    // MARK: Triggers

    @Test("E.2, resource 8: the trigger is answered, then Update goes")
    func updatesOnTrigger() {
        var (driver, session) = Sample.registered()
        let (exchange, outputs) = driver.request(Sample.request(.post, ObjectPath(1, 0, 8)), session: session)
        #expect(outputs.first == .sendResponse(exchange, CoAPResponse(.changed)))
        #expect(outputs.sentRequest?.request.path == ["rd", "a"])
        #expect(outputs.sentRequest?.request.query == [])
    }

    @Test("E.2, resources 4 and 5: Disable is answered, then Deregister goes; Register follows after the timeout")
    func disables() throws {
        var (driver, session) = Sample.registered()
        driver.handle(.valueSet([ResourceRecord(ObjectPath(1, 0, 5), .integer(50))]))
        let (exchange, outputs) = driver.request(Sample.request(.post, ObjectPath(1, 0, 4)), session: session)
        #expect(outputs.first == .sendResponse(exchange, CoAPResponse(.changed)))
        let deregister = try #require(outputs.sentRequest)
        #expect(deregister.request.method == .delete)
        #expect(driver.handle(.responseReceived(deregister.id, CoAPResponse(.deleted))) == [.closeSession(session)])
        #expect(driver.engine.nextDeadline == MonotonicTime.zero.advanced(by: .seconds(50)))
        #expect(driver.jump().openedSession != nil)
    }

    @Test("E.2, resource 9: the trigger starts bootstrap, but only with a bootstrap account")
    func bootstrapsOnTrigger() {
        var (driver, session) = Sample.registered()
        let trigger = Sample.request(.post, ObjectPath(1, 0, 9))
        #expect(driver.answer(trigger, session: session)?.code == .methodNotAllowed)
        var configuration = Sample.configuration
        configuration.security.append(Sample.bootstrapAccount(holdOff: 10))
        (driver, session) = Sample.registered(configuration)
        #expect(driver.answer(trigger, session: session)?.code == .changed)
        let outputs = driver.advance(.seconds(13))
        #expect(outputs.first == .closeSession(session))
        #expect(outputs.openedSession != nil)
    }
}
