internal import BootstrapURIs
internal import Primitives

extension BalancerEngine {
    /// When the next name may be removed; nil when none waits, or something else comes first.
    var nextRemoval: MonotonicTime? {
        guard self.mayRemove, self.writer.isReady else { return nil }
        return self.removals.first?.due
    }

    /// Names are removed only after everything that is to be added or changed stands in the zone.
    private var mayRemove: Bool {
        self.isLoaded && !self.hasWork && self.newNames.isEmpty && self.changedNames.isEmpty
    }

    /// The bytes of assigning the longest name there can be.
    private static var longestAssignment: Int { 3 * (253 + 12) + 16 }

    /// Makes the next batch if there is something to write and the registry is free.
    mutating func makeBatch() {
        guard self.writer.isReady else { return }
        var assigned: [NameRecord] = []
        self.batchAssigned.removeAll(keepingCapacity: true)
        self.batchRemoved.removeAll(keepingCapacity: true)
        let limit = self.configuration.batchSize
        // While names are being derived, full batches only.
        let waiting = self.changedNames.count + self.newNames.count
        guard waiting >= limit || !self.hasWork || !self.changedNames.isEmpty || self.mustClaim else { return }
        let byteLimit = self.configuration.batchByteCount
        var byteCount = 0
        while assigned.count < limit, byteCount + Self.longestAssignment <= byteLimit || assigned.isEmpty,
            let name = self.changedNames.popFirst() ?? self.newNames.popFirst()
        {
            let number = Int(name)
            self.names.entries[number].flags &= ~NameEntry.isQueued
            let entry = self.names.entries[number]
            let address = self.address(of: number)
            guard entry.isWanted, !entry.isInFlight, address != AddressTable.none, address != entry.published else {
                self.forget(name)
                continue
            }
            self.names.entries[number].flags |= NameEntry.isInFlight
            self.batchAssigned.append((name, address))
            let record = NameRecord(name: self.names.texts[number], address: self.addresses[address])
            byteCount += record.byteCount
            assigned.append(record)
        }
        var removed: [UTF8Text] = []
        if assigned.isEmpty, self.mayRemove {
            self.noteZoneIsCurrent()
            while removed.count < limit, byteCount + Self.longestAssignment <= byteLimit || removed.isEmpty,
                let removal = self.removals.first, removal.due <= self.now
            {
                _ = self.removals.popFirst()
                let entry = self.names.entries[Int(removal.name)]
                // It may have been wanted again since, or let go anew, or be another name.
                guard !entry.isWanted, !entry.isInFlight, entry.published != AddressTable.none,
                    entry.removalDue <= self.now.nanoseconds
                else { continue }
                self.names.entries[Int(removal.name)].flags |= NameEntry.isInFlight
                self.batchRemoved.append(removal.name)
                let name = self.names.texts[Int(removal.name)]
                byteCount += NameUpdate.byteCount(removing: name)
                removed.append(name)
            }
        }
        guard !assigned.isEmpty || !removed.isEmpty || self.mustClaim else { return }
        self.mustClaim = false
        let (expected, epoch) = self.writer.nextEpochs
        self.perform(
            self.writer.batchMade(
                NameUpdate(
                    expected: expected,
                    epoch: epoch,
                    assigned: assigned,
                    removed: removed,
                    timeToLive: self.configuration.timeToLive
                )
            )
        )
    }

    mutating func perform(_ action: RegistryWriterMachine.Action) {
        if self.isInTrouble, self.writer.trouble == nil {
            self.isInTrouble = false
            self.emit(.report(.registryRecovered))
        }
        switch action {
        case .none:
            break
        case .store(let update):
            self.store.append(.batchBegun(update))
        case .send(let id, let update):
            self.emit(.update(id, update))
        case .readEpoch:
            self.emit(.readEpoch)
        case .readNames:
            self.emit(.readNames)
        case .finishBatch:
            self.finishBatch()
        case .adopt(let names, let epoch):
            self.adopt(names, epoch)
        case .stop(let epoch):
            self.store.append(.superseded(true))
            self.emit(.report(.superseded(by: epoch)))
        case .pause(let pause, let failure):
            self.isInTrouble = true
            self.counters.registryFailures += 1
            if case .refused(let code) = failure {
                self.emit(.report(.registryRefused(code, retry: pause)))
            } else {
                self.emit(.report(.registryUnreachable(retry: pause)))
            }
        }
    }

    private mutating func finishBatch() {
        let (assigned, removed) = (self.batchAssigned, self.batchRemoved)
        self.batchAssigned = []
        self.batchRemoved = []
        for (name, address) in assigned {
            let number = Int(name)
            if self.names.entries[number].published == AddressTable.none { self.publishedCount += 1 }
            self.names.entries[number].published = address
            self.names.entries[number].flags &= ~NameEntry.isInFlight
            self.noteChange(name)
        }
        for name in removed {
            let number = Int(name)
            if self.names.entries[number].published != AddressTable.none { self.publishedCount -= 1 }
            self.names.entries[number].published = AddressTable.none
            self.names.entries[number].flags &= ~NameEntry.isInFlight
            self.noteChange(name)
            self.forget(name)
        }
        self.counters.batches += 1
        self.store.append(.batchDone)
        self.emit(.report(.batchDone(assigned: assigned.count, removed: removed.count)))
    }

    // MARK: Taking over

    /// Takes the names of the zone as what is published, whoever published them.
    private mutating func adopt(_ records: [NameRecord], _ epoch: RegistryEpoch?) {
        let lengths = self.nameLengths
        let ours = records.filter { self.isOurs($0.name, lengths) }
        self.batchAssigned = []
        self.batchRemoved = []
        for number in self.names.entries.indices {
            self.names.entries[number].published = AddressTable.none
            self.names.entries[number].flags &= ~NameEntry.isInFlight
        }
        for record in ours {
            let number = self.names.intern(record.name, group: 0)
            self.names.entries[Int(number)].published = self.addresses.intern(record.address)
        }
        self.publishedCount = self.names.entries.reduce(0) { $0 + ($1.published == AddressTable.none ? 0 : 1) }
        for number in self.names.entries.indices {
            let entry = self.names.entries[number]
            guard entry.isWanted else {
                self.forget(Int32(number))
                continue
            }
            // What the other one decided holds, where it can.
            if entry.pins == 0, let instance = self.publishedInstance(of: number) { self.move(number, to: instance) }
            self.noteChange(Int32(number))
        }
        self.mustFindOrphans = true
        // Even with nothing to change the next batch puts this writer's epoch into the zone, which stops all others.
        self.mustClaim = true
        self.store.append(.zoneRead(ours, epoch))
        self.store.append(.superseded(false))
        self.emit(.report(.tookOver(names: ours.count)))
    }

    /// Whether a name of the zone can be a temporary one: as long as those are, and like the static host at both ends.
    private func isOurs(_ name: UTF8Text, _ lengths: ClosedRange<Int>?) -> Bool {
        let host = self.derivation.staticHost.bytes
        guard lengths?.contains(name.bytes.count) == true, name.bytes.count > host.count else { return false }
        let head = zip(name.bytes, host).prefix { $0 == $1 }.count
        let tail = zip(name.bytes.reversed(), host.reversed()).prefix { $0 == $1 }.count
        return head + tail >= host.count
    }

    /// How long temporary names are; nil when none lands in the host.
    ///
    /// A part of a parameter may stand in them: none of an endpoint without letters and digits, and the digits of any
    /// time.
    private var nameLengths: ClosedRange<Int>? {
        let secret = SecretBytes(Array(repeating: 0x2A, count: 32))
        func length(_ endpoint: String, _ stamp: Int64) -> Int? {
            self.derivation.host(secret, UTF8Text(endpoint), TimeWindow(stamp: stamp))?.bytes.count
        }
        guard let least = length("-", 0), let most = length(String(repeating: "a", count: 255), .max) else {
            return nil
        }
        return min(least, most)...max(least, most)
    }
}
