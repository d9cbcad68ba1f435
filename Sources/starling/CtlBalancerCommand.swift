import ArgumentParser
import BootstrapBalancer
import Foundation
import ServiceSupport

/// Asks a running balancer.
struct CtlBalancerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "balancer",
        abstract: "Ask a running balancer what it does, and tell it to.",
        discussion: """
            EXAMPLES
              starling ctl balancer status --control balancer.sock
              starling ctl balancer status --json --control balancer.sock
              starling ctl balancer needs urn:dev:starling:7 --control balancer.sock
            """,
        subcommands: [
            Status.self, Names.self, Device.self, Rotate.self, TakeOver.self, Needs.self, Reload.self,
        ]
    )

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show instances, devices, names, windows, the registry and counters."
        )
        @OptionGroup var control: ControlOptions

        func run() throws {
            let session = try BalancerSession(self.control)
            let reply = try session.ask(BalancerControlRequest(id: 1, verb: .status))
            guard let status = reply.balancer else { throw ServiceConsole.Exit.unreachable }
            if self.control.json {
                session.printJSON(status)
            } else {
                BalancerTables.print(status)
            }
        }
    }

    struct Names: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the names that are published and where they lead.",
            discussion: "Names of windows that are open are secrets: they let a stranger reach an instance."
        )
        @OptionGroup var control: ControlOptions

        func run() throws {
            let session = try BalancerSession(self.control)
            var request = BalancerControlRequest(id: 1, verb: .names)
            while true {
                let reply = try session.ask(request)
                for name in reply.names ?? [] {
                    if self.control.json {
                        session.printJSON(name)
                    } else {
                        ServiceConsole.say("\(name.name) \(name.address)")
                    }
                }
                guard let cursor = reply.cursor else { return }
                request.cursor = cursor
            }
        }
    }

    struct Device: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show how far a device's bootstrap has come.")
        @Argument(help: ArgumentHelp("Endpoint name of the device.", valueName: "ep")) var endpoint: String
        @OptionGroup var control: ControlOptions

        func run() throws {
            let session = try BalancerSession(self.control)
            let request = BalancerControlRequest(id: 1, verb: .device, endpoints: [self.endpoint])
            guard let device = try session.ask(request).device else { throw ServiceConsole.Exit.unreachable }
            if self.control.json {
                session.printJSON(device)
            } else {
                let place = device.instance.map { " at \($0)" } ?? ""
                ServiceConsole.say(
                    "\(device.endpoint) \(device.phase)\(place)\(device.isRestarted ? ", restarted" : "")"
                )
            }
        }
    }

    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let everybody who waits have names now, and remove those of others."
        )
        @OptionGroup var control: ControlOptions

        func run() throws { try BalancerSession(self.control).order(.rotate) }
    }

    struct TakeOver: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "take-over",
            abstract: "Let this balancer write the zone, whoever wrote it before."
        )
        @OptionGroup var control: ControlOptions

        func run() throws { try BalancerSession(self.control).order(.takeOver) }
    }

    struct Needs: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that devices must bootstrap again, so that they have names."
        )
        @Argument(help: ArgumentHelp("Endpoint names of the devices.", valueName: "ep")) var endpoints: [String] = []
        @Flag(help: "All devices.") var all = false
        @OptionGroup var control: ControlOptions

        func run() throws {
            guard self.all != !self.endpoints.isEmpty else {
                ServiceConsole.complain(ServiceError("which devices is not clear", hint: "name them, or --all"))
                throw ServiceConsole.Exit.usage
            }
            try BalancerSession(self.control).order(.needs, endpoints: self.all ? nil : self.endpoints)
        }
    }

    struct Reload: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Read the devices and their secrets anew.")
        @OptionGroup var control: ControlOptions

        func run() throws { try BalancerSession(self.control).order(.reload) }
    }
}

/// One connection of `starling ctl balancer`: asks, waits, and ends with the right code.
struct BalancerSession {
    /// Deriving a million names takes a few seconds, in which nobody answers.
    private static let patience: Int32 = 60_000

    private let client: LineClient
    private let isJSON: Bool
    private let encoder = JSONEncoder()

    init(_ options: ControlOptions) throws {
        self.isJSON = options.json
        self.encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.client = try options.connect(to: "balancer")
    }

    func ask(_ request: BalancerControlRequest) throws -> BalancerControlReply {
        guard let line = try? self.encoder.encode(request), self.client.send(Array(line)),
            let answer = self.client.receive(within: Self.patience),
            let reply = try? JSONDecoder().decode(BalancerControlReply.self, from: Data(answer))
        else {
            ServiceConsole.complain(ServiceError("the balancer does not answer", hint: "see what it printed"))
            throw ServiceConsole.Exit.unreachable
        }
        guard reply.kind == .error else { return reply }
        if self.isJSON { self.printJSON(reply) }
        let cause = reply.cause ?? "unknown"
        ServiceConsole.complain(ServiceError(reply.message ?? cause, hint: "cause: \(cause)"))
        throw cause == "bad-request" ? ServiceConsole.Exit.usage : ServiceConsole.Exit.refused
    }

    /// Tells the balancer to do something.
    func order(_ verb: BalancerControlRequest.Verb, endpoints: [String]? = nil) throws {
        let reply = try self.ask(BalancerControlRequest(id: 1, verb: verb, endpoints: endpoints))
        if self.isJSON { self.printJSON(reply) } else { ServiceConsole.say("done") }
    }

    func printJSON(_ value: some Encodable) {
        guard let line = try? self.encoder.encode(value) else { return }
        ServiceConsole.say(String(decoding: line, as: UTF8.self))
    }
}

/// The status of a balancer as tables.
enum BalancerTables {
    static func print(_ status: BalancerReportedStatus) {
        self.print(
            ["INSTANCE", "STATE", "NAMES", "IN PROGRESS", "STARTED", "COMPLETED", "FAILED", "ADDRESSES"],
            status.instances.map {
                [
                    $0.name, $0.isUp ? "up" : "down", "\($0.names)", "\($0.inProgress)", "\($0.started)",
                    "\($0.completed)", "\($0.failed)", $0.addresses.joined(separator: " "),
                ]
            }
        )
        if status.instances.isEmpty { ServiceConsole.say("no instance has reported yet") }
        ServiceConsole.say("")
        let devices = status.devices
        var lines = [
            [
                "devices",
                "\(devices.known): \(devices.waiting) waiting, \(devices.inProgress) in progress"
                    + " (\(devices.restarted) restarted), \(devices.completed) completed",
            ],
            [
                "names",
                "\(status.names.published) published, \(status.names.pending) to do"
                    + (status.names.isDeriving ? ", deriving" : ""),
            ],
            ["windows", status.windows.map { "\($0)\($0 == status.window ? " (now)" : "")" }.joined(separator: ", ")],
            ["registry", Self.registry(status.registry)],
        ]
        if let dns = status.dns {
            lines.append([
                "questions",
                "\(dns.answers) answered, \(dns.nxdomain) for no name, \(dns.refused) refused, "
                    + "\(dns.malformed) malformed",
            ])
        }
        let secrets = status.secrets
        lines.append([
            "secrets",
            "\(secrets.source)"
                + (secrets.source == "server"
                    ? ", read \(secrets.readings) times, failed \(secrets.failures) times" : ""),
        ])
        let seen = status.counters.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        lines.append(["counters", seen.map { "\($0.key) \($0.value)" }.joined(separator: ", ")])
        for line in lines { ServiceConsole.say(line[0].padding(toLength: 10, withPad: " ", startingAt: 0) + line[1]) }
    }

    private static func registry(_ registry: BalancerReportedStatus.Registry) -> String {
        var text = registry.state + (registry.code.map { " (code \($0))" } ?? "")
        if let writer = registry.writer, let epoch = registry.epoch { text += ", epoch \(epoch) of \(writer)" }
        return text + ", \(registry.updates) batches done, \(registry.failures) tries failed"
    }

    private static func print(_ heading: [String], _ rows: [[String]]) {
        guard !rows.isEmpty else { return }
        let lines = [heading] + rows
        let widths = heading.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        for line in lines {
            let cells = line.enumerated().map { column, cell in
                column == line.count - 1 ? cell : cell.padding(toLength: widths[column], withPad: " ", startingAt: 0)
            }
            ServiceConsole.say(cells.joined(separator: "  "))
        }
    }
}
