import CoAPMessages
import CommandSessions
import Primitives

/// What the gateway's owner does for its machine.
extension SimulatedLink {
    mutating func gatewayReceives(_ response: LinkResponse) throws(SessionViolation) {
        guard response.code == .content else {
            let isWrite = self.asked?.isWrite == true
            if response.code == .forbidden, case .writeOutcomeQuery? = self.asked { return try self.forget() }
            return try self.gatewayDoes(
                isWrite ? self.gateway.writeAnswered(response.code) : self.gateway.readRefused(response.code)
            )
        }
        guard case .readMessage2? = self.asked else {
            return try self.gatewayDoes(self.gateway.outcomeReceived(response.payload))
        }
        var payload = response.payload
        if self.isAttacked, self.random.chance(0.05),
            let other = self.attacker.message2(insteadOf: payload, &self.random)
        {
            self.counts.attacks += 1
            self.isDisturbed = true
            self.note { "attacker: another message 2, \(self.show(other))" }
            payload = other
        }
        try self.gatewayDoes(self.gateway.message2Received(payload))
    }

    mutating func gatewayDoes(_ action: GatewaySessionMachine.Action) throws(SessionViolation) {
        switch action {
        case .none: break
        case .store(let record):
            self.gatewaySide.pending = GatewayDisk(record: record, session: self.session, end: self.gateway.ending)
            let span = self.random.milliseconds(1, 30)
            self.schedule.add(.gatewayStores(life: self.gatewaySide.life), at: self.clock + span)
        case .sendMessage1(let message): self.send(.writeMessage1(message))
        case .readMessage2: self.send(.readMessage2)
        case .sendMessage3(let message):
            if let dsid = message.dsid {
                self.ledger.confirm(self.session, SessionPair(gsid: message.gsid, dsid: dsid))
            }
            self.send(.writeMessage3(message))
        case .sendOutcomeQuery(let pair):
            // After a restart the session may be one whose message 3 was not sent.
            if self.ledger.number(of: pair) == nil { self.ledger.confirm(self.session, pair) }
            self.send(.writeOutcomeQuery(pair))
        case .readOutcome: self.send(.readOutcome)
        case .finish(let end): try self.tell(end)
        case .wait(let interruption):
            self.note { "gateway: waits, \(interruption)" }
            self.resumptionsLeft -= 1
            self.scheduleResumption()
        }
    }

    mutating func scheduleResumption() {
        let span = self.random.milliseconds(1_000, 30_000)
        self.schedule.add(.gatewayResumes(life: self.gatewaySide.life), at: self.clock + span)
    }

    mutating func tell(_ end: GatewaySessionMachine.End) throws(SessionViolation) {
        self.note { "gateway: session \(self.session) is \(end)" }
        switch end {
        case .done: self.counts.completed += 1
        case .notDone(let cause):
            self.counts.aborted += 1
            if case .breach(let breach) = cause { self.counts.breaches[breach, default: 0] += 1 }
        case .unknown: self.counts.unknown += 1
        }
        try self.ledger.tell(end, to: self.session)
    }

    /// The device does not know the session that it is asked about: nobody will ever know what became of it.
    private mutating func forget() throws(SessionViolation) {
        self.note { "gateway: the device has forgotten session \(self.session)" }
        self.counts.forgotten += 1
        var record = self.gateway.record
        record.stage = .none
        self.gateway = GatewaySessionMachine(form: self.settings.form, record: record)
        self.gatewaySide.disk = GatewayDisk(record: record, session: self.session, end: .unknown)
        try self.tell(.unknown)
    }

    mutating func crashGateway() throws(SessionViolation) {
        let interrupted = self.gateway.isIdle ? nil : self.session
        self.note { "gateway: goes down" }
        self.counts.crashes += 1
        self.isDisturbed = true
        if let pending = self.gatewaySide.pending, self.random.chance(0.5) { self.gatewaySide.disk = pending }
        self.gatewaySide.pending = nil
        self.gatewaySide.life += 1
        let disk = self.gatewaySide.disk
        self.gateway = GatewaySessionMachine(form: self.settings.form, record: disk.record)
        self.patienceEnd = nil
        self.quietUntil = self.clock + Self.longestDelay
        let goesOn = self.gateway.isWaiting
        if let interrupted, interrupted != disk.session || !goesOn {
            try self.tell(interrupted == disk.session ? disk.end ?? .notDone(.unanswered) : .notDone(.unanswered))
        }
        self.session = disk.session
        if goesOn { self.scheduleResumption() }
    }

    mutating func gatewayLosesPatience() throws(SessionViolation) {
        self.note { "gateway: no answer" }
        self.patienceEnd = nil
        self.isDisturbed = true
        self.quietUntil = self.clock + Self.longestDelay
        try self.gatewayDoes(self.gateway.unanswered())
    }
}
