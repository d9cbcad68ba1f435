public import Primitives

/// The bootstrap load balancer: derives the names of all devices, shares them among instances, and says what the
/// registry must be told.
///
/// Pure: the driver tells it what happened and performs what ``nextOutput()`` asks for, in that order. Same events,
/// same outputs. Long work is done in slices: while there is some, ``nextDeadline`` is at once.
public struct BalancerEngine: Sendable {
    let configuration: BalancerConfiguration
    let derivation: NameDerivation
    private var outputs: [BalancerOutput] = []
    private var outputHead = 0

    /// What was seen so far.
    public internal(set) var counters = BalancerCounters()

    /// Creates a balancer without devices and instances; it does nothing before it was told `restored`.
    public init(configuration: BalancerConfiguration, derivation: NameDerivation) {
        self.configuration = configuration
        self.derivation = derivation
    }

    /// Takes one event; what follows from it is queued.
    public mutating func handle(_ event: BalancerEvent, now: MonotonicTime) {
    }

    /// Removes and returns the oldest output; nil when there is none.
    public mutating func nextOutput() -> BalancerOutput? {
        guard self.outputHead < self.outputs.count else {
            if self.outputHead > 0 {
                self.outputs.removeAll(keepingCapacity: self.outputs.count <= 1024)
                self.outputHead = 0
            }
            return nil
        }
        self.outputHead += 1
        return self.outputs[self.outputHead - 1]
    }

    /// When ``BalancerEvent/deadlineReached`` must next be told; nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        mutating get { nil }
    }

    /// What the balancer does at the moment.
    ///
    /// - Complexity: O(1) in the number of devices.
    public var status: BalancerStatus { BalancerStatus() }

    /// Lists the names that lead somewhere, page by page, in no special order.
    ///
    /// - Parameters:
    ///   - cursor: 0 at first, then what the last page returned.
    ///   - limit: the most names of a page; at least 1.
    /// - Returns: the page, and the cursor of the next one; nil behind the last.
    public func names(from cursor: Int, limit: Int) -> (page: [NameRecord], next: Int?) { ([], nil) }

    /// How far a device's bootstrap has come; nil when it is not known.
    public func progress(of endpoint: UTF8Text) -> DeviceProgress? { nil }
}
