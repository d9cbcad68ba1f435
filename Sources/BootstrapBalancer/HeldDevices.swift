import CoAPMessages
import CoAPTransport
import Primitives
import ServiceSupport

/// The sessions of devices that come to the balancer itself, because no instance is up.
///
/// It answers one thing: a Bootstrap-Request, `POST /bs?ep=…`, on a session whose identity is the device's.
final class HeldDevices {
    /// Requests that were refused, by why.
    struct Counters: Equatable {
        /// No Bootstrap-Request, or one that makes no sense.
        var malformed: UInt64 = 0
        /// An endpoint name that is not the identity's.
        var identityMismatches: UInt64 = 0
    }

    private struct Session {
        var identity: [UInt8]
        var serverName: UTF8Text?
    }

    let transport: CoAPTransport
    private let sessions: ServiceSessions
    private let paths: [[UTF8Text]]
    private var open: [SessionID: Session] = [:]
    private(set) var counters = Counters()
    private(set) var address: ListenAddress

    /// The endpoint that an identity may use under a name; nil when it may not.
    var endpoint: (_ name: UTF8Text?, _ identity: [UInt8]) -> UTF8Text? = { _, _ in nil }
    /// Told that a device asks for bootstrap at a host.
    var onRequest: (ExchangeID, _ endpoint: UTF8Text, _ host: UTF8Text) -> Void = { _, _, _ in }

    /// Listens for devices.
    ///
    /// - Parameters:
    ///   - address: where.
    ///   - path: that of the static URI, which stands before `bs` or is left out.
    ///   - key: the key of a device's identity; nil when it is not known.
    init(
        on address: ListenAddress,
        path: [UTF8Text],
        transport configuration: CoAPTransport.Configuration,
        loop: EventLoop,
        key: @escaping ([UInt8]) -> SecretBytes?
    ) throws(ServiceError) {
        self.paths = [["bs"], path + ["bs"]]
        var configuration = configuration
        // A device that is held closes its session, or is forgotten soon.
        configuration.idleTimeout = .seconds(120)
        configuration.maximumBodySize = 1024
        do {
            self.transport = try CoAPTransport(configuration: configuration, loop: loop)
            let security: ListenerSecurity = address.scheme == .coaps ? .preSharedKey(hint: [], key: key) : .none
            let used = try self.transport.listen(on: address.address, security: security)
            self.address = ListenAddress(scheme: address.scheme, address: used)
        } catch {
            throw ServiceError(error, about: "the holding address \(address.text)")
        }
        self.sessions = ServiceSessions(transport: self.transport)
        self.transport.onEvent = { [unowned self] event in
            if let event = self.sessions.translate(event) { self.take(event) }
        }
    }

    func respond(to exchange: ExchangeID, _ response: CoAPResponse) {
        self.sessions.respond(to: exchange, response)
    }

    private func take(_ event: ServerEvent) {
        switch event {
        case .sessionAccepted(let session, let identity, let serverName):
            self.open[session] = identity.map { Session(identity: $0, serverName: serverName) }
        case .sessionClosed(let session): self.open[session] = nil
        case .requestReceived(let exchange, let session, let request):
            do throws(InstanceResource.Refusal) {
                let (endpoint, host) = try self.read(request, self.open[session])
                self.onRequest(exchange, endpoint, host)
            } catch {
                if error.code == .forbidden {
                    self.counters.identityMismatches += 1
                } else {
                    self.counters.malformed += 1
                }
                self.respond(to: exchange, CoAPResponse(error.code))
            }
        case .responseReceived, .requestFailed: break
        }
    }

    private func read(
        _ request: CoAPRequest,
        _ session: Session?
    ) throws(InstanceResource.Refusal) -> (endpoint: UTF8Text, host: UTF8Text) {
        guard let path = request.path, self.paths.contains(path) else { throw InstanceResource.Refusal(.notFound) }
        guard request.method == .post else { throw InstanceResource.Refusal(.methodNotAllowed) }
        guard let session else { throw InstanceResource.Refusal(.unauthorized) }
        guard let query = request.query else { throw InstanceResource.Refusal(.badRequest) }
        let prefix = Array("ep=".utf8)
        let name = query.first { $0.bytes.starts(with: prefix) }
            .flatMap { UTF8Text(validating: Array($0.bytes.dropFirst(3))) }
        guard let endpoint = self.endpoint(name, session.identity) else { throw InstanceResource.Refusal(.forbidden) }
        let named = request.options.first(.uriHost).flatMap { UTF8Text(validating: $0) } ?? session.serverName
        guard let host = named, (1...BalancerMessages.longestHost).contains(host.bytes.count) else {
            throw InstanceResource.Refusal(.badRequest)
        }
        return (endpoint, host.lowercased)
    }
}
