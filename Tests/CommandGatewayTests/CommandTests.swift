import CoAPMessages
import CommandSessions
import GatewayEngine
import LwM2MModel
import ManagementService
import Primitives
import Testing

/// Commands to a device that behaves, through real sockets.
@Suite(.serialized) struct CommandTests {
    @Test(arguments: [(SessionForm.bothIdentifiers, true), (.bothIdentifiers, false), (.deviceIdentifier, true)])
    func aCommandIsExecutedOnceAndItsEndTold(_ form: SessionForm, isSecured: Bool) throws {
        let bench = try GatewayBench { $0.form = form }
        let device = try bench.startDevice(isSecured: isSecured, form: form)
        let replies = try bench.ask(.command(id: 9), try bench.control())
        #expect(replies.map(\.event) == ["accepted", nil])
        #expect(replies.allSatisfy { $0.id == 9 && $0.endpoint == "dev1" && $0.path == GatewayBench.path })
        let end = try #require(replies.last)
        #expect(end.kind == .result && end.code == "2.04" && end.isSuccess)
        #expect(end.details == ["command": .integer(1), "outcome": .text("done")])
        #expect(end.message == "executed once")
        #expect(bench.value(of: device) == .string("cellar"))
        #expect(bench.number(.completed, of: device) == 1)
        #expect(try bench.audit() == ["given", "session-begun", "executed 2.04"])
        #expect(bench.outcomes.map(\.outcome) == [.done(.changed)])
        let statistics = bench.gateway.statistics
        for name in ["commandsAccepted", "commandsDone", "commandSessionsBegun", "commandSessionsCompleted"] {
            #expect(statistics[name] == 1, "\(name)")
        }
        #expect(statistics["commandsWaiting"] == 0)
    }

    @Test func whoAsksForProgressIsShownEveryMessageOfTheSession() throws {
        let bench = try GatewayBench()
        try bench.startDevice()
        #expect(try bench.command().code == "2.04")
        var request = ControlRequest.command()
        request.progress = true
        let replies = try bench.ask(request, try bench.control())
        #expect(replies.map(\.event) == ["accepted", "session", "message-1", "message-2", "message-3", nil])
        let messages = replies.filter { $0.event?.hasPrefix("message") == true }
        #expect(messages.map { $0.detail("direction") } == ["sent", "received", "sent"])
        #expect(messages.allSatisfy { $0.detail("operation") == "write" && $0.detail("bytes") == "6" })
        // Eight digits and an ellipsis: enough to tell two identifiers apart.
        for name in ["gsid", "dsid"] { #expect(messages.allSatisfy { $0.detail(name)?.count == 9 }, "\(name)") }
        #expect(Set(messages.map { $0.detail("gsid") }).count == 1)
        #expect(messages[0].detail("dsid") != messages[1].detail("dsid"))
        #expect(messages[1].detail("dsid") == messages[2].detail("dsid"))
    }

    @Test func aCommandThatTheDeviceRefusesWasExecutedAllTheSame() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice()
        let end = try bench.command(.command("21", at: "/3303/0/5700"))
        #expect(end.kind == .result && end.code == "4.05" && !end.isSuccess)
        #expect(end.detail("outcome") == "done")
        #expect(end.message?.contains("refused") == true)
        #expect(bench.number(.completed, of: device) == 1)
        #expect(try bench.audit().last == "executed 4.05")
    }

    @Test func everyOperationGoesThroughASession() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice()
        func command(_ operation: String, _ path: String, _ values: [String: String]?) throws -> String? {
            var request = ControlRequest(id: 1, verb: .command, endpoint: "dev1", path: path)
            request.operation = operation
            request.values = values
            return try bench.command(request).code
        }
        #expect(try command("update", "/3303/0", ["5750": "roof"]) == "2.04")
        #expect(bench.value(of: device) == .string("roof"))
        // A success of any kind is told as one.
        #expect(try command("create", "/3303/7", ["5750": "shed", "5700": "3.5"]) == "2.04")
        #expect(bench.runtime.value(at: ObjectPath(3303, 7, 5750), of: device) == .string("shed"))
        // What it does not write would be removed, and a measured value is not to be written.
        #expect(try command("write", "/3303/7", ["5750": "barn", "5700": "3.5"]) == "4.05")
        #expect(try command("delete", "/3303/7", nil) == "2.04")
        #expect(bench.runtime.value(at: ObjectPath(3303, 7, 5750), of: device) == nil)
        // Nobody executes it here, which the device says.
        #expect(try command("execute", "/3/0/4", nil) == "4.05")
        #expect(bench.number(.completed, of: device) == 5)
    }

    @Test func aDirectChangeIsRefusedByTheDeviceAndCountedThere() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice()
        var write = ControlRequest(id: 1, verb: .write, endpoint: "dev1", path: GatewayBench.path)
        write.values = ["": "elsewhere"]
        #expect(try bench.answer(to: write).code == "4.03")
        #expect(bench.value(of: device) == .string("attic"))
        #expect(bench.number(.refusedDirectChanges, of: device) == 1)
        // Reading it is no change.
        #expect(
            try bench.answer(to: ControlRequest(id: 1, verb: .read, endpoint: "dev1", path: GatewayBench.path)).code
                == "2.05"
        )
    }

    @Test func commandsOfOneDeviceFollowOneAnotherInOrder() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice()
        try bench.startDevice("dev2")
        let client = try bench.control()
        for id in 1...6 as ClosedRange<UInt64> {
            try bench.send(.command("value \(id)", to: id == 6 ? "dev2" : "dev1", id: id), client)
        }
        try bench.drive("every end") { bench.outcomes.count == 6 }
        #expect(bench.outcomes.filter { $0.endpoint == "dev1" }.map(\.command) == [1, 2, 3, 4, 5])
        #expect(bench.outcomes.allSatisfy { $0.outcome == .done(.changed) })
        #expect(bench.value(of: device) == .string("value 5"))
        #expect(bench.number(.completed, of: device) == 5)
    }

    @Test func aCommandWaitsForADeviceThatIsAway() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice()
        #expect(try bench.command().code == "2.04")
        bench.runtime.deliver(.stopRequested, to: device)
        try bench.drive("the device is away") { bench.gateway.statistics["registrations"] == 0 }
        let client = try bench.give(.command("later"))
        var standing = try bench.standing()
        #expect(standing["available"] == .boolean(false))
        #expect(standing["commands"] == .integer(1))
        #expect(standing["session"] == .text("none"))
        #expect(standing["identifiers"] == .boolean(true))
        #expect(bench.outcomes.count == 1)

        try bench.restartDevice(device)
        #expect(try bench.reply(client).code == "2.04")
        #expect(bench.value(of: device) == .string("later"))
        standing = try bench.standing()
        #expect(standing["available"] == .boolean(true))
        #expect(standing["commands"] == .integer(0))
    }

    @Test func aDeviceThatNobodyKnowsIsSaid() throws {
        let bench = try GatewayBench()
        #expect(try bench.command(.command(to: "nobody")).cause == "not-registered")
        for verb in [ControlRequest.Verb.standing, .unblock, .resetAlarm, .resetSession] {
            let reply = try bench.answer(to: ControlRequest(id: 1, verb: verb, endpoint: "nobody"))
            #expect(reply.kind == .error && reply.cause == "unknown-device", "\(verb)")
        }
        #expect(try bench.audit() == [])
    }

    @Test func aCommandThatIsNotDoneInItsTimeEnds() throws {
        let bench = try GatewayBench { $0.commandTimeout = .milliseconds(300) }
        let device = try bench.startDevice()
        bench.runtime.deliver(.stopRequested, to: device)
        try bench.drive("the device is away") { bench.gateway.statistics["registrations"] == 0 }
        // A device with which there never was a session is forgotten when it goes.
        #expect(try bench.command().cause == "not-registered")
        try bench.restartDevice(device)
        try bench.waitUntilRegistered(device)
        #expect(try bench.command().code == "2.04")
        bench.runtime.deliver(.stopRequested, to: device)
        try bench.drive("the device is away") { bench.gateway.statistics["registrations"] == 0 }
        let end = try bench.command()
        #expect(end.kind == .result && end.code == nil)
        #expect(end.detail("outcome") == "not-done")
        #expect(end.detail("reason") == "deadline-passed")
        #expect(try bench.audit().last == "not-executed deadline-passed")
    }
}
