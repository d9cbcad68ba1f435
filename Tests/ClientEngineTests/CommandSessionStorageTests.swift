import ClientEngine
import CoAPMessages
import CommandSessions
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

@Suite("Sessions, the store, and how messages are written")
struct CommandSessionStorageTests {
    private let command: SessionCommand

    init() throws {
        self.command = try #require(
            SessionCommand(.write, ObjectPath(30_000, 0, 0), contentFormat: .text, payload: Array("milk".utf8))
        )
    }

    private func bench(storesAtOnce: Bool = false) throws -> SessionBench {
        try SessionBench(SessionBench.configuration(SessionBench.policy(), servers: 2), storesAtOnce: storesAtOnce)
    }

    private func message1(_ bench: inout SessionBench, knowing dsid: SessionIdentifier? = nil) throws -> SessionMessage
    {
        SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: dsid)
    }

    /// Writes the lifetime of a server as another server does.
    private func writeLifetime(_ bench: inout SessionBench) -> (exchange: ExchangeID, outputs: [ClientOutput]) {
        let write = Sample.request(.put, ObjectPath(1, 1, 1), format: .text, payload: Array("600".utf8))
        return bench.driver.request(write, session: bench.sessions[1])
    }

    private func storages(_ outputs: [ClientOutput]) -> [StorageID] {
        outputs.compactMap { if case .store(let storage, _) = $0 { storage } else { nil } }
    }

    // MARK: The order of storage

    @Test("While a server's write is stored a message waits its turn: 5.03")
    func writeFirst() throws {
        var bench = try self.bench()
        let write = self.writeLifetime(&bench)
        let storage = try #require(self.storages(write.outputs).first)
        let message1 = try self.message1(&bench)
        #expect(bench.put(.message1, message1.encoded) == .serviceUnavailable)
        #expect(self.storages(bench.outputs).isEmpty)
        #expect(bench.driver.handle(.stored(storage)).answers == [.changed])
        #expect(bench.put(.message1, message1.encoded) == nil)
        #expect(bench.driver.handle(.stored(try bench.storage())).answers == [.changed])
        #expect(
            bench.stored?.servers.map { $0.lifetime }.contains(600) == true,
            "each stores what the other has stored"
        )
    }

    @Test("While a session is stored a server's write waits its turn: 5.03")
    func sessionFirst() throws {
        var bench = try self.bench()
        #expect(bench.put(.message1, try self.message1(&bench).encoded) == nil)
        let storage = try bench.storage()
        let write = self.writeLifetime(&bench)
        #expect(write.outputs.answers == [.serviceUnavailable])
        #expect(self.storages(write.outputs).isEmpty)
        #expect(bench.driver.handle(.stored(storage)).answers == [.changed])
        #expect(bench.driver.engine.value(at: ObjectPath(1, 1, 1)) == .integer(300))
    }

    @Test(
        "An outcome that comes while a write is stored is stored after it, and both are kept",
        arguments: [false, true]
    )
    func outcomeAfterWrite(writeFails: Bool) throws {
        var bench = try self.bench(storesAtOnce: true)
        let pair = try bench.begin(try #require(SessionCommand(.execute, ObjectPath(30_000, 0, 4))))
        let execution = try #require(bench.outputs.execution)
        bench.driver.storesAtOnce = false
        let write = self.writeLifetime(&bench)
        let written = try #require(self.storages(write.outputs).first)
        #expect(bench.driver.handle(.executed(execution, .changed)).isEmpty)
        let other = Sample.request(.put, ObjectPath(1, 0, 1), format: .text, payload: Array("700".utf8))
        #expect(bench.driver.answer(other, session: bench.sessions[1])?.code == .serviceUnavailable)

        bench.outputs = bench.driver.handle(writeFails ? .storageFailed(written) : .stored(written))
        #expect(bench.outputs.answers == [writeFails ? .internalServerError : .changed])
        bench.keepStored(bench.outputs)
        #expect(bench.stored?.sessions?.first?.record.lastExecution == .init(pair: pair, outcome: .done(.changed)))
        #expect(bench.stored?.servers.last?.lifetime == (writeFails ? 300 : 600))
        #expect(bench.driver.handle(.stored(try bench.storage())).answers == [.changed])
        #expect(bench.value(.state) == .integer(0))
    }

    @Test("Two sessions are stored one after the other")
    func twoSessions() throws {
        var configuration = SessionBench.configuration(try SessionBench.policy(gateway: nil, protected: ["/30000"]))
        configuration.commandSessions.append(
            CommandSessionAccount(instance: 1, policy: try SessionBench.policy(gateway: nil, protected: ["/3303"]))
        )
        var bench = try SessionBench(configuration)
        let printing = try #require(SessionCommand(.execute, ObjectPath(30_000, 0, 4)))
        _ = try bench.begin(printing)
        let execution = try #require(bench.outputs.execution)
        bench.driver.storesAtOnce = false
        bench.instance = 1
        #expect(bench.put(.message1, try self.message1(&bench).encoded) == nil)
        let first = try bench.storage()
        #expect(bench.driver.handle(.executed(execution, .changed)).isEmpty)
        #expect(bench.put(.message1, try self.message1(&bench).encoded) == .serviceUnavailable)
        bench.outputs = bench.driver.handle(.storageFailed(first))
        #expect(bench.outputs.answers == [.internalServerError], "one's failure is not the other's")
        #expect(bench.driver.handle(.stored(try bench.storage())).answers == [.changed])
        bench.driver.storesAtOnce = true
        #expect(bench.put(.message1, try self.message1(&bench).encoded) == .changed)
    }

    @Test("A storage that nobody asked for changes nothing")
    func unknownStorage() throws {
        var bench = try self.bench()
        #expect(bench.put(.message1, try self.message1(&bench).encoded) == nil)
        let storage = try bench.storage()
        #expect(bench.driver.handle(.stored(StorageID(rawValue: 999))).isEmpty)
        #expect(bench.driver.handle(.storageFailed(StorageID(rawValue: 0))).isEmpty)
        #expect(bench.driver.handle(.stored(storage)).answers == [.changed])
        #expect(bench.driver.handle(.stored(storage)).isEmpty, "told twice")
        #expect(bench.driver.handle(.storageFailed(storage)).isEmpty)
        #expect(bench.value(.state) == .integer(1))
    }

    // MARK: Failures

    @Test("Without \"executing\" on disk nothing is executed, and the session may be tried anew")
    func executionNotStored() throws {
        var bench = try self.bench()
        let message1 = try self.message1(&bench)
        #expect(bench.put(.message1, message1.encoded) == nil)
        bench.driver.handle(.stored(try bench.storage()))
        let pair = SessionPair(gsid: message1.gsid, dsid: try #require(try bench.message2().dsid))
        let message3 = SessionMessage(number: 3, command: self.command, gsid: pair.gsid, dsid: pair.dsid)
        #expect(bench.put(.message3, message3.encoded) == nil)
        #expect(bench.driver.handle(.storageFailed(try bench.storage())).answers == [.internalServerError])
        #expect(bench.driver.engine.value(at: ObjectPath(30_000, 0, 0)) == .string("tea"))
        #expect(bench.value(.aborted) == .integer(1))
        bench.driver.storesAtOnce = true
        #expect(bench.put(.message3, message3.encoded) == .conflict)
        #expect(bench.put(.outcomeQuery, pair.encoded) == .changed)
        #expect(try SessionReport(decoding: bench.read(.outcome).payload).outcome == .notDone)
        #expect(try bench.run(self.command).code == .changed)
    }

    @Test("An outcome that cannot be stored is told while the device runs, and unknown after a restart")
    func outcomeNotStored() throws {
        var bench = try self.bench(storesAtOnce: true)
        let printing = try #require(SessionCommand(.execute, ObjectPath(30_000, 0, 4)))
        let pair = try bench.begin(printing)
        let execution = try #require(bench.outputs.execution)
        let onDisk = try #require(bench.stored)
        bench.driver.storesAtOnce = false
        bench.outputs = bench.driver.handle(.executed(execution, .changed))
        #expect(bench.outputs.answers.isEmpty)
        #expect(bench.driver.handle(.storageFailed(try bench.storage())).answers == [.changed])
        #expect(bench.driver.takeReports().contains(.commandExecuted(.changed)))
        bench.driver.storesAtOnce = true
        #expect(bench.put(.outcomeQuery, pair.encoded) == .changed)
        #expect(try SessionReport(decoding: bench.read(.outcome).payload).outcome == .done(.changed))

        var configuration = SessionBench.configuration(try SessionBench.policy(), servers: 2)
        configuration.apply(onDisk)
        var again = try SessionBench(configuration, seed: 2)
        #expect(again.put(.outcomeQuery, pair.encoded) == .changed)
        #expect(try SessionReport(decoding: again.read(.outcome).payload).outcome == .unknown)
        let message3 = SessionMessage(number: 3, command: printing, gsid: pair.gsid, dsid: pair.dsid)
        #expect(again.put(.message3, message3.encoded) == .internalServerError)
        #expect(again.outputs.execution == nil, "never a second time")
        _ = try again.newIdentifier()
        #expect(try again.run(self.command, knowing: pair.dsid).code == .changed)
    }

    @Test("A command for which there is no room is not done, and counts as aborted")
    func noRoom() throws {
        var bench = try self.bench(storesAtOnce: true)
        let reset = Sample.request(.post, ObjectPath(30_002, 0, 0))
        let printer = ObjectDefinition(
            30_002,
            "Printer",
            isMultiple: false,
            resources: [ResourceDefinition(0, "Reset", .execute, .none, isMandatory: true)]
        )
        bench.driver.handle(.objectAdded(HostedObject(printer, instances: [HostedInstance(0, [:])], executables: [0])))
        for _ in 0..<EngineLimits.pendingExchanges {
            #expect(bench.driver.request(reset, session: bench.sessions[1]).outputs.execution != nil)
        }
        _ = bench.driver.takeReports()
        let pair = try bench.begin(try #require(SessionCommand(.execute, ObjectPath(30_000, 0, 4))))
        #expect(bench.outputs.answers == [.conflict])
        #expect(bench.put(.outcomeQuery, pair.encoded) == .changed)
        #expect(try SessionReport(decoding: bench.read(.outcome).payload).outcome == .notDone)
        #expect(bench.value(.completed) == nil)
        #expect(bench.value(.aborted) == .integer(1))
        let reports = bench.driver.takeReports()
        #expect(reports.contains(.commandSessionAborted))
        #expect(!reports.contains { if case .commandExecuted = $0 { true } else { false } })
    }

    @Test("A short session that is late is late, also when sessions of the other form came before it")
    func changedForm() throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy())
        #expect(bench.put(.message1, try self.message1(&bench).encoded) == .changed)
        let session = try bench.beginBootstrap()
        #expect(try bench.deliver(SessionBench.policy(form: .deviceIdentifier), session) == .changed)
        try bench.finishBootstrap(session)
        let message1 = SessionMessage(number: 1, command: self.command, gsid: nil, dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        let message3 = SessionMessage(number: 3, command: self.command, gsid: nil, dsid: try bench.message2().dsid)
        bench.driver.advance(.seconds(60))
        #expect(bench.put(.message3, message3.encoded) == .conflict)
        #expect(bench.value(.breaches) == nil)
    }

    @Test("Who is suspended in the middle of a session leaves nothing of it to read", arguments: [false, true])
    func suspended(byDirectChange: Bool) throws {
        var breaches = BreachPolicy.standard
        breaches[.unpermitted] = .suspend
        breaches[.unknown] = .suspend
        var bench = try SessionBench(
            SessionBench.configuration(SessionBench.policy(breaches: breaches), servers: 2)
        )
        #expect(bench.put(.message1, try self.message1(&bench).encoded) == .changed)
        if byDirectChange {
            #expect(try bench.ask(.delete, "/30000/0") == .forbidden)
        } else {
            bench.driver.handle(.peerMoved(bench.sessions[0], try #require(IPAddress(SessionBench.elsewhere))))
            #expect(bench.put(.message3, []) == .unauthorized)
        }
        #expect(bench.driver.takeReports().contains(.serverSuspended(shortServerID: 101, seconds: 3600)))
        #expect(bench.value(.state) == .integer(0))
        #expect(bench.value(.message2) == nil)
    }

    @Test("Another server that is suspended ends no session but its own", arguments: [true, false])
    func suspendsAnother(namesTheGateway: Bool) throws {
        var breaches = BreachPolicy.standard
        breaches[.unpermitted] = .suspend
        breaches[.unknown] = .suspend
        let policy = try SessionBench.policy(gateway: namesTheGateway ? 101 : nil, breaches: breaches)
        let initial = try SessionBench(SessionBench.configuration(policy, servers: 2))
        for isDirectChange in [false, true] {
            var bench = initial
            let message1 = try self.message1(&bench)
            #expect(bench.put(.message1, message1.encoded) == .changed)
            if isDirectChange {
                #expect(try bench.ask(.delete, "/30000/0", server: 1) == .unauthorized)
            } else {
                #expect(bench.put(.message3, [], server: 1) == .unauthorized)
            }
            #expect(bench.driver.takeReports().contains(.serverSuspended(shortServerID: 102, seconds: 3600)))
            let message3 = SessionMessage(
                number: 3,
                command: self.command,
                gsid: message1.gsid,
                dsid: try bench.message2().dsid
            )
            #expect(bench.put(.message3, message3.encoded) == .changed)
            #expect(bench.value(.aborted) == nil)
        }
    }

    // MARK: The alarm

    private func alarmed() throws -> SessionBench {
        var breaches = BreachPolicy.standard
        breaches[.unpermitted] = [.log, .alarm]
        return try SessionBench(
            SessionBench.configuration(SessionBench.policy(breaches: breaches), servers: 2),
            storesAtOnce: false
        )
    }

    @Test("An alarm that is raised while a write is stored waits its turn, and takes nothing of it away")
    func alarmAfterWrite() throws {
        var bench = try self.alarmed()
        let written = try #require(self.storages(self.writeLifetime(&bench).outputs).first)
        #expect(bench.put(.timeout, Array("9".utf8), as: .text) == .forbidden)
        #expect(bench.value(.alarm) == .boolean(true))
        #expect(self.storages(bench.outputs).isEmpty)
        let outputs = bench.driver.handle(.stored(written))
        #expect(outputs.answers == [.changed])
        bench.keepStored(outputs)
        #expect(bench.stored?.servers.last?.lifetime == 600)
        #expect(bench.stored?.sessions?.first?.instance.values[15] == .boolean(true))
        #expect(bench.driver.handle(.stored(try #require(self.storages(outputs).first))).isEmpty)
    }

    @Test("An alarm that is raised while a session is stored stores nothing that fails to be stored")
    func alarmAfterSession() throws {
        var bench = try self.alarmed()
        let message1 = try self.message1(&bench)
        #expect(bench.put(.message1, message1.encoded) == nil)
        bench.driver.handle(.stored(try bench.storage()))
        let message3 = SessionMessage(
            number: 3,
            command: self.command,
            gsid: message1.gsid,
            dsid: try bench.message2().dsid
        )
        #expect(bench.put(.message3, message3.encoded) == nil)
        let storage = try bench.storage()
        #expect(bench.put(.timeout, Array("9".utf8), as: .text) == .forbidden)
        #expect(self.storages(bench.outputs).isEmpty)
        let outputs = bench.driver.handle(.storageFailed(storage))
        #expect(outputs.answers == [.internalServerError])
        bench.keepStored(outputs)
        let stored = try #require(bench.stored?.sessions?.first)
        #expect(stored.instance.values[15] == .boolean(true))
        #expect(stored.record.lastExecution == nil, "it was not executed, and a restart must not take it for that")
    }

    // MARK: The time

    @Test("Message 3 after the timeout is late, also when the device wakes by it", arguments: [59, 60, 3_600])
    func lateAtOnce(second: Int64) throws {
        var bench = try self.bench(storesAtOnce: true)
        let message1 = try self.message1(&bench)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        let message3 = SessionMessage(
            number: 3,
            command: self.command,
            gsid: message1.gsid,
            dsid: try bench.message2().dsid
        )
        bench.driver.now = bench.driver.now.advanced(by: .seconds(second))
        #expect(bench.put(.message3, message3.encoded) == (second < 60 ? .changed : .conflict))
        #expect(bench.driver.engine.value(at: ObjectPath(30_000, 0, 0)) == .string(second < 60 ? "milk" : "tea"))
    }

    @Test("A session in progress ends also when the device has stopped, and nothing is due any more")
    func stopsInASession() throws {
        var bench = try self.bench(storesAtOnce: true)
        #expect(bench.put(.message1, try self.message1(&bench).encoded) == .changed)
        for case .sendRequest(let request, _, _) in bench.driver.handle(.stopRequested) {
            bench.driver.handle(.responseReceived(request, CoAPResponse(.deleted)))
        }
        #expect(bench.driver.takeReports().contains(.stopped))
        bench.driver.jump()
        #expect(bench.driver.engine.nextDeadline == nil)
        #expect(bench.value(.state) == .integer(0))
    }

    // MARK: How a message is written

    @Test(
        "A message may come in any format that carries bytes",
        arguments: [ContentFormat.tlv, .senMLCBOR, .senMLJSON]
    )
    func formats(format: ContentFormat) throws {
        var bench = try self.bench(storesAtOnce: true)
        func payload(_ bytes: [UInt8], _ resource: SessionResource) throws -> [UInt8] {
            let path = bench.path(resource)
            return try Payload.encode([ResourceRecord(path, .opaque(bytes))], as: format, at: path)
        }
        let message1 = try self.message1(&bench)
        #expect(bench.put(.message1, try payload(message1.encoded, .message1), as: format) == .changed)
        let pair = SessionPair(gsid: message1.gsid, dsid: try #require(try bench.message2().dsid))
        let message3 = SessionMessage(number: 3, command: self.command, gsid: pair.gsid, dsid: pair.dsid)
        #expect(bench.put(.message3, try payload(message3.encoded, .message3), as: format) == .changed)
        #expect(bench.driver.engine.value(at: ObjectPath(30_000, 0, 0)) == .string("milk"))
        #expect(bench.put(.outcomeQuery, try payload(pair.encoded, .outcomeQuery), as: format) == .changed)
    }

    @Test("What is not one value of bytes at the message's own path is 4.00")
    func wrongPayloads() throws {
        var bench = try self.bench(storesAtOnce: true)
        let bytes = try self.message1(&bench).encoded
        let path = bench.path(.message1)
        let wrong: [[ResourceRecord]] = [
            [], [ResourceRecord(path, .string("message"))], [ResourceRecord(path, .integer(1))],
            [ResourceRecord(path, .opaque([]))],
        ]
        for format in [ContentFormat.tlv, .senMLCBOR] {
            for records in wrong {
                let payload = try Payload.encode(records, as: format, at: path)
                #expect(bench.put(.message1, payload, as: format) == .badRequest, "\(format) \(records)")
            }
            let elsewhere = bench.path(.message3)
            let payload = try Payload.encode([ResourceRecord(elsewhere, .opaque(bytes))], as: format, at: elsewhere)
            #expect(bench.put(.message1, payload, as: format) == .badRequest, "the path in it is another")
        }
        #expect(bench.put(.message1, bytes, as: ContentFormat(rawValue: 50)) == .unsupportedContentFormat)
        #expect(bench.put(.message1, bytes, as: .senMLCBOR) == .badRequest)
        #expect(bench.value(.state) == .integer(0))
        #expect(bench.value(.breaches) == nil)
    }
}
