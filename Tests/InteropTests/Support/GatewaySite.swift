import Foundation
import Testing

/// A `starling gateway` of a test, on ports and with a state of its own.
final class GatewaySite {
    /// For example `coaps://127.0.0.1:40001`.
    let uri: String
    let folder: TemporaryFolder
    private let program: Program
    private let process: RunningProgram

    /// - Parameter options: what it is started with besides.
    init(_ program: Program, _ options: String...) throws {
        self.program = program
        self.folder = try TemporaryFolder()
        self.process = try RunningProgram(
            program,
            [
                "gateway", "--listen", "coaps://127.0.0.1:0", "--psk-key", SharedKey.hexadecimal,
                "--state", self.folder.path("state.sqlite"), "--control", self.folder.path("control"),
            ] + options,
            limit: 600
        )
        self.uri = try self.process.line(startingWith: "listening ")
        _ = try self.process.line(startingWith: "control ")
    }

    /// What it has printed so far.
    var log: String { self.process.output + self.process.errors }

    /// Has it read its policy again.
    func hangUp() { self.process.signal(SIGHUP) }

    /// Ends it as a crash would.
    func kill() { self.process.kill() }

    /// Asks it as a person would.
    func control(_ arguments: String..., limit: Int = 60) throws -> ProgramResult {
        try self.program.run(["ctl"] + arguments + ["--control", self.folder.path("control")], limit: limit)
    }

    /// Gives every device a command, and counts what became of them.
    func campaign(at path: String, _ options: String...) throws -> CampaignCounts {
        let words = ["ctl", "command", "--all", "write", path, "cellar", "--json"] + options
        let result = try self.program.run(words + ["--control", self.folder.path("control")], limit: 480)
        guard !result.output.isEmpty else { throw InteropError.endedEarly(result.errors) }
        return try JSONDecoder().decode(CampaignCounts.self, from: Data(result.output.utf8))
    }

    /// Asks it, and goes on at once.
    func start(_ arguments: String...) throws -> RunningProgram {
        try RunningProgram(self.program, ["ctl"] + arguments + ["--control", self.folder.path("control")], limit: 300)
    }

    /// Its counters.
    func statistics() throws -> [String: Int] {
        try JSONDecoder().decode([String: Int].self, from: Data(self.control("stats", "--json").output.utf8))
    }

    /// Starts devices that protect a text, and waits until all are registered.
    func fleet(devices: Int, _ options: String...) throws -> RunningProgram {
        let fleet = try RunningProgram(
            self.program,
            [
                "fleet", "run", "--devices", "\(devices)", "--server", self.uri, "--psk-key", SharedKey.hexadecimal,
                "--command-sessions", "protect=/3303", "--duration", "forever", "--rate", "50/s",
                "--json", self.folder.path("report.json"),
            ] + options,
            limit: 600
        )
        try waitUntil("\(devices) registrations", limit: .seconds(240)) {
            try self.statistics()["registrations"] == devices
        }
        return fleet
    }

    /// Ends a fleet, and returns its report.
    func report(of fleet: RunningProgram) throws -> CommandFleetReport {
        fleet.interrupt()
        _ = fleet.waitForEnd()
        return try JSONDecoder().decode(CommandFleetReport.self, from: Data(self.folder.read("report.json").utf8))
    }
}

/// The part of a fleet's report that counts commands.
struct FleetCommands: Decodable {
    let completed: Int
    let refused: Int
    let aborted: Int
    let breaches: [String: Int]
    let restarts: Int
}

/// What is looked at in the report of a fleet that has command sessions.
struct CommandFleetReport: Decodable {
    let commands: FleetCommands
    let lossPercent: Int?
    let transport: [String: Int]
}

/// What `starling ctl command --all --json` counts.
struct CampaignCounts: Decodable, Equatable {
    var given = 0
    var done = 0
    var refusedByDevice = 0
    var notDone = 0
    var unknown = 0
    var notTaken = 0
}
