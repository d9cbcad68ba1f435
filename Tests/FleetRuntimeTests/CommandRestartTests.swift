import CoAPMessages
import CoAPTransport
import CommandSessions
import FleetReports
import FleetRuntime
import FleetScenarios
import LoopbackPeers
import LwM2MModel
import Primitives
import Testing

/// Gives commands in sessions to every device that is registered, and begins anew when a device has come back.
private final class GatewayByHand {
    private enum Step {
        case message1
        case message2
        case message3
    }

    private struct Talk {
        var session: HandwrittenSession
        var step: Step
        var tag: UInt32
        /// The registration that it began with.
        let location: String
    }

    private let server: LoopbackServer
    private let command: SessionCommand
    private var random = RandomSource(seed: 1)
    private var talks: [String: Talk] = [:]
    private var known: [String: SessionIdentifier] = [:]
    private(set) var completed: [String: Int] = [:]
    /// Answers that a device gives to a gateway which does not hold the state of the last session.
    private(set) var breaches = 0
    private(set) var comebacks = 0

    init(_ server: LoopbackServer, _ command: SessionCommand) {
        self.server = server
        self.command = command
    }

    func turn() throws {
        for (endpoint, registration) in self.server.registrations {
            guard let talk = self.talks[endpoint] else {
                try self.begin(endpoint, registration.location)
                continue
            }
            if talk.location != registration.location {
                self.comebacks += 1
                try self.begin(endpoint, registration.location)
            } else if let answer = self.server.answers(to: talk.tag).first {
                try self.goOn(endpoint, talk, answer)
            }
        }
    }

    private func begin(_ endpoint: String, _ location: String) throws {
        let gsid = try #require(SessionIdentifier(from: &self.random))
        let session = HandwrittenSession(self.command, gsid: gsid, knowing: self.known[endpoint])
        let tag = try self.server.send(session.writeMessage1, to: endpoint)
        self.talks[endpoint] = Talk(session: session, step: .message1, tag: tag, location: location)
    }

    private func goOn(_ endpoint: String, _ talk: Talk, _ answer: CoAPResponse) throws {
        var talk = talk
        if answer.code == .forbidden || answer.code == .unauthorized { self.breaches += 1 }
        switch talk.step {
        case .message1 where answer.code == .changed:
            talk.step = .message2
            talk.tag = try self.server.send(talk.session.readMessage2, to: endpoint)
        case .message2 where talk.session.takeMessage2(answer.payload):
            self.known[endpoint] = talk.session.dsid
            talk.step = .message3
            talk.tag = try self.server.send(talk.session.writeMessage3, to: endpoint)
        case .message3 where answer.code == .changed:
            self.completed[endpoint, default: 0] += 1
            return try self.begin(endpoint, talk.location)
        case .message1, .message2, .message3:
            return try self.begin(endpoint, talk.location)
        }
        self.talks[endpoint] = talk
    }
}

@Suite(.serialized) struct CommandRestartTests {
    private let loop: EventLoop
    private let command: SessionCommand

    init() throws {
        self.loop = try EventLoop()
        self.command = try #require(
            SessionCommand(.write, ObjectPath(3, 0, 15), contentFormat: .text, payload: Array("Europe/Rome".utf8))
        )
    }

    private func scenario(_ server: LoopbackServer, _ values: [String: String]) throws -> FleetScenario {
        var options = ScenarioOptions()
        options["server"] = server.uri
        options["devices"] = "5"
        options["rate"] = "2000/s"
        options["duration"] = "forever"
        options["command-sessions"] = "protect=/3/0/15"
        for (name, value) in values { options[name] = value }
        return try FleetScenario(options: options)
    }

    /// Runs a fleet until each device has done so many commands.
    private func run(
        _ scenario: FleetScenario,
        _ gateway: GatewayByHand,
        commands: Int,
        comebacks: Int
    ) throws -> FleetReport {
        let fleet = try FleetRuntime(scenario: scenario, loop: self.loop)
        var isEnding = false
        var failure: (any Error)?
        let report = fleet.run(progressEvery: .milliseconds(2)) { progress in
            guard progress.phase == .hold, !isEnding else { return }
            do { try gateway.turn() } catch { failure = error }
            let isDone = gateway.completed.count == 5 && gateway.completed.values.allSatisfy { $0 >= commands }
            if failure != nil || isDone && gateway.comebacks >= comebacks {
                isEnding = true
                fleet.interrupt()
            }
        }
        if let failure { throw failure }
        return report
    }

    @Test("Devices that go down in the middle come back with what they stored: no session is taken for a stranger's")
    func comeBack() throws {
        let server = try LoopbackServer(loop: self.loop, key: nil)
        let gateway = GatewayByHand(server, self.command)
        let scenario = try self.scenario(server, ["command-restarts": "25%"])
        let report = try self.run(scenario, gateway, commands: 3, comebacks: 5)
        let commands = try #require(report.commands)
        #expect(gateway.breaches == 0)
        #expect(commands.breaches.isEmpty)
        #expect(commands.suspensions == 0)
        #expect(commands.refused == 0)
        #expect(commands.restarts >= gateway.comebacks)
        #expect(commands.completed >= gateway.completed.values.reduce(0, +))
        #expect(report.devices.registered == 5)
        #expect(report.isFlawless)
        #expect(report.table.contains("restarts"))
    }

    @Test func withoutRestartsEverySessionCompletes() throws {
        let server = try LoopbackServer(loop: self.loop, key: nil)
        let gateway = GatewayByHand(server, self.command)
        let report = try self.run(try self.scenario(server, [:]), gateway, commands: 2, comebacks: 0)
        let commands = try #require(report.commands)
        #expect(commands.restarts == 0)
        #expect(commands.completed >= 10)
        #expect(commands.breaches.isEmpty)
        #expect(report.devices.written == 5)
        #expect(server.deregistered.count == 5)
    }

    @Test func whatIsProtectedIsCountedWhenAServerChangesItDirectly() throws {
        let server = try LoopbackServer(loop: self.loop, key: nil)
        let fleet = try FleetRuntime(scenario: try self.scenario(server, ["devices": "1"]), loop: self.loop)
        var tag: UInt32?
        let write = CoAPRequest(.put, path: ["3", "0", "15"], contentFormat: .text, payload: Array("x".utf8))
        let report = fleet.run(progressEvery: .milliseconds(2)) { progress in
            guard progress.phase == .hold, let endpoint = server.registrations.keys.first else { return }
            if let tag {
                if !server.answers(to: tag).isEmpty { fleet.interrupt() }
            } else {
                tag = try? server.send(write, to: endpoint)
            }
        }
        #expect(try server.answers(to: #require(tag)).first?.code == .forbidden)
        #expect(report.commands?.breaches == ["direct-change": 1])
        #expect(report.commands?.completed == 0)
    }

    @Test func aFleetWithoutSessionsReportsNone() throws {
        let server = try LoopbackServer(loop: self.loop, key: nil)
        var scenario = try self.scenario(server, ["duration": "20ms"])
        scenario.sessionPolicy = nil
        let report = try FleetRuntime(scenario: scenario, loop: self.loop).run(progressEvery: .milliseconds(10))
        #expect(report.commands == nil)
        #expect(report.isFlawless)
    }
}
