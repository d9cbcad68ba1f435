import BootstrapEngine
import BootstrapURIs
import CoAPMessages
import CryptographicHashes
import LwM2MModel
import Primitives

/// An engine that serves devices under their temporary names alone, with a monotonic and a civil clock of its own.
///
/// The name of a device changes at every full hour, and counts for a minute around it.
final class HostBench {
    var engine: BootstrapEngine
    var now = MonotonicTime.zero
    /// The secrets of the devices; a device without one is not known.
    var secrets: [UTF8Text: SecretBytes] = [
        "dev1": SecretBytes([UInt8](repeating: 1, count: 16)), "dev2": SecretBytes([UInt8](repeating: 2, count: 16)),
    ]
    let uris: TemporaryURIs
    private var exchanges: UInt64 = 0

    /// 2026-11-21T10:30:00Z.
    static let start = WallTime(secondsSinceEpoch: 1_795_257_000)
    static let plan = BootstrapPlan(
        servers: [ProvisionedServer(shortServerID: 1, uri: "coap://127.0.0.1", security: .none)],
        deletes: [],
        discoversFirst: false
    )

    init(
        _ adjust: (inout HostRule) -> Void = { _ in },
        profile: String = ""
    ) throws {
        let profile = try BootstrapURIProfile(parsing: UTF8Text("rounding=floor,\(profile)"))
        let staticURI = CoAPURI(scheme: .coaps, host: "bs.example.test")
        self.uris = try TemporaryURIs(profile: profile, staticURI: staticURI)
        var configuration = BootstrapConfiguration()
        var rule = HostRule(uris: self.uris, hashes: .libCrypto)
        adjust(&rule)
        configuration.hostRule = rule
        self.engine = BootstrapEngine(configuration: configuration)
        self.engine.handle(.clockSet(Self.start), now: self.now)
        self.open(1, as: "dev1")
    }

    func tell(_ event: BootstrapEvent) -> [BootstrapOutput] {
        self.engine.handle(event, now: self.now)
        var outputs: [BootstrapOutput] = []
        while let output = self.engine.nextOutput() {
            switch output {
            case .findSecret(let id, let endpoint, _):
                self.engine.handle(.secretFound(id, self.secrets[endpoint]), now: self.now)
            case .choosePlan(let id, _, _): self.engine.handle(.planChosen(id, Self.plan), now: self.now)
            default: outputs.append(output)
            }
        }
        return outputs
    }

    func open(_ session: UInt32, as identity: String, serverName: UTF8Text? = nil) {
        let number = SessionID(rawValue: session)
        _ = self.tell(.network(.sessionAccepted(number, identity: Array(identity.utf8), serverName: serverName)))
    }

    func ask(
        _ host: UTF8Text?,
        endpoint: String = "dev1",
        on session: UInt32 = 1,
        path: [UTF8Text] = ["bs"],
        query: [UTF8Text] = []
    ) -> [BootstrapOutput] {
        var request = CoAPRequest(.post, path: path, query: query + [UTF8Text("ep=\(endpoint)")])
        if let host { request.options.append(.uriHost, host.bytes) }
        self.exchanges += 1
        let exchange = ExchangeID(rawValue: self.exchanges)
        return self.tell(.network(.requestReceived(exchange, SessionID(rawValue: session), request)))
    }

    /// The URI that a device has, so many hours from the start.
    func uri(of endpoint: UTF8Text = "dev1", hours: Int64 = 0) throws -> CoAPURI {
        let time = WallTime(secondsSinceEpoch: Self.start.secondsSinceEpoch + hours * 3600)
        return try self.uris.uri(
            secret: self.secrets[endpoint] ?? SecretBytes([UInt8](repeating: 9, count: 16)),
            endpoint: endpoint,
            window: self.uris.profile.window(at: time),
            hashes: .libCrypto
        )
    }

    func host(of endpoint: UTF8Text = "dev1", hours: Int64 = 0) throws -> UTF8Text {
        try self.uri(of: endpoint, hours: hours).host
    }

    func pass(_ duration: Duration) { self.now = self.now.advanced(by: duration) }
}

extension [BootstrapOutput] {
    var code: CoAPCode? {
        for case .sendResponse(_, let response) in self { return response.code }
        return nil
    }

    var response: CoAPResponse? {
        for case .sendResponse(_, let response) in self { return response }
        return nil
    }

    var refusal: BootstrapRefusal? {
        for case .report(.refused(_, _, let refusal)) in self { return refusal }
        return nil
    }

    /// The procedure whose host the balancer is asked about.
    var question: ProcedureID? {
        for case .askPin(let id, _, _) in self { return id }
        return nil
    }

    /// What the balancer is told.
    var progress: [BootstrapProgress] {
        self.compactMap { if case .notify(_, let progress, _, _) = $0 { progress } else { nil } }
    }
}
