internal import Primitives

/// A name to remove from the zone.
struct NameRemoval: Sendable {
    var due: MonotonicTime
    var name: Int32
}

extension BalancerEngine {
    /// One more device wants a name in the window of a slot.
    mutating func retain(_ name: Int32, slot: Int) {
        let number = Int(name)
        self.names.entries[number].users += 1
        self.addSlot(slot, to: number)
    }

    /// One device less wants a name.
    ///
    /// - Parameter due: when it may be removed if it was the last one.
    mutating func release(_ name: Int32, due: MonotonicTime) {
        let number = Int(name)
        self.names.entries[number].users -= 1
        guard self.names.entries[number].users == 0 else { return }
        self.removeSlots(~(1 << UInt8(NameSharing.pinSlot)), from: number)
        if !self.names.entries[number].isWanted { self.letGo(name, due: due) }
    }

    /// A device in progress uses a name: it stays, and where no other device in progress says otherwise, it leads to
    /// the instance that serves the device.
    mutating func pin(_ name: Int32, at instance: Int?) {
        let number = Int(name)
        self.names.entries[number].pins += 1
        self.addSlot(NameSharing.pinSlot, to: number)
        if let instance, self.names.entries[number].pins == 1 { self.move(number, to: Int16(instance)) }
        self.noteChange(name)
    }

    /// A device in progress does not use a name any more.
    mutating func unpin(_ name: Int32) {
        let number = Int(name)
        self.names.entries[number].pins -= 1
        guard self.names.entries[number].pins == 0 else { return }
        self.removeSlots(1 << UInt8(NameSharing.pinSlot), from: number)
        if !self.names.entries[number].isWanted { self.letGo(name, due: self.now.advanced(by: self.removalDelay)) }
    }

    private mutating func addSlot(_ slot: Int, to number: Int) {
        let entry = self.names.entries[number]
        let bit = UInt8(1) << UInt8(slot)
        if entry.slots & bit == 0 {
            self.names.entries[number].slots |= bit
            self.sharing.count(1, at: entry.instance, group: entry.group, slots: bit)
        }
        if entry.instance != InstanceNumber.holding, !self.isHoused(entry) { self.house(number, slot: slot) }
        self.noteChange(Int32(number))
    }

    /// Whether a name may stay where it is; those of devices in progress stay at any instance that is up.
    func isHoused(_ entry: NameEntry) -> Bool {
        if self.sharing.isCandidate(entry.instance, of: entry.group) { return true }
        return entry.pins > 0 && entry.instance >= 0 && self.instances.entries[Int(entry.instance)].state == .up
    }

    /// Counts a name that only devices in progress use in another group.
    mutating func regroup(_ name: Int32, to group: UInt16) {
        let number = Int(name)
        let entry = self.names.entries[number]
        guard entry.users == 0, entry.group != group else { return }
        self.sharing.count(-1, at: entry.instance, group: entry.group, slots: entry.slots)
        self.sharing.count(1, at: entry.instance, group: group, slots: entry.slots)
        self.names.entries[number].group = group
    }

    private mutating func removeSlots(_ bits: UInt8, from number: Int) {
        let entry = self.names.entries[number]
        self.sharing.count(-1, at: entry.instance, group: entry.group, slots: entry.slots & bits)
        self.names.entries[number].slots &= ~bits
    }

    /// Gives a name that leads nowhere an instance: the one the zone has for it if possible.
    private mutating func house(_ number: Int, slot: Int) {
        let entry = self.names.entries[number]
        if let instance = self.publishedInstance(of: number) {
            self.move(number, to: instance)
            return
        }
        let chosen = self.sharing.choose(group: entry.group, slot: slot)
        if chosen != InstanceNumber.none {
            self.move(number, to: chosen)
        } else if self.holdingAddress != AddressTable.none {
            self.move(number, to: InstanceNumber.holding)
        }
    }

    /// The up instance that the zone has for a name, when it may have it.
    func publishedInstance(of number: Int) -> Int16? {
        let entry = self.names.entries[number]
        guard entry.published >= 0, let owner = self.addressOwners[entry.published],
            self.sharing.isCandidate(owner, of: entry.group)
        else { return nil }
        return owner
    }

    /// Lets a name lead to an instance from now on.
    mutating func move(_ number: Int, to instance: Int16) {
        let entry = self.names.entries[number]
        guard entry.instance != instance else { return }
        self.sharing.count(-1, at: entry.instance, group: entry.group, slots: entry.slots)
        self.sharing.count(1, at: instance, group: entry.group, slots: entry.slots)
        self.names.entries[number].instance = instance
        self.noteChange(Int32(number))
    }

    /// The address that a name shall have; ``AddressTable/none`` leaves the zone as it is.
    func address(of number: Int) -> Int32 {
        let instance = self.names.entries[number].instance
        if instance == InstanceNumber.holding { return self.holdingAddress }
        guard instance >= 0 else { return AddressTable.none }
        let addresses = self.instances.entries[Int(instance)].addresses
        return addresses[number % addresses.count]
    }

    /// Queues a name for the registry when the zone has another address for it.
    mutating func noteChange(_ name: Int32) {
        let number = Int(name)
        let entry = self.names.entries[number]
        guard entry.isWanted, !entry.isQueued, !entry.isInFlight else { return }
        let address = self.address(of: number)
        guard address != AddressTable.none, address != entry.published else { return }
        self.names.entries[number].flags |= NameEntry.isQueued
        if entry.published == AddressTable.none {
            self.newNames.append(name)
        } else {
            self.changedNames.append(name)
        }
    }

    /// Forgets a name that nobody wants, or queues its removal when the zone has it.
    mutating func letGo(_ name: Int32, due: MonotonicTime) {
        let number = Int(name)
        let entry = self.names.entries[number]
        guard self.names.isUsed(number) else { return }
        guard entry.published != AddressTable.none || entry.isInFlight else {
            self.forget(name)
            return
        }
        self.names.entries[number].removalDue = due.nanoseconds
        self.removals.append(NameRemoval(due: due, name: name))
    }

    /// Forgets a name that nobody wants and the zone does not have.
    func isForgettable(_ number: Int) -> Bool {
        let entry = self.names.entries[number]
        return !entry.isWanted && !entry.isInFlight && entry.published == AddressTable.none
            && self.names.isUsed(number)
    }

    mutating func forget(_ name: Int32) {
        guard self.isForgettable(Int(name)) else { return }
        self.names.remove(name)
    }
}
