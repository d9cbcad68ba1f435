public import CoAPMessages
public import CoAPTransport
public import Primitives

/// A device of one test without an engine: it sends what it is told to and shows all that comes.
public final class LoopbackDevice {
    /// What was waited for did not happen in time.
    public struct TooLate: Error {
        /// What it was.
        public let awaited: String
    }

    /// The key it proves any identity with, unless the test says otherwise.
    public static let key = SecretBytes(Array(1...16))

    private let loop: EventLoop
    private var lastTag: UInt32 = 0

    /// What it sends with.
    public let transport: CoAPTransport
    /// Everything that came so far.
    public private(set) var events: [TransportEvent] = []
    /// What it answers to a request.
    public var answer: (CoAPRequest) -> CoAPResponse = { _ in CoAPResponse(.changed) }
    /// Lets what waits at the other side happen, at most until a time.
    public var turnOther: (_ limit: MonotonicTime) -> Void = { _ in }

    /// Creates a device.
    public init() throws {
        self.loop = try EventLoop()
        var configuration = CoAPTransport.Configuration()
        // A server does not answer a wrong key: silence is noticed soon.
        configuration.handshakeTimeout = .seconds(3)
        self.transport = try CoAPTransport(configuration: configuration, loop: self.loop)
        self.transport.onEvent = { [unowned self] event in
            self.events.append(event)
            if case .requestReceived(let exchange, _, _, let request, _) = event {
                self.transport.respond(to: exchange, self.answer(request))
            }
        }
    }

    /// Turns both sides until the condition holds, at most ten seconds.
    public func drive(_ awaited: String, until condition: () -> Bool) throws {
        let end = self.loop.now.advanced(by: .seconds(10))
        while !condition() {
            guard self.loop.now < end else { throw TooLate(awaited: awaited) }
            self.turnOther(self.loop.now.advanced(by: .milliseconds(2)))
            self.loop.turn(until: self.loop.now.advanced(by: .milliseconds(2)))
        }
    }

    /// Opens a session without waiting for it.
    ///
    /// - Parameter identity: nil for a session without security.
    public func open(
        to address: SocketAddress,
        as identity: String?,
        key: SecretBytes = LoopbackDevice.key
    ) throws -> TransportSession {
        let security: SessionSecurity =
            identity.map {
                .preSharedKey(PreSharedKey(identity: Array($0.utf8), key: key), serverName: nil)
            } ?? .none
        return try self.transport.openSession(to: address, security: security, from: nil, tag: 0)
    }

    /// Opens a session and waits for it.
    ///
    /// - Parameter identity: nil for a session without security.
    public func connect(to address: SocketAddress, as identity: String?) throws -> TransportSession {
        let session = try self.open(to: address, as: identity)
        try self.drive("the session opens") {
            self.events.contains {
                if case .sessionConnected(let opened, _) = $0 { opened == session } else { false }
            }
        }
        return session
    }

    /// Sends a request and waits for the answer.
    public func ask(_ request: CoAPRequest, on session: TransportSession) throws -> CoAPResponse {
        self.lastTag += 1
        let tag = self.lastTag
        try self.transport.send(request, on: session, tag: tag)
        let awaited = "an answer to \(request.path.map { $0.map(\.string) } ?? [])"
        var answer: CoAPResponse?
        try self.drive(awaited) {
            for case .responseReceived(_, _, tag, let response) in self.events { answer = response }
            return answer != nil
        }
        guard let answer else { throw TooLate(awaited: awaited) }
        return answer
    }

    /// The request that registers an endpoint.
    public static func register(_ endpoint: String = "dev1") -> CoAPRequest {
        CoAPRequest(
            .post,
            path: ["rd"],
            query: [UTF8Text("ep=\(endpoint)"), "lt=300", "lwm2m=1.1", "b=U"],
            contentFormat: .linkFormat,
            payload: Array("</1/0>,</3/0>,</3303/0>".utf8)
        )
    }

    /// Registers and waits for it.
    ///
    /// - Returns: the last segment of the location; nil when it was refused.
    public func register(on session: TransportSession, as endpoint: String = "dev1") throws -> UTF8Text? {
        let response = try self.ask(Self.register(endpoint), on: session)
        return response.code == .created ? response.options.texts(.locationPath)?.last : nil
    }
}
