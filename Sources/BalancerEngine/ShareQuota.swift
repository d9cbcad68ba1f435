/// How many names each instance gives away and gets when names are shared out anew, row by row.
struct ShareQuota: Sendable {
    private let capacity: Int
    /// Names by row and instance; once settled, how many it gives away, and negative how many it gets.
    private var surplus: [Int32]
    private var homelessNames: [Int32]
    private var receivers: [[Int16]]
    private var turns: [Int]

    init(rows: Int, capacity: Int) {
        self.capacity = capacity
        self.surplus = Array(repeating: 0, count: rows * capacity)
        self.homelessNames = Array(repeating: 0, count: rows)
        self.receivers = Array(repeating: [], count: rows)
        self.turns = Array(repeating: 0, count: rows)
    }

    mutating func count(_ instance: Int16, isHoused: Bool, in row: Int) {
        if isHoused {
            self.surplus[row * self.capacity + Int(instance)] += 1
        } else {
            self.homelessNames[row] += 1
        }
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
        // Names that must move anyway serve the takers first; the others give only what is still missing.
        let given = max(0, taken - self.homeless(in: row))
        var left = given
        for candidate in candidates where self.surplus[base + Int(candidate)] > 0 {
            let gives = min(left, Int(self.surplus[base + Int(candidate)]))
            self.surplus[base + Int(candidate)] = Int32(gives)
            left -= gives
        }
        self.receivers[row].sort { takers(Int($0)) && !takers(Int($1)) }
        self.turns[row] = -1
    }

    func mayGive(_ instance: Int16, in row: Int) -> Bool { self.surplus[row * self.capacity + Int(instance)] > 0 }

    mutating func give(_ instance: Int16, in row: Int) { self.surplus[row * self.capacity + Int(instance)] -= 1 }

    /// Who gets the next name; nil when everybody has its target.
    mutating func receive(in row: Int) -> Int16? {
        let receivers = self.receivers[row]
        guard !receivers.isEmpty else { return nil }
        // Takers in order; otherwise in turn, so that names of like devices spread.
        let turn = self.turns[row] < 0 ? 0 : self.turns[row] % receivers.count
        let receiver = receivers[turn]
        self.surplus[row * self.capacity + Int(receiver)] += 1
        if self.surplus[row * self.capacity + Int(receiver)] == 0 {
            self.receivers[row].remove(at: turn)
        } else if self.turns[row] >= 0 {
            self.turns[row] = turn + 1
        }
        return receiver
    }
}
