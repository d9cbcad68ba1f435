import CoAPMessages
import CommandSessions

/// What must never happen to a session.
enum SessionViolation: Error, Hashable {
    /// A command ran a second time.
    case executedTwice
    /// A command ran whose message 3 the gateway did not send with these identifiers.
    case executedWithoutEcho
    /// A command ran that the gateway was told is not done.
    case executedAfterAll
    /// The gateway was told something else than what happened.
    case wrongOutcome
    /// Two sessions in a row came to nothing on a link without a fault.
    case notRecovered
    /// A cache holds the same identifier twice.
    case cacheHoldsItTwice
    /// Nothing more happens, and the session is not over.
    case stuck
}

/// The truth about every session on a link, which neither side sees: what ran, and what the gateway was told.
struct SessionLedger {
    private struct Session {
        let command: SessionCommand
        var pair: SessionPair?
        var executions = 0
        var code: CoAPCode?
        var isToldNotDone = false
    }

    private var sessions: [Session] = []
    private var numbers: [[UInt8]: Int] = [:]
    private var executed: Set<[UInt8]> = []

    /// The number of the newest session.
    var newest: Int { self.sessions.count - 1 }

    mutating func begin(_ command: SessionCommand) {
        self.sessions.append(Session(command: command))
    }

    /// The session that the gateway sent message 3 in with these identifiers.
    func number(of pair: SessionPair) -> Int? { self.numbers[pair.dsid.copyBytes()] }

    mutating func confirm(_ number: Int, _ pair: SessionPair) {
        self.sessions[number].pair = pair
        self.numbers[pair.dsid.copyBytes()] = number
    }

    /// The device begins to execute the command, by this message 3.
    mutating func execute(_ command: SessionCommand, _ echo: SessionMessage?) throws(SessionViolation) {
        guard let echo, let dsid = echo.dsid else { throw .executedWithoutEcho }
        let pair = SessionPair(gsid: echo.gsid, dsid: dsid)
        guard let number = self.number(of: pair), self.sessions[number].pair == pair,
            self.sessions[number].command == command, echo.command == command
        else { throw .executedWithoutEcho }
        guard self.executed.insert(pair.dsid.copyBytes()).inserted, self.sessions[number].executions == 0 else {
            throw .executedTwice
        }
        guard !self.sessions[number].isToldNotDone else { throw .executedAfterAll }
        self.sessions[number].executions = 1
    }

    /// The command of the session with these identifiers came to its end, or could not begin.
    mutating func finish(_ outcome: SessionOutcome, _ pair: SessionPair) {
        guard let number = self.number(of: pair) else { return }
        switch outcome {
        case .done(let code): self.sessions[number].code = code
        // It must not begin later either: its identifiers stay among those that something was executed by.
        default: self.sessions[number].executions = 0
        }
    }

    mutating func tell(_ end: GatewaySessionMachine.End, to number: Int) throws(SessionViolation) {
        let session = self.sessions[number]
        switch end {
        case .done(let code):
            guard session.executions == 1, session.code == code else { throw .wrongOutcome }
        case .notDone:
            guard session.executions == 0 else { throw .wrongOutcome }
            self.sessions[number].isToldNotDone = true
        case .unknown: break
        }
    }
}
