internal import BootstrapURIs
public import Primitives

/// The bootstrap load balancer: derives the names of all devices, shares them among instances, and says what the
/// registry must be told.
///
/// Pure: the driver tells it what happened and performs what ``nextOutput()`` asks for, in that order. Same events,
/// same outputs. Long work is done in slices: while there is some, ``nextDeadline`` is at once.
public struct BalancerEngine: Sendable {
    let configuration: BalancerConfiguration
    let derivation: NameDerivation

    var devices = DeviceTable()
    var reporters = ReporterTable()
    var names = NameTable()
    var addresses = AddressTable()
    var instances: InstanceTable
    var sharing: NameSharing
    /// The instance that has an address, by number of the address.
    var addressOwners: [Int32: Int16] = [:]

    var clock: (known: MonotonicTime, time: WallTime)?
    var isRestored = false
    var isLoaded = false
    var now = MonotonicTime.zero

    // Work that is done in slices.
    var windows: [TimeWindow?] = Array(repeating: nil, count: NameSharing.pinSlot)
    var pass: DevicePass?
    var nextPass: DevicePass?
    var touched = WorkQueue<Int32>()
    var derivedCount = 0
    var mustShareOut = false
    var mustFindOrphans = false
    /// The profile has one window only: completed devices drop out when this is reached.
    var nextSweep: MonotonicTime?

    // What the registry must be told, by number of the name.
    var changedNames = WorkQueue<Int32>()
    var newNames = WorkQueue<Int32>()
    var removals = WorkQueue<NameRemoval>()
    var writer: RegistryWriterMachine
    var batchAssigned: [(name: Int32, address: Int32)] = []
    var batchRemoved: [Int32] = []
    var publishedCount = 0
    var isInTrouble = false
    var mustClaim = false

    var store = StoreQueue()
    var progressTimers = DeadlineHeap<Int32>()
    var onDemand = OnDemandState.idle
    var holdingAddress = AddressTable.none
    var isWithoutInstance = false
    var phaseCounts = [0, 0, 0]
    var restartedCount = 0

    private var outputs = OutputQueue<BalancerOutput>()

    /// What was seen so far.
    public internal(set) var counters = BalancerCounters()

    /// Creates a balancer without devices and instances; it does nothing before it was told `restored`.
    ///
    /// - Throws: ``BalancerConfiguration/Problem`` when the rules do not go together.
    public init(
        configuration: BalancerConfiguration,
        derivation: NameDerivation
    ) throws(BalancerConfiguration.Problem) {
        try configuration.validate(for: derivation)
        self.configuration = configuration
        self.derivation = derivation
        self.instances = InstanceTable(capacity: configuration.maximumInstances)
        self.sharing = NameSharing(strategy: configuration.strategy, capacity: configuration.maximumInstances)
        self.writer = RegistryWriterMachine(configuration: configuration)
        if let address = configuration.holdingAddress { self.holdingAddress = self.addresses.intern(address) }
    }

    /// Takes one event; what follows from it is queued.
    public mutating func handle(_ event: BalancerEvent, now: MonotonicTime) {
        self.now = max(self.now, now)
        if case .restored(let snapshot) = event {
            self.restore(snapshot)
        } else if self.isRestored {
            self.route(event)
        }
        self.makeBatch()
        if let (id, changes) = self.store.next(now: self.now) { self.emit(.store(id, changes)) }
    }

    private mutating func route(_ event: BalancerEvent) {
        switch event {
        case .restored: break
        case .clockSet(let time): self.setClock(time)
        case .deadlineReached: self.reachDeadlines()
        case .devicesAdded(let devices): for device in devices { self.add(device) }
        case .devicesLoaded: self.finishLoading()
        case .devicesRemoved(let endpoints): for endpoint in endpoints { self.removeDevice(endpoint) }
        case .devicesNeedBootstrap(let endpoints): self.requireBootstrap(of: endpoints)
        case .instanceReported(let instance, let inProgress, let isFirst):
            if isFirst { self.beginAnew(instance.name) }
            self.report(of: instance, inProgress: inProgress)
        case .instanceLost(let name):
            if let number = self.instances[name] { self.lose(number) }
            self.endStart(of: name)
        case .bootstrapNotified(let exchange, let notifications): self.take(notifications, exchange)
        case .pinAsked(let exchange, let endpoint, let host): self.answerPin(exchange, endpoint, host)
        case .holdAsked(let exchange, let endpoint, let host): self.answerHold(exchange, endpoint, host)
        case .instanceStarted(let name): self.instanceStarted(name)
        case .instanceStartFailed: self.instanceStartFailed()
        case .rotationRequested: self.requestPass(sweeps: true)
        case .takeOverRequested: self.perform(self.writer.takeOverRequested(now: self.now))
        case .updateApplied(let update): self.perform(self.writer.applied(update))
        case .updateFailed(let update, let failure):
            self.perform(self.writer.failed(update, failure, now: self.now))
        case .epochRead(let result): self.perform(self.writer.epochRead(result, now: self.now))
        case .namesRead(let result): self.perform(self.writer.namesRead(result, now: self.now))
        case .stored(let id): self.stored(id)
        case .storageFailed(let id):
            if let pause = self.store.failed(id, now: self.now) {
                self.emit(.report(.storageFailed(retry: pause)))
            }
        }
    }

    /// Removes and returns the oldest output; nil when there is none.
    public mutating func nextOutput() -> BalancerOutput? { self.outputs.next() }

    /// When ``BalancerEvent/deadlineReached`` must next be told; nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        mutating get {
            guard self.isRestored else { return nil }
            if self.hasWork { return self.now }
            return [
                self.writer.deadline, self.store.retry, self.progressTimers.earliest(), self.nextWindowChange,
                self.nextSweep, self.nextRemoval, self.nextInstanceDeadline, self.onDemand.deadline,
            ].compactMap { $0 }.min()
        }
    }

    mutating func emit(_ output: BalancerOutput) {
        self.outputs.append(output)
    }

    private mutating func reachDeadlines() {
        self.checkInstances()
        self.checkOnDemand()
        while let device = self.progressTimers.popReached(now: self.now) { self.giveUp(Int(device)) }
        self.perform(self.writer.deadlineReached(now: self.now))
        if let sweep = self.nextSweep, sweep <= self.now {
            self.nextSweep = self.sweepTime
            self.requestPass(sweeps: true)
        }
        if let change = self.nextWindowChange, change <= self.now { self.requestPass(sweeps: false) }
        self.workOneSlice()
    }

    private mutating func stored(_ id: StorageID) {
        guard let done = self.store.stored(id) else { return }
        for exchange in done.acknowledged { self.emit(.acknowledge(exchange)) }
        if done.hasBatch { self.perform(self.writer.stored(now: self.now)) }
    }
}
