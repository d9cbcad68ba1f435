import ArgumentParser
import CoAPMessages
import FleetConsole
import FleetReports
import FleetRuntime
import FleetScenarios
import Foundation
import Primitives

/// Starts a fleet, shows it, ends it and reports.
struct FleetRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Start devices, keep them registered, deregister them, and report.",
        discussion: """
            Devices start when the rate says so, however slowly the server answers; latency counts from the intended \
            start. Ctrl-C deregisters and still reports; a second one ends at once.

            EXAMPLES
              1,000 devices at a server, one key for all:
                starling fleet run --devices 1000 --server coaps://127.0.0.1:5684 --psk-key 001122334455

              2,000 devices that bootstrap first, each with a key derived from a secret, measuring every 10 s:
                starling fleet run --devices 2000 --bootstrap coaps://127.0.0.1:5694 \\
                  --psk-secret 000102030405060708090a0b0c0d0e0f --rate 500/s --notify-every 10s --json report.json

              The same where devices find the bootstrap server by temporary names:
                starling fleet run --devices 2000 --bootstrap coaps://bs.example.test:5694 --profile period=3600 \\
                  --dns 127.0.0.1:5353 --psk-secret 000102030405060708090a0b0c0d0e0f

              The second half of a fleet of 50,000, in a process of its own:
                starling fleet run --devices 25000 --first-index 25000 --source-address 127.0.0.2,127.0.0.3 ...

              A bad network, on which every twentieth datagram gets lost each way:
                starling fleet run --devices 500 --server coaps://127.0.0.1:5684 --psk-key @key --loss 5%

            EXIT STATUS
              0  every device registered and was still registered at the end
              1  devices failed, were lost or were never started; the table says why
              2  the run was not possible on this machine
              64 the options are not valid
            """
    )

    @Option(help: ArgumentHelp("How many devices.", valueName: "n"))
    var devices: String?
    @Option(help: ArgumentHelp("The management server; devices know it from the factory.", valueName: "uri"))
    var server: String?
    @Option(help: ArgumentHelp("The bootstrap server that devices ask first.", valueName: "uri"))
    var bootstrap: String?
    @Option(help: "Endpoint names; {index} is the device's number. (default: urn:dev:starling:{index})")
    var endpoint: String?
    @Option(help: "PSK identities; {endpoint} and {index} are replaced. (default: {endpoint})")
    var pskIdentity: String?
    @Option(help: ArgumentHelp("One key for all devices; @FILE reads it from a file.", valueName: "hex"))
    var pskKey: String?
    @Option(help: ArgumentHelp("The secret from which each device's key is derived; also @FILE.", valueName: "hex"))
    var pskSecret: String?
    @Option(help: "Starts per second, as in 500/s or 30/m. (default: 100/s)")
    var rate: String?
    @Option(help: "How long the rate takes to grow from nothing.")
    var ramp: String?
    @Option(help: "How long the fleet runs once all have started: 500ms, 60s, 5m, 1h or forever. (default: 60s)")
    var duration: String?
    @Option(help: "Lifetime of the registrations, in seconds or as 5m. (default: 300)")
    var lifetime: String?
    @Option(help: "How often each device measures and changes its values. (default: never)")
    var notifyEvery: String?
    @Option(help: ArgumentHelp("The number of the first device. (default: 0)", valueName: "i"))
    var firstIndex: String?
    @Option(help: ArgumentHelp("Local addresses that the devices share.", valueName: "a,b"))
    var sourceAddress: String?
    @Option(help: ArgumentHelp("Where the report goes; its keys are in docs/fleet-report.md.", valueName: "file"))
    var json: String?
    @Option(help: ArgumentHelp("The most devices that start at once. (default: 64)", valueName: "n"))
    var handshakesInFlight: String?
    @Option(help: "How long a handshake may take; a wrong key shows only then. (default: 60s)")
    var handshakeTimeout: String?
    @Option(help: "How long a bootstrap server may be silent in the middle of a bootstrap. (default: 247s)")
    var bootstrapTimeout: String?
    @Option(help: "How long a start that is due waits for its turn before it is dropped. (default: 5m)")
    var startPatience: String?
    @Option(help: ArgumentHelp("What everything random comes from. (default: 1)", valueName: "n"))
    var seed: String?
    @Option(
        help: ArgumentHelp(
            "How devices derive temporary names from --bootstrap, as in period=3600; @FILE reads it from a file.",
            valueName: "fields"
        )
    )
    var profile: String?
    @Option(
        help: ArgumentHelp(
            "What devices let change in command sessions only, as in protect=/3303/0/5750; the server's address is the "
                + "gateway unless gateway=ADDRESS names another.",
            valueName: "fields"
        )
    )
    var commandSessions: String?
    @Option(
        help: ArgumentHelp(
            "How many of a gateway's messages a device goes down after, to come back with what it stored.",
            valueName: "percent"
        )
    )
    var commandRestarts: String?
    @Option(
        help: ArgumentHelp(
            "How many datagrams get lost on the way to the devices, and as many on the way from them, as in 2%.",
            valueName: "percent"
        )
    )
    var loss: String?
    @Option(help: ArgumentHelp("Where the objects of this project begin. (default: 42769)", valueName: "n"))
    var ownObjectIds: String?
    @Option(help: ArgumentHelp("DNS servers instead of the system's.", valueName: "a:port,b"))
    var dns: String?
    @Option(
        help: ArgumentHelp(
            "The control socket of a balancer; shows how devices spread over its instances.",
            valueName: "path"
        )
    )
    var balancer: String?
    @Option(help: ArgumentHelp("YAML with these options; the command line wins.", valueName: "file"))
    var scenario: String?
    @Flag(help: "Show nothing before the table.")
    var quiet = false

    func run() throws {
        StandardStream.outlivesItsReader()
        Starling.showLibraryNotice()
        let scenario: FleetScenario
        do throws(ScenarioError) {
            let file = try self.scenario.map { path throws(ScenarioError) in try ScenarioOptions(contentsOf: path) }
            scenario = try FleetScenario(options: (file ?? ScenarioOptions()).overridden(by: self.options))
        } catch {
            Self.complain(error.message, hint: error.hint)
            throw ExitCode(64)
        }
        let runtime: FleetRuntime
        do throws(FleetRuntimeError) {
            runtime = try FleetRuntime(scenario: scenario)
        } catch {
            Self.complain(error.message, hint: error.hint)
            throw ExitCode(2)
        }
        var console = FleetConsole(style: Self.style, isQuiet: scenario.isQuiet, write: Self.writeError)
        runtime.endsOnSignals()
        let watch = scenario.isQuiet ? nil : self.balancer.map { BalancerWatch(path: $0) }
        let report = runtime.run { console.show($0, spread: watch?.spread) }
        watch?.end()
        StandardStream.output.write(report.table)
        if let path = scenario.reportPath {
            do {
                try Data(try report.json().utf8).write(to: URL(fileURLWithPath: path))
            } catch {
                Self.complain("the report cannot be written to '\(path)'", hint: "check the path and its permissions")
                throw ExitCode(2)
            }
        }
        if !report.isFlawless { throw ExitCode(1) }
    }

    private var options: ScenarioOptions {
        var options = ScenarioOptions()
        options["devices"] = self.devices
        options["server"] = self.server
        options["bootstrap"] = self.bootstrap
        options["endpoint"] = self.endpoint
        options["psk-identity"] = self.pskIdentity
        options["psk-key"] = self.pskKey
        options["psk-secret"] = self.pskSecret
        options["rate"] = self.rate
        options["ramp"] = self.ramp
        options["duration"] = self.duration
        options["lifetime"] = self.lifetime
        options["notify-every"] = self.notifyEvery
        options["first-index"] = self.firstIndex
        options["source-address"] = self.sourceAddress
        options["json"] = self.json
        options["handshakes-in-flight"] = self.handshakesInFlight
        options["handshake-timeout"] = self.handshakeTimeout
        options["bootstrap-timeout"] = self.bootstrapTimeout
        options["start-patience"] = self.startPatience
        options["seed"] = self.seed
        options["profile"] = self.profile
        options["command-sessions"] = self.commandSessions
        options["command-restarts"] = self.commandRestarts
        options["loss"] = self.loss
        options["own-object-ids"] = self.ownObjectIds
        options["dns"] = self.dns
        if self.quiet { options["quiet"] = "true" }
        return options
    }

    private static var style: ConsoleStyle {
        let environment = ProcessInfo.processInfo.environment
        guard isatty(STDERR_FILENO) == 1 else { return ConsoleStyle(isTerminal: false, environment: environment) }
        var size = winsize()
        let isKnown = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return ConsoleStyle(isTerminal: true, environment: environment, width: isKnown ? Int(size.ws_col) : nil)
    }

    private static func writeError(_ text: String) {
        StandardStream.error.write(text)
    }

    private static func complain(_ message: String, hint: String) {
        Self.writeError("Error: \(message)\nHint: \(hint)\n")
    }
}
