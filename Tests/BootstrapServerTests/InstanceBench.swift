import BootstrapEngine
import BootstrapServer
import BootstrapURIs
import CoAPMessages
import CoAPTransport
import CryptographicHashes
import Primitives
import ServiceSupport
import Testing

/// An instance on real sockets, and devices that look for it under names of their own.
final class InstanceBench {
    let loop: EventLoop
    let server: BootstrapServer
    private let device: CoAPTransport
    private var sessions: [UTF8Text: TransportSession] = [:]
    private var connected: Set<TransportSession> = []
    private var answers: [UInt32: CoAPResponse] = [:]
    private var lastTag: UInt32 = 0
    /// Whether devices answer what they are told.
    var answersSteps = true
    private(set) var reports: [BootstrapReport] = []

    static let secret = SecretBytes(Array(0..<32))
    static let keys = DeviceKeys.derived(secret: secret)
    /// 2026-11-21T10:30:00Z, half an hour from either end of its window.
    static let time = WallTime(secondsSinceEpoch: 1_795_257_000)

    static func uris() throws -> TemporaryURIs {
        try TemporaryURIs(
            profile: BootstrapURIProfile(rounding: .floor),
            staticURI: CoAPURI(scheme: .coaps, host: "bs.example.test")
        )
    }

    init(
        balancer: BalancerLink? = nil,
        loop: EventLoop? = nil,
        _ adjust: (inout BootstrapServer.Configuration) throws -> Void = { _ in }
    ) throws {
        let account = ProvisionedServer(shortServerID: 1, uri: "coap://127.0.0.1", security: .none)
        var configuration = BootstrapServer.Configuration(
            addresses: [try ListenAddress(parsing: "coaps://127.0.26.2:0")],
            keys: Self.keys,
            rules: [ProvisioningRule(server: account, keys: .none)]
        )
        configuration.temporaryURIs = try Self.uris()
        configuration.balancer = balancer
        configuration.clock = { Self.time }
        try adjust(&configuration)
        self.server = try BootstrapServer(configuration: configuration)
        self.loop = try loop ?? EventLoop()
        self.device = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: self.loop)
        self.server.onReport = { [unowned self] in self.reports.append($0) }
        self.device.onEvent = { [unowned self] in self.take($0) }
    }

    private func take(_ event: TransportEvent) {
        switch event {
        case .sessionConnected(let session, _): self.connected.insert(session)
        case .responseReceived(_, _, let tag, let response): self.answers[tag] = response
        case .requestReceived(let exchange, _, _, let request, _) where self.answersSteps:
            let code: CoAPCode = request.method == .delete ? .deleted : request.method == .get ? .notFound : .changed
            self.device.respond(to: exchange, CoAPResponse(code))
        default: break
        }
    }

    /// The host of a device, so many hours from now.
    static func host(_ endpoint: UTF8Text, hours: Int64 = 0) throws -> UTF8Text {
        let uris = try Self.uris()
        return try uris.uri(
            secret: #require(Self.keys.key(of: endpoint.bytes)),
            endpoint: endpoint,
            window: uris.profile.window(
                at: WallTime(secondsSinceEpoch: Self.time.secondsSinceEpoch + hours * 3600)
            ),
            hashes: .libCrypto
        ).host
    }

    /// Turns both loops until a condition holds, at most twenty seconds.
    func drive(_ comment: Comment, until condition: () -> Bool) throws {
        let end = self.loop.now.advanced(by: .seconds(20))
        while !condition() {
            try #require(self.loop.now < end, comment)
            self.server.turn(until: self.loop.now.advanced(by: .milliseconds(2)))
            self.loop.turn(until: self.loop.now.advanced(by: .milliseconds(2)))
        }
    }

    /// Has a device send its Bootstrap-Request.
    ///
    /// - Returns: a number that ``answer(to:)`` takes.
    func ask(
        _ host: UTF8Text?,
        as endpoint: UTF8Text = "dev1",
        naming name: UTF8Text? = nil,
        serverName: UTF8Text? = nil
    ) throws -> UInt32 {
        let session = try self.session(of: endpoint, serverName: serverName)
        var request = CoAPRequest(.post, path: ["bs"], query: [UTF8Text("ep=\((name ?? endpoint).string)")])
        if let host { request.options.append(.uriHost, host.bytes) }
        self.lastTag += 1
        try self.device.send(request, on: session, tag: self.lastTag)
        return self.lastTag
    }

    /// The answer to a request, when it has come.
    func answer(to number: UInt32) -> CoAPResponse? { self.answers[number] }

    /// Waits for the answer to a Bootstrap-Request.
    func code(
        _ host: UTF8Text?,
        as endpoint: UTF8Text = "dev1",
        naming name: UTF8Text? = nil,
        serverName: UTF8Text? = nil
    ) throws -> CoAPCode? {
        let number = try self.ask(host, as: endpoint, naming: name, serverName: serverName)
        try self.drive("the answer comes") { self.answers[number] != nil }
        return self.answers[number]?.code
    }

    /// Has a device close its session.
    func closeSession(of endpoint: UTF8Text) {
        if let session = self.sessions.removeValue(forKey: endpoint) { self.device.closeSession(session) }
    }

    private func session(of endpoint: UTF8Text, serverName: UTF8Text?) throws -> TransportSession {
        if let session = self.sessions[endpoint] { return session }
        let key = PreSharedKey(identity: endpoint.bytes, key: try #require(Self.keys.key(of: endpoint.bytes)))
        let session = try self.device.openSession(
            to: self.server.addresses[0].address,
            security: .preSharedKey(key, serverName: serverName),
            from: nil,
            tag: 0
        )
        self.sessions[endpoint] = session
        try self.drive("the session opens") { self.connected.contains(session) }
        return session
    }
}
