internal import Primitives

/// Which instances may have the names of a group of devices, how many names each has, and who gets the next one.
///
/// Devices that the filters cannot tell apart are a group. Names are shared out for each group and each window alone,
/// so that every window is balanced by itself.
struct NameSharing: Sendable {
    /// The slots of windows, and one for names that only devices in progress use.
    static let slotCount = 5
    static let pinSlot = 4
    /// The most groups; devices of further ones are in the first, which may have any instance.
    static let groupCapacity = 1024

    private struct Key: Hashable, Sendable {
        var region: UTF8Text?
        var deviceClass: UTF8Text?
    }

    private let strategy: AllocationStrategy
    let capacity: Int
    private var keys: [Key] = [Key()]
    private var groups: [Key: UInt16] = [Key(): 0]
    private var candidates: [[Int16]] = [[]]
    private var isCandidate: [Bool]
    private var weights: [Int]
    private var busy: [Int]
    /// Names by group, slot and instance.
    private var counts: [Int32]
    /// Names by slot and instance.
    private var totals: [Int32]
    private var instances: [InstanceEntry] = []

    init(strategy: AllocationStrategy, capacity: Int) {
        self.strategy = strategy
        self.capacity = capacity
        self.isCandidate = Array(repeating: false, count: capacity)
        self.weights = Array(repeating: 1, count: capacity)
        self.busy = Array(repeating: 0, count: capacity)
        self.counts = Array(repeating: 0, count: capacity * Self.slotCount)
        self.totals = Array(repeating: 0, count: capacity * Self.slotCount)
    }

    var groupCount: Int { self.keys.count }

    /// Whether connections in progress decide, so that shares drift by themselves.
    var countsConnections: Bool {
        self.strategy.spreading == .leastConnections || self.strategy.spreading == .weightedLeastConnections
    }

    // MARK: Groups and candidates

    mutating func group(region: UTF8Text?, deviceClass: UTF8Text?) -> UInt16 {
        let key = Key(
            region: self.strategy.filters.contains(.region) ? region : nil,
            deviceClass: self.strategy.filters.contains(.deviceClass) ? deviceClass : nil
        )
        if let group = self.groups[key] { return group }
        guard self.keys.count < Self.groupCapacity else { return 0 }
        let group = UInt16(self.keys.count)
        self.keys.append(key)
        self.groups[key] = group
        self.candidates.append([])
        self.isCandidate += Array(repeating: false, count: self.capacity)
        self.counts += Array(repeating: 0, count: self.capacity * Self.slotCount)
        self.chooseCandidates(of: Int(group))
        return group
    }

    /// Takes the instances as they are now.
    mutating func update(_ entries: [InstanceEntry]) {
        self.instances = entries
        for (number, entry) in entries.enumerated() {
            let usesWeights =
                self.strategy.spreading == .weighted || self.strategy.spreading == .weightedLeastConnections
            self.weights[number] = usesWeights ? entry.instance.weight : 1
            self.busy[number] = self.countsConnections ? entry.inProgress : 0
        }
        for group in self.keys.indices { self.chooseCandidates(of: group) }
    }

    /// Takes the number of bootstraps in progress at an instance.
    mutating func setInProgress(_ count: Int, at instance: Int) {
        if self.countsConnections { self.busy[instance] = count }
    }

    private mutating func chooseCandidates(of group: Int) {
        var left = self.instances.indices.filter { self.instances[$0].state == .up }
        let key = self.keys[group]
        for filter in self.strategy.filters {
            let chosen: [Int]
            switch filter {
            case .region:
                let own = left.filter { self.instances[$0].instance.region == key.region }
                chosen = own.isEmpty ? left.filter { self.instances[$0].instance.region == nil } : own
            case .deviceClass:
                let own = left.filter { number in
                    key.deviceClass.map { self.instances[number].instance.classes.contains($0) } ?? false
                }
                chosen = own.isEmpty ? left.filter { self.instances[$0].instance.classes.isEmpty } : own
            }
            if !chosen.isEmpty { left = chosen }
        }
        for number in 0..<self.capacity { self.isCandidate[group * self.capacity + number] = false }
        for number in left { self.isCandidate[group * self.capacity + number] = true }
        self.candidates[group] = left.map { Int16($0) }
    }

    func isCandidate(_ instance: Int16, of group: UInt16) -> Bool {
        instance >= 0 && self.isCandidate[Int(group) * self.capacity + Int(instance)]
    }

    // MARK: Counting

    /// Counts a name at an instance in each of the slots, or with -1 takes it away.
    mutating func count(_ change: Int32, at instance: Int16, group: UInt16, slots: UInt8) {
        guard instance >= 0 else { return }
        for slot in 0..<Self.slotCount where slots & (1 << slot) != 0 {
            self.counts[(Int(group) * Self.slotCount + slot) * self.capacity + Int(instance)] += change
            self.totals[slot * self.capacity + Int(instance)] += change
        }
    }

    /// How many names lead to an instance; one that stands in several windows counts in each.
    func names(at instance: Int) -> Int {
        (0..<Self.slotCount).reduce(0) { $0 + Int(self.totals[$1 * self.capacity + instance]) }
    }

    // MARK: Choosing

    /// The instance that gets the next name: the one furthest below its share.
    ///
    /// - Returns: ``InstanceNumber/none`` when no instance is up.
    /// - Complexity: O(k) in the instances that may have it.
    func choose(group: UInt16, slot: Int) -> Int16 {
        let candidates = self.candidates[Int(group)]
        let row = (Int(group) * Self.slotCount + slot) * self.capacity
        var sum = 1
        var weight = 0
        for candidate in candidates {
            let number = Int(candidate)
            sum += Int(self.counts[row + number]) + self.busy[number]
            weight += self.weights[number]
        }
        var best = InstanceNumber.none
        var bestDeficit = Int.min
        for candidate in candidates {
            let number = Int(candidate)
            let load = Int(self.counts[row + number]) + self.busy[number]
            let deficit = sum * self.weights[number] - load * weight
            // Among equals the one that has fewer names of other groups.
            if deficit > bestDeficit || deficit == bestDeficit && self.isLess(number, than: Int(best), slot: slot) {
                (best, bestDeficit) = (candidate, deficit)
            }
        }
        return best
    }

    private func isLess(_ number: Int, than other: Int, slot: Int) -> Bool {
        let row = slot * self.capacity
        return Int(self.totals[row + number]) * self.weights[other]
            < Int(self.totals[row + other]) * self.weights[number]
    }

    /// How many names each instance should have, so that as few as possible move.
    ///
    /// - Parameters:
    ///   - current: the names of each instance now, those of instances that may not have them left out.
    ///   - homeless: names that must move.
    /// - Returns: a number for each instance; together all the names, when any instance may have them.
    func targets(group: Int, current: (Int) -> Int, homeless: Int) -> [Int] {
        var targets = [Int](repeating: 0, count: self.capacity)
        var active = self.candidates[group].map { Int($0) }
        let names = active.reduce(homeless) { $0 + current($1) }
        // An instance that is busier than its share of everything gets nothing, and is left out of the sum.
        while true {
            let sum = active.reduce(names) { $0 + self.busy[$1] }
            let weight = active.reduce(0) { $0 + self.weights[$1] }
            let kept = active.filter { sum * self.weights[$0] > self.busy[$0] * weight }
            guard kept.count == active.count || kept.isEmpty else {
                active = kept
                continue
            }
            guard weight > 0, !kept.isEmpty else { return targets }
            var rest = names
            for number in active {
                targets[number] = (sum * self.weights[number]) / weight - self.busy[number]
                rest -= targets[number]
            }
            // What is left over goes, one each, to those that have more already, then to those with the larger fraction.
            let order = active.filter { sum * self.weights[$0] % weight != 0 }.sorted { left, right in
                let (hasLeft, hasRight) = (current(left) > targets[left], current(right) > targets[right])
                if hasLeft != hasRight { return hasLeft }
                let (fractionLeft, fractionRight) = (
                    sum * self.weights[left] % weight, sum * self.weights[right] % weight
                )
                return fractionLeft == fractionRight ? left < right : fractionLeft > fractionRight
            }
            for number in order.prefix(max(rest, 0)) { targets[number] += 1 }
            return targets
        }
    }

    func candidates(of group: Int) -> [Int16] { self.candidates[group] }
}
