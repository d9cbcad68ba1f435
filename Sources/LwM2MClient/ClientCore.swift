internal import ClientEngine
internal import CoAPMessages
internal import CoAPTransport
internal import DeviceRuntime
internal import DeviceStore
internal import Logging
internal import LwM2MModel
internal import NameResolution
internal import Primitives

/// The running half of a client: a runtime with one device, on the executor's thread.
final class ClientCore {
    typealias WriteHandler = @Sendable ([ResourceRecord]) async throws -> Void
    typealias ExecuteHandler = @Sendable ([UInt8]) async throws -> Void

    /// What the core tells its client; called on the thread.
    struct Callbacks {
        let report: (LwM2MClient.Event) -> Void
        let finished: (Result<Void, LwM2MError>) -> Void
        /// Gives an event back to this core from any thread.
        let post: @Sendable (ClientEvent) -> Void
    }

    private let runtime: DeviceRuntime
    private let device: DeviceID
    private let callbacks: Callbacks
    private var stopDeadline: MonotonicTime?
    private var outcome: Result<Void, LwM2MError>?
    private var isFinished = false
    private let loop: EventLoop
    private let stopTimeout: Duration
    var writeHandlers: [ObjectPath: WriteHandler] = [:]
    var executeHandlers: [ObjectPath: ExecuteHandler] = [:]

    init(
        configuration: LwM2MClient.Configuration,
        objects: [HostedObject],
        loop: EventLoop,
        callbacks: Callbacks
    ) throws(LwM2MError) {
        self.loop = loop
        self.callbacks = callbacks
        self.stopTimeout = configuration.stopTimeout
        var client = try configuration.makeClientConfiguration(objects: objects)
        let store = configuration.store.map { DeviceStore(folder: UTF8Text($0)) }
        if let store, let stored = try Self.load(store, configuration) {
            Self.apply(stored, to: &client, role: configuration.role)
        }
        var definitions = ObjectRegistry.standard.definitions
        for object in objects { definitions.append(object.definition) }
        let resolverConfiguration = try configuration.makeResolverConfiguration()
        let transport: CoAPTransport
        do {
            transport = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: loop)
        } catch { throw LwM2MError(error) }
        let resolver: NameResolver
        do {
            resolver = try NameResolver.watched(by: loop, configuration: resolverConfiguration)
        } catch { throw LwM2MError(error) }
        self.runtime = DeviceRuntime(loop: loop, transport: transport, resolver: resolver)
        switch configuration.clock {
        case .system: break
        case .unknown: self.runtime.clock = { nil }
        case .custom(let clock): self.runtime.clock = { clock().map { WallTime(secondsSinceEpoch: $0) } }
        }
        self.device = self.runtime.addDevice(
            client,
            registry: ObjectRegistry(definitions),
            seed: UInt64.random(in: 0...(.max)),
            store: store
        )
        // Unowned: the runtime belongs to this core.
        self.runtime.onReport = { [unowned self] _, report, now in self.take(report, now: now) }
        self.runtime.onExecute = { [unowned self] _, exchange, path, arguments in
            self.execute(exchange, path, arguments)
        }
        self.runtime.onDecideWrite = { [unowned self] _, exchange, records in self.decide(exchange, records) }
    }

    /// A file that cannot be read must not keep a device from its server when the one before it can.
    private static func load(
        _ store: DeviceStore,
        _ configuration: LwM2MClient.Configuration
    ) throws(LwM2MError) -> StoredConfiguration? {
        do throws(DeviceStoreError) {
            return try store.load()
        } catch {
            let previous: StoredConfiguration?
            do throws(DeviceStoreError) { previous = try store.loadPrevious() } catch { previous = nil }
            guard let previous else { throw LwM2MError(error) }
            configuration.logger?.warning("The stored configuration is unusable; the one before it is used: \(error)")
            return previous
        }
    }

    /// Puts stored accounts in place of those of the configuration, unless somebody has changed where that begins.
    ///
    /// Command sessions go on in any case: their gateway knows the identifiers that were stored, and no others.
    private static func apply(
        _ stored: StoredConfiguration,
        to client: inout ClientConfiguration,
        role: LwM2MClient.Configuration.Role
    ) {
        var kept = stored
        switch role {
        case .management:
            // Without a bootstrap server nobody but the configuration changes how the server is reached.
            kept.security = client.security
            kept.profiles = nil
        case .bootstrap:
            let origin = stored.security.first { $0.isBootstrap }
            if let origin, origin.serverURI != client.security.first?.serverURI {
                kept = StoredConfiguration(
                    security: client.security,
                    servers: client.servers,
                    sessions: stored.sessions
                )
            }
        }
        client.apply(kept)
    }

    func start() {
        self.deliver(.started)
    }

    /// Begins to deregister; the core finishes when that is done or its time is over.
    func requestStop() {
        guard self.stopDeadline == nil else { return }
        self.stopDeadline = self.loop.now.advanced(by: self.stopTimeout)
        self.deliver(.stopRequested)
    }

    func deliver(_ event: ClientEvent) {
        self.runtime.deliver(event, to: self.device)
    }

    func value(at path: ObjectPath) -> ResourceValue? {
        self.runtime.value(at: path, of: self.device)
    }

    var bootstrapURI: UTF8Text? { self.runtime.bootstrapURI(of: self.device) }

    func records(below path: ObjectPath) -> [ResourceRecord] {
        self.runtime.records(below: path, of: self.device)
    }

    /// One turn of the loop.
    func turn() {
        guard !self.isFinished else {
            self.loop.turn(until: nil)
            return
        }
        self.runtime.run(until: self.stopDeadline)
        if let deadline = self.stopDeadline, self.outcome == nil, deadline <= self.loop.now {
            self.outcome = .success(())
        }
        if let outcome = self.outcome { self.finish(outcome) }
    }

    private func finish(_ outcome: Result<Void, LwM2MError>) {
        self.isFinished = true
        self.runtime.removeDevice(self.device)
        self.callbacks.finished(outcome)
    }

    private func take(_ report: DeviceReport, now: MonotonicTime) {
        if let event = LwM2MClient.Event(report, now: now) { self.callbacks.report(event) }
        switch report {
        case .client(.stopped): self.outcome = .success(())
        case .client(.bootstrapFailed(.noAccount)): self.outcome = .failure(LwM2MError(BootstrapFailure.noAccount))
        default: break
        }
    }

    private func execute(_ exchange: ExchangeID, _ path: ObjectPath, _ arguments: [UInt8]) {
        guard let handler = self.executeHandlers[path] else {
            self.deliver(.executed(exchange, .methodNotAllowed))
            return
        }
        let post = self.callbacks.post
        Task { @Sendable in
            let code = await Self.code { try await handler(arguments) }
            post(.executed(exchange, code))
        }
    }

    private func decide(_ exchange: ExchangeID, _ records: [ResourceRecord]) {
        // One write may touch several resources; each handler sees what lies at or below its path.
        var asked: [(handler: WriteHandler, records: [ResourceRecord])] = []
        for (path, handler) in self.writeHandlers.sorted(by: { $0.key < $1.key }) {
            let concerned = records.filter { path.contains($0.path) }
            if !concerned.isEmpty { asked.append((handler, concerned)) }
        }
        guard !asked.isEmpty else {
            self.deliver(.writeDecided(exchange, .changed))
            return
        }
        let post = self.callbacks.post
        let questions = asked
        Task { @Sendable in
            let code = await Self.code {
                for question in questions { try await question.handler(question.records) }
            }
            post(.writeDecided(exchange, code))
        }
    }

    private static func code(of body: @Sendable () async throws -> Void) async -> CoAPCode {
        do {
            try await body()
            return .changed
        } catch let refusal as Refusal {
            return refusal.code
        } catch {
            return .internalServerError
        }
    }
}
