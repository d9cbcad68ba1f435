import CoAPMessages
import CommandSessions
import Primitives

/// What the device's engine does for its machine.
extension SimulatedLink {
    mutating func deviceReceives(_ request: LinkRequest, _ exchange: Int) throws(SessionViolation) {
        self.note { "        ─▶ device, \(self.show(request))" }
        switch request {
        case .writeMessage1(let message):
            let action = self.device.message1Received(message, identifier: try self.newIdentifier())
            try self.deviceDoes(action, exchange)
        case .readMessage2:
            guard let message = self.device.message2 else { return self.respond(.notFound, to: exchange) }
            self.attacker.hear(message)
            self.respond(.content, message.encoded, to: exchange)
        case .writeMessage3(let message):
            let action = self.device.message3Received(message)
            if case .store = action { self.echo = message }
            try self.deviceDoes(action, exchange)
        case .writeOutcomeQuery(let pair):
            switch self.device.outcomeAsked(pair) {
            case .answer(let outcome):
                self.outcome = SessionReport(outcome, of: pair).encoded
                self.respond(.changed, to: exchange)
            case let action: try self.deviceDoes(action, exchange)
            }
        case .readOutcome:
            guard let outcome = self.outcome else { return self.respond(.notFound, to: exchange) }
            self.respond(.content, outcome, to: exchange)
        }
    }

    mutating func deviceDoes(
        _ action: DeviceSessionMachine.Action,
        _ exchange: Int?
    ) throws(SessionViolation) {
        switch action {
        case .none: break
        case .store(let record):
            self.heldExchange = exchange
            self.deviceSide.pending = record
            let span = self.random.milliseconds(1, 30)
            self.schedule.add(.deviceStores(life: self.deviceSide.life), at: self.clock + span)
        case .acceptMessage1: self.respond(.changed, to: exchange)
        case .execute(let command):
            self.note { "device: executes" }
            try self.ledger.execute(command, self.echo)
            // Refusals of message 3 are among the codes that a command ends with.
            let refusals: [CoAPCode] = [.conflict, .created, .forbidden, .notFound, .serviceUnavailable]
            let code = self.random.chance(0.6) ? .changed : self.random.pick(refusals)
            let isBegun = !self.random.chance(self.weather.unreadiness)
            if !isBegun { self.isDisturbed = true }
            let isSlow = self.random.chance(self.weather.lateness)
            if isSlow { self.isDisturbed = true }
            let span = isSlow ? self.random.milliseconds(50_000, 150_000) : self.random.milliseconds(1, 300)
            let outcome = isBegun ? SessionOutcome.done(code) : .notDone
            self.schedule.add(.deviceExecutes(outcome, life: self.deviceSide.life), at: self.clock + span)
        case .answer(.done(let code)): self.respond(code, to: exchange)
        case .answer: self.respond(.internalServerError, to: exchange)
        case .refuse(let refusal): self.respond(self.code(of: refusal), to: exchange)
        }
    }

    private mutating func code(of refusal: DeviceSessionMachine.Refusal) -> CoAPCode {
        switch refusal {
        case .breach(let breach):
            self.counts.breaches[breach, default: 0] += 1
            self.note { "device: breach, \(breach.name)" }
            return .forbidden
        case .busy: return .serviceUnavailable
        case .late:
            self.counts.late += 1
            return .conflict
        case .malformed: return .badRequest
        case .notStored: return .internalServerError
        }
    }

    mutating func crashDevice() {
        self.note { "device: goes down" }
        self.counts.crashes += 1
        self.isDisturbed = true
        if let pending = self.deviceSide.pending, self.random.chance(0.5) { self.deviceSide.disk = pending }
        self.deviceSide.pending = nil
        self.deviceSide.life += 1
        self.device = DeviceSessionMachine(
            form: self.settings.form,
            timeout: Self.timeout,
            record: self.deviceSide.disk
        )
        self.heldExchange = nil
        self.outcome = nil
    }
}
