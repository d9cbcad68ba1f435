internal import CoAPMessages
public import LwM2MModel
public import Primitives

/// A management server: registrations of many devices, commands to them and what they report.
///
/// Pure: the driver tells it what happened and performs what ``nextOutput()`` asks for, in that order. Same events
/// and seed, same outputs. It knows sessions by number and the identity that each proved; what an identity may do is
/// decided by ``EndpointRule``.
public struct ManagementEngine: Sendable {
    enum Timer: Hashable, Sendable {
        case expiry(Int)
        case command(Int)
    }

    /// A session and the devices that were last heard on it.
    struct Session: Sendable {
        let identity: [UInt8]?
        var devices: [Int] = []
    }

    enum RequestOwner: Sendable {
        case command(Int)
        case observation(Int)
    }

    let configuration: ManagementConfiguration
    let registry: ObjectRegistry
    var generator: SeededGenerator

    /// Devices by slot; an empty slot waits in `freeSlots`.
    var devices: [DeviceRecord?] = []
    var freeSlots: [Int] = []
    var slotsByEndpoint: [UTF8Text: Int] = [:]
    var slotsByLocation: [UTF8Text: Int] = [:]
    var sessions: [SessionID: Session] = [:]
    var requests: [RequestID: RequestOwner] = [:]
    var timers = DeadlineHeap<Timer>()
    private var lastRequest: UInt32 = 0

    private var outputs = OutputQueue<ManagementOutput>()

    /// What was seen so far.
    public internal(set) var counters = ManagementCounters()

    /// Creates a server without registrations.
    ///
    /// - Parameters:
    ///   - configuration: rules and bounds.
    ///   - registry: gives the values of payloads their types.
    ///   - seed: of the registrations' locations, which should be hard to guess where sessions are not secured.
    public init(configuration: ManagementConfiguration, registry: ObjectRegistry, seed: UInt64) {
        self.configuration = configuration
        self.registry = registry
        self.generator = SeededGenerator(seed: seed)
    }

    /// Takes one event; what follows from it is queued.
    public mutating func handle(_ event: ManagementEvent, now: MonotonicTime) {
        switch event {
        case .registrationsRestored(let registrations):
            for registration in registrations { self.restore(registration, now: now) }
        case .registrationNotStored(let endpoint):
            if let slot = self.slotsByEndpoint[endpoint] { self.removeDevice(slot, keepsWaitingCommands: false) }
        case .network(let event):
            self.take(event, now: now)
        case .commandGiven(let id, let endpoint, let operation):
            self.give(id, endpoint, operation, now: now)
        case .deadlineReached:
            self.reachDeadlines(now: now)
        }
    }

    private mutating func take(_ event: ServerEvent, now: MonotonicTime) {
        switch event {
        case .sessionAccepted(let session, let identity, _):
            // The same number again is a new association: nothing of the old one holds.
            self.closeSession(session)
            self.sessions[session] = Session(identity: identity)
        case .sessionClosed(let session):
            self.closeSession(session)
        case .requestReceived(let exchange, let session, let request):
            self.serve(exchange, session, request, now: now)
        case .responseReceived(let request, let response):
            self.take(response, to: request, now: now)
        case .requestFailed(let request, let failure):
            self.fail(request, failure, now: now)
        }
    }

    /// Removes and returns the oldest output; nil when there is none.
    public mutating func nextOutput() -> ManagementOutput? { self.outputs.next() }

    /// When ``ManagementEvent/deadlineReached`` must next be told; nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        mutating get { self.timers.earliest() }
    }

    /// The definitions that give values their types.
    public var objects: ObjectRegistry { self.registry }

    /// How many devices are registered.
    public var registrationCount: Int { self.slotsByEndpoint.count }

    /// What is known about a registered device; nil when it is not registered.
    public func status(of endpoint: UTF8Text) -> RegistrationStatus? {
        self.slotsByEndpoint[endpoint].flatMap { self.status(at: $0) }
    }

    /// Lists registered devices page by page, in no special order.
    ///
    /// - Parameters:
    ///   - cursor: 0 at first, then what the last page returned.
    ///   - limit: the most devices of a page; at least 1.
    /// - Returns: the page, and the cursor of the next one; nil behind the last.
    public func registrations(from cursor: Int, limit: Int) -> (page: [RegistrationStatus], next: Int?) {
        var page: [RegistrationStatus] = []
        var slot = max(cursor, 0)
        while slot < self.devices.count, page.count < limit {
            if let status = self.status(at: slot) { page.append(status) }
            slot += 1
        }
        return (page, slot < self.devices.count ? slot : nil)
    }

    private func status(at slot: Int) -> RegistrationStatus? {
        guard let device = self.devices[slot] else { return nil }
        return RegistrationStatus(
            registration: device.registration,
            expires: device.expires,
            lastHeard: device.renewed,
            session: device.session,
            pendingCommands: device.queue.count,
            observations: device.observations.map(\.path)
        )
    }

    mutating func emit(_ output: ManagementOutput) {
        self.outputs.append(output)
    }

    mutating func makeRequestID() -> RequestID {
        repeat { self.lastRequest &+= 1 } while self.requests[RequestID(rawValue: self.lastRequest)] != nil
        return RequestID(rawValue: self.lastRequest)
    }

    private mutating func reachDeadlines(now: MonotonicTime) {
        while let timer = self.timers.popReached(now: now) {
            switch timer {
            case .expiry(let slot): self.expire(slot, now: now)
            case .command(let slot): self.dropExpiredCommands(slot, now: now)
            }
        }
    }

    /// Lets a session go that no device uses any more, so that devices that come back from elsewhere leave nothing.
    mutating func releaseSession(_ session: SessionID) {
        guard let known = self.sessions[session], known.devices.isEmpty else { return }
        self.sessions[session] = nil
        self.emit(.closeSession(session))
    }

    private mutating func closeSession(_ session: SessionID) {
        guard let closed = self.sessions.removeValue(forKey: session) else { return }
        for slot in closed.devices {
            self.devices[slot]?.session = nil
            self.endObservations(of: slot, .sessionClosed)
        }
    }
}
