import CoAPMessages
import CommandSessions
import GatewayEngine
import LwM2MModel
import Primitives

/// A gateway and three devices in a world where everything goes wrong, and an eye on what is executed.
///
/// Messages and answers are lost, doubled, and arrive after they were given up; stores fail and are slow; gateway and
/// devices go down at any moment and come back with what was durable. The clock jumps to what happens next.
final class LossyWorld {
    enum Arrival {
        /// Something is told to the gateway, unless it went down since.
        case told(GatewayEvent, life: Int)
        /// A write or read reaches a device; nobody waits for the answer to one that is doubled or was given up.
        case operation(device: Int, resource: UInt16, [UInt8], GatewayOperationID?, life: Int)
        case deviceStored(device: Int, life: Int)
        case deviceExecuted(device: Int, life: Int)
        case appears(device: Int)
        case given(GatewayCommand)
    }

    struct Device {
        var machine = DeviceSessionMachine(form: .bothIdentifiers)
        var durable = DeviceSessionRecord()
        var life = 0
        /// Who waits for the answer to message 1 or 3.
        var waiting: (GatewayOperationID?, life: Int)?
        var report: SessionReport?
        /// What was executed, by the number of the command.
        var executed: [UInt64: Int] = [:]
    }

    static let deviceCount = 3

    var generator: SeededGenerator
    var engine: GatewayEngine
    var life = 0
    var now = MonotonicTime.zero
    var snapshot = GatewaySnapshot()
    var devices = [Device](repeating: Device(), count: LossyWorld.deviceCount)
    /// Whether things go wrong still.
    var troubled = true
    /// Whether nothing that was sent before arrives behind a new session with a device, as with DTLS.
    let isSecured: Bool
    var random: RandomSource
    private var arrivals: [(time: MonotonicTime, arrival: Arrival)] = []
    private(set) var accepted: Set<UInt64> = []
    /// How commands ended, from when that is durable.
    private(set) var outcomes: [UInt64: CommandOutcome] = [:]
    private(set) var problems: [String] = []
    private(set) var crashes = 0
    private(set) var lastCommand: UInt64 = 0
    private var lastSession: UInt32 = 0

    init(seed: SeededGenerator, isSecured: Bool) {
        self.generator = seed
        self.isSecured = isSecured
        self.random = RandomSource(seed: self.generator.next())
        self.engine = Self.makeEngine(seed: self.generator.next())
        self.begin()
    }

    private static func makeEngine(seed: UInt64) -> GatewayEngine {
        var configuration = GatewayConfiguration()
        configuration.suspension = .seconds(300)
        return GatewayEngine(configuration: configuration, random: RandomSource(seed: seed))
    }

    static func endpoint(_ device: Int) -> UTF8Text { UTF8Text("dev\(device)") }

    private func chance(_ percent: UInt64) -> Bool { self.troubled && self.generator.next() % 100 < percent }

    private func later(_ milliseconds: ClosedRange<UInt64>, _ arrival: Arrival) {
        let span = milliseconds.upperBound - milliseconds.lowerBound
        let delay = milliseconds.lowerBound + self.generator.next() % (span + 1)
        self.arrivals.append((self.now.advanced(by: .milliseconds(Int64(delay))), arrival))
    }

    // MARK: The run

    func give(within seconds: UInt64, to device: Int) {
        self.lastCommand += 1
        guard
            let command = SessionCommand(.execute, ObjectPath(3, 0, 4), payload: Array("\(self.lastCommand)".utf8))
        else { return }
        self.later(
            0...(seconds * 1000),
            .given(
                GatewayCommand(
                    id: GatewayCommandID(rawValue: self.lastCommand),
                    endpoint: Self.endpoint(device),
                    command: command,
                    user: "alice"
                )
            )
        )
    }

    /// Lets the next thing happen.
    ///
    /// - Returns: false when nothing will any more.
    func step() -> Bool {
        if self.chance(1), self.generator.next() % 4 == 0 { self.crashDevice(Int(self.generator.next() % 3)) }
        let deadline = self.engine.nextDeadline
        let next = self.arrivals.indices.min { self.arrivals[$0].time < self.arrivals[$1].time }
        guard let time = [deadline, next.map { self.arrivals[$0].time }].compactMap({ $0 }).min() else { return false }
        self.now = max(self.now, time)
        for index in self.devices.indices { _ = self.devices[index].machine.deadlineReached(now: self.now) }
        guard let next, self.arrivals[next].time <= time else {
            self.tell(.deadlineReached)
            return true
        }
        self.take(self.arrivals.remove(at: next).arrival)
        return true
    }

    private func take(_ arrival: Arrival) {
        switch arrival {
        case .told(let event, self.life): self.tell(event)
        case .told: break
        case .appears(let device):
            if self.isSecured {
                self.arrivals.removeAll {
                    if case .operation(device, _, _, _, _) = $0.arrival { true } else { false }
                }
            }
            self.tell(.deviceAvailable(endpoint: Self.endpoint(device), securedSession: self.makeSession()))
        case .given(let command): self.tell(.commandGiven(command))
        case .operation(let device, let resource, let bytes, let id, let life):
            self.arrive(device, resource, bytes, id, life)
        case .deviceStored(let index, let life):
            guard life == self.devices[index].life else { return }
            self.perform(self.devices[index].machine.stored(now: self.now), index)
        case .deviceExecuted(let index, let life):
            guard life == self.devices[index].life else { return }
            self.perform(self.devices[index].machine.executed(.done(.changed)), index)
        }
    }

    private func makeSession() -> UInt32? {
        guard self.isSecured else { return nil }
        self.lastSession += 1
        return self.lastSession
    }

    // MARK: The gateway

    func begin() {
        self.tell(.restored(self.snapshot))
        for device in self.devices.indices {
            self.later(0...(self.troubled ? 60_000 : 1000), .appears(device: device))
        }
    }

    private func tell(_ event: GatewayEvent) {
        self.engine.handle(event, now: self.now)
        let life = self.life
        while life == self.life, let output = self.engine.nextOutput() { self.perform(output) }
    }

    private func crashGateway() {
        self.crashes += 1
        self.life += 1
        self.engine = Self.makeEngine(seed: self.generator.next())
        self.now = self.now.advanced(by: .seconds(Int64(self.generator.next() % 30)))
        self.begin()
    }

    private func perform(_ output: GatewayOutput) {
        let isStep = output.store != nil || output.operation != nil
        if isStep, self.chance(2) { return self.crashGateway() }
        switch output {
        case .store(let id, let changes):
            if self.chance(5) {
                self.later(0...500, .told(.storageFailed(id), life: self.life))
            } else {
                self.snapshot.apply(changes)
                for case .commandFinished(let id, let outcome) in changes { self.check(id.rawValue, outcome) }
                self.later(0...(self.troubled ? 500 : 5), .told(.stored(id), life: self.life))
            }
        case .write(let id, let endpoint, let path, let bytes): self.send(id, endpoint, path, bytes)
        case .read(let id, let endpoint, let path): self.send(id, endpoint, path, [])
        case .commandAccepted(let id, _): self.accepted.insert(id.rawValue)
        case .commandFinished(let id, _, let outcome):
            if self.outcomes[id.rawValue] != outcome { self.problems.append("\(id) told \(outcome), not durable") }
        case .commandRefused, .standingAnswered, .sessionResetAnswered, .identifiersAnswered, .report: break
        }
        if isStep, self.chance(2) { self.crashGateway() }
    }

    private func send(_ id: GatewayOperationID, _ endpoint: UTF8Text, _ path: ObjectPath, _ bytes: [UInt8]) {
        guard let device = self.devices.indices.first(where: { Self.endpoint($0) == endpoint }),
            let resource = path.resource
        else { return }
        // The transport gives up after 90 s, whatever becomes of the message.
        self.later(90_000...90_000, .told(.operationAnswered(id, .unanswered), life: self.life))
        let arrival = Arrival.operation(device: device, resource: resource, bytes, id, life: self.life)
        guard !self.chance(8) else { return }
        self.later(1...(self.chance(10) ? 99_000 : 200), arrival)
        if self.chance(4) {
            self.later(1...99_000, .operation(device: device, resource: resource, bytes, nil, life: self.life))
        }
    }

    // MARK: The devices

    private func crashDevice(_ index: Int) {
        self.crashes += 1
        self.devices[index].life += 1
        self.devices[index].waiting = nil
        self.devices[index].report = nil
        self.devices[index].machine = DeviceSessionMachine(form: .bothIdentifiers, record: self.devices[index].durable)
        self.later(100...20_000, .appears(device: index))
    }

    private func arrive(_ index: Int, _ resource: UInt16, _ bytes: [UInt8], _ id: GatewayOperationID?, _ life: Int) {
        switch resource {
        case 0:
            guard let message = try? SessionMessage(decoding: bytes),
                let identifier = SessionIdentifier(from: &self.random)
            else { return self.problems.append("message 1 is malformed") }
            let action = self.devices[index].machine.message1Received(message, identifier: identifier)
            if case .store = action { self.devices[index].waiting = (id, life) }
            self.perform(action, index, (id, life))
        case 2:
            guard let message = try? SessionMessage(decoding: bytes) else {
                return self.problems.append("message 3 is malformed")
            }
            let action = self.devices[index].machine.message3Received(message)
            if case .store = action { self.devices[index].waiting = (id, life) }
            self.perform(action, index, (id, life))
        case 8:
            guard let pair = try? SessionPair(decoding: bytes) else {
                return self.problems.append("the question is malformed")
            }
            switch self.devices[index].machine.outcomeAsked(pair) {
            case .answer(let outcome):
                self.devices[index].report = SessionReport(outcome, of: pair)
                self.answer((id, life), .writeAnswered(.changed))
            default: self.answer((id, life), .writeAnswered(.forbidden))
            }
        case 1:
            let answer = self.devices[index].machine.message2.map { OperationAnswer.readAnswered($0.encoded) }
            self.answer((id, life), answer ?? .readRefused(.notFound))
        default:
            let answer = self.devices[index].report.map { OperationAnswer.readAnswered($0.encoded) }
            self.answer((id, life), answer ?? .readRefused(.notFound))
        }
    }

    private func answer(_ waiting: (GatewayOperationID?, life: Int)?, _ answer: OperationAnswer) {
        guard let (id, life) = waiting, let id, !self.chance(8) else { return }
        // An answer behind the transport's patience finds nobody: the engine knows the number no more.
        self.later(1...200, .told(.operationAnswered(id, answer), life: life))
    }

    private func perform(
        _ action: DeviceSessionMachine.Action,
        _ index: Int,
        _ asked: (GatewayOperationID?, life: Int)? = nil
    ) {
        let waiting = asked ?? self.devices[index].waiting
        switch action {
        case .none: break
        case .store(let record):
            if self.chance(2) { return self.crashDevice(index) }
            if self.chance(3) {
                self.perform(self.devices[index].machine.storageFailed(), index)
                return
            }
            self.devices[index].durable = record
            if self.chance(2) { return self.crashDevice(index) }
            self.later(1...100, .deviceStored(device: index, life: self.devices[index].life))
        case .acceptMessage1: self.answer(waiting, .writeAnswered(.changed))
        case .execute(let command):
            if self.chance(2) { return self.crashDevice(index) }
            self.execute(command, index)
            if self.chance(2) { return self.crashDevice(index) }
            self.later(
                1...(self.chance(10) ? 400_000 : 1000),
                .deviceExecuted(device: index, life: self.devices[index].life)
            )
        case .answer(.done(let code)): self.answer(waiting, .writeAnswered(code))
        case .answer(.notDone): self.answer(waiting, .writeAnswered(.conflict))
        case .answer: self.answer(waiting, .writeAnswered(.internalServerError))
        case .refuse(.breach): self.answer(waiting, .writeAnswered(.forbidden))
        case .refuse(.busy), .refuse(.notStored): self.answer(waiting, .writeAnswered(.serviceUnavailable))
        case .refuse(.late): self.answer(waiting, .writeAnswered(.conflict))
        case .refuse(.malformed): self.problems.append("a message is malformed")
        }
    }

    // MARK: The eye

    private func execute(_ command: SessionCommand, _ index: Int) {
        guard let number = UInt64(String(decoding: command.payload, as: UTF8.self)) else { return }
        self.devices[index].executed[number, default: 0] += 1
        if self.executions(number) > 1 { self.problems.append("command \(number) was executed twice") }
        if case .notDone = self.outcomes[number] { self.problems.append("command \(number) was told as not done") }
    }

    func executions(_ number: UInt64) -> Int { self.devices.reduce(0) { $0 + ($1.executed[number] ?? 0) } }

    private func check(_ number: UInt64, _ outcome: CommandOutcome) {
        if self.outcomes[number] != nil { self.problems.append("command \(number) ended twice") }
        self.outcomes[number] = outcome
        switch outcome {
        case .done where self.executions(number) != 1: self.problems.append("command \(number) was not done")
        case .notDone where self.executions(number) != 0: self.problems.append("command \(number) was done")
        default: break
        }
    }
}
