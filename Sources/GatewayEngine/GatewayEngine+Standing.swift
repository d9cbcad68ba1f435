internal import CommandSessions
internal import Primitives

/// What is done about breaches, and what operators do about that.
extension GatewayEngine {
    /// The most lines of the audit log that wait with the standing of a device for a store that fails.
    private static let mostUnsavedAudits = 64

    mutating func respond(to breach: SessionBreach, _ command: GatewayCommandID?, _ slot: Int, now: MonotonicTime) {
        guard let device = self.devices[slot] else { return }
        self.counters[breach] += 1
        let responses = self.policy[breach.line]
        if !responses.isDisjoint(with: [.log, .report, .trace]) {
            self.emit(.report(.breach(endpoint: device.endpoint, breach, command, responses)))
        }
        var standing = device.standing
        if responses.contains(.block) { standing.insert(.blocked) }
        if responses.contains(.alarm) { standing.insert(.alarmed) }
        if responses.contains(.suspend), self.configuration.suspension > .zero {
            standing.insert(.suspended)
            self.devices[slot]?.suspendedUntil = now.advanced(by: self.configuration.suspension)
        }
        var audits: [AuditEntry.What] = []
        let added = standing.subtracting(device.standing)
        if added.contains(.blocked) { audits.append(.blocked) }
        if added.contains(.suspended) { audits.append(.suspended) }
        if added.contains(.alarmed) { audits.append(.alarmRaised) }
        self.change(slot, to: standing, audits)
    }

    /// A user is no device: what can be done about it is to tell, and to raise the alarm of the device it wanted.
    mutating func respondToUnpermitted(_ command: GatewayCommand, now: MonotonicTime) {
        let responses = self.policy[.unpermitted]
        if !responses.isDisjoint(with: [.log, .report, .trace]) {
            let summary = CommandSummary(command.command)
            self.emit(
                .report(.unpermitted(endpoint: command.endpoint, summary, user: command.user, responses))
            )
        }
        guard responses.contains(.alarm), let slot = self.slots[command.endpoint], let device = self.devices[slot]
        else {
            return
        }
        self.change(slot, to: device.standing.union(.alarmed), [.alarmRaised])
    }

    mutating func endSuspension(_ slot: Int, now: MonotonicTime) {
        guard let device = self.devices[slot], device.standing.contains(.suspended), device.suspendedUntil <= now else {
            return
        }
        self.change(slot, to: device.standing.subtracting(.suspended), [])
    }

    mutating func resetAlarm(_ endpoint: UTF8Text, _ user: UTF8Text, now: MonotonicTime) {
        guard let slot = self.slots[endpoint], let device = self.devices[slot] else { return }
        self.change(slot, to: device.standing.subtracting(.alarmed), [.alarmReset], user)
        self.awaitStanding(slot)
        self.pump(slot, now: now)
    }

    mutating func unblock(_ endpoint: UTF8Text, _ user: UTF8Text, now: MonotonicTime) {
        guard let slot = self.slots[endpoint], let device = self.devices[slot] else { return }
        self.change(slot, to: device.standing.subtracting([.blocked, .suspended]), [.unblocked], user)
        self.awaitStanding(slot)
        self.pump(slot, now: now)
    }

    private mutating func change(
        _ slot: Int,
        to standing: DeviceStanding,
        _ audits: [AuditEntry.What],
        _ user: UTF8Text? = nil
    ) {
        guard let device = self.devices[slot], device.standing != standing else { return }
        let endpoint = device.endpoint
        self.devices[slot]?.standing = standing
        let entries = audits.map { AuditEntry(endpoint: endpoint, what: $0, user: user) }
        if device.isStandingUnsaved {
            // It goes with the one before, behind whose lines its own belong.
            if device.unsavedAudits.count < Self.mostUnsavedAudits {
                self.devices[slot]?.unsavedAudits += entries
            } else {
                self.counters.auditsLost += UInt64(entries.count)
            }
        } else {
            self.storeStanding(slot, entries)
        }
        self.emit(.report(.standingChanged(endpoint: endpoint, standing)))
    }

    /// Stores the newest standing with lines of the audit log.
    mutating func storeStanding(_ slot: Int, _ audits: [AuditEntry]) {
        guard let device = self.devices[slot] else { return }
        self.devices[slot]?.standingWrites += 1
        let lines = audits.map { GatewayChange.audited($0) }
        self.write(.standing, slot, [.standingSaved(endpoint: device.endpoint, device.standing)] + lines)
    }

    /// Answers the operator now, or once the standing is durable.
    private mutating func awaitStanding(_ slot: Int) {
        self.devices[slot]?.isStandingAwaited = true
        self.tellStanding(slot)
    }

    mutating func tellStanding(_ slot: Int) {
        guard let device = self.devices[slot], device.isStandingAwaited, device.standingWrites == 0,
            !device.isStandingUnsaved
        else { return }
        self.devices[slot]?.isStandingAwaited = false
        self.emit(.standingAnswered(endpoint: device.endpoint))
    }

    /// Forgets the identifiers of a device; by force also those of a session in progress.
    mutating func resetSession(_ endpoint: UTF8Text, isForced: Bool, _ user: UTF8Text, now: MonotonicTime) {
        guard let slot = self.slots[endpoint], let device = self.devices[slot] else {
            self.emit(.sessionResetAnswered(endpoint: endpoint, .unknownDevice))
            return
        }
        // What is being stored would bring the old identifiers back if it had to be stored again.
        guard device.endsBeingStored == 0 else {
            self.emit(.sessionResetAnswered(endpoint: endpoint, .storing))
            return
        }
        let session = self.sessions[slot]
        guard session == nil || isForced else {
            self.emit(.sessionResetAnswered(endpoint: endpoint, .inProgress))
            return
        }
        var changes: [GatewayChange] = [
            .sessionForgotten(endpoint: endpoint),
            .audited(AuditEntry(endpoint: endpoint, what: .sessionReset, user: user)),
        ]
        var ended: GatewayCommandID?
        if let session, session.machine.record.stage == .confirmed, let index = device.index(of: session.command) {
            // Message 3 may have been sent, and nobody can be asked about it any more.
            ended = session.command
            changes += self.markEnding(index, slot, .unknown)
        } else {
            self.devices[slot]?.endsBeingStored += 1
        }
        self.sessions[slot] = nil
        self.devices[slot]?.record = GatewaySessionRecord()
        self.devices[slot]?.pausedUntil = .zero
        self.write(.reset(ended), slot, changes)
        self.pump(slot, now: now)
    }

    /// Takes the identifiers that a device was given beforehand; they are used once they are durable.
    mutating func take(_ pair: SessionPair, of endpoint: UTF8Text, _ user: UTF8Text) {
        let slot: Int
        do throws(IdentifiersRefusal) { slot = try self.admit(pair, of: endpoint) } catch {
            self.emit(.identifiersAnswered(endpoint: endpoint, error.answer))
            return
        }
        let record = GatewaySessionRecord(
            gsid: IdentifierCache(established: pair.gsid),
            dsid: IdentifierCache(established: pair.dsid),
            // A message 1 without them may be on its way, also behind a restart.
            stage: self.devices[slot]?.quietUntil == .zero ? .none : .offered
        )
        self.devices[slot]?.endsBeingStored += 1
        self.write(
            .identifiers(record),
            slot,
            [
                .sessionSaved(endpoint: endpoint, record, command: nil),
                .audited(AuditEntry(endpoint: endpoint, what: .identifiersGiven, user: user)),
            ]
        )
    }

    private struct IdentifiersRefusal: Error {
        let answer: IdentifiersAnswer
    }

    private mutating func admit(_ pair: SessionPair, of endpoint: UTF8Text) throws(IdentifiersRefusal) -> Int {
        guard (pair.gsid != nil) == (self.configuration.form == .bothIdentifiers) else {
            throw IdentifiersRefusal(answer: .wrongForm)
        }
        if let slot = self.slots[endpoint], let device = self.devices[slot] {
            guard device.endsBeingStored == 0 else { throw IdentifiersRefusal(answer: .storing) }
            guard device.record.gsid.established == nil, device.record.dsid.established == nil else {
                throw IdentifiersRefusal(answer: .alreadyKnown)
            }
            if let session = self.sessions[slot] {
                let isFirst = session.machine.record.dsid.established == nil
                throw IdentifiersRefusal(answer: isFirst ? .inProgress : .alreadyKnown)
            }
            return slot
        }
        guard let slot = self.makeSlot(endpoint) else { throw IdentifiersRefusal(answer: .tooManyDevices) }
        return slot
    }
}
