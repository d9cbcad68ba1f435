import CoAPMessages
import CommandSessions
import LwM2MCodecs
import LwM2MModel
import Primitives

/// Command sessions on LwM2M: messages are written to the object, and what the machine decides becomes answers,
/// storage, and the operation of the command itself.
extension ClientEngine {
    /// Serves what concerns the Command Session object and nothing else.
    ///
    /// - Returns: whether the request was answered; otherwise it is served like one for any other object.
    mutating func serveSession(
        _ parsed: ManagementRequest,
        _ request: CoAPRequest,
        exchange: ExchangeID,
        from index: Int,
        now: MonotonicTime
    ) throws(Refusal) -> Bool {
        guard self.tree.isSessionObject(parsed.path.object) else { return false }
        let concerned = self.sessions.indices.filter {
            parsed.path.instance == nil || parsed.path.instance == self.sessions[$0].instance
        }
        let message = Self.message(of: parsed)
        for position in concerned {
            let connection = self.connections[index]
            guard !self.sessions[position].blocked.contains(connection.shortServerID) else {
                throw Refusal(.unauthorized)
            }
            guard let breach = self.sessions[position].objection(to: connection) else { continue }
            self.answer(exchange, CoAPResponse(.unauthorized), parsed.operation, parsed.path)
            // Who only looks is told no; who wants to change something is beyond what it may.
            if parsed.isChange { self.respond(to: breach, at: position, from: connection.shortServerID, now: now) }
            return true
        }
        guard let (resource, format) = message, let position = concerned.first else { return false }
        let body = try self.sessionBody(request.payload, format, at: parsed.path)
        let source = CommandSessionHost.Message(
            exchange: exchange,
            path: parsed.path,
            shortServerID: self.connections[index].shortServerID
        )
        try self.take(body, as: resource, at: position, source, now: now)
        return true
    }

    private mutating func take(
        _ body: [UInt8],
        as resource: SessionResource,
        at position: Int,
        _ source: CommandSessionHost.Message,
        now: MonotonicTime
    ) throws(Refusal) {
        let action: DeviceSessionMachine.Action
        if resource == .outcomeQuery {
            guard let pair = try? SessionPair(decoding: body) else { throw Refusal(.badRequest) }
            action = self.withMachine(position) { $0.outcomeAsked(pair) }
            if case .answer(let outcome) = action {
                let report = SessionReport(outcome, of: pair)
                self.setSession(position, .outcome, .opaque(report.encoded))
                self.answer(source.exchange, CoAPResponse(.changed), .write, source.path)
                return self.showSession(position)
            }
        } else {
            guard let message = try? SessionMessage(decoding: body) else { throw Refusal(.badRequest) }
            guard !self.isStoring else { throw Refusal(.serviceUnavailable) }
            if resource == .message1 {
                guard let identifier = self.makeSessionIdentifier() else { throw Refusal(.internalServerError) }
                action = self.withMachine(position) { $0.message1Received(message, identifier: identifier) }
            } else {
                action = self.withMachine(position) { $0.message3Received(message) }
            }
        }
        self.perform(action, at: position, answering: source, now: now)
    }

    /// Which message of a session a request writes, and in which format.
    private static func message(of parsed: ManagementRequest) -> (SessionResource, ContentFormat)? {
        guard case .write(let path, .replace, let format) = parsed, path.depth == 3,
            let resource = path.resource.flatMap(SessionResource.init), resource.isMessage
        else { return nil }
        return (resource, format)
    }

    private func sessionBody(
        _ payload: [UInt8],
        _ format: ContentFormat,
        at path: ObjectPath
    ) throws(Refusal) -> [UInt8] {
        if format == .opaque { return payload }
        let records = try self.decode(payload, as: format, at: path)
        guard records.count == 1, case .opaque(let bytes) = records[0].value else { throw Refusal(.badRequest) }
        return bytes
    }

    // MARK: What the machine decides

    /// Carries out what a machine decided about a message, and shows the state that it has then.
    private mutating func perform(
        _ action: DeviceSessionMachine.Action,
        at position: Int,
        answering message: CommandSessionHost.Message,
        now: MonotonicTime
    ) {
        switch action {
        case .none:
            break
        case .store:
            self.sessions[position].waiting = message
            self.sessions[position].partner = message.shortServerID
            self.sessions[position].needsStorage = true
        case .acceptMessage1:
            self.sessions[position].waiting = nil
            self.answer(message.exchange, CoAPResponse(.changed), .write, message.path)
        case .execute(let command):
            self.run(command, at: position, answering: message, now: now)
        case .answer(let outcome):
            self.tell(outcome, at: position, answering: message)
        case .refuse(let refusal):
            if self.sessions[position].waiting?.exchange == message.exchange { self.sessions[position].waiting = nil }
            self.answer(message.exchange, CoAPResponse(refusal.code), .write, message.path)
            if refusal == .late, self.sessions[position].policy.breaches[.routine].contains(.log) {
                self.report(.commandSessionLate(shortServerID: message.shortServerID))
            }
            if case .breach(let breach) = refusal {
                self.respond(to: breach, at: position, from: message.shortServerID, now: now)
            }
        }
        self.showSession(position)
        self.storeSessions()
    }

    private mutating func tell(
        _ outcome: SessionOutcome,
        at position: Int,
        answering message: CommandSessionHost.Message
    ) {
        if self.sessions[position].waiting?.exchange == message.exchange { self.sessions[position].waiting = nil }
        let code: CoAPCode =
            switch outcome {
            case .done(let code): code.isSuccess ? .changed : code
            case .notDone: .conflict
            case .unknown: .internalServerError
            case .executing: .serviceUnavailable
            }
        self.answer(message.exchange, CoAPResponse(code), .write, message.path)
    }

    /// Executes the command of a session as if its server had asked for it outside.
    private mutating func run(
        _ command: SessionCommand,
        at position: Int,
        answering message: CommandSessionHost.Message,
        now: MonotonicTime
    ) {
        guard let index = self.connections.firstIndex(where: { $0.shortServerID == message.shortServerID }) else {
            return self.commandEnded(.notDone, at: position, now: now)
        }
        self.sessions[position].execution = message.exchange
        let request = command.request
        do throws(Refusal) {
            let parsed = try ManagementRequest.parse(request)
            guard command.operation.isDone(by: parsed, on: self.tree.definition(command.path)) else {
                throw Refusal(.methodNotAllowed)
            }
            if self.tree.isSessionObject(command.path.object) {
                guard Self.message(of: parsed) == nil else { throw Refusal(.methodNotAllowed) }
                // The policy about another gateway is not this one's to change.
                let instance = self.sessions[position].instance
                guard command.path.instance ?? instance == instance else { throw Refusal(.unauthorized) }
            }
            try self.perform(
                parsed,
                request,
                exchange: message.exchange,
                token: .empty,
                from: index,
                now: now
            )
        } catch {
            self.answer(message.exchange, CoAPResponse(error.code), .write, command.path)
        }
    }

    /// Takes the answer to a command as the outcome of its session.
    ///
    /// - Returns: false when the exchange is no command's.
    mutating func endCommand(in exchange: ExchangeID, _ code: CoAPCode) -> Bool {
        guard let position = self.sessions.firstIndex(where: { $0.execution == exchange }) else { return false }
        // 5.03 says that nothing was begun, and to try again.
        self.commandEnded(code == .serviceUnavailable ? .notDone : .done(code), at: position, now: self.settledAt)
        return true
    }

    private mutating func commandEnded(_ outcome: SessionOutcome, at position: Int, now: MonotonicTime) {
        self.sessions[position].execution = nil
        let action = self.withMachine(position) { $0.executed(outcome) }
        if case .done(let code) = outcome { self.report(.commandExecuted(code)) }
        guard let message = self.sessions[position].waiting else { return }
        self.perform(action, at: position, answering: message, now: now)
    }

    // MARK: Storage

    /// Whether a server's write or a session is on its way to the store; only one is at a time.
    var isStoring: Bool {
        self.sessions.contains { $0.storage != nil || $0.needsStorage }
            || self.pending.contains { if case .storage = $0.wait { true } else { false } }
    }

    /// Stores the records and alarms that wait, once nothing else is being stored.
    mutating func storeSessions() {
        guard !self.sessions.contains(where: { $0.storage != nil }),
            !self.pending.contains(where: { if case .storage = $0.wait { true } else { false } })
        else { return }
        let position = self.sessions.firstIndex { $0.needsStorage }
        guard position != nil || self.sessions.contains(where: { $0.hasUnstoredAlarm }) else { return }
        let storage = self.makeStorageID()
        if let position {
            self.sessions[position].needsStorage = false
            self.sessions[position].storage = storage
        }
        for position in self.sessions.indices { self.sessions[position].hasUnstoredAlarm = false }
        self.put(.store(storage, self.stored(self.wholeTree)))
    }

    /// Takes the end of a storage that is a session's.
    ///
    /// - Returns: whether it was one.
    mutating func sessionStored(_ storage: StorageID, isDurable: Bool, now: MonotonicTime) -> Bool {
        guard let position = self.sessions.firstIndex(where: { $0.storage == storage }) else { return false }
        self.sessions[position].storage = nil
        let action = self.withMachine(position) { isDurable ? $0.stored(now: now) : $0.storageFailed() }
        guard let message = self.sessions[position].waiting else { return true }
        self.perform(action, at: position, answering: message, now: now)
        return true
    }

    /// The configuration to store, with what sessions need after a restart.
    func stored(_ tree: DeviceTree) -> StoredConfiguration {
        var stored = tree.stored
        // An empty list says that there are no gateways any more; nil, that the factory's count.
        guard tree.object(tree.ids.commandSession) != nil else { return stored }
        stored.sessions = tree.sessionInstances.compactMap { instance in
            guard let host = self.sessions.first(where: { $0.instance == instance.id }) else { return nil }
            return StoredCommandSession(
                instance: HostedInstance(instance.id, instance.values.withoutPassingSession),
                record: host.machine.record
            )
        }
        return stored
    }

    // MARK: Instances

    /// The definition of the object, known from now on.
    mutating func sessionDefinition() -> ObjectDefinition {
        self.registry = self.registry.includingSessions(self.tree.ids)
        return self.registry.object(self.tree.ids.commandSession) ?? SessionPolicy.objectDefinition(ids: self.tree.ids)
    }

    /// Makes the hosts those of the instances that there are, with the policies that they hold.
    ///
    /// - Returns: the hosts whose instance went away or got other identifiers.
    @discardableResult
    mutating func adoptSessions() -> [CommandSessionHost] {
        var replaced = self.sessions
        var hosts: [CommandSessionHost] = []
        for instance in self.tree.sessionInstances {
            let given = self.tree.takeSessionIdentifiers(instance.id)
            guard let policy = self.tree.sessionPolicy(of: instance) else { continue }
            if given == nil,
                let position = replaced.firstIndex(where: { $0.instance == instance.id && !$0.isDeleted })
            {
                var host = replaced.remove(at: position)
                host.adopt(policy)
                hosts.append(host)
            } else {
                hosts.append(CommandSessionHost(instance: instance.id, policy: policy, record: given ?? .init()))
            }
        }
        self.sessions = hosts
        self.showSessions()
        return replaced
    }

    /// Brings back hosts that were replaced, to the tree of before; the others keep what became of them meanwhile.
    mutating func restoreSessions(_ replaced: [CommandSessionHost]) {
        self.sessions = replaced + self.sessions
        for position in self.sessions.indices { self.sessions[position].isDeleted = false }
        for position in replaced.indices where self.sessions[position].storage != nil {
            // How that ended may have been told while nobody listened.
            self.sessions[position].storage = nil
            self.sessions[position].needsStorage = true
        }
        self.adoptSessions()
        self.storeSessions()
    }

    /// Ends sessions whose messages can no longer be answered; what is being executed ends without an outcome.
    mutating func interruptSessions() {
        for position in self.sessions.indices {
            self.withMachine(position) { $0.abort() }
            if self.sessions[position].execution != nil {
                self.commandEnded(.unknown, at: position, now: self.settledAt)
            }
            self.showSession(position)
        }
    }

    /// Ends sessions whose message 3 did not come in time.
    mutating func endLateSessions(now: MonotonicTime) {
        for position in self.sessions.indices {
            if self.withMachine(position, { $0.deadlineReached(now: now) }) { self.showSession(position) }
        }
    }

    // MARK: What servers see

    /// Shows what a gateway observes from the start: what is not there cannot be observed.
    mutating func showSessions() {
        for position in self.sessions.indices {
            self.showSession(position)
            let path = self.tree.sessionPath(self.sessions[position].instance, .lastBreach)
            if self.tree.value(at: path) == nil { self.setSession(position, .lastBreach, .string("")) }
        }
    }

    /// Shows the state and the message to read of a session.
    mutating func showSession(_ position: Int) {
        let machine = self.sessions[position].machine
        self.setSession(position, .state, .integer(Int64(machine.stateNumber)))
        self.setSession(position, .message2, machine.message2.map { .opaque($0.encoded) })
    }

    /// Counts in a resource, which so survives a restart.
    mutating func countSession(_ position: Int, _ resource: SessionResource, by amount: UInt64 = 1) {
        guard amount > 0 else { return }
        let path = self.tree.sessionPath(self.sessions[position].instance, resource)
        let before = self.tree.value(at: path)?.asInteger ?? 0
        self.setSession(position, resource, .integer(before &+ Int64(truncatingIfNeeded: amount)))
    }

    mutating func setSession(_ position: Int, _ resource: SessionResource, _ value: ResourceValue?) {
        let path = self.tree.sessionPath(self.sessions[position].instance, resource)
        guard self.tree.value(at: path) != value else { return }
        _ = self.tree.withInstance(path) { $0[resource.rawValue] = value }
        self.valueChanged(path)
    }

    /// Lends a machine, and counts and reports what became of its sessions meanwhile.
    @discardableResult
    mutating func withMachine<Result>(
        _ position: Int,
        _ body: (inout DeviceSessionMachine) -> Result
    ) -> Result {
        let before = self.sessions[position].machine.counters
        let result = body(&self.sessions[position].machine)
        let after = self.sessions[position].machine.counters
        self.countSession(position, .completed, by: after.completed - before.completed)
        self.countSession(position, .aborted, by: after.aborted - before.aborted)
        if after.aborted > before.aborted { self.report(.commandSessionAborted) }
        return result
    }
}
