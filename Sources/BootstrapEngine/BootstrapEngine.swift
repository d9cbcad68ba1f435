internal import CoAPMessages
internal import LwM2MModel
public import Primitives

/// A bootstrap server: takes Bootstrap-Requests and gives every device what its plan says.
///
/// Pure: the driver tells it what happened, decides the plans, and performs what ``nextOutput()`` asks for, in that
/// order. Same events, same outputs.
/// - Source: LwM2M Core 1.2.2, clause 6.1.
public struct BootstrapEngine: Sendable {
    private struct Procedure: Sendable {
        let endpoint: UTF8Text
        let session: SessionID
        let format: ContentFormat
        let since: MonotonicTime
        /// The Bootstrap-Request, until it is answered.
        var exchange: ExchangeID?
        var machine: BootstrapProcedure?
        var request: RequestID?
    }

    private struct Session: Sendable {
        let identity: [UInt8]?
        var procedure: ProcedureID?
    }

    private let configuration: BootstrapConfiguration
    private var sessions: [SessionID: Session] = [:]
    private var procedures: [ProcedureID: Procedure] = [:]
    private var requests: [RequestID: ProcedureID] = [:]
    private var timers = DeadlineHeap<ProcedureID>()
    private var lastProcedure: UInt64 = 0
    private var lastRequest: UInt32 = 0
    private var outputs: [BootstrapOutput] = []
    private var outputHead = 0

    /// What was seen so far.
    public private(set) var counters = BootstrapCounters()

    /// Creates a server that serves nobody yet.
    public init(configuration: BootstrapConfiguration = BootstrapConfiguration()) {
        self.configuration = configuration
    }

    /// How many devices are being served.
    public var procedureCount: Int { self.procedures.count }

    /// When ``BootstrapEvent/deadlineReached`` must next be told; nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        mutating get { self.timers.earliest() }
    }

    /// Removes and returns the oldest output; nil when there is none.
    public mutating func nextOutput() -> BootstrapOutput? {
        guard self.outputHead < self.outputs.count else {
            if self.outputHead > 0 {
                self.outputs.removeAll(keepingCapacity: self.outputs.count <= 1024)
                self.outputHead = 0
            }
            return nil
        }
        self.outputHead += 1
        return self.outputs[self.outputHead - 1]
    }

    /// Takes one event; what follows from it is queued.
    public mutating func handle(_ event: BootstrapEvent, now: MonotonicTime) {
        switch event {
        case .network(let event):
            self.take(event, now: now)
        case .planChosen(let procedure, let plan):
            self.begin(procedure, plan, now: now)
        case .planNotStored(let procedure):
            self.refuse(procedure, .notStored)
        case .deadlineReached:
            while let procedure = self.timers.popReached(now: now) { self.failStep(of: procedure, .timedOut) }
        }
    }

    private mutating func take(_ event: ServerEvent, now: MonotonicTime) {
        switch event {
        case .sessionAccepted(let session, let identity, _):
            self.sessions[session] = Session(identity: identity)
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

    // MARK: Requests

    private mutating func serve(
        _ exchange: ExchangeID,
        _ session: SessionID,
        _ request: CoAPRequest,
        now: MonotonicTime
    ) {
        do throws(BootstrapRequest.Refusal) {
            guard let known = self.sessions[session] else { throw .busy }
            let parameters = try BootstrapRequest(request)
            let endpoint: UTF8Text
            do {
                endpoint = try self.configuration.endpointRule.endpoint(
                    named: parameters.endpoint,
                    identity: known.identity
                )
            } catch {
                throw error == .mismatch ? .mismatch : .malformed
            }
            // A device that asks again has given up what was under way.
            if let before = known.procedure { self.fail(before, .restarted) }
            guard self.procedures.count < self.configuration.maximumProcedures else { throw .busy }
            self.lastProcedure += 1
            let id = ProcedureID(rawValue: self.lastProcedure)
            self.procedures[id] = Procedure(
                endpoint: endpoint,
                session: session,
                format: parameters.format,
                since: now,
                exchange: exchange
            )
            self.sessions[session]?.procedure = id
            self.timers.set(now.advanced(by: self.configuration.stepTimeout), for: id)
            self.emit(.choosePlan(id, endpoint: endpoint, identity: known.identity))
        } catch {
            self.refuse(exchange, session, error)
        }
    }

    private mutating func refuse(_ exchange: ExchangeID, _ session: SessionID, _ refusal: BootstrapRequest.Refusal) {
        switch refusal {
        case .malformed: self.counters.malformed += 1
        case .mismatch: self.counters.identityMismatches += 1
        case .unknownEndpoint: self.counters.unknownEndpoints += 1
        case .busy: self.counters.refusedByBounds += 1
        case .notFound, .methodNotAllowed, .unsupportedFormat, .packNotImplemented, .notStored:
            self.counters.refusedOtherwise += 1
        }
        self.emit(.sendResponse(exchange, CoAPResponse(refusal.code)))
        self.emit(.report(.refused(session, refusal.code)))
    }

    // MARK: Procedures

    private mutating func begin(_ id: ProcedureID, _ plan: BootstrapPlan?, now: MonotonicTime) {
        guard let procedure = self.procedures[id], let exchange = procedure.exchange else { return }
        guard let plan else {
            self.refuse(id, .unknownEndpoint)
            return
        }
        var machine = BootstrapProcedure(plan: plan, format: procedure.format)
        let action = machine.begin()
        self.procedures[id]?.exchange = nil
        self.procedures[id]?.machine = machine
        self.counters.started += 1
        self.emit(.sendResponse(exchange, CoAPResponse(.changed)))
        self.emit(.report(.started(endpoint: procedure.endpoint)))
        self.perform(action, id, now: now)
    }

    /// Refuses a request that waits for its plan.
    private mutating func refuse(_ id: ProcedureID, _ refusal: BootstrapRequest.Refusal) {
        guard let procedure = self.procedures[id], let exchange = procedure.exchange else { return }
        self.remove(id)
        self.refuse(exchange, procedure.session, refusal)
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
            self.emit(.report(.finished(endpoint: procedure.endpoint, since: procedure.since)))
        case .fail(let failure):
            self.fail(id, failure)
        }
    }

    private mutating func failStep(of id: ProcedureID, _ failure: RequestFailure) {
        guard let procedure = self.procedures[id] else { return }
        if let machine = procedure.machine {
            self.fail(id, .unreachable(machine.step, failure))
        } else {
            // Nobody chose a plan in time.
            self.remove(id)
            if let exchange = procedure.exchange { self.refuse(exchange, procedure.session, .busy) }
        }
    }

    private mutating func fail(_ id: ProcedureID, _ failure: BootstrapServerFailure) {
        guard let procedure = self.procedures[id] else { return }
        self.remove(id)
        switch failure {
        case .refused, .encoding: self.counters.refusedByDevice += 1
        case .unreachable(_, .sessionClosed), .sessionClosed, .restarted: self.counters.abandoned += 1
        case .unreachable: self.counters.timedOut += 1
        }
        if let exchange = procedure.exchange { self.emit(.sendResponse(exchange, CoAPResponse(.serviceUnavailable))) }
        self.emit(.report(.failed(endpoint: procedure.endpoint, failure)))
    }

    private mutating func remove(_ id: ProcedureID) {
        guard let procedure = self.procedures.removeValue(forKey: id) else { return }
        if let request = procedure.request { self.requests[request] = nil }
        if self.sessions[procedure.session]?.procedure == id { self.sessions[procedure.session]?.procedure = nil }
        self.timers.set(nil, for: id)
    }

    private mutating func emit(_ output: BootstrapOutput) {
        self.outputs.append(output)
    }
}
