import CommandGateway
import CommandSessions
import Foundation
import GatewayEngine
import LoopbackPeers
import ManagementService
import Primitives
import ServiceSupport
import Testing

/// A gateway that ends at any point and comes back with its state.
@Suite(.serialized) struct RestartTests {
    @Test func commandsThatWaitAreDoneAfterARestartAndNumbersGoOn() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice(isSecured: false)
        #expect(try bench.command().code == "2.04")
        bench.runtime.deliver(.stopRequested, to: device)
        try bench.drive("the device is away") { bench.gateway.statistics["registrations"] == 0 }
        try bench.give(.command("first"))
        try bench.give(.command("second"))
        try bench.restart()
        #expect(bench.gateway.statistics["commandsWaiting"] == 2)
        try bench.restartDevice(device, isSecured: false)
        try bench.drive("both are done") { bench.outcomes.count == 3 }
        #expect(bench.outcomes.map(\.command) == [1, 2, 3])
        #expect(bench.outcomes.allSatisfy { $0.outcome == .done(.changed) })
        #expect(bench.value(of: device) == .string("second"))
        #expect(try bench.command().detail("command") == "4")
    }

    @Test func theOutcomeIsAskedForBeforeAnythingElse() throws {
        let bench = try GatewayBench { $0.quietTime = .zero }
        let device = try HandDevice(bench)
        try device.register(isSecured: false)
        let client = try bench.control()
        try bench.send(.command("once"), client)
        try device.drive("message 3") { !device.executed.isEmpty }
        // The answer to message 3 finds nobody.
        try bench.restart()
        #expect(bench.outcomes.isEmpty)
        try device.update()
        try device.drive("the outcome") { !bench.outcomes.isEmpty }
        #expect(bench.outcomes.map(\.command) == [1])
        #expect(bench.outcomes.map(\.outcome) == [.done(.changed)])
        #expect(device.executed.count == 1)
        let resources = device.messages.map(\.resource)
        #expect(resources == [.message1, .message2, .message3, .outcomeQuery, .outcome])
        // The first session after it needs nobody's help.
        try bench.send(.command("afterwards"), try bench.control())
        try device.drive("the next command") { bench.outcomes.count == 2 }
        #expect(bench.outcomes.map(\.outcome).last == .done(.changed))
        #expect(device.executed.map { String(decoding: $0.payload, as: UTF8.self) } == ["once", "afterwards"])
    }

    @Test func aSessionWhoseMessage3NeverArrivedIsBegunAnew() throws {
        let bench = try GatewayBench { $0.quietTime = .zero }
        let device = try HandDevice(bench)
        try device.register(isSecured: false)
        try bench.send(.command(), try bench.control())
        try device.drive("message 2 is read") { device.messages.contains { $0.resource == .message2 } }
        // The answer finds nobody.
        try bench.restart()
        try device.update()
        try device.drive("the command") { !bench.outcomes.isEmpty }
        #expect(bench.outcomes.map(\.outcome) == [.done(.changed)])
        #expect(device.executed.count == 1)
        #expect(device.messages.map(\.resource) == [.message1, .message2, .message1, .message2, .message3])
    }

    @Test func withoutItsStateAGatewayIsRefused() throws {
        let bench = try GatewayBench(hasState: false)
        let device = try bench.startDevice(isSecured: false)
        #expect(try bench.command().code == "2.04")
        try bench.restart()
        try bench.restartDevice(device, isSecured: false)
        try bench.waitUntilRegistered(device)
        let end = try bench.command()
        #expect(end.detail("outcome") == "not-done")
        #expect(end.detail("reason") == "refused 4.03")
        #expect(bench.value(of: device) == .string("attic"))
        #expect(bench.number(.breaches, of: device) == 1)
    }

    @Test func aDeviceThatWasCommissionedAnewIsServedAfterAReset() throws {
        let bench = try GatewayBench()
        let device = try bench.startDevice()
        #expect(try bench.command().code == "2.04")
        bench.runtime.removeDevice(device)
        let anew = try bench.startDevice()
        let refused = try bench.command()
        #expect(refused.detail("reason") == "refused 4.03")
        // The device left its server alone after the breach; it is as good as new once more.
        bench.runtime.removeDevice(anew)
        let again = try bench.startDevice()
        var reset = ControlRequest(id: 1, verb: .resetSession, endpoint: "dev1")
        reset.user = "anna"
        let reply = try bench.answer(to: reset)
        #expect(reply.kind == .result && reply.done)
        #expect(try bench.standing()["identifiers"] == .boolean(false))
        #expect(try bench.command(.command("anew")).code == "2.04")
        #expect(bench.value(of: again) == .string("anew"))
        #expect(try bench.audit().contains("session-reset"))
    }

    @Test func aResetDuringASessionNeedsForceAndLeavesItsCommandUnknown() throws {
        let bench = try GatewayBench { $0.pause = .seconds(3600) }
        let device = try HandDevice(bench)
        try device.register(isSecured: false)
        device.misbehaviour = { resource, _, _ in
            resource == .message3 || resource == .outcomeQuery ? HandDevice.content(nil) : nil
        }
        let client = try bench.control()
        try bench.send(.command(), client)
        try device.drive("message 3") { device.messages.contains { $0.resource == .outcomeQuery } }
        try device.drive("a rest") { try bench.standing()["session"] == .text("interrupted") }
        var reset = ControlRequest(id: 2, verb: .resetSession, endpoint: "dev1")
        #expect(try bench.answer(to: reset).cause == "in-progress")
        reset.replaces = true
        #expect(try bench.answer(to: reset).kind == .result)
        #expect(bench.outcomes.map(\.outcome) == [.unknown])
        #expect(try bench.audit().suffix(2).sorted() == ["session-reset", "unknown"])
    }

    @Test func aStateThatIsNoneOrInUseIsSaidWithAHint() throws {
        let bench = try GatewayBench()
        func start(_ path: String) -> ServiceError? {
            do throws(ServiceError) {
                _ = try CommandGateway(
                    configuration: CommandGateway.Configuration(
                        addresses: [try ListenAddress(parsing: "coap://127.0.0.1:0")],
                        keys: .none,
                        statePath: path
                    )
                )
                return nil
            } catch {
                return error
            }
        }
        #expect(start(bench.folder.path + "/state")?.hint.isEmpty == false)
        #expect(start("/nonexistent/state")?.message.contains("cannot be opened") == true)
        let file = bench.folder.path + "/text"
        try Data(String(repeating: "no database ", count: 200).utf8).write(to: URL(fileURLWithPath: file))
        #expect(start(file)?.hint.isEmpty == false)
        #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("no database "))
        #expect(start(bench.folder.path + "/new") == nil)
    }
}
