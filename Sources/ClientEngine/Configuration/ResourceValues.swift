public import LwM2MModel

/// The values of one object instance: a flat sorted array, 16 bytes a value, shared until it is changed.
public struct ResourceValues: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    struct Entry: Hashable, Sendable {
        // The value comes first: its 9 bytes and the key then fit in 16.
        var value: ResourceValue
        let key: UInt32
    }

    private static let single: UInt16 = 65_535
    private(set) var entries: [Entry] = []

    /// Creates values without any.
    public init() {}

    /// Creates the values of single resources by their identifiers; `[0: .string("Acme"), 9: .integer(80)]`.
    public init(dictionaryLiteral elements: (UInt16, ResourceValue)...) {
        for (resource, value) in elements { self[resource] = value }
    }

    /// Creates the values that lie below one instance; the levels above the resource are not looked at.
    public init(records: [ResourceRecord]) {
        for record in records { self.set(record) }
    }

    /// How many values there are, each resource instance counted.
    public var count: Int { self.entries.count }

    /// Whether there is no value.
    public var isEmpty: Bool { self.entries.isEmpty }

    /// The value of a single resource; nil removes it.
    public subscript(resource: UInt16) -> ResourceValue? {
        get { self.value(Self.key(resource, Self.single)) }
        set { self.setValue(newValue, Self.key(resource, Self.single)) }
    }

    /// The value of an instance of a multiple resource; nil removes it.
    public subscript(resource: UInt16, instance: UInt16) -> ResourceValue? {
        get { self.value(Self.key(resource, instance)) }
        set { self.setValue(newValue, Self.key(resource, instance)) }
    }

    /// Every value as a record below the instance, lowest identifier first.
    public func records(below instance: ObjectPath) -> [ResourceRecord] {
        self.entries.map { ResourceRecord(Self.path(of: $0.key, below: instance), $0.value) }
    }

    /// Sets the value of the resource or resource instance that the record's path ends in.
    mutating func set(_ record: ResourceRecord) {
        guard let resource = record.path.resource else { return }
        self.setValue(record.value, Self.key(resource, record.path.resourceInstance ?? Self.single))
    }

    /// Whether the resource has a value or an instance.
    func contains(resource: UInt16) -> Bool {
        let index = self.index(of: Self.key(resource, 0))
        return index < self.entries.count && self.entries[index].key >> 16 == UInt32(resource)
    }

    /// The entries of a resource: one for a single resource, any number for a multiple one.
    func entries(of resource: UInt16) -> ArraySlice<Entry> {
        let start = self.index(of: Self.key(resource, 0))
        var end = start
        while end < self.entries.count, self.entries[end].key >> 16 == UInt32(resource) { end += 1 }
        return self.entries[start..<end]
    }

    /// Removes a resource with all its instances.
    mutating func remove(resource: UInt16) {
        let range = self.entries(of: resource).indices
        if !range.isEmpty { self.entries.removeSubrange(range) }
    }

    static func resource(of entry: Entry) -> UInt16 { UInt16(entry.key >> 16) }

    static func path(of key: UInt32, below instance: ObjectPath) -> ObjectPath {
        let resource = instance.appending(UInt16(key >> 16))
        let last = UInt16(truncatingIfNeeded: key)
        return last == Self.single ? resource : resource.appending(last)
    }

    private static func key(_ resource: UInt16, _ instance: UInt16) -> UInt32 {
        UInt32(resource) << 16 | UInt32(instance)
    }

    private func value(_ key: UInt32) -> ResourceValue? {
        let index = self.index(of: key)
        return index < self.entries.count && self.entries[index].key == key ? self.entries[index].value : nil
    }

    private mutating func setValue(_ value: ResourceValue?, _ key: UInt32) {
        let index = self.index(of: key)
        let isPresent = index < self.entries.count && self.entries[index].key == key
        switch (value, isPresent) {
        case (.some(let value), true): self.entries[index].value = value
        case (.some(let value), false): self.entries.insert(Entry(value: value, key: key), at: index)
        case (nil, true): self.entries.remove(at: index)
        case (nil, false): break
        }
    }

    private func index(of key: UInt32) -> Int {
        var low = 0
        var high = self.entries.count
        while low < high {
            let middle = (low + high) / 2
            if self.entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
