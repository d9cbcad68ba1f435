internal import Primitives

/// How many names each instance gives away and gets when names are shared out anew, row by row.
struct ShareQuota: Sendable {
    private let capacity: Int
    /// Names by row and instance; once settled, how many it gives away, and negative how many it gets.
    private var surplus: [Int32]
    /// Names by row and instance that may move and were not asked for yet.
    private var movable: [Int32]
    private var homelessNames: [Int32]
    private var receivers: [[Int16]]
    private var turns: [Int]

    init(rows: Int, capacity: Int) {
        self.capacity = capacity
        self.surplus = Array(repeating: 0, count: rows * capacity)
        self.movable = self.surplus
        self.homelessNames = Array(repeating: 0, count: rows)
        self.receivers = Array(repeating: [], count: rows)
        self.turns = Array(repeating: 0, count: rows)
    }

    mutating func count(_ entry: NameEntry, isHoused: Bool, in row: Int) {
        guard isHoused else {
            self.homelessNames[row] += 1
            return
        }
        let place = row * self.capacity + Int(entry.instance)
        self.surplus[place] += 1
        if entry.pins == 0 { self.movable[place] += 1 }
    }

    func current(_ instance: Int, in row: Int) -> Int { Int(self.surplus[row * self.capacity + instance]) }
    func homeless(in row: Int) -> Int { Int(self.homelessNames[row]) }

    func total(in row: Int) -> Int {
        (0..<self.capacity).reduce(self.homeless(in: row)) { $0 + self.current($1, in: row) }
    }

    /// Turns the counts of a row into what is given and got.
    ///
    /// - Parameter takers: who may take from others; nil: everybody who has less than its target.
    mutating func settle(row: Int, targets: [Int], candidates: [Int16], takers: ((Int) -> Bool)?) {
        let base = row * self.capacity
        var taken = 0
        for candidate in candidates {
            let number = Int(candidate)
            self.surplus[base + number] -= Int32(targets[number])
            let missing = -Int(self.surplus[base + number])
            if missing > 0, takers?(number) ?? true { taken += missing }
        }
        self.receivers[row] = candidates.filter { self.surplus[base + Int($0)] < 0 }
        guard let takers else { return }
        // Names that must move anyway serve the takers first; the others give only what is still missing, and get only
        // what is left over.
        var given = max(0, taken - self.homeless(in: row))
        var left = max(0, self.homeless(in: row) - taken)
        for candidate in candidates where !takers(Int(candidate)) {
            let surplus = Int(self.surplus[base + Int(candidate)])
            let change = surplus > 0 ? min(given, surplus) : -min(left, -surplus)
            self.surplus[base + Int(candidate)] = Int32(change)
            if change > 0 { given -= change } else { left += change }
        }
        self.receivers[row] = candidates.filter { self.surplus[base + Int($0)] < 0 }
    }

    /// Whether an instance gives a name away that may move; asked once for each of them.
    ///
    /// Those that go are spread over all, so that devices that arrive in order do not all go to the same instance.
    mutating func gives(_ instance: Int16, in row: Int, _ name: Int) -> Bool {
        let place = row * self.capacity + Int(instance)
        guard self.surplus[place] > 0, self.movable[place] > 0 else { return false }
        // So many of those that are left, each as likely as another; the same ones in every run.
        var draw = SeededGenerator(seed: UInt64(name))
        let isGiven = Int32(draw.next() % UInt64(self.movable[place])) < self.surplus[place]
        self.movable[place] -= 1
        if isGiven { self.surplus[place] -= 1 }
        return isGiven
    }

    /// Who gets the next name; nil when everybody has its target.
    mutating func receive(in row: Int) -> Int16? {
        let receivers = self.receivers[row]
        guard !receivers.isEmpty else { return nil }
        let turn = self.turns[row] % receivers.count
        let receiver = receivers[turn]
        self.surplus[row * self.capacity + Int(receiver)] += 1
        if self.surplus[row * self.capacity + Int(receiver)] == 0 {
            self.receivers[row].remove(at: turn)
        } else {
            self.turns[row] = turn + 1
        }
        return receiver
    }
}
