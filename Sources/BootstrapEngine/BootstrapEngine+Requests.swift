internal import CoAPMessages
internal import LwM2MModel
internal import Primitives

/// What devices ask, and whether they may: identity first, then the host that they asked for.
extension BootstrapEngine {
    mutating func serve(
        _ exchange: ExchangeID,
        _ session: SessionID,
        _ request: CoAPRequest,
        now: MonotonicTime
    ) {
        var sender: UTF8Text?
        do throws(BootstrapRefusal) {
            guard let known = self.sessions[session] else { throw .busy }
            let parameters = try BootstrapRequest(
                request,
                serverName: known.serverName ?? self.configuration.hostRule?.impliedHost
            )
            sender = parameters.endpoint
            let endpoint = try self.endpoint(named: parameters.endpoint, identity: known.identity)
            sender = endpoint
            if self.configuration.hostRule == nil {
                guard parameters.address.path.isEmpty else { throw .notFound }
            } else {
                guard parameters.address.host != nil else { throw .missingHost }
            }
            guard !self.isDraining else { throw .draining }
            // A device that asks again has given up what was under way.
            let before = known.procedure.flatMap { self.procedures[$0] }
            if let procedure = known.procedure { self.fail(procedure, .restarted) }
            guard self.procedures.count < self.configuration.maximumProcedures else { throw .busy }
            self.lastProcedure += 1
            let id = ProcedureID(rawValue: self.lastProcedure)
            self.procedures[id] = Procedure(
                endpoint: endpoint,
                identity: known.identity,
                session: session,
                format: parameters.format,
                address: parameters.address,
                isKnownHere: before?.machine != nil && before?.address == parameters.address,
                since: now,
                exchange: exchange
            )
            self.sessions[session]?.procedure = id
            self.timers.set(now.advanced(by: self.configuration.stepTimeout), for: id)
            if self.configuration.hostRule == nil {
                self.emit(.choosePlan(id, endpoint: endpoint, identity: known.identity))
            } else {
                self.emit(.findSecret(id, endpoint: endpoint, identity: known.identity))
            }
        } catch {
            self.refuse(exchange, session, endpoint: sender, error)
        }
    }

    private func endpoint(named name: UTF8Text?, identity: [UInt8]?) throws(BootstrapRefusal) -> UTF8Text {
        do {
            return try self.configuration.endpointRule.endpoint(named: name, identity: identity)
        } catch {
            throw error == .mismatch ? .identityMismatch : .malformed
        }
    }

    mutating func refuse(
        _ exchange: ExchangeID,
        _ session: SessionID,
        endpoint: UTF8Text?,
        _ refusal: BootstrapRefusal
    ) {
        self.counters.count(refusal)
        var response = CoAPResponse(refusal.code)
        if refusal.code == .serviceUnavailable {
            response.options.append(.maxAge, unsigned: UInt64(self.configuration.retryAfter))
        }
        self.emit(.sendResponse(exchange, response))
        self.emit(.report(.refused(session, endpoint: endpoint, refusal)))
    }

    // MARK: Hosts

    /// Judges the host that a device asked for.
    mutating func judge(_ id: ProcedureID, _ secret: SecretBytes?, now: MonotonicTime) {
        guard let procedure = self.procedures[id], procedure.exchange != nil, procedure.machine == nil,
            procedure.doubt == nil, let rule = self.configuration.hostRule
        else { return }
        guard let secret else {
            self.refuse(id, .unknownEndpoint)
            return
        }
        guard let clock = self.clock else {
            self.refuse(id, .busy)
            return
        }
        let elapsed = clock.at.duration(to: now).components.seconds
        let (seconds, overflow) = clock.time.secondsSinceEpoch.addingReportingOverflow(elapsed)
        let time = overflow ? clock.time : WallTime(secondsSinceEpoch: seconds)
        switch rule.verdict(procedure.address, endpoint: procedure.endpoint, secret: secret, at: time) {
        case .current: self.choosePlan(id, now: now)
        case .fallback:
            self.counters.staticHosts += 1
            self.choosePlan(id, now: now)
        case .expired: self.doubt(id, .expiredHost, now: now)
        case .unknown: self.doubt(id, .unknownHost, now: now)
        }
    }

    /// Accepts a host that is not of now only if it is pinned.
    private mutating func doubt(_ id: ProcedureID, _ refusal: BootstrapRefusal, now: MonotonicTime) {
        guard let procedure = self.procedures[id], let rule = self.configuration.hostRule else { return }
        if procedure.isKnownHere {
            self.counters.pinnedHosts += 1
            self.choosePlan(id, now: now)
        } else if rule.asksForPins, self.questions < rule.maximumQuestions, let host = procedure.address.host {
            self.questions += 1
            self.procedures[id]?.doubt = refusal
            self.timers.set(now.advanced(by: rule.pinTimeout), for: id)
            self.emit(.askPin(id, endpoint: procedure.endpoint, host: host))
        } else {
            self.refuse(id, refusal)
        }
    }

    mutating func settle(_ id: ProcedureID, isPinned: Bool, now: MonotonicTime) {
        guard let doubt = self.procedures[id]?.doubt else { return }
        guard isPinned else {
            self.refuse(id, doubt)
            return
        }
        self.questions -= 1
        self.procedures[id]?.doubt = nil
        self.counters.pinnedHosts += 1
        self.choosePlan(id, now: now)
    }

    private mutating func choosePlan(_ id: ProcedureID, now: MonotonicTime) {
        guard let procedure = self.procedures[id] else { return }
        self.timers.set(now.advanced(by: self.configuration.stepTimeout), for: id)
        self.emit(.choosePlan(id, endpoint: procedure.endpoint, identity: procedure.identity))
    }
}
