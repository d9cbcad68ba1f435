import CoAPMessages
import CommandSessions
import LwM2MModel
import Primitives

/// A gateway and a device with a link between them that loses, doubles, delays and reorders; either side goes down at
/// any step and comes back with what it had stored; somebody may listen and send what it heard once more, or changed.
///
/// Everything comes from the seed. A ``SessionLedger`` holds what really happened against what either side believes.
struct SimulatedLink {
    struct Settings: Sendable {
        var form = SessionForm.bothIdentifiers
        /// Whether the gateway, after a message without an answer, begins no session before all copies of older
        /// messages have arrived or are lost for good.
        var isQuiet = true
        var isAttacked = false
        var seed: UInt64 = 1
    }

    /// What a side keeps besides its machine.
    struct Side<Record> {
        /// What is durable.
        var disk: Record
        /// What is on its way to be.
        var pending: Record?
        /// How often it was started: what it began in an earlier life does not come to an end.
        var life = 0
    }

    /// What the gateway makes durable in one step: the record, and how the session ended once it did.
    struct GatewayDisk {
        var record = GatewaySessionRecord()
        var session = 0
        var end: GatewaySessionMachine.End?
    }

    /// How long a copy of a message travels at most: MAX_LATENCY of RFC 7252, section 4.8.2.
    static let longestDelay = Span.seconds(100)
    /// How long the gateway waits for an answer: MAX_TRANSMIT_WAIT of the same section, or less.
    static let patience = Span.seconds(93)
    static let timeout = Duration.seconds(60)

    let settings: Settings
    var counts = LinkCounts()
    /// For who looks into a failure; nil when nobody does.
    let transcript: LinkTranscript?

    var random: SeededGenerator
    var identifiers: RandomSource
    var clock = MonotonicTime.zero
    var schedule = LinkSchedule()
    var weather = LinkWeather.calm
    var ledger = SessionLedger()
    var attacker = LinkAttacker()
    var isAttacked: Bool

    var device: DeviceSessionMachine
    var deviceSide = Side(disk: DeviceSessionRecord())
    /// The request that is answered once the device has stored and executed.
    var heldExchange: Int?
    /// The message 3 that the command runs by.
    var echo: SessionMessage?
    /// The resource Outcome.
    var outcome: [UInt8]?

    var gateway: GatewaySessionMachine
    var gatewaySide = Side(disk: GatewayDisk())
    /// The session that the gateway is in.
    var session = 0
    var exchange = 0
    /// What the gateway asked last.
    var asked: LinkRequest?
    /// When it stops waiting for the answer; nil while it waits for none.
    var patienceEnd: MonotonicTime?
    var quietUntil = MonotonicTime.zero
    var resumptionsLeft = 0

    /// Whether something went wrong since the session began.
    var isDisturbed = false
    var wasUndisturbedAborted = false

    init(_ settings: Settings, transcript: LinkTranscript? = nil) {
        self.transcript = transcript
        self.settings = settings
        self.isAttacked = settings.isAttacked
        self.random = SeededGenerator(seed: settings.seed)
        self.identifiers = RandomSource(seed: ~settings.seed)
        self.device = DeviceSessionMachine(form: settings.form, timeout: Self.timeout)
        self.gateway = GatewaySessionMachine(form: settings.form)
    }

    // MARK: Sessions

    /// Runs sessions in changing weather and, once everything older has arrived, two in calm weather: of those the
    /// second completes.
    mutating func run(sessions: Int) throws(SessionViolation) {
        for _ in 0..<sessions {
            let weather = LinkWeather.any(&self.random)
            try self.pause(self.random.chance(0.3) ? self.random.milliseconds(0, 200_000) : .seconds(0))
            try self.runSession(weather)
        }
        self.isAttacked = false
        self.weather = .calm
        try self.pause(.seconds(300))
        try self.runSession(.calm)
        let completed = self.counts.completed
        try self.runSession(.calm)
        guard self.counts.completed == completed + 1 else { throw .notRecovered }
    }

    /// Runs one session: first whatever is left to know of the one before, then a new command.
    mutating func runSession(_ weather: LinkWeather) throws(SessionViolation) {
        self.weather = weather
        if !self.gateway.isIdle { try self.finishSession() }
        guard self.gateway.isIdle else { return }
        if self.settings.isQuiet, self.quietUntil > self.clock { try self.passTime(until: self.quietUntil) }
        // It may have gone down meanwhile, and have come back with a session whose end it could not store.
        guard self.gateway.isIdle else { return }

        let command = try self.makeCommand()
        self.ledger.begin(command)
        self.session = self.ledger.newest
        self.counts.sessions += 1
        self.isDisturbed = false
        self.note { "session \(self.session), \(weather)" }
        let completed = self.counts.completed
        try self.gatewayDoes(self.gateway.begin(command, identifier: try self.newIdentifier()))
        try self.finishSession()
        try self.judge(hasCompleted: self.counts.completed > completed)
    }

    mutating func judge(hasCompleted: Bool) throws(SessionViolation) {
        guard !self.isDisturbed else { return }
        self.counts.undisturbed += 1
        if hasCompleted {
            self.wasUndisturbedAborted = false
            return
        }
        self.counts.undisturbedAborted += 1
        guard !self.wasUndisturbedAborted else { throw .notRecovered }
        self.wasUndisturbedAborted = true
    }

    /// Lets things happen until the gateway is idle or has asked often enough.
    mutating func finishSession() throws(SessionViolation) {
        self.resumptionsLeft = 5
        if self.gateway.isWaiting { self.scheduleResumption() }
        while !self.gateway.isIdle, !self.gateway.isWaiting || self.resumptionsLeft > 0 {
            guard try self.step(until: nil) else { throw .stuck }
        }
    }

    mutating func pause(_ span: Span) throws(SessionViolation) {
        try self.passTime(until: self.clock + span)
    }

    mutating func passTime(until time: MonotonicTime) throws(SessionViolation) {
        while try self.step(until: time) {}
        self.clock = time
    }

    mutating func makeCommand() throws(SessionViolation) -> SessionCommand {
        // Few values, so that commands repeat: what tells sessions apart are the identifiers.
        let payload = [UInt8](repeating: UInt8(self.random.below(3)), count: self.random.below(3))
        let operation = self.random.pick(SessionCommand.Operation.allCases)
        guard let command = SessionCommand(operation, ObjectPath(3303, 0, 5601), payload: payload) else {
            throw .stuck
        }
        return command
    }

    mutating func newIdentifier() throws(SessionViolation) -> SessionIdentifier {
        guard let identifier = SessionIdentifier(from: &self.identifiers) else { throw .stuck }
        return identifier
    }

    // MARK: Time

    /// Lets the next thing happen.
    ///
    /// - Returns: false when there is none, or none until then.
    mutating func step(until limit: MonotonicTime?) throws(SessionViolation) -> Bool {
        var next = MonotonicTime(nanoseconds: .max)
        if let time = self.schedule.nextTime { next = time }
        if let deadline = self.device.nextDeadline, deadline < next { next = deadline }
        if let end = self.patienceEnd, end < next { next = end }
        guard next <= limit ?? MonotonicTime(nanoseconds: .max - 1) else { return false }
        self.clock = max(self.clock, next)
        if self.device.deadlineReached(now: self.clock) {
            self.note { "device: the session timed out" }
        } else if let end = self.patienceEnd, end <= self.clock {
            try self.gatewayLosesPatience()
        } else if let event = self.schedule.next() {
            try self.handle(event)
        }
        try self.check(self.device.record.gsid, self.device.record.dsid)
        try self.check(self.gateway.record.gsid, self.gateway.record.dsid)
        if self.isAttacked, self.random.chance(0.1) { self.attack() }
        if self.random.chance(self.weather.crash) { self.crashDevice() }
        if self.random.chance(self.weather.crash) { try self.crashGateway() }
        return true
    }

    mutating func handle(_ event: LinkEvent) throws(SessionViolation) {
        switch event {
        case .requestArrives(let request, let exchange, let session):
            if session != self.session { self.isDisturbed = true }
            try self.deviceReceives(request, exchange)
        case .responseArrives(let response, let exchange):
            guard self.patienceEnd != nil, exchange == self.exchange else { return }
            self.patienceEnd = nil
            try self.gatewayReceives(response)
        case .gatewayResumes(let life):
            guard life == self.gatewaySide.life else { return }
            try self.gatewayDoes(self.gateway.resume())
        case .gatewayStores(let life):
            guard life == self.gatewaySide.life, let pending = self.gatewaySide.pending else { return }
            self.gatewaySide.pending = nil
            if self.storageFails() {
                self.note { "gateway: storage failed" }
                try self.gatewayDoes(self.gateway.storageFailed())
            } else {
                self.gatewaySide.disk = pending
                try self.gatewayDoes(self.gateway.stored())
            }
        case .deviceStores(let life):
            guard life == self.deviceSide.life, let pending = self.deviceSide.pending else { return }
            self.deviceSide.pending = nil
            if self.storageFails() {
                self.note { "device: storage failed" }
                try self.deviceDoes(self.device.storageFailed(), self.heldExchange)
            } else {
                self.deviceSide.disk = pending
                try self.deviceDoes(self.device.stored(now: self.clock), self.heldExchange)
            }
        case .deviceExecutes(let outcome, let life):
            guard life == self.deviceSide.life, let pair = self.device.record.lastExecution?.pair else { return }
            self.note { "device: executed, \(outcome)" }
            if outcome == .notDone { self.counts.notBegun += 1 }
            self.ledger.finish(outcome, pair)
            try self.deviceDoes(self.device.executed(outcome), self.heldExchange)
        }
    }

    mutating func storageFails() -> Bool {
        guard self.random.chance(self.weather.storageFailure) else { return false }
        self.counts.storageFailures += 1
        self.isDisturbed = true
        return true
    }

    func check(_ caches: IdentifierCache...) throws(SessionViolation) {
        for cache in caches {
            guard let provisional = cache.provisional, let established = cache.established else { continue }
            guard provisional != established else { throw .cacheHoldsItTwice }
        }
    }

    // MARK: The link

    mutating func send(_ request: LinkRequest) {
        self.exchange += 1
        let patience = self.random.chance(0.3) ? self.random.milliseconds(3_000, 40_000) : Self.patience
        self.patienceEnd = self.clock + patience
        self.asked = request
        self.attacker.hear(request)
        self.note { "gateway ─▶ \(self.show(request))" }
        self.deliver(.requestArrives(request, exchange: self.exchange, session: self.session))
    }

    mutating func respond(_ code: CoAPCode, _ payload: [UInt8] = [], to exchange: Int?) {
        guard let exchange else { return }
        self.note { "       ◀─ device \(code) \(payload.isEmpty ? "" : self.show(payload))" }
        self.deliver(.responseArrives(LinkResponse(code: code, payload: payload), exchange: exchange))
    }

    mutating func deliver(_ event: LinkEvent) {
        self.counts.messages += 1
        var copies = 1
        while copies < 4, self.random.chance(self.weather.duplication) { copies += 1 }
        if copies > 1 {
            self.counts.duplicated += 1
            self.isDisturbed = true
        }
        var arriving = 0
        for _ in 0..<copies where !self.random.chance(self.weather.loss) {
            arriving += 1
            let isLate = self.random.chance(self.weather.lateness)
            if isLate { self.isDisturbed = true }
            let delay = isLate ? self.random.milliseconds(3_000, 100_000) : self.random.milliseconds(5, 1_000)
            self.schedule.add(event, at: self.clock + delay)
        }
        if arriving == 0 {
            self.counts.lost += 1
            self.isDisturbed = true
            self.note { "lost" }
        }
    }

    mutating func attack() {
        guard let request = self.attacker.request(&self.random) else { return }
        self.counts.attacks += 1
        self.isDisturbed = true
        self.note { "attacker ─▶ \(self.show(request))" }
        let delay = self.random.milliseconds(1, 2_000)
        self.schedule.add(.requestArrives(request, exchange: -1, session: self.session), at: self.clock + delay)
    }
}
