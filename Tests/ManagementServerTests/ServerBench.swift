import CoAPMessages
import CoAPTransport
import Foundation
import ManagementServer
import Primitives
import ServiceSupport
import Testing

/// A management server and a device's transport on loopback, turned in turn.
final class ServerBench {
    let folder = FileManager.default.temporaryDirectory.appending(path: "ms-\(UUID().uuidString.prefix(8))").path
    let deviceLoop: EventLoop
    let device: CoAPTransport
    private(set) var server: ManagementServer
    private(set) var events: [TransportEvent] = []
    /// What the device answers to a request.
    var answer: (CoAPRequest) -> CoAPResponse = { _ in CoAPResponse(.changed) }
    private var configuration: ManagementServer.Configuration
    private var lastTag: UInt32 = 0

    static let key = SecretBytes(Array(1...16))

    init(
        keys: DeviceKeys = .shared(ServerBench.key),
        _ adjust: (inout ManagementServer.Configuration) -> Void = { _ in }
    ) throws {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        let configuration = ManagementServer.Configuration(
            addresses: [
                try ListenAddress(parsing: "coaps://127.0.0.1:0"), try ListenAddress(parsing: "coap://127.0.0.1:0"),
            ],
            keys: keys,
            statePath: self.folder + "/state.sqlite",
            controlPath: self.folder + "/c"
        )
        self.configuration = configuration
        adjust(&self.configuration)
        self.server = try ManagementServer(configuration: self.configuration)
        self.deviceLoop = try EventLoop()
        var transport = CoAPTransport.Configuration()
        // A server does not answer a wrong key: silence is noticed soon.
        transport.handshakeTimeout = .seconds(3)
        self.device = try CoAPTransport(configuration: transport, loop: self.deviceLoop)
        self.device.onEvent = { [unowned self] event in
            self.events.append(event)
            if case .requestReceived(let exchange, _, _, let request, _) = event {
                self.device.respond(to: exchange, self.answer(request))
            }
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    /// Turns both until the condition holds, at most ten seconds.
    func drive(_ comment: Comment, until condition: () -> Bool) throws {
        let end = self.deviceLoop.now.advanced(by: .seconds(10))
        while !condition() {
            try #require(self.deviceLoop.now < end, comment)
            self.server.turn(until: self.deviceLoop.now.advanced(by: .milliseconds(2)))
            self.deviceLoop.turn(until: self.deviceLoop.now.advanced(by: .milliseconds(2)))
        }
    }

    func open(as identity: String? = "dev1", key: SecretBytes = ServerBench.key) throws -> TransportSession {
        let security: SessionSecurity =
            identity.map {
                .preSharedKey(PreSharedKey(identity: Array($0.utf8), key: key), serverName: nil)
            } ?? .none
        let address = self.server.addresses[identity == nil ? 1 : 0].address
        return try self.device.openSession(to: address, security: security, from: nil, tag: 0)
    }

    func connected(as identity: String? = "dev1") throws -> TransportSession {
        let session = try self.open(as: identity)
        try self.drive("the session opens") {
            self.events.contains {
                if case .sessionConnected(let opened, _) = $0 { opened == session } else { false }
            }
        }
        return session
    }

    func ask(_ request: CoAPRequest, on session: TransportSession) throws -> CoAPResponse {
        self.lastTag += 1
        let tag = self.lastTag
        try self.device.send(request, on: session, tag: tag)
        var answer: CoAPResponse?
        try self.drive("an answer to \(request.path.map { $0.map(\.string) } ?? [])") {
            for case .responseReceived(_, _, tag, let response) in self.events { answer = response }
            return answer != nil
        }
        return try #require(answer)
    }

    static func register(_ endpoint: String = "dev1") -> CoAPRequest {
        CoAPRequest(
            .post,
            path: ["rd"],
            query: [UTF8Text("ep=\(endpoint)"), "lt=300", "lwm2m=1.1", "b=U"],
            contentFormat: .linkFormat,
            payload: Array("</1/0>,</3/0>,</3303/0>".utf8)
        )
    }

    /// Registers a device and returns the last segment of its location.
    func register(on session: TransportSession, as endpoint: String = "dev1") throws -> UTF8Text {
        let response = try self.ask(Self.register(endpoint), on: session)
        try #require(response.code == .created)
        return try #require(response.options.texts(.locationPath)?.last)
    }

    /// Ends the server and begins another one with the same state.
    func restart() throws {
        let folder = self.folder
        // The file is locked until the first server is gone: an idle one without state stands in.
        var idle = self.configuration
        idle.statePath = nil
        idle.controlPath = folder + "/idle"
        self.server = try ManagementServer(configuration: idle)
        self.server = try ManagementServer(configuration: self.configuration)
    }

    func control() throws -> LineClient { try LineClient(path: self.folder + "/c") }

    func reply(_ client: LineClient) throws -> ControlReply {
        var line: [UInt8]?
        try self.drive("a line on the control socket") {
            line = client.receive(within: 0)
            return line != nil
        }
        return try JSONDecoder().decode(ControlReply.self, from: Data(try #require(line)))
    }

    func ask(_ request: ControlRequest, _ client: LineClient) throws -> ControlReply {
        #expect(client.send(Array(try JSONEncoder().encode(request))))
        return try self.reply(client)
    }
}
