import BalancerEngine
import CoAPTransport
import NameRegistry
import Primitives
import ServiceSupport

/// The registry of a configuration, opened.
struct OpenedRegistry {
    let registry: any NameRegistry
    /// The responder in this process, when it is one.
    let responder: EmbeddedResponder?

    init(_ registry: any NameRegistry) {
        self.registry = registry
        self.responder = registry as? EmbeddedResponder
    }

    init(_ configuration: BootstrapBalancer.Configuration, loop: EventLoop) throws(ServiceError) {
        do throws(RegistrySetupError) {
            switch configuration.registry {
            case .embedded(let address):
                let responder = try EmbeddedResponder(
                    configuration: EmbeddedResponder.Configuration(address: address, zone: configuration.zone),
                    loop: loop
                )
                self.registry = responder
                self.responder = responder
            case .dynamicUpdates(let server, let keyName, let key):
                self.registry = try DynamicUpdateRegistry(
                    configuration: DynamicUpdateRegistry.Configuration(
                        server: server,
                        zone: configuration.zone,
                        keyName: keyName,
                        key: key,
                        timeout: configuration.updateTimeout
                    ),
                    loop: loop
                )
                self.responder = nil
            }
        } catch {
            throw Self.words(error, configuration)
        }
    }

    /// Publishes what was published before, when the registry lives in this process and has forgotten it.
    func restore(_ snapshot: BalancerSnapshot, timeToLive: UInt32) {
        guard let responder = self.responder, let epoch = snapshot.epoch else { return }
        responder.apply(
            NameUpdate(
                expected: nil,
                epoch: epoch,
                assigned: snapshot.published,
                removed: [],
                timeToLive: timeToLive
            )
        ) { _ in }
    }

    private static func words(
        _ error: RegistrySetupError,
        _ configuration: BootstrapBalancer.Configuration
    ) -> ServiceError {
        switch error {
        case .addressInUse:
            ServiceError(
                "the address of the DNS responder is in use",
                hint: "--dns embedded:127.0.0.1:0 is any free port"
            )
        case .addressNotAvailable:
            ServiceError("the address of the DNS responder is none of this machine", hint: "'ip address' shows them")
        case .invalidKey: ServiceError("the key for signed updates is empty", hint: "--tsig NAME:@FILE, base64")
        case .invalidKeyName: ServiceError("the name of the key is no domain name", hint: "--tsig NAME:@FILE")
        case .invalidZone:
            ServiceError("'\(configuration.zone)' is no zone that can be published", hint: "--zone example.test")
        case .outOfResources: ServiceError(.outOfResources, about: "the registry")
        }
    }
}
