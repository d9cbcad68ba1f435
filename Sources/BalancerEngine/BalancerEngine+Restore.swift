internal import Primitives

extension BalancerEngine {
    /// Takes what was stored; what is missing, as secrets and windows, comes with the events that follow.
    mutating func restore(_ snapshot: BalancerSnapshot) {
        guard !self.isRestored else { return }
        self.isRestored = true
        let deadline = self.now.advanced(by: self.configuration.reportInterval * 3)
        for instance in snapshot.instances {
            let entry = self.makeEntry(instance, deadline: deadline)
            if self.instances.add(entry) == nil { self.refuse(.instances) }
        }
        self.restoreNames(snapshot)
        self.shareOut()
        for row in snapshot.devices { self.restore(row) }
        self.mustFindOrphans = true
        self.perform(
            self.writer.started(
                epoch: snapshot.epoch,
                batch: snapshot.batch,
                isSuperseded: snapshot.isSuperseded,
                now: self.now
            )
        )
    }

    private mutating func restoreNames(_ snapshot: BalancerSnapshot) {
        for record in snapshot.published {
            let number = self.names.intern(record.name, group: 0)
            self.names.entries[Int(number)].published = self.addresses.intern(record.address)
        }
        self.publishedCount = self.names.count
        guard let batch = snapshot.batch else { return }
        for record in batch.assigned {
            let number = self.names.intern(record.name, group: 0)
            self.names.entries[Int(number)].flags |= NameEntry.isInFlight
            self.batchAssigned.append((number, self.addresses.intern(record.address)))
        }
        for name in batch.removed {
            let number = self.names.intern(name, group: 0)
            self.names.entries[Int(number)].flags |= NameEntry.isInFlight
            self.batchRemoved.append(number)
        }
    }

    private mutating func restore(_ row: DeviceProgress) {
        guard self.devices[row.endpoint] == nil, !row.endpoint.isEmpty,
            self.devices.count < self.configuration.maximumDevices
        else { return }
        var entry = DeviceEntry()
        entry.sequence = row.sequence
        entry.procedure = row.procedures.first ?? 0
        entry.procedureBefore = row.procedures.count > 1 ? row.procedures[1] : 0
        entry.since = row.since?.secondsSinceEpoch ?? .min
        entry.reporter = self.reporters.intern(row.instance)
        entry.set(DeviceEntry.isRestarted, row.isRestarted && row.phase == .started)
        self.phaseCounts[0] += 1
        let number = self.devices.add(row.endpoint, secret: nil, entry)
        if row.phase == .started {
            // The name leads where the zone says, which is where it was kept.
            self.enterProgress(
                number,
                host: row.host,
                instance: nil,
                limit: self.configuration.progressLimit
            )
        } else {
            self.setPhase(row.phase, of: number)
        }
    }
}
