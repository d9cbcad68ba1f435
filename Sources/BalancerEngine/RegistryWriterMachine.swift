internal import Primitives

/// Writes batches to a registry one by one, each behind the epoch that the one before left.
///
/// ```
///            started                 epoch as expected          batch made           stored
///  stopped ───────────► checking ─────────────────────► ready ────────────► storing ────────► sending
///                        ▲ │  │ epoch of the batch: done  ▲  ▲                                  │ │
///                  again │ │  └───────────────────────────┘  └──────────── applied ─────────────┘ │
///                        │ │                                 names read                          │
///                        │ ├─ no epoch, or behind it ─► reading ─────► ready                      │
///                        │ └─ another epoch ──────────► superseded ── take over ──► checking      │
///                        └──────────────────────────── pausing ◄──── unreachable, refused ────────┘
/// ```
///
/// A batch is sent again unchanged until the zone has its epoch, so an answer that was lost, a batch that arrives late
/// and a restart in between all end the same way.
struct RegistryWriterMachine: Sendable {
    /// What to do next.
    enum Action: Equatable, Sendable {
        case none
        /// Store the batch before it is sent.
        case store(NameUpdate)
        /// Hand the batch to the registry.
        case send(UpdateID, NameUpdate)
        case readEpoch
        case readNames
        /// The batch is in the zone.
        case finishBatch
        /// The zone has exactly these names; whatever was under way is void.
        case adopt([NameRecord], RegistryEpoch?)
        /// Stop: somebody else writes.
        case stop(by: RegistryEpoch?)
        /// Something went wrong; it is tried again after this long.
        case pause(Duration, RegistryFailure)
    }

    /// Where the machine stands.
    enum State: Equatable, Sendable {
        case stopped
        case ready
        case storing
        case sending
        case checking
        /// The names of the zone, whose epoch was this, are being read.
        case reading(RegistryEpoch?)
        case pausing
        case superseded
    }

    /// Why the registry is not written at the moment.
    enum Trouble: Equatable, Sendable {
        case unreachable
        case refused(UInt8)
    }

    /// How many times as long as for one message it waits for all names.
    private static let readingFactor = 12

    private let writer: UTF8Text
    private let timeout: Duration
    private let firstRetry: Duration
    private let longestRetry: Duration
    private let refusedRetry: Duration

    private(set) var state = State.stopped
    /// The epoch of the zone as far as it is known.
    private(set) var epoch: RegistryEpoch?
    /// The batch that is under way.
    private(set) var batch: NameUpdate?
    /// What is wrong; nil when the last answer was good.
    private(set) var trouble: Trouble?
    /// When `deadlineReached` must be told; nil when nothing is awaited, or the store.
    private(set) var deadline: MonotonicTime?
    private var isTakingOver = false
    /// The zone has not been looked at since the start.
    private var isStarting = true
    private var failures = 0
    private var denials = 0
    private var lastUpdate: UInt64 = 0
    private var firstUpdateOfBatch: UInt64 = 0
    private var highestNumber: UInt64 = 0

    /// Creates a machine that waits to be started.
    init(configuration: BalancerConfiguration) {
        self.writer = configuration.writer
        self.timeout = configuration.registryTimeout
        self.firstRetry = configuration.firstRetry
        self.longestRetry = configuration.longestRetry
        self.refusedRetry = configuration.refusedRetry
    }

    /// Whether a batch may be made.
    var isReady: Bool { self.state == .ready }

    /// The epoch that the next batch expects, and the one it leaves.
    var nextEpochs: (expected: RegistryEpoch?, epoch: RegistryEpoch) {
        (self.epoch, RegistryEpoch(writer: self.writer, number: self.highestNumber + 1))
    }

    // MARK: Events

    /// The balancer starts with what was stored.
    mutating func started(
        epoch: RegistryEpoch?,
        batch: NameUpdate?,
        isSuperseded: Bool,
        now: MonotonicTime
    ) -> Action {
        guard self.state == .stopped else { return .none }
        self.epoch = epoch
        self.batch = batch
        self.firstUpdateOfBatch = 1
        self.highestNumber = max(epoch?.number ?? 0, batch?.epoch.number ?? 0)
        if isSuperseded {
            self.state = .superseded
            return .none
        }
        return self.check(now: now)
    }

    /// A batch with ``nextEpochs`` was made.
    mutating func batchMade(_ update: NameUpdate) -> Action {
        guard self.state == .ready else { return .none }
        self.batch = update
        self.highestNumber = max(self.highestNumber, update.epoch.number)
        self.firstUpdateOfBatch = self.lastUpdate + 1
        self.state = .storing
        return .store(update)
    }

    /// The batch is stored.
    mutating func stored(now: MonotonicTime) -> Action {
        guard self.state == .storing else { return .none }
        return self.send(now: now)
    }

    /// The registry did the batch; true of every try, also of one that was given up.
    mutating func applied(_ update: UpdateID) -> Action {
        guard self.batch != nil, update.rawValue >= self.firstUpdateOfBatch, update.rawValue <= self.lastUpdate else {
            return .none
        }
        switch self.state {
        case .sending, .checking, .pausing: return self.finish()
        case .stopped, .ready, .storing, .reading, .superseded: return .none
        }
    }

    /// The registry did not do the batch, or nobody knows.
    mutating func failed(_ update: UpdateID, _ failure: RegistryFailure, now: MonotonicTime) -> Action {
        guard self.state == .sending, update.rawValue == self.lastUpdate else { return .none }
        // An earlier try of this batch may have changed the epoch. A registry that denies the epoch it has must wait.
        guard failure == .epochMismatch, self.denials < 3 else { return self.pause(failure, now: now) }
        self.denials += 1
        return self.check(now: now)
    }

    /// The zone has this epoch.
    mutating func epochRead(_ result: Result<RegistryEpoch?, RegistryFailure>, now: MonotonicTime) -> Action {
        guard self.state == .checking else { return .none }
        let found: RegistryEpoch?
        switch result {
        case .failure(let failure): return self.pause(failure, now: now)
        case .success(let epoch): found = epoch
        }
        let isFirst = self.isStarting
        self.isStarting = false
        if self.isTakingOver { return self.read(found, now: now) }
        if let batch = self.batch {
            if found == batch.epoch { return self.finish() }
            if found == batch.expected { return self.send(now: now) }
        } else if found == self.epoch {
            self.recover()
            return .none
        }
        // A zone without epoch was emptied; one in which this writer was further before it started has outlived the last
        // of what was stored, or all of it.
        guard let found else { return self.read(nil, now: now) }
        if isFirst, found.writer == self.writer, found.number > self.highestNumber {
            return self.read(found, now: now)
        }
        self.state = .superseded
        self.deadline = nil
        self.trouble = nil
        return .stop(by: found)
    }

    /// The zone has these names.
    mutating func namesRead(_ result: Result<[NameRecord], RegistryFailure>, now: MonotonicTime) -> Action {
        guard case .reading(let found) = self.state else { return .none }
        switch result {
        case .failure(let failure):
            self.isTakingOver = true
            return self.pause(failure, now: now)
        case .success(let names):
            self.epoch = found
            self.highestNumber = max(self.highestNumber, found?.number ?? 0)
            self.recover()
            return .adopt(names, found)
        }
    }

    /// An operator wants this balancer to write; it may not know yet that somebody else does.
    mutating func takeOverRequested(now: MonotonicTime) -> Action {
        switch self.state {
        case .stopped, .reading:
            return .none
        case .ready, .superseded:
            self.isTakingOver = true
            return self.check(now: now)
        case .storing, .sending, .checking, .pausing:
            // It holds when what is under way finds out that somebody else writes.
            self.isTakingOver = true
            return .none
        }
    }

    /// Time has passed.
    mutating func deadlineReached(now: MonotonicTime) -> Action {
        guard let deadline = self.deadline, deadline <= now else { return .none }
        switch self.state {
        case .sending, .checking:
            return self.pause(.unreachable, now: now)
        case .reading:
            self.isTakingOver = true
            return self.pause(.unreachable, now: now)
        case .pausing:
            return self.check(now: now)
        case .stopped, .ready, .storing, .superseded:
            return .none
        }
    }

    // MARK: Steps

    private mutating func check(now: MonotonicTime) -> Action {
        self.state = .checking
        self.deadline = now.advanced(by: self.timeout)
        return .readEpoch
    }

    private mutating func read(_ found: RegistryEpoch?, now: MonotonicTime) -> Action {
        self.state = .reading(found)
        // Many messages, where everything else is one.
        self.deadline = now.advanced(by: self.timeout * Self.readingFactor)
        return .readNames
    }

    private mutating func send(now: MonotonicTime) -> Action {
        guard let batch = self.batch else { return .none }
        self.lastUpdate += 1
        self.state = .sending
        self.deadline = now.advanced(by: self.timeout)
        return .send(UpdateID(rawValue: self.lastUpdate), batch)
    }

    private mutating func finish() -> Action {
        self.epoch = self.batch?.epoch
        self.recover()
        return .finishBatch
    }

    private mutating func recover() {
        self.batch = nil
        self.state = .ready
        self.deadline = nil
        self.trouble = nil
        self.failures = 0
        self.denials = 0
        self.isTakingOver = false
    }

    private mutating func pause(_ failure: RegistryFailure, now: MonotonicTime) -> Action {
        let pause: Duration
        if case .refused(let code) = failure {
            self.trouble = .refused(code)
            pause = self.refusedRetry
        } else {
            self.trouble = .unreachable
            pause = min(self.firstRetry * (1 << min(self.failures, 16)), self.longestRetry)
        }
        self.failures += 1
        self.state = .pausing
        self.deadline = now.advanced(by: pause)
        return .pause(pause, failure)
    }
}
