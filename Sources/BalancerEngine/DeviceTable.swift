internal import Primitives

/// A device, its names and how far its bootstrap has come.
struct DeviceEntry: Sendable {
    static let isTouched: UInt8 = 1
    static let isRestarted: UInt8 = 2
    static let isUnderivable: UInt8 = 4
    static let noName: Int32 = -1

    /// Its name in each window slot.
    var names = SIMD4<Int32>(repeating: DeviceEntry.noName)
    /// The last notification that counted, of ``reporter``.
    var sequence: UInt64 = 0
    /// Fingerprints of the last two procedures, the newest first; 0 for none.
    var procedure: UInt64 = 0
    var procedureBefore: UInt64 = 0
    /// Seconds since the epoch; `Int64.min` when not known.
    var since = Int64.min
    /// The name it was started at.
    var pin = DeviceEntry.noName
    /// Who told about it last.
    var reporter = ReporterTable.none
    var group: UInt16 = 0
    var phase = DeviceProgress.Phase.waiting
    var flags: UInt8 = 0

    func has(_ flag: UInt8) -> Bool { self.flags & flag != 0 }

    mutating func set(_ flag: UInt8, _ isSet: Bool) {
        self.flags = isSet ? self.flags | flag : self.flags & ~flag
    }
}

/// Devices by number, and numbers by endpoint; a number is used again once its device is gone.
struct DeviceTable: Sendable {
    /// Empty where the number is free.
    private(set) var endpoints: [UTF8Text] = []
    /// nil until the device was added: its row was restored before.
    var secrets: [SecretBytes?] = []
    var entries: [DeviceEntry] = []
    private var index = NumberIndex()
    private var free: [Int32] = []

    var count: Int { self.index.count }

    subscript(endpoint: UTF8Text) -> Int? {
        self.index.find(NumberIndex.hash(endpoint)) { self.endpoints[$0] == endpoint }
    }

    func isUsed(_ number: Int) -> Bool { !self.endpoints[number].isEmpty }

    /// Adds a device that is not there yet.
    mutating func add(_ endpoint: UTF8Text, secret: SecretBytes?, _ entry: DeviceEntry) -> Int {
        let number: Int
        if let reused = self.free.popLast() {
            number = Int(reused)
            self.endpoints[number] = endpoint
            self.secrets[number] = secret
            self.entries[number] = entry
        } else {
            number = self.entries.count
            self.endpoints.append(endpoint)
            self.secrets.append(secret)
            self.entries.append(entry)
        }
        self.index.insert(number, hash: NumberIndex.hash(endpoint))
        return number
    }

    mutating func remove(_ number: Int) {
        self.index.remove(number, hash: NumberIndex.hash(self.endpoints[number]))
        self.endpoints[number] = ""
        self.secrets[number] = nil
        self.entries[number] = DeviceEntry()
        self.free.append(Int32(number))
    }
}

/// Names of instances that told about devices, by number; bounded.
struct ReporterTable: Sendable {
    static let none: Int16 = -1
    static let capacity = 4096

    private(set) var names: [UTF8Text] = []
    private var numbers: [UTF8Text: Int16] = [:]
    /// Devices that were started at each, and not restarted.
    var started: [Int32] = []

    func number(of name: UTF8Text) -> Int16? { self.numbers[name] }

    func name(_ number: Int16) -> UTF8Text { number < 0 ? "" : self.names[Int(number)] }

    /// The number of a name; ``none`` when it is new and the table is full.
    mutating func intern(_ name: UTF8Text) -> Int16 {
        if let number = self.numbers[name] { return number }
        guard self.names.count < Self.capacity, !name.isEmpty else { return Self.none }
        let number = Int16(self.names.count)
        self.names.append(name)
        self.started.append(0)
        self.numbers[name] = number
        return number
    }
}
