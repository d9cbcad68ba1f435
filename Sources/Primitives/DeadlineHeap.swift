/// Deadlines by key, the earliest first; a key has at most one.
///
/// Moving a key's deadline leaves the old entry in the heap until it surfaces, so a set costs O(log n) and the heap
/// holds at most twice as many entries as keys before it is rebuilt.
public struct DeadlineHeap<Key: Hashable & Sendable>: Sendable {
    private struct Entry: Sendable {
        let deadline: MonotonicTime
        let key: Key
    }

    private var entries: [Entry] = []
    private var current: [Key: MonotonicTime] = [:]

    /// Creates a heap without deadlines.
    public init() {}

    /// How many keys have a deadline.
    public var count: Int { self.current.count }

    /// The earliest deadline, or nil when no key has one.
    ///
    /// - Complexity: O(1) amortised over the sets that left stale entries behind.
    public mutating func earliest() -> MonotonicTime? {
        self.dropStaleHead()
        return self.entries.first?.deadline
    }

    /// Sets or, with nil, removes the deadline of a key.
    ///
    /// - Complexity: O(log n).
    public mutating func set(_ deadline: MonotonicTime?, for key: Key) {
        guard let deadline else {
            self.current[key] = nil
            return
        }
        if let before = self.current[key], before == deadline { return }
        self.current[key] = deadline
        self.entries.append(Entry(deadline: deadline, key: key))
        self.siftUp(from: self.entries.count - 1)
        if self.entries.count > 64, self.entries.count > self.current.count * 2 { self.rebuild() }
    }

    /// Removes and returns a key whose deadline is at or before the given time.
    ///
    /// - Returns: nil when no deadline has been reached.
    /// - Complexity: O(log n).
    public mutating func popReached(now: MonotonicTime) -> Key? {
        self.dropStaleHead()
        guard let head = self.entries.first, head.deadline <= now else { return nil }
        self.removeHead()
        self.current[head.key] = nil
        return head.key
    }

    private mutating func dropStaleHead() {
        while let head = self.entries.first, self.current[head.key] != head.deadline { self.removeHead() }
    }

    private mutating func removeHead() {
        let last = self.entries.removeLast()
        guard !self.entries.isEmpty else { return }
        self.entries[0] = last
        self.siftDown(from: 0)
    }

    private mutating func rebuild() {
        var kept: [Key: MonotonicTime] = self.current
        self.entries.removeAll { entry in
            guard kept[entry.key] == entry.deadline else { return true }
            kept[entry.key] = nil
            return false
        }
        for index in stride(from: self.entries.count / 2 - 1, through: 0, by: -1) { self.siftDown(from: index) }
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.entries[child].deadline < self.entries[parent].deadline else { return }
            self.entries.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < self.entries.count && self.entries[child].deadline < self.entries[least].deadline {
                least = child
            }
            guard least != parent else { return }
            self.entries.swapAt(parent, least)
            parent = least
        }
    }
}
