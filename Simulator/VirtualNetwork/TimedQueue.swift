import Primitives

/// What will happen when, the earliest first; what happens at one time keeps the order it was added in.
struct TimedQueue<Element: Sendable>: Sendable {
    private struct Entry: Sendable {
        let time: MonotonicTime
        let order: UInt64
        let element: Element

        func isBefore(_ other: Entry) -> Bool { (self.time, self.order) < (other.time, other.order) }
    }

    private var entries: [Entry] = []
    private var added: UInt64 = 0

    /// When the next thing happens; nil when nothing will.
    var earliest: MonotonicTime? { self.entries.first?.time }

    /// - Complexity: O(log n).
    mutating func add(_ element: Element, at time: MonotonicTime) {
        self.entries.append(Entry(time: time, order: self.added, element: element))
        self.added += 1
        var child = self.entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.entries[child].isBefore(self.entries[parent]) else { break }
            self.entries.swapAt(child, parent)
            child = parent
        }
    }

    /// - Complexity: O(log n).
    mutating func popReached(now: MonotonicTime) -> Element? {
        guard let head = self.entries.first, head.time <= now else { return nil }
        let last = self.entries.removeLast()
        guard !self.entries.isEmpty else { return head.element }
        self.entries[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < self.entries.count && self.entries[child].isBefore(self.entries[least]) {
                least = child
            }
            guard least != parent else { return head.element }
            self.entries.swapAt(parent, least)
            parent = least
        }
    }
}
