import CoAPMessages
public import CoAPTransport
public import CommandSessions
import CryptographicHashes
public import GatewayEngine
import Glibc
import LwM2MModel
public import ManagementEngine
import ManagementService
public import Primitives
import ServiceStore
public import ServiceSupport

/// A management server that changes protected paths through command sessions.
///
/// It joins a ``ManagementService``, which knows who is registered and carries operations to devices, with
/// ``GatewayEngine``, which decides what is written and read in a session, and with the store of both.
/// One thread creates and runs it. ``stop()`` may be called from inside ``run()`` or from another thread.
public final class CommandGateway {
    /// What a gateway is told once.
    public struct Configuration: Sendable {
        /// Where it listens; at least one address.
        public var addresses: [ListenAddress]
        /// The keys of the devices; `coaps` addresses need some.
        public var keys: DeviceKeys
        /// The SQLite file of identifiers, commands and audit log; registrations stand in another one beside it.
        ///
        /// Without it a restart begins anew, and devices refuse a gateway that has forgotten their identifiers.
        public var statePath: String?
        /// The path of the control socket; nil for none.
        public var controlPath: String?
        /// The rules and bounds of registrations.
        public var management = ManagementConfiguration()
        /// The rules and bounds of command sessions.
        public var gateway = GatewayConfiguration()
        /// The settings of the transport.
        public var transport = CoAPTransport.Configuration()
        /// Whether SIGTERM and SIGINT end ``CommandGateway/run()``.
        public var stopsOnSignals = false
        /// Whether SIGHUP, besides those, calls ``CommandGateway/onHangUp``; otherwise it ends the process as ever.
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

    let service: ManagementService
    let store: GatewayStore?
    var engine: GatewayEngine
    private var desk: CommandDesk?
    private var lastCommand: UInt64 = 0
    /// How often the state was written, each time with a wait for the disk.
    private(set) var commits: UInt64 = 0

    /// Told what happens to registrations, inside ``run()``; for a log.
    public var onManagementReport: (ManagementReport) -> Void = { _ in }
    /// Told what happens to commands, inside ``run()``; for a log.
    public var onReport: (GatewayReport) -> Void = { _ in }
    /// Told how each command ended, inside ``run()``; for a log.
    public var onOutcome: (GatewayCommandID, UTF8Text, CommandOutcome) -> Void = { _, _, _ in }
    /// Called once per SIGHUP, inside ``run()``, for example to read a policy again.
    public var onHangUp: () -> Void = {}

    /// Opens the state, the addresses and the control socket.
    ///
    /// - Throws: what is wrong, for people.
    public init(configuration: Configuration) throws(ServiceError) {
        var service = ManagementService.Configuration(
            addresses: configuration.addresses,
            keys: configuration.keys,
            statePath: configuration.statePath.map { $0 + "-registrations" },
            controlPath: configuration.controlPath
        )
        service.engine = configuration.management
        service.transport = configuration.transport
        service.stopsOnSignals = configuration.stopsOnSignals
        service.takesHangUp = configuration.takesHangUp
        self.store = try configuration.statePath.map { path throws(ServiceError) in try Self.openStore(path) }
        self.service = try ManagementService(configuration: service)
        self.engine = GatewayEngine(configuration: configuration.gateway, random: .libCrypto)
        try self.restore()
        self.desk = CommandDesk(gateway: self)
        self.service.onReport = { [unowned self] in self.take($0) }
        self.service.onTurn = { [unowned self] now in
            if let deadline = self.engine.nextDeadline, deadline <= now { self.tell(.deadlineReached) }
            self.drain()
            return self.engine.nextDeadline
        }
        self.service.onHangUp = { [unowned self] in self.onHangUp() }
        self.service.onOwnRequest = { [unowned self] in self.desk?.take($0) }
        self.service.ownStatistics = { [unowned self] in self.ownStatistics }
    }

    /// The addresses in use, with the ports that the system chose.
    public var addresses: [ListenAddress] { self.service.addresses }

    /// Counters of commands, registrations and the transport by name; what `starling ctl stats` shows.
    public var statistics: [String: UInt64] { self.service.statistics }

    /// Serves until ``stop()``.
    public func run() { self.service.run() }

    /// Waits for what happens next, at most until a time, and does what follows: one round of ``run()``.
    public func turn(until limit: MonotonicTime?) { self.service.turn(until: limit) }

    /// Takes other rules over, from inside ``run()``: commands that were accepted stay.
    public func adopt(_ breaches: BreachPolicy, _ permissions: PermissionPolicy) {
        self.tell(.policyChanged(breaches))
        self.tell(.permissionsChanged(permissions))
    }

    /// Ends ``run()`` after the turn that runs.
    public func stop() { self.service.stop() }

    // MARK: What happens

    private static func openStore(_ path: String) throws(ServiceError) -> GatewayStore {
        do { return try GatewayStore(path: path) } catch {
            throw ServiceError("the state '\(path)' cannot be opened", hint: error.hint)
        }
    }

    private func restore() throws(ServiceError) {
        guard let store = self.store else { return }
        do throws(StoreError) {
            self.lastCommand = try store.lastCommandID()?.rawValue ?? 0
            self.engine.handle(.restored(try store.all()), now: self.service.loop.now)
        } catch {
            throw ServiceError("the state of the gateway cannot be read", hint: error.hint)
        }
    }

    private func take(_ report: ManagementReport) {
        self.onManagementReport(report)
        switch report {
        case .registered(let endpoint), .updated(let endpoint):
            let status = self.service.status(of: endpoint)
            // Only on a new secured session nothing old can arrive any more: a plain one is whoever sends from there.
            let session = status?.isSecured == true ? status?.session?.rawValue : nil
            self.tell(.deviceAvailable(endpoint: endpoint, securedSession: session))
        case .deregistered(let endpoint), .expired(let endpoint): self.tell(.deviceGone(endpoint: endpoint))
        case .refused: break
        }
    }

    func makeCommandID() -> GatewayCommandID {
        self.lastCommand += 1
        return GatewayCommandID(rawValue: self.lastCommand)
    }

    /// Tells the engine something; what follows is done before the loop waits again.
    func tell(_ event: GatewayEvent) {
        self.engine.handle(event, now: self.service.loop.now)
    }

    /// Does what follows from all that was told since the last time.
    private func drain() {
        while true {
            var outputs: [GatewayOutput] = []
            while let output = self.engine.nextOutput() { outputs.append(output) }
            guard !outputs.isEmpty else { return }
            self.perform(outputs)
        }
    }

    /// Performs outputs in their order, but stores together, and first, whatever they have stored.
    ///
    /// Each commit waits for the disk, so that one for many costs as much as one for each. Nothing is done before what it
    /// depends on is durable; and what is done later than it might have been is as good as a message that was slow.
    private func perform(_ outputs: [GatewayOutput]) {
        var changes: [GatewayChange] = []
        for case .store(_, let some) in outputs { changes += some }
        let isDurable = self.makeDurable(changes)
        for output in outputs { self.perform(output, isDurable: isDurable) }
    }

    private func perform(_ output: GatewayOutput, isDurable: Bool) {
        switch output {
        case .store(let id, _): self.tell(isDurable ? .stored(id) : .storageFailed(id))
        case .write(let id, let endpoint, let path, let bytes):
            let records = [ResourceRecord(path, .opaque(bytes))]
            self.service.perform(.replace(path, records, format: .opaque), at: endpoint) { [unowned self] result in
                self.tell(.operationAnswered(id, OperationAnswer(written: result)))
            }
        case .read(let id, let endpoint, let path):
            self.service.perform(.read(path, accept: .opaque), at: endpoint) { [unowned self] result in
                self.tell(.operationAnswered(id, OperationAnswer(read: result)))
            }
        case .commandAccepted(let id, _): self.desk?.accepted(id)
        case .commandRefused(let id, _, let refusal): self.desk?.refused(id, refusal)
        case .commandFinished(let id, let endpoint, let outcome):
            self.onOutcome(id, endpoint, outcome)
            self.desk?.finished(id, endpoint, outcome)
        case .standingAnswered(let endpoint): self.desk?.settled(endpoint)
        case .sessionResetAnswered(let endpoint, let answer): self.desk?.reset(endpoint, answer)
        case .identifiersAnswered(let endpoint, let answer): self.desk?.identifiersAnswered(endpoint, answer)
        case .report(let report):
            self.onReport(report)
            self.desk?.report(report)
        }
    }

    private func makeDurable(_ changes: [GatewayChange]) -> Bool {
        guard let store = self.store, !changes.isEmpty else { return true }
        do throws(StoreError) {
            try store.apply(changes, at: Self.now)
            self.commits += 1
            return true
        } catch {
            return false
        }
    }

    private static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(secondsSinceEpoch: Int64(time.tv_sec))
    }
}

extension OperationAnswer {
    init(written result: CommandResult) {
        switch result {
        case .answered(let code, _): self = .writeAnswered(code)
        case .failed: self = .unanswered
        }
    }

    init(read result: CommandResult) {
        switch result {
        case .answered(let code, .values(let records)) where code.isSuccess:
            if case .opaque(let bytes)? = records.first?.value {
                self = .readAnswered(bytes)
            } else {
                self = .readAnswered([])
            }
        case .answered(let code, .unreadable(_, let bytes)) where code.isSuccess: self = .readAnswered(bytes)
        case .answered(let code, _): self = code.isSuccess ? .readAnswered([]) : .readRefused(code)
        case .failed: self = .unanswered
        }
    }
}
