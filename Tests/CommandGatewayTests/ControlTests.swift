import CommandSessions
import Foundation
import GatewayEngine
import LoopbackPeers
import ManagementService
import Primitives
import ServiceSupport
import Testing

/// The control socket of a gateway: lists, clients that go, and lines that make no sense.
@Suite(.serialized) struct ControlTests {
    private func pages(_ verb: ControlRequest.Verb, _ endpoint: String?, _ bench: GatewayBench) throws
        -> [[ControlReply]]
    {
        var request = ControlRequest(id: 1, verb: verb, endpoint: endpoint)
        let client = try bench.control()
        var pages: [[ControlReply]] = []
        while true {
            let lines = try bench.ask(request, client)
            pages.append(lines.dropLast())
            guard let cursor = lines.last?.cursor else { return pages }
            request.cursor = cursor
        }
    }

    @Test func commandsAndAuditAreListedPageByPageTheNewestFirst() throws {
        let bench = try GatewayBench { $0.maximumCommandsPerDevice = 200 }
        try bench.startDevice("dev1")
        try bench.startDevice("dev2")
        let client = try bench.control()
        for id in 1...101 as ClosedRange<UInt64> { try bench.send(.command("\(id)", to: "dev1", id: id), client) }
        try bench.send(.command("one", to: "dev2", id: 102), client)
        try bench.drive("every end") { bench.outcomes.count == 102 }

        let commands = try self.pages(.commands, nil, bench)
        #expect(commands.map(\.count) == [100, 2])
        let all = commands.flatMap { $0 }
        #expect(all.compactMap { $0.detail("command").flatMap(UInt64.init) } == Array((1...102).reversed()))
        #expect(all.allSatisfy { $0.event == "command" && $0.code == "2.04" && $0.detail("outcome") == "done" })
        #expect(all.allSatisfy { $0.detail("operation") == "write" && $0.path == GatewayBench.path })
        #expect(try self.pages(.commands, "dev1", bench).map(\.count) == [100, 1])
        #expect(try self.pages(.commands, "dev2", bench).map(\.count) == [1])
        #expect(try self.pages(.commands, "dev3", bench).map(\.count) == [0])

        let audit = try self.pages(.audit, nil, bench)
        #expect(audit.map(\.count) == [100, 100, 100, 6])
        let numbers = audit.flatMap { $0 }.compactMap { $0.detail("number").flatMap(UInt64.init) }
        #expect(numbers == Array((1...306).reversed()))
        #expect(
            try self.pages(.audit, "dev2", bench).flatMap { $0 }.map { $0.detail("what") }
                == ["executed 2.04", "session-begun", "given"]
        )
    }

    @Test func aCommandThatWaitsIsListedSo() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice()
        #expect(try bench.command().code == "2.04")
        bench.runtime.deliver(.stopRequested, to: device)
        try bench.drive("the device is away") { bench.gateway.statistics["registrations"] == 0 }
        try bench.give()
        let newest = try #require(try self.pages(.commands, "dev1", bench).first?.first)
        #expect(newest.detail("outcome") == "waiting" && newest.code == nil)
        #expect(newest.details?["finished"] == nil)
    }

    @Test(
        "A command that waits is cancelled: both who gave it and who cancelled it are told, and the audit log says who"
    )
    func cancelling() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice()
        #expect(try bench.command().code == "2.04")
        bench.runtime.deliver(.stopRequested, to: device)
        try bench.drive("the device is away") { bench.gateway.statistics["registrations"] == 0 }
        let giver = try bench.give()
        var request = ControlRequest(id: 9, verb: .cancelCommand)
        request.user = "eve"
        #expect(try bench.answer(to: request).cause == "bad-request")
        request.command = 3
        #expect(try bench.answer(to: request).cause == "unknown-command")
        request.command = 1
        #expect(try bench.answer(to: request).cause == "unknown-command", "it has ended")
        request.command = 2
        let answers = [try bench.answer(to: request), try bench.reply(giver)]
        for answer in answers {
            #expect(answer.done && answer.kind == .result && answer.endpoint == "dev1")
            #expect(answer.detail("outcome") == "not-done" && answer.detail("reason") == "cancelled")
            #expect(answer.detail("command") == "2")
        }
        let lines = try self.pages(.audit, "dev1", bench).flatMap { $0 }
        #expect(lines.first?.detail("what") == "not-executed cancelled", "\(lines)")
        #expect(lines.first?.detail("user") == "eve")
    }

    @Test func anyCursorIsHarmless() throws {
        let bench = try GatewayBench()
        for verb in [ControlRequest.Verb.commands, .audit] {
            for cursor in [Int.min, -1, 0, 99, .max] {
                var request = ControlRequest(id: 1, verb: verb)
                request.cursor = cursor
                let reply = try bench.answer(to: request)
                #expect(cursor < 0 ? reply.cause == "bad-request" : reply.kind == .page, "\(cursor)")
            }
        }
    }

    @Test func withoutAStateThereIsNothingToList() throws {
        let bench = try GatewayBench(hasState: false)
        for verb in [ControlRequest.Verb.commands, .audit] {
            #expect(try bench.answer(to: ControlRequest(id: 1, verb: verb)).cause == "no-state")
        }
        try bench.startDevice()
        #expect(try bench.command().code == "2.04")
    }

    @Test func aCommandGoesOnWhenItsClientIsGone() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice()
        do {
            let client = try bench.control()
            for id in 1...3 as ClosedRange<UInt64> { try bench.send(.command("value \(id)", id: id), client) }
        }
        try bench.drive("every end") { bench.outcomes.count == 3 }
        #expect(bench.value(of: device) == .string("value 3"))
    }

    @Test func aResetIsAnsweredToWhoAskedForIt() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice()
        #expect(try bench.command().code == "2.04")
        bench.runtime.removeDevice(device)
        // Both are read in one turn: the second finds the first under way.
        let client = try bench.control()
        for id in [7, 8] as [UInt64] {
            try bench.send(ControlRequest(id: id, verb: .resetSession, endpoint: "dev1"), client)
        }
        var answers: [UInt64: ControlReply] = [:]
        for _ in 0..<2 {
            let reply = try bench.reply(client)
            answers[reply.id] = reply
        }
        #expect(answers[7]?.kind == .result)
        #expect(answers[8]?.kind == .result || answers[8]?.cause == "storing")
    }

    @Test func theQueueOfADeviceIsBounded() throws {
        let bench = try GatewayBench { $0.maximumCommandsPerDevice = 2 }
        let device = try bench.startDevice()
        #expect(try bench.command().code == "2.04")
        bench.runtime.deliver(.stopRequested, to: device)
        try bench.drive("the device is away") { bench.gateway.statistics["registrations"] == 0 }
        try bench.give()
        try bench.give()
        #expect(try bench.command().cause == "queue-full")
        #expect(bench.gateway.statistics["commandsQueueFull"] == 1)
    }

    private static let lines: [(String, cause: String)] = [
        (#"{"id":1,"verb":"command"}"#, "bad-request"),
        (#"{"id":1,"verb":"command","endpoint":"dev1"}"#, "bad-request"),
        (#"{"id":1,"verb":"command","endpoint":"dev1","operation":"write"}"#, "bad-request"),
        (#"{"id":1,"verb":"command","endpoint":"dev1","operation":"read","path":"/3/0"}"#, "bad-request"),
        (#"{"id":1,"verb":"command","endpoint":"dev1","operation":"write","path":"/3303/0/5750"}"#, "bad-request"),
        (
            #"{"id":1,"verb":"command","endpoint":"dev1","operation":"write","path":"/","values":{"":"1"}}"#,
            "bad-request"
        ),
        (
            #"{"id":1,"verb":"command","endpoint":"dev1","operation":"update","path":"/3303","values":{"0/5750":"1"}}"#,
            "bad-request"
        ),
        (#"{"id":1,"verb":"command","endpoint":"dev1","operation":"execute","path":"/3/0"}"#, "bad-request"),
        (#"{"id":1,"verb":"command","endpoint":"dev1","operation":"delete","path":"/"}"#, "bad-request"),
        (#"{"id":1,"verb":"standing"}"#, "bad-request"),
        (#"{"id":1,"verb":"unblock"}"#, "bad-request"),
        (#"{"id":1,"verb":"reset-alarm"}"#, "bad-request"),
        (#"{"id":1,"verb":"reset-session"}"#, "bad-request"),
        (#"{"id":1,"verb":"identifiers"}"#, "bad-request"),
        (#"{"id":1,"verb":"identifiers","endpoint":"dev1","dsid":7}"#, "bad-request"),
        (#"{"id":1,"verb":"audit","cursor":-1}"#, "bad-request"),
        (#"{"id":1,"verb":"command","endpoint":7}"#, "bad-request"),
    ]

    @Test(arguments: lines) func aLineThatMakesNoSenseIsAnswered(_ line: String, cause: String) throws {
        let bench = try GatewayBench()
        try bench.startDevice()
        let client = try bench.control()
        #expect(client.send(Array(line.utf8)))
        let reply = try bench.reply(client)
        #expect(reply.kind == .error && reply.done)
        #expect(reply.cause == cause, "\(reply.message ?? "")")
        #expect(try bench.command().code == "2.04")
    }

    @Test func namesOfAnyLengthAreHarmless() throws {
        let bench = try GatewayBench()
        try bench.startDevice()
        let name = String(repeating: "x", count: 60_000)
        let verbs: [ControlRequest.Verb] = [
            .command, .standing, .unblock, .resetAlarm, .resetSession, .identifiers,
        ]
        for verb in verbs {
            var request = ControlRequest.command(to: name)
            request.verb = verb
            #expect(try bench.answer(to: request).kind == .error)
        }
        for verb in [ControlRequest.Verb.commands, .audit] {
            #expect(try bench.answer(to: ControlRequest(id: 1, verb: verb, endpoint: name)).kind == .page)
        }
        var request = ControlRequest.command(String(repeating: "long ", count: 10_000))
        request.user = "anna"
        #expect(try bench.command(request).kind == .result)
    }
}
