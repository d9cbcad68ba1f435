internal import CoAPMessages
internal import Primitives

/// Changes on their way to the store: one transaction is under way, and what comes meanwhile waits for the next.
struct StoreQueue: Sendable {
    /// What became durable.
    struct Done: Sendable {
        var acknowledged: [ExchangeID]
        var hasBatch: Bool
    }

    private var waiting: [BalancerChange] = []
    private var waitingExchanges: [ExchangeID] = []
    private var waitingBatch = false
    private var underWay: [BalancerChange] = []
    private var exchangesUnderWay: [ExchangeID] = []
    private var batchUnderWay = false
    private var id: StorageID?
    private var last: UInt64 = 0
    private var failures = 0
    /// When a transaction that failed is handed out again.
    private(set) var retry: MonotonicTime?

    /// How many requests wait for their changes.
    var exchangeCount: Int { self.waitingExchanges.count + self.exchangesUnderWay.count }

    /// Whether something is not durable yet.
    var isBusy: Bool { self.id != nil || !self.waiting.isEmpty }

    mutating func append(_ change: BalancerChange) {
        self.waiting.append(change)
        if case .batchBegun = change { self.waitingBatch = true }
    }

    /// Lets a request wait until everything that was appended before is durable.
    ///
    /// - Returns: false when it is already.
    mutating func wait(_ exchange: ExchangeID) -> Bool {
        guard self.isBusy else { return false }
        if self.waiting.isEmpty {
            self.exchangesUnderWay.append(exchange)
        } else {
            self.waitingExchanges.append(exchange)
        }
        return true
    }

    /// The next transaction; nil while one is under way, after a failure, and when there is nothing to store.
    mutating func next(now: MonotonicTime) -> (StorageID, [BalancerChange])? {
        guard self.id == nil, !self.waiting.isEmpty else { return nil }
        if let retry = self.retry, now < retry { return nil }
        self.retry = nil
        self.last += 1
        let id = StorageID(rawValue: self.last)
        self.id = id
        self.underWay = self.waiting
        self.exchangesUnderWay = self.waitingExchanges
        self.batchUnderWay = self.waitingBatch
        self.waiting = []
        self.waitingExchanges = []
        self.waitingBatch = false
        return (id, self.underWay)
    }

    mutating func stored(_ id: StorageID) -> Done? {
        guard self.id == id else { return nil }
        let done = Done(acknowledged: self.exchangesUnderWay, hasBatch: self.batchUnderWay)
        self.id = nil
        self.underWay = []
        self.exchangesUnderWay = []
        self.batchUnderWay = false
        self.failures = 0
        return done
    }

    /// - Returns: how long the next try waits; nil when the transaction is not the one under way.
    mutating func failed(_ id: StorageID, now: MonotonicTime) -> Duration? {
        guard self.id == id else { return nil }
        self.id = nil
        self.waiting = self.underWay + self.waiting
        self.waitingExchanges = self.exchangesUnderWay + self.waitingExchanges
        self.waitingBatch = self.batchUnderWay || self.waitingBatch
        self.underWay = []
        self.exchangesUnderWay = []
        self.batchUnderWay = false
        let pause = min(Duration.seconds(1) * (1 << min(self.failures, 6)), .seconds(60))
        self.failures += 1
        self.retry = now.advanced(by: pause)
        return pause
    }
}
