public import BootstrapEngine
import CoAPMessages
public import CoAPTransport
public import Primitives
import ServiceStore
public import ServiceSupport

/// A bootstrap server: ``BootstrapEngine`` on real sockets, with what it gave to whom in a file.
///
/// One thread creates and runs it. ``stop()`` may be called from inside ``run()``.
public final class BootstrapServer {
    /// What a server is told once.
    public struct Configuration: Sendable {
        /// Where it listens; at least one address.
        public var addresses: [ListenAddress]
        /// The keys of the devices' bootstrap accounts; `coaps` addresses need some.
        public var keys: DeviceKeys
        /// What devices are told; at least one rule, each with another short server identifier.
        public var rules: [ProvisioningRule]
        /// Whether a device is asked first what it holds.
        public var discoversFirst = true
        /// The SQLite file of the state; nil keeps nothing beyond the process.
        public var statePath: String?
        /// The rules and bounds of the engine.
        public var engine = BootstrapConfiguration()
        /// The settings of the transport.
        public var transport = CoAPTransport.Configuration()
        /// Whether SIGTERM and SIGINT end ``BootstrapServer/run()``.
        public var stopsOnSignals = false

        /// Creates a configuration.
        public init(addresses: [ListenAddress], keys: DeviceKeys, rules: [ProvisioningRule], statePath: String? = nil) {
            self.addresses = addresses
            self.keys = keys
            self.rules = rules
            self.statePath = statePath
            // A device comes once and goes; one that does not say so is forgotten soon.
            self.transport.idleTimeout = .seconds(600)
        }
    }

    private let loop: EventLoop
    private let transport: CoAPTransport
    private let rules: [ProvisioningRule]
    private let discoversFirst: Bool
    private let store: ProvisioningStore?
    private var engine: BootstrapEngine
    private let sessions: ServiceSessions
    private var signals: TerminationSignals?
    private var isStopping = false
    private var isDraining = false

    /// The addresses in use, with the ports that the system chose.
    public private(set) var addresses: [ListenAddress] = []
    /// How often a plan could not be stored; each time a device was refused.
    public private(set) var storageFailures: UInt64 = 0
    /// Told what happens, inside ``run()``; for a log.
    public var onReport: (BootstrapReport) -> Void = { _ in }

    /// Opens the state and the addresses.
    ///
    /// - Throws: what is wrong, for people.
    public init(configuration: Configuration) throws(ServiceError) {
        try Self.check(configuration)
        do {
            self.loop = try EventLoop()
            self.transport = try CoAPTransport(configuration: configuration.transport, loop: self.loop)
        } catch {
            throw ServiceError(error, about: "the server")
        }
        self.sessions = ServiceSessions(transport: self.transport)
        self.rules = configuration.rules
        self.discoversFirst = configuration.discoversFirst
        self.engine = BootstrapEngine(configuration: configuration.engine)
        self.store = try Self.openStore(configuration)
        self.addresses = try self.transport.listen(on: configuration.addresses, keys: configuration.keys)
        if configuration.stopsOnSignals {
            self.signals = try TerminationSignals(loop: self.loop) { [unowned self] in self.stop() }
        }
        self.transport.onEvent = { [unowned self] event in
            if let event = self.sessions.translate(event) { self.tell(.network(event)) }
        }
    }

    private static func check(_ configuration: Configuration) throws(ServiceError) {
        guard !configuration.rules.isEmpty else {
            throw ServiceError("devices would be told of no server", hint: "--server coaps://HOST:PORT")
        }
        let numbers = configuration.rules.map(\.server.shortServerID)
        guard Set(numbers).count == numbers.count, numbers.allSatisfy({ (1...65_534).contains($0) }) else {
            throw ServiceError("two servers have one short identifier, or one that is none", hint: "1 to 65534")
        }
        if configuration.statePath == nil, configuration.rules.contains(where: \.makesKeys) {
            throw ServiceError("keys that are made must be kept", hint: "--state FILE.sqlite")
        }
    }

    private static func openStore(_ configuration: Configuration) throws(ServiceError) -> ProvisioningStore? {
        guard let path = configuration.statePath else { return nil }
        do {
            return try ProvisioningStore(path: path, survivesPowerCut: configuration.rules.contains(where: \.makesKeys))
        } catch {
            throw ServiceError("the state '\(path)' cannot be opened", hint: error.hint)
        }
    }

    /// Counters of the server.
    public var counters: BootstrapCounters { self.engine.counters }

    /// Counters of its transport.
    public var transportCounters: TransportCounters { self.transport.counters }

    /// Serves until ``stop()``.
    public func run() {
        while !self.isStopping { self.turn(until: nil) }
    }

    /// Waits for what happens next, at most until a time, and does what follows: one round of ``run()``.
    public func turn(until limit: MonotonicTime?) {
        if let deadline = self.engine.nextDeadline, deadline <= self.loop.now { self.tell(.deadlineReached) }
        let deadline = self.engine.nextDeadline
        self.loop.turn(until: limit.map { limit in deadline.map { min($0, limit) } ?? limit } ?? deadline)
    }

    /// Ends ``run()`` after the turn that runs.
    public func stop() {
        self.isStopping = true
        self.loop.wake()
    }

    private func tell(_ event: BootstrapEvent) {
        self.engine.handle(event, now: self.loop.now)
        // Sending can fail at once, which tells the engine something more: the outermost call does it all, in order.
        guard !self.isDraining else { return }
        self.isDraining = true
        defer { self.isDraining = false }
        while let output = self.engine.nextOutput() { self.perform(output) }
    }

    private func perform(_ output: BootstrapOutput) {
        switch output {
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
        var servers: [ProvisionedServer] = []
        for rule in self.rules {
            guard let server = rule.server(for: endpoint) else { return .planChosen(procedure, nil) }
            servers.append(server)
        }
        let plan = BootstrapPlan(servers: servers, discoversFirst: self.discoversFirst)
        guard let store = self.store else { return .planChosen(procedure, plan) }
        do {
            try store.save(plan, for: endpoint, keepsKeys: self.rules.contains(where: \.makesKeys))
            return .planChosen(procedure, plan)
        } catch {
            self.storageFailures += 1
            return .planNotStored(procedure)
        }
    }
}
