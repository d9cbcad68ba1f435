import Primitives
import ServiceSupport

/// What the balancer has not acknowledged yet, oldest first.
///
/// Bounded: while the balancer is away, the beginning and the end of one bootstrap become its end alone, which says as
/// much. Only when that frees no place is the oldest notice given up. Both are counted.
struct NoticeQueue {
    private let capacity: Int
    private var waiting: [BootstrapNotice] = []
    private var head = 0
    /// What is under way to the balancer.
    private var sending: [BootstrapNotice] = []
    /// Bootstraps whose beginning waits.
    private var begun: Set<UTF8Text> = []
    /// Of those, the ones whose end waits as well.
    private var pairs: Set<UTF8Text> = []

    /// How many beginnings were left out because the end says as much.
    private(set) var merged: UInt64 = 0
    /// How many notices were given up.
    private(set) var dropped: UInt64 = 0

    /// Creates an empty queue.
    ///
    /// - Parameter capacity: the most notices, those under way included; at least 1.
    init(capacity: Int) {
        self.capacity = max(capacity, 1)
    }

    /// How many notices are not acknowledged.
    var count: Int { self.waiting.count - self.head + self.sending.count }

    /// Adds a notice.
    mutating func append(_ notice: BootstrapNotice) {
        if self.count >= self.capacity { self.makeRoom() }
        self.waiting.append(notice)
        self.index(notice)
    }

    /// The notices to send next, which then are under way; empty when there are none or some are under way already.
    mutating func nextBatch() -> [BootstrapNotice] {
        guard self.sending.isEmpty else { return [] }
        let end = min(self.waiting.count, self.head + BalancerMessages.maximumNotices)
        self.sending = Array(self.waiting[self.head..<end])
        self.head = end
        for notice in self.sending { self.forget(notice) }
        self.compact()
        return self.sending
    }

    /// What was under way has arrived for good.
    ///
    /// - Returns: how many notices that were.
    mutating func acknowledge() -> Int {
        defer { self.sending = [] }
        return self.sending.count
    }

    /// What was under way may not have arrived, and goes again.
    mutating func giveBack() {
        guard !self.sending.isEmpty else { return }
        self.waiting = self.sending + self.waiting[self.head...]
        self.head = 0
        self.sending = []
        self.begun = []
        self.pairs = []
        for notice in self.waiting { self.index(notice) }
    }

    private mutating func makeRoom() {
        if !self.pairs.isEmpty {
            let kept = self.waiting[self.head...].filter { $0.event != .started || !self.pairs.contains($0.procedure) }
            self.merged += UInt64(self.pairs.count)
            self.begun.subtract(self.pairs)
            self.pairs = []
            self.waiting = kept
            self.head = 0
        } else if self.head < self.waiting.count {
            self.forget(self.waiting[self.head])
            self.head += 1
            self.dropped += 1
            self.compact()
        }
    }

    private mutating func index(_ notice: BootstrapNotice) {
        if notice.event == .started {
            self.begun.insert(notice.procedure)
        } else if self.begun.contains(notice.procedure) {
            self.pairs.insert(notice.procedure)
        }
    }

    private mutating func forget(_ notice: BootstrapNotice) {
        guard notice.event == .started else { return }
        self.begun.remove(notice.procedure)
        self.pairs.remove(notice.procedure)
    }

    private mutating func compact() {
        guard self.head > 1024, self.head * 2 > self.waiting.count else { return }
        self.waiting.removeFirst(self.head)
        self.head = 0
    }
}
