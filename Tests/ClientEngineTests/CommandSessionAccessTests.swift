import ClientEngine
import CoAPMessages
import CommandSessions
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

@Suite("Who may do what outside a session")
struct CommandSessionAccessTests {
    private let command: SessionCommand

    init() throws {
        self.command = try #require(
            SessionCommand(.write, ObjectPath(30_000, 0, 0), contentFormat: .text, payload: Array("milk".utf8))
        )
    }

    private func payload(_ records: [ResourceRecord], at path: ObjectPath) throws -> [UInt8] {
        try Payload.encode(records, as: .senMLCBOR, at: path)
    }

    private func answer(
        _ bench: inout SessionBench,
        _ method: CoAPCode,
        _ path: ObjectPath,
        query: [UTF8Text] = [],
        _ records: [ResourceRecord]? = nil,
        server: Int = 0
    ) throws -> CoAPCode? {
        let request = Sample.request(
            method,
            path,
            query: query,
            format: records == nil ? nil : .senMLCBOR,
            payload: try records.map { try self.payload($0, at: path) } ?? []
        )
        return bench.driver.answer(request, session: bench.sessions[server])?.code
    }

    private func refused(_ bench: SessionBench, _ instance: UInt16 = 0) -> ResourceValue? {
        bench.driver.engine.value(at: ObjectPath(42_770, instance, SessionResource.refusedDirectChanges.rawValue))
    }

    // MARK: Changes

    @Test("A partial update that touches nothing protected passes, one that does is refused as a whole")
    func partialUpdate() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy(protected: ["/30000/0/0"])))
        let note = ObjectPath(30_000, 0)
        let level = ResourceRecord(ObjectPath(30_000, 0, 1), .integer(50))
        let text = ResourceRecord(ObjectPath(30_000, 0, 0), .string("oil"))
        #expect(try self.answer(&bench, .post, note, [level]) == .changed)
        #expect(bench.driver.engine.value(at: level.path) == .integer(50))
        #expect(self.refused(bench) == nil)

        let more = ResourceRecord(level.path, .integer(60))
        for records in [[text], [more, text], [text, more]] {
            #expect(try self.answer(&bench, .post, note, records) == .forbidden)
        }
        #expect(try self.answer(&bench, .put, note, [text, more]) == .forbidden)
        #expect(try self.answer(&bench, .put, note, [more]) == .forbidden, "a whole write takes the rest away")
        #expect(bench.driver.engine.value(at: level.path) == .integer(50))
        #expect(bench.driver.engine.value(at: text.path) == .string("tea"))
        #expect(self.refused(bench) == .integer(5))
        #expect(try bench.ask(.post, "/30000/0", payload: [0xFF]) == .badRequest, "what it holds is unknown")
    }

    @Test("A protected resource instance is protected, and the ones beside it are not")
    func resourceInstances() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy(protected: ["/30000/0/2/1"])))
        func tag(_ instance: UInt16) -> ResourceRecord {
            ResourceRecord(ObjectPath(30_000, 0, 2).appending(instance), .string("new"))
        }
        #expect(try self.answer(&bench, .post, ObjectPath(30_000, 0), [tag(0), tag(2)]) == .changed)
        #expect(try self.answer(&bench, .post, ObjectPath(30_000, 0), [tag(0), tag(1)]) == .forbidden)
        #expect(try self.answer(&bench, .put, ObjectPath(30_000, 0, 2), [tag(0)]) == .forbidden)
        #expect(try self.answer(&bench, .put, tag(1).path, [tag(1)]) == .forbidden)
        #expect(try self.answer(&bench, .put, tag(2).path, [tag(2)]) == .changed)
    }

    @Test("Create adds an instance beside protected ones; not where all or the new one are protected")
    func create() throws {
        let note = ObjectPath(30_000)
        func new(_ instance: UInt16) -> [ResourceRecord] {
            [ResourceRecord(note.appending(instance).appending(0), .string("x"))]
        }
        var beside = try SessionBench(SessionBench.configuration(SessionBench.policy(protected: ["/30000/0"])))
        #expect(try self.answer(&beside, .post, note, new(1)) == .created)
        #expect(try self.answer(&beside, .post, note, new(0)) == .badRequest, "never in the place of one that is there")
        #expect(try self.answer(&beside, .delete, note.appending(1)) == .deleted)
        #expect(try self.answer(&beside, .delete, note.appending(0)) == .forbidden)

        var all = try SessionBench(SessionBench.configuration(SessionBench.policy(protected: ["/30000"])))
        #expect(try self.answer(&all, .post, note, new(1)) == .forbidden)

        var missing = try SessionBench(SessionBench.configuration(SessionBench.policy(protected: ["/30000/7/0"])))
        #expect(try self.answer(&missing, .post, note, new(7)) == .forbidden)
        #expect(try self.answer(&missing, .post, note, []) == .forbidden, "the device may choose that one")
        #expect(missing.driver.engine.records(below: note.appending(7)).isEmpty)
    }

    @Test("In a session instances are created and deleted")
    func createInSession() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy(protected: ["/30000"])))
        let note = ObjectPath(30_000)
        let records = [ResourceRecord(ObjectPath(30_000, 9, 0), .string("x"))]
        let create = SessionCommand(
            .create,
            note,
            contentFormat: .senMLCBOR,
            payload: try self.payload(records, at: note)
        )
        let created = try bench.run(try #require(create))
        #expect(created.code == .changed)
        #expect(bench.driver.takeReports().contains(.commandExecuted(.created)))
        #expect(bench.driver.engine.value(at: ObjectPath(30_000, 9, 0)) == .string("x"))
        let delete = try #require(SessionCommand(.delete, ObjectPath(30_000, 9)))
        #expect(try bench.run(delete, knowing: created.dsid).code == .changed)
        #expect(bench.driver.engine.value(at: ObjectPath(30_000, 9, 0)) == nil)
    }

    @Test("The object's own instances are nobody's to create or delete, also not in a session")
    func ownInstances() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy()))
        let records = try SessionBench.policy().records(instance: 1)
        #expect(try self.answer(&bench, .post, SessionBench.object, records) == .forbidden)
        let create = SessionCommand(
            .create,
            SessionBench.object,
            contentFormat: .senMLCBOR,
            payload: try self.payload(records, at: SessionBench.object)
        )
        let created = try bench.run(try #require(create))
        #expect(created.code == .methodNotAllowed)
        let delete = try #require(SessionCommand(.delete, SessionBench.object.appending(0)))
        #expect(try bench.run(delete, knowing: created.dsid).code == .methodNotAllowed)
        #expect(bench.value(.completed) == .integer(2))
    }

    @Test("Attributes of what is protected are no change of it")
    func writeAttributes() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy(protected: ["/30000/0", "/1"])))
        for path in [ObjectPath(30_000, 0, 1), ObjectPath(30_000, 0), ObjectPath(1, 0, 1)] {
            #expect(try self.answer(&bench, .put, path, query: ["pmin=5"]) == .changed)
        }
        #expect(try self.answer(&bench, .put, bench.path(.state), query: ["pmin=5"]) == .changed)
        #expect(self.refused(bench) == nil)
    }

    @Test("What is protected of object 1 is changed and executed in a session only")
    func serverObject() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy(protected: ["/1/0/8", "/1/0/1"])))
        #expect(try bench.ask(.post, "/1/0/8") == .forbidden)
        #expect(try bench.ask(.put, "/1/0/1", payload: Array("600".utf8)) == .forbidden)
        #expect(try bench.ask(.put, "/1/0/2", payload: Array("5".utf8)) == .changed)
        #expect(bench.driver.engine.value(at: ObjectPath(1, 0, 1)) == .integer(300))

        let update = try #require(SessionCommand(.execute, ObjectPath(1, 0, 8)))
        let executed = try bench.run(update)
        #expect(executed.code == .changed)
        let sent = try #require(bench.outputs.sentRequest)
        #expect(sent.request.path == ["rd", "a"], "the device updates its registration")
        bench.driver.handle(.responseReceived(sent.id, CoAPResponse(.changed)))

        let lifetime = SessionCommand(.write, ObjectPath(1, 0, 1), contentFormat: .text, payload: Array("600".utf8))
        #expect(try bench.run(try #require(lifetime), knowing: executed.dsid).code == .changed)
        #expect(bench.driver.engine.value(at: ObjectPath(1, 0, 1)) == .integer(600))
        #expect(bench.stored?.servers.first?.lifetime == 600)
    }

    // MARK: Several gateways

    private func twoGateways(breaches: BreachPolicy = .standard) throws -> SessionBench {
        var configuration = SessionBench.configuration(
            try SessionBench.policy(gateway: 101, protected: ["/30000/0/0"]),
            servers: 2
        )
        let second = try SessionPolicy(
            gateway: 102,
            gatewayAddresses: [try #require(IPAddress(SessionBench.elsewhere))],
            protectedPaths: [ObjectPath(30_000, 0, 1)],
            breaches: breaches
        )
        configuration.commandSessions.append(CommandSessionAccount(instance: 4, policy: second))
        return try SessionBench(configuration)
    }

    @Test("Each gateway has its own instance, sessions and protected paths")
    func severalGateways() throws {
        var bench = try self.twoGateways()
        let level = try #require(
            SessionCommand(.write, ObjectPath(30_000, 0, 1), contentFormat: .text, payload: Array("9".utf8))
        )
        let first = try bench.run(self.command)
        bench.instance = 4
        bench.server = 1
        let second = try bench.run(level)
        #expect((first.code, second.code) == (.changed, .changed))
        #expect(first.dsid != second.dsid)
        #expect(bench.value(.completed) == .integer(1))
        #expect(bench.stored?.sessions?.map { $0.instance.id } == [0, 4])
        #expect(bench.stored?.sessions?.map { $0.record.dsid.established } == [first.dsid, second.dsid])
        #expect(try bench.run(level, knowing: second.dsid).code == .changed)
        bench.instance = 0
        bench.server = 0
        #expect(try bench.run(self.command, knowing: first.dsid).code == .changed)
    }

    @Test("No gateway changes the policy about another one, also in a session")
    func policyOfAnother() throws {
        var bench = try self.twoGateways()
        let other = SessionBench.object.appending(4).appending(SessionResource.timeout.rawValue)
        let own = SessionBench.object.appending(0).appending(SessionResource.timeout.rawValue)
        let nine = Array("9".utf8)
        let theirs = try #require(SessionCommand(.write, other, contentFormat: .text, payload: nine))
        let refused = try bench.run(theirs)
        #expect(refused.code == .unauthorized)
        let ours = try #require(SessionCommand(.write, own, contentFormat: .text, payload: nine))
        #expect(try bench.run(ours, knowing: refused.dsid).code == .changed)
    }

    /// Begins a session of each gateway.
    ///
    /// - Returns: the messages 3 that are to follow.
    private func beginBoth(_ bench: inout SessionBench) throws -> [SessionMessage] {
        try [(0, 0), (4, 1)].map { instance, server in
            bench.instance = UInt16(instance)
            bench.server = server
            let gsid = try bench.newIdentifier()
            let message1 = SessionMessage(number: 1, command: self.command, gsid: gsid, dsid: nil)
            #expect(bench.put(.message1, message1.encoded) == .changed)
            return SessionMessage(number: 3, command: self.command, gsid: gsid, dsid: try bench.message2().dsid)
        }
    }

    @Test("Sessions of two gateways go on side by side")
    func interleaved() throws {
        var bench = try self.twoGateways()
        let messages = try self.beginBoth(&bench)
        #expect(bench.put(.message3, messages[1].encoded) == .changed)
        bench.instance = 0
        bench.server = 0
        #expect(bench.value(.state) == .integer(1))
        #expect(bench.put(.message3, messages[0].encoded) == .changed)
    }

    @Test("The other gateway is any server: it sees nothing, and its message is a breach")
    func otherGateway() throws {
        var bench = try self.twoGateways()
        bench.instance = 4
        #expect(bench.read(.state).code == .unauthorized)
        let message1 = SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .unauthorized)
        #expect(bench.value(.breaches) == .integer(1))
        #expect(bench.value(.lastBreach) == .string("unknown-server server 101 at 192.0.2.1"))
        bench.instance = 0
        #expect(bench.value(.breaches) == nil)
        #expect(try bench.ask(.get, "/42770/0/6") == .content)
        let whole = Sample.request(.get, SessionBench.object, accept: .senMLCBOR)
        for server in 0...1 {
            #expect(bench.driver.answer(whole, session: bench.sessions[server])?.code == .unauthorized)
        }
    }

    @Test("Who is suspended by the policy of another gateway loses its own session, and that one keeps its")
    func suspendedByAnother() throws {
        var breaches = BreachPolicy.standard
        breaches[.unpermitted] = .suspend
        var bench = try self.twoGateways(breaches: breaches)
        let messages = try self.beginBoth(&bench)
        #expect(try bench.ask(.put, "/30000/0/1", payload: Array("9".utf8), server: 0) == .unauthorized)
        #expect(bench.driver.takeReports().contains(.serverSuspended(shortServerID: 101, seconds: 3600)))
        #expect(bench.driver.engine.value(at: ObjectPath(42_770, 0, SessionResource.state.rawValue)) == .integer(0))
        #expect(bench.put(.message3, messages[1].encoded) == .changed)
    }

    @Test("A direct change is judged by the policy that protects")
    func judgedByItsPolicy() throws {
        var bench = try self.twoGateways()
        #expect(try bench.ask(.put, "/42770/4/19", payload: Array("9".utf8), server: 1) == .forbidden)
        #expect((self.refused(bench, 0), self.refused(bench, 4)) == (nil, .integer(1)))
        #expect(try bench.ask(.put, "/42770/0/19", payload: Array("9".utf8), server: 1) == .unauthorized)
        #expect(try bench.ask(.put, "/30000/0/1", payload: Array("9".utf8), server: 1) == .forbidden)
        #expect(try bench.ask(.put, "/30000/0/1", payload: Array("9".utf8), server: 0) == .unauthorized)
        #expect((self.refused(bench, 0), self.refused(bench, 4)) == (nil, .integer(3)))
        #expect(try bench.ask(.put, "/30000/0/0", payload: Array("oil".utf8), server: 0) == .forbidden)
        #expect((self.refused(bench, 0), self.refused(bench, 4)) == (.integer(1), .integer(3)))
        #expect(try bench.ask(.put, "/42770/9/19", payload: Array("9".utf8), server: 0) == .notFound)
    }

    @Test("Any server at the gateway's address, when the policy names none")
    func anyServer() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy(gateway: nil), servers: 2))
        #expect(bench.value(.gateway) == .integer(0))
        #expect(try bench.run(self.command).code == .changed)
        #expect(bench.read(.state, server: 1).code == .unauthorized)
        bench.driver.handle(.peerMoved(bench.sessions[1], try #require(IPAddress(SessionBench.gatewayAddress))))
        #expect(try bench.ask(.get, "/42770/0/6", server: 1) == .content)
    }

    @Test("As many servers are blocked as there may be")
    func boundsBlockedServers() throws {
        let count = EngineLimits.accounts
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy(gateway: 9), servers: count))
        let message1 = SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: nil)
        for _ in 0..<3 {
            for server in 0..<count { #expect(bench.put(.message1, message1.encoded, server: server) == .unauthorized) }
        }
        #expect(bench.value(.breaches) == .integer(Int64(count)), "who is blocked is no breach any more")
        #expect(bench.value(.state) == .integer(0))
    }

    @Test("Who was blocked and then becomes the gateway is not blocked")
    func unblockedByPolicy() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy(), servers: 2))
        bench.driver.handle(.peerMoved(bench.sessions[1], try #require(IPAddress(SessionBench.gatewayAddress))))
        let early = SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: nil)
        #expect(bench.put(.message1, early.encoded, server: 1) == .unauthorized)
        let gateway = SessionCommand(.write, bench.path(.gateway), contentFormat: .text, payload: Array("102".utf8))
        let handedOver = try bench.run(try #require(gateway))
        #expect(handedOver.code == .changed)
        bench.server = 1
        #expect(try bench.run(self.command, knowing: handedOver.dsid).code == .changed)
    }

    // MARK: Looking

    private func token(_ byte: UInt8) -> CoAPToken? { CoAPToken([byte]) }

    @Test("The gateway observes State, Last Breach and, while there is one, Message 2")
    func observes() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy()))
        var seen = bench.observe(.lastBreach, token: 1)
        #expect(seen?.payload.isEmpty == true)
        bench.driver.now = bench.driver.now.advanced(by: .seconds(1))
        #expect(bench.put(.timeout, Array("9".utf8), as: .text) == .forbidden)
        #expect(bench.notifications.map { $0.token } == [try #require(self.token(1))])
        #expect(bench.notifications.last?.response.payload == Array("direct-change server 101".utf8))
        #expect(bench.observe(.message2, token: 2)?.code == .notFound, "there is none yet")

        let gsid = try bench.newIdentifier()
        let message1 = SessionMessage(number: 1, command: self.command, gsid: gsid, dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        seen = bench.observe(.state, token: 3)
        #expect(seen?.payload == Array("1".utf8))
        seen = bench.observe(.message2, token: 4)
        let message2 = try SessionMessage(decoding: try #require(seen).payload)
        bench.driver.now = bench.driver.now.advanced(by: .seconds(1))
        let message3 = SessionMessage(number: 3, command: self.command, gsid: gsid, dsid: message2.dsid)
        #expect(bench.put(.message3, message3.encoded) == .changed)
        let notified =
            bench.notifications + bench.driver.advance(.seconds(1)).notifications.map { ($0.token, $0.response) }
        #expect(notified.last { $0.0 == self.token(3) }?.1.payload == Array("0".utf8))
        #expect(notified.last { $0.0 == self.token(4) }?.1.code == .notFound, "its session is over")
    }

    @Test("An observation of the instance shows each message 2 as it comes")
    func observesTheInstance() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy()))
        let path = SessionBench.object.appending(0)
        let observe = Sample.observe(path, accept: .senMLCBOR)
        #expect(bench.driver.answer(observe, session: bench.sessions[0], token: [7])?.code == .content)
        bench.driver.now = bench.driver.now.advanced(by: .seconds(1))
        let message1 = SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: nil)
        #expect(bench.put(.message1, message1.encoded) == .changed)
        let message2 = try bench.message2()
        let notification = try #require(bench.notifications.last)
        #expect(notification.token == self.token(7))
        #expect(notification.response.payload.contains(subsequence: message2.encoded))
    }

    @Test("A server that is not the gateway is told 4.01 whatever it looks at, and it is no breach")
    func othersSeeNothing() throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy(), servers: 2))
        _ = try bench.run(self.command)
        for path in [SessionBench.object, SessionBench.object.appending(0), bench.path(.state), bench.path(.message2)] {
            for accept in [ContentFormat.senMLCBOR, .linkFormat] {
                let read = Sample.request(.get, path, accept: accept)
                #expect(bench.driver.answer(read, session: bench.sessions[1])?.code == .unauthorized)
            }
            let observe = Sample.observe(path, accept: .senMLCBOR)
            #expect(bench.driver.answer(observe, session: bench.sessions[1])?.code == .unauthorized)
            #expect(try self.answer(&bench, .put, path, query: ["pmin=1"], server: 1) == .unauthorized)
        }
        #expect(bench.value(.breaches) == nil)
        #expect(bench.value(.refusedDirectChanges) == nil)
    }

    @Test("A gateway that hands over to another one, or moves, observes no longer", arguments: [false, true])
    func observationEnds(moves: Bool) throws {
        var bench = try SessionBench(SessionBench.configuration(SessionBench.policy(), servers: 2))
        let moved = IPAddress(SessionBench.gatewayAddress)
        bench.driver.handle(.peerMoved(bench.sessions[1], try #require(moved)))
        let observe = Sample.observe(SessionBench.object.appending(0), accept: .senMLCBOR)
        #expect(bench.driver.answer(observe, session: bench.sessions[0], token: [7])?.code == .content)
        bench.driver.now = bench.driver.now.advanced(by: .seconds(1))
        if moves {
            bench.driver.handle(.peerMoved(bench.sessions[0], try #require(IPAddress(SessionBench.elsewhere))))
            #expect(bench.put(.timeout, Array("9".utf8), as: .text) == .unauthorized)
        } else {
            let gateway = SessionCommand(.write, bench.path(.gateway), contentFormat: .text, payload: Array("102".utf8))
            #expect(try bench.run(try #require(gateway)).code == .changed)
        }
        let last = try #require(
            bench.driver.advance(.seconds(1)).notifications.last ?? bench.outputs.notifications.last
        )
        #expect(last.response.code == .unauthorized)
        #expect(last.response.payload.isEmpty)
        bench.server = 1
        let message1 = SessionMessage(number: 1, command: self.command, gsid: try bench.newIdentifier(), dsid: nil)
        _ = bench.put(.message1, message1.encoded)
        #expect(bench.driver.advance(.seconds(1)).notifications.isEmpty)
    }
}
