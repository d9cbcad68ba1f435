internal import CommandSessions
internal import Primitives

/// What is on its way to the store.
extension GatewayEngine {
    @discardableResult
    mutating func write(_ purpose: WriteTable.Purpose, _ slot: Int?, _ changes: [GatewayChange]) -> GatewayChangeID {
        if let slot { self.devices[slot]?.writes += 1 }
        return self.handOut(WriteTable.Write(purpose: purpose, slot: slot, changes: changes))
    }

    private mutating func handOut(_ write: WriteTable.Write) -> GatewayChangeID {
        let id = self.writes.add(write)
        self.emit(.store(id, write.changes))
        return id
    }

    mutating func audit(_ entry: AuditEntry) {
        self.write(.audit, nil, [.audited(entry)])
    }

    mutating func stored(_ id: GatewayChangeID, now: MonotonicTime) {
        guard let write = self.writes.stored(id) else { return }
        guard let slot = write.slot, let device = self.devices[slot] else { return }
        self.devices[slot]?.writes -= 1
        switch write.purpose {
        case .audit: break
        case .acceptance(let command): self.accept(command, slot)
        case .end(let command, let isOfSession):
            self.devices[slot]?.endsBeingStored -= 1
            self.tellEnd(command, slot)
            if isOfSession { self.sessionStored(id, slot, now: now) }
        case .identifiers(let record):
            self.devices[slot]?.endsBeingStored -= 1
            self.devices[slot]?.record = record
            self.emit(.identifiersAnswered(endpoint: device.endpoint, .done))
        case .reset(let command):
            self.devices[slot]?.endsBeingStored -= 1
            if let command { self.tellEnd(command, slot) }
            self.emit(.sessionResetAnswered(endpoint: device.endpoint, .done))
        case .session: self.sessionStored(id, slot, now: now)
        case .standing:
            self.devices[slot]?.standingWrites -= 1
            self.tellStanding(slot)
        }
        self.pump(slot, now: now)
    }

    mutating func storageFailed(_ id: GatewayChangeID, now: MonotonicTime) {
        guard let write = self.writes.failed(id) else { return }
        self.counters.storageFailures += 1
        guard let slot = write.slot, let device = self.devices[slot] else {
            self.counters.auditsLost += UInt64(write.changes.count)
            return
        }
        switch write.purpose {
        case .acceptance(let command):
            self.devices[slot]?.writes -= 1
            self.refuseUnstored(command, slot)
        case .audit: break
        case .end(_, let isOfSession):
            if isOfSession, self.sessions[slot]?.change == id { self.sessions[slot]?.change = nil }
            self.keep(write, now: now)
        case .identifiers:
            self.devices[slot]?.writes -= 1
            self.devices[slot]?.endsBeingStored -= 1
            self.emit(.identifiersAnswered(endpoint: device.endpoint, .notStored))
        case .reset: self.keep(write, now: now)
        case .session:
            self.devices[slot]?.writes -= 1
            guard self.sessions[slot]?.change == id else { break }
            self.sessions[slot]?.change = nil
            self.perform(self.sessions[slot]?.machine.storageFailed() ?? .none, slot, now: now)
        case .standing:
            self.devices[slot]?.writes -= 1
            self.devices[slot]?.standingWrites -= 1
            // Those that wait already came later only if this is another try of the ones before.
            let lines = write.changes.compactMap { if case .audited(let entry) = $0 { entry } else { nil } }
            self.devices[slot]?.unsavedAudits.insert(contentsOf: lines, at: 0)
            // One that waits already is handed out with the newest standing.
            guard self.devices[slot]?.isStandingUnsaved == false else { break }
            self.devices[slot]?.isStandingUnsaved = true
            self.keep(WriteTable.Write(purpose: .standing, slot: slot, changes: []), now: now)
        }
        self.pump(slot, now: now)
    }

    private mutating func keep(_ write: WriteTable.Write, now: MonotonicTime) {
        self.writes.keep(write)
        guard !self.isStorageRetrySet else { return }
        self.isStorageRetrySet = true
        let pause = self.writes.nextPause()
        self.timers.set(now.advanced(by: pause), for: .storage)
        self.emit(.report(.storageFailed(retry: pause)))
    }

    /// Hands out again what must be stored.
    mutating func writeAgain() {
        self.isStorageRetrySet = false
        for write in self.writes.takeFailed() {
            guard let slot = write.slot, let device = self.devices[slot] else { continue }
            switch write.purpose {
            case .standing:
                self.devices[slot]?.isStandingUnsaved = false
                self.devices[slot]?.unsavedAudits = []
                self.storeStanding(slot, device.unsavedAudits)
            case .end(_, let isOfSession):
                let id = self.handOut(write)
                if isOfSession { self.sessions[slot]?.change = id }
            case .acceptance, .audit, .identifiers, .reset, .session: _ = self.handOut(write)
            }
        }
    }

    private mutating func sessionStored(_ id: GatewayChangeID, _ slot: Int, now: MonotonicTime) {
        guard self.sessions[slot]?.change == id else { return }
        self.sessions[slot]?.change = nil
        if let session = self.sessions[slot], session.machine.record.stage == .offered,
            self.devices[slot]?.index(of: session.command) == nil
        {
            self.perform(self.sessions[slot]?.machine.abandon() ?? .none, slot, now: now)
            return
        }
        self.perform(self.sessions[slot]?.machine.stored() ?? .none, slot, now: now)
    }
}
