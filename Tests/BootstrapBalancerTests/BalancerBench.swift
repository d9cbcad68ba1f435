import BalancerEngine
import BootstrapURIs
import CoAPMessages
import CoAPTransport
import CryptographicHashes
import Foundation
import Primitives
import ServiceSupport
import Testing

@testable import BootstrapBalancer

/// Balancers on loopback, one after the other.
@Suite(.serialized) struct BootstrapBalancerTests {}

/// A balancer and the transport of its instances and devices on loopback, turned in turn.
final class BalancerBench {
    static let secret = SecretBytes(Array(1...32))
    static let key = SecretBytes(Array(1...16))
    static let zone: UTF8Text = "example.test"
    static let host = "127.0.25.1"

    let folder = FileManager.default.temporaryDirectory.appending(path: "bb-\(UUID().uuidString.prefix(8))").path
    let loop: EventLoop
    let peer: CoAPTransport
    var configuration: BootstrapBalancer.Configuration
    let registry: FakeRegistry?
    private(set) var balancer: BootstrapBalancer
    private(set) var log: [BalancerLogEntry] = []
    private(set) var events: [TransportEvent] = []
    private var lastTag: UInt32 = 0

    /// Starts a balancer of 20 devices with derived keys and instances `a`, `b` and `c`.
    init(
        devices: Int = 20,
        registry: FakeRegistry? = nil,
        staticURI: String = "coaps://bs.example.test:5694",
        _ adjust: (inout BootstrapBalancer.Configuration) throws -> Void = { _ in }
    ) throws {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        self.registry = registry
        self.loop = try EventLoop()
        var transport = CoAPTransport.Configuration()
        transport.handshakeTimeout = .seconds(3)
        self.peer = try CoAPTransport(configuration: transport, loop: self.loop)
        var configuration = try Self.configuration(devices: devices, staticURI: staticURI)
        configuration.statePath = self.folder + "/state.sqlite"
        configuration.controlPath = self.folder + "/c"
        try adjust(&configuration)
        self.configuration = configuration
        self.balancer = try BootstrapBalancer(configuration: configuration, registry: registry) { _ in }
        try self.open()
        self.peer.onEvent = { [unowned self] in self.events.append($0) }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    static func configuration(devices: Int, staticURI: String) throws -> BootstrapBalancer.Configuration {
        var configuration = BootstrapBalancer.Configuration(
            zone: Self.zone,
            uris: try TemporaryURIs(
                // Without skew, names that nobody wants go after their time to live.
                profile: BootstrapURIProfile(parsing: "period=3600,clock-skew=0"),
                staticURI: CoAPURI(parsing: UTF8Text(staticURI))
            ),
            secrets: .derived(secret: Self.secret, count: devices, endpoint: { UTF8Text("dev\($0)") }),
            addresses: [try ListenAddress(parsing: "coaps://\(Self.host):0")],
            instances: try CredentialTable(
                ["a", "b", "c"].map { Credential(endpoint: $0, identity: $0.bytes, key: Self.key) }
            ),
            registry: .embedded(try #require(SocketAddress(parsing: UTF8Text("\(Self.host):0"))))
        )
        configuration.engine.reportInterval = .seconds(1)
        configuration.engine.timeToLive = 1
        configuration.engine.firstRetry = .milliseconds(10)
        configuration.engine.refusedRetry = .milliseconds(10)
        configuration.engine.longestRetry = .milliseconds(50)
        return configuration
    }

    private func open() throws {
        self.log = []
        self.balancer = try BootstrapBalancer(configuration: self.idle(self.configuration), registry: nil) { _ in }
        self.balancer = try BootstrapBalancer(configuration: self.configuration, registry: self.registry) {
            [unowned self] in self.log.append($0)
        }
    }

    /// The file of the state is locked until its balancer is gone: one without state stands in.
    private func idle(_ configuration: BootstrapBalancer.Configuration) -> BootstrapBalancer.Configuration {
        var idle = configuration
        idle.statePath = nil
        idle.controlPath = nil
        idle.onDemand = nil
        idle.engine.holdingAddress = nil
        return idle
    }

    /// Ends the balancer without a word, as a crash does, and starts another one with the same state.
    func restart(_ adjust: (inout BootstrapBalancer.Configuration) -> Void = { _ in }) throws {
        adjust(&self.configuration)
        self.registry?.drop()
        self.events = []
        try self.open()
    }

    // MARK: Turns

    func turn() {
        self.balancer.turn(until: self.loop.now.advanced(by: .milliseconds(1)))
        self.registry?.deliver()
        self.loop.turn(until: self.loop.now.advanced(by: .milliseconds(1)))
    }

    /// Turns everything until the condition holds, at most a minute.
    func drive(_ comment: Comment, until condition: () throws -> Bool) throws {
        let end = self.loop.now.advanced(by: .seconds(60))
        while try !condition() {
            try #require(self.loop.now < end, comment)
            self.turn()
        }
    }

    /// Turns everything until nothing is left to write.
    func settle() throws {
        try self.drive("everything is written") {
            self.balancer.status.registry.state == "current" && self.logged("devices")
        }
    }

    func logged(_ event: String) -> Bool { self.log.contains { $0.event == event } }

    // MARK: Instances

    func connected(as identity: String, key: SecretBytes = BalancerBench.key) throws -> TransportSession {
        let session = try self.peer.openSession(
            to: try #require(self.balancer.addresses.first).address,
            security: .preSharedKey(PreSharedKey(identity: Array(identity.utf8), key: key), serverName: nil),
            from: nil,
            tag: 0
        )
        try self.waitForConnection(session)
        return session
    }

    func waitForConnection(_ session: TransportSession) throws {
        try self.drive("the session opens") {
            self.events.contains {
                if case .sessionConnected(let opened, _) = $0 { opened == session } else { false }
            }
        }
    }

    func ask(_ request: CoAPRequest, on session: TransportSession) throws -> CoAPResponse {
        let tag = try self.send(request, on: session)
        var answer: CoAPResponse?
        try self.drive("an answer to \(request.path.map { $0.map(\.string) } ?? [])") {
            answer = self.answer(to: tag)
            return answer != nil
        }
        return try #require(answer)
    }

    func send(_ request: CoAPRequest, on session: TransportSession) throws -> UInt32 {
        self.lastTag += 1
        try self.peer.send(request, on: session, tag: self.lastTag)
        return self.lastTag
    }

    func answer(to tag: UInt32) -> CoAPResponse? {
        for case .responseReceived(_, _, tag, let response) in self.events { return response }
        return nil
    }

    static func post(_ path: UTF8Text, _ body: [UInt8]) -> CoAPRequest {
        CoAPRequest(.post, path: [path], contentFormat: .json, payload: body)
    }

    static func report(
        _ name: String,
        inProgress: Int = 0,
        weight: Int = 1,
        isFirst: Bool = false
    ) -> CoAPRequest {
        let last = (name.utf8.first ?? 0) - 0x60
        let address = IPAddress([127, 0, 25, 100 + last])
        let report = InstanceReport(
            name: UTF8Text(name),
            addresses: [address].compactMap { $0 },
            weight: weight,
            inProgress: inProgress,
            isFirst: isFirst
        )
        return self.post("instances", report.encoded())
    }

    /// Connects instances and lets each report once.
    @discardableResult func startInstances(_ names: String...) throws -> [String: TransportSession] {
        var sessions: [String: TransportSession] = [:]
        for name in names {
            let session = try self.connected(as: name)
            try #require(try self.ask(Self.report(name), on: session).code == .changed)
            sessions[name] = session
        }
        return sessions
    }

    static func notice(
        _ event: BootstrapNotice.Event,
        _ endpoint: UTF8Text,
        host: UTF8Text,
        procedure: UTF8Text = "p1",
        sequence: UInt64
    ) -> CoAPRequest {
        let notice = BootstrapNotice(
            endpoint: endpoint,
            host: host,
            event: event,
            procedure: procedure,
            sequence: sequence
        )
        return self.post("notifications", BootstrapNotice.encode([notice]))
    }

    static func pin(_ endpoint: UTF8Text, host: UTF8Text) -> CoAPRequest {
        CoAPRequest(
            .get,
            path: ["pins"],
            query: [UTF8Text("ep=\(endpoint)"), UTF8Text("host=\(host)")]
        )
    }

    // MARK: Names

    /// The name of a device in the window of now.
    func name(_ endpoint: UTF8Text, secret: SecretBytes? = nil) throws -> UTF8Text {
        let uris = self.configuration.uris
        let now = WallTime(secondsSinceEpoch: Int64(Date().timeIntervalSince1970))
        let key = try #require(secret ?? DeviceKeys.derived(secret: Self.secret).key(of: endpoint.bytes))
        return try uris.uri(
            secret: key,
            endpoint: endpoint,
            window: uris.profile.window(at: now),
            hashes: .libCrypto
        ).host
    }

    /// Where a name leads, as the balancer lists it.
    func address(of name: UTF8Text) -> String? {
        var cursor: Int? = 0
        while let start = cursor {
            let (page, next) = self.balancer.engine.names(from: start, limit: 1000)
            if let record = page.first(where: { $0.name == name }) { return record.address.written }
            cursor = next
        }
        return nil
    }

    // MARK: Control

    func control(_ request: BalancerControlRequest) throws -> BalancerControlReply {
        let client = try LineClient(path: self.folder + "/c")
        #expect(client.send(Array(try JSONEncoder().encode(request))))
        var line: [UInt8]?
        try self.drive("a line on the control socket") {
            line = client.receive(within: 0)
            return line != nil
        }
        return try JSONDecoder().decode(BalancerControlReply.self, from: Data(try #require(line)))
    }
}
