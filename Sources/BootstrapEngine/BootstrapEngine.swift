internal import CoAPMessages
internal import LwM2MModel
public import Primitives

/// A bootstrap server: takes Bootstrap-Requests and gives every device what its plan says.
///
/// Pure: the driver tells it what happened, decides the plans, and performs what ``nextOutput()`` asks for, in that
/// order. Same events, same outputs.
/// - Source: LwM2M Core 1.2.2, clause 6.1.
public struct BootstrapEngine: Sendable {
    struct Procedure: Sendable {
        let endpoint: UTF8Text
        let identity: [UInt8]?
        let session: SessionID
        let format: ContentFormat
        let address: RequestedAddress
        /// Whether the device was being served under the same address when it asked.
        let isKnownHere: Bool
        let since: MonotonicTime
        /// Why its host is refused, unless the balancer keeps it.
        var doubt: BootstrapRefusal?
        /// The Bootstrap-Request, until it is answered.
        var exchange: ExchangeID?
        var machine: BootstrapProcedure?
        var request: RequestID?
    }

    struct Session: Sendable {
        let identity: [UInt8]?
        let serverName: UTF8Text?
        var procedure: ProcedureID?
    }

    var configuration: BootstrapConfiguration
    var sessions: [SessionID: Session] = [:]
    var procedures: [ProcedureID: Procedure] = [:]
    private var requests: [RequestID: ProcedureID] = [:]
    var timers = DeadlineHeap<ProcedureID>()
    var lastProcedure: UInt64 = 0
    private var lastRequest: UInt32 = 0
    var questions = 0
    var isDraining = false
    /// The civil time that was told last, and when.
    var clock: (time: WallTime, at: MonotonicTime)?
    private var outputs = OutputQueue<BootstrapOutput>()

    /// What was seen so far.
    public internal(set) var counters = BootstrapCounters()

    /// Creates a server that serves nobody yet.
    public init(configuration: BootstrapConfiguration = BootstrapConfiguration()) {
        self.configuration = configuration
    }

    /// Which hosts devices may have asked for; nil when they may ask for any.
    public var hostRule: HostRule? { self.configuration.hostRule }

    /// How many devices are being served.
    public var procedureCount: Int { self.procedures.count }

    /// When ``BootstrapEvent/deadlineReached`` must next be told; nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        mutating get { self.timers.earliest() }
    }

    /// Removes and returns the oldest output; nil when there is none.
    public mutating func nextOutput() -> BootstrapOutput? { self.outputs.next() }

    /// Takes one event; what follows from it is queued.
    public mutating func handle(_ event: BootstrapEvent, now: MonotonicTime) {
        switch event {
        case .network(let event):
            self.take(event, now: now)
        case .planChosen(let procedure, let plan):
            self.begin(procedure, plan, now: now)
        case .planNotStored(let procedure):
            self.refuse(procedure, .notStored)
        case .secretFound(let procedure, let secret):
            self.judge(procedure, secret, now: now)
        case .pinAnswered(let procedure, let isPinned):
            self.settle(procedure, isPinned: isPinned, now: now)
        case .endpointRuleChanged(let rule):
            self.configuration.endpointRule = rule
        case .clockSet(let time):
            self.clock = (time, now)
        case .drainRequested:
            self.isDraining = true
        case .deadlineReached:
            while let procedure = self.timers.popReached(now: now) { self.failStep(of: procedure, .timedOut) }
        }
    }

    private mutating func take(_ event: ServerEvent, now: MonotonicTime) {
        switch event {
        case .sessionAccepted(let session, let identity, let serverName):
            self.sessions[session] = Session(identity: identity, serverName: serverName)
        case .sessionClosed(let session):
            if let procedure = self.sessions.removeValue(forKey: session)?.procedure {
                self.fail(procedure, .sessionClosed)
            }
        case .requestReceived(let exchange, let session, let request):
            self.serve(exchange, session, request, now: now)
        case .responseReceived(let request, let response):
            guard let procedure = self.requests.removeValue(forKey: request) else { return }
            self.procedures[procedure]?.request = nil
            if let action = self.procedures[procedure]?.machine?.take(response) {
                self.perform(action, procedure, now: now)
            }
        case .requestFailed(let request, let failure):
            guard let procedure = self.requests[request] else { return }
            self.failStep(of: procedure, failure)
        }
    }

    // MARK: Procedures

    private mutating func begin(_ id: ProcedureID, _ plan: BootstrapPlan?, now: MonotonicTime) {
        guard let procedure = self.procedures[id], let exchange = procedure.exchange, procedure.doubt == nil else {
            return
        }
        guard let plan else {
            self.refuse(id, .unknownEndpoint)
            return
        }
        var machine = BootstrapProcedure(plan: plan, format: procedure.format)
        let action = machine.begin()
        self.procedures[id]?.exchange = nil
        self.procedures[id]?.machine = machine
        self.counters.started += 1
        self.notify(id, .started, of: procedure)
        self.emit(.sendResponse(exchange, CoAPResponse(.changed)))
        self.emit(.report(.started(endpoint: procedure.endpoint)))
        self.perform(action, id, now: now)
    }

    /// Refuses a request that waits for its plan.
    mutating func refuse(_ id: ProcedureID, _ refusal: BootstrapRefusal) {
        guard let procedure = self.procedures[id], let exchange = procedure.exchange else { return }
        self.remove(id)
        self.refuse(exchange, procedure.session, endpoint: procedure.endpoint, refusal)
    }

    private mutating func notify(_ id: ProcedureID, _ progress: BootstrapProgress, of procedure: Procedure) {
        guard self.configuration.hostRule != nil, let host = procedure.address.host else { return }
        self.emit(.notify(id, progress, endpoint: procedure.endpoint, host: host))
    }

    private mutating func perform(_ action: BootstrapProcedure.Action, _ id: ProcedureID, now: MonotonicTime) {
        guard let procedure = self.procedures[id] else { return }
        switch action {
        case .send(_, let message):
            repeat { self.lastRequest &+= 1 } while self.requests[RequestID(rawValue: self.lastRequest)] != nil
            let request = RequestID(rawValue: self.lastRequest)
            self.requests[request] = id
            self.procedures[id]?.request = request
            self.timers.set(now.advanced(by: self.configuration.stepTimeout), for: id)
            self.emit(.sendRequest(request, procedure.session, message))
        case .finished:
            self.remove(id)
            self.counters.finished += 1
            self.notify(id, .completed, of: procedure)
            self.emit(.report(.finished(endpoint: procedure.endpoint, since: procedure.since)))
        case .fail(let failure):
            self.fail(id, failure)
        }
    }

    private mutating func failStep(of id: ProcedureID, _ failure: RequestFailure) {
        guard let procedure = self.procedures[id] else { return }
        if let machine = procedure.machine {
            self.fail(id, .unreachable(machine.step, failure))
        } else if let doubt = procedure.doubt {
            self.counters.unansweredPins += 1
            self.refuse(id, doubt)
        } else {
            // Nobody chose a plan in time.
            self.refuse(id, .busy)
        }
    }

    mutating func fail(_ id: ProcedureID, _ failure: BootstrapServerFailure) {
        guard let procedure = self.procedures[id] else { return }
        self.remove(id)
        switch failure {
        case .refused, .encoding: self.counters.refusedByDevice += 1
        case .unreachable(_, .sessionClosed), .sessionClosed, .restarted: self.counters.abandoned += 1
        case .unreachable: self.counters.timedOut += 1
        }
        if let exchange = procedure.exchange { self.emit(.sendResponse(exchange, CoAPResponse(.serviceUnavailable))) }
        if procedure.machine != nil { self.notify(id, .failed, of: procedure) }
        self.emit(.report(.failed(endpoint: procedure.endpoint, failure)))
    }

    private mutating func remove(_ id: ProcedureID) {
        guard let procedure = self.procedures.removeValue(forKey: id) else { return }
        if let request = procedure.request { self.requests[request] = nil }
        if procedure.doubt != nil { self.questions -= 1 }
        if self.sessions[procedure.session]?.procedure == id { self.sessions[procedure.session]?.procedure = nil }
        self.timers.set(nil, for: id)
    }

    mutating func emit(_ output: BootstrapOutput) {
        self.outputs.append(output)
    }
}
