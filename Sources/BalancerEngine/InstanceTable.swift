internal import Primitives

/// Numbers of instances, as names keep them.
enum InstanceNumber {
    /// Leads nowhere yet.
    static let none: Int16 = -1
    /// Leads to the balancer itself.
    static let holding: Int16 = -2
}

/// An instance, up or gone.
struct InstanceEntry: Sendable {
    enum State: Equatable, Sendable {
        /// The number is free.
        case free
        case up
        /// It stops once it has nothing to do and no name leads to it; from then on resolvers may still have one.
        case draining(until: MonotonicTime?)
        /// Gone, but names still lead to it.
        case lost
    }

    var instance: BootstrapInstance
    var addresses: [Int32]
    var state: State
    var inProgress = 0
    /// When it counts as lost unless it reports.
    var deadline: MonotonicTime
    /// When it last had something to do.
    var lastBusy: MonotonicTime
    var isOnDemand = false
    /// It came or was described anew since names were last shared out.
    var isNew = true
}

/// Instances by number.
struct InstanceTable: Sendable {
    let capacity: Int
    var entries: [InstanceEntry] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    subscript(name: UTF8Text) -> Int? {
        self.entries.firstIndex { $0.state != .free && $0.instance.name == name }
    }

    var hasUp: Bool { self.entries.contains { $0.state == .up } }

    /// Puts an instance at a free number.
    ///
    /// - Returns: nil when there is none.
    mutating func add(_ entry: InstanceEntry) -> Int? {
        if let free = self.entries.firstIndex(where: { $0.state == .free }) {
            self.entries[free] = entry
            return free
        }
        guard self.entries.count < self.capacity else { return nil }
        self.entries.append(entry)
        return self.entries.count - 1
    }

    /// The up instance that has an address.
    func up(withAddress address: Int32) -> Int? {
        self.entries.firstIndex { $0.state == .up && $0.addresses.contains(address) }
    }
}
