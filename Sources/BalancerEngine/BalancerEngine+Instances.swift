internal import Primitives

extension BalancerEngine {
    /// When the next instance is lost, or has been idle long enough.
    var nextInstanceDeadline: MonotonicTime? {
        var earliest: MonotonicTime?
        for entry in self.instances.entries {
            let deadline: MonotonicTime
            switch entry.state {
            case .free, .lost: continue
            case .draining(let until): deadline = min(until ?? entry.deadline, entry.deadline)
            case .up:
                let idle = entry.isOnDemand ? self.configuration.instanceIdleTime : nil
                deadline = min(idle.map { entry.lastBusy.advanced(by: $0) } ?? entry.deadline, entry.deadline)
            }
            earliest = min(earliest ?? deadline, deadline)
        }
        return earliest
    }

    mutating func report(of instance: BootstrapInstance, inProgress: Int) {
        guard self.isUsable(instance) else {
            self.refuse(.instances)
            return
        }
        let inProgress = max(inProgress, 0)
        let deadline = self.now.advanced(by: self.configuration.reportInterval * 3)
        guard let number = self.instances[instance.name] else {
            self.welcome(instance, inProgress: inProgress, deadline: deadline)
            return
        }
        let before = self.instances.entries[number]
        self.instances.entries[number].deadline = deadline
        self.instances.entries[number].inProgress = inProgress
        if inProgress > 0 { self.instances.entries[number].lastBusy = self.now }
        self.sharing.setInProgress(inProgress, at: number)
        let isBack = before.state == .lost
        guard isBack || before.instance != instance else { return }
        self.instances.entries[number].instance = instance
        self.instances.entries[number].addresses = instance.addresses.map { self.addresses.intern($0) }
        self.instances.entries[number].isNew = true
        if isBack {
            self.instances.entries[number].state = .up
            self.instances.entries[number].lastBusy = self.now
            self.emit(.report(.instanceUp(instance.name)))
        }
        self.store.append(.instanceChanged(instance))
        self.mustShareOut = true
    }

    private func isUsable(_ instance: BootstrapInstance) -> Bool {
        (1...64).contains(instance.name.bytes.count) && (1...8).contains(instance.addresses.count)
            && (1...1000).contains(instance.weight) && instance.classes.count <= 32
            && self.addresses.count + instance.addresses.count <= Self.maximumAddresses
    }

    /// The most addresses that instances ever had, since names keep their numbers.
    static var maximumAddresses: Int { 65_536 }

    private mutating func welcome(_ instance: BootstrapInstance, inProgress: Int, deadline: MonotonicTime) {
        var entry = self.makeEntry(instance, deadline: deadline)
        entry.inProgress = inProgress
        if case .starting(instance.name, _) = self.onDemand {
            entry.isOnDemand = true
            self.onDemand = .idle
        }
        guard self.instances.add(entry) != nil else {
            self.refuse(.instances)
            return
        }
        self.store.append(.instanceChanged(instance))
        self.emit(.report(.instanceUp(instance.name)))
        self.mustShareOut = true
    }

    mutating func makeEntry(_ instance: BootstrapInstance, deadline: MonotonicTime) -> InstanceEntry {
        InstanceEntry(
            instance: instance,
            addresses: instance.addresses.map { self.addresses.intern($0) },
            state: .up,
            deadline: deadline,
            lastBusy: self.now
        )
    }

    mutating func checkInstances() {
        for number in self.instances.entries.indices {
            let entry = self.instances.entries[number]
            switch entry.state {
            case .free, .lost:
                continue
            case .up, .draining:
                guard entry.deadline > self.now else {
                    self.lose(number)
                    continue
                }
                self.checkIdle(number)
            }
        }
    }

    mutating func lose(_ number: Int) {
        let entry = self.instances.entries[number]
        guard entry.state != .free, entry.state != .lost else { return }
        let restarted = self.restartDevices(of: entry.instance.name)
        let names = self.sharing.names(at: number)
        self.instances.entries[number].state = .lost
        self.instances.entries[number].isOnDemand = false
        self.instances.entries[number].inProgress = 0
        self.store.append(.instanceForgotten(entry.instance.name))
        self.emit(.report(.instanceLost(entry.instance.name, names: names, restarted: restarted)))
        self.mustShareOut = true
    }

    /// An instance that is up says that it has just begun: it ended before anybody missed it.
    mutating func beginAnew(_ name: UTF8Text) {
        let restarted = self.restartDevices(of: name)
        if restarted > 0 { self.emit(.report(.instanceRestarted(name, restarted: restarted))) }
    }

    /// Devices in progress at an instance keep the name they use, and have those of all windows again.
    ///
    /// - Returns: how many there are.
    private mutating func restartDevices(of instance: UTF8Text) -> Int {
        guard let reporter = self.reporters.number(of: instance), self.reporters.started[Int(reporter)] > 0 else {
            return 0
        }
        var restarted = 0
        for device in self.devices.entries.indices
        where self.devices.entries[device].phase == .started
            && self.devices.entries[device].reporter == reporter
            && !self.devices.entries[device].has(DeviceEntry.isRestarted)
        {
            self.devices.entries[device].set(DeviceEntry.isRestarted, true)
            self.storeProgress(of: device)
            self.touch(device)
            restarted += 1
        }
        self.reporters.started[Int(reporter)] = 0
        self.restartedCount += restarted
        self.counters.restarted += UInt64(restarted)
        return restarted
    }

    // MARK: Sharing out

    /// Shares names out anew after instances came, went or changed; no more move than must.
    mutating func shareOut() {
        self.mustShareOut = false
        self.sharing.update(self.instances.entries)
        self.addressOwners = [:]
        for (number, entry) in self.instances.entries.enumerated() where entry.state == .up {
            for address in entry.addresses { self.addressOwners[address] = Int16(number) }
        }
        let hasUp = self.instances.hasUp
        if !hasUp, !self.isWithoutInstance {
            self.emit(.report(.noInstance(isHolding: self.holdingAddress != AddressTable.none)))
        }
        self.isWithoutInstance = !hasUp
        if hasUp {
            self.shareOutAmongUp()
        } else if self.holdingAddress != AddressTable.none {
            for number in self.names.entries.indices {
                let isWanted = self.names.entries[number].isWanted
                self.move(number, to: isWanted ? InstanceNumber.holding : InstanceNumber.none)
            }
        } else {
            // Names keep the last instance, which keeps its number.
            return
        }
        for number in self.instances.entries.indices {
            self.instances.entries[number].isNew = false
            if self.instances.entries[number].state == .lost { self.instances.entries[number].state = .free }
        }
    }

    private mutating func shareOutAmongUp() {
        var quota = self.makeQuota()
        var moved: UInt64 = 0
        for number in self.names.entries.indices {
            let entry = self.names.entries[number]
            guard entry.isWanted else {
                // It only waits for its removal; its instance's number may go to another one.
                if entry.instance != InstanceNumber.none { self.move(number, to: InstanceNumber.none) }
                continue
            }
            let row = self.row(of: entry)
            let hadInstance = entry.instance >= 0
            if !self.isHoused(entry) {
                let slot = row % NameSharing.slotCount
                let receiver = quota.receive(in: row) ?? self.sharing.choose(group: entry.group, slot: slot)
                self.move(number, to: receiver)
                if hadInstance { moved += 1 }
            } else if entry.pins == 0, quota.gives(entry.instance, in: row, number),
                let receiver = quota.receive(in: row)
            {
                self.move(number, to: receiver)
                moved += 1
            } else {
                // Its instance may have other addresses now.
                self.noteChange(Int32(number))
            }
        }
        self.counters.moved += moved
    }

    /// The row of a name's group and of the first window that wants it.
    private func row(of entry: NameEntry) -> Int {
        Int(entry.group) * NameSharing.slotCount + min(entry.slots.trailingZeroBitCount, NameSharing.pinSlot)
    }

    private func makeQuota() -> ShareQuota {
        let capacity = self.sharing.capacity
        var quota = ShareQuota(rows: self.sharing.groupCount * NameSharing.slotCount, capacity: capacity)
        for entry in self.names.entries where entry.isWanted {
            quota.count(entry, isHoused: self.isHoused(entry), in: self.row(of: entry))
        }
        for row in 0..<(self.sharing.groupCount * NameSharing.slotCount) where quota.total(in: row) > 0 {
            let group = row / NameSharing.slotCount
            quota.settle(
                row: row,
                targets: self.sharing.targets(
                    group: group,
                    current: { quota.current($0, in: row) },
                    homeless: quota.homeless(in: row)
                ),
                candidates: self.sharing.candidates(of: group),
                // Connections change all the time; only who is new takes from those that were there.
                takers: self.sharing.countsConnections ? { self.instances.entries[$0].isNew } : nil
            )
        }
        return quota
    }
}
