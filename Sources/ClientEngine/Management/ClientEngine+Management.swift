import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives

/// The device management interface: one request in, one answer out, now or when the embedder or the store has spoken.
///
/// - Source: LwM2M Core 1.2.2, clause 6.3.
extension ClientEngine {
    mutating func serve(
        _ request: CoAPRequest,
        exchange: ExchangeID,
        session: SessionID,
        token: CoAPToken,
        now: MonotonicTime
    ) {
        if self.bootstrap.session == session { return self.serveBootstrap(request, exchange: exchange, now: now) }
        guard let index = self.connections.firstIndex(where: { $0.session == session }) else {
            return self.answer(exchange, CoAPResponse(.unauthorized), .unknown, .root)
        }
        guard !self.connections[index].registration.isSuspended else {
            let path = (try? ManagementRequest.path(of: request)) ?? .root
            return self.answer(exchange, CoAPResponse(.unauthorized), .unknown, path)
        }
        let parsed: ManagementRequest
        do { parsed = try ManagementRequest.parse(request) } catch {
            let path = (try? ManagementRequest.path(of: request)) ?? .root
            return self.answer(exchange, CoAPResponse(error.code), .unknown, path)
        }
        do {
            try self.serve(parsed, request, exchange: exchange, token: token, from: index, now: now)
        } catch {
            self.answer(exchange, CoAPResponse(error.code), parsed.operation, parsed.path)
        }
    }

    /// Answers and tells the embedder.
    mutating func answer(
        _ exchange: ExchangeID,
        _ response: CoAPResponse,
        _ operation: ManagementOperation,
        _ path: ObjectPath
    ) {
        // The answer to a command is the outcome of its session, which is told once it is stored.
        if self.endCommand(in: exchange, response.code) {
            return self.report(.operationServed(operation, path, response.code))
        }
        self.put(.sendResponse(exchange, response))
        self.report(.operationServed(operation, path, response.code))
    }

    /// The answer that carries records in a format.
    ///
    /// - Throws: 4.06 when the format cannot carry them.
    static func content(
        _ records: [ResourceRecord],
        as format: ContentFormat,
        at path: ObjectPath
    ) throws(Refusal) -> CoAPResponse {
        do {
            return CoAPResponse(
                .content,
                contentFormat: format,
                payload: try Payload.encode(records, as: format, at: path)
            )
        } catch {
            throw Refusal(.notAcceptable)
        }
    }

    /// The records of a payload.
    ///
    /// - Throws: 4.15 for a format that is not known, 4.00 for anything else that is wrong.
    func decode(
        _ payload: [UInt8],
        as format: ContentFormat,
        at path: ObjectPath
    ) throws(Refusal) -> [ResourceRecord] {
        guard Payload.supports(format) else { throw Refusal(.unsupportedContentFormat) }
        do { return try Payload.decode(payload, as: format, at: path, registry: self.registry) } catch {
            throw Refusal(.badRequest)
        }
    }

    /// The values to answer with, the current time among them.
    func read(_ path: ObjectPath, now: MonotonicTime) throws(Refusal) -> [ResourceRecord] {
        let time = self.clockStart.map { start in
            ResourceRecord(
                ObjectPath(3, 0, 13),
                .time(WallTime(secondsSinceEpoch: start &+ now.nanoseconds / 1_000_000_000))
            )
        }
        return try self.tree.read(path, overlay: time)
    }

    mutating func executed(_ exchange: ExchangeID, _ code: CoAPCode) {
        guard let index = self.pending.firstIndex(where: { $0.exchange == exchange }),
            case .execution = self.pending[index].wait
        else { return }
        let done = self.pending.remove(at: index)
        self.answer(exchange, CoAPResponse(code), done.operation, done.path)
    }

    mutating func writeDecided(_ exchange: ExchangeID, _ code: CoAPCode, now: MonotonicTime) {
        guard let index = self.pending.firstIndex(where: { $0.exchange == exchange }),
            case .decision(let records, let mode) = self.pending[index].wait
        else { return }
        let decided = self.pending.remove(at: index)
        guard code.isSuccess else {
            return self.answer(exchange, CoAPResponse(code), decided.operation, decided.path)
        }
        self.finishWrite(records, at: decided.path, mode, exchange: exchange, decided.operation, now: now)
    }

    mutating func stored(_ storage: StorageID, now: MonotonicTime) {
        if self.bootstrap.storage == storage { return self.bootstrapStored(now: now) }
        if self.sessionStored(storage, isDurable: true, now: now) { return self.storeSessions() }
        defer { self.storeSessions() }
        guard let index = self.pendingStorage(storage),
            case .storage(_, let records, let mode) = self.pending[index].wait
        else { return }
        let waiting = self.pending.remove(at: index)
        self.finishWrite(records, at: waiting.path, mode, exchange: waiting.exchange, waiting.operation, now: now)
    }

    mutating func storageFailed(_ storage: StorageID, now: MonotonicTime) {
        if self.bootstrap.storage == storage { return self.bootstrapStorageFailed(now: now) }
        if self.sessionStored(storage, isDurable: false, now: now) { return self.storeSessions() }
        defer { self.storeSessions() }
        guard let index = self.pendingStorage(storage) else { return }
        let waiting = self.pending.remove(at: index)
        self.answer(waiting.exchange, CoAPResponse(.internalServerError), waiting.operation, waiting.path)
    }

    /// Answers what waits when its sessions end with bootstrap.
    mutating func failPendingExchanges() {
        let waiting = self.pending
        self.pending = []
        for exchange in waiting {
            self.answer(exchange.exchange, CoAPResponse(.serviceUnavailable), exchange.operation, exchange.path)
        }
    }

    private func pendingStorage(_ storage: StorageID) -> Int? {
        self.pending.firstIndex { if case .storage(storage, _, _) = $0.wait { true } else { false } }
    }

    // MARK: One operation

    private mutating func serve(
        _ parsed: ManagementRequest,
        _ request: CoAPRequest,
        exchange: ExchangeID,
        token: CoAPToken,
        from index: Int,
        now: MonotonicTime
    ) throws(Refusal) {
        if try self.serveSession(parsed, request, exchange: exchange, from: index, now: now) { return }
        try self.authoriseChange(parsed, request, from: index, now: now)
        try self.perform(parsed, request, exchange: exchange, token: token, from: index, now: now)
    }

    /// Does an operation that the server may ask for.
    mutating func perform(
        _ parsed: ManagementRequest,
        _ request: CoAPRequest,
        exchange: ExchangeID,
        token: CoAPToken,
        from index: Int,
        now: MonotonicTime
    ) throws(Refusal) {
        switch parsed {
        case .read(let path, let accept):
            let response = try Self.content(try self.read(path, now: now), as: accept ?? self.preferredFormat, at: path)
            self.answer(exchange, response, .read, path)
        case .observe(let path, let accept):
            let response = try self.observe(path, accept: accept, token: token, from: index, now: now)
            self.answer(exchange, response, .observe, path)
        case .cancelObservation(let path, let accept):
            self.cancelObservation(path, token: token, from: index)
            let response = try Self.content(try self.read(path, now: now), as: accept ?? self.preferredFormat, at: path)
            self.answer(exchange, response, .cancelObservation, path)
        case .discover(let path):
            let lines = try self.tree.discover(path, attributes: self.connections[index].attributes)
            let links = DiscoverAnswer.encode(lines)
            self.answer(exchange, CoAPResponse(.content, contentFormat: .linkFormat, payload: links), .discover, path)
        case .write(let path, let mode, let format):
            try self.authoriseWrite(path, from: index)
            try self.write(request.payload, as: format, at: path, mode, exchange: exchange, parsed.operation, now: now)
        case .writeAttributes(let path, let query):
            try self.writeAttributes(query, at: path, from: index)
            self.answer(exchange, CoAPResponse(.changed), .writeAttributes, path)
        case .execute(let path):
            try self.execute(path, arguments: request.payload, exchange: exchange, now: now)
        case .postResource(let path, let format):
            try self.authoriseWrite(path, from: index)
            try self.post(request.payload, format, at: path, exchange: exchange, now: now)
        case .create(let object, let format):
            let path = try self.create(request.payload, as: format, in: object)
            var response = CoAPResponse(.created)
            for segment in path.segments { response.options.append(.locationPath, segment.bytes) }
            self.answer(exchange, response, .create, ObjectPath(object))
            self.report(.instanceCreated(path))
            self.instanceListChanged(path, now: now)
        case .delete(let path):
            var candidate = self.tree
            try candidate.delete(path)
            self.tree = candidate
            self.answer(exchange, CoAPResponse(.deleted), .delete, path)
            self.report(.instanceDeleted(path))
            for position in self.connections.indices { self.connections[position].attributes.remove(below: path) }
            self.instanceListChanged(path, now: now)
        }
    }

    /// Where the device asks for accounts is not for anybody to say who can send a datagram.
    ///
    /// - Throws: 4.01 for a profile when the session is not secured.
    private func authoriseWrite(_ path: ObjectPath, from index: Int) throws(Refusal) {
        guard self.tree.isProfileObject(path.object) else { return }
        let instance = self.connections[index].securityInstance
        let account = self.tree.security.first { $0.instance == instance }
        guard let account, account.mode != .noSecurity else { throw Refusal(.unauthorized) }
    }

    private mutating func post(
        _ payload: [UInt8],
        _ format: ContentFormat?,
        at path: ObjectPath,
        exchange: ExchangeID,
        now: MonotonicTime
    ) throws(Refusal) {
        let object = try self.tree.resolve(path)
        let resource = path.resource.flatMap(object.definition.resource)
        if resource?.operations.contains(.execute) ?? false {
            return try self.execute(path, arguments: payload, exchange: exchange, now: now)
        }
        guard let format else { throw Refusal(.methodNotAllowed) }
        // Clause 6.3.3: only the instances of a multiple resource can be written in part.
        guard resource?.isMultiple ?? false else { throw Refusal(.methodNotAllowed) }
        try self.write(payload, as: format, at: path, .update, exchange: exchange, .partialUpdate, now: now)
    }

    private mutating func write(
        _ payload: [UInt8],
        as format: ContentFormat,
        at path: ObjectPath,
        _ mode: WriteMode,
        exchange: ExchangeID,
        _ operation: ManagementOperation,
        now: MonotonicTime
    ) throws(Refusal) {
        let object = try self.tree.resolve(path)
        if let resource = path.resource.flatMap(object.definition.resource) {
            guard resource.operations.contains(.write) else { throw Refusal(.methodNotAllowed) }
        }
        let records = try self.decode(payload, as: format, at: path)
        var candidate = self.tree
        try candidate.write(records, at: path, mode)
        guard candidate.profilesHold || !self.tree.isProfileObject(path.object),
            candidate.sessionsHold || !self.tree.isSessionObject(path.object)
        else { throw Refusal(.badRequest) }
        let isKept = path.object.map(self.tree.isOwn) ?? false
        if object.asksBeforeWrite || isKept {
            guard self.pending.count < EngineLimits.pendingExchanges else { throw Refusal(.serviceUnavailable) }
        }
        if isKept {
            try self.store(candidate, records, at: path, mode, exchange: exchange, operation)
        } else if object.asksBeforeWrite {
            self.pending.append(
                PendingExchange(
                    exchange: exchange,
                    operation: operation,
                    path: path,
                    wait: .decision(records: records, mode: mode)
                )
            )
            self.put(.decideWrite(exchange, records))
        } else {
            self.finishWrite(records, at: path, mode, exchange: exchange, operation, now: now)
        }
    }

    /// A write to the Server object or to a profile counts when it is durable; one at a time.
    private mutating func store(
        _ candidate: DeviceTree,
        _ records: [ResourceRecord],
        at path: ObjectPath,
        _ mode: WriteMode,
        exchange: ExchangeID,
        _ operation: ManagementOperation
    ) throws(Refusal) {
        guard !self.isStoring else { throw Refusal(.serviceUnavailable) }
        let storage = self.makeStorageID()
        self.pending.append(
            PendingExchange(
                exchange: exchange,
                operation: operation,
                path: path,
                wait: .storage(storage, records: records, mode: mode)
            )
        )
        self.put(.store(storage, self.stored(candidate)))
    }

    /// Does a write that nothing stands against any more, and answers it.
    private mutating func finishWrite(
        _ records: [ResourceRecord],
        at path: ObjectPath,
        _ mode: WriteMode,
        exchange: ExchangeID,
        _ operation: ManagementOperation,
        now: MonotonicTime
    ) {
        var candidate = self.tree
        do { try candidate.write(records, at: path, mode) } catch {
            // The instance went away while the embedder or the store took its time.
            return self.answer(exchange, CoAPResponse(error.code), operation, path)
        }
        self.tree = candidate
        self.answer(exchange, CoAPResponse(.changed), operation, path)
        self.report(.valueWritten(path))
        if path.object == 3, case .time(let time) = self.tree.value(at: ObjectPath(3, 0, 13)),
            records.contains(where: { $0.path == ObjectPath(3, 0, 13) })
        {
            self.setClock(time, now: now)
        }
        if self.tree.isProfileObject(path.object) { self.prepareBootstrapURI(isChanged: true, now: now) }
        if self.tree.isSessionObject(path.object) { self.adoptSessions() }
        if path.object == 1, let instance = path.instance { self.serverAccountChanged(instance: instance, now: now) }
        self.valueChanged(path)
    }

    private mutating func execute(
        _ path: ObjectPath,
        arguments: [UInt8],
        exchange: ExchangeID,
        now: MonotonicTime
    ) throws(Refusal) {
        let object = try self.tree.resolve(path)
        guard path.resource.flatMap(object.definition.resource)?.operations.contains(.execute) ?? false else {
            throw Refusal(.methodNotAllowed)
        }
        guard ExecuteArguments.isWellFormed(arguments) else { throw Refusal(.badRequest) }
        if self.resetAlarm(path) { return self.answer(exchange, CoAPResponse(.changed), .execute, path) }
        if path.object == 1, let instance = path.instance, let resource = path.resource {
            return try self.executeServer(resource, instance: instance, path, exchange: exchange, now: now)
        }
        guard self.pending.count < EngineLimits.pendingExchanges else { throw Refusal(.serviceUnavailable) }
        self.pending.append(PendingExchange(exchange: exchange, operation: .execute, path: path, wait: .execution))
        self.put(.execute(exchange, path, arguments: arguments))
    }

    /// Disable, the update trigger and the bootstrap trigger: answered first, then done.
    private mutating func executeServer(
        _ resource: UInt16,
        instance: UInt16,
        _ path: ObjectPath,
        exchange: ExchangeID,
        now: MonotonicTime
    ) throws(Refusal) {
        let account = self.tree.bootstrapAccount
        if resource == 9, account == nil { throw Refusal(.methodNotAllowed) }
        self.answer(exchange, CoAPResponse(.changed), .execute, path)
        let index = self.connections.firstIndex { $0.serverInstance == instance }
        switch resource {
        case 4:
            guard let index, let server = self.tree.server(instance: instance) else { return }
            let action = self.connections[index].registration.disable(seconds: server.disableTimeout, now: now)
            self.perform(action, on: index, now: now)
        case 8:
            guard let index else { return }
            self.perform(self.connections[index].registration.updateRequested(now: now), on: index, now: now)
        default:
            if let account { self.startBootstrap(account, now: now) }
        }
    }

    private mutating func create(
        _ payload: [UInt8],
        as format: ContentFormat,
        in id: UInt16
    ) throws(Refusal) -> ObjectPath {
        let object = try self.tree.resolveCreatable(id)
        let free = try self.tree.freeInstance(of: object)
        let (records, instance) = try self.decodeInstance(payload, as: format, in: id, free: free)
        var candidate = self.tree
        let path = try candidate.create(object: id, instance: instance, records: records)
        self.tree = candidate
        return path
    }

    /// The values of a new instance, and the identifier that the payload gives it.
    private func decodeInstance(
        _ payload: [UInt8],
        as format: ContentFormat,
        in object: UInt16,
        free: UInt16
    ) throws(Refusal) -> (records: [ResourceRecord], instance: UInt16?) {
        if payload.isEmpty { return ([], nil) }
        let path = ObjectPath(object)
        guard Payload.supports(format) else { throw Refusal(.unsupportedContentFormat) }
        let records: [ResourceRecord]
        do { records = try Payload.decode(payload, as: format, at: path, registry: self.registry) } catch {
            guard error == .missingInstance else { throw Refusal(.badRequest) }
            // Without an instance in the payload its values stand below the instance that the device chooses.
            return (try self.decode(payload, as: format, at: path.appending(free)), nil)
        }
        guard let first = records.first?.path.instance else { return ([], nil) }
        guard records.allSatisfy({ $0.path.instance == first }) else { throw Refusal(.badRequest) }
        return (records, first)
    }
}
