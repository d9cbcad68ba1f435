import ArgumentParser
import CryptographicHashes
import FleetReports
import FleetScenarios
import Foundation
import PowerCut
import ServiceSupport

/// Simulates a power cut, shows how it goes, and reports.
struct PowerCutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "power-cut",
        abstract: "Reboot every device at once and see how long bootstrap takes.",
        discussion: """
            Devices, bootstrap servers and balancer are the ones that run on real sockets; network, clock and what a \
            datagram costs a server are simulated. The same options give the same report, byte for byte.

            EXAMPLES
              A static server under attack:
                starling fleet simulate power-cut --devices 100000 --instances 0 --attack 50000/s

              Ten balanced instances, found by temporary names:
                starling fleet simulate power-cut --devices 1000000 --instances 10 --json ten.json --plot ten.svg

            EXIT STATUS
              0  every device was bootstrapped
              1  some were not when the limit passed
              2  a file cannot be written
              64 the options are not valid
            """
    )

    @Option(help: ArgumentHelp("How many devices.", valueName: "n"))
    var devices = "100000"
    @Option(help: ArgumentHelp("How many balanced instances; 0: one static server.", valueName: "k"))
    var instances = "0"
    @Option(help: ArgumentHelp("Datagrams of strangers at the static name, as 50000/s.", valueName: "rate"))
    var attack = "0"
    @Option(help: "The time in which every device has power again: 500ms, 30s, 5m.")
    var within = "30s"
    @Option(help: "How long after the power returned the simulation ends at the latest.")
    var limit = "6h"
    @Option(help: ArgumentHelp("What everything random comes from.", valueName: "n"))
    var seed = "1"
    @Option(help: ArgumentHelp("Where the report goes; docs/power-cut.md explains it.", valueName: "file"))
    var json: String?
    @Option(help: ArgumentHelp("Where the plot goes.", valueName: "file.svg"))
    var plot: String?
    @Flag(help: "Show nothing before the table.")
    var quiet = false

    /// So many happenings pass between two looks at the real clock.
    private static let happenings = 20_000

    func run() throws {
        StandardStream.outlivesItsReader()
        let options = PowerCutOptions(
            devices: self.devices,
            instances: self.instances,
            attack: self.attack,
            within: self.within,
            limit: self.limit,
            seed: self.seed
        )
        let configuration: PowerCutConfiguration
        do throws(ScenarioError) {
            configuration = try options.configuration()
        } catch {
            ServiceConsole.complain(ServiceError(error.message, hint: error.hint))
            throw ExitCode(64)
        }
        let experiment = PowerCutExperiment(configuration: configuration, hashes: .libCrypto)
        var shown = ContinuousClock.now
        while experiment.advance(happenings: Self.happenings) {
            guard !self.quiet, shown.duration(to: .now) >= .seconds(1) else { continue }
            shown = .now
            Self.show(experiment.progress, of: configuration.devices)
        }
        let result = experiment.finish()
        StandardStream.output.write(result.table)
        if let path = self.json { try Self.write(try result.json(), to: path) }
        if let path = self.plot { try Self.write(PowerCutPlot([result]).svg, to: path) }
        if result.bootstrapped < result.devices { throw ExitCode(1) }
    }

    private static func show(_ progress: PowerCutExperiment.Progress, of devices: Int) {
        let share = Double(progress.bootstrapped) * 100 / Double(devices)
        let time = String(format: "%.1f", progress.seconds)
        let text =
            "\(time) s: \(progress.started) have power, \(progress.bootstrapped) are bootstrapped "
            + "(\(String(format: "%.1f", share)) %)\n"
        StandardStream.error.write(text)
    }

    static func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        } catch {
            ServiceConsole.complain(
                ServiceError("'\(path)' cannot be written", hint: "check the path and its permissions")
            )
            throw ExitCode(2)
        }
    }
}
