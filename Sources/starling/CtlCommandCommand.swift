import ArgumentParser
import Foundation
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

            With --all instead of a device every registered device gets the command, --rate at a time, and at the end \
            stands how many were executed.

            EXAMPLES
              starling ctl command urn:dev:starling:0 write /3303/0/5750 cellar --verbose --control gateway.ctl
              starling ctl command urn:dev:starling:0 execute /3/0/4 --control gateway.ctl
              starling ctl command urn:dev:starling:0 delete /30000/1 --detach --control gateway.ctl
              starling ctl command --all write /3303/0/5750 cellar --rate 100 --repeat 3 --control gateway.ctl

            EXIT STATUS
              0  executed, and the device's code was one of success (with --detach: accepted)
              1  not executed, or the device refused what the command asks for
              2  the options are not valid
              3  the gateway does not answer, or nobody can tell whether the command was executed
            """
    )

    @Argument(
        help: ArgumentHelp(
            "Endpoint name (not with --all), operation (write, update, execute, create, delete), path, and values.",
            valueName: "ep operation path value"
        )
    )
    var words: [String]
    @Option(help: "Type of every value: string, integer, unsigned, float, boolean, opaque, time, link.")
    var type: String?
    @OptionGroup var format: FormatOptions
    @Option(
        help: ArgumentHelp("Who gives the command, for permissions and audit log. (default: $USER)", valueName: "name")
    )
    var user: String?
    @Flag(help: "Show every message of the session.") var verbose = false
    @Flag(help: "Do not wait for the end.") var detach = false
    @Flag(help: "Give it to every registered device.") var all = false
    @Option(help: ArgumentHelp("With --all: commands a second. (default: 100)", valueName: "n")) var rate: Double?
    @Option(help: ArgumentHelp("With --all: how often each device gets it. (default: 1)", valueName: "n"))
    var `repeat`: Int?
    @OptionGroup var control: ControlOptions

    func run() throws {
        let template = try self.request()
        let session = try ControlSession(self.control)
        if self.all { return try self.runForAll(template, session) }
        try session.send(template)
        while true {
            let reply = try session.receive()
            if reply.kind == .error { throw session.end(reply) }
            if reply.kind == .event {
                if self.control.json {
                    if self.verbose || reply.event == "accepted" { session.printJSON(reply) }
                } else if self.verbose {
                    ServiceConsole.say(CommandLines.text(reply))
                }
                if self.detach, reply.event == "accepted" {
                    if !self.control.json, !self.verbose { ServiceConsole.say(CommandLines.text(reply)) }
                    return
                }
                continue
            }
            if self.control.json { session.printJSON(reply) } else { ServiceConsole.say(CommandLines.result(reply)) }
            switch CommandLines.word("outcome", reply) {
            case "done" where reply.code?.hasPrefix("2.") ?? false: return
            case "unknown": throw ServiceConsole.Exit.unreachable
            default: throw ServiceConsole.Exit.refused
            }
        }
    }

    private func request() throws -> ControlRequest {
        var words = self.words
        var endpoint: String?
        if !self.all, !words.isEmpty { endpoint = words.removeFirst() }
        guard words.count >= 2, self.rate ?? 1 > 0, self.repeat ?? 1 > 0, self.all || (self.rate ?? nil) == nil else {
            ServiceConsole.complain(
                ServiceError(
                    "a command needs \(self.all ? "" : "a device, ")an operation and a path",
                    hint: "starling ctl command \(self.all ? "--all" : "EP") write /3303/0/5750 cellar"
                )
            )
            throw ServiceConsole.Exit.usage
        }
        var request = ControlRequest(id: 1, verb: .command, endpoint: endpoint, path: words[1])
        request.operation = words[0]
        let values = Array(words.dropFirst(2))
        if words[0] == "execute" {
            request.arguments = values.first
        } else {
            try request.take(values, type: self.type, isSingle: words[1].split(separator: "/").count >= 3)
        }
        request.format = self.format.format
        request.user = self.user ?? ProcessInfo.processInfo.environment["USER"]
        return request
    }

    private func runForAll(_ template: ControlRequest, _ session: ControlSession) throws {
        var campaign = CommandCampaign(
            endpoints: try session.endpoints(),
            repeats: self.repeat ?? 1,
            perSecond: self.rate ?? 100
        )
        let start = ContinuousClock.now
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
        }
        if self.control.json { session.printJSON(campaign.counts) } else { ServiceConsole.say(campaign.counts.text) }
        guard campaign.counts.done == campaign.counts.given else { throw ServiceConsole.Exit.refused }
    }
}

/// One command for many devices: when each is given, and what became of them.
struct CommandCampaign {
    /// What became of the commands.
    struct Counts: Encodable {
        var given = 0
        var done = 0
        var refusedByDevice = 0
        var notDone = 0
        var unknown = 0
        var notTaken = 0

        var text: String {
            "\(self.given) given, \(self.done) done, \(self.refusedByDevice) refused by their device, "
                + "\(self.notDone) not done, \(self.unknown) unknown, \(self.notTaken) not taken"
        }
    }

    /// The most commands that have not ended; the control socket has a bound of its own above this.
    private static let mostAtOnce = 2_000

    private(set) var counts = Counts()
    private let endpoints: [String]
    private let total: Int
    private let perSecond: Double
    private var ended = 0

    init(endpoints: [String], repeats: Int, perSecond: Double) {
        self.endpoints = endpoints
        self.total = endpoints.count * repeats
        self.perSecond = perSecond
    }

    var isOver: Bool { self.ended == self.total }

    /// When the next command is due, counted from the start; nil when none is, or too many have not ended.
    var nextStart: Duration? {
        guard self.counts.given < self.total, self.counts.given - self.ended < Self.mostAtOnce else { return nil }
        return .seconds(Double(self.counts.given) / self.perSecond)
    }

    /// Takes the next command that is due.
    mutating func next(after elapsed: Duration) -> (number: UInt64, endpoint: String)? {
        guard let due = self.nextStart, due <= elapsed else { return nil }
        self.counts.given += 1
        return (UInt64(self.counts.given), self.endpoints[(self.counts.given - 1) % self.endpoints.count])
    }

    mutating func take(_ reply: ControlReply) {
        guard reply.done else { return }
        self.ended += 1
        switch (reply.kind, CommandLines.word("outcome", reply)) {
        case (.result, "done") where reply.code?.hasPrefix("2.") ?? false: self.counts.done += 1
        case (.result, "done"): self.counts.refusedByDevice += 1
        case (.result, "unknown"): self.counts.unknown += 1
        case (.result, _): self.counts.notDone += 1
        default: self.counts.notTaken += 1
        }
    }
}

/// Lines about commands, for people.
enum CommandLines {
    static func word(_ name: String, _ reply: ControlReply) -> String? { reply.details?[name]?.text }

    /// A line of progress; `message-1 sent gsid 9f3a12bc… dsid 07b1c2d4… write /3303/0/5750, 6 bytes`.
    static func text(_ reply: ControlReply) -> String {
        let details = reply.details ?? [:]
        let order = [
            "direction", "attempt", "gsid", "dsid", "outcome", "kind", "because", "seconds", "command", "number",
            "time",
            "given", "finished", "operation", "bytes", "what", "summary", "user",
        ]
        let bare: Set<String> = ["direction", "kind", "because", "command", "what", "summary", "operation"]
        let parts = order.compactMap { name in
            details[name].map { value in
                switch name {
                case "time", "given", "finished": "\(name == "time" ? "" : name + " ")\(self.date(value))"
                default: bare.contains(name) ? value.text : "\(name) \(value.text)"
                }
            }
        }
        return ([reply.event ?? ""] + parts).joined(separator: " ")
    }

    static func result(_ reply: ControlReply) -> String {
        let outcome = self.word("outcome", reply) ?? "ended"
        return "\(outcome)\(reply.code.map { " \($0)" } ?? "")" + (reply.message.map { ": \($0)" } ?? "")
    }

    private static func date(_ value: ControlScalar) -> String {
        guard let seconds = Int64(value.text) else { return value.text }
        return Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }
}

extension ControlSession {
    /// The names of all registered devices.
    func endpoints() throws -> [String] {
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
