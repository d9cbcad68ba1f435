internal import Primitives

/// A host name that devices want, or that the zone has.
struct NameEntry: Sendable {
    static let isQueued: UInt8 = 1
    static let isInFlight: UInt8 = 2

    /// When it may be removed since nobody wants it, in nanoseconds of the driver's clock.
    var removalDue: Int64 = 0
    /// Pairs of a device and a window that it is the name of.
    var users: UInt32 = 0
    /// Devices in progress that use it.
    var pins: UInt32 = 0
    /// The address that the zone has for it, by number; ``AddressTable/none`` when the zone has none.
    var published = AddressTable.none
    /// The instance it leads to; ``InstanceNumber/none`` or ``InstanceNumber/holding`` for none.
    var instance = InstanceNumber.none
    var group: UInt16 = 0
    /// The slots of the windows that want it, and that of pins.
    var slots: UInt8 = 0
    var flags: UInt8 = 0

    var isWanted: Bool { self.users > 0 || self.pins > 0 }
    var isQueued: Bool { self.flags & Self.isQueued != 0 }
    var isInFlight: Bool { self.flags & Self.isInFlight != 0 }
}

/// Names by number, and numbers by name; a number is used again once its name is gone.
struct NameTable: Sendable {
    /// Empty where the number is free.
    private(set) var texts: [UTF8Text] = []
    var entries: [NameEntry] = []
    private var index = NumberIndex()
    private var free: [Int32] = []

    var count: Int { self.index.count }

    subscript(name: UTF8Text) -> Int32? {
        self.index.find(NumberIndex.hash(name)) { self.texts[$0] == name }.map { Int32($0) }
    }

    func isUsed(_ number: Int) -> Bool { !self.texts[number].isEmpty }

    /// The number of a name, which is new to the table unless it was there.
    mutating func intern(_ name: UTF8Text, group: UInt16) -> Int32 {
        let hash = NumberIndex.hash(name)
        if let number = self.index.find(hash, where: { self.texts[$0] == name }) { return Int32(number) }
        let number: Int
        if let reused = self.free.popLast() {
            number = Int(reused)
            self.texts[number] = name
            self.entries[number] = NameEntry(group: group)
        } else {
            number = self.entries.count
            self.texts.append(name)
            self.entries.append(NameEntry(group: group))
        }
        self.index.insert(number, hash: hash)
        return Int32(number)
    }

    mutating func remove(_ name: Int32) {
        let number = Int(name)
        self.index.remove(number, hash: NumberIndex.hash(self.texts[number]))
        self.texts[number] = ""
        self.entries[number] = NameEntry()
        self.free.append(name)
    }
}

/// Addresses by number; names keep the number.
struct AddressTable: Sendable {
    static let none: Int32 = -1

    private(set) var addresses: [IPAddress] = []
    private var numbers: [IPAddress: Int32] = [:]

    subscript(number: Int32) -> IPAddress { self.addresses[Int(number)] }

    func number(of address: IPAddress) -> Int32? { self.numbers[address] }

    var count: Int { self.addresses.count }

    mutating func intern(_ address: IPAddress) -> Int32 {
        if let number = self.numbers[address] { return number }
        let number = Int32(self.addresses.count)
        self.addresses.append(address)
        self.numbers[address] = number
        return number
    }
}
