internal import CoAPMessages
internal import CommandSessions
internal import LwM2MModel
internal import Primitives

/// Sessions: when one begins, what its machine wants done, and what its end means for the command.
extension GatewayEngine {
    /// Begins the next session, or asks for the outcome of one, when that can be done now.
    mutating func advance(_ slot: Int, now: MonotonicTime) {
        guard let device = self.devices[slot], device.isAvailable, device.endsBeingStored == 0,
            device.pausedUntil <= now, !device.isStandingUnsaved, !device.standing.contains(.suspended)
        else { return }
        if let session = self.sessions[slot] {
            if session.machine.isWaiting { self.perform(self.resume(slot), slot, now: now) }
        } else if !device.standing.contains(.blocked), device.quietUntil <= now, let index = device.next {
            self.begin(device.queue[index], index, slot, now: now)
        }
    }

    private mutating func resume(_ slot: Int) -> GatewaySessionMachine.Action {
        self.sessions[slot]?.machine.resume() ?? .none
    }

    private mutating func begin(_ queued: QueuedCommand, _ index: Int, _ slot: Int, now: MonotonicTime) {
        guard let device = self.devices[slot] else { return }
        let id = queued.command.id
        self.devices[slot]?.queue[index].tries += 1
        guard let identifier = SessionIdentifier(from: &self.random), !device.record.gsid.contains(identifier) else {
            self.emit(.report(.noIdentifier(endpoint: device.endpoint)))
            self.tryAgain(id, slot, .local, now: now)
            return
        }
        var machine = GatewaySessionMachine(form: self.configuration.form, record: device.record)
        let action = machine.begin(queued.command.command, identifier: identifier)
        self.sessions[slot] = ActiveSession(machine: machine, command: id)
        self.counters.sessionsBegun += 1
        if queued.tries > 0 { self.counters.retries += 1 }
        self.emit(.report(.sessionBegun(endpoint: device.endpoint, id, attempt: queued.tries + 1)))
        self.perform(action, slot, now: now)
    }

    // MARK: What the machine wants

    mutating func perform(_ action: GatewaySessionMachine.Action, _ slot: Int, now: MonotonicTime) {
        switch action {
        case .none: break
        case .store(let record): self.store(record, slot)
        case .sendMessage1(let message):
            self.trace(.message1, slot, message.gsid, message.dsid)
            self.send(.write, slot, .message1, message.encoded)
        case .readMessage2: self.send(.readMessage2, slot, .message2)
        case .sendMessage3(let message):
            self.trace(.message3, slot, message.gsid, message.dsid)
            self.send(.write, slot, .message3, message.encoded)
        case .sendOutcomeQuery(let pair):
            self.trace(.outcomeQuery, slot, pair.gsid, pair.dsid)
            self.send(.write, slot, .outcomeQuery, pair.encoded)
        case .readOutcome: self.send(.readOutcome, slot, .outcome)
        case .finish(let end): self.finish(end, slot, now: now)
        case .wait(let interruption): self.wait(interruption, slot, now: now)
        }
    }

    private mutating func store(_ record: GatewaySessionRecord, _ slot: Int) {
        guard let session = self.sessions[slot], let device = self.devices[slot] else { return }
        var outcome: CommandOutcome?
        switch session.machine.ending {
        case .done(let code): outcome = .done(code)
        case .unknown: outcome = .unknown
        case .notDone, nil: break
        }
        if let outcome, let id = session.command, device.index(of: id) != nil {
            self.end(id, slot, outcome, record: record)
            return
        }
        var changes: [GatewayChange] = [
            .sessionSaved(endpoint: device.endpoint, record, command: record.stage == .none ? nil : session.command)
        ]
        if let outcome {
            // The command ended as unknown when its time was over; now there is an answer.
            let entry = AuditEntry(endpoint: device.endpoint, what: .init(outcome), command: session.command)
            changes.append(.audited(entry))
        } else if record.stage == .offered, let index = device.index(of: session.command) {
            changes.append(.audited(AuditEntry(.sessionBegun, device.queue[index].command)))
        }
        let change = self.write(.session, slot, changes)
        self.sessions[slot]?.change = change
    }

    private mutating func send(
        _ step: ActiveSession.Step,
        _ slot: Int,
        _ resource: SessionResource,
        _ bytes: [UInt8] = []
    ) {
        guard let device = self.devices[slot] else { return }
        let id = self.makeOperationID()
        let path = ObjectPath(
            self.configuration.objectIDs.commandSession,
            self.configuration.objectInstance,
            resource.rawValue
        )
        self.operations[id] = slot
        self.sessions[slot]?.operation = (id, step, device.connection)
        switch step {
        case .write: self.emit(.write(id, endpoint: device.endpoint, path, bytes))
        case .readMessage2, .readOutcome: self.emit(.read(id, endpoint: device.endpoint, path))
        }
    }

    private mutating func wait(_ interruption: GatewaySessionMachine.Interruption, _ slot: Int, now: MonotonicTime) {
        guard let device = self.devices[slot], let session = self.sessions[slot] else { return }
        let pause = self.pause(after: session.interruptions)
        self.sessions[slot]?.interruptions += 1
        self.devices[slot]?.pausedUntil = now.advanced(by: pause)
        self.emit(.report(.outcomeAwaited(endpoint: device.endpoint, session.command, interruption, pause: pause)))
    }

    /// Twice as long each time.
    private func pause(after count: Int) -> Duration {
        min(self.configuration.pause * (1 << max(0, min(count, 20))), self.configuration.longestPause)
    }

    // MARK: Answers

    mutating func take(_ answer: OperationAnswer, to id: GatewayOperationID, now: MonotonicTime) {
        guard let slot = self.operations.removeValue(forKey: id), let operation = self.sessions[slot]?.operation,
            operation.id == id
        else { return }
        self.sessions[slot]?.operation = nil
        let action = self.action(for: answer, operation.step, slot)
        if case .unanswered = answer, operation.connection == self.devices[slot]?.connection {
            // What got no answer may arrive still.
            self.devices[slot]?.quietUntil = now.advanced(by: self.configuration.quietTime)
        }
        self.perform(action, slot, now: now)
        self.pump(slot, now: now)
    }

    private mutating func action(
        for answer: OperationAnswer,
        _ step: ActiveSession.Step,
        _ slot: Int
    ) -> GatewaySessionMachine.Action {
        guard var session = self.sessions.removeValue(forKey: slot) else { return .none }
        defer { self.sessions[slot] = session }
        session.wasReadRefused = false
        if session.machine.record.stage == .offered, self.devices[slot]?.index(of: session.command) == nil {
            // The command ended meanwhile as one that was not executed: so it stays.
            return session.machine.abandon()
        }
        switch (step, answer) {
        case (.write, .writeAnswered(let code)): return session.machine.writeAnswered(code)
        case (.readMessage2, .readAnswered(let bytes)):
            let message = try? SessionMessage(decoding: bytes)
            self.trace(.message2, slot, message?.gsid, message?.dsid, of: session)
            return session.machine.message2Received(bytes)
        case (.readOutcome, .readAnswered(let bytes)):
            let report = try? SessionReport(decoding: bytes)
            self.trace(.outcome(report?.outcome), slot, nil, nil, of: session)
            return session.machine.outcomeReceived(bytes)
        case (.readMessage2, .readRefused(let code)), (.readOutcome, .readRefused(let code)):
            session.wasReadRefused = true
            return session.machine.readRefused(code)
        default: return session.machine.unanswered()
        }
    }

    private mutating func trace(
        _ message: SessionTrace.Message,
        _ slot: Int,
        _ gsid: SessionIdentifier?,
        _ dsid: SessionIdentifier?,
        of session: ActiveSession? = nil
    ) {
        guard let device = self.devices[slot], let session = session ?? self.sessions[slot] else { return }
        let trace = SessionTrace(
            endpoint: device.endpoint,
            message: message,
            id: session.command,
            command: device.index(of: session.command).map { CommandSummary(device.queue[$0].command.command) },
            gsid: gsid.map(IdentifierPrefix.init),
            dsid: dsid.map(IdentifierPrefix.init)
        )
        self.emit(.report(.traced(trace)))
    }

    // MARK: Ends

    private mutating func finish(_ end: GatewaySessionMachine.End, _ slot: Int, now: MonotonicTime) {
        guard let session = self.sessions.removeValue(forKey: slot), let device = self.devices[slot] else { return }
        self.devices[slot]?.record = session.machine.record
        switch end {
        case .done: self.counters.sessionsCompleted += 1
        case .unknown: self.counters.sessionsUnknown += 1
        case .notDone(let cause):
            self.counters.sessionsAborted += 1
            self.emit(.report(.sessionAborted(endpoint: device.endpoint, session.command, cause)))
            if case .breach(let breach) = cause { self.respond(to: breach, session.command, slot, now: now) }
            if let id = session.command { self.abort(id, slot, cause, session.wasReadRefused, now: now) }
            return
        }
        if self.policy[.routine].contains(.log) {
            self.emit(.report(.sessionEnded(endpoint: device.endpoint, end)))
        }
    }

    /// The command was not executed in the session that is over: it ends, or it is tried in another.
    private mutating func abort(
        _ id: GatewayCommandID,
        _ slot: Int,
        _ cause: GatewaySessionMachine.Cause,
        _ wasReadRefused: Bool,
        now: MonotonicTime
    ) {
        switch cause {
        case .breach(let breach):
            self.end(id, slot, .notDone(.breach(breach)), audits: [.breach(breach)])
        case .refused(let code) where !Self.isPassing(code, ofRead: wasReadRefused):
            self.end(id, slot, .notDone(.refused(code)))
        case .notExecuted, .notStored, .refused, .unanswered:
            self.tryAgain(id, slot, CommandOutcome.Reason(cause), now: now)
        }
    }

    /// Whether a refusal may be none at the next try: the device is busy or could not store, or message 2 was given up
    /// by then.
    private static func isPassing(_ code: CoAPCode, ofRead wasRead: Bool) -> Bool {
        switch code {
        case .serviceUnavailable, .internalServerError, .tooManyRequests, .conflict: true
        case .notFound: wasRead
        default: false
        }
    }

    private mutating func tryAgain(
        _ id: GatewayCommandID,
        _ slot: Int,
        _ reason: CommandOutcome.Reason,
        now: MonotonicTime
    ) {
        guard let device = self.devices[slot], let index = device.index(of: id) else { return }
        let queued = device.queue[index]
        // One that was cancelled or whose time is over ends when the device is looked at next.
        guard !queued.isCancelled, queued.deadline > now else { return }
        guard queued.tries < self.configuration.maximumTries else {
            self.end(id, slot, .notDone(reason))
            return
        }
        let pause = self.pause(after: queued.tries - 1)
        self.devices[slot]?.pausedUntil = now.advanced(by: pause)
        self.emit(.report(.retrying(endpoint: device.endpoint, id, pause: pause)))
    }
}
