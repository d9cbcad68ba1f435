import CoAPMessages
import CommandSessions
import GatewayEngine
import LwM2MModel
import Primitives
import Testing

/// An engine with a clock and a store of its own, told one event at a time.
final class Bench {
    var engine: GatewayEngine
    var now = MonotonicTime.zero
    /// What is durable.
    var snapshot = GatewaySnapshot()
    var audit: [AuditEntry] = []
    /// Whether the store fails.
    var isStoreBroken = false
    private let configuration: GatewayConfiguration
    private var seed: UInt64 = 1
    private var lastCommand: UInt64 = 0
    private var lastSession: UInt32 = 0

    static let device = UTF8Text("dev1")
    static let path = ObjectPath(3303, 0, 5601)

    init(_ adjust: (inout GatewayConfiguration) -> Void = { _ in }) {
        var configuration = GatewayConfiguration()
        adjust(&configuration)
        self.configuration = configuration
        self.engine = GatewayEngine(configuration: configuration, random: RandomSource(seed: self.seed))
    }

    /// Tells an event without storing anything.
    func tell(_ event: GatewayEvent) -> [GatewayOutput] {
        self.engine.handle(event, now: self.now)
        var outputs: [GatewayOutput] = []
        while let output = self.engine.nextOutput() { outputs.append(output) }
        return outputs
    }

    /// Stores, or fails to, whatever the outputs ask for, until nothing more is to be stored.
    func settle(_ outputs: [GatewayOutput]) -> [GatewayOutput] {
        var all: [GatewayOutput] = []
        var rest = outputs
        while !rest.isEmpty {
            let output = rest.removeFirst()
            all.append(output)
            guard case .store(let id, let changes) = output else { continue }
            if self.isStoreBroken {
                rest += self.tell(.storageFailed(id))
            } else {
                self.keep(changes)
                rest += self.tell(.stored(id))
            }
        }
        return all
    }

    func keep(_ changes: [GatewayChange]) {
        self.snapshot.apply(changes)
        for case .audited(let entry) in changes { self.audit.append(entry) }
    }

    /// Tells an event with a store that works at once.
    @discardableResult
    func run(_ event: GatewayEvent) -> [GatewayOutput] { self.settle(self.tell(event)) }

    func wait(_ duration: Duration) -> [GatewayOutput] {
        self.now = self.now.advanced(by: duration)
        return self.run(.deadlineReached)
    }

    /// The gateway stops at once and begins anew with what is durable.
    func restart() -> [GatewayOutput] {
        self.seed += 1
        self.engine = GatewayEngine(configuration: self.configuration, random: RandomSource(seed: self.seed))
        return self.run(.restored(self.snapshot))
    }

    func appear(_ endpoint: UTF8Text = Bench.device, isNewSession: Bool = true) -> [GatewayOutput] {
        self.run(self.appearance(endpoint, isNewSession: isNewSession))
    }

    /// The event that a device is there, on a secured session that was never there before or without one.
    func appearance(_ endpoint: UTF8Text = Bench.device, isNewSession: Bool = true) -> GatewayEvent {
        guard isNewSession else { return .deviceAvailable(endpoint: endpoint, securedSession: nil) }
        self.lastSession += 1
        return .deviceAvailable(endpoint: endpoint, securedSession: self.lastSession)
    }

    func command(
        _ endpoint: UTF8Text = Bench.device,
        _ operation: SessionCommand.Operation = .write,
        _ path: ObjectPath = Bench.path,
        by user: UTF8Text = "alice"
    ) throws -> GatewayCommand {
        self.lastCommand += 1
        return GatewayCommand(
            id: GatewayCommandID(rawValue: self.lastCommand),
            endpoint: endpoint,
            command: try #require(
                SessionCommand(operation, path, contentFormat: .text, payload: Array("\(self.lastCommand)".utf8))
            ),
            user: user
        )
    }

    @discardableResult
    func give(_ endpoint: UTF8Text = Bench.device) throws -> [GatewayOutput] {
        self.run(.commandGiven(try self.command(endpoint)))
    }

    var nextDeadline: MonotonicTime? { self.engine.nextDeadline }

    var status: GatewayDeviceStatus? { self.engine.status(of: Bench.device) }
}

/// A device at the other end of operations that always arrive, with a store that always works.
struct BenchDevice {
    var machine = DeviceSessionMachine(form: .bothIdentifiers)
    private(set) var executed: [SessionCommand] = []
    var result = CoAPCode.changed
    private var random = RandomSource(seed: 99)
    private var report: SessionReport?

    mutating func crash() {
        self.machine = DeviceSessionMachine(form: .bothIdentifiers, record: self.machine.record)
        self.report = nil
    }

    /// Answers a write or read; nil for any other output.
    mutating func answer(_ output: GatewayOutput, now: MonotonicTime) throws -> GatewayEvent? {
        switch output {
        case .write(let id, _, let path, let bytes):
            return .operationAnswered(id, .writeAnswered(try self.write(path, bytes, now: now)))
        case .read(let id, _, let path): return .operationAnswered(id, self.read(path))
        default: return nil
        }
    }

    /// Answers the one write or read among outputs.
    mutating func answer(only outputs: [GatewayOutput], now: MonotonicTime) throws -> GatewayEvent {
        var events: [GatewayEvent] = []
        for output in outputs {
            if let event = try self.answer(output, now: now) { events.append(event) }
        }
        #expect(events.count == 1)
        return try #require(events.first)
    }

    private mutating func write(_ path: ObjectPath, _ bytes: [UInt8], now: MonotonicTime) throws -> CoAPCode {
        #expect(path.prefix(2) == ObjectPath(OwnObjectIDs.standard.commandSession, 0))
        switch path.resource {
        case 0:
            let identifier = try #require(SessionIdentifier(from: &self.random))
            let message = try SessionMessage(decoding: bytes)
            return self.perform(self.machine.message1Received(message, identifier: identifier), now: now)
        case 2: return self.perform(self.machine.message3Received(try SessionMessage(decoding: bytes)), now: now)
        case 8:
            let pair = try SessionPair(decoding: bytes)
            guard case .answer(let outcome) = self.machine.outcomeAsked(pair) else { return .forbidden }
            self.report = SessionReport(outcome, of: pair)
            return .changed
        default: return .notFound
        }
    }

    private func read(_ path: ObjectPath) -> OperationAnswer {
        switch path.resource {
        case 1: self.machine.message2.map { .readAnswered($0.encoded) } ?? .readRefused(.notFound)
        case 9: self.report.map { .readAnswered($0.encoded) } ?? .readRefused(.notFound)
        default: .readRefused(.notFound)
        }
    }

    private mutating func perform(_ action: DeviceSessionMachine.Action, now: MonotonicTime) -> CoAPCode {
        switch action {
        case .none: return .internalServerError
        case .store: return self.perform(self.machine.stored(now: now), now: now)
        case .acceptMessage1: return .changed
        case .execute(let command):
            self.executed.append(command)
            return self.perform(self.machine.executed(.done(self.result)), now: now)
        case .answer(.done(let code)): return code
        case .answer(.notDone): return .conflict
        case .answer: return .internalServerError
        case .refuse(.breach): return .forbidden
        case .refuse(.busy), .refuse(.notStored): return .serviceUnavailable
        case .refuse(.late): return .conflict
        case .refuse(.malformed): return .badRequest
        }
    }
}

extension Bench {
    /// Lets the device answer what the outputs ask for, and all that follows, but not what `isLost` says.
    ///
    /// - Parameter resource: what is written there arrives, and its answer is lost.
    /// - Returns: every output.
    @discardableResult
    func exchange(
        _ outputs: [GatewayOutput],
        with device: inout BenchDevice,
        losingAnswerOf resource: UInt16? = nil,
        isLost: (GatewayOutput) -> Bool = { _ in false }
    ) throws -> [GatewayOutput] {
        var all: [GatewayOutput] = []
        var rest = outputs
        while !rest.isEmpty {
            let output = rest.removeFirst()
            all.append(output)
            if isLost(output), let id = output.operation {
                rest += self.run(.operationAnswered(id, .unanswered))
            } else if let resource, output.resource == resource, let id = output.operation {
                _ = try device.answer(output, now: self.now)
                rest += self.run(.operationAnswered(id, .unanswered))
            } else if let event = try device.answer(output, now: self.now) {
                rest += self.run(event)
            }
        }
        return all
    }
}

extension GatewayOutput {
    var operation: GatewayOperationID? {
        switch self {
        case .write(let id, _, _, _), .read(let id, _, _): id
        default: nil
        }
    }

    /// The resource that is written or read.
    var resource: UInt16? {
        switch self {
        case .write(_, _, let path, _), .read(_, _, let path): path.resource
        default: nil
        }
    }
}

extension [GatewayOutput] {
    var accepted: [UInt64] {
        self.compactMap { if case .commandAccepted(let id, _) = $0 { id.rawValue } else { nil } }
    }

    var refusals: [CommandRefusal] {
        self.compactMap { if case .commandRefused(_, _, let refusal) = $0 { refusal } else { nil } }
    }

    var outcomes: [CommandOutcome] {
        self.compactMap { if case .commandFinished(_, _, let outcome) = $0 { outcome } else { nil } }
    }

    var resources: [UInt16] { self.compactMap(\.resource) }
    var operations: [GatewayOperationID] { self.compactMap(\.operation) }

    var stores: [(GatewayChangeID, [GatewayChange])] {
        self.compactMap { if case .store(let id, let changes) = $0 { (id, changes) } else { nil } }
    }

    var reports: [GatewayReport] {
        self.compactMap { if case .report(let report) = $0 { report } else { nil } }
    }
}
