import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives

/// What the engine keeps beside the machine while it bootstraps.
struct BootstrapProcedure: Sendable {
    var machine = BootstrapMachine()
    /// Where the attempt looks for the server; nil when there is none.
    var search: BootstrapSearch? {
        get { self.searches.first }
        set { self.searches = newValue.map { [$0] } ?? [] }
    }
    // An array of at most one: its absence takes a device that is not bootstrapping one word.
    private var searches: [BootstrapSearch] = []
    var session: SessionID?
    /// The Bootstrap-Request that waits for its answer.
    var request: RequestID?
    /// The Bootstrap-Finish that is answered when everything is stored.
    var finish: ExchangeID?
    var storage: StorageID?
    /// The configuration to return to on failure.
    var previous: DeviceTree?
    /// The command sessions that what was delivered took the place of.
    var replacedSessions: [CommandSessionHost] = []
    /// How often registration failed for good since it last succeeded.
    var fallbacks: UInt8 = 0
}

/// The bootstrap interface: what its machine decides becomes a session, a request, and a new or restored configuration.
extension ClientEngine {
    mutating func startBootstrap(_ account: SecurityAccount, now: MonotonicTime) {
        let jitter = self.jitter()
        let holdOff = Duration.seconds(Int64(account.holdOff))
        self.perform(self.bootstrap.machine.start(holdOff: holdOff, jitter: jitter, now: now), now: now)
    }

    /// Bootstraps because no server can be registered with.
    ///
    /// The first time at once but for the hold-off; when what bootstrap delivers fails again, ever later.
    mutating func fallBackToBootstrap(_ account: SecurityAccount, now: MonotonicTime) {
        guard !self.bootstrap.machine.isActive else { return }
        var holdOff = Duration.seconds(Int64(account.holdOff))
        let fallbacks = self.bootstrap.fallbacks
        let jitter = self.jitter()
        if fallbacks > 0 { holdOff = max(holdOff, BootstrapMachine.backOff(after: fallbacks - 1, jitter: jitter)) }
        self.bootstrap.fallbacks = min(fallbacks + 1, 16)
        self.perform(self.bootstrap.machine.start(holdOff: holdOff, jitter: jitter, now: now), now: now)
    }

    /// Ends bootstrap without another attempt.
    mutating func abandonBootstrap() {
        guard self.bootstrap.machine.isActive else { return }
        self.returnToPrevious()
        self.endProcedure()
        self.bootstrap.machine.abandon()
    }

    /// Carries out what the bootstrap machine decided.
    mutating func perform(_ action: BootstrapMachine.Action, now: MonotonicTime) {
        switch action {
        case .none:
            break
        case .connect:
            self.connectForBootstrap(now: now)
        case .sendRequest:
            guard let session = self.bootstrap.session, let target = self.bootstrap.search?.target else { return }
            let request = self.makeRequestID()
            self.bootstrap.request = request
            self.report(.bootstrapStarted(session))
            self.put(
                .sendRequest(
                    request,
                    session,
                    RegistrationRequests.bootstrap(
                        at: target.uri,
                        isTemporary: target.isTemporary,
                        endpoint: self.endpoint,
                        version: self.version,
                        format: self.preferredFormat
                    )
                )
            )
        case .store:
            let storage = self.makeStorageID()
            self.bootstrap.storage = storage
            self.bootstrap.replacedSessions = self.adoptSessions()
            self.put(.store(storage, self.stored(self.tree)))
        case .finish(let since):
            self.answerFinish(.changed)
            self.bootstrap.previous = nil
            self.endProcedure()
            self.prepareBootstrapURI(isChanged: true, now: now)
            self.report(.bootstrapFinished(since: since))
            self.startRegistrations(now: now)
        case .fail(let failure):
            self.answerFinish(failure == .inconsistent ? .notAcceptable : .internalServerError)
            self.returnToPrevious()
            self.endProcedure()
            self.prepareBootstrapURI(isChanged: true, now: now)
            self.report(.bootstrapFailed(failure))
            // Whatever worked before is tried again until the next attempt.
            self.startRegistrations(now: now)
        }
    }

    mutating func bootstrapAnswered(_ response: CoAPResponse, now: MonotonicTime) {
        self.bootstrap.request = nil
        if response.code.isSuccess {
            self.bootstrap.search?.names.settled()
            self.perform(self.bootstrap.machine.accepted(now: now), now: now)
        } else if response.code == .serviceUnavailable, self.bootstrap.machine.isSeeking,
            let maxAge = response.options.unsigned(.maxAge)
        {
            // RFC 7252, section 5.9.3.4: Max-Age says when to come again.
            let jitter = self.jitter()
            self.search(now: now) { $0.held(maxAge: maxAge, jitter: jitter, now: now) }
        } else {
            self.bootstrapLost(.rejected(response.code), now: now)
        }
    }

    mutating func bootstrapStored(now: MonotonicTime) {
        self.bootstrap.storage = nil
        self.perform(self.bootstrap.machine.stored(), now: now)
    }

    mutating func bootstrapStorageFailed(now: MonotonicTime) {
        self.bootstrap.storage = nil
        let jitter = self.jitter()
        self.perform(self.bootstrap.machine.storageFailed(jitter: jitter, now: now), now: now)
    }

    /// Serves a request of the bootstrap server.
    mutating func serveBootstrap(_ request: CoAPRequest, exchange: ExchangeID, now: MonotonicTime) {
        guard self.bootstrap.machine.acceptsOperations else {
            return self.answer(exchange, CoAPResponse(.serviceUnavailable), .unknown, .root)
        }
        if request.method == .post, request.path == ["bs"] {
            self.bootstrap.finish = exchange
            let isConsistent = self.tree.isConsistentAfterBootstrap
            let jitter = self.jitter()
            let action = self.bootstrap.machine.finishReceived(isConsistent: isConsistent, jitter: jitter, now: now)
            return self.perform(action, now: now)
        }
        _ = self.bootstrap.machine.operationReceived(now: now)
        let path: ObjectPath
        do { path = try ManagementRequest.path(of: request) } catch {
            return self.answer(exchange, CoAPResponse(error.code), .unknown, .root)
        }
        let operation = Self.bootstrapOperation(request)
        do {
            let response = try self.performBootstrap(operation, request, at: path)
            self.answer(exchange, response, operation, path)
            if operation == .bootstrapWrite { self.report(.valueWritten(path)) }
        } catch {
            self.answer(exchange, CoAPResponse(error.code), operation, path)
        }
    }

    private static func bootstrapOperation(_ request: CoAPRequest) -> ManagementOperation {
        switch request.method {
        case .get: request.options.accept == .linkFormat ? .bootstrapDiscover : .bootstrapRead
        case .put: .bootstrapWrite
        case .delete: .bootstrapDelete
        default: .unknown
        }
    }

    private mutating func performBootstrap(
        _ operation: ManagementOperation,
        _ request: CoAPRequest,
        at path: ObjectPath
    ) throws(Refusal) -> CoAPResponse {
        switch operation {
        case .bootstrapDiscover:
            let lines = try self.tree.bootstrapDiscover(path, version: self.version)
            return CoAPResponse(.content, contentFormat: .linkFormat, payload: DiscoverAnswer.encode(lines))
        case .bootstrapRead:
            let records = try self.tree.bootstrapRead(path)
            let format = request.options.accept ?? self.preferredFormat
            return try Self.content(records, as: format, at: path)
        case .bootstrapWrite:
            guard let format = request.options.contentFormat else { throw Refusal(.badRequest) }
            guard path.depth > 0 else { throw Refusal(.methodNotAllowed) }
            var candidate = self.tree
            if self.tree.isProfileObject(path.object) { candidate.hostProfiles(self.profileDefinition()) }
            if self.tree.isSessionObject(path.object) { candidate.hostSessions(self.sessionDefinition()) }
            let records = try self.decode(request.payload, as: format, at: path)
            try candidate.bootstrapWrite(records, at: path)
            self.tree = candidate
            return CoAPResponse(.changed)
        case .bootstrapDelete:
            var candidate = self.tree
            try candidate.bootstrapDelete(path)
            let kept = candidate.sessionInstances.map { $0.id }
            for position in self.sessions.indices where !kept.contains(self.sessions[position].instance) {
                self.sessions[position].isDeleted = true
            }
            self.tree = candidate
            return CoAPResponse(.deleted)
        default:
            throw Refusal(.methodNotAllowed)
        }
    }

    private mutating func connectForBootstrap(now: MonotonicTime) {
        guard let account = self.tree.bootstrapAccount, account.address != nil else {
            let jitter = self.jitter()
            return self.perform(self.bootstrap.machine.failed(.unusableAccount, jitter: jitter, now: now), now: now)
        }
        // What the servers wrote would be lost with a rollback, so they rest meanwhile.
        for index in self.connections.indices { self.closeSession(on: index) }
        self.connections = []
        self.interruptSessions()
        self.failPendingExchanges()
        self.bootstrap.previous = self.tree
        self.seekBootstrapServer(account, now: now)
    }

    /// The tree to store meanwhile: what a bootstrap server has delivered so far is not whole, until it is being stored
    /// itself.
    var wholeTree: DeviceTree {
        self.bootstrap.storage == nil ? self.bootstrap.previous ?? self.tree : self.tree
    }

    /// Undoes what the bootstrap server wrote.
    private mutating func returnToPrevious() {
        guard let previous = self.bootstrap.previous else { return }
        self.tree = previous
        self.restoreSessions(self.bootstrap.replacedSessions)
    }

    private mutating func answerFinish(_ code: CoAPCode) {
        guard let exchange = self.bootstrap.finish else { return }
        self.bootstrap.finish = nil
        self.answer(exchange, CoAPResponse(code), .bootstrapFinish, .root)
    }

    private mutating func endProcedure() {
        if let session = self.bootstrap.session { self.put(.closeSession(session)) }
        self.bootstrap.session = nil
        self.endSearch()
        self.bootstrap.request = nil
        self.bootstrap.finish = nil
        self.bootstrap.storage = nil
        self.bootstrap.previous = nil
        self.bootstrap.replacedSessions = []
    }
}
