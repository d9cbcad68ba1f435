import ArgumentParser
import FleetReports
import Foundation
import PowerCut
import ServiceSupport

/// What is too large or too slow for real sockets.
struct FleetSimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run a fleet and its servers on a network in memory, in virtual time.",
        subcommands: [PowerCutCommand.self, PowerCutCompareCommand.self]
    )
}

/// Tables and plots of power cuts that were simulated before.
struct PowerCutCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Show several simulated power cuts in one table and one plot.",
        discussion: """
            EXAMPLE
              starling fleet simulate compare static.json three.json --plot comparison.svg

            EXIT STATUS
              0  done
              2  a file cannot be read or written
            """
    )

    @Argument(help: ArgumentHelp("Reports of `simulate power-cut --json`.", valueName: "file"))
    var files: [String]
    @Option(help: ArgumentHelp("Where the plot goes.", valueName: "file.svg"))
    var plot: String?

    func run() throws {
        let results = try self.files.map { path in
            do {
                return try PowerCutResult(json: String(contentsOfFile: path, encoding: .utf8))
            } catch {
                ServiceConsole.complain(
                    ServiceError("'\(path)' is no report of a power cut", hint: "write one with --json")
                )
                throw ExitCode(2)
            }
        }
        StandardStream.output.write(PowerCutResult.markdown(results))
        if let path = self.plot { try PowerCutCommand.write(PowerCutPlot(results).svg, to: path) }
    }
}
