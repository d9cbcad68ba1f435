import ArgumentParser
import CoAPMessages
import CoAPTransport
import CommandGateway
import CommandSessions
import GatewayEngine
import LwM2MModel
import ManagementEngine
import Primitives
import ServiceSupport

/// A management server that sends commands through sessions.
struct GatewayServiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Run a management server that changes protected paths of devices in command sessions.",
        discussion: """
            It is a management server like 'starling server', for the same verbs of 'starling ctl'. Devices refuse direct \
            changes of the paths that they protect; 'starling ctl command' changes those in a session, in which both sides \
            prove that they hold the identifiers of the session before. A command that was accepted ends: executed once, \
            not executed for sure, or unknown when the device went down in the middle. The state holds identifiers: without \
            --state a restart makes devices refuse the gateway. SIGHUP has the --policy read again.

            EXAMPLES
              A gateway with one key for every device:
                starling gateway --listen coaps://127.0.0.1:5684 --psk-key 001122334455 --state gateway.sqlite \\
                  --control gateway.ctl

              A command, with each message of its session shown; then the audit log:
                starling ctl command urn:dev:starling:0 write /3303/0/5750 cellar --verbose --control gateway.ctl
                starling ctl audit urn:dev:starling:0 --control gateway.ctl

              Devices to try it with:
                starling fleet run --devices 10 --server coaps://127.0.0.1:5684 --psk-key 001122334455 \\
                  --command-sessions protect=/3303/0/5750 --duration 10m

            EXIT STATUS
              0  ended by SIGTERM or SIGINT
              2  the options are not valid, or an address, a key, the policy or the state cannot be used
            """
    )

    @OptionGroup var service: ServiceOptions
    @Option(
        help: ArgumentHelp(
            "SQLite file of identifiers, commands and audit log; registrations go to FILE-registrations.",
            valueName: "file"
        )
    )
    var state: String?
    @Option(help: ArgumentHelp("Local socket for 'starling ctl'.", valueName: "path"))
    var control: String?
    @Option(
        help: ArgumentHelp(
            "What is done about breaches, as in 'spoofed=log,suspend,alarm;unpermitted=log,report'.",
            valueName: "lines"
        )
    )
    var breaches: String?
    @Option(
        help: ArgumentHelp(
            "JSON with 'breaches' and 'permissions': who may send which commands; read again at SIGHUP. "
                + "docs/servers.md has an example.",
            valueName: "file"
        )
    )
    var policy: String?
    @Option(help: ArgumentHelp("both identifiers, or device for the short form.", valueName: "form"))
    var form = "both"
    @Option(help: ArgumentHelp("Sessions that are tried for one command.", valueName: "n"))
    var tries = 5
    @Option(help: ArgumentHelp("Seconds that a command may take before it is given up.", valueName: "s"))
    var commandTimeout = 3600
    @Option(
        help: ArgumentHelp(
            "Seconds before another session once a message got no answer, unless the device comes back anew.",
            valueName: "s"
        )
    )
    var quietTime = 100
    @Option(help: ArgumentHelp("Seconds for which the response 'suspend' leaves a device alone.", valueName: "s"))
    var suspension = 600
    @Option(help: ArgumentHelp("Commands that may wait for one device.", valueName: "n"))
    var maximumCommandsPerDevice = 64
    @Option(help: "The most registrations.")
    var maximumRegistrations = 100_000

    func run() throws {
        StandardStream.outlivesItsReader()
        Starling.showLibraryNotice()
        let gateway: CommandGateway
        do throws(ServiceError) {
            gateway = try CommandGateway(configuration: try self.configuration())
        } catch {
            ServiceConsole.complain(error)
            throw ServiceConsole.Exit.usage
        }
        for address in gateway.addresses { ServiceConsole.say("listening \(address.text)") }
        if let control { ServiceConsole.say("control \(control)") }
        if !self.service.quiet {
            gateway.onManagementReport = self.show
            gateway.onReport = self.show
            gateway.onOutcome = { id, endpoint, outcome in
                self.say([
                    ("event", "command"), ("command", "\(id.rawValue)"), ("endpoint", endpoint.string),
                    ("outcome", "\(outcome)"),
                ])
            }
        }
        gateway.onHangUp = { self.readPolicyAgain(gateway) }
        gateway.run()
    }

    /// A policy that is not valid changes nothing.
    private func readPolicyAgain(_ gateway: CommandGateway) {
        do throws(ServiceError) {
            let read = try self.gatewayConfiguration()
            gateway.adopt(read.policy, read.permissions)
            ServiceConsole.say("policy read again")
        } catch {
            ServiceConsole.complain(error)
        }
    }

    private func configuration() throws(ServiceError) -> CommandGateway.Configuration {
        let keys = try self.service.keys()
        var configuration = CommandGateway.Configuration(
            addresses: try self.service.addresses(),
            keys: keys,
            statePath: self.state,
            controlPath: self.control
        )
        configuration.stopsOnSignals = true
        configuration.takesHangUp = self.policy != nil
        // A process that is nothing but a server has thousands of sessions, and used no OpenSSL before.
        configuration.transport.compactsTLSMemory = true
        try Self.check("--maximum-registrations", self.maximumRegistrations, 1...10_000_000)
        configuration.management.maximumRegistrations = self.maximumRegistrations
        if self.service.anyEndpoint {
            configuration.management.endpointRule = EndpointRule(.any)
        } else if case .listed(let table) = keys {
            configuration.management.endpointRule = table.endpointRule
        }
        configuration.gateway = try self.gatewayConfiguration()
        return configuration
    }

    private func gatewayConfiguration() throws(ServiceError) -> GatewayConfiguration {
        var gateway = GatewayConfiguration()
        switch self.form {
        case "both": gateway.form = .bothIdentifiers
        case "device": gateway.form = .deviceIdentifier
        default: throw ServiceError("--form is '\(self.form)'", hint: "both, or device for the short form")
        }
        try Self.check("--tries", self.tries, 1...100)
        try Self.check("--command-timeout", self.commandTimeout, 1...2_592_000)
        try Self.check("--quiet-time", self.quietTime, 0...3600)
        try Self.check("--suspension", self.suspension, 1...2_592_000)
        try Self.check("--maximum-commands-per-device", self.maximumCommandsPerDevice, 1...10_000)
        gateway.maximumTries = self.tries
        gateway.commandTimeout = .seconds(self.commandTimeout)
        gateway.quietTime = .seconds(self.quietTime)
        gateway.suspension = .seconds(self.suspension)
        gateway.maximumCommandsPerDevice = self.maximumCommandsPerDevice
        gateway.maximumDevices = max(self.maximumRegistrations, gateway.maximumDevices)
        if let path = self.policy {
            let file = try MonitoringPolicyFile(contentsOf: path)
            if let breaches = file.breaches { gateway.policy = breaches }
            if let permissions = file.permissions { gateway.permissions = permissions }
        }
        if let text = self.breaches { gateway.policy = try MonitoringPolicyFile.readBreaches(text, "--breaches") }
        return gateway
    }

    private static func check(_ option: String, _ value: Int, _ allowed: ClosedRange<Int>) throws(ServiceError) {
        guard allowed.contains(value) else {
            throw ServiceError("\(option) is \(value)", hint: "\(allowed.lowerBound) to \(allowed.upperBound)")
        }
    }

    private func show(_ report: ManagementReport) {
        switch report {
        case .registered(let endpoint): self.say([("event", "registered"), ("endpoint", endpoint.string)])
        case .updated(let endpoint): self.say([("event", "updated"), ("endpoint", endpoint.string)])
        case .deregistered(let endpoint): self.say([("event", "deregistered"), ("endpoint", endpoint.string)])
        case .expired(let endpoint): self.say([("event", "expired"), ("endpoint", endpoint.string)])
        case .refused(_, let code): self.say([("event", "refused"), ("code", code.text)])
        }
    }

    private func show(_ report: GatewayReport) {
        switch report {
        case .traced, .sessionBegun, .sessionEnded: break
        case .sessionAborted(let endpoint, _, let cause):
            self.say([
                ("event", "session aborted"), ("endpoint", endpoint.string),
                ("reason", "\(CommandOutcome.Reason(cause))"),
            ])
        case .outcomeAwaited(let endpoint, _, let interruption, _):
            self.say([
                ("event", "outcome awaited"), ("endpoint", endpoint.string), ("reason", interruption.name),
            ])
        case .retrying(let endpoint, let id, let pause):
            self.say([
                ("event", "retrying"), ("command", "\(id.rawValue)"), ("endpoint", endpoint.string),
                ("seconds", "\(Int(pause / .seconds(1)))"),
            ])
        case .breach(let endpoint, let breach, _, let responses):
            guard responses.contains(.log) else { return }
            self.say([("event", "breach"), ("endpoint", endpoint.string), ("kind", "\(breach.name)")])
        case .unpermitted(let endpoint, let summary, let user, let responses):
            guard responses.contains(.log) else { return }
            self.say([
                ("event", "unpermitted"), ("endpoint", endpoint.string), ("user", user.string), ("what", "\(summary)"),
            ])
        case .standingChanged(let endpoint, let standing):
            let words = [(DeviceStanding.blocked, "blocked"), (.suspended, "suspended"), (.alarmed, "alarmed")]
                .filter { standing.contains($0.0) }.map(\.1)
            self.say([
                ("event", "standing"), ("endpoint", endpoint.string),
                ("state", words.isEmpty ? "good" : words.joined(separator: ",")),
            ])
        case .storageFailed: self.say([("event", "the state cannot be stored")])
        case .noIdentifier(let endpoint): self.say([("event", "no random bytes"), ("endpoint", endpoint.string)])
        case .tooManyDevices(let endpoint): self.say([("event", "too many devices"), ("endpoint", endpoint.string)])
        }
    }

    private func say(_ members: [(String, String)]) {
        if self.service.json {
            ServiceConsole.say(ServiceConsole.json(Dictionary(members) { first, _ in first }))
        } else {
            ServiceConsole.say(members.map(\.1).joined(separator: " "))
        }
    }
}
