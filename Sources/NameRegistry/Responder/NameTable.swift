internal import Primitives

/// Names with an address each, about 70 bytes a name: a million of them are a quick start's business too.
///
/// Names are bytes in one array, entries are values in another, and a table of open addressing finds an entry by the
/// hash of its name. The hash is keyed anew in each process, so nobody can choose names that collide.
struct NameTable {
    /// An address and how long it may be kept.
    struct Assignment: Equatable {
        var address: IPAddress
        /// In seconds.
        var timeToLive: UInt32
    }

    private struct Entry {
        var high: UInt64
        var low: UInt64
        var hash: UInt32
        var nameStart: UInt32
        var timeToLive: UInt32
        var nameLength: UInt8
        var isIPv6: Bool
    }

    private var entries: [Entry] = []
    private var names: [UInt8] = []
    /// Bytes of names that are gone.
    private var wasted = 0
    /// An entry's index plus one, 0 where nothing is; the count is a power of two.
    private var slots = [UInt32](repeating: 0, count: 16)

    /// How many names there are.
    var count: Int { self.entries.count }

    /// How many bytes the arrays have room for.
    var memory: Int {
        self.entries.capacity * MemoryLayout<Entry>.stride + self.names.capacity
            + self.slots.capacity * MemoryLayout<UInt32>.stride
    }

    /// What a name leads to.
    ///
    /// - Parameter name: at most 255 bytes, in lower case.
    subscript(name: ArraySlice<UInt8>) -> Assignment? {
        guard let slot = self.slot(of: name, NameTable.hash(name)) else { return nil }
        return NameTable.assignment(of: self.entries[Int(self.slots[slot]) - 1])
    }

    /// Makes a name lead to an address; true when the name is new.
    mutating func assign(_ name: ArraySlice<UInt8>, _ assignment: Assignment) -> Bool {
        let hash = NameTable.hash(name)
        var entry = NameTable.entry(assignment, hash)
        if let slot = self.slot(of: name, hash) {
            let index = Int(self.slots[slot]) - 1
            entry.nameStart = self.entries[index].nameStart
            entry.nameLength = self.entries[index].nameLength
            self.entries[index] = entry
            return false
        }
        if (self.entries.count + 1) * 4 > self.slots.count * 3 { self.grow() }
        entry.nameStart = UInt32(truncatingIfNeeded: self.names.count)
        entry.nameLength = UInt8(truncatingIfNeeded: name.count)
        self.names.append(contentsOf: name)
        self.entries.append(entry)
        self.place(UInt32(self.entries.count), hash)
        return true
    }

    /// Takes a name away; false when it is not there.
    mutating func remove(_ name: ArraySlice<UInt8>) -> Bool {
        guard let slot = self.slot(of: name, NameTable.hash(name)) else { return false }
        let index = Int(self.slots[slot]) - 1
        self.wasted += Int(self.entries[index].nameLength)
        self.free(slot)
        let last = self.entries.removeLast()
        if index < self.entries.count {
            // The last entry moves into the gap, and its slot follows it.
            let mask = self.slots.count - 1
            var position = Int(last.hash) & mask
            while self.slots[position] != UInt32(self.entries.count + 1) { position = (position + 1) & mask }
            self.slots[position] = UInt32(index + 1)
            self.entries[index] = last
        }
        if self.wasted > 65_536, self.wasted * 2 > self.names.count { self.compact() }
        return true
    }

    /// Every name with its assignment, in no order that means something.
    var all: some Sequence<(name: ArraySlice<UInt8>, assignment: Assignment)> {
        self.entries.lazy.compactMap { entry in
            NameTable.assignment(of: entry).map { (self.name(of: entry), $0) }
        }
    }

    private func name(of entry: Entry) -> ArraySlice<UInt8> {
        self.names[Int(entry.nameStart)..<(Int(entry.nameStart) + Int(entry.nameLength))]
    }

    private func slot(of name: ArraySlice<UInt8>, _ hash: UInt32) -> Int? {
        let mask = self.slots.count - 1
        var position = Int(hash) & mask
        // A quarter of the slots is free, so the walk ends.
        while self.slots[position] != 0 {
            let entry = self.entries[Int(self.slots[position]) - 1]
            if entry.hash == hash, self.name(of: entry) == name { return position }
            position = (position + 1) & mask
        }
        return nil
    }

    private mutating func place(_ number: UInt32, _ hash: UInt32) {
        let mask = self.slots.count - 1
        var position = Int(hash) & mask
        while self.slots[position] != 0 { position = (position + 1) & mask }
        self.slots[position] = number
    }

    /// Empties a slot and moves up what would no longer be found behind it.
    private mutating func free(_ slot: Int) {
        let mask = self.slots.count - 1
        var gap = slot
        var position = (slot + 1) & mask
        while self.slots[position] != 0 {
            let home = Int(self.entries[Int(self.slots[position]) - 1].hash) & mask
            // The one here may move when its home is not between the gap and here.
            if (position - home) & mask >= (position - gap) & mask {
                self.slots[gap] = self.slots[position]
                gap = position
            }
            position = (position + 1) & mask
        }
        self.slots[gap] = 0
    }

    private mutating func grow() {
        self.slots = [UInt32](repeating: 0, count: self.slots.count * 2)
        for (index, entry) in self.entries.enumerated() { self.place(UInt32(index + 1), entry.hash) }
    }

    private mutating func compact() {
        var names: [UInt8] = []
        names.reserveCapacity(self.names.count - self.wasted)
        for index in self.entries.indices {
            let name = self.name(of: self.entries[index])
            self.entries[index].nameStart = UInt32(truncatingIfNeeded: names.count)
            names.append(contentsOf: name)
        }
        self.names = names
        self.wasted = 0
    }

    private static func hash(_ name: ArraySlice<UInt8>) -> UInt32 {
        var hasher = Hasher()
        name.withUnsafeBytes { hasher.combine(bytes: $0) }
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    private static func entry(_ assignment: Assignment, _ hash: UInt32) -> Entry {
        var halves: (high: UInt64, low: UInt64) = (0, 0)
        for byte in assignment.address.bytes {
            halves = (halves.high << 8 | halves.low >> 56, halves.low << 8 | UInt64(byte))
        }
        return Entry(
            high: halves.high,
            low: halves.low,
            hash: hash,
            nameStart: 0,
            timeToLive: assignment.timeToLive,
            nameLength: 0,
            isIPv6: assignment.address.isIPv6
        )
    }

    private static func assignment(of entry: Entry) -> Assignment? {
        let count = entry.isIPv6 ? 16 : 4
        let bytes = (0..<count).map { index in
            let shift = UInt64(count - 1 - index) * 8
            return UInt8(truncatingIfNeeded: shift >= 64 ? entry.high >> (shift - 64) : entry.low >> shift)
        }
        return IPAddress(bytes).map { Assignment(address: $0, timeToLive: entry.timeToLive) }
    }
}
