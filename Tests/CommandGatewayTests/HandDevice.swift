import CoAPMessages
import CoAPTransport
import CommandSessions
import CryptographicHashes
import LoopbackPeers
import LwM2MModel
import Primitives
import Testing

/// A device that answers messages of sessions by hand, so that a test can have it misbehave.
final class HandDevice {
    /// What it received and sent for the messages of sessions, in order.
    private(set) var messages: [(resource: SessionResource, bytes: [UInt8])] = []
    /// The commands that it executed.
    private(set) var executed: [SessionCommand] = []
    /// What it answers instead of what it should; nil lets it behave.
    var misbehaviour: (SessionResource, CoAPRequest, _ good: CoAPResponse) -> CoAPResponse? = { _, _, _ in nil }
    /// What commands come to.
    var result = CoAPCode.changed

    private unowned let bench: GatewayBench
    private let device: LoopbackDevice
    private var machine = DeviceSessionMachine(form: .bothIdentifiers)
    private var random = RandomSource.libCrypto
    private var report: SessionReport?
    private var session: TransportSession?
    private var location: UTF8Text?

    init(_ bench: GatewayBench) throws {
        self.bench = bench
        self.device = try LoopbackDevice()
        self.device.turnOther = { [unowned bench] _ in bench.turnGateway() }
        self.device.answer = { [unowned self] in self.answer($0) }
    }

    /// Connects and registers.
    func register(isSecured: Bool = true) throws {
        let session = try self.device.connect(
            to: self.bench.gateway.addresses[isSecured ? 0 : 1].address,
            as: isSecured ? "dev1" : nil
        )
        self.session = session
        self.location = try self.device.register(on: session)
    }

    /// Says on its session that it is still there.
    func update() throws {
        let (session, location) = (try #require(self.session), try #require(self.location))
        #expect(try self.device.ask(CoAPRequest(.post, path: ["rd", location]), on: session).code == .changed)
    }

    func drive(_ awaited: String, until condition: () throws -> Bool) throws {
        var failure: (any Error)?
        try self.device.drive(awaited) {
            do { return try condition() } catch {
                failure = error
                return true
            }
        }
        if let failure { throw failure }
    }

    private func answer(_ request: CoAPRequest) -> CoAPResponse {
        let segments = request.path?.map(\.string) ?? []
        guard segments.count == 3, segments[0] == "42770", let number = UInt16(segments[2]),
            let resource = SessionResource(rawValue: number)
        else { return CoAPResponse(.changed) }
        let response = self.behave(resource, request)
        let bytes = request.payload.isEmpty ? response.payload : request.payload
        self.messages.append((resource, bytes))
        return self.misbehaviour(resource, request, response) ?? response
    }

    private func behave(_ resource: SessionResource, _ request: CoAPRequest) -> CoAPResponse {
        switch resource {
        case .message1:
            guard let message = try? SessionMessage(decoding: request.payload),
                let identifier = SessionIdentifier(from: &self.random)
            else { return CoAPResponse(.badRequest) }
            return CoAPResponse(self.perform(self.machine.message1Received(message, identifier: identifier)))
        case .message2: return Self.content(self.machine.message2?.encoded)
        case .message3:
            guard let message = try? SessionMessage(decoding: request.payload) else { return CoAPResponse(.badRequest) }
            return CoAPResponse(self.perform(self.machine.message3Received(message)))
        case .outcomeQuery:
            guard let pair = try? SessionPair(decoding: request.payload),
                case .answer(let outcome) = self.machine.outcomeAsked(pair)
            else { return CoAPResponse(.forbidden) }
            self.report = SessionReport(outcome, of: pair)
            return CoAPResponse(.changed)
        case .outcome: return Self.content(self.report?.encoded)
        default: return CoAPResponse(.notFound)
        }
    }

    static func content(_ bytes: [UInt8]?) -> CoAPResponse {
        guard let bytes else { return CoAPResponse(.notFound) }
        return CoAPResponse(.content, contentFormat: .opaque, payload: bytes)
    }

    private func perform(_ action: DeviceSessionMachine.Action) -> CoAPCode {
        switch action {
        case .store: return self.perform(self.machine.stored(now: .zero))
        case .acceptMessage1: return .changed
        case .execute(let command):
            self.executed.append(command)
            return self.perform(self.machine.executed(.done(self.result)))
        case .answer(.done(let code)): return code
        case .answer(.notDone), .refuse(.late): return .conflict
        case .refuse(.breach): return .forbidden
        case .refuse(.busy): return .serviceUnavailable
        case .none, .answer, .refuse: return .badRequest
        }
    }
}
