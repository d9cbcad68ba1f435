import Primitives
import ServiceSupport

/// What the balancer has not acknowledged yet, oldest first.
///
/// Bounded: while the balancer is away, the beginning and the end of one bootstrap become its end alone, which says as
/// much. Only when that frees no place is the oldest notice given up. Both are counted.
struct NoticeQueue {
    private let capacity: Int
    /// What waits, with holes where beginnings were left out.
    private var waiting: [BootstrapNotice?] = []
    private var head = 0
    private var holes = 0
    /// What is under way to the balancer.
    private var sending: [BootstrapNotice] = []
    /// Where the beginnings that wait stand.
    private var begun: [UTF8Text: Int] = [:]
    /// Bootstraps whose end was added while their beginning waited, oldest first; some may be gone meanwhile.
    private var pairs: [UTF8Text] = []
    private var nextPair = 0

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
    var count: Int { self.waiting.count - self.head - self.holes + self.sending.count }

    /// Adds a notice.
    mutating func append(_ notice: BootstrapNotice) {
        self.add(notice)
        while self.count > self.capacity, self.head < self.waiting.count {
            if !self.mergeOldestPair() { self.dropOldest() }
        }
        self.compact()
    }

    /// The notices to send next, which then are under way; empty when there are none or some are under way already.
    mutating func nextBatch() -> [BootstrapNotice] {
        guard self.sending.isEmpty else { return [] }
        while self.head < self.waiting.count, self.sending.count < BalancerMessages.maximumNotices {
            if let notice = self.removeFirst() { self.sending.append(notice) }
        }
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
        let notices = self.sending + self.waiting[self.head...].compactMap { $0 }
        self.sending = []
        self.rebuild(notices)
    }

    private mutating func add(_ notice: BootstrapNotice) {
        if notice.event == .started {
            self.begun[notice.procedure] = self.waiting.count
        } else if self.begun[notice.procedure] != nil {
            self.pairs.append(notice.procedure)
        }
        self.waiting.append(notice)
    }

    private mutating func removeFirst() -> BootstrapNotice? {
        defer { self.head += 1 }
        guard let notice = self.waiting[self.head] else {
            self.holes -= 1
            return nil
        }
        if notice.event == .started { self.begun[notice.procedure] = nil }
        self.waiting[self.head] = nil
        return notice
    }

    /// - Returns: false when there is no beginning whose end waits as well.
    private mutating func mergeOldestPair() -> Bool {
        while self.nextPair < self.pairs.count {
            self.nextPair += 1
            guard let place = self.begun.removeValue(forKey: self.pairs[self.nextPair - 1]) else { continue }
            self.waiting[place] = nil
            self.holes += 1
            self.merged += 1
            return true
        }
        return false
    }

    private mutating func dropOldest() {
        while self.head < self.waiting.count {
            guard self.removeFirst() == nil else {
                self.dropped += 1
                return
            }
        }
    }

    /// Takes the room back that is used no more, seldom enough to cost little.
    private mutating func compact() {
        if self.nextPair > 1024, self.nextPair * 2 > self.pairs.count {
            self.pairs.removeFirst(self.nextPair)
            self.nextPair = 0
        }
        guard self.head + self.holes > 1024, (self.head + self.holes) * 2 > self.waiting.count else { return }
        self.rebuild(self.waiting[self.head...].compactMap { $0 })
    }

    private mutating func rebuild(_ notices: [BootstrapNotice]) {
        self.waiting = []
        self.head = 0
        self.holes = 0
        self.begun = [:]
        self.pairs = []
        self.nextPair = 0
        for notice in notices { self.add(notice) }
    }
}
