import CoAPMessages
import CommandSessions
import GatewayEngine
import LwM2MModel
import Primitives
import Testing

@Suite struct StandingTests {
    /// Lets the device answer message 1 and give other bytes than it should as message 2.
    private func breach(_ bench: Bench, _ change: (SessionMessage) throws -> [UInt8]) throws -> [GatewayOutput] {
        let begun = try bench.give()
        guard case .write(let id, _, _, let bytes)? = begun.first(where: { $0.resource == 0 }) else { return [] }
        let answered = bench.run(.operationAnswered(id, .writeAnswered(.changed)))
        let read = try #require(answered.operations.first)
        return bench.run(.operationAnswered(read, .readAnswered(try change(SessionMessage(decoding: bytes)))))
    }

    private func identifier(_ byte: UInt8) throws -> SessionIdentifier {
        try #require(SessionIdentifier(bytes: Array(repeating: byte, count: 16)))
    }

    @Test func aChangedCommandEndsTheSessionAndSuspendsTheDevice() throws {
        let bench = Bench()
        _ = bench.appear()
        let other = try #require(SessionCommand(.delete, ObjectPath(3303, 0)))
        let outputs = try self.breach(bench) { message1 in
            SessionMessage(number: 2, command: other, gsid: message1.gsid, dsid: try self.identifier(7)).encoded
        }
        #expect(outputs.outcomes == [.notDone(.breach(.changedCommand))])
        #expect(bench.engine.counters[.changedCommand] == 1)
        #expect(bench.status?.standing == [.suspended, .alarmed])
        #expect(
            outputs.reports.contains(
                .breach(
                    endpoint: Bench.device,
                    .changedCommand,
                    GatewayCommandID(rawValue: 1),
                    [.log, .suspend, .alarm]
                )
            )
        )
        #expect(
            bench.audit.map(\.what) == [
                .given, .sessionBegun, .suspended, .alarmRaised, .notExecuted(.breach(.changedCommand)),
                .breach(.changedCommand),
            ]
        )
    }

    @Test func reflectedMessagesAndWrongIdentifiersAreToldApart() throws {
        let bench = Bench { $0.suspension = .zero }
        _ = bench.appear()
        let reflected = try self.breach(bench) { $0.encoded }
        #expect(reflected.outcomes == [.notDone(.breach(.reflected))])
        let wrong = try self.breach(bench) { message1 in
            SessionMessage(
                number: 2,
                command: message1.command,
                gsid: try self.identifier(1),
                dsid: try self.identifier(2)
            ).encoded
        }
        #expect(wrong.outcomes == [.notDone(.breach(.wrongIdentifier))])
        #expect(bench.engine.counters.breachCount == 2)
        #expect(bench.status?.standing == [.alarmed])
        _ = bench.run(.alarmReset(endpoint: Bench.device, user: "op"))
        #expect(bench.status?.standing == [])
        #expect(bench.audit.last == AuditEntry(endpoint: Bench.device, what: .alarmReset, user: "op"))
        #expect(
            bench.run(.alarmReset(endpoint: Bench.device, user: "op")) == [.standingAnswered(endpoint: Bench.device)]
        )
        #expect(bench.run(.alarmReset(endpoint: "none", user: "op")).isEmpty)
    }

    @Test func aSuspendedDeviceIsLeftAloneForTheTimeAlsoBehindARestart() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        _ = try self.breach(bench) { _ in [] }
        #expect(try bench.give().accepted == [2], "commands wait")
        #expect(bench.wait(.seconds(599)).operations.isEmpty)
        _ = bench.restart()
        #expect(bench.appear().operations.isEmpty)
        #expect(bench.wait(.seconds(599)).operations.isEmpty)
        let outputs = try bench.exchange(bench.wait(.seconds(1)), with: &device)
        #expect(outputs.outcomes == [.done(.changed)])
        #expect(bench.status?.standing == .alarmed)
        #expect(bench.snapshot.standings == [.init(endpoint: Bench.device, standing: .alarmed)])
    }

    @Test func aBlockedDeviceTakesNoCommandsUntilItIsUnblocked() throws {
        let bench = Bench { $0.policy[.spoofed] = [.block, .report] }
        var device = BenchDevice()
        try bench.give()
        try bench.give()
        let outputs = try self.breachUnderWay(bench)
        #expect(outputs.outcomes == [.notDone(.breach(.changedCommand))])
        #expect(outputs.operations.isEmpty, "what waits goes on waiting")
        #expect(try bench.give().refusals == [.blocked])
        _ = bench.restart()
        _ = bench.appear()
        #expect(try bench.give().refusals == [.blocked])
        #expect(bench.engine.counters.refusedOtherwise == 1)
        let unblocked = bench.run(.deviceUnblocked(endpoint: Bench.device, user: "op"))
        #expect(try bench.exchange(unblocked, with: &device).outcomes == [.done(.changed)])
        #expect(bench.audit.map(\.what).contains(.unblocked))
    }

    private func breachUnderWay(_ bench: Bench) throws -> [GatewayOutput] {
        let begun = bench.appear()
        let answered = bench.run(.operationAnswered(try #require(begun.operations.first), .writeAnswered(.changed)))
        return bench.run(.operationAnswered(try #require(answered.operations.first), .readAnswered([1, 2, 3])))
    }

    @Test func aPolicyMayWantNothingDone() throws {
        let bench = Bench()
        _ = bench.appear()
        var policy = BreachPolicy.standard
        policy[.spoofed] = []
        _ = bench.run(.policyChanged(policy))
        #expect(bench.engine.breachPolicy == policy)
        let outputs = try self.breach(bench) { _ in [] }
        #expect(outputs.outcomes == [.notDone(.breach(.changedCommand))])
        #expect(bench.status?.standing == [])
        #expect(!outputs.reports.contains { if case .breach = $0 { true } else { false } })
        #expect(bench.engine.counters[.changedCommand] == 1)
    }

    @Test func aNormalEndIsToldWhenRoutineIsLogged() throws {
        let ended = GatewayReport.sessionEnded(endpoint: Bench.device, .done(.changed))
        for isLogged in [true, false] {
            let bench = Bench { $0.policy[.routine] = isLogged ? .log : [] }
            var device = BenchDevice()
            _ = bench.appear()
            #expect(try bench.exchange(try bench.give(), with: &device).reports.contains(ended) == isLogged)
        }
    }

    // MARK: Permissions

    @Test func whatNoRuleAllowsIsRefusedAndTold() throws {
        let rule = PermissionPolicy.Rule(
            user: "alice",
            endpointPrefix: "dev",
            path: ObjectPath(3303),
            operations: [.write, .execute]
        )
        let bench = Bench { $0.permissions = PermissionPolicy(rules: [rule]) }
        let allowed = [
            try bench.command(), try bench.command("device", .execute, ObjectPath(3303, 0, 5605)),
            try bench.command("dev1", .write, ObjectPath(3303)),
        ]
        let refused = [
            try bench.command(by: "bob"), try bench.command("other"), try bench.command("dev1", .delete),
            try bench.command("dev1", .write, ObjectPath(3304, 0, 5700)),
        ]
        for command in allowed { #expect(bench.run(.commandGiven(command)).refusals.isEmpty) }
        for command in refused {
            let outputs = bench.run(.commandGiven(command))
            #expect(outputs.refusals == [.unpermitted])
            #expect(
                outputs.reports == [
                    .unpermitted(
                        endpoint: command.endpoint,
                        CommandSummary(command.command),
                        user: command.user,
                        [.log, .report]
                    )
                ]
            )
            #expect(bench.audit.last == AuditEntry(.refused(.unpermitted), of: command))
        }
        #expect(bench.engine.counters.unpermitted == 4)
        _ = bench.run(.permissionsChanged(PermissionPolicy(rules: [])))
        #expect(bench.run(.commandGiven(try bench.command())).refusals == [.unpermitted])
        _ = bench.run(.permissionsChanged(.standard))
        #expect(bench.run(.commandGiven(try bench.command("x", .delete, by: "bob"))).refusals.isEmpty)
    }

    @Test func anAlarmForAUserIsRaisedAtTheDeviceItWanted() throws {
        let bench = Bench {
            $0.permissions = PermissionPolicy(rules: [])
            $0.policy[.unpermitted] = [.alarm, .block, .suspend]
        }
        _ = bench.appear()
        #expect(try bench.give().refusals == [.unpermitted])
        #expect(bench.status?.standing == .alarmed)
    }

    // MARK: Devices that were commissioned anew

    @Test func aDeviceThatForgotItsIdentifiersIsTakenAnewByAnOperator() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device)
        device = BenchDevice()
        #expect(try bench.exchange(try bench.give(), with: &device).outcomes == [.notDone(.refused(.forbidden))])
        let reset = bench.run(.sessionReset(endpoint: Bench.device, isForced: false, user: "op"))
        #expect(reset.answers == [.done])
        #expect(bench.snapshot.sessions.isEmpty)
        #expect(try bench.exchange(try bench.give(), with: &device).outcomes == [.done(.changed)])
        #expect(bench.run(.sessionReset(endpoint: "none", isForced: true, user: "op")).answers == [.unknownDevice])
    }

    @Test func aConfirmedSessionIsForgottenByForceOnly() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device) { $0.resource == 2 }
        try bench.give()
        #expect(bench.run(.sessionReset(endpoint: Bench.device, isForced: false, user: "op")).answers == [.inProgress])
        device = BenchDevice()
        _ = bench.appear()
        let reset = bench.run(.sessionReset(endpoint: Bench.device, isForced: true, user: "op"))
        #expect(reset.answers == [.done])
        #expect(reset.outcomes == [.unknown])
        #expect(try bench.exchange(reset, with: &device).outcomes == [.unknown, .done(.changed)])
    }

    @Test func anOfferedCommandStaysWhenItsSessionIsForgottenByForce() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        let old = try #require(try bench.give().operations.first)
        let reset = bench.run(.sessionReset(endpoint: Bench.device, isForced: true, user: "op"))
        #expect(reset.outcomes.isEmpty)
        #expect(bench.run(.operationAnswered(old, .writeAnswered(.changed))).isEmpty, "an answer to nobody")
        #expect(try bench.exchange(reset, with: &device).outcomes == [.done(.changed)])
    }

    // MARK: What is shown

    @Test func noIdentifierIsShown() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        let outputs = try bench.exchange(try bench.give(), with: &device)
        let traces = outputs.reports.compactMap { if case .traced(let trace) = $0 { trace } else { nil } }
        #expect(traces.map(\.message) == [.message1, .message2, .message3])
        #expect(traces.map(\.isSent) == [true, false, true])
        #expect(traces.map { $0.command?.description } == Array(repeating: "write /3303/0/5601, 1 bytes", count: 3))
        #expect(traces[0].dsid == nil)
        #expect(traces[1].gsid == traces[0].gsid)
        #expect(traces[2].dsid?.text.bytes.count == 8)
        var shown = ""
        dump(outputs.reports, to: &shown)
        dump(bench.snapshot, to: &shown)
        shown += "\(outputs.reports) \(bench.audit) \(bench.snapshot)"
        for session in bench.snapshot.sessions {
            for identifier in [session.record.gsid.established, session.record.dsid.established] {
                let text = try #require(identifier).text.string
                #expect(!shown.contains(text.prefix(8)))
                #expect(!shown.contains("\(try #require(identifier).copyBytes().prefix(4))".dropLast()))
            }
        }
    }
}
