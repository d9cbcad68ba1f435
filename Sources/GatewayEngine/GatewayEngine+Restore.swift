internal import CommandSessions
internal import Primitives

/// The state from before a restart.
extension GatewayEngine {
    mutating func restore(_ snapshot: GatewaySnapshot, now: MonotonicTime) {
        for stored in snapshot.sessions {
            let slot = self.restoredSlot(stored.endpoint)
            self.devices[slot]?.record = stored.record
            guard stored.record.stage != .none else { continue }
            // Message 1, or message 3, may be on its way still.
            self.devices[slot]?.quietUntil = now.advanced(by: self.configuration.quietTime)
            if stored.record.stage == .confirmed {
                // A session is ended in the form in which it was begun.
                let form: SessionForm = stored.record.gsid.established == nil ? .deviceIdentifier : .bothIdentifiers
                let machine = GatewaySessionMachine(form: form, record: stored.record)
                guard machine.isWaiting else { continue }
                self.sessions[slot] = ActiveSession(machine: machine, command: stored.command)
            }
        }
        for stored in snapshot.standings {
            let slot = self.restoredSlot(stored.endpoint)
            self.devices[slot]?.standing = stored.standing
            self.devices[slot]?.suspendedUntil = now.advanced(by: self.configuration.suspension)
        }
        for command in snapshot.commands where self.commands[command.id] == nil {
            let slot = self.restoredSlot(command.endpoint)
            self.commands[command.id] = slot
            self.devices[slot]?.queue.append(
                QueuedCommand(
                    command: command,
                    deadline: now.advanced(by: self.configuration.commandTimeout),
                    isStored: true,
                    tries: self.sessions[slot]?.command == command.id ? 1 : 0
                )
            )
        }
        for slot in self.devices.indices { self.pump(slot, now: now) }
    }

    /// What was stored was within the bounds when it was.
    private mutating func restoredSlot(_ endpoint: UTF8Text) -> Int {
        self.slots[endpoint] ?? self.addDevice(endpoint)
    }
}
