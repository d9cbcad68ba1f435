public import CoAPMessages
public import CommandSessions

/// How a command ended; whatever it says is so.
public enum CommandOutcome: Hashable, Sendable {
    /// Why a command was not executed.
    public enum Reason: Hashable, Sendable {
        /// What answered is not the device, or not as it should be.
        case breach(SessionBreach)
        /// Somebody cancelled it in time.
        case cancelled
        /// It could not be done within its time.
        case deadlinePassed
        /// The gateway could not do its own part: store, or draw an identifier.
        case local
        /// The device began no session with it that came to its end.
        case notExecuted
        /// The device refused with this code.
        case refused(CoAPCode)
        /// The device did not answer.
        case unanswered
    }

    /// It was executed, once, and the plain operation would have been answered with this code.
    case done(CoAPCode)
    /// It was not executed, and never will be.
    case notDone(Reason)
    /// Nobody can tell: the device went down while it executed, or did not say in time.
    case unknown
}

extension CommandOutcome.Reason {
    /// Creates the reason that is the end of a session.
    public init(_ cause: GatewaySessionMachine.Cause) {
        switch cause {
        case .breach(let breach): self = .breach(breach)
        case .notExecuted: self = .notExecuted
        case .refused(let code): self = .refused(code)
        case .notStored: self = .local
        case .unanswered: self = .unanswered
        }
    }

    /// A number of the reason, and one of its detail.
    var numbers: [UInt8] {
        switch self {
        case .breach(let breach): [1, breach.rawValue]
        case .cancelled: [2, 0]
        case .deadlinePassed: [3, 0]
        case .local: [4, 0]
        case .notExecuted: [5, 0]
        case .refused(let code): [6, code.rawValue]
        case .unanswered: [7, 0]
        }
    }

    init?(numbers: some Collection<UInt8>) {
        let numbers = Array(numbers)
        guard numbers.count == 2 else { return nil }
        switch numbers[0] {
        case 1:
            guard let breach = SessionBreach(rawValue: numbers[1]) else { return nil }
            self = .breach(breach)
        case 2: self = .cancelled
        case 3: self = .deadlinePassed
        case 4: self = .local
        case 5: self = .notExecuted
        case 6: self = .refused(CoAPCode(rawValue: numbers[1]))
        case 7: self = .unanswered
        default: return nil
        }
    }
}

extension CommandOutcome {
    /// The outcome as bytes, for a store.
    public var encoded: [UInt8] {
        switch self {
        case .notDone(let reason): [0] + reason.numbers
        case .done(let code): [1, code.rawValue]
        case .unknown: [2]
        }
    }

    /// Reads an outcome; nil for anything else.
    public init?(decoding bytes: [UInt8]) {
        switch (bytes.first, bytes.count) {
        case (0, 3):
            guard let reason = Reason(numbers: bytes.dropFirst()) else { return nil }
            self = .notDone(reason)
        case (1, 2): self = .done(CoAPCode(rawValue: bytes[1]))
        case (2, 1): self = .unknown
        default: return nil
        }
    }
}

extension CommandOutcome.Reason: CustomStringConvertible {
    /// Such as `refused 4.03`.
    public var description: String {
        switch self {
        case .breach(let breach): "breach \(breach.name)"
        case .cancelled: "cancelled"
        case .deadlinePassed: "deadline-passed"
        case .local: "local"
        case .notExecuted: "not-executed"
        case .refused(let code): "refused \(code.text)"
        case .unanswered: "unanswered"
        }
    }
}

extension CommandOutcome: CustomStringConvertible {
    /// Such as `done 2.04`.
    public var description: String {
        switch self {
        case .done(let code): "done \(code.text)"
        case .notDone(let reason): "not-done \(reason)"
        case .unknown: "unknown"
        }
    }
}
