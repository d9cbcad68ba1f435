internal import ClientEngine
internal import CoAPMessages
internal import CoAPTransport
internal import NameResolution
internal import Primitives

// Names to addresses to sessions. A session that the engine asks for passes through these states:
//
//     resolving ──addresses──▶ opening ──connected──▶ open ──closed──▶ (gone)
//         │                    ▲     │ failed, another address is left
//         │ no address         └─────┤
//         ▼                          │ failed, none is left
//     (gone: sessionClosed) ◀────────┘
//
// A plain session is open at once; while nobody has answered there, it goes back to `opening` like one that failed.
extension DeviceRuntime {
    func open(
        _ session: SessionID,
        _ uri: CoAPURI,
        _ credentials: SessionCredentials,
        place: UInt32,
        now: MonotonicTime
    ) {
        let address = IPAddress(parsing: uri.host)
        let security: SessionSecurity
        switch credentials {
        case .none: security = .none
        case .preSharedKey(let identity, let key):
            // RFC 6066, section 3: a server name is never the text of an address.
            let serverName = address == nil ? uri.host : nil
            security = .preSharedKey(PreSharedKey(identity: identity, key: key), serverName: serverName)
        }
        let attempt = SessionAttempt(port: uri.port, security: security, since: now)
        self.devices[Int(place)]?.sessions.append(SessionSlot(id: session, handle: nil, attempt: attempt))
        if let address {
            attempt.remaining = [address]
            self.tryNextAddress(of: session, place: place, failure: .unreachable)
            return
        }
        guard let resolver = self.resolver else {
            self.drop(session, place: place, .nameNotFound)
            return
        }
        resolver.resolve(uri.host, now: now) { result in
            self.resolved(result, for: attempt, session, place: place)
        }
    }

    private func resolved(
        _ result: Result<ResolvedName, NameResolutionError>,
        for attempt: SessionAttempt,
        _ session: SessionID,
        place: UInt32
    ) {
        // Places and session identifiers are used again; the attempt tells whether this one is still wanted.
        guard let present = self.slot(of: session, place: place)?.attempt, present === attempt else { return }
        switch result {
        case .success(let name):
            attempt.remaining = Array(name.addresses.reversed())
            self.tryNextAddress(of: session, place: place, failure: .unreachable)
        case .failure(.notFound), .failure(.invalidName):
            self.drop(session, place: place, .nameNotFound)
        case .failure:
            self.drop(session, place: place, .nameResolutionFailed)
        }
    }

    /// Opens the session at its next address, or tells the engine why none is left.
    private func tryNextAddress(of session: SessionID, place: UInt32, failure: SessionFailure) {
        guard let slot = self.devices[Int(place)],
            let index = slot.sessions.firstIndex(where: { $0.id == session }),
            let attempt = slot.sessions[index].attempt
        else { return }
        var failure = failure
        while let address = attempt.remaining.popLast() {
            attempt.since = self.loop.now
            attempt.address = address
            do throws(TransportError) {
                let handle = try self.transport.openSession(
                    to: SocketAddress(address, port: attempt.port),
                    security: attempt.security,
                    from: slot.sourceAddress,
                    tag: SessionTag(device: place, session: session).packed
                )
                self.devices[Int(place)]?.sessions[index].handle = handle
                return
            } catch {
                failure = .local
            }
        }
        self.drop(session, place: place, failure)
    }

    func close(_ session: SessionID, place: UInt32) {
        guard let slot = self.remove(session, place: place), let handle = slot.handle else { return }
        self.transport.closeSession(handle)
    }

    func slot(of session: SessionID, place: UInt32) -> SessionSlot? {
        guard self.has(place), let device = self.devices[Int(place)] else { return nil }
        for slot in device.sessions where slot.id == session { return slot }
        return nil
    }

    /// The transport's session, once it is open.
    func handle(of session: SessionID, place: UInt32) -> TransportSession? {
        guard let slot = self.slot(of: session, place: place), slot.attempt?.isOpen ?? true else { return nil }
        return slot.handle
    }

    func sessionConnected(_ tag: SessionTag) {
        guard self.has(tag.device),
            let index = self.devices[Int(tag.device)]?.sessions.firstIndex(where: { $0.id == tag.session }),
            let attempt = self.devices[Int(tag.device)]?.sessions[index].attempt
        else { return }
        if case .none = attempt.security, !attempt.remaining.isEmpty {
            attempt.isOpen = true
        } else {
            self.devices[Int(tag.device)]?.sessions[index].attempt = nil
        }
        if let unanswered = attempt.unanswered {
            if let address = attempt.address { self.deliver(.peerMoved(tag.session, address), place: tag.device) }
            self.send(unanswered.message, unanswered.id, on: tag.session, place: tag.device)
            return
        }
        self.onReport(DeviceID(index: tag.device), .sessionOpened(since: attempt.since), self.loop.now)
        self.deliver(.sessionOpened(tag.session, peerAddress: attempt.address), place: tag.device)
    }

    func sessionClosed(_ tag: SessionTag, _ failure: SessionFailure) {
        guard self.has(tag.device), let slot = self.slot(of: tag.session, place: tag.device) else { return }
        slot.attempt?.isOpen = false
        if slot.attempt == nil {
            self.drop(tag.session, place: tag.device, failure)
        } else {
            self.tryNextAddress(of: tag.session, place: tag.device, failure: failure)
        }
    }

    /// Remembers the first request of an open session that has another address left.
    func requestGoes(_ message: CoAPRequest, _ request: RequestID, on session: SessionID, place: UInt32) {
        guard let attempt = self.slot(of: session, place: place)?.attempt, attempt.unanswered == nil else { return }
        attempt.unanswered = (request, message)
    }

    /// The peer has said something: the session stays where it is.
    func peerAnswered(_ tag: SessionTag) {
        guard self.has(tag.device),
            let index = self.devices[Int(tag.device)]?.sessions.firstIndex(where: { $0.id == tag.session }),
            self.devices[Int(tag.device)]?.sessions[index].attempt?.isOpen ?? false
        else { return }
        self.devices[Int(tag.device)]?.sessions[index].attempt = nil
    }

    /// Takes the first request to the next address after silence at this one.
    ///
    /// - Returns: false when the failure is the engine's to know.
    func goesElsewhere(_ tag: SessionTag, _ request: RequestID, _ failure: RequestFailure) -> Bool {
        guard self.has(tag.device),
            let index = self.devices[Int(tag.device)]?.sessions.firstIndex(where: { $0.id == tag.session }),
            let slot = self.devices[Int(tag.device)]?.sessions[index],
            let attempt = slot.attempt, attempt.isOpen, attempt.unanswered?.id == request, !attempt.remaining.isEmpty
        else { return false }
        switch failure {
        case .timedOut:
            if let handle = slot.handle { self.transport.closeSession(handle) }
            self.devices[Int(tag.device)]?.sessions[index].handle = nil
            attempt.isOpen = false
            self.tryNextAddress(of: tag.session, place: tag.device, failure: .unreachable)
            return true
        // The end of the session is reported next, and does the same.
        case .sessionClosed: return true
        case .reset, .malformedAnswer, .notSent: return false
        }
    }

    func has(_ place: UInt32) -> Bool {
        Int(place) < self.devices.count && self.devices[Int(place)] != nil
    }

    private func drop(_ session: SessionID, place: UInt32, _ failure: SessionFailure) {
        guard self.remove(session, place: place) != nil else { return }
        self.onReport(DeviceID(index: place), .sessionFailed(failure), self.loop.now)
        self.deliver(.sessionClosed(session, failure), place: place)
    }

    private func remove(_ session: SessionID, place: UInt32) -> SessionSlot? {
        guard let index = self.devices[Int(place)]?.sessions.firstIndex(where: { $0.id == session }) else { return nil }
        return self.devices[Int(place)]?.sessions.remove(at: index)
    }
}
