import Primitives

/// What will happen when, the earliest first; what happens at one time keeps the order it was added in.
///
/// Time never goes back, so entries wait in buckets by the highest bit in which their time differs from the last one
/// that was reached (a radix heap): an entry moves to a lower bucket a few times, each time beside its neighbours, and
/// with millions of entries hardly any step leaves the caches. Entries of one time are always in one bucket, in order.
struct TimedQueue<Element> {
    private struct Entry {
        let time: Int64
        let place: Int
    }

    /// Bucket 0 has what happens at ``reached``, bucket n what differs from it in bit n - 1 and no higher one.
    private var buckets: [[Entry]] = Array(repeating: [], count: 65)
    /// One bit for each bucket that has entries, but for bucket 0.
    private var occupied: UInt64 = 0
    /// How many entries of bucket 0 are gone.
    private var taken = 0
    private var reached: Int64 = 0
    private var earliestTime: Int64?
    private var places: [Element?] = []
    private var freePlaces: [Int] = []

    /// When the next thing happens; nil when nothing will.
    var earliest: MonotonicTime? { self.earliestTime.map { MonotonicTime(nanoseconds: $0) } }

    /// Adds what happens at a time; one before the last that was reached counts as that.
    ///
    /// - Complexity: O(1) amortised over the bits in which times differ.
    mutating func add(_ element: Element, at time: MonotonicTime) {
        let place: Int
        if let free = self.freePlaces.popLast() {
            place = free
            self.places[place] = element
        } else {
            place = self.places.count
            self.places.append(element)
        }
        let entry = Entry(time: max(time.nanoseconds, self.reached), place: place)
        self.put(entry)
        self.earliestTime = self.earliestTime.map { min($0, entry.time) } ?? entry.time
    }

    /// Takes out what happens first, when its time has come.
    mutating func popReached(now: MonotonicTime) -> Element? {
        guard let time = self.earliestTime, time <= now.nanoseconds else { return nil }
        if self.taken == self.buckets[0].count { self.reach(time) }
        let entry = self.buckets[0][self.taken]
        self.taken += 1
        if self.taken == self.buckets[0].count {
            self.buckets[0].removeAll(keepingCapacity: true)
            self.taken = 0
            self.earliestTime = self.leastTime
        }
        self.freePlaces.append(entry.place)
        return self.places[entry.place].take()
    }

    private mutating func put(_ entry: Entry) {
        let bucket = 64 - (entry.time ^ self.reached).leadingZeroBitCount
        self.buckets[bucket].append(entry)
        if bucket > 0 { self.occupied |= 1 << UInt64(bucket - 1) }
    }

    /// The least time of the buckets above 0.
    private var leastTime: Int64? {
        guard self.occupied != 0 else { return nil }
        var least = Int64.max
        for entry in self.buckets[self.occupied.trailingZeroBitCount + 1] where entry.time < least {
            least = entry.time
        }
        return least
    }

    /// Shares out the lowest bucket among those below it.
    private mutating func reach(_ time: Int64) {
        let bucket = self.occupied.trailingZeroBitCount + 1
        self.occupied &= self.occupied - 1
        self.reached = time
        var entries: [Entry] = []
        swap(&entries, &self.buckets[bucket])
        for entry in entries { self.put(entry) }
        // Small buckets keep their memory for the next time.
        guard entries.count <= 4_096 else { return }
        entries.removeAll(keepingCapacity: true)
        swap(&entries, &self.buckets[bucket])
    }
}
