import BootstrapServer
import CoAPMessages
import CoAPTransport
import Primitives
import ServiceSupport

/// A balancer that knows one instance and does what the test says.
final class FakeBalancer {
    private let transport: CoAPTransport
    /// Where it listens.
    let address: SocketAddress
    /// The reports of instances, oldest first.
    private(set) var reports: [InstanceReport] = []
    /// What happened to bootstraps, oldest first, repetitions included.
    private(set) var notices: [BootstrapNotice] = []
    /// The questions about pins, `ep` and `host`.
    private(set) var questions: [[UTF8Text]] = []
    /// Who left.
    private(set) var departures: [[UTF8Text]] = []
    /// What notices are answered with; nil leaves them waiting.
    var noticeAnswer: CoAPCode? = .changed
    /// What questions are answered with; nil leaves them waiting.
    var pinAnswer: CoAPCode? = .notFound

    static let name = UTF8Text("bs-1")
    static let key = SecretBytes([UInt8](repeating: 4, count: 16))

    init(loop: EventLoop, port: UInt16 = 0) throws {
        let transport = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: loop)
        self.transport = transport
        let key: ([UInt8]) -> SecretBytes? = { $0 == Self.name.bytes ? Self.key : nil }
        self.address = try transport.listen(
            on: SocketAddress(ipv4: (127, 0, 26, 1), port: port),
            security: .preSharedKey(hint: [], key: key)
        )
        transport.onEvent = { [unowned self] event in
            guard case .requestReceived(let exchange, _, _, let request, _) = event else { return }
            if let response = self.answer(request) { self.transport.respond(to: exchange, response) }
        }
    }

    /// How an instance gets here.
    var link: BalancerLink {
        let place = IPAddress([127, 0, 26, 2])
        let report = InstanceReport(name: Self.name, addresses: [place].compactMap { $0 }, weight: 3, region: "north")
        var link = BalancerLink(address: self.address, key: Self.key, instance: report)
        link.retryPause = .milliseconds(50)...(.milliseconds(50))
        link.answerTimeout = .seconds(1)
        return link
    }

    private func answer(_ request: CoAPRequest) -> CoAPResponse? {
        switch (request.method, request.path?.first) {
        case (.post, "instances"):
            guard let report = try? InstanceReport(decoding: request.payload) else { return CoAPResponse(.badRequest) }
            self.reports.append(report)
            return CoAPResponse(
                .changed,
                contentFormat: .json,
                payload: InstanceReportAnswer(interval: 1).encoded()
            )
        case (.post, "notifications"):
            guard let notices = try? BootstrapNotice.decode(request.payload) else { return CoAPResponse(.badRequest) }
            self.notices += notices
            return self.noticeAnswer.map { CoAPResponse($0) }
        case (.get, "pins"):
            self.questions.append(request.query ?? [])
            return self.pinAnswer.map { CoAPResponse($0) }
        case (.delete, "instances"):
            self.departures.append(request.query ?? [])
            return CoAPResponse(.deleted)
        default: return CoAPResponse(.notFound)
        }
    }
}
