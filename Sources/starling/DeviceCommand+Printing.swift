import CoAPMessages
import Foundation
import LwM2MClient

/// Prints what a device does: for people, with colours on a terminal, or as JSON lines.
struct DeviceEventPrinter: Sendable {
    private let isJSON: Bool
    private let hasColours: Bool

    init(isJSON: Bool) {
        self.isJSON = isJSON
        self.hasColours =
            !isJSON && isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    }

    /// One line of the JSON output; its keys are documented in the README and stay.
    private struct Line: Encodable {
        var time = Date()
        let event: String
        var server: UInt16?
        var path: String?
        var operation: String?
        var code: String?
        var milliseconds: Double?
        var error: String?
        var message: String?
        var hint: String?

        enum Mood { case good, bad, plain, quiet }
        var mood = Mood.plain

        enum CodingKeys: CodingKey {
            case time, event, server, path, operation, code, milliseconds, error, message, hint
        }
    }

    func print(_ event: LwM2MClient.Event) {
        self.write(self.line(event))
    }

    func printNote(_ name: String, _ message: String) {
        self.write(Line(event: name, message: message))
    }

    private func line(_ event: LwM2MClient.Event) -> Line {
        switch event {
        case .connected(let handshake): Line(event: "connected", milliseconds: self.milliseconds(handshake))
        case .disconnected(let error): self.line("disconnected", error)
        case .bootstrapNameTried(let isStatic):
            Line(event: "bootstrapNameTried", message: isStatic ? "the static name" : "a temporary name")
        case .bootstrapHeld(let duration):
            Line(
                event: "bootstrapHeld",
                milliseconds: self.milliseconds(duration),
                message: "the server asks for patience",
                mood: .quiet
            )
        case .bootstrapStarted: Line(event: "bootstrapStarted")
        case .bootstrapFinished(let duration):
            Line(event: "bootstrapFinished", milliseconds: self.milliseconds(duration), mood: .good)
        case .bootstrapFailed(let error): self.line("bootstrapFailed", error)
        case .registered(let server, let duration):
            Line(event: "registered", server: server, milliseconds: self.milliseconds(duration), mood: .good)
        case .registrationFailed(let server, let error): self.line("registrationFailed", error, server: server)
        case .updated(let server): Line(event: "updated", server: server, mood: .quiet)
        case .deregistered(let server): Line(event: "deregistered", server: server, mood: .good)
        case .served(let operation, let path, let code):
            Line(
                event: "served",
                path: path.text,
                operation: operation,
                code: code.text,
                mood: code.isSuccess ? .plain : .bad
            )
        case .written(let path): Line(event: "written", path: path.text)
        case .created(let path): Line(event: "created", path: path.text)
        case .deleted(let path): Line(event: "deleted", path: path.text)
        case .notified(let path): Line(event: "notified", path: path.text, mood: .quiet)
        case .commandExecuted(let code):
            Line(event: "commandExecuted", code: code.text, mood: code.isSuccess ? .good : .bad)
        case .commandAborted: Line(event: "commandAborted", mood: .bad)
        case .breached(let what, let server, let address):
            Line(
                event: "breached",
                server: server,
                error: what,
                message: what + (address.map { " at \($0)" } ?? ""),
                mood: .bad
            )
        case .serverSuspended(let server, let duration):
            Line(event: "serverSuspended", server: server, milliseconds: self.milliseconds(duration), mood: .bad)
        case .storageFailed(let error): self.line("storageFailed", error)
        case .stopped: Line(event: "stopped")
        }
    }

    private func line(_ name: String, _ error: LwM2MError, server: UInt16? = nil) -> Line {
        Line(
            event: name,
            server: server,
            code: error.response?.text,
            error: error.code.description,
            message: error.message,
            hint: error.hint.isEmpty ? nil : error.hint,
            mood: .bad
        )
    }

    private func milliseconds(_ duration: Duration) -> Double {
        (duration / .milliseconds(1) * 1000).rounded() / 1000
    }

    private func write(_ line: Line) {
        let text = (self.isJSON ? self.json(line) : self.plain(line)) + "\n"
        StandardStream.output.write(text)
    }

    private func json(_ line: Line) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        guard let data = try? encoder.encode(line) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    private func plain(_ line: Line) -> String {
        var words = [self.clock(line.time), self.coloured(line.event, line.mood)]
        if let operation = line.operation { words.append(operation) }
        if let path = line.path { words.append(path) }
        if let server = line.server { words.append("server \(server)") }
        if let code = line.code { words.append(code) }
        if let milliseconds = line.milliseconds { words.append(String(format: "%.1f ms", milliseconds)) }
        if let message = line.message { words.append(message) }
        if let hint = line.hint { words.append(hint) }
        return words.joined(separator: "  ")
    }

    private func clock(_ date: Date) -> String {
        var seconds = time_t(date.timeIntervalSince1970)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return String(format: "%02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec)
    }

    private func coloured(_ text: String, _ mood: Line.Mood) -> String {
        guard self.hasColours else { return text }
        switch mood {
        case .good: return "\u{1B}[32m\(text)\u{1B}[0m"
        case .bad: return "\u{1B}[31m\(text)\u{1B}[0m"
        case .quiet: return "\u{1B}[2m\(text)\u{1B}[0m"
        case .plain: return text
        }
    }
}
