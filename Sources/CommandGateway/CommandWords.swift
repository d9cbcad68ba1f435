import CoAPMessages
import CommandSessions
import GatewayEngine
import ManagementService
import Primitives
import ServiceStore

/// How commands, sessions and breaches are named on the control socket and in sentences.
enum CommandWords {
    static func name(_ outcome: CommandOutcome) -> String {
        switch outcome {
        case .done: "done"
        case .notDone: "not-done"
        case .unknown: "unknown"
        }
    }

    /// The device's code; nil when the command was not executed for sure.
    static func code(_ outcome: CommandOutcome) -> String? {
        if case .done(let code) = outcome { code.text } else { nil }
    }

    /// An outcome for machines: its name, and why when it was not done.
    static func details(_ outcome: CommandOutcome) -> [String: ControlScalar] {
        var details: [String: ControlScalar] = ["outcome": .text(self.name(outcome))]
        if case .notDone(let reason) = outcome { details["reason"] = .text("\(reason)") }
        return details
    }

    static func sentence(_ outcome: CommandOutcome) -> String {
        switch outcome {
        case .done(let code): code.isSuccess ? "executed once" : "executed once; the device refused what it asks for"
        case .notDone(let reason): "not executed, and never will be: \(self.sentence(reason))"
        case .unknown: "the device went down while it executed the command, or did not tell in time"
        }
    }

    private static func sentence(_ reason: CommandOutcome.Reason) -> String {
        switch reason {
        case .breach(let breach): "what answered is not the device as it should be (\(breach.name))"
        case .cancelled: "it was cancelled"
        case .deadlinePassed: "its time is over"
        case .local: "the gateway could not store what a message depends on"
        case .notExecuted: "the device ended each session before"
        case .refused(let code): "the device refused the session with \(code.text)"
        case .unanswered: "the device does not answer"
        }
    }

    static func sentence(_ refusal: CommandRefusal) -> String {
        switch refusal {
        case .blocked: "the device takes no commands since a breach; 'starling ctl gateway unblock' lets it again"
        case .duplicate: "there is a command of this number"
        case .notStored: "the command could not be stored"
        case .queueFull: "too many commands wait"
        case .tooManyDevices: "too many devices are known"
        case .unpermitted: "the permissions do not let this user do that"
        }
    }

    /// The command that a report is about.
    static func command(of report: GatewayReport) -> GatewayCommandID? {
        switch report {
        case .traced(let trace): trace.id
        case .sessionBegun(_, let id, _), .retrying(_, let id, _): id
        case .sessionAborted(_, let id, _), .outcomeAwaited(_, let id, _, _), .breach(_, _, let id, _): id
        case .sessionEnded, .unpermitted, .standingChanged, .storageFailed, .noIdentifier, .tooManyDevices: nil
        }
    }

    /// What a report tells who waits for a command: a word, and what goes with it.
    static func progress(_ report: GatewayReport) -> (String, [String: ControlScalar])? {
        switch report {
        case .traced(let trace): (self.name(trace.message), self.details(trace))
        case .sessionBegun(_, _, let attempt): ("session", ["attempt": .integer(Int64(attempt))])
        case .sessionAborted(_, _, let cause): ("aborted", ["because": .text("\(CommandOutcome.Reason(cause))")])
        case .retrying(_, _, let pause): ("retrying", ["seconds": .number(pause / .seconds(1))])
        case .outcomeAwaited(_, _, let interruption, let pause):
            (
                "outcome-awaited",
                ["seconds": .number(pause / .seconds(1)), "because": .text(interruption.name)]
            )
        case .breach(_, let breach, _, _): ("breach", ["kind": .text("\(breach.name)")])
        case .sessionEnded, .unpermitted, .standingChanged, .storageFailed, .noIdentifier, .tooManyDevices: nil
        }
    }

    private static func name(_ message: SessionTrace.Message) -> String {
        switch message {
        case .message1: "message-1"
        case .message2: "message-2"
        case .message3: "message-3"
        case .outcomeQuery: "outcome-query"
        case .outcome: "outcome"
        }
    }

    private static func details(_ trace: SessionTrace) -> [String: ControlScalar] {
        var details: [String: ControlScalar] = ["direction": .text(trace.isSent ? "sent" : "received")]
        if let command = trace.command { details.merge(self.details(command)) { $1 } }
        if let gsid = trace.gsid { details["gsid"] = .text(gsid.text.string + "…") }
        if let dsid = trace.dsid { details["dsid"] = .text(dsid.text.string + "…") }
        if case .outcome(let outcome?) = trace.message { details["outcome"] = .text(self.name(outcome)) }
        return details
    }

    private static func name(_ outcome: SessionOutcome) -> String {
        switch outcome {
        case .notDone: "not done"
        case .done(let code): "done \(code.text)"
        case .unknown: "unknown"
        case .executing: "executing"
        }
    }

    private static func details(_ summary: CommandSummary) -> [String: ControlScalar] {
        ["operation": .text(summary.operation.name), "bytes": .integer(Int64(summary.payloadLength))]
    }

    static func details(_ command: GatewayStore.StoredCommand) -> [String: ControlScalar] {
        var details: [String: ControlScalar] = [
            "command": .unsigned(command.id.rawValue),
            "user": .text(command.user.string),
            "given": .integer(command.given.secondsSinceEpoch),
            "outcome": .text("waiting"),
        ]
        details.merge(self.details(command.summary)) { $1 }
        if let outcome = command.outcome { details.merge(self.details(outcome)) { $1 } }
        if let finished = command.finished { details["finished"] = .integer(finished.secondsSinceEpoch) }
        return details
    }

    static func details(_ line: GatewayStore.StoredAuditEntry) -> [String: ControlScalar] {
        var details: [String: ControlScalar] = [
            "number": .unsigned(line.sequence), "time": .integer(line.time.secondsSinceEpoch),
            "what": .text("\(line.entry.what)"),
        ]
        if let command = line.entry.command { details["command"] = .unsigned(command.rawValue) }
        if let summary = line.entry.summary { details.merge(self.details(summary)) { $1 } }
        if let user = line.entry.user { details["user"] = .text(user.string) }
        return details
    }

    static func details(_ status: GatewayDeviceStatus) -> [String: ControlScalar] {
        [
            "available": .boolean(status.isAvailable),
            "blocked": .boolean(status.standing.contains(.blocked)),
            "suspended": .boolean(status.standing.contains(.suspended)),
            "alarmed": .boolean(status.standing.contains(.alarmed)),
            "identifiers": .boolean(status.hasIdentifiers),
            "commands": .integer(Int64(status.commands.count)),
            "session": .text(self.name(status.session)),
        ]
    }

    private static func name(_ session: GatewayDeviceStatus.Session) -> String {
        switch session {
        case .none: "none"
        case .offered: "offered"
        case .confirmed: "confirmed"
        case .interrupted: "interrupted"
        }
    }
}
