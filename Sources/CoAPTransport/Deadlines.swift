import Primitives

/// Things that all wait equally long, in the order in which their time comes.
struct Deadlines<Item> {
    private var items: [(time: MonotonicTime, item: Item)] = []
    private var head = 0

    /// When the next one is due.
    var first: MonotonicTime? { self.head < self.items.count ? self.items[self.head].time : nil }

    /// Adds one that is due no earlier than all others.
    mutating func append(_ item: Item, at time: MonotonicTime) {
        self.items.append((time, item))
    }

    /// Takes the next one when its time has come.
    mutating func pop(until now: MonotonicTime) -> Item? {
        guard self.head < self.items.count, self.items[self.head].time <= now else { return nil }
        let item = self.items[self.head].item
        self.head += 1
        if self.head >= 64, self.head * 2 >= self.items.count {
            self.items.removeFirst(self.head)
            self.head = 0
        }
        return item
    }
}
