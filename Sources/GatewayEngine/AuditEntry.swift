public import CoAPMessages
public import CommandSessions
public import Primitives

/// One line of the audit log; the store numbers it and stamps it with the time.
///
/// It holds no identifier of a session and nothing that a command writes.
public struct AuditEntry: Hashable, Sendable {
    /// What happened.
    public enum What: Hashable, Sendable {
        /// A command was given.
        case given
        /// A command was refused when it was given.
        case refused(CommandRefusal)
        /// A session for a command began.
        case sessionBegun
        /// A command was executed; also told when that was learned after its time.
        case executed(CoAPCode)
        /// A command was not executed, and will not be.
        case notExecuted(CommandOutcome.Reason)
        /// Nobody can tell whether a command was executed.
        case unknown
        /// A check found something wrong.
        case breach(SessionBreach)
        /// The device takes no more commands.
        case blocked
        /// An operator lets the device take commands again.
        case unblocked
        /// The gateway talks no more with the device for a while.
        case suspended
        /// The alarm was raised.
        case alarmRaised
        /// An operator reset the alarm.
        case alarmReset
        /// An operator made the gateway forget the identifiers.
        case sessionReset
        /// An operator told the gateway the identifiers that the device was given beforehand.
        case identifiersGiven
    }

    /// The device.
    public let endpoint: UTF8Text
    /// What happened.
    public let what: What
    /// The command, when it is about one.
    public let command: GatewayCommandID?
    /// What the command does.
    public let summary: CommandSummary?
    /// Who gave the command or cancelled it, or the operator; nil when nobody did it.
    public internal(set) var user: UTF8Text?

    /// Creates an entry.
    public init(
        endpoint: UTF8Text,
        what: What,
        command: GatewayCommandID? = nil,
        summary: CommandSummary? = nil,
        user: UTF8Text? = nil
    ) {
        self.endpoint = endpoint
        self.what = what
        self.command = command
        self.summary = summary
        self.user = user
    }

    init(_ what: What, _ command: GatewayCommand) {
        self.init(
            endpoint: command.endpoint,
            what: what,
            command: command.id,
            summary: CommandSummary(command.command),
            user: command.user
        )
    }
}

extension AuditEntry.What {
    init(_ outcome: CommandOutcome) {
        switch outcome {
        case .done(let code): self = .executed(code)
        case .notDone(let reason): self = .notExecuted(reason)
        case .unknown: self = .unknown
        }
    }

    /// What happened as bytes, for a store.
    public var encoded: [UInt8] {
        switch self {
        case .given: [1]
        case .refused(let refusal): [2, refusal.rawValue]
        case .sessionBegun: [3]
        case .executed(let code): [4, code.rawValue]
        case .notExecuted(let reason): [5] + reason.numbers
        case .unknown: [6]
        case .breach(let breach): [7, breach.rawValue]
        case .blocked: [8]
        case .unblocked: [9]
        case .suspended: [10]
        case .alarmRaised: [11]
        case .alarmReset: [12]
        case .sessionReset: [13]
        case .identifiersGiven: [14]
        }
    }

    /// Reads what happened; nil for anything else.
    public init?(decoding bytes: [UInt8]) {
        switch (bytes.first, bytes.count) {
        case (1, 1): self = .given
        case (2, 2):
            guard let refusal = CommandRefusal(rawValue: bytes[1]) else { return nil }
            self = .refused(refusal)
        case (3, 1): self = .sessionBegun
        case (4, 2): self = .executed(CoAPCode(rawValue: bytes[1]))
        case (5, 3):
            guard let reason = CommandOutcome.Reason(numbers: bytes.dropFirst()) else { return nil }
            self = .notExecuted(reason)
        case (6, 1): self = .unknown
        case (7, 2):
            guard let breach = SessionBreach(rawValue: bytes[1]) else { return nil }
            self = .breach(breach)
        case (8, 1): self = .blocked
        case (9, 1): self = .unblocked
        case (10, 1): self = .suspended
        case (11, 1): self = .alarmRaised
        case (12, 1): self = .alarmReset
        case (13, 1): self = .sessionReset
        case (14, 1): self = .identifiersGiven
        default: return nil
        }
    }
}

extension AuditEntry.What: CustomStringConvertible {
    /// Such as `executed 2.04`.
    public var description: String {
        switch self {
        case .given: "given"
        case .refused(let refusal): "refused \(refusal.name)"
        case .sessionBegun: "session-begun"
        case .executed(let code): "executed \(code.text)"
        case .notExecuted(let reason): "not-executed \(reason)"
        case .unknown: "unknown"
        case .breach(let breach): "breach \(breach.name)"
        case .blocked: "blocked"
        case .unblocked: "unblocked"
        case .suspended: "suspended"
        case .alarmRaised: "alarm-raised"
        case .alarmReset: "alarm-reset"
        case .sessionReset: "session-reset"
        case .identifiersGiven: "identifiers-given"
        }
    }
}
