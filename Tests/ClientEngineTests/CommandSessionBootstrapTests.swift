import ClientEngine
import CoAPMessages
import CommandSessions
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

@Suite("Bootstrap and command sessions")
struct CommandSessionBootstrapTests {
    let command: SessionCommand
    let gsid: SessionIdentifier
    let dsid: SessionIdentifier

    init() throws {
        self.command = try #require(
            SessionCommand(
                .write,
                ObjectPath(30_000, 0, 0),
                contentFormat: .text,
                payload: Array("milk".utf8)
            )
        )
        self.gsid = try #require(SessionIdentifier(bytes: Array(repeating: 0xA1, count: 16)))
        self.dsid = try #require(SessionIdentifier(bytes: Array(repeating: 0xB2, count: 32)))
    }

    private var pair: SessionPair { SessionPair(gsid: self.gsid, dsid: self.dsid) }

    private func isProtected(_ bench: inout SessionBench) throws -> Bool {
        try bench.ask(.put, "/30000/0/0", payload: Array("oil".utf8)) == .forbidden
    }

    // MARK: What is delivered

    @Test("It delivers an instance with identifiers, which begin the first session and which nobody reads")
    func deliversIdentifiers() throws {
        var bench = try SessionBench(bootstrapping: nil)
        #expect(bench.driver.engine.records(below: SessionBench.object).isEmpty)
        let session = try bench.beginBootstrap()
        #expect(try bench.deliver(SessionBench.policy(), identifiers: self.pair, session) == .changed)
        try bench.finishBootstrap(session)

        for resource in [SessionResource.gatewayIdentifier, .deviceIdentifier] {
            #expect(bench.value(resource) == nil)
            #expect(bench.read(resource).code == .methodNotAllowed)
        }
        let whole = bench.driver.answer(
            Sample.request(.get, SessionBench.object, accept: .senMLCBOR),
            session: bench.sessions[0]
        )
        let answer = try #require(whole)
        #expect(answer.code == .content)
        for bytes in [self.gsid.copyBytes(), self.dsid.copyBytes()] {
            #expect(!answer.payload.contains(subsequence: bytes))
        }
        let stored = try #require(bench.stored?.sessions)
        #expect(stored.count == 1)
        #expect(stored[0].record.gsid == IdentifierCache(established: self.gsid))
        #expect(stored[0].record.dsid == IdentifierCache(established: self.dsid))
        #expect(stored[0].instance.values[20] == nil && stored[0].instance.values[21] == nil)

        #expect(try self.isProtected(&bench))
        #expect(try bench.run(self.command, knowing: self.dsid).code == .changed)
    }

    @Test("Who does not know the identifiers that were delivered begins no session")
    func identifiersCount() throws {
        var bench = try SessionBench(bootstrapping: nil)
        let session = try bench.beginBootstrap()
        #expect(try bench.deliver(SessionBench.policy(), identifiers: self.pair, session) == .changed)
        try bench.finishBootstrap(session)
        let message1 = SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .forbidden)
        #expect(bench.value(.alarm) == .boolean(true))
    }

    @Test("It delivers an instance without identifiers: the first session begins without")
    func deliversNoIdentifiers() throws {
        var bench = try SessionBench(bootstrapping: nil)
        let session = try bench.beginBootstrap()
        #expect(try bench.deliver(SessionBench.policy(), session) == .changed)
        try bench.finishBootstrap(session)
        #expect(try self.isProtected(&bench))
        #expect(try bench.run(self.command).code == .changed)
    }

    @Test("It changes a policy, as a whole or one resource, and the identifiers stay")
    func changesThePolicy() throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy())
        var known = try bench.run(self.command).dsid
        var session = try bench.beginBootstrap()
        #expect(try bench.deliver(SessionBench.policy(protected: ["/3303"]), session) == .changed)
        try bench.finishBootstrap(session)
        #expect(try !self.isProtected(&bench))
        known = try bench.run(self.command, knowing: known).dsid
        #expect(known != nil)

        session = try bench.beginBootstrap()
        let timeout = bench.path(.timeout)
        #expect(try bench.deliver([ResourceRecord(timeout, .integer(9))], at: timeout, session) == .changed)
        try bench.finishBootstrap(session)
        #expect(bench.value(.timeout) == .integer(9))
        let message1 = SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: known)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        bench.driver.advance(.seconds(9))
        #expect(bench.value(.state) == .integer(0), "the new timeout counts")
    }

    @Test("It gives new identifiers in place of the ones of before")
    func changesTheIdentifiers() throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy())
        let before = try bench.run(self.command).dsid
        let session = try bench.beginBootstrap()
        #expect(try bench.deliver(SessionBench.policy(), identifiers: self.pair, session) == .changed)
        try bench.finishBootstrap(session)
        let stale = SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: before)
        var copy = bench
        #expect(copy.put(.message1, stale.encoded) == .forbidden)
        #expect(try bench.run(self.command, knowing: self.dsid).code == .changed)
    }

    private static let noPolicies: [(resource: SessionResource, instance: UInt16?, value: ResourceValue)] = [
        (.gatewayAddresses, 0, .string("")), (.gatewayAddresses, 0, .string("192.0.2.")),
        (.gatewayAddresses, 0, .string("gateway.example")), (.protectedPaths, 0, .string("/")),
        (.protectedPaths, 0, .string("")), (.protectedPaths, 0, .string("3303")), (.breachPolicy, nil, .string("x")),
        (.mode, nil, .integer(2)), (.gateway, nil, .integer(65_535)), (.gateway, nil, .integer(-1)),
        (.timeout, nil, .integer(0)), (.timeout, nil, .integer(86_401)), (.suspension, nil, .integer(2_592_001)),
        (.gatewayIdentifier, nil, .opaque(Array(repeating: 1, count: 15))),
        (.deviceIdentifier, nil, .opaque(Array(repeating: 1, count: 33))),
    ]

    @Test("A policy that is none is 4.00, and what was there stays", arguments: noPolicies)
    func refusesNoPolicy(_ resource: SessionResource, instance: UInt16?, value: ResourceValue) throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy())
        let session = try bench.beginBootstrap()
        let path = bench.path(resource)
        let written = ResourceRecord(instance.map(path.appending) ?? path, value)
        var records = try SessionBench.policy().records(instance: 0).filter { $0.path != written.path }
        records.append(written)
        #expect(try bench.deliver(records, at: SessionBench.object.appending(0), session) == .badRequest)
        #expect(try bench.deliver([written], at: path, session) == .badRequest)
        try bench.finishBootstrap(session)
        #expect(try self.isProtected(&bench))
        #expect(try bench.run(self.command).code == .changed)
    }

    @Test("An instance without an address of the gateway is 4.00")
    func needsAnAddress() throws {
        var bench = try SessionBench(bootstrapping: nil)
        let session = try bench.beginBootstrap()
        let mode = ResourceRecord(bench.path(.mode), .integer(0))
        #expect(try bench.deliver([mode], at: SessionBench.object.appending(0), session) == .badRequest)
        #expect(try bench.deliver([], at: SessionBench.object.appending(0), session) == .badRequest)
        try bench.finishBootstrap(session)
        #expect(bench.driver.engine.records(below: SessionBench.object).isEmpty)
    }

    // MARK: What is deleted

    @Test("Delete of / keeps the sessions with every gateway")
    func deleteOfEverything() throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy())
        let known = try bench.run(self.command).dsid
        let session = try bench.beginBootstrap()
        #expect(bench.deliverDeletion(of: .root, session) == .deleted)
        #expect(try bench.deliver(BootstrapTests.security(), at: ObjectPath(0, 1), session) == .changed)
        #expect(try bench.deliver(BootstrapTests.server(), at: ObjectPath(1, 0), session) == .changed)
        #expect(try bench.deliver(Self.note, at: ObjectPath(30_000, 0), session) == .changed)
        try bench.finishBootstrap(session)
        #expect(try self.isProtected(&bench))
        #expect(try bench.run(self.command, knowing: known).code == .changed)
    }

    private static let note = [ResourceRecord(ObjectPath(30_000, 0, 0), .string("tea"))]

    @Test("Delete by name forgets a gateway, also over a restart", arguments: ["/42770/0", "/42770"])
    func deleteByName(_ text: String) throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy())
        _ = try bench.run(self.command)
        let session = try bench.beginBootstrap()
        #expect(bench.deliverDeletion(of: try ObjectPath(parsing: UTF8Text(text)), session) == .deleted)
        #expect(bench.deliverDeletion(of: SessionBench.object.appending(0), session) == .notFound)
        try bench.finishBootstrap(session)
        #expect(try !self.isProtected(&bench))
        let message1 = SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .notFound)

        // What the factory gave does not come back.
        var configuration = SessionBench.configuration(try SessionBench.policy())
        configuration.apply(try #require(bench.stored))
        #expect(bench.stored?.sessions == [])
        var again = try SessionBench(configuration)
        #expect(try !self.isProtected(&again))
    }

    @Test("An instance that is deleted and written again begins without identifiers; a failure brings them back")
    func deletedAndWritten() throws {
        for fails in [false, true] {
            var bench = try SessionBench(bootstrapping: SessionBench.policy())
            let known = try bench.run(self.command).dsid
            let session = try bench.beginBootstrap()
            #expect(bench.deliverDeletion(of: SessionBench.object, session) == .deleted)
            let path = SessionBench.object.appending(0)
            #expect(try bench.deliver(SessionBench.policy().records(instance: 0), at: path, session) == .changed)
            if fails { try bench.failBootstrap() } else { try bench.finishBootstrap(session) }
            #expect(try bench.run(self.command, knowing: fails ? known : nil).code == .changed)
        }
    }

    @Test("It takes no more gateways than there may be")
    func boundsInstances() throws {
        var bench = try SessionBench(bootstrapping: nil)
        let session = try bench.beginBootstrap()
        let policy = try SessionBench.policy()
        for instance in 0..<UInt16(EngineLimits.commandSessions) {
            #expect(try bench.deliver(policy, instance: instance, session) == .changed)
        }
        #expect(try bench.deliver(policy, instance: 8, session) == .requestEntityTooLarge)
        let all = (0..<9 as Range<UInt16>).flatMap { policy.records(instance: $0) }
        #expect(try bench.deliver(all, at: SessionBench.object, session) == .requestEntityTooLarge)
        #expect(try bench.deliver(policy, instance: 7, session) == .changed, "one that is there is changed")
        try bench.finishBootstrap(session)
        #expect(bench.stored?.sessions?.count == EngineLimits.commandSessions)
    }

    @Test("The factory gives no more gateways than there may be")
    func boundsAccounts() throws {
        let policy = try SessionBench.policy()
        var configuration = SessionBench.configuration(policy)
        configuration.commandSessions = (0..<9).map { CommandSessionAccount(instance: $0, policy: policy) }
        let bench = try SessionBench(configuration)
        #expect(bench.driver.engine.value(at: ObjectPath(42_770, 7, 3)) == .integer(0))
        #expect(bench.driver.engine.value(at: ObjectPath(42_770, 8, 3)) == nil)
    }

    // MARK: A bootstrap that fails

    @Test("A bootstrap that fails brings everything back, also the identifiers", arguments: [false, true])
    func bringsBack(failsAtTheStore: Bool) throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy())
        let known = try bench.run(self.command).dsid
        let session = try bench.beginBootstrap()
        #expect(bench.deliverDeletion(of: SessionBench.object.appending(0), session) == .deleted)
        let other = try SessionBench.policy(gateway: 102, protected: ["/3303"])
        #expect(try bench.deliver(other, identifiers: self.pair, session) == .changed)
        #expect(try bench.deliver(other, instance: 3, session) == .changed)
        if failsAtTheStore {
            bench.driver.storesAtOnce = false
            bench.outputs = bench.driver.request(BootstrapTests.finish, session: session).outputs
            try bench.register(bench.driver.handle(.storageFailed(try bench.storage())))
            bench.driver.storesAtOnce = true
        } else {
            try bench.failBootstrap()
        }
        #expect(bench.driver.engine.value(at: ObjectPath(42_770, 3, 3)) == nil)
        #expect(bench.value(.gateway) == .integer(101))
        #expect(bench.value(.completed) == .integer(1))
        #expect(try self.isProtected(&bench))
        #expect(try bench.run(self.command, knowing: known).code == .changed)
    }

    // MARK: A session meanwhile

    @Test("A session in progress ends with bootstrap, and the next one succeeds", arguments: [false, true])
    func sessionInProgress(fails: Bool) throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy())
        let gsid = try bench.newIdentifier()
        let message1 = SessionMessage(number: 1, command: self.command, gsid: gsid, dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        let dsid = try bench.message2().dsid
        let session = try bench.beginBootstrap()
        #expect(bench.driver.takeReports().contains(.commandSessionAborted))
        if fails { try bench.failBootstrap() } else { try bench.finishBootstrap(session) }
        #expect(bench.value(.state) == .integer(0))
        #expect(bench.value(.message2) == nil)
        #expect(bench.value(.aborted) == .integer(1))
        let message3 = SessionMessage(number: 3, command: self.command, gsid: gsid, dsid: dsid)
        #expect(bench.put(.message3, message3.encoded) == .conflict, "it is late, and no breach")
        #expect(bench.driver.engine.value(at: ObjectPath(30_000, 0, 0)) == .string("tea"))
        #expect(try bench.run(self.command).code == .changed)
    }

    @Test(
        "What became of a command that bootstrap interrupts is unknown, and it runs no second time",
        arguments: [false, true]
    )
    func commandInterrupted(fails: Bool) throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy())
        let printing = try #require(SessionCommand(.execute, ObjectPath(30_000, 0, 4)))
        let started = try bench.begin(printing)
        let execution = try #require(bench.outputs.execution)
        let session = try bench.beginBootstrap()
        #expect(bench.driver.handle(.executed(execution, .changed)).isEmpty, "too late to count")
        if fails { try bench.failBootstrap() } else { try bench.finishBootstrap(session) }
        #expect(bench.value(.state) == .integer(0))
        #expect(bench.put(.outcomeQuery, started.encoded) == .changed)
        #expect(try SessionReport(decoding: bench.read(.outcome).payload).outcome == .unknown)
        let message3 = SessionMessage(number: 3, command: printing, gsid: started.gsid, dsid: started.dsid)
        #expect(bench.put(.message3, message3.encoded) == .internalServerError)
        #expect(bench.outputs.execution == nil)
        #expect(try bench.run(self.command, knowing: started.dsid).code == .changed)
    }

    @Test("A command may trigger bootstrap: it is done, and the next session succeeds", arguments: [false, true])
    func commandTriggersBootstrap(fails: Bool) throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy(protected: ["/1"]))
        #expect(try bench.ask(.post, "/1/0/9") == .forbidden)
        let started = try bench.begin(try #require(SessionCommand(.execute, ObjectPath(1, 0, 9))))
        #expect(bench.driver.takeReports().contains(.commandExecuted(.changed)))
        let session = try bench.openBootstrap(bench.outputs)
        #expect(bench.stored?.sessions?.first?.record.lastExecution?.outcome == .done(.changed))
        if fails { try bench.failBootstrap() } else { try bench.finishBootstrap(session) }
        #expect(bench.value(.state) == .integer(0))
        #expect(bench.value(.completed) == .integer(1))
        #expect(bench.put(.outcomeQuery, started.encoded) == .changed)
        #expect(try SessionReport(decoding: bench.read(.outcome).payload).outcome == .done(.changed))
        #expect(try bench.run(self.command, knowing: started.dsid).code == .changed)
        // Who asks again whether it was done does not trigger another one.
        let message3 = SessionMessage(
            number: 3,
            command: try #require(SessionCommand(.execute, ObjectPath(1, 0, 9))),
            gsid: started.gsid,
            dsid: started.dsid
        )
        #expect(bench.put(.message3, message3.encoded) == .changed)
        #expect(bench.outputs.openedSession == nil)
    }

    @Test(
        "What a session was storing when bootstrap began holds up nothing after it",
        arguments: [false, true],
        [false, true]
    )
    func storingMeanwhile(fails: Bool, isStoredMeanwhile: Bool) throws {
        var bench = try SessionBench(bootstrapping: SessionBench.policy(), storesAtOnce: false)
        let message1 = SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == nil)
        let storage = try bench.storage()
        let session = try bench.beginBootstrap()
        if isStoredMeanwhile { bench.driver.handle(.stored(storage)) }
        bench.driver.storesAtOnce = true
        if fails { try bench.failBootstrap() } else { try bench.finishBootstrap(session) }
        if !isStoredMeanwhile { bench.driver.handle(.stored(storage)) }
        bench.driver.advance(.seconds(60))
        #expect(bench.value(.state) == .integer(0))
        #expect(bench.value(.message2) == nil)
        #expect(try bench.run(self.command).code == .changed)
        #expect(try bench.ask(.put, "/1/0/1", payload: Array("600".utf8)) == .changed, "nor a server's write")
    }
}
