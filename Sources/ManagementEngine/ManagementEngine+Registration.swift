internal import CoAPMessages
internal import LwM2MCodecs
internal import LwM2MModel
internal import Primitives

/// The registration interface: Register, Update, Deregister, and Send of the information reporting interface.
///
/// - Source: LwM2M Core 1.2.2, clauses 6.2 and 6.4.6.
extension ManagementEngine {
    private static let newestVersion = ObjectVersion(1, 2)

    mutating func serve(_ exchange: ExchangeID, _ session: SessionID, _ request: CoAPRequest, now: MonotonicTime) {
        do throws(Refusal) {
            let response = try self.answer(session, request, now: now)
            self.emit(.sendResponse(exchange, response))
        } catch {
            self.count(error.code)
            self.emit(.sendResponse(exchange, CoAPResponse(error.code)))
            self.emit(.report(.refused(session, error.code)))
        }
        for slot in self.sessions[session]?.devices ?? [] { self.pump(slot, now: now) }
    }

    private mutating func answer(
        _ session: SessionID,
        _ request: CoAPRequest,
        now: MonotonicTime
    ) throws(Refusal) -> CoAPResponse {
        guard self.sessions[session] != nil else { throw Refusal(.serviceUnavailable) }
        guard let path = request.path else { throw Refusal(.badRequest) }
        switch (path.first, path.count) {
        case ("rd", 1):
            guard request.method == .post else { throw Refusal(.methodNotAllowed) }
            return try self.register(session, request, now: now)
        case ("rd", 2):
            let slot = try self.device(at: path[1], for: session)
            switch request.method {
            case .post: return try self.update(slot, session, request, now: now)
            case .delete: return self.deregister(slot)
            default: throw Refusal(.methodNotAllowed)
            }
        case ("dp", 1):
            guard request.method == .post else { throw Refusal(.methodNotAllowed) }
            return try self.takeSend(session, request, now: now)
        default:
            throw Refusal(.notFound)
        }
    }

    private mutating func count(_ code: CoAPCode) {
        switch code {
        case .badRequest: self.counters.malformed += 1
        case .forbidden: self.counters.identityMismatches += 1
        case .notFound: self.counters.unknownLocations += 1
        case .serviceUnavailable, .requestEntityTooLarge: self.counters.refusedByBounds += 1
        default: self.counters.refusedOtherwise += 1
        }
    }

    // MARK: Register

    private mutating func register(
        _ session: SessionID,
        _ request: CoAPRequest,
        now: MonotonicTime
    ) throws(Refusal) -> CoAPResponse {
        let parameters = try RegistrationRequest(request, limits: self.configuration)
        let identity = self.sessions[session]?.identity
        let endpoint = try self.endpoint(parameters.endpoint, identity)
        let version = parameters.version ?? .initial
        guard version.major == 1, version <= Self.newestVersion else { throw Refusal(.preconditionFailed) }
        // No profile of a device is known here: it must send its list.
        guard parameters.objects != nil || !parameters.hasProfile else { throw Refusal(.conflict) }

        let existing = self.slotsByEndpoint[endpoint]
        if let existing, identity == nil, self.devices[existing]?.registration.identity != nil {
            throw Refusal(.forbidden)
        }
        try self.checkBounds(existing, session)

        var waiting: [PendingCommand] = []
        let before = existing.flatMap { self.devices[$0]?.session }
        if let existing {
            waiting = self.removeDevice(existing, keepsWaitingCommands: true)
            self.counters.replaced += 1
        }
        let registration = Registration(
            endpoint: endpoint,
            location: self.makeLocation(),
            identity: identity,
            lifetime: parameters.lifetime ?? 86_400,
            version: version,
            binding: parameters.binding ?? "U",
            isQueueMode: parameters.isQueueMode,
            objects: parameters.objects ?? ObjectList(entries: [])
        )
        let slot = self.addDevice(registration, session: session, now: now)
        if let before { self.releaseSession(before) }
        for command in waiting { self.devices[slot]?.queue.enqueue(command) }
        self.setCommandTimer(slot)
        self.counters.registered += 1
        self.emit(.store(.saved(registration)))
        self.emit(.report(.registered(endpoint: endpoint)))
        self.observeAutomatically(slot, now: now)

        var response = CoAPResponse(.created)
        response.options.append(.locationPath, Array("rd".utf8))
        response.options.append(.locationPath, registration.location.bytes)
        return response
    }

    private func endpoint(_ name: UTF8Text?, _ identity: [UInt8]?) throws(Refusal) -> UTF8Text {
        let endpoint: UTF8Text
        do {
            endpoint = try self.configuration.endpointRule.endpoint(named: name, identity: identity)
        } catch {
            throw Refusal(error == .mismatch ? .forbidden : .badRequest)
        }
        guard endpoint.bytes.count <= RegistrationRequest.maximumEndpointLength, !endpoint.hasControlCharacters else {
            throw Refusal(.badRequest)
        }
        return endpoint
    }

    private func checkBounds(_ existing: Int?, _ session: SessionID) throws(Refusal) {
        if existing == nil, self.slotsByEndpoint.count >= self.configuration.maximumRegistrations {
            throw Refusal(.serviceUnavailable)
        }
        let devices = self.sessions[session]?.devices ?? []
        guard
            devices.count < self.configuration.maximumRegistrationsPerSession
                || devices.contains(where: { $0 == existing })
        else { throw Refusal(.serviceUnavailable) }
    }

    /// Ten characters of 5 bits, none of which is taken for another.
    private mutating func makeLocation() -> UTF8Text {
        let digits = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
        while true {
            let bits = self.generator.next()
            let bytes = (0..<10).map { digits[Int(bits >> UInt64($0 * 5) & 31)] }
            if let location = UTF8Text(validating: bytes), self.slotsByLocation[location] == nil { return location }
        }
    }

    mutating func restore(_ registration: Registration, now: MonotonicTime) {
        guard self.slotsByEndpoint[registration.endpoint] == nil, self.slotsByLocation[registration.location] == nil,
            self.slotsByEndpoint.count < self.configuration.maximumRegistrations
        else { return }
        self.addDevice(registration, session: nil, now: now)
    }

    // MARK: Update and Deregister

    /// Finds the registration that the session may change.
    private func device(at location: UTF8Text, for session: SessionID) throws(Refusal) -> Int {
        guard let slot = self.slotsByLocation[location], let device = self.devices[slot] else {
            throw Refusal(.notFound)
        }
        guard device.registration.identity == self.sessions[session]?.identity else { throw Refusal(.forbidden) }
        return slot
    }

    private mutating func update(
        _ slot: Int,
        _ session: SessionID,
        _ request: CoAPRequest,
        now: MonotonicTime
    ) throws(Refusal) -> CoAPResponse {
        let parameters = try RegistrationRequest(request, limits: self.configuration)
        guard parameters.objects != nil || !parameters.hasProfile else { throw Refusal(.conflict) }
        guard var device = self.devices[slot] else { throw Refusal(.notFound) }
        if device.session != session { try self.checkBounds(slot, session) }

        let before = device.registration
        if let lifetime = parameters.lifetime { device.registration.lifetime = lifetime }
        if let binding = parameters.binding {
            device.registration.binding = binding
            if before.version == .initial { device.registration.isQueueMode = parameters.isQueueMode }
        }
        if parameters.isQueueMode { device.registration.isQueueMode = true }
        if let objects = parameters.objects { device.registration.objects = objects }
        device.renewed = now
        device.lastHeard = now
        self.devices[slot] = device
        self.move(slot, to: session)
        self.timers.set(device.expires, for: .expiry(slot))
        self.counters.updated += 1
        // A restored registration gets its whole lifetime again, so a plain renewal leaves nothing to store.
        if device.registration != before { self.emit(.store(.saved(device.registration))) }
        self.emit(.report(.updated(endpoint: device.registration.endpoint)))
        return CoAPResponse(.changed)
    }

    private mutating func deregister(_ slot: Int) -> CoAPResponse {
        guard let endpoint = self.devices[slot]?.registration.endpoint else { return CoAPResponse(.deleted) }
        self.removeDevice(slot, keepsWaitingCommands: false)
        self.counters.deregistered += 1
        self.emit(.store(.removed(endpoint: endpoint)))
        self.emit(.report(.deregistered(endpoint: endpoint)))
        return CoAPResponse(.deleted)
    }

    mutating func expire(_ slot: Int, now: MonotonicTime) {
        guard let device = self.devices[slot], let expires = device.expires else { return }
        guard expires <= now else {
            self.timers.set(expires, for: .expiry(slot))
            return
        }
        let endpoint = device.registration.endpoint
        self.removeDevice(slot, keepsWaitingCommands: false)
        if let session = device.session { self.releaseSession(session) }
        self.counters.expired += 1
        self.emit(.store(.removed(endpoint: endpoint)))
        self.emit(.report(.expired(endpoint: endpoint)))
    }

    // MARK: Send

    private mutating func takeSend(
        _ session: SessionID,
        _ request: CoAPRequest,
        now: MonotonicTime
    ) throws(Refusal) -> CoAPResponse {
        // One device a session is the rule; where several share one, nothing tells which of them speaks.
        guard let slots = self.sessions[session]?.devices, slots.count == 1,
            let endpoint = self.devices[slots[0]]?.registration.endpoint
        else { throw Refusal(.notFound) }
        guard let format = request.options.contentFormat, format == .senMLCBOR || format == .senMLJSON else {
            throw Refusal(.unsupportedContentFormat)
        }
        guard let records = try? Payload.decode(request.payload, as: format, at: .root, registry: self.registry) else {
            self.counters.unreadableBodies += 1
            throw Refusal(.badRequest)
        }
        self.devices[slots[0]]?.lastHeard = now
        self.counters.sends += 1
        self.emit(.sent(endpoint: endpoint, records))
        return CoAPResponse(.changed)
    }

    // MARK: The table of devices

    @discardableResult
    private mutating func addDevice(_ registration: Registration, session: SessionID?, now: MonotonicTime) -> Int {
        let slot = self.freeSlots.popLast() ?? self.devices.count
        let device = DeviceRecord(registration: registration, session: session, renewed: now, lastHeard: now)
        if slot == self.devices.count { self.devices.append(device) } else { self.devices[slot] = device }
        self.slotsByEndpoint[registration.endpoint] = slot
        self.slotsByLocation[registration.location] = slot
        if let session { self.sessions[session]?.devices.append(slot) }
        self.timers.set(device.expires, for: .expiry(slot))
        return slot
    }

    private mutating func move(_ slot: Int, to session: SessionID) {
        guard let before = self.devices[slot]?.session, before != session else {
            if self.devices[slot]?.session == nil {
                self.devices[slot]?.session = session
                self.sessions[session]?.devices.append(slot)
            }
            return
        }
        self.sessions[before]?.devices.removeAll { $0 == slot }
        // What was observed or asked on the old session went to an address or association that is no more.
        self.endObservations(of: slot, .sessionClosed)
        if let running = self.devices[slot]?.queue.runningRequest {
            self.requests[running] = nil
            if let command = self.devices[slot]?.queue.finish(running),
                let endpoint = self.devices[slot]?.registration.endpoint
            {
                self.finish(command, endpoint, .failed(.unreachable(.sessionClosed)))
            }
            self.setCommandTimer(slot)
        }
        self.devices[slot]?.session = session
        self.sessions[session]?.devices.append(slot)
        self.releaseSession(before)
    }

    /// Takes a device out of every table and ends what waits for it.
    ///
    /// - Returns: the commands that had not begun, when they are to be kept.
    @discardableResult
    mutating func removeDevice(_ slot: Int, keepsWaitingCommands: Bool) -> [PendingCommand] {
        guard let endpoint = self.devices[slot]?.registration.endpoint else { return [] }
        self.endObservations(of: slot, .registrationEnded)
        var ended: [PendingCommand] = []
        if let running = self.devices[slot]?.queue.runningRequest {
            self.requests[running] = nil
            if let command = self.devices[slot]?.queue.finish(running) { ended.append(command) }
        }
        var kept = self.devices[slot]?.queue.removeAll() ?? []
        if !keepsWaitingCommands {
            ended += kept
            kept = []
        }
        for command in ended { self.finish(command, endpoint, .failed(.registrationEnded)) }
        if let device = self.devices[slot] {
            self.slotsByLocation[device.registration.location] = nil
            if let session = device.session { self.sessions[session]?.devices.removeAll { $0 == slot } }
        }
        self.slotsByEndpoint[endpoint] = nil
        self.timers.set(nil, for: .expiry(slot))
        self.timers.set(nil, for: .command(slot))
        self.devices[slot] = nil
        self.freeSlots.append(slot)
        return kept
    }
}
