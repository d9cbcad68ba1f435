internal import CoAPMessages
internal import LwM2MCodecs
internal import LwM2MModel
internal import Primitives

/// Commands to devices, their answers and the observations they begin.
extension ManagementEngine {
    mutating func give(_ id: CommandID, _ endpoint: UTF8Text, _ operation: DeviceOperation, now: MonotonicTime) {
        do throws(CommandFailure) {
            guard let slot = self.slotsByEndpoint[endpoint] else { throw .notRegistered }
            try self.enqueue(id, operation, slot, now: now)
        } catch {
            self.counters.commandsFailed += 1
            self.emit(.commandFinished(id, endpoint: endpoint, .failed(error)))
        }
    }

    mutating func observeAutomatically(_ slot: Int, now: MonotonicTime) {
        guard let objects = self.devices[slot]?.registration.objects else { return }
        for path in self.configuration.automaticObservations
        where objects.entries.contains(where: { $0.path.contains(path) || path.contains($0.path) }) {
            try? self.enqueue(nil, .observe(path), slot, now: now)
        }
    }

    private mutating func enqueue(
        _ id: CommandID?,
        _ operation: DeviceOperation,
        _ slot: Int,
        now: MonotonicTime
    ) throws(CommandFailure) {
        guard let device = self.devices[slot] else { throw .notRegistered }
        guard device.queue.count < self.configuration.maximumPendingCommands else { throw .queueFull }
        switch operation {
        case .observe(let path, _):
            let isNew = !device.observations.contains { $0.path == path }
            if isNew, device.observations.count >= self.configuration.maximumObservations {
                throw .tooManyObservations
            }
        case .cancelObservation(let path):
            guard device.observations.contains(where: { $0.path == path }) else { throw .notObserved(path) }
        default: break
        }
        let request = try operation.request(for: device.registration)
        // A sleeping device gets its commands when it wakes, which may take a lifetime.
        let sleep: Duration = device.registration.isQueueMode ? .seconds(Int64(device.registration.lifetime)) : .zero
        let deadline = now.advanced(by: self.configuration.commandTimeout + sleep)
        self.devices[slot]?.queue.enqueue(
            PendingCommand(id: id, operation: operation, request: request, deadline: deadline)
        )
        self.setCommandTimer(slot)
        // A command of the engine's own waits for the answer to Register, behind which it is sent.
        if id != nil { self.pump(slot, now: now) }
    }

    /// Sends the device's next command when it can be sent.
    mutating func pump(_ slot: Int, now: MonotonicTime) {
        guard let device = self.devices[slot], device.queue.isReady, let session = device.session,
            device.isReachable(now: now, awakeWindow: self.configuration.awakeWindow)
        else { return }
        let request = self.makeRequestID()
        guard let command = self.devices[slot]?.queue.begin(as: request) else { return }
        self.requests[request] = .command(slot)
        self.emit(.sendRequest(request, session, command.request))
        self.setCommandTimer(slot)
    }

    func commandDeadline(_ slot: Int) -> MonotonicTime? { self.devices[slot]?.queue.nextDeadline }

    mutating func setCommandTimer(_ slot: Int) {
        self.timers.set(self.commandDeadline(slot), for: .command(slot))
    }

    // MARK: Answers

    mutating func take(_ response: CoAPResponse, to request: RequestID, now: MonotonicTime) {
        switch self.requests[request] {
        case .command(let slot):
            self.requests[request] = nil
            self.takeAnswer(response, to: request, slot, now: now)
        case .observation(let slot):
            self.takeNotification(response, of: request, slot, now: now)
        case nil: break
        }
    }

    private mutating func takeAnswer(_ response: CoAPResponse, to request: RequestID, _ slot: Int, now: MonotonicTime) {
        guard let command = self.devices[slot]?.queue.finish(request),
            let endpoint = self.devices[slot]?.registration.endpoint
        else { return }
        self.devices[slot]?.lastHeard = now
        let answer = DeviceAnswer(response, to: command.operation, registry: self.registry)
        if case .unreadable = answer, response.code.isSuccess { self.counters.unreadableBodies += 1 }
        var result = CommandResult.answered(response.code, answer)
        switch command.operation {
        case .observe(let path, _) where response.code.isSuccess:
            if let sequence = response.options.observe {
                self.beginObservation(path, request, sequence, slot, now: now)
            } else {
                result = .failed(.observationRefused)
            }
        case .cancelObservation(let path):
            self.endObservation(path, of: slot, .cancelled)
        default: break
        }
        self.finish(command, endpoint, result)
        self.setCommandTimer(slot)
        self.pump(slot, now: now)
    }

    mutating func fail(_ request: RequestID, _ failure: RequestFailure, now: MonotonicTime) {
        guard let owner = self.requests.removeValue(forKey: request) else { return }
        switch owner {
        case .command(let slot):
            guard let command = self.devices[slot]?.queue.finish(request),
                let endpoint = self.devices[slot]?.registration.endpoint
            else { return }
            self.finish(command, endpoint, .failed(.unreachable(failure)))
            self.setCommandTimer(slot)
            self.pump(slot, now: now)
        case .observation(let slot):
            guard let observation = self.devices[slot]?.observations.first(where: { $0.request == request }) else {
                return
            }
            self.endObservation(observation.path, of: slot, .sessionClosed)
        }
    }

    mutating func dropExpiredCommands(_ slot: Int, now: MonotonicTime) {
        guard let endpoint = self.devices[slot]?.registration.endpoint else { return }
        let running = self.devices[slot]?.queue.runningRequest
        for command in self.devices[slot]?.queue.dropExpired(now: now) ?? [] {
            self.finish(command, endpoint, .failed(.unreachable(.timedOut)))
        }
        if let running, self.devices[slot]?.queue.runningRequest != running { self.requests[running] = nil }
        self.setCommandTimer(slot)
        self.pump(slot, now: now)
    }

    mutating func finish(_ command: PendingCommand, _ endpoint: UTF8Text, _ result: CommandResult) {
        if case .answered = result { self.counters.commandsAnswered += 1 } else { self.counters.commandsFailed += 1 }
        guard let id = command.id else { return }
        self.emit(.commandFinished(id, endpoint: endpoint, result))
    }

    // MARK: Observations

    private mutating func beginObservation(
        _ path: ObjectPath,
        _ request: RequestID,
        _ sequence: UInt64,
        _ slot: Int,
        now: MonotonicTime
    ) {
        guard let session = self.devices[slot]?.session else { return }
        self.endObservation(path, of: slot, .replaced)
        // Commands that waited together may have been let in together.
        guard (self.devices[slot]?.observations.count ?? 0) < self.configuration.maximumObservations else {
            self.emit(.cancelObservation(request, session))
            return
        }
        self.requests[request] = .observation(slot)
        self.devices[slot]?.observations.append(
            ObservationRecord(path: path, request: request, session: session, sequence: sequence, now: now)
        )
    }

    private mutating func takeNotification(
        _ response: CoAPResponse,
        of request: RequestID,
        _ slot: Int,
        now: MonotonicTime
    ) {
        guard let index = self.devices[slot]?.observations.firstIndex(where: { $0.request == request }),
            let path = self.devices[slot]?.observations[index].path,
            let endpoint = self.devices[slot]?.registration.endpoint
        else { return }
        self.devices[slot]?.lastHeard = now
        self.counters.notifications += 1
        guard response.code.isSuccess else {
            self.endObservation(path, of: slot, .refused(response.code))
            return
        }
        if let sequence = response.options.observe {
            guard self.devices[slot]?.observations[index].take(sequence: sequence, now: now) == true else {
                self.counters.staleNotifications += 1
                return
            }
        }
        let answer = DeviceAnswer(body: response, at: path, registry: self.registry)
        if case .unreadable = answer { self.counters.unreadableBodies += 1 }
        self.emit(.notified(endpoint: endpoint, path, answer))
        // RFC 7641, section 3.2: an answer without the option is the last one.
        if response.options.observe == nil { self.endObservation(path, of: slot, .refused(response.code)) }
        self.pump(slot, now: now)
    }

    private mutating func endObservation(_ path: ObjectPath, of slot: Int, _ reason: ObservationEnd) {
        guard let index = self.devices[slot]?.observations.firstIndex(where: { $0.path == path }),
            let observation = self.devices[slot]?.observations.remove(at: index),
            let endpoint = self.devices[slot]?.registration.endpoint
        else { return }
        self.requests[observation.request] = nil
        if self.sessions[observation.session] != nil {
            self.emit(.cancelObservation(observation.request, observation.session))
        }
        self.emit(.observationEnded(endpoint: endpoint, path, reason))
    }

    mutating func endObservations(of slot: Int, _ reason: ObservationEnd) {
        for observation in self.devices[slot]?.observations ?? [] {
            self.endObservation(observation.path, of: slot, reason)
        }
    }
}
