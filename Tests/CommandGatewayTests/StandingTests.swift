import CoAPMessages
import CommandSessions
import GatewayEngine
import LwM2MModel
import ManagementService
import Primitives
import Testing

/// Who may do what, what breaches lead to, and how operators end that.
@Suite(.serialized) struct StandingTests {
    /// A device whose message 2 answers another command than it was given.
    private func makeSpoofedDevice(_ bench: GatewayBench) throws -> HandDevice {
        let device = try HandDevice(bench)
        try device.register()
        device.misbehaviour = { resource, _, good in
            guard resource == .message2, let message = try? SessionMessage(decoding: good.payload),
                let other = SessionCommand(.write, ObjectPath(3303, 0, 5750), contentFormat: .text, payload: [0x78])
            else { return nil }
            let changed = SessionMessage(number: 2, command: other, gsid: message.gsid, dsid: message.dsid)
            return HandDevice.content(changed.encoded)
        }
        return device
    }

    private func ask(_ verb: ControlRequest.Verb, _ bench: GatewayBench, user: String? = nil) throws -> ControlReply {
        var request = ControlRequest(id: 1, verb: verb, endpoint: "dev1")
        request.user = user
        return try bench.answer(to: request)
    }

    @Test func onlyPermittedCommandsAreTaken() throws {
        let rule = PermissionPolicy.Rule(
            user: "anna",
            endpointPrefix: "dev",
            path: ObjectPath(3303),
            operations: [.write]
        )
        let bench = try GatewayBench { $0.permissions = PermissionPolicy(rules: [rule]) }
        let device = try bench.startDevice()
        func give(_ user: String?, _ path: String = GatewayBench.path, _ operation: String = "write") throws
            -> ControlReply
        {
            var request = ControlRequest.command(at: path)
            request.user = user
            request.operation = operation
            return try bench.command(request)
        }
        #expect(try give("anna").code == "2.04")
        for reply in [
            try give("bob"), try give(nil), try give("Anna"), try give("anna", "/3/0/14"),
            try give("anna", "/3303/0/5750", "execute"),
        ] {
            #expect(reply.kind == .error && reply.cause == "unpermitted")
        }
        #expect(bench.number(.completed, of: device) == 1)
        #expect(bench.gateway.statistics["commandsUnpermitted"] == 5)
        #expect(bench.reports.count { if case .unpermitted = $0 { true } else { false } } == 5)
        let audit = try bench.ask(ControlRequest(id: 1, verb: .audit), try bench.control())
        #expect(
            audit.filter { $0.detail("what") == "refused unpermitted" }.compactMap { $0.detail("user") }
                == ["anna", "anna", "Anna", "operator", "bob"]
        )
    }

    @Test func aUserIsNotCutToAnother() throws {
        let name = String(repeating: "a", count: 64)
        let bench = try GatewayBench { $0.permissions = PermissionPolicy(rules: [.init(user: UTF8Text(name))]) }
        try bench.startDevice()
        var request = ControlRequest.command()
        for user in [name + "b", "", "an\na", "\u{7F}"] {
            request.user = user
            #expect(try bench.command(request).cause == "bad-request")
        }
        request.user = name
        #expect(try bench.command(request).code == "2.04")
    }

    @Test func aSpoofedDeviceIsSuspendedAndTheAlarmRaised() throws {
        let bench = try GatewayBench { $0.suspension = .seconds(3600) }
        let device = try self.makeSpoofedDevice(bench)
        let client = try bench.control()
        var request = ControlRequest.command()
        request.progress = true
        try bench.send(request, client)
        try device.drive("the end") { !bench.outcomes.isEmpty }
        #expect(bench.outcomes.map(\.outcome) == [.notDone(.breach(.changedCommand))])
        #expect(device.executed.isEmpty)
        #expect(bench.gateway.statistics["breaches-changed-command"] == 1)
        var events: [String?] = []
        repeat { events.append(try bench.reply(client).event) } while events.last != .some(nil)
        #expect(events.contains("breach"))
        var standing = try bench.standing()
        #expect(standing["suspended"] == .boolean(true) && standing["alarmed"] == .boolean(true))
        #expect(standing["blocked"] == .boolean(false))

        // What is given now waits.
        device.misbehaviour = { _, _, _ in nil }
        let waiting = try bench.give()
        #expect(bench.outcomes.count == 1)
        #expect(try self.ask(.resetAlarm, bench, user: "anna").kind == .result)
        #expect(try self.ask(.unblock, bench, user: "bob").kind == .result)
        try device.drive("the command that waited") { bench.outcomes.count == 2 }
        #expect(try bench.reply(waiting).code == "2.04")
        standing = try bench.standing()
        for name in ["suspended", "alarmed", "blocked"] { #expect(standing[name] == .boolean(false), "\(name)") }
        let audit = try bench.ask(ControlRequest(id: 1, verb: .audit, endpoint: "dev1"), try bench.control())
        let acts = audit.filter { ["unblocked", "alarm-reset"].contains($0.detail("what")) }
        #expect(acts.map { $0.detail("user") } == ["bob", "anna"])
        for what in ["suspended", "alarm-raised", "breach changed-command"] {
            #expect(audit.contains { $0.detail("what") == what }, "\(what)")
        }
    }

    @Test func aSuspensionEndsByItself() throws {
        let bench = try GatewayBench { $0.suspension = .milliseconds(200) }
        let device = try self.makeSpoofedDevice(bench)
        try bench.send(.command(), try bench.control())
        try device.drive("the end") { !bench.outcomes.isEmpty }
        device.misbehaviour = { _, _, _ in nil }
        try bench.give()
        try device.drive("the next command") { bench.outcomes.count == 2 }
        #expect(bench.outcomes.last?.outcome == .done(.changed))
        #expect(try bench.standing()["alarmed"] == .boolean(true))
    }

    @Test func aBlockedDeviceTakesNoCommandsAlsoAfterARestart() throws {
        var policy = BreachPolicy.standard
        policy[.spoofed] = [.log, .block]
        let bench = try GatewayBench { $0.policy = policy }
        let device = try self.makeSpoofedDevice(bench)
        try bench.send(.command(), try bench.control())
        try device.drive("the end") { !bench.outcomes.isEmpty }
        device.misbehaviour = { _, _, _ in nil }
        #expect(try bench.command().cause == "blocked")
        try bench.restart()
        #expect(try bench.command().cause == "blocked")
        #expect(try bench.standing()["blocked"] == .boolean(true))
        #expect(try self.ask(.unblock, bench).kind == .result)
        try device.register()
        try bench.give()
        try device.drive("a command") { bench.outcomes.count == 2 }
        #expect(bench.outcomes.last?.outcome == .done(.changed))
    }

    /// What a device may answer instead of what it should, and what it comes to.
    private static let misbehaviours: [(SessionResource, [UInt8]?, reason: String)] = [
        (.message1, nil, "refused 4.04"),
        (.message2, [], "breach changed-command"),
        (.message2, [0x80], "breach changed-command"),
        (.message2, Array(repeating: 0x9F, count: 2_000), "breach changed-command"),
        (.message2, Array("cellar".utf8), "breach changed-command"),
    ]

    @Test(arguments: misbehaviours)
    func nothingThatADeviceAnswersGoesBeyondItsOwnCommand(
        _ resource: SessionResource,
        _ bytes: [UInt8]?,
        reason: String
    ) throws {
        let bench = try GatewayBench()
        let device = try HandDevice(bench)
        try device.register()
        device.misbehaviour = { asked, _, _ in asked == resource ? HandDevice.content(bytes) : nil }
        let client = try bench.control()
        try bench.send(.command(), client)
        try device.drive("the end") { !bench.outcomes.isEmpty }
        #expect(bench.outcomes.map { "\($0.outcome)" } == ["not-done " + reason])
        #expect(device.executed.isEmpty)
        // The gateway serves others.
        try bench.startDevice("dev2")
        #expect(try bench.command(.command(to: "dev2")).code == "2.04")
    }

    @Test func message1ThatComesBackAsMessage2IsReflected() throws {
        let bench = try GatewayBench()
        let device = try HandDevice(bench)
        try device.register()
        var message1: [UInt8] = []
        device.misbehaviour = { resource, request, _ in
            if resource == .message1 { message1 = request.payload }
            return resource == .message2 ? HandDevice.content(message1) : nil
        }
        try bench.send(.command(), try bench.control())
        try device.drive("the end") { !bench.outcomes.isEmpty }
        #expect(bench.outcomes.map(\.outcome) == [.notDone(.breach(.reflected))])
        #expect(device.executed.isEmpty)
        #expect(bench.gateway.statistics["breaches-reflected"] == 1)
    }
}
