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

/// Gives commands in sessions to every device that is registered, one after the other, over whatever becomes of them.
private final class LoopbackGateway {
    private enum Question {
        case write
        case message2
        case outcome
    }

    private struct Talk {
        var machine = GatewaySessionMachine(form: .bothIdentifiers)
        /// What was asked last; nil when it is answered.
        var asked: (question: Question, tag: UInt32)?
        /// The registration that it was asked over.
        var location: String
    }

    private let server: LoopbackServer
    private let command: SessionCommand
    private var random = RandomSource(seed: 1)
    private var talks: [String: Talk] = [:]
    private(set) var completed: [String: Int] = [:]
    /// How sessions ended whose command was not executed.
    private(set) var causes: Set<GatewaySessionMachine.Cause> = []
    private(set) var comebacks = 0

    init(_ server: LoopbackServer, _ command: SessionCommand) {
        self.server = server
        self.command = command
    }

    func turn() throws {
        for (endpoint, registration) in self.server.registrations {
            var talk = self.talks[endpoint] ?? Talk(location: registration.location)
            if talk.location != registration.location {
                self.comebacks += 1
                talk.location = registration.location
                // What was asked before is answered by nobody any more.
                talk.asked = nil
                try self.perform(talk.machine.unanswered(), endpoint, &talk)
            } else if let asked = talk.asked, let answer = self.server.answers(to: asked.tag).first {
                talk.asked = nil
                try self.perform(Self.take(answer, asked.question, &talk.machine), endpoint, &talk)
            }
            if talk.asked == nil {
                let action =
                    talk.machine.isWaiting
                    ? talk.machine.resume()
                    : talk.machine.begin(self.command, identifier: try #require(SessionIdentifier(from: &self.random)))
                try self.perform(action, endpoint, &talk)
            }
            self.talks[endpoint] = talk
        }
    }

    private static func take(
        _ answer: CoAPResponse,
        _ question: Question,
        _ machine: inout GatewaySessionMachine
    ) -> GatewaySessionMachine.Action {
        switch question {
        case .write: machine.writeAnswered(answer.code)
        case .message2 where answer.code == .content: machine.message2Received(answer.payload)
        case .outcome where answer.code == .content: machine.outcomeReceived(answer.payload)
        case .message2, .outcome: machine.readRefused(answer.code)
        }
    }

    private func perform(_ action: GatewaySessionMachine.Action, _ endpoint: String, _ talk: inout Talk) throws {
        switch action {
        case .none, .wait: break
        case .store: try self.perform(talk.machine.stored(), endpoint, &talk)
        case .sendMessage1(let message): try self.write(message.encoded, .message1, endpoint, &talk)
        case .sendMessage3(let message): try self.write(message.encoded, .message3, endpoint, &talk)
        case .sendOutcomeQuery(let pair): try self.write(pair.encoded, .outcomeQuery, endpoint, &talk)
        case .readMessage2: try self.read(.message2, .message2, endpoint, &talk)
        case .readOutcome: try self.read(.outcome, .outcome, endpoint, &talk)
        case .finish(.done): self.completed[endpoint, default: 0] += 1
        case .finish(.notDone(let cause)): self.causes.insert(cause)
        case .finish(.unknown): self.causes.insert(.notExecuted)
        }
    }

    private func write(_ bytes: [UInt8], _ resource: SessionResource, _ endpoint: String, _ talk: inout Talk) throws {
        let request = CoAPRequest(
            .put,
            path: HandwrittenSession.path(resource),
            contentFormat: .opaque,
            payload: bytes
        )
        talk.asked = (.write, try self.server.send(request, to: endpoint))
    }

    private func read(
        _ resource: SessionResource,
        _ question: Question,
        _ endpoint: String,
        _ talk: inout Talk
    ) throws {
        let request = CoAPRequest(.get, path: HandwrittenSession.path(resource), accept: .opaque)
        talk.asked = (question, try self.server.send(request, to: endpoint))
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
        // The runs end by an interrupt; one that never comes to it ends all the same.
        options["duration"] = "2m"
        options["command-sessions"] = "protect=/3/0/15"
        for (name, value) in values { options[name] = value }
        return try FleetScenario(options: options)
    }

    /// Runs a fleet until each device has done so many commands.
    private func run(
        _ scenario: FleetScenario,
        _ gateway: LoopbackGateway,
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
        try #require(isEnding, "it never came so far")
        return report
    }

    @Test("Devices that go down in the middle come back with what they stored: no session is taken for a stranger's")
    func comeBack() throws {
        let server = try LoopbackServer(loop: self.loop, key: nil)
        let gateway = LoopbackGateway(server, self.command)
        let scenario = try self.scenario(server, ["command-restarts": "25%"])
        let report = try self.run(scenario, gateway, commands: 3, comebacks: 5)
        let commands = try #require(report.commands)
        #expect(
            gateway.causes.allSatisfy {
                switch $0 {
                case .notExecuted, .refused(.notFound), .unanswered: true
                case .breach, .notStored, .refused: false
                }
            },
            "\(gateway.causes)"
        )
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
        let gateway = LoopbackGateway(server, self.command)
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
