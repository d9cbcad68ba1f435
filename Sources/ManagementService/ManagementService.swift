public import CoAPMessages
public import CoAPTransport
import Glibc
public import LwM2MModel
public import ManagementEngine
public import Primitives
import ServiceStore
public import ServiceSupport

/// ``ManagementEngine`` on real sockets, with its registrations in SQLite and its control socket.
///
/// Services that manage devices are made of it. One thread creates and runs it; ``stop()`` may be called from inside
/// ``run()`` or from another thread. What its owner wants to hear is set before the first turn, and is called inside
/// turns.
public final class ManagementService {
    /// What a service is told once.
    public struct Configuration: Sendable {
        /// Where it listens; at least one address.
        public var addresses: [ListenAddress]
        /// The keys of all who may connect; `coaps` addresses need some.
        public var keys: DeviceKeys
        /// The SQLite file of the registrations; nil keeps nothing beyond the process.
        public var statePath: String?
        /// The path of the control socket; nil for none.
        public var controlPath: String?
        /// The rules and bounds of the engine.
        public var engine = ManagementConfiguration()
        /// The settings of the transport.
        public var transport = CoAPTransport.Configuration()
        /// Whether SIGTERM and SIGINT end ``ManagementService/run()``.
        public var stopsOnSignals = false
        /// Whether SIGHUP, besides those, calls ``ManagementService/onHangUp``; otherwise it ends the process as ever.
        public var takesHangUp = false

        /// Creates a configuration.
        public init(addresses: [ListenAddress], keys: DeviceKeys, statePath: String? = nil, controlPath: String? = nil)
        {
            self.addresses = addresses
            self.keys = keys
            self.statePath = statePath
            self.controlPath = controlPath
        }
    }

    private(set) var engine: ManagementEngine
    private let transport: CoAPTransport
    private let sessions: ServiceSessions
    private let store: RegistrationStore?
    private var door: ControlDoor?
    private var signals: TerminationSignals?
    private var completions: [CommandID: (CommandResult) -> Void] = [:]
    private var lastCommand: UInt64 = 0
    private var isStopping = false
    private var isDraining = false
    /// Answers that must not say yes, because what they depend on could not be stored.
    private var failsNextResponse = false

    /// What everything happens on; it tells the time.
    public let loop: EventLoop
    /// The addresses in use, with the ports that the system chose.
    public private(set) var addresses: [ListenAddress] = []
    /// How often the state could not be stored; each time a device was told 5.00.
    public private(set) var storageFailures: UInt64 = 0
    /// Told what happens to registrations; a new one is stored before.
    public var onReport: (ManagementReport) -> Void = { _ in }
    /// Told what happens on sessions before the engine is; an answer keeps a request from the engine.
    public var onEvent: (ServerEvent) -> CoAPResponse? = { _ in nil }
    /// Called before each wait, so that the owner does what is due; says when it must be called next.
    public var onTurn: (_ now: MonotonicTime) -> MonotonicTime? = { _ in nil }
    /// Called once per SIGHUP, inside ``run()``.
    public var onHangUp: () -> Void = {}
    /// Told who asks on the control socket for a verb that only the owner knows, such as `command` or `audit`; nil has
    /// them refused.
    public var onOwnRequest: ((ControlAsker) -> Void)?
    /// The owner's own counters, which ``statistics`` shows beside the others.
    public var ownStatistics: () -> [String: UInt64] = { [:] }

    /// Opens the state, the addresses and the control socket.
    ///
    /// - Throws: what is wrong, for people.
    public init(configuration: Configuration) throws(ServiceError) {
        do {
            try CoAPTransport.checkDescriptorLimit(sessions: 0)
            self.loop = try EventLoop()
            self.transport = try CoAPTransport(configuration: configuration.transport, loop: self.loop)
        } catch {
            throw ServiceError(error, about: "the server")
        }
        self.sessions = ServiceSessions(transport: self.transport)
        self.engine = ManagementEngine(configuration: configuration.engine, registry: .standard, seed: Self.makeSeed())
        self.store = try configuration.statePath.map { path throws(ServiceError) in try Self.openStore(path) }
        if let store = self.store { try self.restore(from: store) }
        self.addresses = try self.transport.listen(on: configuration.addresses, keys: configuration.keys)
        if let path = configuration.controlPath { self.door = try ControlDoor(path: path, service: self) }
        if configuration.stopsOnSignals {
            self.signals = try TerminationSignals(
                loop: self.loop,
                onHangUp: configuration.takesHangUp ? { [unowned self] in self.onHangUp() } : nil,
                onSignal: { [unowned self] in self.stop() }
            )
        }
        self.transport.onEvent = { [unowned self] event in
            if let event = self.sessions.translate(event) { self.take(event) }
        }
    }

    /// Serves until ``stop()``.
    public func run() {
        while !self.isStopping { self.turn(until: nil) }
        self.door?.close()
    }

    /// Waits for what happens next, at most until a time, and does what follows: one round of ``run()``.
    public func turn(until limit: MonotonicTime?) {
        if let deadline = self.engine.nextDeadline, deadline <= self.loop.now { self.tell(.deadlineReached) }
        let ownDeadline = self.onTurn(self.loop.now)
        self.loop.turn(until: [limit, ownDeadline, self.engine.nextDeadline].compactMap { $0 }.min())
    }

    /// Ends ``run()`` after the turn that runs.
    public func stop() {
        self.isStopping = true
        self.loop.wake()
    }

    /// Counters of the service and its transport by name; what `starling ctl stats` shows.
    public var statistics: [String: UInt64] {
        var numbers = Statistics.numbers(self.engine.counters, self.transport.counters)
        numbers["registrations"] = UInt64(self.engine.registrationCount)
        numbers["sessions"] = UInt64(self.sessions.count)
        numbers["storageFailures"] = self.storageFailures
        return numbers.merging(self.ownStatistics()) { _, own in own }
    }

    // MARK: Devices

    /// The definitions that give values their types.
    public var objects: ObjectRegistry { self.engine.objects }

    /// What is known about a registered device; nil when it is not registered.
    public func status(of endpoint: UTF8Text) -> RegistrationStatus? { self.engine.status(of: endpoint) }

    /// Has a device do something, after what others asked of it before.
    ///
    /// - Parameter completion: called once, in a later turn or before this returns; never when the service ends first.
    public func perform(
        _ operation: DeviceOperation,
        at endpoint: UTF8Text,
        completion: @escaping (CommandResult) -> Void
    ) {
        self.lastCommand += 1
        let id = CommandID(rawValue: self.lastCommand)
        self.completions[id] = completion
        self.tell(.commandGiven(id, endpoint: endpoint, operation))
    }

    private func take(_ event: ServerEvent) {
        if let answer = self.onEvent(event), case .requestReceived(let exchange, _, _) = event {
            self.sessions.respond(to: exchange, answer)
        } else {
            self.tell(.network(event))
        }
    }

    /// Tells the engine something and does what follows.
    private func tell(_ event: ManagementEvent) {
        self.engine.handle(event, now: self.loop.now)
        self.drain()
    }

    // MARK: Start

    private static func makeSeed() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    private static func openStore(_ path: String) throws(ServiceError) -> RegistrationStore {
        do { return try RegistrationStore(path: path) } catch {
            throw ServiceError("the state '\(path)' cannot be opened", hint: error.hint)
        }
    }

    private func restore(from store: RegistrationStore) throws(ServiceError) {
        do {
            self.engine.handle(.registrationsRestored(try store.all()), now: self.loop.now)
        } catch {
            throw ServiceError("the state cannot be read", hint: error.hint)
        }
    }

    // MARK: Engine to transport

    private func drain() {
        // Sending can fail at once, which tells the engine something more: the outermost call does it all, in order.
        guard !self.isDraining else { return }
        self.isDraining = true
        defer { self.isDraining = false }
        while let output = self.engine.nextOutput() { self.carryOut(output) }
    }

    private func carryOut(_ output: ManagementOutput) {
        switch output {
        case .store(let change): self.store(change)
        case .sendResponse(let exchange, let response):
            self.sessions.respond(to: exchange, self.failsNextResponse ? CoAPResponse(.internalServerError) : response)
            self.failsNextResponse = false
        case .sendRequest(let request, let number, let message):
            if let failure = self.sessions.send(request, on: number, message) {
                self.engine.handle(.network(failure), now: self.loop.now)
            }
        case .cancelObservation(let request, let number): self.sessions.cancelObservation(request, on: number)
        case .closeSession(let number): self.sessions.close(number)
        case .commandFinished(let id, _, let result): self.completions.removeValue(forKey: id)?(result)
        case .notified, .sent, .observationEnded: self.door?.tell(output)
        case .report(.registered(let endpoint)) where self.failsNextResponse:
            self.engine.handle(.registrationNotStored(endpoint: endpoint), now: self.loop.now)
        case .report(let report):
            self.onReport(report)
            self.door?.tell(output)
        }
    }

    /// Makes a change durable before anything behind it is sent.
    ///
    /// Each change is committed where it stands, so that its answer still goes with the acknowledgement: holding
    /// answers back to commit many at once would make each of them three datagrams instead of one.
    private func store(_ change: RegistrationChange) {
        guard let store = self.store else { return }
        do {
            try store.apply([change])
        } catch {
            self.storageFailures += 1
            // An end that was not stored comes back at the next start and expires; a beginning must not be promised.
            if case .saved = change { self.failsNextResponse = true }
        }
    }
}
