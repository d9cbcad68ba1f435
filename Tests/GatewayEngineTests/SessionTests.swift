import CoAPMessages
import CommandSessions
import GatewayEngine
import LwM2MModel
import Primitives
import Testing

@Suite struct SessionTests {
    @Test func aCommandGoesInThreeMessagesEachBehindWhatItDependsOn() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        let command = try bench.command()

        let given = bench.tell(.commandGiven(command))
        #expect(given.map { $0.store?.1 } == [[.commandSaved(command), .audited(AuditEntry(.given, of: command))]])
        bench.keep(given.stores.flatMap(\.1))
        let accepted = bench.tell(.stored(try #require(given.first?.store?.0)))
        #expect(accepted.accepted == [1], "nothing is acknowledged before it is durable")
        #expect(accepted.operations.isEmpty)
        #expect(accepted.stores.count == 1)
        bench.keep(accepted.stores.flatMap(\.1))

        let message1 = bench.tell(.stored(try #require(accepted.stores.first?.0)))
        #expect(message1.resources == [0])
        var rest = message1
        var order: [String] = []
        while let output = rest.first {
            rest.removeFirst()
            if let (id, changes) = output.store {
                order.append("store")
                bench.keep(changes)
                #expect(rest.operations.isEmpty, "a message waits for the store")
                rest += bench.tell(.stored(id))
            } else if let event = try device.answer(output, now: bench.now) {
                order.append("\(output.resource ?? 99)")
                rest += bench.tell(event)
            } else if case .commandFinished(_, _, let outcome) = output {
                order.append("\(outcome)")
            }
        }
        #expect(order == ["0", "1", "store", "2", "store", "done 2.04"])
        #expect(device.executed == [command.command])
        #expect(bench.audit.map(\.what) == [.given, .sessionBegun, .executed(.changed)])
        #expect(bench.audit.allSatisfy { $0.user == "alice" && $0.command == command.id })
        #expect(bench.engine.counters.sessionsCompleted == 1)
        #expect(bench.engine.counters.commandsDone == 1)
        #expect(bench.nextDeadline == nil)
        #expect(bench.status?.session == GatewayDeviceStatus.Session.none)
        #expect(bench.status?.hasIdentifiers == true)
    }

    @Test func theResultOfTheCommandIsTold() throws {
        let bench = Bench()
        var device = BenchDevice()
        device.result = .methodNotAllowed
        _ = bench.appear()
        let outputs = try bench.exchange(try bench.give(), with: &device)
        #expect(outputs.outcomes == [.done(.methodNotAllowed)])
        #expect(outputs.resources == [0, 1, 2, 8, 9], "only the outcome tells a refusal from a result")
    }

    @Test func commandsOfADeviceGoOneAfterTheOther() throws {
        let bench = Bench()
        var device = BenchDevice()
        let given = try (0..<5).map { _ in try bench.give() }
        #expect(given.flatMap(\.accepted) == [1, 2, 3, 4, 5])
        let outputs = try bench.exchange(bench.appear(), with: &device)
        #expect(outputs.outcomes == Array(repeating: .done(.changed), count: 5))
        #expect(device.executed.map(\.payload) == (1...5).map { Array("\($0)".utf8) })
        #expect(outputs.resources == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2])
    }

    @Test func theShortFormWorksToo() throws {
        let bench = Bench { $0.form = .deviceIdentifier }
        var device = BenchDevice()
        device.machine = DeviceSessionMachine(form: .deviceIdentifier)
        _ = bench.appear()
        #expect(try bench.exchange(try bench.give(), with: &device).outcomes == [.done(.changed)])
        #expect(try bench.exchange(try bench.give(), with: &device).outcomes == [.done(.changed)])
    }

    @Test func theObjectAndItsInstanceCanBeOthers() throws {
        let bench = Bench {
            $0.objectInstance = 3
            $0.objectIDs = OwnObjectIDs(first: 33_000) ?? .standard
        }
        _ = bench.appear()
        let outputs = try bench.give()
        #expect(
            outputs.contains { output in
                if case .write(_, _, ObjectPath(33_001, 3, 0), _) = output { true } else { false }
            }
        )
    }

    // MARK: Messages that are lost

    @Test(arguments: [UInt16(0), 1])
    func behindAMessageWithoutAnswerASessionBeginsAfterTheQuietTime(_ lost: UInt16) throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        let first = try bench.exchange(try bench.give(), with: &device) { $0.resource == lost }
        #expect(first.outcomes.isEmpty)
        #expect(bench.wait(.seconds(99)).operations.isEmpty)
        _ = bench.appear(isNewSession: false)
        #expect(bench.nextDeadline == .zero.advanced(by: .seconds(100)))
        #expect(try bench.exchange(bench.wait(.seconds(1)), with: &device).outcomes == [.done(.changed)])
        #expect(device.executed.count == 1)
        #expect(bench.engine.counters.retries == 1)
    }

    @Test func onANewSecuredSessionNothingOldCanArriveSoNothingIsWaitedFor() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device) { $0.resource == 0 }
        #expect(try bench.exchange(bench.appear(), with: &device).outcomes == [.done(.changed)])
    }

    @Test func aDeviceThatComesBackOnTheSessionItHadIsLeftQuietAllTheSame() throws {
        let bench = Bench()
        var device = BenchDevice()
        let there = GatewayEvent.deviceAvailable(endpoint: Bench.device, securedSession: 7)
        _ = bench.run(there)
        try bench.exchange(try bench.give(), with: &device) { $0.resource == 0 }
        _ = bench.run(.deviceGone(endpoint: Bench.device))
        #expect(bench.run(there).operations.isEmpty, "message 1 may be on its way")
        #expect(try bench.exchange(bench.wait(.seconds(100)), with: &device).outcomes == [.done(.changed)])
    }

    @Test func anAnswerThatWasLostOnTheConnectionBeforeCausesNoQuietTime() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        let id = try #require(try bench.give().operations.first)
        _ = bench.appear()
        _ = bench.run(.operationAnswered(id, .unanswered))
        #expect(try bench.exchange(bench.wait(.seconds(2)), with: &device).outcomes == [.done(.changed)])
    }

    @Test func whenMessage3IsLostTheOutcomeIsAskedForAndTheCommandTriedAnew() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device) { $0.resource == 2 }
        #expect(bench.status?.session == .interrupted)
        let asked = try bench.exchange(bench.wait(.seconds(2)), with: &device)
        #expect(asked.resources == [8, 9])
        #expect(asked.outcomes.isEmpty)
        #expect(try bench.exchange(bench.wait(.seconds(100)), with: &device).outcomes == [.done(.changed)])
        #expect(device.executed.count == 1)
    }

    @Test func whenTheAnswerToMessage3IsLostTheCommandIsNotRepeated() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        let first = try bench.exchange(try bench.give(), with: &device, losingAnswerOf: 2)
        #expect(first.outcomes.isEmpty)
        #expect(device.executed.count == 1)
        let asked = try bench.exchange(bench.appear(isNewSession: false), with: &device)
        #expect(asked.resources == [8, 9])
        #expect(asked.outcomes == [.done(.changed)])
        #expect(device.executed.count == 1)
    }

    @Test func aDeviceThatDoesNotAnswerIsAskedAgainLessAndLessOften() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device) { ($0.resource ?? 0) >= 2 }
        var pauses: [Duration] = []
        for _ in 0..<10 {
            let next = try #require(bench.nextDeadline)
            pauses.append(bench.now.duration(to: next))
            try bench.exchange(bench.wait(bench.now.duration(to: next)), with: &device) { $0.resource == 8 }
        }
        #expect(pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map { .seconds($0) })
    }

    @Test func withoutTheDeviceNothingIsTried() throws {
        let bench = Bench()
        var device = BenchDevice()
        #expect(try bench.give().operations.isEmpty)
        try bench.exchange(bench.appear(), with: &device) { $0.resource == 0 }
        #expect(bench.run(.deviceGone(endpoint: Bench.device)).operations.isEmpty)
        #expect(bench.wait(.seconds(1000)).operations.isEmpty)
        #expect(try bench.exchange(bench.appear(), with: &device).outcomes == [.done(.changed)])
    }

    // MARK: Refusals

    struct Refusal: CustomTestStringConvertible {
        let code: CoAPCode
        let isOfRead: Bool
        let isRetried: Bool
        var testDescription: String { "\(self.code) \(self.isOfRead ? "to message 2" : "to message 1")" }
    }

    @Test(arguments: [
        Refusal(code: .forbidden, isOfRead: false, isRetried: false),
        Refusal(code: .unauthorized, isOfRead: false, isRetried: false),
        Refusal(code: .notFound, isOfRead: false, isRetried: false),
        Refusal(code: .badRequest, isOfRead: false, isRetried: false),
        Refusal(code: .serviceUnavailable, isOfRead: false, isRetried: true),
        Refusal(code: .internalServerError, isOfRead: false, isRetried: true),
        Refusal(code: .tooManyRequests, isOfRead: false, isRetried: true),
        Refusal(code: .conflict, isOfRead: false, isRetried: true),
        Refusal(code: .notFound, isOfRead: true, isRetried: true),
        Refusal(code: .serviceUnavailable, isOfRead: true, isRetried: true),
        Refusal(code: .internalServerError, isOfRead: true, isRetried: true),
        Refusal(code: .forbidden, isOfRead: true, isRetried: false),
    ])
    func aRefusalThatMayPassIsTriedAgain(_ refusal: Refusal) throws {
        let bench = Bench()
        _ = bench.appear()
        var outputs = try bench.give()
        var begun = 0
        while let operation = outputs.operations.first {
            if outputs.resources == [0] {
                begun += 1
                outputs = bench.run(
                    .operationAnswered(operation, .writeAnswered(refusal.isOfRead ? .changed : refusal.code))
                )
            } else {
                outputs = bench.run(.operationAnswered(operation, .readRefused(refusal.code)))
            }
            guard outputs.operations.isEmpty, outputs.outcomes.isEmpty else { continue }
            outputs = bench.wait(bench.now.duration(to: try #require(bench.nextDeadline)))
        }
        #expect(begun == (refusal.isRetried ? 5 : 1))
        #expect(outputs.outcomes == [.notDone(.refused(refusal.code))])
        #expect(bench.engine.counters.refusedByDevice == 1)
        #expect(bench.engine.counters.retries == UInt64(begun - 1))
    }

    @Test func afterTheLastTryTheCommandEndsAsUnanswered() throws {
        let bench = Bench { $0.maximumTries = 2 }
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device) { $0.resource == 0 }
        let last = try bench.exchange(bench.wait(.seconds(100)), with: &device) { $0.resource == 0 }
        #expect(last.outcomes == [.notDone(.unanswered)])
        #expect(bench.snapshot.commands.isEmpty)
    }

    @Test func anAnswerOfTheWrongKindOrToNothingIsNoAnswer() throws {
        let bench = Bench()
        _ = bench.appear()
        let id = try #require(try bench.give().operations.first)
        let outputs = bench.run(.operationAnswered(id, .readAnswered([1])))
        #expect(
            outputs.reports.contains(
                .sessionAborted(endpoint: Bench.device, GatewayCommandID(rawValue: 1), .unanswered)
            )
        )
        #expect(bench.run(.operationAnswered(id, .writeAnswered(.changed))).isEmpty)
        #expect(bench.run(.stored(GatewayChangeID(rawValue: 999))).isEmpty)
        #expect(bench.run(.storageFailed(GatewayChangeID(rawValue: 999))).isEmpty)
    }

    // MARK: Time

    @Test func aCommandThatCannotBeTriedEndsWhenItsTimeIsOver() throws {
        let bench = Bench()
        try bench.give()
        #expect(bench.nextDeadline == .zero.advanced(by: .seconds(3600)))
        #expect(bench.wait(.seconds(3599)).outcomes.isEmpty)
        #expect(bench.wait(.seconds(1)).outcomes == [.notDone(.deadlinePassed)])
    }

    @Test func whenTheDeviceDoesNotTellInTimeTheOutcomeIsUnknownAndLearnedLater() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device, losingAnswerOf: 2)
        _ = bench.run(.deviceGone(endpoint: Bench.device))
        #expect(bench.wait(.seconds(3600)).outcomes == [.unknown])
        #expect(bench.status?.session == .interrupted, "the next session begins with the question")
        try bench.give()
        let outputs = try bench.exchange(bench.appear(), with: &device)
        #expect(outputs.resources == [8, 9, 0, 1, 2])
        #expect(outputs.outcomes == [.done(.changed)])
        #expect(device.executed.count == 2)
        #expect(
            bench.audit.map(\.what) == [
                .given, .sessionBegun, .unknown, .given, .executed(.changed), .sessionBegun, .executed(.changed),
            ]
        )
        #expect(bench.audit[4].command == GatewayCommandID(rawValue: 1))
    }

    @Test func message3ThatIsUnderWayWhenTheTimeEndsIsWaitedFor() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        let begun = try bench.give()
        let read = bench.run(try device.answer(only: begun, now: bench.now))
        let confirmed = bench.run(try device.answer(only: read, now: bench.now))
        #expect(confirmed.resources == [2])
        #expect(bench.wait(.seconds(4000)).outcomes.isEmpty)
        #expect(bench.nextDeadline == nil)
        #expect(try bench.exchange(confirmed, with: &device).outcomes == [.done(.changed)])
    }

    @Test func aCommandWhoseTimeEndsBeforeMessage3IsNotExecutedLater() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        // Message 1 is held until a device wakes that sleeps.
        let begun = try bench.give()
        #expect(bench.wait(.seconds(3600)).outcomes == [.notDone(.deadlinePassed)])
        #expect(bench.status?.session == .offered)
        try bench.give()
        let outputs = try bench.exchange(begun.filter { $0.resource == 0 }, with: &device)
        #expect(outputs.resources == [0, 0, 1, 2], "message 2 of the first is not even read")
        #expect(outputs.outcomes == [.done(.changed)])
        #expect(device.executed.map(\.payload) == [Array("2".utf8)])
    }

    @Test(arguments: [UInt16(0), 1]) func aCommandIsCancelledWhileMessage3WasNotSent(_ waiting: UInt16) throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        var rest = try bench.give()
        while rest.resources != [waiting] { rest = bench.run(try device.answer(only: rest, now: bench.now)) }
        let cancelled = bench.run(.commandCancelled(GatewayCommandID(rawValue: 1), user: "eve"))
        #expect(cancelled.outcomes == [.notDone(.cancelled)])
        let late = try bench.exchange(rest, with: &device)
        #expect(late.outcomes.isEmpty)
        #expect(!late.resources.contains(2))
        #expect(device.executed.isEmpty)
        #expect(try bench.exchange(try bench.give(), with: &device).outcomes == [.done(.changed)])
    }

    @Test func anEndThatIsStoredWhileMessage1IsAnsweredHoldsUpTheNextSession() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        let begun = try bench.give()
        try bench.give()
        let ended = bench.tell(.commandCancelled(GatewayCommandID(rawValue: 1), user: "eve"))
        let early = bench.tell(try device.answer(only: begun, now: bench.now))
        #expect(early.operations.isEmpty && early.stores.isEmpty, "the end is not durable yet")
        let outputs = try bench.exchange(bench.settle(ended), with: &device)
        #expect(outputs.outcomes == [.notDone(.cancelled), .done(.changed)])
    }

    @Test func aCommandIsCancelledWhileNothingWasConfirmed() throws {
        let bench = Bench()
        var device = BenchDevice()
        try bench.give()
        try bench.give()
        let waiting = bench.run(.commandCancelled(GatewayCommandID(rawValue: 2), user: "eve"))
        #expect(waiting.outcomes == [.notDone(.cancelled)])
        try bench.exchange(bench.appear(), with: &device) { $0.resource == 1 }
        let cancelled = bench.run(.commandCancelled(GatewayCommandID(rawValue: 1), user: "eve"))
        #expect(cancelled.outcomes == [.notDone(.cancelled)])
        #expect(bench.run(.commandCancelled(GatewayCommandID(rawValue: 1), user: "eve")).isEmpty)
        #expect(device.executed.isEmpty)
    }

    @Test func aCommandThatMayBeExecutedIsNotCancelled() throws {
        let bench = Bench()
        var device = BenchDevice()
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device) { $0.resource == 2 }
        #expect(bench.run(.commandCancelled(GatewayCommandID(rawValue: 1), user: "eve")).outcomes.isEmpty)
        // The device says that nothing was done: now it can be.
        #expect(
            try bench.exchange(bench.wait(.seconds(2)), with: &device).outcomes == [.notDone(.cancelled)]
        )
    }
}

extension GatewayOutput {
    var store: (GatewayChangeID, [GatewayChange])? { [self].stores.first }
}

extension AuditEntry {
    /// An entry about a command.
    init(_ what: What, of command: GatewayCommand) {
        self.init(
            endpoint: command.endpoint,
            what: what,
            command: command.id,
            summary: CommandSummary(command.command),
            user: command.user
        )
    }
}
