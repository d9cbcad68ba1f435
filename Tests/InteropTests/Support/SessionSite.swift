import Foundation
import Testing

/// A device of ours and a gateway that was written from docs/command-sessions.md alone.
final class SessionSite {
    /// One line of the gateway: a step, and what the device answered to it.
    struct Step: Decodable, Equatable {
        var step: String
        var message1: String?
        var message2: String?
        var message3: String?
        var question: String?
        var outcome: String?
        var code: String?
        var value: String?
        var error: String?
    }

    /// One line of `starling device --json`.
    struct Event: Decodable {
        var event: String
        var server: UInt16?
        var path: String?
        var operation: String?
        var code: String?
        var milliseconds: Double?
        var error: String?
        var message: String?
    }

    private let starling: Program
    private let gateway: RunningProgram
    private let folder: TemporaryFolder
    private let configuration: String
    private var devices: [RunningProgram] = []

    /// Starts both.
    ///
    /// - Parameters:
    ///   - steps: what the gateway does, as the head of gateway.py lists it.
    ///   - policy: further keys of `commandSessions`, each on a line.
    ///   - gateway: the address that the device takes commands from.
    init(
        _ starling: Program,
        _ python: Program,
        _ steps: [String],
        policy: [String] = [],
        form: String = "both",
        gateway: String = "127.0.0.1"
    ) throws {
        self.starling = starling
        self.folder = try TemporaryFolder()
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Peers/gateway.py")
        self.gateway = try RunningProgram(python, [script.path, "--form", form] + steps, limit: 120)
        let port = try self.gateway.line(startingWith: #"{"port": "#).dropLast()
        let lines =
            [
                "endpoint: urn:dev:ops:32473-Lamp-1", "server: coap://127.0.0.1:\(port)", "store: ./lamp",
                "stop-timeout: 5s", "objects:", "  3303:", "    0:", "      5700: 21.5", "      5750: hall",
                "commandSessions:", "  gateway: [\(gateway)]", "  server: 1", "  form: \(form)",
                "  protect: [/3303/0/5750, /3303/0/5605]",
            ] + policy.map { "  \($0)" }
        self.configuration = try self.folder.write(lines.joined(separator: "\n") + "\n", to: "lamp.yaml")
        try self.startDevice()
    }

    /// Starts the device, or starts it again.
    func startDevice() throws {
        self.devices.append(try RunningProgram(self.starling, ["device", self.configuration, "--json"], limit: 120))
    }

    /// Takes the device down as a power cut would, once the gateway has got to the end of a step.
    func cutPower(after step: String) throws {
        _ = try self.gateway.line(startingWith: #"{"step": "\#(step)""#)
        self.devices.last?.kill()
    }

    /// Waits until all steps are done, lets the device leave, and tells what each side said.
    func finish() throws -> (steps: [Step], events: [Event]) {
        _ = try self.gateway.line(startingWith: #"{"end""#, limit: .seconds(60))
        let device = try #require(self.devices.last)
        device.interrupt()
        #expect(device.waitForEnd() == 0, "\(device.output)\(device.errors)")
        self.gateway.end()
        let output = self.devices.map { $0.output }.joined()
        return (Self.lines(self.gateway.output), Self.lines(output))
    }

    /// The lines that are such objects.
    private static func lines<Line: Decodable>(_ output: String) -> [Line] {
        output.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    }
}
