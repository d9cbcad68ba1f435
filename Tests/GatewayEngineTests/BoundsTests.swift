import CommandSessions
import LwM2MModel
import Primitives
import Testing

@testable import GatewayEngine

@Suite struct BoundsTests {
    @Test func sixtyFourCommandsWaitForADevice() throws {
        let bench = Bench()
        for _ in 0..<64 { #expect(try bench.give().refusals.isEmpty) }
        #expect(try bench.give().refusals == [.queueFull])
        #expect(try bench.give("other").refusals.isEmpty)
        #expect(bench.engine.counters.queueFull == 1)
        #expect(bench.run(.commandCancelled(GatewayCommandID(rawValue: 5), user: "eve")).outcomes.count == 1)
        #expect(try bench.give().refusals.isEmpty)
    }

    @Test func thereIsABoundForAllDevicesTogether() throws {
        let bench = Bench { $0.maximumCommands = 3 }
        for number in 0..<3 { #expect(try bench.give(UTF8Text("dev\(number)")).refusals.isEmpty) }
        #expect(try bench.give("dev9").refusals == [.queueFull])
        #expect(bench.engine.deviceCount == 3)
    }

    @Test func thereIsABoundForDevices() throws {
        let bench = Bench { $0.maximumDevices = 2 }
        _ = bench.appear("a")
        _ = bench.appear("b")
        #expect(bench.appear("c").reports == [.tooManyDevices(endpoint: "c")])
        #expect(try bench.give("c").refusals == [.tooManyDevices])
        #expect(bench.engine.deviceCount == 2)
        _ = bench.run(.deviceGone(endpoint: "a"))
        #expect(try bench.give("c").refusals.isEmpty)
    }

    @Test func aNumberIsGivenOnce() throws {
        let bench = Bench()
        let command = try bench.command()
        #expect(bench.run(.commandGiven(command)).accepted == [1])
        #expect(bench.run(.commandGiven(command)).refusals == [.duplicate])
        #expect(bench.status?.commands == [command.id])
    }

    @Test func aDeviceWithoutIdentifiersLeavesNothingBehind() throws {
        let bench = Bench()
        var device = BenchDevice()
        for _ in 0..<3 {
            _ = bench.appear()
            _ = bench.run(.deviceGone(endpoint: Bench.device))
            #expect(bench.engine.deviceCount == 0)
        }
        try bench.give()
        _ = bench.wait(.seconds(3600))
        #expect(bench.engine.deviceCount == 0)
        #expect(bench.nextDeadline == nil)
        _ = bench.appear()
        try bench.exchange(try bench.give(), with: &device)
        _ = bench.run(.deviceGone(endpoint: Bench.device))
        #expect(bench.engine.deviceCount == 1, "its identifiers are known")
        #expect(bench.engine.sessions.isEmpty && bench.engine.operations.isEmpty && bench.engine.commands.isEmpty)
    }

    @Test func anIdleDeviceIsSmall() {
        #expect(MemoryLayout<GatewayDevice>.stride <= 128)
    }

    @Test func devicesAreListedPageByPage() throws {
        let bench = Bench()
        for number in 0..<5 { _ = bench.appear(UTF8Text("dev\(number)")) }
        var names: [String] = []
        var cursor: Int? = 0
        while let at = cursor {
            let (page, next) = bench.engine.devices(from: at, limit: 2)
            names += page.map(\.endpoint.string)
            cursor = next
        }
        #expect(names == (0..<5).map { "dev\($0)" })
    }

    @Test func withoutRandomBytesNoSessionBegins() throws {
        var engine = GatewayEngine(configuration: GatewayConfiguration(), random: RandomSource { _ in [] })
        let command = try Bench().command()
        engine.handle(.deviceAvailable(endpoint: Bench.device, securedSession: 1), now: .zero)
        engine.handle(.commandGiven(command), now: .zero)
        var now = MonotonicTime.zero
        var outcomes: [CommandOutcome] = []
        for _ in 0..<100 {
            while let output = engine.nextOutput() {
                if let (id, _) = output.store { engine.handle(.stored(id), now: now) }
                #expect(output.operation == nil)
                outcomes += [output].outcomes
            }
            guard let deadline = engine.nextDeadline else { break }
            now = deadline
            engine.handle(.deadlineReached, now: now)
        }
        #expect(outcomes == [.notDone(.local)])
    }

    @Test func whatIsStoredOfOutcomesAndTheAuditLogComesBack() {
        let reasons: [CommandOutcome.Reason] =
            SessionBreach.allCases.map { .breach($0) } + [
                .cancelled, .deadlinePassed, .local, .notExecuted, .refused(.forbidden), .unanswered,
            ]
        let outcomes: [CommandOutcome] = [.done(.changed), .unknown] + reasons.map { .notDone($0) }
        for outcome in outcomes {
            #expect(CommandOutcome(decoding: outcome.encoded) == outcome)
            #expect(CommandOutcome(decoding: outcome.encoded + [0]) == nil)
            #expect(CommandOutcome(decoding: outcome.encoded.dropLast()) == nil)
        }
        let entries: [AuditEntry.What] =
            [
                .given, .sessionBegun, .executed(.changed), .unknown, .blocked, .unblocked, .suspended, .alarmRaised,
                .alarmReset, .sessionReset, .identifiersGiven,
            ] + reasons.map { .notExecuted($0) } + SessionBreach.allCases.map { .breach($0) }
            + CommandRefusal.allCases.map { .refused($0) }
        for entry in entries {
            #expect(AuditEntry.What(decoding: entry.encoded) == entry)
            #expect(AuditEntry.What(decoding: entry.encoded + [0]) == nil)
            #expect(AuditEntry.What(decoding: entry.encoded.dropLast()) == nil)
        }
        #expect(Set(entries.map(\.description)).count == entries.count)
        #expect(SessionCommand.Operation.allCases.allSatisfy { SessionCommand.Operation(name: $0.name) == $0 })
    }
}
