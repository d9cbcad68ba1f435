public import Primitives

/// The device's side of command sessions with one gateway, both forms.
///
/// Pure: the owner tells what came and what was stored, and carries out the ``Action``. Who may send a message at all is
/// the owner's to check; this machine checks what the message says.
///
///                  message1Received                stored                   message3Received
///        idle ───────────────────▶ storingIdentifiers ─────▶ awaitingMessage3 ───────────▶ storingExecution
///         ▲                                                   │ other message 1:               │ stored
///         │                             deadlineReached,      │ storingIdentifiers again       ▼
///         │◀──────────────────────── outcomeAsked, a breach ──┘                             executing
///         │                                                                                    │ executed
///         │                                      stored                                        ▼
///         └──────────────────────────────────────────────────────────────────────────── storingOutcome
///
/// A command runs once: both identifiers and the mark "executing" are durable before it runs, its outcome before the
/// answer. After a restart a session that had not come so far is over, and an outcome that was not stored is unknown.
public struct DeviceSessionMachine: Sendable {
    /// What the owner must do next.
    public enum Action: Equatable, Sendable {
        case none
        /// Make the record durable, then tell ``stored(now:)`` or ``storageFailed()``; message 1 or 3 waits for it.
        case store(DeviceSessionRecord)
        /// Answer message 1: message 2 can be read now.
        case acceptMessage1
        /// Execute the command, and tell ``executed(_:)`` how it ended.
        case execute(SessionCommand)
        /// Answer message 3, or the question for the outcome.
        case answer(SessionOutcome)
        /// Answer that nothing is done, and why.
        case refuse(Refusal)
    }

    /// Why a message is refused.
    public enum Refusal: Hashable, Sendable {
        /// A check failed: the policy says what else to do.
        case breach(SessionBreach)
        /// A command is being executed or something is being stored: later.
        case busy
        /// The message is of a session that is over.
        case late
        /// The message lacks what the form needs.
        case malformed
        /// What it depends on could not be stored.
        case notStored
    }

    /// What happened to sessions since the machine was created; each number only grows.
    public struct Counters: Hashable, Sendable {
        /// Sessions whose command was executed.
        public var completed: UInt64 = 0
        /// Sessions that ended before.
        public var aborted: UInt64 = 0
        /// Messages of sessions that were over.
        public var late: UInt64 = 0
    }

    private struct Session: Equatable {
        let message1: SessionMessage
        let pair: SessionPair

        var message2: SessionMessage {
            SessionMessage(number: 2, command: self.message1.command, gsid: self.pair.gsid, dsid: self.pair.dsid)
        }
    }

    private enum State {
        case idle
        case storingIdentifiers(Session, before: DeviceSessionRecord)
        case awaitingMessage3(Session, deadline: MonotonicTime)
        case storingExecution(Session, before: DeviceSessionRecord)
        case executing(before: DeviceSessionRecord)
        /// - executing: what is stored until then.
        case storingOutcome(SessionOutcome, executing: DeviceSessionRecord)
    }

    /// What the identifiers of a message say about it.
    private enum Standing {
        /// It belongs to the session in progress.
        case current(Session)
        /// Its session came to its command.
        case executed(SessionOutcome)
        /// Its session is over, and nothing was executed in it.
        case over
        /// One identifier is that of the session in progress, the other is not.
        case swapped
        case foreign
    }

    /// How much of the exchange carries identifiers, in messages from now on.
    public var form: SessionForm {
        didSet { self.forgetOtherForm() }
    }
    /// How long the device waits for message 3 of the sessions that begin from now on.
    public var timeout: Duration
    /// What is durable, or on its way to be.
    public private(set) var record: DeviceSessionRecord
    /// What happened so far.
    public private(set) var counters = Counters()
    private var state: State = .idle

    /// Creates a machine from what was stored.
    ///
    /// - Parameters:
    ///   - form: as agreed with the gateway.
    ///   - timeout: how long to wait for message 3; above zero.
    ///   - record: what was stored last; an empty one before the first session.
    public init(form: SessionForm, timeout: Duration = .seconds(60), record: DeviceSessionRecord = .init()) {
        precondition(timeout > .zero, "a timeout is positive")
        self.form = form
        self.timeout = timeout
        self.record = record
        self.forgetOtherForm()
        if record.lastExecution?.outcome == .executing { self.record.lastExecution?.outcome = .unknown }
    }

    /// GSIDs that the other form left would be taken for those of the short form's sessions.
    private mutating func forgetOtherForm() {
        if self.form == .deviceIdentifier { self.record.gsid = IdentifierCache() }
    }

    /// When ``deadlineReached(now:)`` must next be called; nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        if case .awaitingMessage3(_, let deadline) = self.state { deadline } else { nil }
    }

    /// The message that the gateway may read; nil when there is none.
    public var message2: SessionMessage? {
        if case .awaitingMessage3(let session, _) = self.state { session.message2 } else { nil }
    }

    /// The state as a number: 0 idle, 1 awaiting message 3, 2 executing; what happens in between counts as the latter.
    public var stateNumber: UInt8 {
        switch self.state {
        case .idle, .storingIdentifiers: 0
        case .awaitingMessage3: 1
        case .storingExecution, .executing, .storingOutcome: 2
        }
    }

    // MARK: Messages

    /// Reports message 1.
    ///
    /// - Parameters:
    ///   - message: as it came.
    ///   - identifier: a new DSID from the random source; used only if the message is good.
    public mutating func message1Received(_ message: SessionMessage, identifier: SessionIdentifier) -> Action {
        guard message.number == 1 else { return .refuse(.breach(.reflected)) }
        guard message.suits(self.form) else { return .refuse(.malformed) }
        switch self.state {
        case .storingIdentifiers, .storingExecution, .executing, .storingOutcome: return .refuse(.busy)
        case .awaitingMessage3(let session, _) where session.message1 == message: return .acceptMessage1
        case .idle, .awaitingMessage3: break
        }
        if let gsid = message.gsid, self.record.knows(gsid) {
            // A copy, or a message that was long under way: each GSID gets one session, also after a crash.
            self.counters.late += 1
            return .refuse(.late)
        }
        let before = self.record
        guard self.begin(message, identifier) else { return .refuse(.breach(.wrongIdentifier)) }
        if case .awaitingMessage3 = self.state { self.counters.aborted += 1 }
        let session = Session(message1: message, pair: SessionPair(gsid: message.gsid, dsid: identifier))
        self.state = .storingIdentifiers(session, before: before)
        return .store(self.record)
    }

    /// Reports message 3.
    public mutating func message3Received(_ message: SessionMessage) -> Action {
        guard message.number == 3 else { return .refuse(.breach(.reflected)) }
        guard let pair = message.pair else { return .refuse(.malformed) }
        guard message.suits(self.form) else { return self.answer(inOtherForm: pair) }
        switch self.standing(of: pair) {
        case .executed(.executing): return .refuse(.busy)
        case .executed(let outcome): return .answer(outcome)
        case .over:
            self.counters.late += 1
            return .refuse(.late)
        case .current(let session):
            guard message.command == session.message1.command else { return self.end(.changedCommand) }
            let before = self.record
            self.record.gsid.establish()
            self.record.dsid.establish()
            self.record.lastExecution = .init(pair: pair, outcome: .executing)
            self.state = .storingExecution(session, before: before)
            return .store(self.record)
        case .swapped: return self.end(.swappedIdentifier)
        case .foreign: return .refuse(.breach(.wrongIdentifier))
        }
    }

    /// Reports the question for the outcome of a session; a session in progress ends by it, so that "not done" stays
    /// true.
    public mutating func outcomeAsked(_ pair: SessionPair) -> Action {
        guard (pair.gsid != nil) == (self.form == .bothIdentifiers) else { return self.answer(inOtherForm: pair) }
        switch self.standing(of: pair) {
        case .executed(let outcome): return .answer(outcome)
        case .over: return .answer(.notDone)
        case .current:
            self.abort()
            return .answer(.notDone)
        case .swapped: return self.end(.swappedIdentifier)
        case .foreign: return .refuse(.breach(.wrongIdentifier))
        }
    }

    // MARK: What the owner did

    /// Reports that the record is durable.
    public mutating func stored(now: MonotonicTime) -> Action {
        switch self.state {
        case .storingIdentifiers(let session, _):
            self.state = .awaitingMessage3(session, deadline: now.advanced(by: self.timeout))
            return .acceptMessage1
        case .storingExecution(let session, let before):
            self.state = .executing(before: before)
            return .execute(session.message1.command)
        case .storingOutcome(let outcome, _):
            self.state = .idle
            return .answer(outcome)
        case .idle, .awaitingMessage3, .executing: return .none
        }
    }

    /// Reports that the record could not be made durable: what is stored is as before.
    public mutating func storageFailed() -> Action {
        switch self.state {
        case .storingIdentifiers(_, let before), .storingExecution(_, let before):
            self.record = before
            self.counters.aborted += 1
            self.state = .idle
            return .refuse(.notStored)
        case .storingOutcome(.notDone, var executing):
            // A restart would find a session that established its identifiers, and a gateway that is told "not done"
            // would keep the ones before. So it is told now what it would be told then.
            executing.lastExecution?.outcome = .unknown
            self.record = executing
            self.state = .idle
            return .answer(.unknown)
        case .storingOutcome(let outcome, _):
            // It was executed: whoever asks while the device runs is told so, and after a restart that it is unknown.
            self.state = .idle
            return .answer(outcome)
        case .idle, .awaitingMessage3, .executing: return .none
        }
    }

    /// Reports how the command ended; "not done" says that it was not even begun.
    public mutating func executed(_ outcome: SessionOutcome) -> Action {
        guard case .executing(let before) = self.state else { return .none }
        let executing = self.record
        if outcome == .notDone {
            // A session that was given up, like any other: a gateway that is told so keeps the identifiers before.
            self.record = before
            self.counters.aborted += 1
        } else {
            self.record.lastExecution?.outcome = outcome
            self.counters.completed += 1
        }
        self.state = .storingOutcome(outcome, executing: executing)
        return .store(self.record)
    }

    /// Reports that the deadline has passed; harmless before.
    ///
    /// - Returns: whether a session ended by it.
    public mutating func deadlineReached(now: MonotonicTime) -> Bool {
        guard let deadline = self.nextDeadline, deadline <= now else { return false }
        self.abort()
        return true
    }

    /// Ends a session in progress that has not come to its command: the policy wants no more of this peer.
    public mutating func abort() {
        guard case .awaitingMessage3 = self.state else { return }
        self.counters.aborted += 1
        self.state = .idle
    }

    // MARK: Checks

    /// Takes the identifiers of message 1 into the caches.
    ///
    /// - Returns: false, with nothing changed, when they do not prove the state that the last session left: only the
    ///   established DSID does, which message 3 alone replaces, whatever else came meanwhile.
    private mutating func begin(_ message: SessionMessage, _ identifier: SessionIdentifier) -> Bool {
        var next = self.record
        guard !next.dsid.contains(identifier) else { return false }
        if self.form == .bothIdentifiers {
            guard let gsid = message.gsid, message.dsid == next.dsid.established else { return false }
            next.gsid.offer(gsid)
        }
        next.superseded = self.record.newestSession
        next.dsid.offer(identifier)
        self.record = next
        return true
    }

    private func standing(of pair: SessionPair) -> Standing {
        if case .storingOutcome(.notDone, let executing) = self.state, executing.lastExecution?.pair == pair {
            return .executed(.executing)
        }
        if let last = self.record.lastExecution, last.pair == pair { return .executed(last.outcome) }
        if case .awaitingMessage3(let session, _) = self.state {
            if session.pair == pair { return .current(session) }
        } else if self.record.provisionalPair == pair {
            return .over
        }
        if let past = self.record.superseded, past.pair == pair {
            return past.outcome == .notDone ? .over : .executed(past.outcome)
        }
        if case .awaitingMessage3(let session, _) = self.state,
            session.pair.dsid == pair.dsid || session.pair.gsid != nil && session.pair.gsid == pair.gsid
        {
            return .swapped
        }
        return .foreign
    }

    /// A command may have changed the form: who lost its answer asks in the form of its session.
    private func answer(inOtherForm pair: SessionPair) -> Action {
        guard case .executed(let outcome) = self.standing(of: pair) else { return .refuse(.malformed) }
        return .answer(outcome)
    }

    private mutating func end(_ breach: SessionBreach) -> Action {
        self.abort()
        return .refuse(.breach(breach))
    }
}
