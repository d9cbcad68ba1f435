import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import ManagementEngine
import Primitives

/// An engine with a clock of its own, told one event at a time.
final class Bench {
    var engine: ManagementEngine
    var now = MonotonicTime.zero
    private var exchanges: UInt64 = 0
    private var commands: UInt64 = 0

    static let device = UTF8Text("dev1")

    init(_ adjust: (inout ManagementConfiguration) -> Void = { _ in }) {
        var configuration = ManagementConfiguration()
        adjust(&configuration)
        self.engine = ManagementEngine(configuration: configuration, registry: .standard, seed: 1)
    }

    func tell(_ event: ManagementEvent) -> [ManagementOutput] {
        self.engine.handle(event, now: self.now)
        var outputs: [ManagementOutput] = []
        while let output = self.engine.nextOutput() { outputs.append(output) }
        return outputs
    }

    func tell(_ event: ServerEvent) -> [ManagementOutput] { self.tell(.network(event)) }

    func wait(_ duration: Duration) -> [ManagementOutput] {
        self.now = self.now.advanced(by: duration)
        return self.tell(.deadlineReached)
    }

    func open(_ session: UInt32 = 1, as identity: String? = "dev1") {
        _ = self.tell(.sessionAccepted(SessionID(rawValue: session), identity: identity.map { Array($0.utf8) }))
    }

    func ask(_ request: CoAPRequest, on session: UInt32 = 1) -> [ManagementOutput] {
        self.exchanges += 1
        return self.tell(
            .requestReceived(ExchangeID(rawValue: self.exchanges), SessionID(rawValue: session), request)
        )
    }

    /// The answer to a request.
    func answer(_ request: CoAPRequest, on session: UInt32 = 1) -> CoAPResponse? {
        for case .sendResponse(_, let response) in self.ask(request, on: session) { return response }
        return nil
    }

    static func register(
        _ query: [UTF8Text] = ["ep=dev1", "lt=300", "lwm2m=1.1", "b=U"],
        objects: String = "</1/0>,</3/0>,</3303>;ver=1.1,</3303/0>"
    ) -> CoAPRequest {
        CoAPRequest(
            .post,
            path: ["rd"],
            query: query,
            contentFormat: .linkFormat,
            payload: Array(objects.utf8)
        )
    }

    /// Registers the device and returns the last segment of its location.
    func registered(_ query: [UTF8Text] = ["ep=dev1", "lt=300", "lwm2m=1.1", "b=U"]) -> UTF8Text {
        self.open()
        return self.answer(Self.register(query))?.options.texts(.locationPath)?.last ?? ""
    }

    static func update(_ location: UTF8Text, _ query: [UTF8Text] = [], objects: String = "") -> CoAPRequest {
        CoAPRequest(.post, path: ["rd", location], query: query, payload: Array(objects.utf8))
    }

    func command(_ operation: DeviceOperation, at endpoint: UTF8Text = Bench.device) -> [ManagementOutput] {
        self.commands += 1
        return self.tell(.commandGiven(CommandID(rawValue: self.commands), endpoint: endpoint, operation))
    }

    /// The request that a command sends, when it sends one.
    func sent(_ operation: DeviceOperation) -> (RequestID, CoAPRequest)? {
        for case .sendRequest(let id, _, let request) in self.command(operation) { return (id, request) }
        return nil
    }
}

extension [ManagementOutput] {
    /// How the commands that ended here ended.
    var results: [CommandResult] {
        self.compactMap { if case .commandFinished(_, _, let result) = $0 { result } else { nil } }
    }

    var requests: [CoAPRequest] {
        self.compactMap { if case .sendRequest(_, _, let request) = $0 { request } else { nil } }
    }

    var requestIDs: [RequestID] {
        self.compactMap { if case .sendRequest(let id, _, _) = $0 { id } else { nil } }
    }

    var changes: [RegistrationChange] {
        self.compactMap { if case .store(let change) = $0 { change } else { nil } }
    }

    var codes: [CoAPCode] {
        self.compactMap { if case .sendResponse(_, let response) = $0 { response.code } else { nil } }
    }

    var ends: [ObservationEnd] {
        self.compactMap { if case .observationEnded(_, _, let end) = $0 { end } else { nil } }
    }
}

/// An answer with a single value as text.
func content(_ text: String, observe: UInt64? = nil) -> CoAPResponse {
    var response = CoAPResponse(.content, contentFormat: .text, payload: Array(text.utf8))
    if let observe { response.options.append(.observe, unsigned: observe) }
    return response
}
