import BootstrapURIs
import CoAPMessages
import CommandSessions
public import LwM2MModel
public import Primitives

/// One device: bootstrap, registration with any number of servers, device management and reporting.
///
/// Pure: the driver tells it what happened and performs what ``nextOutput()`` asks for. Same events and seed, same
/// outputs. The engine only routes: an event goes to the machine that it concerns, the machine's action becomes
/// outputs, and what one part learns (a write to the Server object, a finished bootstrap) is told to the others.
///
///     sessionOpened, responseReceived … ─▶ RegistrationMachine (one a server) ─┐
///                                       ─▶ BootstrapMachine                    ├─▶ outputs
///     requestReceived ─▶ ManagementRequest ─▶ DeviceTree ── changes ──▶ ObservationMachine (one an observation)
public struct ClientEngine: Sendable {
    /// What the whole device is doing.
    enum Phase: Sendable {
        case idle
        case running
        case stopping
        case stopped
    }

    let endpoint: UTF8Text?
    let version: EnablerVersion
    let preferredFormat: ContentFormat
    let confirmsNotifications: Bool
    let hashes: HashFunctions?
    var registry: ObjectRegistry
    var generator: SeededGenerator
    var phase: Phase = .idle
    var tree: DeviceTree
    var connections: [ServerConnection] = []
    var bootstrap = BootstrapProcedure()
    var pending: [PendingExchange] = []
    // An array of at most one: its absence takes a device without command sessions one word.
    private var sessionParts: [CommandSessionPart]
    /// Seconds since the epoch when the clock of the driver began; nil until the civil time is known.
    var clockStart: Int64?
    private var outputs: [ClientOutput] = []
    private var nextOutputIndex = 0
    private var lastRequest: UInt32 = 0
    private var lastStorage: UInt32 = 0
    private var lastSession: UInt8 = 0
    private var lastObservation: UInt16 = 0

    /// Creates a device that has not started.
    ///
    /// - Parameters:
    ///   - configuration: who it is and what it has.
    ///   - registry: the definitions of objects 0 and 1 and of whatever payloads name.
    ///   - seed: of the jitter; devices of a fleet need different ones.
    ///   - hashes: what temporary bootstrap URIs are derived with; nil for a device that never has any.
    ///   - random: what the identifiers of command sessions are drawn from; nil for a device that never has any.
    public init(
        configuration: ClientConfiguration,
        registry: ObjectRegistry,
        seed: UInt64,
        hashes: HashFunctions? = nil,
        random: RandomSource? = nil
    ) {
        self.endpoint = configuration.endpoint
        self.version = configuration.enablerVersion
        self.preferredFormat =
            configuration.preferredFormat ?? (configuration.enablerVersion == .v1_0 ? .tlv : .senMLCBOR)
        self.confirmsNotifications = configuration.confirmsNotifications
        self.hashes = hashes
        self.sessionParts = random.map { [CommandSessionPart(random: $0)] } ?? []
        self.bootstrap.machine = BootstrapMachine(finishTimeout: configuration.bootstrapTimeout)
        var registry = registry.including(configuration.objects)
        if configuration.profileInstances != nil {
            registry = registry.includingProfiles(configuration.ownObjectIDs)
        }
        let sessions = configuration.sessions
        if sessions != nil { registry = registry.includingSessions(configuration.ownObjectIDs) }
        self.registry = registry
        self.generator = SeededGenerator(seed: seed)
        self.tree = DeviceTree(configuration: configuration, registry: registry)
        for session in sessions ?? [] {
            guard let policy = self.tree.sessionPolicy(of: session.instance) else { continue }
            self.sessions.append(
                CommandSessionHost(instance: session.instance.id, policy: policy, record: session.record)
            )
        }
        self.showSessions()
    }

    /// Takes one event; what follows from it is queued.
    public mutating func handle(_ event: ClientEvent, now: MonotonicTime) {
        // Before the event: a message that comes after its session's timeout is late, whether a deadline was told or not.
        self.endLateSessions(now: now)
        switch event {
        case .started: self.start(now: now)
        case .deadlineReached: break
        case .stopRequested: self.stop(now: now)
        case .clockSet(let time): self.setClock(time, now: now)
        case .clockLost: self.loseClock(now: now)
        case .sessionOpened(let session, let address): self.sessionOpened(session, at: address, now: now)
        case .peerMoved(let session, let address):
            if let index = self.connections.firstIndex(where: { $0.session == session }) {
                self.connections[index].peerAddress = address
            }
        case .sessionClosed(let session, let failure): self.sessionClosed(session, failure, now: now)
        case .requestReceived(let exchange, let session, let request, let token):
            self.serve(request, exchange: exchange, session: session, token: token, now: now)
        case .responseReceived(let request, let response): self.answered(request, response, now: now)
        case .requestFailed(let request, let failure): self.unanswered(request, failure, now: now)
        case .notificationAcknowledged(let notification): self.acknowledged(notification, now: now)
        case .notificationFailed(let notification, let failure):
            self.notificationFailed(notification, failure, now: now)
        case .valueSet(let records): self.set(records, now: now)
        case .valueRemoved(let path): self.removeValue(path)
        case .instanceAdded(let object, let instance, let records):
            self.addInstance(object, instance, records, now: now)
        case .instanceRemoved(let path): self.removeInstance(path, now: now)
        case .objectAdded(let object): self.addObject(object, now: now)
        case .executed(let exchange, let code): self.executed(exchange, code)
        case .writeDecided(let exchange, let code): self.writeDecided(exchange, code, now: now)
        case .stored(let storage): self.stored(storage, now: now)
        case .storageFailed(let storage): self.storageFailed(storage, now: now)
        case .updateRequested(let shortServerID): self.requestUpdate(shortServerID, now: now)
        }
        self.settle(now: now)
    }

    /// Removes and returns the oldest output; nil when there is none.
    public mutating func nextOutput() -> ClientOutput? {
        guard self.nextOutputIndex < self.outputs.count else { return nil }
        let output = self.outputs[self.nextOutputIndex]
        self.nextOutputIndex += 1
        if self.nextOutputIndex == self.outputs.count {
            // An idle device of a fleet keeps no memory for outputs.
            self.outputs = []
            self.nextOutputIndex = 0
        }
        return output
    }

    /// When ``ClientEvent/deadlineReached`` must next be told; nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        var earliest = self.bootstrap.machine.nextDeadline
        if let search = self.bootstrap.search {
            for case let deadline? in [search.names.nextDeadline, search.prepared?.until] {
                earliest = min(earliest ?? deadline, deadline)
            }
        }
        for session in self.sessions {
            if let deadline = session.machine.nextDeadline { earliest = min(earliest ?? deadline, deadline) }
        }
        for connection in self.connections {
            if let deadline = connection.nextDeadline(now: self.settledAt) {
                earliest = min(earliest ?? deadline, deadline)
            }
        }
        return earliest
    }

    /// The value of a resource or resource instance; nothing of object 0.
    public func value(at path: ObjectPath) -> ResourceValue? { self.tree.value(at: path) }

    /// Every value at or below a path; nothing of object 0.
    public func records(below path: ObjectPath) -> [ResourceRecord] { self.tree.records(below: path) }

    /// When the last event was handled.
    private(set) var settledAt: MonotonicTime = .zero

    // MARK: For the parts

    /// The command sessions with each gateway.
    var sessions: [CommandSessionHost] {
        get { self.sessionParts.first?.hosts ?? [] }
        set {
            if self.sessionParts.isEmpty {
                guard !newValue.isEmpty else { return }
                self.sessionParts = [CommandSessionPart(random: nil)]
            }
            self.sessionParts[0].hosts = newValue
        }
    }

    /// Draws the device's identifier of a session.
    mutating func makeSessionIdentifier() -> SessionIdentifier? {
        guard var random = self.sessionParts.first?.random else { return nil }
        let identifier = SessionIdentifier(from: &random)
        self.sessionParts[0].random = random
        return identifier
    }

    mutating func put(_ output: ClientOutput) { self.outputs.append(output) }

    mutating func report(_ report: ClientReport) { self.outputs.append(.report(report)) }

    mutating func makeRequestID() -> RequestID {
        self.lastRequest &+= 1
        return RequestID(rawValue: self.lastRequest)
    }

    mutating func makeStorageID() -> StorageID {
        self.lastStorage &+= 1
        return StorageID(rawValue: self.lastStorage)
    }

    /// A session number that no open session has; below 256, so that it fits beside a device's index in one number.
    mutating func makeSessionID() -> SessionID {
        repeat {
            self.lastSession &+= 1
        } while self.isInUse(SessionID(rawValue: UInt32(self.lastSession)))
        return SessionID(rawValue: UInt32(self.lastSession))
    }

    mutating func makeObservationKey() -> UInt16 {
        repeat {
            self.lastObservation &+= 1
        } while self.connections.contains { $0.observations.contains { $0.key == self.lastObservation } }
        return self.lastObservation
    }

    private func isInUse(_ session: SessionID) -> Bool {
        self.bootstrap.session == session || self.connections.contains { $0.session == session }
    }

    mutating func jitter() -> Double { self.generator.nextUnitInterval() }

    // MARK: The device as a whole

    private mutating func start(now: MonotonicTime) {
        guard self.phase == .idle || self.phase == .stopped else { return }
        self.phase = .running
        self.prepareBootstrapURI(isChanged: true, now: now)
        self.startRegistrations(now: now)
        guard self.connections.isEmpty else { return }
        if let account = self.tree.bootstrapAccount {
            self.startBootstrap(account, now: now)
        } else {
            self.report(.bootstrapFailed(.noAccount))
        }
    }

    private mutating func stop(now: MonotonicTime) {
        guard self.phase == .running || self.phase == .idle else { return }
        self.phase = .stopping
        self.abandonBootstrap()
        for index in self.connections.indices {
            self.perform(self.connections[index].registration.stop(), on: index, now: now)
        }
    }

    /// Does everything that is due, until nothing is.
    private mutating func settle(now: MonotonicTime) {
        self.settledAt = max(self.settledAt, now)
        guard self.phase == .running || self.phase == .stopping else { return }
        if let deadline = self.bootstrap.machine.nextDeadline, deadline <= now {
            let jitter = self.jitter()
            self.perform(self.bootstrap.machine.deadlineReached(jitter: jitter, now: now), now: now)
        }
        self.search(now: now) { $0.deadlineReached(now: now) }
        if let until = self.bootstrap.search?.prepared?.until, until <= now {
            self.prepareBootstrapURI(isChanged: false, now: now)
        }
        var index = 0
        // A bootstrap that begins meanwhile empties the list.
        while index < self.connections.count {
            let action = self.connections[index].registration.deadlineReached(now: now)
            self.perform(action, on: index, now: now)
            if index < self.connections.count { self.notifyDue(on: index, now: now) }
            index += 1
        }
        if self.phase == .stopping, self.connections.allSatisfy({ $0.registration.hasStopped }) {
            self.connections = []
            self.phase = .stopped
            self.report(.stopped)
        }
    }

    private mutating func sessionOpened(_ session: SessionID, at address: IPAddress?, now: MonotonicTime) {
        if self.bootstrap.session == session {
            self.perform(self.bootstrap.machine.sessionOpened(now: now), now: now)
        } else if let index = self.connections.firstIndex(where: { $0.session == session }) {
            self.connections[index].isOpen = true
            self.connections[index].peerAddress = address
            self.perform(self.connections[index].registration.sessionOpened(now: now), on: index, now: now)
        }
    }

    private mutating func sessionClosed(_ session: SessionID, _ failure: SessionFailure, now: MonotonicTime) {
        if self.bootstrap.session == session {
            self.bootstrap.session = nil
            self.bootstrapLost(.session(failure), now: now)
        } else if let index = self.connections.firstIndex(where: { $0.session == session }) {
            self.sessionLost(on: index, failure, now: now)
        }
    }

    private mutating func answered(_ request: RequestID, _ response: CoAPResponse, now: MonotonicTime) {
        if self.bootstrap.request == request {
            self.bootstrapAnswered(response, now: now)
        } else if let index = self.connections.firstIndex(where: { $0.request == request }) {
            self.registrationAnswered(response, on: index, now: now)
        }
    }

    private mutating func unanswered(_ request: RequestID, _ failure: RequestFailure, now: MonotonicTime) {
        if self.bootstrap.request == request {
            self.bootstrap.request = nil
            self.bootstrapLost(.request(failure), now: now)
        } else if let index = self.connections.firstIndex(where: { $0.request == request }) {
            self.registrationUnanswered(failure, on: index, now: now)
        }
    }
}

extension ObjectRegistry {
    /// The registry with the definitions of hosted objects that it lacks; itself, shared, when it lacks none.
    func including(_ objects: [HostedObject]) -> ObjectRegistry {
        let missing = objects.filter { self.object($0.definition.id)?.resources != $0.definition.resources }
        return missing.isEmpty ? self : ObjectRegistry(self.definitions + missing.map { $0.definition })
    }

    /// The registry with the definition of the profile object; itself, shared, when it has one.
    func includingProfiles(_ ids: OwnObjectIDs) -> ObjectRegistry {
        guard self.object(ids.bootstrapURIProfile) == nil else { return self }
        return ObjectRegistry(self.definitions + [BootstrapURIProfile.objectDefinition(ids: ids)])
    }

    /// The registry with the definition of the Command Session object; itself, shared, when it has one.
    func includingSessions(_ ids: OwnObjectIDs) -> ObjectRegistry {
        guard self.object(ids.commandSession) == nil else { return self }
        return ObjectRegistry(self.definitions + [SessionPolicy.objectDefinition(ids: ids)])
    }
}
