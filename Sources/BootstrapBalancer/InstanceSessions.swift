import BalancerEngine
import CoAPMessages
import CoAPTransport
import Primitives
import ServiceSupport

/// The sessions of the instances: who is at the other end, and what they ask.
final class InstanceSessions {
    let transport: CoAPTransport
    private let sessions: ServiceSessions
    private let instances: CredentialTable
    private var names: [SessionID: UTF8Text] = [:]
    private var resource = InstanceResource()

    /// Told what an instance asks, by its name.
    var onRequest: (ExchangeID, UTF8Text, InstanceRequest) -> Void = { _, _, _ in }
    /// Told that a request was refused.
    var onRefusal: (UTF8Text, CoAPCode) -> Void = { _, _ in }
    private(set) var addresses: [ListenAddress] = []

    init(_ configuration: BootstrapBalancer.Configuration, loop: EventLoop) throws(ServiceError) {
        guard configuration.addresses.allSatisfy({ $0.scheme == .coaps }) else {
            throw ServiceError("instances report over DTLS only", hint: "--listen coaps://ADDRESS:PORT")
        }
        do {
            self.transport = try CoAPTransport(configuration: configuration.transport, loop: loop)
        } catch {
            throw ServiceError(error, about: "the balancer")
        }
        self.sessions = ServiceSessions(transport: self.transport)
        self.instances = configuration.instances
        self.addresses = try self.transport.listen(on: configuration.addresses, keys: .listed(configuration.instances))
        self.transport.onEvent = { [unowned self] event in
            if let event = self.sessions.translate(event) { self.take(event) }
        }
    }

    var counters: InstanceResource.Counters { self.resource.counters }

    func respond(to exchange: ExchangeID, _ response: CoAPResponse) {
        self.sessions.respond(to: exchange, response)
    }

    private func take(_ event: ServerEvent) {
        switch event {
        case .sessionAccepted(let session, let identity, _):
            self.names[session] = identity.flatMap { self.instances.credential(of: $0)?.endpoint }
        case .sessionClosed(let session): self.names[session] = nil
        case .requestReceived(let exchange, let session, let request):
            guard let name = self.names[session] else {
                self.respond(to: exchange, CoAPResponse(.unauthorized))
                return
            }
            do throws(InstanceResource.Refusal) {
                self.onRequest(exchange, name, try self.resource.read(request, from: name))
            } catch {
                self.respond(to: exchange, CoAPResponse(error.code))
                self.onRefusal(name, error.code)
            }
        case .responseReceived, .requestFailed: break
        }
    }
}
