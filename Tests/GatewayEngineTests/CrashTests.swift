import CoAPMessages
import CommandSessions
import GatewayEngine
import LwM2MModel
import Primitives
import Testing

/// The gateway or the device goes down at every step of a session, once before and once behind what the step does.
@Suite struct CrashTests {
    enum Crash: CaseIterable {
        case gatewayBefore, gatewayBehind, device
    }

    /// Runs two commands; at one step something goes down.
    ///
    /// - Returns: false when there are fewer steps.
    private func run(_ crash: Crash, at step: Int) throws -> Bool {
        let bench = Bench()
        var device = BenchDevice()
        var steps = 0
        var accepted: [UInt64] = []
        var outcomes: [UInt64: CommandOutcome] = [:]
        var rest = bench.tell(bench.appearance())
        let commands = [try bench.command(), try bench.command()]
        for command in commands { rest += bench.tell(.commandGiven(command)) }
        for _ in 0..<200 {
            guard !rest.isEmpty else {
                guard let deadline = bench.nextDeadline, deadline < .zero.advanced(by: .seconds(3000)) else { break }
                bench.now = max(bench.now, deadline)
                rest += bench.tell(.deadlineReached)
                continue
            }
            let output = rest.removeFirst()
            accepted += [output].accepted
            if case .commandFinished(let id, _, let outcome) = output {
                #expect(outcomes[id.rawValue] == nil)
                outcomes[id.rawValue] = outcome
            }
            guard output.store != nil || output.operation != nil else { continue }
            steps += 1
            if steps == step, crash == .device { device.crash() }
            if steps == step, crash == .gatewayBefore {
                rest = self.restart(bench)
                continue
            }
            var event: GatewayEvent?
            if let (id, changes) = output.store {
                bench.keep(changes)
                event = .stored(id)
            } else {
                event = try device.answer(output, now: bench.now)
            }
            if steps == step, crash == .gatewayBehind {
                rest = self.restart(bench)
            } else if let event {
                rest += bench.tell(event)
            }
        }
        // What was given twice by its giver because it was never accepted is no concern of the gateway.
        #expect(bench.snapshot.commands.isEmpty, "\(crash) at step \(step)")
        for command in commands where accepted.contains(command.id.rawValue) {
            #expect(device.executed.filter { $0 == command.command }.count == 1, "\(crash) at step \(step)")
            // Told before the crash, or stored as done without a word.
            if let outcome = outcomes[command.id.rawValue] { #expect(outcome == .done(.changed)) }
        }
        for command in commands {
            #expect(device.executed.filter { $0 == command.command }.count <= 1, "\(crash) at step \(step)")
        }
        #expect(bench.engine.counters.breachCount == 0)
        return steps >= step
    }

    private func restart(_ bench: Bench) -> [GatewayOutput] {
        let outputs = bench.restart()
        return outputs + bench.tell(bench.appearance())
    }

    @Test(arguments: Crash.allCases)
    func everyCommandIsExecutedOnce(_ crash: Crash) throws {
        var step = 1
        while try self.run(crash, at: step) { step += 1 }
        #expect(step > 10)
    }

    @Test func behindARestartAConfirmedSessionIsAskedAboutFirst() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device, losingAnswerOf: 2)
        try bench.give()
        #expect(bench.snapshot.sessions.map(\.record.stage) == [.confirmed])
        _ = bench.restart()
        #expect(bench.status?.session == .interrupted)
        let outputs = try bench.exchange(bench.appear(), with: &device)
        #expect(outputs.resources == [8, 9, 0, 1, 2])
        #expect(outputs.outcomes == [.done(.changed), .done(.changed)])
        #expect(device.executed.count == 2)
    }

    @Test func behindARestartMessage3MayBeOnItsWayStill() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.run(bench.appearance(isNewSession: false))
        try bench.exchange(try bench.give(), with: &device) { $0.resource == 2 }
        _ = bench.restart()
        let asked = try bench.exchange(bench.run(bench.appearance(isNewSession: false)), with: &device)
        #expect(asked.resources == [8, 9], "it was not done, and no other session begins yet")
        #expect(bench.wait(.seconds(99)).operations.isEmpty)
        #expect(try bench.exchange(bench.wait(.seconds(1)), with: &device).outcomes == [.done(.changed)])
        #expect(device.executed.count == 1)
    }

    @Test func behindARestartAnOfferedSessionBeginsAnew() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.give()
        #expect(bench.snapshot.sessions.map(\.record.stage) == [.offered])
        _ = bench.restart()
        let quiet = bench.run(bench.appearance(isNewSession: false))
        #expect(quiet.operations.isEmpty, "message 1 may be on its way")
        let outputs = try bench.exchange(bench.appear(), with: &device)
        #expect(outputs.resources == [0, 1, 2])
        #expect(outputs.outcomes == [.done(.changed)])
    }

    @Test func anUnknownOutcomeIsToldAsThat() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device) { $0.resource == 2 }
        // The device went down while it executed: that is what it stored.
        let message2 = try #require(device.machine.message2)
        let pair = SessionPair(gsid: message2.gsid, dsid: try #require(message2.dsid))
        var record = device.machine.record
        record.gsid.establish()
        record.dsid.establish()
        record.lastExecution = .init(pair: pair, outcome: .executing)
        device.machine = DeviceSessionMachine(form: .bothIdentifiers, record: record)
        let outputs = try bench.exchange(bench.wait(.seconds(2)), with: &device)
        #expect(outputs.outcomes == [.unknown])
        #expect(bench.engine.counters.sessionsUnknown == 1)
        _ = bench.wait(.seconds(100))
        #expect(try bench.exchange(try bench.give(), with: &device).outcomes == [.done(.changed)])
    }

    @Test func aSessionOfTheOtherFormIsEndedInItsOwn() throws {
        let bench = Bench { $0.form = .deviceIdentifier }
        var device = BenchDevice()
        _ = bench.appear()
        // It was begun when the gateway was set up for both identifiers.
        let both = Bench()
        _ = both.appear()
        try both.exchange(try both.give(), with: &device, losingAnswerOf: 2)
        bench.snapshot = both.snapshot
        _ = bench.restart()
        let outputs = try bench.exchange(bench.appear(), with: &device)
        #expect(outputs.outcomes == [.done(.changed)])
        device.machine.form = .deviceIdentifier
        #expect(bench.run(.commandGiven(try both.command())).resources == [0])
    }

    // MARK: A store that fails

    @Test func whatCannotBeStoredIsNotAccepted() throws {
        let bench = Bench()
        _ = bench.appear()
        bench.isStoreBroken = true
        let outputs = try bench.give()
        #expect(outputs.refusals == [.notStored])
        #expect(outputs.accepted.isEmpty)
        #expect(bench.engine.commandCount == 0)
    }

    @Test func withoutAStoredRecordNoMessageIsSent() throws {
        let bench = Bench()
        var device = BenchDevice()
        try bench.give()
        bench.isStoreBroken = true
        let outputs = bench.appear()
        #expect(outputs.operations.isEmpty)
        #expect(
            outputs.reports.contains(.sessionAborted(endpoint: Bench.device, GatewayCommandID(rawValue: 1), .notStored))
        )
        bench.isStoreBroken = false
        #expect(try bench.exchange(bench.wait(.seconds(2)), with: &device).outcomes == [.done(.changed)])
    }

    @Test func anEndIsStoredAgainUntilItIsAndToldThen() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.give()
        try bench.give()
        let outputs = try self.exchangeFirst(bench, &device)
        #expect(outputs.outcomes.isEmpty)
        #expect(outputs.operations.isEmpty, "no other session begins before the end is durable")
        #expect(outputs.reports.contains(.storageFailed(retry: .seconds(1))))
        #expect(bench.run(.sessionReset(endpoint: Bench.device, isForced: true, user: "op")).answers == [.storing])
        #expect(bench.wait(.seconds(1)).outcomes.isEmpty)
        #expect(bench.snapshot.commands.count == 2)
        bench.isStoreBroken = false
        let rest = try bench.exchange(bench.wait(.seconds(2)), with: &device)
        #expect(rest.outcomes == [.done(.changed), .done(.changed)])
        #expect(device.executed.count == 2)
        #expect(bench.snapshot.commands.isEmpty)
    }

    /// Lets the first command be executed by a device whose answer finds the store broken.
    private func exchangeFirst(_ bench: Bench, _ device: inout BenchDevice) throws -> [GatewayOutput] {
        var rest = bench.restart() + bench.appear()
        var outputs: [GatewayOutput] = []
        while !rest.isEmpty {
            let output = rest.removeFirst()
            guard let event = try device.answer(output, now: bench.now) else { continue }
            if output.resource == 2 { bench.isStoreBroken = true }
            let followed = bench.run(event)
            rest += followed
            if bench.isStoreBroken { outputs += followed }
        }
        return outputs
    }

    @Test func theStandingIsStoredAgainUntilItIs() throws {
        let bench = Bench()
        _ = bench.appear()
        let id = try #require(try bench.give().operations.first)
        let read = try #require(bench.run(.operationAnswered(id, .writeAnswered(.changed))).operations.first)
        bench.isStoreBroken = true
        _ = bench.run(.operationAnswered(read, .readAnswered([0])))
        #expect(bench.status?.standing == [.suspended, .alarmed])
        #expect(bench.snapshot.standings.isEmpty)
        let reset = bench.run(.alarmReset(endpoint: Bench.device, user: "op"))
        #expect(!reset.contains(.standingAnswered(endpoint: Bench.device)), "the operator waits")
        bench.isStoreBroken = false
        let outputs = bench.wait(.seconds(1))
        #expect(outputs.outcomes == [.notDone(.breach(.changedCommand))])
        #expect(outputs.contains(.standingAnswered(endpoint: Bench.device)))
        #expect(bench.snapshot.standings == [.init(endpoint: Bench.device, standing: .suspended)])
        #expect(
            bench.audit.suffix(5).map(\.what) == [
                .suspended, .alarmRaised, .alarmReset, .notExecuted(.breach(.changedCommand)), .breach(.changedCommand),
            ]
        )
        #expect(bench.engine.counters.auditsLost == 0)
    }

    @Test func whatAnOperatorDidIsDurableBeforeItIsToldOrActedOn() throws {
        let bench = Bench { $0.policy[.spoofed] = .block }
        var device = BenchDevice()
        _ = bench.appear()
        let first = bench.run(try device.answer(only: try bench.give(), now: bench.now))
        _ = bench.run(.commandGiven(try bench.command()))
        _ = bench.run(.operationAnswered(try #require(first.operations.first), .readAnswered([])))
        #expect(bench.status?.standing == .blocked)
        let outputs = bench.tell(.deviceUnblocked(endpoint: Bench.device, user: "op"))
        #expect(!outputs.contains(.standingAnswered(endpoint: Bench.device)))
        // The standing cannot be stored, and then all can.
        var rest: [GatewayOutput] = []
        for (index, store) in outputs.stores.enumerated() {
            rest += bench.tell(index == 0 ? .storageFailed(store.0) : .stored(store.0))
        }
        #expect(!rest.contains(.standingAnswered(endpoint: Bench.device)))
        let later = try bench.exchange(bench.settle(rest) + bench.wait(.seconds(1)), with: &device)
        #expect(later.contains(.standingAnswered(endpoint: Bench.device)))
        #expect(bench.audit.contains(AuditEntry(endpoint: Bench.device, what: .unblocked, user: "op")))
        #expect(bench.snapshot.standings.isEmpty)
        #expect(later.outcomes == [.done(.changed)])
    }
}

extension GatewayCounters {
    var breachCount: UInt64 { SessionBreach.allCases.reduce(0) { $0 + self[$1] } }
}

extension [GatewayOutput] {
    var answers: [SessionResetAnswer] {
        self.compactMap { if case .sessionResetAnswered(_, let answer) = $0 { answer } else { nil } }
    }
}
