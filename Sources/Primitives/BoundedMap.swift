/// A dictionary that never holds more than a stated number of entries.
///
/// A full map refuses a new key, so a peer that sends new keys cannot make it grow; the owner decides what a refusal
/// means on the wire.
public struct BoundedMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var entries: [Key: Value] = [:]
    /// The most entries the map may hold; at least 1.
    public let capacity: Int

    /// Creates an empty map.
    ///
    /// - Parameter capacity: the most entries it may hold; at least 1.
    public init(capacity: Int) {
        precondition(capacity > 0, "capacity must be positive")
        self.capacity = capacity
    }

    /// How many entries the map holds.
    public var count: Int { self.entries.count }

    /// Whether a new key would be refused.
    public var isFull: Bool { self.entries.count >= self.capacity }

    /// The value of a key.
    public subscript(key: Key) -> Value? { self.entries[key] }

    /// Every entry, in no order.
    public var all: [Key: Value] { self.entries }

    /// Sets the value of a key.
    ///
    /// - Returns: false, with nothing changed, when the key is new and the map is full.
    public mutating func set(_ value: Value, for key: Key) -> Bool {
        guard !self.isFull || self.entries[key] != nil else { return false }
        self.entries[key] = value
        return true
    }

    /// Removes a key and returns the value it had.
    @discardableResult
    public mutating func remove(_ key: Key) -> Value? {
        self.entries.removeValue(forKey: key)
    }
}
