import CoAPMessages
import CoAPTransport
import Primitives
import Testing

/// A client and a server transport on one loop, and what each of them reported.
final class Loopback {
    let loop: EventLoop
    let client: CoAPTransport
    let server: CoAPTransport
    private(set) var clientEvents: [TransportEvent] = []
    private(set) var serverEvents: [TransportEvent] = []
    /// What the server answers to a request as soon as it comes; nil leaves it waiting.
    var answer: (CoAPRequest) -> CoAPResponse? = { _ in CoAPResponse(.content) }

    static let key = SecretBytes([UInt8](repeating: 7, count: 16))
    static let identity = Array("device-1".utf8)

    init(
        client: CoAPTransport.Configuration = Loopback.quick,
        server: CoAPTransport.Configuration = Loopback.quick
    ) throws {
        self.loop = try EventLoop()
        self.client = try CoAPTransport(configuration: client, loop: self.loop)
        self.server = try CoAPTransport(configuration: server, loop: self.loop)
        self.client.onEvent = { [unowned self] in self.clientEvents.append($0) }
        self.server.onEvent = { [unowned self] event in
            self.serverEvents.append(event)
            guard case .requestReceived(let exchange, _, _, let request, _) = event else { return }
            if let response = self.answer(request) { self.server.respond(to: exchange, response) }
        }
    }

    /// Short timers, as short as the CoAP library allows: silence is noticed within five seconds.
    static var quick: CoAPTransport.Configuration {
        var configuration = CoAPTransport.Configuration()
        configuration.acknowledgeTimeout = .seconds(1)
        configuration.maximumRetransmit = 1
        configuration.handshakeTimeout = .seconds(3)
        return configuration
    }

    /// Turns the loop until a condition holds, at most ten seconds.
    func drive(_ comment: Comment, until condition: () -> Bool) throws {
        let end = self.loop.now.advanced(by: .seconds(10))
        while !condition() {
            try #require(self.loop.now < end, comment)
            self.loop.turn(until: self.loop.now.advanced(by: .milliseconds(20)))
        }
    }

    static func accepting(
        _ identity: [UInt8] = Loopback.identity,
        key: SecretBytes = Loopback.key
    ) -> ListenerSecurity {
        .preSharedKey(hint: []) { $0 == identity ? key : nil }
    }

    static let preSharedKey = SessionSecurity.preSharedKey(
        PreSharedKey(identity: Loopback.identity, key: Loopback.key),
        serverName: nil
    )

    /// Opens a session of the client and waits until it is ready.
    func connect(
        to address: SocketAddress,
        security: SessionSecurity,
        from source: SocketAddress? = nil,
        tag: UInt64 = 1
    ) throws -> TransportSession {
        let session = try self.client.openSession(to: address, security: security, from: source, tag: tag)
        try self.drive("the session is ready") { self.isConnected(session) }
        return session
    }

    func isConnected(_ session: TransportSession) -> Bool {
        self.clientEvents.contains { if case .sessionConnected(session, _) = $0 { true } else { false } }
    }

    /// Waits for the answer to a request of the client.
    func answer(to tag: UInt32) throws -> CoAPResponse {
        var found: CoAPResponse?
        try self.drive("the answer comes") {
            for case .responseReceived(_, _, tag, let response) in self.clientEvents { found = response }
            return found != nil
        }
        return try #require(found)
    }

    /// Why a session of the client ended; waits for it.
    func closure(of session: TransportSession) throws -> SessionFailure {
        var found: SessionFailure?
        try self.drive("the session ends") {
            for case .sessionClosed(session, _, let failure) in self.clientEvents { found = failure }
            return found != nil
        }
        return try #require(found)
    }

    /// Why a request of the client failed; waits for it.
    func failure(of tag: UInt32) throws -> RequestFailure {
        var found: RequestFailure?
        try self.drive("the request fails") {
            for case .requestFailed(_, _, tag, let failure) in self.clientEvents { found = failure }
            return found != nil
        }
        return try #require(found)
    }

    /// The answers and notifications that the client received for a request.
    func answers(to tag: UInt32) -> [CoAPResponse] {
        self.clientEvents.compactMap { event in
            if case .responseReceived(_, _, tag, let response) = event { response } else { nil }
        }
    }

    /// The first session that the server accepted.
    var acceptedSession: TransportSession? {
        for case .sessionAccepted(let session, _, _) in self.serverEvents { return session }
        return nil
    }

    var serverRequests: [CoAPRequest] {
        self.serverEvents.compactMap {
            if case .requestReceived(_, _, _, let request, _) = $0 { request } else { nil }
        }
    }

    var ipv4: SocketAddress { SocketAddress(ipv4: (127, 0, 0, 1), port: 0) }
    var ipv6: SocketAddress { SocketAddress(ipv6: [UInt8](repeating: 0, count: 15) + [1], port: 0) }
}
