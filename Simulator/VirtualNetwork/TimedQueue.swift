import Primitives

/// What will happen when, the earliest first; what happens at one time keeps the order it was added in.
///
/// The heap holds numbers only and each has four children, so that a step of it stays within few cache lines when
/// millions wait; what happens rests in a place of its own until its time has come.
struct TimedQueue<Element> {
    private struct Entry {
        let time: Int64
        let order: UInt64
        let place: Int

        func isBefore(_ other: Entry) -> Bool {
            self.time != other.time ? self.time < other.time : self.order < other.order
        }
    }

    private var entries: [Entry] = []
    private var places: [Element?] = []
    private var freePlaces: [Int] = []
    private var added: UInt64 = 0

    /// When the next thing happens; nil when nothing will.
    var earliest: MonotonicTime? { self.entries.first.map { MonotonicTime(nanoseconds: $0.time) } }

    /// - Complexity: O(log n).
    mutating func add(_ element: Element, at time: MonotonicTime) {
        let place: Int
        if let free = self.freePlaces.popLast() {
            place = free
            self.places[place] = element
        } else {
            place = self.places.count
            self.places.append(element)
        }
        let entry = Entry(time: time.nanoseconds, order: self.added, place: place)
        self.added += 1
        self.entries.append(entry)
        var child = self.entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 4
            guard entry.isBefore(self.entries[parent]) else { break }
            self.entries[child] = self.entries[parent]
            child = parent
        }
        self.entries[child] = entry
    }

    /// - Complexity: O(log n).
    mutating func popReached(now: MonotonicTime) -> Element? {
        guard let head = self.entries.first, head.time <= now.nanoseconds else { return nil }
        let last = self.entries.removeLast()
        if !self.entries.isEmpty { self.sink(last) }
        self.freePlaces.append(head.place)
        return self.places[head.place].take()
    }

    /// Lets an entry sink from the top to where it belongs.
    private mutating func sink(_ entry: Entry) {
        var parent = 0
        while true {
            let first = parent * 4 + 1
            guard first < self.entries.count else { break }
            var least = first
            for child in first + 1..<min(first + 4, self.entries.count)
            where self.entries[child].isBefore(self.entries[least]) {
                least = child
            }
            guard self.entries[least].isBefore(entry) else { break }
            self.entries[parent] = self.entries[least]
            parent = least
        }
        self.entries[parent] = entry
    }
}
