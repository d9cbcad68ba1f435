public import BootstrapEngine
import CoAPMessages
public import CoAPTransport
import CryptographicHashes
import LwM2MModel
public import Primitives
import ServiceStore
public import ServiceSupport

/// A bootstrap server: ``BootstrapEngine`` on real sockets, with what it gave to whom in a file.
///
/// One thread creates and runs it. ``stop()`` may be called from inside ``run()``.
public final class BootstrapServer {
    private let configuration: Configuration
    private let loop: EventLoop
    private let transport: CoAPTransport
    private let store: ProvisioningStore?
    private let accounts: DeviceAccounts
    private let balancer: BalancerConnection?
    private var engine: BootstrapEngine
    private let sessions: ServiceSessions
    private var notices = NoticeNumbers()
    private var door: StatisticsDoor?
    private var signals: TerminationSignals?
    private var clockTold: MonotonicTime?
    private var drainEnd: MonotonicTime?
    private var isLeaving = false
    private var isPerforming = false

    /// The addresses in use, with the ports that the system chose.
    public private(set) var addresses: [ListenAddress] = []
    /// Whether ``run()`` has ended, or will with the turn that runs.
    public private(set) var hasEnded = false
    /// How often a plan could not be stored; each time a device was refused.
    public private(set) var storageFailures: UInt64 = 0
    /// Told what happens, inside ``run()``; for a log.
    public var onReport: (BootstrapReport) -> Void = { _ in }
    /// Told how the instance and its balancer get on, inside ``run()``; for a log.
    public var onBalancerReport: (BalancerLinkReport) -> Void = { _ in }
    /// Told at SIGHUP how many devices the database has now, or what is wrong with it; for a log.
    public var onDatabaseRead: (Result<Int, ServiceError>) -> Void = { _ in }

    /// Opens the state and the addresses.
    ///
    /// - Throws: what is wrong, for people.
    public init(configuration: Configuration) throws(ServiceError) {
        try configuration.check()
        do {
            self.loop = try EventLoop()
            self.transport = try CoAPTransport(configuration: configuration.transport, loop: self.loop)
        } catch {
            throw ServiceError(error, about: "the server")
        }
        self.configuration = configuration
        self.sessions = ServiceSessions(transport: self.transport)
        self.accounts = try DeviceAccounts(configuration)
        var engine = configuration.engine
        if let rule = self.accounts.endpointRule { engine.endpointRule = rule }
        if let uris = configuration.temporaryURIs {
            engine.hostRule = HostRule(uris: uris, hashes: .libCrypto)
            engine.hostRule?.asksForPins = configuration.balancer != nil
        }
        self.engine = BootstrapEngine(configuration: engine)
        self.store = try Self.openStore(configuration)
        self.balancer = configuration.balancer.map { [transport, loop] in
            BalancerConnection(link: $0, transport: transport, loop: loop)
        }
        let accounts = self.accounts
        self.addresses = try self.transport.listen(
            on: configuration.addresses,
            key: accounts.hasKeys ? { accounts.keys.key(of: $0) } : nil
        )
        if let path = configuration.controlPath {
            self.door = try StatisticsDoor(path: path, loop: self.loop) { [unowned self] in self.statistics }
        }
        if configuration.stopsOnSignals {
            self.signals = try TerminationSignals(
                loop: self.loop,
                onHangUp: { [unowned self] in self.hangUp() },
                onSignal: { [unowned self] in self.drain() }
            )
        }
        self.transport.onEvent = { [unowned self] event in self.take(event) }
        self.connectBalancer()
    }

    private static func openStore(_ configuration: Configuration) throws(ServiceError) -> ProvisioningStore? {
        guard let path = configuration.statePath else { return nil }
        do {
            return try ProvisioningStore(path: path, survivesPowerCut: configuration.rules.contains(where: \.makesKeys))
        } catch {
            throw ServiceError("the state '\(path)' cannot be opened", hint: error.hint)
        }
    }

    private func connectBalancer() {
        guard let balancer = self.balancer else { return }
        balancer.inProgress = { [unowned self] in self.engine.procedureCount }
        balancer.onPinAnswer = { [unowned self] in self.tell(.pinAnswered($0, isPinned: $1)) }
        balancer.onLeft = { [unowned self] in self.stop() }
        balancer.onReport = { [unowned self] in self.onBalancerReport($0) }
        balancer.start()
    }

    /// How many devices are being served.
    public var proceduresInProgress: Int { self.engine.procedureCount }

    /// Counters of the server.
    public var counters: BootstrapCounters { self.engine.counters }

    /// Counters of its connection to the balancer; zero without one.
    public var balancerCounters: BalancerLinkCounters { self.balancer?.counters ?? BalancerLinkCounters() }

    /// Counters of its transport.
    public var transportCounters: TransportCounters { self.transport.counters }

    /// Serves until ``stop()``.
    public func run() {
        while !self.hasEnded { self.turn(until: nil) }
        self.door?.close()
    }

    /// Waits for what happens next, at most until a time, and does what follows: one round of ``run()``.
    public func turn(until limit: MonotonicTime?) {
        if let deadline = self.engine.nextDeadline, deadline <= self.loop.now { self.tell(.deadlineReached) }
        self.balancer?.turn()
        self.proceedToEnd()
        let deadlines = [limit, self.engine.nextDeadline, self.balancer?.nextDeadline, self.drainEnd]
        self.loop.turn(until: self.hasEnded ? self.loop.now : deadlines.compactMap { $0 }.min())
    }

    /// Ends ``run()`` after the turn that runs.
    public func stop() {
        self.hasEnded = true
        self.loop.wake()
    }

    /// Ends ``run()`` when bootstraps in progress have ended and the balancer knows, or the time for it is over.
    ///
    /// Devices that come meanwhile are told to come again later. Called once more, it does not wait any longer.
    public func drain() {
        guard self.drainEnd == nil else {
            self.stop()
            return
        }
        self.drainEnd = self.loop.now.advanced(by: self.configuration.drainTime)
        self.tell(.drainRequested)
        self.loop.wake()
    }

    private func proceedToEnd() {
        guard let end = self.drainEnd else { return }
        guard self.loop.now < end else {
            self.stop()
            return
        }
        guard self.engine.procedureCount == 0, !self.isLeaving else { return }
        self.isLeaving = true
        if let balancer = self.balancer { balancer.leave() } else { self.stop() }
    }

    /// Reads the database again; what it said before holds on when something is wrong with it.
    ///
    /// - Returns: how many devices it has.
    /// - Throws: what is wrong, for people.
    public func readDatabase() throws(ServiceError) -> Int {
        let count = try self.accounts.readDatabase()
        if let rule = self.accounts.endpointRule { self.tell(.endpointRuleChanged(rule)) }
        return count
    }

    private func hangUp() {
        guard self.configuration.databasePath != nil else { return }
        do throws(ServiceError) {
            self.onDatabaseRead(.success(try self.readDatabase()))
        } catch {
            self.onDatabaseRead(.failure(error))
        }
    }

    private func tell(_ event: BootstrapEvent) {
        self.engine.handle(event, now: self.loop.now)
        // Sending can fail at once, which tells the engine something more: the outermost call does it all, in order.
        guard !self.isPerforming else { return }
        self.isPerforming = true
        defer { self.isPerforming = false }
        while let output = self.engine.nextOutput() { self.perform(output) }
    }

    private func take(_ event: TransportEvent) {
        if self.balancer?.take(event) == true { return }
        guard let event = self.sessions.translate(event) else { return }
        self.tellClock()
        self.tell(.network(event))
    }

    /// The civil clock may have been set meanwhile.
    private func tellClock() {
        let now = self.loop.now
        if let told = self.clockTold, told.duration(to: now) < .seconds(1) { return }
        self.clockTold = now
        self.tell(.clockSet(self.configuration.clock()))
    }

    private func perform(_ output: BootstrapOutput) {
        switch output {
        case .findSecret(let procedure, let endpoint, let identity):
            let secret = self.accounts.secret(of: endpoint, identity: identity)
            self.engine.handle(.secretFound(procedure, secret), now: self.loop.now)
        case .askPin(let procedure, let endpoint, let host):
            let timeout = self.engine.hostRule?.pinTimeout ?? .zero
            self.balancer?.ask(procedure, endpoint: endpoint, host: host, within: timeout)
        case .notify(let procedure, let progress, let endpoint, let host):
            self.balancer?.tell(self.notices.notice(procedure, progress, endpoint: endpoint, host: host))
        case .choosePlan(let procedure, let endpoint, _):
            self.engine.handle(self.choice(for: endpoint, procedure), now: self.loop.now)
        case .sendResponse(let exchange, let response):
            self.sessions.respond(to: exchange, response)
        case .sendRequest(let request, let number, let message):
            if let failure = self.sessions.send(request, on: number, message) {
                self.engine.handle(.network(failure), now: self.loop.now)
            }
        case .report(let report):
            self.onReport(report)
        }
    }

    /// What a device gets, durable before it is delivered; nothing when there is no key for it or nowhere to keep one.
    private func choice(for endpoint: UTF8Text, _ procedure: ProcedureID) -> BootstrapEvent {
        guard let servers = self.accounts.servers(for: endpoint) else { return .planChosen(procedure, nil) }
        let plan = BootstrapPlan(servers: servers, discoversFirst: self.configuration.discoversFirst)
        guard let store = self.store else { return .planChosen(procedure, plan) }
        do {
            try store.save(plan, for: endpoint, keepsKeys: self.configuration.rules.contains(where: \.makesKeys))
            return .planChosen(procedure, plan)
        } catch {
            self.storageFailures += 1
            return .planNotStored(procedure)
        }
    }
}
