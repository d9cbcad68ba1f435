public import CoAPMessages
public import CoAPTransport
internal import Primitives

/// A LwM2M bootstrap server of one test: it notes which hosts it was asked under, and delivers one account or refuses.
public final class LoopbackBootstrapServer {
    /// What to do about a Bootstrap-Request.
    public enum Reply: Sendable {
        /// Accept, write the account, finish.
        case deliver
        /// Answer at once.
        case answer(CoAPResponse)
        /// Acknowledge only; the answer follows with ``LoopbackBootstrapServer/answerWaiting(_:)``.
        case acknowledge
    }

    /// One Bootstrap-Request.
    public struct Visit: Hashable, Sendable {
        /// Uri-Host; nil when there was none.
        public let host: String?
        /// The server name of the handshake; nil when there was none.
        public let serverName: String?
        /// The path with its segments joined by `/`.
        public let path: String

        /// Creates a visit to compare with.
        public init(host: String?, serverName: String?, path: String) {
            self.host = host
            self.serverName = serverName
            self.path = path
        }
    }

    private let transport: CoAPTransport
    private let isSecured: Bool
    private let account: () -> (uri: String, identity: String, key: [UInt8])
    private var waiting: (exchange: ExchangeID, session: TransportSession)?
    private var steps: [TransportSession: Int] = [:]

    /// The address it listens on.
    public private(set) var address: SocketAddress
    /// What to do about a request; that of the n-th visit, counted from 0.
    public var rule: (Int) -> Reply = { _ in .deliver }
    /// Every request so far.
    public private(set) var visits: [Visit] = []
    /// How many devices have taken everything.
    public private(set) var finished = 0

    /// Creates a server.
    ///
    /// - Parameters:
    ///   - loop: who turns it is up to the test.
    ///   - address: where to listen; port 0 for a free one.
    ///   - key: the key of every identity; nil for a server without security.
    ///   - account: the account that is delivered.
    public init(
        loop: EventLoop,
        address: SocketAddress,
        key: [UInt8]?,
        account: @escaping () -> (uri: String, identity: String, key: [UInt8])
    ) throws {
        self.isSecured = key != nil
        self.account = account
        self.transport = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: loop)
        let secret = key.map { SecretBytes($0) }
        let security: ListenerSecurity = secret.map { secret in .preSharedKey(hint: [], key: { _ in secret }) } ?? .none
        self.address = try self.transport.listen(on: address, security: security)
        self.transport.onEvent = { [unowned self] event in self.take(event) }
    }

    /// A URI with its port.
    public func uri(host: String) -> String {
        (self.isSecured ? "coaps://" : "coap://") + host + ":\(self.address.port)"
    }

    /// Whether a request was acknowledged and waits for its answer.
    public var isWaiting: Bool { self.waiting != nil }

    /// Answers the request that was only acknowledged; with 2.04 the delivery begins.
    public func answerWaiting(_ response: CoAPResponse) {
        guard let waiting = self.waiting else { return }
        self.waiting = nil
        self.transport.respond(to: waiting.exchange, response)
        if response.code.isSuccess { self.deliverNext(to: waiting.session) }
    }

    private func take(_ event: TransportEvent) {
        switch event {
        case .requestReceived(let exchange, let session, _, let request, _):
            let visit = Visit(
                host: request.options.texts(.uriHost)?.first?.string,
                serverName: self.transport.serverName(of: session)?.string,
                path: (request.path ?? []).map { $0.string }.joined(separator: "/")
            )
            self.visits.append(visit)
            switch self.rule(self.visits.count - 1) {
            case .answer(let response): self.transport.respond(to: exchange, response)
            case .acknowledge: self.waiting = (exchange, session)
            case .deliver:
                self.transport.respond(to: exchange, CoAPResponse(.changed))
                self.deliverNext(to: session)
            }
        case .responseReceived(let session, _, _, let response):
            if response.code.isSuccess { self.deliverNext(to: session) }
        default: break
        }
    }

    private func deliverNext(to session: TransportSession) {
        let step = self.steps[session, default: 0]
        self.steps[session] = step + 1
        let (uri, identity, key) = self.account()
        let request: CoAPRequest
        switch step {
        case 0:
            let mode = uri.hasPrefix("coaps") ? 0 : 3
            let security = """
                [{"bn":"/0/1/","n":"0","vs":"\(uri)"},{"n":"1","vb":false},{"n":"2","v":\(mode)},\
                {"n":"3","vd":"\(Self.base64URL(Array(identity.utf8)))"},{"n":"5","vd":"\(Self.base64URL(key))"},\
                {"n":"10","v":1}]
                """
            request = Self.put(["0", "1"], security)
        case 1:
            let server = """
                [{"bn":"/1/0/","n":"0","v":1},{"n":"1","v":300},{"n":"6","vb":false},{"n":"7","vs":"U"}]
                """
            request = Self.put(["1", "0"], server)
        case 2: request = CoAPRequest(.post, path: ["bs"])
        default:
            self.finished += 1
            return
        }
        try? self.transport.send(request, on: session, tag: UInt32(step))
    }

    private static func put(_ path: [UTF8Text], _ payload: String) -> CoAPRequest {
        CoAPRequest(.put, path: path, contentFormat: .senMLJSON, payload: Array(payload.utf8))
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text: [UInt8] = []
        var buffer = 0
        var bits = 0
        for byte in bytes {
            buffer = (buffer << 8 | Int(byte)) & 0xFFFF
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(letters[buffer >> bits & 63])
            }
        }
        if bits > 0 { text.append(letters[buffer << (6 - bits) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }
}
