internal import CommandSessions
internal import Primitives

/// Commands from when they are given until their end is told.
extension GatewayEngine {
    mutating func give(_ command: GatewayCommand, now: MonotonicTime) {
        do throws(CommandRefusal) {
            let slot = try self.admit(command)
            self.devices[slot]?.queue.append(
                QueuedCommand(
                    command: command,
                    deadline: now.advanced(by: self.configuration.commandTimeout),
                    isStored: false
                )
            )
            self.commands[command.id] = slot
            self.write(.acceptance(command.id), slot, [.commandSaved(command), .audited(AuditEntry(.given, command))])
        } catch {
            self.refuse(command, error, now: now)
        }
    }

    private func checkQueues(_ slot: Int) -> CommandRefusal? {
        guard let device = self.devices[slot] else { return .tooManyDevices }
        if device.standing.contains(.blocked) { return .blocked }
        return device.queue.count < self.configuration.maximumCommandsPerDevice ? nil : .queueFull
    }

    private mutating func admit(_ command: GatewayCommand) throws(CommandRefusal) -> Int {
        guard self.commands[command.id] == nil else { throw .duplicate }
        guard self.permissions.allows(command) else { throw .unpermitted }
        guard self.commands.count < self.configuration.maximumCommands else { throw .queueFull }
        if let slot = self.slots[command.endpoint], let refusal = self.checkQueues(slot) { throw refusal }
        guard let slot = self.makeSlot(command.endpoint) else { throw .tooManyDevices }
        return slot
    }

    private mutating func refuse(_ command: GatewayCommand, _ refusal: CommandRefusal, now: MonotonicTime) {
        switch refusal {
        case .queueFull, .tooManyDevices: self.counters.queueFull += 1
        case .unpermitted:
            self.counters.unpermitted += 1
            self.audit(AuditEntry(.refused(refusal), command))
            self.respondToUnpermitted(command, now: now)
        case .blocked:
            self.counters.refusedOtherwise += 1
            self.audit(AuditEntry(.refused(refusal), command))
        case .duplicate, .notStored: self.counters.refusedOtherwise += 1
        }
        self.emit(.commandRefused(command.id, endpoint: command.endpoint, refusal))
    }

    mutating func accept(_ id: GatewayCommandID, _ slot: Int) {
        guard let index = self.devices[slot]?.index(of: id), let endpoint = self.devices[slot]?.endpoint else { return }
        self.devices[slot]?.queue[index].isStored = true
        self.counters.commandsAccepted += 1
        self.emit(.commandAccepted(id, endpoint: endpoint))
    }

    mutating func refuseUnstored(_ id: GatewayCommandID, _ slot: Int) {
        guard let index = self.devices[slot]?.index(of: id), let endpoint = self.devices[slot]?.endpoint else { return }
        self.devices[slot]?.queue.remove(at: index)
        self.commands[id] = nil
        self.counters.refusedOtherwise += 1
        self.emit(.commandRefused(id, endpoint: endpoint, .notStored))
    }

    /// Whether a command waits, is under way, or has ended and that is not durable yet.
    public func hasCommand(_ id: GatewayCommandID) -> Bool { self.commands[id] != nil }

    mutating func cancel(_ id: GatewayCommandID, _ user: UTF8Text, now: MonotonicTime) {
        guard let slot = self.commands[id], let index = self.devices[slot]?.index(of: id) else { return }
        if self.devices[slot]?.queue[index].isCancelled == false {
            self.devices[slot]?.queue[index].cancelledBy = user
        }
        self.pump(slot, now: now)
    }

    // MARK: Ends

    /// Ends commands that were cancelled or whose time is over; once message 3 may have been sent, not before the
    /// session rests.
    mutating func endOverdue(_ slot: Int, now: MonotonicTime) {
        let session = self.sessions[slot]
        for queued in self.devices[slot]?.queue ?? [] where queued.isStored && !queued.isEnding {
            let id = queued.command.id
            if let session, session.command == id, session.machine.record.stage != .offered {
                // Message 3 may have been sent: a wish to cancel comes too late, but the time may be over.
                if session.machine.isWaiting, queued.deadline <= now { self.end(id, slot, .unknown) }
            } else if queued.isCancelled {
                self.end(id, slot, .notDone(.cancelled))
            } else if queued.deadline <= now {
                self.end(id, slot, .notDone(.deadlinePassed))
            }
        }
    }

    /// Stores how a command ended, so that it can be told.
    ///
    /// - Parameters:
    ///   - record: that of its session, when the machine ends the session with it.
    ///   - audits: lines behind that of the end.
    mutating func end(
        _ id: GatewayCommandID,
        _ slot: Int,
        _ outcome: CommandOutcome,
        record: GatewaySessionRecord? = nil,
        audits: [AuditEntry.What] = []
    ) {
        guard let index = self.devices[slot]?.index(of: id), let command = self.devices[slot]?.queue[index].command
        else { return }
        var changes: [GatewayChange] =
            record.map { [.sessionSaved(endpoint: command.endpoint, $0, command: nil)] } ?? []
        changes += self.markEnding(index, slot, outcome)
        changes += audits.map { .audited(AuditEntry($0, command)) }
        let change = self.write(.end(id, isOfSession: record != nil), slot, changes)
        if record != nil { self.sessions[slot]?.change = change }
    }

    /// Lets a command end, and makes what must be stored of it; the caller stores it as one that holds up sessions.
    mutating func markEnding(_ index: Int, _ slot: Int, _ outcome: CommandOutcome) -> [GatewayChange] {
        guard let queued = self.devices[slot]?.queue[index] else { return [] }
        self.devices[slot]?.queue[index].outcome = outcome
        self.devices[slot]?.endsBeingStored += 1
        var entry = AuditEntry(.init(outcome), queued.command)
        if outcome == .notDone(.cancelled), let user = queued.cancelledBy { entry.user = user }
        return [.commandFinished(queued.command.id, outcome), .audited(entry)]
    }

    /// The end of a command is durable.
    mutating func tellEnd(_ id: GatewayCommandID, _ slot: Int) {
        guard let device = self.devices[slot], let index = device.queue.firstIndex(where: { $0.command.id == id }),
            let outcome = device.queue[index].outcome
        else { return }
        self.devices[slot]?.queue.remove(at: index)
        self.commands[id] = nil
        switch outcome {
        case .done: self.counters.commandsDone += 1
        case .notDone(let reason):
            self.counters.commandsNotDone += 1
            if case .refused = reason { self.counters.refusedByDevice += 1 }
        case .unknown: self.counters.commandsUnknown += 1
        }
        self.emit(.commandFinished(id, endpoint: device.endpoint, outcome))
    }
}
