import ArgumentParser
import Foundation
import ManagementService
import ServiceSupport

/// Where the server's control socket is, and how answers are shown.
struct ControlOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server's control socket. (default: $STARLING_CONTROL)", valueName: "path"))
    var control: String?
    @Flag(help: "Show JSON, one object a line.") var json = false

    var path: String? { self.control ?? ProcessInfo.processInfo.environment["STARLING_CONTROL"] }

    /// Connects to the control socket of a program, or says why not and ends with the right code.
    func connect(to program: String) throws -> LineClient {
        guard let path = self.path else {
            ServiceConsole.complain(
                ServiceError("there is no control socket", hint: "--control PATH, as the \(program) was started with")
            )
            throw ServiceConsole.Exit.usage
        }
        do {
            return try LineClient(path: path)
        } catch {
            ServiceConsole.complain(error)
            throw ServiceConsole.Exit.unreachable
        }
    }
}

/// One connection of `starling ctl` to a server: asks, waits, shows and ends with the right code.
struct ControlSession {
    private let client: LineClient
    private let isJSON: Bool
    private let encoder = JSONEncoder()

    init(_ options: ControlOptions) throws {
        self.isJSON = options.json
        self.encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.client = try options.connect(to: "server")
    }

    /// Asks for something and waits for the first line about it; an error ends the program.
    func ask(_ request: ControlRequest) throws -> ControlReply {
        try self.send(request)
        let reply = try self.receive()
        guard reply.kind == .error else { return reply }
        throw self.end(reply)
    }

    /// Asks a device for something and shows its answer.
    func show(_ request: ControlRequest) throws {
        let reply = try self.ask(request)
        self.print(reply)
        if let code = reply.code, !code.hasPrefix("2.") { throw ServiceConsole.Exit.refused }
    }

    /// Asks for something that goes on, and shows every line.
    ///
    /// - Parameter limit: ends after so many lines behind the first answer; nil goes on until the end.
    func stream(_ request: ControlRequest, limit: Int?) throws {
        try self.send(request)
        var left = limit ?? .max
        while left > 0 {
            let reply = try self.receive()
            if reply.kind == .error { throw self.end(reply) }
            self.print(reply)
            if reply.kind == .notification || reply.kind == .event { left -= 1 }
            if let code = reply.code, reply.kind == .result, !code.hasPrefix("2.") { throw ServiceConsole.Exit.refused }
            if reply.kind == .end { throw ServiceConsole.Exit.unreachable }
            if reply.done { return }
        }
    }

    func printJSON(_ value: some Encodable) {
        guard let line = try? self.encoder.encode(value) else { return }
        ServiceConsole.say(String(decoding: line, as: UTF8.self))
    }

    func send(_ request: ControlRequest) throws {
        guard let line = try? self.encoder.encode(request), self.client.send(Array(line)) else {
            ServiceConsole.complain(Self.gone)
            throw ServiceConsole.Exit.unreachable
        }
    }

    /// Waits for the next line; nil when none came in time.
    func next(before end: ContinuousClock.Instant) throws -> ControlReply? {
        let left = max(ContinuousClock.now.duration(to: end), .zero) / .milliseconds(1)
        return self.client.waits(milliseconds: Int32(clamping: Int(left))) ? try self.receive() : nil
    }

    /// Waits for the next line.
    ///
    /// - Parameter error: what is said when none comes because the server is gone.
    func receive(otherwise error: ServiceError = Self.gone) throws -> ControlReply {
        guard let line = self.client.receive(),
            let reply = try? JSONDecoder().decode(ControlReply.self, from: Data(line))
        else {
            ServiceConsole.complain(error)
            throw ServiceConsole.Exit.unreachable
        }
        return reply
    }

    private static let gone = ServiceError("the server ended the connection", hint: "see what it printed")

    /// Says why a request was not done, and returns how the program ends.
    func end(_ reply: ControlReply) -> ExitCode {
        if self.isJSON { self.printJSON(reply) }
        let cause = reply.cause ?? "unknown"
        let hints = [
            "not-registered": "'starling ctl list' shows who is",
            "timed-out": "the device may be gone; its registration ends with its lifetime",
            "no-session": "the device opens a session with its next Update",
            "bad-request": "'starling help ctl' has examples",
            "not-a-gateway": "'starling gateway' has command sessions",
            "no-state": "start the gateway with --state FILE",
            "unpermitted": "see the permissions in the gateway's --policy",
            "blocked": "'starling ctl audit EP' shows why",
            "unknown-command": "'starling ctl commands' shows how it ended",
            "unknown-device": "'starling ctl list' shows who is registered",
            "already-known": "'starling ctl gateway reset-session EP' makes the gateway forget them first",
            "in-progress": "'starling ctl gateway standing' shows where it stands; reset-session --force gives it up",
            "not-stored": "make room for the gateway's --state, and ask again",
            "queue-full": "ask again when some of those have ended",
            "storage": "see what the gateway printed, and whether the disk of its --state works",
            "storing": "ask again in a moment; if it goes on, make room for the gateway's --state",
            "too-many-devices": "'starling ctl gateway reset-session EP' forgets a device that is gone",
        ]
        ServiceConsole.complain(ServiceError(reply.message ?? cause, hint: hints[cause] ?? "cause: \(cause)"))
        switch cause {
        case "bad-request": return ServiceConsole.Exit.usage
        // To ask again later changes nothing, until somebody decides otherwise.
        case "already-known", "blocked", "in-progress", "unknown-command", "unpermitted":
            return ServiceConsole.Exit.refused
        default: return ServiceConsole.Exit.unreachable
        }
    }

    private func print(_ reply: ControlReply) {
        if self.isJSON {
            self.printJSON(reply)
            return
        }
        if let event = reply.event { ServiceConsole.say("\(event) \(reply.endpoint ?? "")") }
        if let code = reply.code { ServiceConsole.say(code) }
        if let created = reply.created { ServiceConsole.say("created \(created)") }
        for value in reply.values ?? [] { ServiceConsole.say("\(value.path) = \(value.value.text)") }
        for path in reply.paths ?? [] {
            let attributes = path.attributes.sorted { $0.key < $1.key }.map { " \($0.key)=\(Self.short($0.value))" }
            ServiceConsole.say(path.path + (path.version.map { " ver=\($0)" } ?? "") + attributes.joined())
        }
        if let body = reply.body {
            ServiceConsole.say("unreadable body, format \(reply.format.map { "\($0)" } ?? "none"): \(body)")
        }
        if let message = reply.message { ServiceConsole.say(message) }
    }

    private static func short(_ number: Double) -> String {
        Int64(exactly: number).map { "\($0)" } ?? "\(number)"
    }
}

/// The registered devices as columns.
struct DeviceTable {
    private static let heading = ["ENDPOINT", "LIFETIME", "LEFT", "VERSION", "SECURED", "SESSION", "OBJECTS"]
    private var rows: [[String]] = []

    mutating func add(_ device: ControlDevice) {
        self.rows.append([
            device.endpoint,
            device.lifetime == 0 ? "for ever" : "\(device.lifetime) s",
            device.expiresIn.map { "\(Int($0)) s" } ?? "-",
            device.version,
            device.secured ? "yes" : "no",
            device.connected ? (device.queueMode ? "sleeps" : "yes") : "no",
            device.objects.joined(separator: " "),
        ])
    }

    func print() {
        guard !self.rows.isEmpty else {
            ServiceConsole.say("no device is registered")
            return
        }
        let lines = [Self.heading] + self.rows.sorted { $0[0] < $1[0] }
        let widths = Self.heading.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        for line in lines {
            let cells = line.enumerated().map { column, cell in
                column == line.count - 1 ? cell : cell.padding(toLength: widths[column], withPad: " ", startingAt: 0)
            }
            ServiceConsole.say(cells.joined(separator: "  "))
        }
        ServiceConsole.say("\(self.rows.count) registered")
    }
}
