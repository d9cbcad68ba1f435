public import CoAPMessages
public import CoAPTransport
public import Primitives

/// A LwM2M server of one test: it accepts registrations on loopback and asks devices what the test wants to know.
public final class LoopbackServer {
    /// One registration.
    public struct Registration {
        /// The session it came over.
        public let session: TransportSession
        /// The queries of Register and of the updates since; `"lt"` to `"300"`.
        public var parameters: [String: String]
        /// The list of objects of the last Register or Update that had one.
        public var objects: String
        /// The last segment of the location.
        public let location: String
    }

    private let transport: CoAPTransport
    private let loop: EventLoop
    private let isSecured: Bool
    private var responses: [UInt32: [CoAPResponse]] = [:]
    private var nextTag: UInt32 = 1
    private var nextLocation = 0

    /// The address it listens on.
    public private(set) var address = SocketAddress(ipv4: (127, 0, 0, 1), port: 0)
    /// The registrations by endpoint.
    public private(set) var registrations: [String: Registration] = [:]
    /// The endpoints that deregistered.
    public private(set) var deregistered: [String] = []
    /// How many updates came.
    public private(set) var updates = 0
    /// When not nil, the code that every Register gets.
    public var refusal: CoAPCode?
    /// The requests that got no answer.
    public private(set) var failures: [RequestFailure] = []

    /// Creates a server.
    ///
    /// - Parameters:
    ///   - loop: who turns it is up to the test.
    ///   - key: the key of an identity; nil for a server without security.
    ///   - address: where to listen; port 0 for a free one.
    public init(
        loop: EventLoop,
        address: SocketAddress = SocketAddress(ipv4: (127, 0, 0, 1), port: 0),
        key: ((_ identity: [UInt8]) -> SecretBytes?)?
    ) throws {
        self.loop = loop
        self.isSecured = key != nil
        self.transport = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: loop)
        self.transport.onEvent = { [unowned self] event in self.take(event) }
        let security: ListenerSecurity = key.map { .preSharedKey(hint: [], key: $0) } ?? .none
        self.address = try self.transport.listen(on: address, security: security)
    }

    /// The URI that devices use.
    public var uri: String { (self.isSecured ? "coaps://" : "coap://") + self.address.text }

    /// The URI with a name in the address's place.
    public func uri(host: String) -> String {
        (self.isSecured ? "coaps://" : "coap://") + host + ":\(self.address.port)"
    }

    /// Lets everything on the loop happen that waits, for at most a few milliseconds.
    public func turn() {
        self.loop.turn(until: self.loop.now.advanced(by: .milliseconds(5)))
    }

    /// Sends a request to a registered device.
    ///
    /// - Returns: what ``answers(to:)`` wants.
    public func send(_ request: CoAPRequest, to endpoint: String) throws -> UInt32 {
        guard let registration = self.registrations[endpoint] else { throw NotRegistered(endpoint: endpoint) }
        self.nextTag += 1
        try self.transport.send(request, on: registration.session, tag: self.nextTag)
        return self.nextTag
    }

    /// The answers so far; more than one for an observation.
    public func answers(to tag: UInt32) -> [CoAPResponse] { self.responses[tag] ?? [] }

    /// The endpoint is not registered.
    public struct NotRegistered: Error {
        /// Which.
        public let endpoint: String
    }

    private func take(_ event: TransportEvent) {
        switch event {
        case .requestReceived(let exchange, let session, _, let request, _):
            self.transport.respond(to: exchange, self.answer(request, session))
        case .responseReceived(_, _, let tag, let response): self.responses[tag, default: []].append(response)
        case .requestFailed(_, _, _, let failure): self.failures.append(failure)
        default: break
        }
    }

    private func answer(_ request: CoAPRequest, _ session: TransportSession) -> CoAPResponse {
        let path = (request.path ?? []).map { $0.string }
        guard path.first == "rd" else { return CoAPResponse(.notFound) }
        if path.count == 1 { return self.register(request, session) }
        guard let endpoint = self.registrations.first(where: { $0.value.location == path.last })?.key else {
            return CoAPResponse(.notFound)
        }
        if request.method == .delete {
            self.registrations[endpoint] = nil
            self.deregistered.append(endpoint)
            return CoAPResponse(.deleted)
        }
        self.updates += 1
        self.registrations[endpoint]?.parameters.merge(Self.parameters(request)) { $1 }
        if !request.payload.isEmpty {
            self.registrations[endpoint]?.objects = String(decoding: request.payload, as: UTF8.self)
        }
        return CoAPResponse(.changed)
    }

    private func register(_ request: CoAPRequest, _ session: TransportSession) -> CoAPResponse {
        if let refusal = self.refusal { return CoAPResponse(refusal) }
        let parameters = Self.parameters(request)
        guard let endpoint = parameters["ep"] else { return CoAPResponse(.badRequest) }
        let location = "r\(self.nextLocation)"
        self.nextLocation += 1
        self.registrations[endpoint] = Registration(
            session: session,
            parameters: parameters,
            objects: String(decoding: request.payload, as: UTF8.self),
            location: location
        )
        var response = CoAPResponse(.created)
        response.options.append(.locationPath, Array("rd".utf8))
        response.options.append(.locationPath, Array(location.utf8))
        return response
    }

    private static func parameters(_ request: CoAPRequest) -> [String: String] {
        var parameters: [String: String] = [:]
        for query in request.query ?? [] {
            let parts = query.string.split(separator: "=", maxSplits: 1).map { String($0) }
            parameters[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        return parameters
    }
}
