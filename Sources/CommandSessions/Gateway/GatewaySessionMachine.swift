public import CoAPMessages

/// The gateway's side of command sessions with one device, both forms: one command at a time.
///
/// Pure: the owner tells what was answered and stored, and carries out the ``Action``.
///
///              begin              stored                 message1Answered              message2Received
///        idle ──────▶ storingGSID ──────▶ sendingMessage1 ──────────────▶ readingMessage2 ───────────▶ storingDSID
///         ▲                                   │ unanswered, refused,          │                           │ stored
///         │                                   │ a breach                      │                           ▼
///         │◀──── finished(notDone) ───────────┴───────────────────────────────┘                    sendingMessage3
///         │                                                                     message3Answered 2.04 │   │ anything
///         │       stored                                                                              │   ▼ else
///         │◀───────────── storingOutcome ◀────────────────────────────────────────────────────────────┤ sendingOutcomeQuery
///         │                                                      outcomeReceived                      │   │ queryAnswered
///         │                                                                                           │   ▼
///         └── interrupted: unanswered; resume() asks again              executing: resume() later ◀─ readingOutcome
///
/// Once message 3 may have been sent, only the device's word ends the session: a gateway that lost the answer asks for
/// the outcome instead of repeating the command.
public struct GatewaySessionMachine: Sendable {
    /// What the owner must do next.
    public enum Action: Equatable, Sendable {
        case none
        /// Make the record durable, with ``ending`` in the same step, then tell ``stored()`` or ``storageFailed()``.
        case store(GatewaySessionRecord)
        /// Write message 1 to the device.
        case sendMessage1(SessionMessage)
        /// Read message 2 from the device.
        case readMessage2
        /// Write message 3 to the device.
        case sendMessage3(SessionMessage)
        /// Write the question for the outcome to the device.
        case sendOutcomeQuery(SessionPair)
        /// Read the outcome from the device.
        case readOutcome
        /// The session is over.
        case finish(End)
        /// Nobody knows the outcome yet: call ``resume()`` when the device may answer again.
        case wait(Interruption)
    }

    /// How a session ended.
    public enum End: Hashable, Sendable {
        /// The command was executed, once; with the code of its result.
        case done(CoAPCode)
        /// It was not executed, and never will be in this session: it may be tried in another.
        case notDone(Cause)
        /// The device went down while it executed the command.
        case unknown
    }

    /// Why a command was not executed.
    public enum Cause: Hashable, Sendable {
        /// A check of this side failed: what answered is not the device.
        case breach(SessionBreach)
        /// The device had a reason of its own, or message 3 was not sent or did not come in time.
        case notExecuted
        /// The device refused message 1, or had no message 2.
        case refused(CoAPCode)
        /// The gateway could not store what the next message depends on.
        case notStored
        /// A message got no answer.
        case unanswered
    }

    /// Why the outcome is not known yet.
    public enum Interruption: Hashable, Sendable {
        /// The device executes the command still.
        case executing
        /// A question about another session came between this one and its answer.
        case overtaken
        /// The device does not answer.
        case unanswered
        /// The device answers with a code that says nothing about the outcome.
        case refused(CoAPCode)
    }

    private enum State {
        case idle
        case storingGSID(SessionCommand)
        case sendingMessage1(SessionCommand)
        case readingMessage2(SessionCommand)
        case storingDSID(SessionCommand, SessionPair, before: GatewaySessionRecord)
        case sendingMessage3
        case sendingOutcomeQuery
        case readingOutcome
        /// Message 3 may have been sent, and nobody asks at the moment.
        case waiting
        case storingOutcome(End)
    }

    /// How much of the exchange carries identifiers.
    public let form: SessionForm
    /// What is durable, or on its way to be.
    public private(set) var record: GatewaySessionRecord
    private var state: State

    /// Creates a machine from what was stored.
    ///
    /// With a record whose stage is ``GatewaySessionRecord/Stage/confirmed`` the machine has a session in progress:
    /// ``resume()`` asks for its outcome. The form may be another than before only when there is none.
    public init(form: SessionForm, record: GatewaySessionRecord = .init()) {
        self.form = form
        self.record = record
        // Left by the other form, they would be taken for those of this form's sessions.
        if form == .deviceIdentifier { self.record.gsid = IdentifierCache() }
        self.state = record.confirmedPair == nil ? .idle : .waiting
        if case .idle = self.state { self.record.stage = .none }
    }

    /// Whether a command can be given.
    public var isIdle: Bool { if case .idle = self.state { true } else { false } }

    /// Whether only the device knows what became of the command, and nobody asks it at the moment.
    public var isWaiting: Bool { if case .waiting = self.state { true } else { false } }

    /// How the session ended, when the record on its way to storage is the first without it; nil otherwise.
    ///
    /// The owner keeps it in the same step as the record: after a restart nothing else tells what became of the command.
    public var ending: End? { if case .storingOutcome(let end) = self.state { end } else { nil } }

    /// Begins a session for a command; no effect unless the machine is idle.
    ///
    /// - Parameter identifier: a new GSID from the random source; not used in the short form.
    public mutating func begin(_ command: SessionCommand, identifier: SessionIdentifier) -> Action {
        guard case .idle = self.state else { return .none }
        if self.form == .bothIdentifiers {
            guard !self.record.gsid.contains(identifier) else { return .finish(.notDone(.breach(.wrongIdentifier))) }
            self.record.gsid.offer(identifier)
        }
        self.record.stage = .offered
        self.state = .storingGSID(command)
        return .store(self.record)
    }

    /// Goes on with a session whose outcome is not known.
    public mutating func resume() -> Action {
        guard case .waiting = self.state, let pair = self.record.confirmedPair else { return .none }
        self.state = .sendingOutcomeQuery
        return .sendOutcomeQuery(pair)
    }

    /// Ends a session whose command is not wanted any more; no effect once message 3 may have been sent.
    public mutating func abandon() -> Action {
        switch self.state {
        case .storingGSID, .sendingMessage1, .readingMessage2: self.giveUp(.notExecuted)
        case .idle, .storingDSID, .sendingMessage3, .sendingOutcomeQuery, .readingOutcome, .waiting, .storingOutcome:
            .none
        }
    }

    // MARK: What the owner did

    /// Reports that the record is durable.
    public mutating func stored() -> Action {
        switch self.state {
        case .storingGSID(let command):
            self.state = .sendingMessage1(command)
            let isLong = self.form == .bothIdentifiers
            return .sendMessage1(
                SessionMessage(
                    number: 1,
                    command: command,
                    gsid: isLong ? self.record.gsid.provisional : nil,
                    dsid: isLong ? self.record.dsid.established : nil
                )
            )
        case .storingDSID(let command, let pair, _):
            self.state = .sendingMessage3
            return .sendMessage3(SessionMessage(number: 3, command: command, gsid: pair.gsid, dsid: pair.dsid))
        case .storingOutcome(let end):
            self.state = .idle
            return .finish(end)
        case .idle, .sendingMessage1, .readingMessage2, .sendingMessage3, .sendingOutcomeQuery, .readingOutcome,
            .waiting:
            return .none
        }
    }

    /// Reports that the record could not be made durable.
    public mutating func storageFailed() -> Action {
        switch self.state {
        case .storingGSID: return self.giveUp(.notStored)
        case .storingDSID(_, _, let before):
            self.record = before
            return self.giveUp(.notStored)
        case .storingOutcome(let end):
            // The device knows the outcome, and tells it again after a restart.
            self.state = .idle
            return .finish(end)
        case .idle, .sendingMessage1, .readingMessage2, .sendingMessage3, .sendingOutcomeQuery, .readingOutcome,
            .waiting:
            return .none
        }
    }

    // MARK: What the device answered

    /// Reports the answer to a message or question that was written.
    public mutating func writeAnswered(_ code: CoAPCode) -> Action {
        switch self.state {
        case .sendingMessage1(let command):
            guard code == .changed else { return self.giveUp(.refused(code)) }
            self.state = .readingMessage2(command)
            return .readMessage2
        case .sendingMessage3:
            if code == .changed { return self.end(.done(code)) }
            // Refusals of message 3 and results of the command share their codes: only the outcome tells them apart.
            self.state = .waiting
            return self.resume()
        case .sendingOutcomeQuery:
            guard code == .changed else { return self.wait(.refused(code)) }
            self.state = .readingOutcome
            return .readOutcome
        case .idle, .storingGSID, .readingMessage2, .storingDSID, .readingOutcome, .waiting, .storingOutcome:
            return .none
        }
    }

    /// Reports what was read where message 2 stands.
    public mutating func message2Received(_ bytes: [UInt8]) -> Action {
        guard case .readingMessage2(let command) = self.state else { return .none }
        guard let message = try? SessionMessage(decoding: bytes) else { return self.giveUp(.breach(.changedCommand)) }
        guard message.number == 2 else { return self.giveUp(.breach(.reflected)) }
        guard message.command == command else { return self.giveUp(.breach(.changedCommand)) }
        guard message.suits(self.form), let pair = message.pair, pair.gsid == self.record.gsid.provisional,
            !self.record.dsid.contains(pair.dsid)
        else { return self.giveUp(.breach(.wrongIdentifier)) }
        let before = self.record
        self.record.gsid.establish()
        self.record.dsid.offer(pair.dsid)
        self.record.stage = .confirmed
        self.state = .storingDSID(command, pair, before: before)
        return .store(self.record)
    }

    /// Reports what was read where the outcome stands.
    public mutating func outcomeReceived(_ bytes: [UInt8]) -> Action {
        guard case .readingOutcome = self.state else { return .none }
        guard let report = try? SessionReport(decoding: bytes) else { return self.wait(.refused(.badRequest)) }
        guard let pair = self.record.confirmedPair, report.isAbout(pair) else { return self.wait(.overtaken) }
        switch report.outcome {
        case .done(let code): return self.end(.done(code))
        case .notDone: return self.end(.notDone(.notExecuted))
        case .unknown: return self.end(.unknown)
        case .executing: return self.wait(.executing)
        }
    }

    /// Reports that a read was refused.
    public mutating func readRefused(_ code: CoAPCode) -> Action {
        switch self.state {
        case .readingMessage2: self.giveUp(.refused(code))
        case .readingOutcome: self.wait(.refused(code))
        default: .none
        }
    }

    /// Reports that what was sent last got no answer.
    public mutating func unanswered() -> Action {
        switch self.state {
        case .sendingMessage1, .readingMessage2: self.giveUp(.unanswered)
        case .sendingMessage3, .sendingOutcomeQuery, .readingOutcome: self.wait(.unanswered)
        case .idle, .storingGSID, .storingDSID, .waiting, .storingOutcome: .none
        }
    }

    // MARK: Ends

    /// The session ended before message 3 was sent: nothing was executed, and nothing has to be stored to know it.
    private mutating func giveUp(_ cause: Cause) -> Action {
        self.record.stage = .none
        self.state = .idle
        return .finish(.notDone(cause))
    }

    private mutating func wait(_ interruption: Interruption) -> Action {
        self.state = .waiting
        return .wait(interruption)
    }

    private mutating func end(_ end: End) -> Action {
        // Only message 3 establishes the DSID at the device. Without it the one before holds, whatever the device keeps
        // beside that by now: a late copy of message 1 replaces the provisional value.
        if case .notDone = end {} else { self.record.dsid.establish() }
        self.record.stage = .none
        self.state = .storingOutcome(end)
        return .store(self.record)
    }
}
