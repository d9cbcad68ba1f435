import ClientEngine
import CoAPMessages
import CommandSessions
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

/// A device with command sessions, and a gateway that a test plays by plain writes and reads.
struct SessionBench {
    static let gatewayAddress: [UInt8] = [192, 0, 2, 1]
    static let elsewhere: [UInt8] = [192, 0, 2, 66]

    var driver: EngineDriver
    var sessions: [SessionID] = []
    /// The last configuration that was to be stored.
    var stored: StoredConfiguration?
    var outputs: [ClientOutput] = []
    /// The instance of the object that the gateway uses.
    var instance: UInt16 = 0
    /// Which of the servers plays the gateway.
    var server = 0
    private var drawn: UInt8 = 100

    static func policy(
        form: SessionForm = .bothIdentifiers,
        gateway: UInt16? = 101,
        protected: [String] = ["/30001/0/0", "/30000/0"],
        breaches: BreachPolicy = .standard
    ) throws -> SessionPolicy {
        try SessionPolicy(
            form: form,
            gateway: gateway,
            gatewayAddresses: [try #require(IPAddress(Self.gatewayAddress))],
            protectedPaths: try protected.map { try ObjectPath(parsing: UTF8Text($0)) },
            breaches: breaches
        )
    }

    static func configuration(_ policy: SessionPolicy, servers: Int = 1) -> ClientConfiguration {
        var configuration = ClientConfiguration(
            endpoint: "urn:dev:1",
            security: (0..<UInt16(servers)).map { Sample.account(101 + $0, instance: 1 + $0) },
            servers: (0..<UInt16(servers)).map { Sample.server(101 + $0, instance: $0) },
            objects: Sample.objects
        )
        configuration.commandSessions = [CommandSessionAccount(policy: policy)]
        return configuration
    }

    /// A device that is registered with every server, the first one at the gateway's address unless told otherwise.
    init(
        _ configuration: ClientConfiguration,
        address: [UInt8] = SessionBench.gatewayAddress,
        storesAtOnce: Bool = true,
        seed: UInt64 = 1
    ) throws {
        self.driver = EngineDriver(configuration, random: RandomSource(seed: seed))
        self.driver.storesAtOnce = storesAtOnce
        let opened = self.driver.handle(.started)
        for case .openSession(let session, _, _) in opened {
            self.sessions.append(session)
            let address = IPAddress(session == self.sessions[0] ? address : Self.elsewhere)
            let register = self.driver.handle(.sessionOpened(session, peerAddress: address)).sentRequest
            self.driver.handle(.responseReceived(try #require(register).id, Sample.created()))
        }
        _ = self.driver.takeReports()
    }

    mutating func newIdentifier() throws -> SessionIdentifier {
        self.drawn += 1
        return try #require(SessionIdentifier(bytes: Array(repeating: self.drawn, count: 16)))
    }

    /// Writes bytes to a resource of the object.
    mutating func put(_ resource: SessionResource, _ bytes: [UInt8], server: Int? = nil) -> CoAPCode? {
        self.put(resource, bytes, as: .opaque, server: server)
    }

    /// Writes a payload of some format to a resource of the object.
    mutating func put(
        _ resource: SessionResource,
        _ bytes: [UInt8],
        as format: ContentFormat,
        server: Int? = nil
    ) -> CoAPCode? {
        let request = Sample.request(.put, path(resource), format: format, payload: bytes)
        let (exchange, outputs) = self.driver.request(request, session: self.sessions[server ?? self.server])
        self.outputs = outputs
        for case .store(_, let configuration) in outputs { self.stored = configuration }
        for case .sendResponse(exchange, let response) in outputs { return response.code }
        return nil
    }

    mutating func read(_ resource: SessionResource, server: Int? = nil) -> (code: CoAPCode?, payload: [UInt8]) {
        let request = Sample.request(.get, path(resource), accept: .opaque)
        let response = self.driver.answer(request, session: self.sessions[server ?? self.server])
        return (response?.code, response?.payload ?? [])
    }

    /// The message that stands to be read.
    mutating func message2() throws -> SessionMessage {
        try SessionMessage(decoding: self.read(.message2).payload)
    }

    mutating func ask(_ method: CoAPCode, _ text: UTF8Text, payload: [UInt8] = [], server: Int = 0) throws -> CoAPCode?
    {
        let path = try ObjectPath(parsing: text)
        let format: ContentFormat? = payload.isEmpty ? nil : .text
        let request = Sample.request(method, path, format: format, payload: payload)
        return self.driver.answer(request, session: self.sessions[server])?.code
    }

    func value(_ resource: SessionResource) -> ResourceValue? { self.driver.engine.value(at: path(resource)) }

    func path(_ resource: SessionResource) -> ObjectPath {
        ObjectPath(OwnObjectIDs.standard.commandSession, self.instance, resource.rawValue)
    }

    /// The notifications among the last outputs.
    var notifications: [(token: CoAPToken, response: CoAPResponse)] {
        self.outputs.notifications.map { ($0.token, $0.response) }
    }

    /// Observes a resource of the object, and returns the first answer.
    mutating func observe(_ resource: SessionResource, token: UInt8) -> CoAPResponse? {
        let format: ContentFormat = resource == .message2 ? .opaque : .text
        let observe = Sample.observe(self.path(resource), accept: format)
        return self.driver.answer(observe, session: self.sessions[self.server], token: [token])
    }

    /// Runs a session up to message 3, whose command may take its time.
    mutating func begin(_ command: SessionCommand, knowing dsid: SessionIdentifier? = nil) throws -> SessionPair {
        let gsid = try self.newIdentifier()
        let message1 = SessionMessage(number: 1, command: command, gsid: gsid, dsid: dsid)
        #expect(self.put(.message1, message1.encoded) == .changed)
        let pair = SessionPair(gsid: gsid, dsid: try #require(try self.message2().dsid))
        _ = self.put(.message3, SessionMessage(number: 3, command: command, gsid: gsid, dsid: pair.dsid).encoded)
        return pair
    }

    /// Runs a session from message 1 to the answer to message 3.
    mutating func run(_ command: SessionCommand, knowing dsid: SessionIdentifier? = nil) throws -> (
        code: CoAPCode?, dsid: SessionIdentifier?
    ) {
        let gsid = try self.newIdentifier()
        let message1 = SessionMessage(number: 1, command: command, gsid: gsid, dsid: dsid)
        guard self.put(.message1, message1.encoded) == .changed else { return (nil, nil) }
        let message2 = try self.message2()
        #expect(message2.command == command)
        #expect(message2.gsid == gsid)
        let message3 = SessionMessage(number: 3, command: command, gsid: gsid, dsid: message2.dsid)
        return (self.put(.message3, message3.encoded), message2.dsid)
    }
}

@Suite("Command sessions on LwM2M")
struct CommandSessionTests {
    let lock = ObjectDefinition(
        30_001,
        "Lock",
        isMultiple: false,
        resources: [ResourceDefinition(0, "State", .readWrite, .string, isMandatory: true)]
    )

    /// A device whose protected resource servers may write at all.
    func bench(
        _ policy: SessionPolicy? = nil,
        servers: Int = 1,
        storesAtOnce: Bool = true,
        address: [UInt8] = SessionBench.gatewayAddress
    ) throws -> SessionBench {
        let policy = try policy ?? SessionBench.policy(protected: ["/30001/0/0", "/30000/0"])
        var configuration = SessionBench.configuration(policy, servers: servers)
        configuration.objects.append(
            HostedObject(self.lock, instances: [HostedInstance(0, [0: .string("locked")])])
        )
        return try SessionBench(configuration, address: address, storesAtOnce: storesAtOnce)
    }

    func unlock(_ text: String = "open") throws -> SessionCommand {
        try #require(SessionCommand(.write, ObjectPath(30_001, 0, 0), contentFormat: .text, payload: Array(text.utf8)))
    }

    @Test("Three plain messages change what is protected; the next session goes on from their identifiers")
    func exchange() throws {
        var bench = try self.bench()
        let first = try bench.run(self.unlock())
        #expect(first.code == .changed)
        #expect(bench.driver.engine.value(at: ObjectPath(30_001, 0, 0)) == .string("open"))
        #expect(bench.value(.completed) == .integer(1))
        #expect(bench.value(.state) == .integer(0))
        #expect(bench.read(.message2).code == .notFound)
        #expect(bench.driver.takeReports().contains(.commandExecuted(.changed)))
        let second = try bench.run(self.unlock("shut"), knowing: first.dsid)
        #expect(second.code == .changed)
        #expect(bench.driver.engine.value(at: ObjectPath(30_001, 0, 0)) == .string("shut"))
        #expect(bench.value(.completed) == .integer(2))
    }

    @Test("The short form needs the device's identifier only")
    func shortForm() throws {
        var bench = try self.bench(SessionBench.policy(form: .deviceIdentifier, protected: ["/30001"]))
        let command = try self.unlock()
        let message1 = SessionMessage(number: 1, command: command, gsid: nil, dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        let message2 = try bench.message2()
        let message3 = SessionMessage(number: 3, command: command, gsid: nil, dsid: message2.dsid)
        #expect(bench.put(.message3, message3.encoded) == .changed)
        #expect(bench.driver.engine.value(at: ObjectPath(30_001, 0, 0)) == .string("open"))
    }

    @Test(
        "A direct change of a protected path is refused with 4.03, counted, and reported",
        arguments: [
            (CoAPCode.put, "/30001/0/0", "open"), (.put, "/30001/0", "x"), (.post, "/30000/0/4", ""),
            (.delete, "/30000/0", ""), (.put, "/42770/0/3", "1"), (.post, "/42770/0/16", ""), (.delete, "/42770/0", ""),
        ]
    )
    func directChange(method: CoAPCode, path: String, payload: String) throws {
        var bench = try self.bench()
        #expect(try bench.ask(method, UTF8Text(path), payload: Array(payload.utf8)) == .forbidden)
        #expect(bench.value(.refusedDirectChanges) == .integer(1))
        #expect(bench.value(.lastBreach) == .string("direct-change server 101"))
        #expect(
            bench.driver.takeReports()
                .contains(.commandSessionBreached(.directChange, shortServerID: 101, address: nil))
        )
        #expect(bench.driver.engine.value(at: ObjectPath(30_001, 0, 0)) == .string("locked"))
    }

    @Test("What is not protected is changed as ever, also beside what is protected")
    func unprotected() throws {
        var bench = try self.bench()
        #expect(try bench.ask(.get, "/30001/0/0") == .content)
        let level = Sample.request(.post, ObjectPath(30_000), format: .tlv, payload: [0xC3, 0, 0x74, 0x65, 0x61])
        #expect(bench.driver.answer(level, session: bench.sessions[0])?.code == .created)
    }

    @Test("A server that is no gateway is told 4.01, and is blocked once it has sent a message")
    func unknownServer() throws {
        var bench = try self.bench(servers: 2)
        let message1 = SessionMessage(
            number: 1,
            command: try self.unlock(),
            gsid: try bench.newIdentifier(),
            dsid: nil
        )
        #expect(bench.read(.state, server: 1).code == .unauthorized)
        #expect(bench.value(.breaches) == nil, "who only looks does no harm")
        #expect(bench.put(.message1, message1.encoded, server: 1) == .unauthorized)
        #expect(bench.value(.breaches) == .integer(1))
        #expect(bench.value(.lastBreach) == .string("unknown-server server 102 at 192.0.2.66"))
        #expect(bench.put(.message1, message1.encoded, server: 1) == .unauthorized)
        #expect(bench.value(.breaches) == .integer(1), "who is blocked is told no, and nothing else happens")
        #expect(try bench.run(self.unlock()).code == .changed, "the gateway is not concerned")
    }

    @Test("The gateway's address is checked on every message")
    func unknownAddress() throws {
        var bench = try self.bench()
        let command = try self.unlock()
        let gsid = try bench.newIdentifier()
        let message1 = SessionMessage(number: 1, command: command, gsid: gsid, dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        let message2 = try bench.message2()
        bench.driver.handle(.peerMoved(bench.sessions[0], try #require(IPAddress(SessionBench.elsewhere))))
        let message3 = SessionMessage(number: 3, command: command, gsid: gsid, dsid: message2.dsid)
        #expect(bench.put(.message3, message3.encoded) == .unauthorized)
        #expect(bench.driver.engine.value(at: ObjectPath(30_001, 0, 0)) == .string("locked"))
        #expect(bench.value(.lastBreach) == .string("unknown-address server 101 at 192.0.2.66"))
    }

    @Test("A wrong identifier raises the alarm, suspends the server, and both come to an end")
    func spoofed() throws {
        var bench = try self.bench()
        _ = try bench.run(self.unlock())
        let replay = SessionMessage(number: 1, command: try self.unlock(), gsid: try bench.newIdentifier(), dsid: nil)
        #expect(bench.put(.message1, replay.encoded) == .forbidden)
        #expect(bench.outputs.sentRequest?.request.method == .delete, "the server is left for a while")
        #expect(bench.value(.alarm) == .boolean(true))
        #expect(bench.stored?.sessions?[0].instance.values[SessionResource.alarm.rawValue] == .boolean(true))
        let reports = bench.driver.takeReports()
        #expect(reports.contains(.commandSessionBreached(.wrongIdentifier, shortServerID: 101, address: nil)))
        #expect(reports.contains(.serverSuspended(shortServerID: 101, seconds: 3600)))
        let deregister = try #require(bench.outputs.sentRequest)
        bench.driver.handle(.responseReceived(deregister.id, CoAPResponse(.deleted)))
        let comesBack = bench.driver.advance(.seconds(3601))
        #expect(comesBack.openedSession != nil)
    }

    @Test("The gateway resets the alarm in a session, and changes the policy in one")
    func policyInSession() throws {
        var calm = BreachPolicy.standard
        calm[.spoofed] = [.log, .alarm]
        var bench = try self.bench(SessionBench.policy(protected: ["/30001"], breaches: calm))
        let first = try bench.run(self.unlock())
        let replay = SessionMessage(number: 1, command: try self.unlock(), gsid: try bench.newIdentifier(), dsid: nil)
        #expect(bench.put(.message1, replay.encoded) == .forbidden)
        #expect(bench.value(.alarm) == .boolean(true))
        let reset = try bench.run(try #require(SessionCommand(.execute, bench.path(.resetAlarm))), knowing: first.dsid)
        #expect(reset.code == .changed)
        #expect(bench.value(.alarm) == .boolean(false))

        let timeout = try #require(
            SessionCommand(.write, bench.path(.timeout), contentFormat: .text, payload: Array("9".utf8))
        )
        let changed = try bench.run(timeout, knowing: reset.dsid)
        #expect(changed.code == .changed)
        #expect(bench.value(.timeout) == .integer(9))
        let nonsense = try #require(
            SessionCommand(.write, bench.path(.breachPolicy), contentFormat: .text, payload: Array("x".utf8))
        )
        #expect(try bench.run(nonsense, knowing: changed.dsid).code == .badRequest)
    }

    @Test("Nothing is answered or executed before it is stored, and a failure to store is told")
    func storage() throws {
        var bench = try self.bench(storesAtOnce: false)
        let command = try self.unlock()
        let gsid = try bench.newIdentifier()
        let message1 = SessionMessage(number: 1, command: command, gsid: gsid, dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == nil)
        #expect(bench.read(.message2).code == .notFound)
        let stored = try #require(bench.stored?.sessions?.first)
        #expect(stored.record.gsid == IdentifierCache(established: nil, provisional: gsid))
        let storage = try bench.storage()
        #expect(bench.put(.message3, message1.encoded) == .serviceUnavailable, "one thing is stored at a time")
        #expect(bench.driver.handle(.stored(storage)).answers == [.changed])
        let message2 = try bench.message2()
        let message3 = SessionMessage(number: 3, command: command, gsid: gsid, dsid: message2.dsid)
        #expect(bench.put(.message3, message3.encoded) == nil)
        #expect(bench.stored?.sessions?.first?.record.lastExecution?.outcome == .executing)
        #expect(bench.driver.engine.value(at: ObjectPath(30_001, 0, 0)) == .string("locked"))
        let executed = bench.driver.handle(.stored(try bench.storage()))
        #expect(executed.answers == [])
        #expect(bench.driver.engine.value(at: ObjectPath(30_001, 0, 0)) == .string("open"))
        bench.outputs = executed
        #expect(bench.driver.handle(.stored(try bench.storage())).answers == [.changed])

        let next = SessionMessage(number: 1, command: command, gsid: try bench.newIdentifier(), dsid: message2.dsid)
        #expect(bench.put(.message1, next.encoded) == nil)
        #expect(bench.driver.handle(.storageFailed(try bench.storage())).answers == [.internalServerError])
        #expect(bench.value(.aborted) == .integer(1))
    }

    @Test("A command that the embedder executes is answered when that has ended, and once only")
    func execution() throws {
        var bench = try self.bench()
        let command = try #require(SessionCommand(.execute, ObjectPath(30_000, 0, 4)))
        let gsid = try bench.newIdentifier()
        let message1 = SessionMessage(number: 1, command: command, gsid: gsid, dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        let pair = SessionPair(gsid: gsid, dsid: try #require(try bench.message2().dsid))
        let message3 = SessionMessage(number: 3, command: command, gsid: gsid, dsid: pair.dsid)
        #expect(bench.put(.message3, message3.encoded) == nil)
        let execution = try #require(bench.outputs.execution)
        #expect(bench.put(.message3, message3.encoded) == .serviceUnavailable, "it runs already")
        #expect(bench.put(.outcomeQuery, pair.encoded) == .changed)
        #expect(try SessionReport(decoding: bench.read(.outcome).payload).outcome == .executing)
        #expect(bench.driver.handle(.executed(execution, .changed)).answers == [.changed])
        #expect(bench.put(.message3, message3.encoded) == .changed, "who lost the answer is told again")
        #expect(bench.outputs.execution == nil)
        #expect(bench.put(.outcomeQuery, pair.encoded) == .changed)
        #expect(try SessionReport(decoding: bench.read(.outcome).payload).outcome == .done(.changed))
    }

    @Test("A command that cannot be carried out now is not done, and the next session is no breach")
    func unavailable() throws {
        var bench = try self.bench()
        let command = try #require(SessionCommand(.execute, ObjectPath(30_000, 0, 4)))
        let gsid = try bench.newIdentifier()
        let message1 = SessionMessage(number: 1, command: command, gsid: gsid, dsid: nil)
        var gateway = GatewaySessionMachine(form: .bothIdentifiers)
        #expect(gateway.begin(command, identifier: gsid) == .store(gateway.record))
        #expect(gateway.stored() == .sendMessage1(message1))
        #expect(bench.put(.message1, message1.encoded) == .changed)
        _ = gateway.writeAnswered(.changed)
        _ = gateway.message2Received(bench.read(.message2).payload)
        guard case .sendMessage3(let message3) = gateway.stored() else {
            Issue.record("there is no message 3")
            return
        }
        #expect(bench.put(.message3, message3.encoded) == nil)
        let execution = try #require(bench.outputs.execution)
        let answers = bench.driver.handle(.executed(execution, .serviceUnavailable)).answers
        guard case .sendOutcomeQuery(let pair) = gateway.writeAnswered(try #require(answers.first)) else {
            Issue.record("the gateway does not ask")
            return
        }
        #expect(bench.put(.outcomeQuery, pair.encoded) == .changed)
        #expect(gateway.writeAnswered(.changed) == .readOutcome)
        _ = gateway.outcomeReceived(bench.read(.outcome).payload)
        #expect(gateway.stored() == .finish(.notDone(.notExecuted)))

        let next = SessionMessage(
            number: 1,
            command: try self.unlock(),
            gsid: try bench.newIdentifier(),
            dsid: gateway.record.dsid.established
        )
        #expect(bench.put(.message1, next.encoded) == .changed)
        #expect(bench.value(.breaches) == nil)
    }

    @Test("A refused command tells its code to who asks for the outcome")
    func refusedCommand() throws {
        var bench = try self.bench()
        let command = try #require(SessionCommand(.delete, ObjectPath(3, 0)))
        let gsid = try bench.newIdentifier()
        let message1 = SessionMessage(number: 1, command: command, gsid: gsid, dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        let pair = SessionPair(gsid: gsid, dsid: try #require(try bench.message2().dsid))
        let message3 = SessionMessage(number: 3, command: command, gsid: gsid, dsid: pair.dsid)
        #expect(bench.put(.message3, message3.encoded) == .methodNotAllowed)
        #expect(bench.put(.outcomeQuery, pair.encoded) == .changed)
        #expect(try SessionReport(decoding: bench.read(.outcome).payload).outcome == .done(.methodNotAllowed))
    }

    @Test("Whoever asks for the outcome of a session in progress ends it")
    func askingEnds() throws {
        var bench = try self.bench()
        let command = try self.unlock()
        let gsid = try bench.newIdentifier()
        let message1 = SessionMessage(number: 1, command: command, gsid: gsid, dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        let pair = SessionPair(gsid: gsid, dsid: try #require(try bench.message2().dsid))
        #expect(bench.put(.outcomeQuery, pair.encoded) == .changed)
        #expect(try SessionReport(decoding: bench.read(.outcome).payload).outcome == .notDone)
        let message3 = SessionMessage(number: 3, command: command, gsid: gsid, dsid: pair.dsid)
        #expect(bench.put(.message3, message3.encoded) == .conflict)
        #expect(bench.driver.engine.value(at: ObjectPath(30_001, 0, 0)) == .string("locked"))
        #expect(bench.value(.breaches) == nil, "what is late is no breach")
    }

    @Test("A restart in the middle ends the session without a breach; the next one succeeds")
    func restart() throws {
        var bench = try self.bench()
        let command = try self.unlock()
        let gsid = try bench.newIdentifier()
        let message1 = SessionMessage(number: 1, command: command, gsid: gsid, dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        let message2 = try bench.message2()
        var configuration = SessionBench.configuration(try SessionBench.policy(protected: ["/30001"]))
        configuration.objects.append(HostedObject(self.lock, instances: [HostedInstance(0, [0: .string("locked")])]))
        configuration.apply(try #require(bench.stored))
        var again = try SessionBench(configuration, seed: 2)
        let message3 = SessionMessage(number: 3, command: command, gsid: gsid, dsid: message2.dsid)
        #expect(again.put(.message3, message3.encoded) == .conflict)
        #expect(again.value(.breaches) == nil)
        _ = try again.newIdentifier()
        #expect(try again.run(command).code == .changed)
    }

    @Test("A session that nobody goes on with ends by itself")
    func timeout() throws {
        var bench = try self.bench()
        let message1 = SessionMessage(
            number: 1,
            command: try self.unlock(),
            gsid: try bench.newIdentifier(),
            dsid: nil
        )
        #expect(bench.put(.message1, message1.encoded) == .changed)
        #expect(bench.value(.state) == .integer(1))
        bench.driver.advance(.seconds(60))
        #expect(bench.value(.state) == .integer(0))
        #expect(bench.value(.aborted) == .integer(1))
        #expect(bench.driver.takeReports().contains(.commandSessionAborted))
    }

    @Test("Bytes that are no message are refused, and nothing comes of them")
    func malformed() throws {
        var bench = try self.bench()
        for resource in [SessionResource.message1, .message3, .outcomeQuery] {
            for bytes in [[], [0x80], [0xFF], Array(repeating: 0x9F, count: 2_000)] as [[UInt8]] {
                #expect(bench.put(resource, bytes) == .badRequest)
            }
        }
        #expect(bench.value(.breaches) == nil)
        #expect(try bench.run(self.unlock()).code == .changed)
    }

    @Test("A command cannot be another message of a session")
    func nested() throws {
        var bench = try self.bench()
        let command = try #require(
            SessionCommand(.write, bench.path(.message1), contentFormat: .opaque, payload: [1])
        )
        #expect(try bench.run(command).code == .methodNotAllowed)
    }

    @Test(
        "A command does its own operation, whatever the path would make of it",
        arguments: [
            (SessionCommand.Operation.create, "/30000/0/4"), (.update, "/30000/0/4"), (.execute, "/30000/0"),
            (.create, "/30000/0"), (.execute, "/30000"), (.update, "/30000"), (.execute, "/30000/0/2"),
        ]
    )
    func operationOfAnotherLevel(operation: SessionCommand.Operation, text: String) throws {
        var bench = try self.bench()
        let path = try ObjectPath(parsing: UTF8Text(text))
        let level = path.depth == 1 ? path.appending(1) : path
        let record = ResourceRecord(
            path.depth == 3 ? path.appending(0) : level.appending(0),
            .string("x")
        )
        let isExecutable = text == "/30000/0/4"
        let command = SessionCommand(
            operation,
            path,
            contentFormat: isExecutable ? nil : .senMLCBOR,
            payload: isExecutable ? [] : try Payload.encode([record], as: .senMLCBOR, at: path)
        )
        let before = bench.driver.engine.records(below: ObjectPath(30_000))
        #expect(try bench.run(try #require(command)).code == .methodNotAllowed)
        #expect(bench.outputs.execution == nil)
        #expect(bench.driver.engine.records(below: ObjectPath(30_000)) == before)
        #expect(bench.driver.takeReports().contains(.commandExecuted(.methodNotAllowed)))
    }

    @Test("Who is suspended is told 4.01 until it has let the device go, and no trigger ends it before its time")
    func staysAway() throws {
        var bench = try self.bench(servers: 2)
        let known = try bench.run(self.unlock()).dsid
        let replay = SessionMessage(number: 1, command: try self.unlock(), gsid: try bench.newIdentifier(), dsid: nil)
        #expect(bench.put(.message1, replay.encoded) == .forbidden)
        let deregister = try #require(bench.outputs.sentRequest)
        let honest = SessionMessage(number: 1, command: try self.unlock(), gsid: try bench.newIdentifier(), dsid: known)
        #expect(bench.put(.message1, honest.encoded) == .unauthorized)
        #expect(try bench.ask(.get, "/3/0/0") == .unauthorized)
        #expect(try bench.ask(.get, "/3/0/0", server: 1) == .content)

        bench.driver.handle(.responseReceived(deregister.id, CoAPResponse(.deleted)))
        let trigger = Sample.request(.post, ObjectPath(1, 0, 8))
        let triggered = bench.driver.request(trigger, session: bench.sessions[1]).outputs
        #expect(triggered.openedSession == nil)
        #expect(bench.driver.handle(.updateRequested(shortServerID: nil)).openedSession == nil)
        #expect(bench.driver.handle(.updateRequested(shortServerID: 101)).openedSession == nil)
        bench.driver.now = bench.driver.now.advanced(by: .seconds(3_599))
        #expect(bench.driver.handle(.updateRequested(shortServerID: 101)).openedSession == nil)
        let session = try #require(bench.driver.advance(.seconds(1)).openedSession)
        let address = IPAddress(SessionBench.gatewayAddress)
        let register = try #require(bench.driver.handle(.sessionOpened(session, peerAddress: address)).sentRequest)
        bench.driver.handle(.responseReceived(register.id, Sample.created()))
        bench.sessions[0] = session
        #expect(try bench.run(self.unlock("shut"), knowing: known).code == .changed, "it is served again")
    }

    @Test("Without a random source no session begins, and what is protected stays so")
    func withoutRandomness() throws {
        let configuration = SessionBench.configuration(try SessionBench.policy())
        var driver = EngineDriver(configuration, random: nil)
        let session = try #require(driver.handle(.started).openedSession)
        let address = IPAddress(SessionBench.gatewayAddress)
        let register = try #require(driver.handle(.sessionOpened(session, peerAddress: address)).sentRequest)
        driver.handle(.responseReceived(register.id, Sample.created()))
        let path = ObjectPath(OwnObjectIDs.standard.commandSession, 0, 0)
        let identifier = try #require(SessionIdentifier(bytes: Array(repeating: 1, count: 16)))
        let message1 = SessionMessage(number: 1, command: try self.unlock(), gsid: identifier, dsid: nil)
        let request = Sample.request(.put, path, format: .opaque, payload: message1.encoded)
        #expect(driver.answer(request, session: session)?.code == .internalServerError)
        let delete = Sample.request(.delete, ObjectPath(30_000, 0))
        #expect(driver.answer(delete, session: session)?.code == .forbidden)
    }
}

extension SessionBench {
    /// The storage that the last outputs ask for.
    func storage() throws -> StorageID {
        for case .store(let storage, _) in self.outputs { return storage }
        throw MissingStorage()
    }

    struct MissingStorage: Error {}
}

extension [ClientOutput] {
    var answers: [CoAPCode] {
        self.compactMap { if case .sendResponse(_, let response) = $0 { response.code } else { nil } }
    }

    var execution: ExchangeID? {
        for case .execute(let exchange, _, _) in self { return exchange }
        return nil
    }
}
