import ArgumentParser
import CommandSessions
import Foundation
import GatewayEngine
import ManagementService
import ServiceSupport

/// Gives a device a command in a session, or every device the same one at a rate.
struct CtlCommandCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "command",
        abstract: "Have a gateway give a device a command in a command session.",
        discussion: """
            The gateway keeps the command until it has ended, also when this program ends before. --verbose shows each \
            message of the session, identifiers by their first digits.

            'write' of an instance removes what is not written, 'update' keeps it. With --all instead of a device every \
            registered device gets the command, --rate at a time, and at the end stands how many were executed.

            EXAMPLES
              starling ctl command urn:dev:starling:0 write /3303/0/5750 cellar --verbose --control gateway.ctl
              starling ctl command urn:dev:starling:0 update /3303/0 5750=cellar --control gateway.ctl
              starling ctl command urn:dev:starling:0 execute /3/0/4 --control gateway.ctl
              starling ctl command urn:dev:starling:0 delete /30000/1 --detach --control gateway.ctl
              starling ctl command --all write /3303/0/5750 cellar --rate 100 --repeat 3 --control gateway.ctl

            EXIT STATUS
              0  executed, and the device's code was one of success (with --detach: accepted; with --all: all of them)
              1  not executed, not permitted, or the device refused what the command asks for
              2  the options are not valid
              3  the gateway does not answer or cannot take the command now, or nobody can tell whether it was executed
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Endpoint name (not with --all), operation (write, update, execute, create, delete), path, and values.",
            valueName: "ep operation path value"
        )
    )
    var words: [String] = []
    @Option(help: "Type of every value: string, integer, unsigned, float, boolean, opaque, time, link.")
    var type: String?
    @OptionGroup var format: FormatOptions
    @OptionGroup var user: UserOptions
    @Flag(help: "Show every message of the session.") var verbose = false
    @Flag(help: "Do not wait for the end.") var detach = false
    @Flag(help: "Give it to every registered device.") var all = false
    @Option(help: ArgumentHelp("With --all: commands a second. (default: 100)", valueName: "n")) var rate: Double?
    @Option(help: ArgumentHelp("With --all: how often each device gets it. (default: 1)", valueName: "n"))
    var `repeat`: Int?
    @OptionGroup var control: ControlOptions

    func run() throws {
        let template: ControlRequest
        do {
            try self.checkOptions()
            template = try self.request()
        } catch let error as ServiceError {
            ServiceConsole.complain(error)
            throw ServiceConsole.Exit.usage
        }
        let session = try ControlSession(self.control)
        if self.all { try self.runForAll(template, session) } else { try self.runForOne(template, session) }
    }

    // MARK: Options

    private func checkOptions() throws(ServiceError) {
        guard self.all else {
            guard self.rate == nil, self.repeat == nil else {
                throw ServiceError("--rate and --repeat are for many devices", hint: "say --all instead of a device")
            }
            return
        }
        guard !self.detach, !self.verbose else {
            throw ServiceError("--all counts ends and shows no messages", hint: "leave out --detach and --verbose")
        }
        guard (0.001...1_000_000).contains(self.rate ?? 1) else {
            throw ServiceError("--rate is \(self.rate ?? 0)", hint: "0.001 to 1000000 commands a second")
        }
        guard (1...1_000_000).contains(self.repeat ?? 1) else {
            throw ServiceError("--repeat is \(self.repeat ?? 0)", hint: "1 to 1000000")
        }
    }

    private func request() throws -> ControlRequest {
        var words = ArraySlice(self.words)
        let endpoint = self.all ? nil : words.popFirst()
        guard let name = words.popFirst(), let path = words.popFirst() else {
            throw ServiceError(
                "a command needs \(self.all ? "" : "a device, ")an operation and a path",
                hint: "starling ctl command \(self.all ? "--all" : "EP") write /3303/0/5750 cellar"
            )
        }
        guard let operation = SessionCommand.Operation(name: name) else {
            throw ServiceError("'\(name)' is no operation", hint: "there are write, update, execute, create, delete")
        }
        var request = ControlRequest(id: 1, verb: .command, endpoint: endpoint, path: path)
        request.operation = name
        request.format = self.format.format
        request.user = self.user.name
        if self.verbose { request.progress = true }
        try self.take(Array(words), operation, into: &request)
        return request
    }

    private func take(
        _ values: [String],
        _ operation: SessionCommand.Operation,
        into request: inout ControlRequest
    ) throws {
        switch operation {
        case .write, .update:
            guard !values.isEmpty else {
                throw ServiceError(
                    "there is no value to \(operation.name)",
                    hint: "VALUE behind the path of a resource, RESOURCE=VALUE behind that of an instance"
                )
            }
        case .execute:
            guard values.count <= 1 else { throw ServiceError("execute takes one argument", hint: "as in 0,1='text'") }
            request.arguments = values.first
            return
        case .delete:
            guard values.isEmpty else { throw ServiceError("delete takes no value", hint: "leave out '\(values[0])'") }
        case .create: break
        }
        let isResource = (request.path ?? "").split(separator: "/").count >= 3
        try request.take(values, type: self.type, isSingle: isResource)
    }

    // MARK: One device

    private func runForOne(_ request: ControlRequest, _ session: ControlSession) throws {
        try session.send(request)
        var number: String?
        while true {
            let reply = try session.receive(otherwise: Self.goneError(command: number))
            switch reply.kind {
            case .error: throw session.end(reply)
            case .event:
                if self.control.json {
                    session.printJSON(reply)
                } else {
                    ServiceConsole.say(CommandLines.progress(reply))
                }
                guard reply.event == "accepted" else { continue }
                if self.detach { return }
                number = reply.details?["command"]?.text
            default:
                if self.control.json {
                    session.printJSON(reply)
                } else {
                    ServiceConsole.say(CommandLines.result(reply))
                }
                switch reply.details?["outcome"]?.text {
                case "done" where reply.isSuccess: return
                case "unknown": throw ServiceConsole.Exit.unreachable
                default: throw ServiceConsole.Exit.refused
                }
            }
        }
    }

    private static func goneError(command: String?) -> ServiceError {
        if let command {
            ServiceError(
                "the gateway is gone; command \(command) stands in its state and goes on when it is back",
                hint: "'starling ctl commands' shows how it ended"
            )
        } else {
            ServiceError(
                "the gateway is gone, and did not say whether it took the command",
                hint: "'starling ctl commands' shows whether it did, when it is back"
            )
        }
    }

    // MARK: Every device

    private func runForAll(_ template: ControlRequest, _ session: ControlSession) throws {
        var campaign = CommandCampaign(
            endpoints: try session.endpoints(),
            repeats: self.repeat ?? 1,
            perSecond: self.rate ?? 100
        )
        guard campaign.total > 0 else {
            ServiceConsole.complain(ServiceError("no device is registered", hint: "'starling ctl list' shows who is"))
            throw ServiceConsole.Exit.unreachable
        }
        do {
            try self.run(&campaign, template, session)
        } catch {
            self.show(campaign.counts, session)
            throw error
        }
        self.show(campaign.counts, session)
        guard campaign.isFlawless else { throw ServiceConsole.Exit.refused }
    }

    private func run(_ campaign: inout CommandCampaign, _ template: ControlRequest, _ session: ControlSession) throws {
        let start = ContinuousClock.now
        var shown = start
        while !campaign.isOver {
            let now = ContinuousClock.now
            while let (number, endpoint) = campaign.next(after: start.duration(to: now)) {
                var request = template
                request.id = number
                request.endpoint = endpoint
                try session.send(request)
            }
            let wake = campaign.nextStart.map { start.advanced(by: $0) } ?? now.advanced(by: .seconds(1))
            if let reply = try session.next(before: wake) { campaign.take(reply) }
            guard isatty(STDERR_FILENO) == 1, shown.duration(to: now) >= .seconds(1) else { continue }
            shown = now
            let counts = campaign.counts
            StandardStream.error.write("\(counts.given) of \(campaign.total) given, \(counts.done) done\n")
        }
    }

    private func show(_ counts: CommandCampaign.Counts, _ session: ControlSession) {
        if self.control.json { return session.printJSON(counts) }
        let unended = counts.unended > 0 ? ", \(counts.unended) not ended" : ""
        ServiceConsole.say(
            "\(counts.given) given, \(counts.done) done, \(counts.refusedByDevice) refused by their device, "
                + "\(counts.notDone) not done, \(counts.unknown) unknown, \(counts.notTaken) not taken" + unended
        )
    }
}

/// Who speaks to a gateway.
struct UserOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Who asks, for permissions and audit log. (default: $USER)", valueName: "name"))
    var user: String?

    /// The name; nil lets the gateway call it operator.
    var name: String? {
        self.user ?? ProcessInfo.processInfo.environment["USER"].flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension ControlSession {
    /// The names of all registered devices.
    fileprivate func endpoints() throws -> [String] {
        var endpoints: [String] = []
        var request = ControlRequest(id: 0, verb: .list)
        while true {
            let reply = try self.ask(request)
            endpoints += (reply.devices ?? []).map(\.endpoint)
            guard let cursor = reply.cursor else { return endpoints.sorted() }
            request.cursor = cursor
        }
    }
}
