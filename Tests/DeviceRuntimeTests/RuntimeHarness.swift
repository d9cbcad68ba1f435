import ClientEngine
import CoAPMessages
import CoAPTransport
import CommandSessions
import DeviceRuntime
import DeviceStore
import LoopbackPeers
import LwM2MModel
import NameResolution
import Primitives

/// Devices and their server on one loop in the test's thread, over real sockets.
final class RuntimeHarness {
    static let key: [UInt8] = Array("0123456789abcdef".utf8)

    let loop: EventLoop
    let server: LoopbackServer
    let runtime: DeviceRuntime
    private(set) var reports: [DeviceID: [DeviceReport]] = [:]

    init(
        isSecured: Bool = true,
        serverAddress: SocketAddress = SocketAddress(ipv4: (127, 0, 0, 1), port: 0),
        dns: DNSResponder? = nil,
        handshakeTimeout: Duration = .seconds(20),
        acknowledgeTimeout: Duration = .seconds(2),
        maximumRetransmit: Int = 4
    ) throws {
        self.loop = try EventLoop()
        let key = Self.key
        self.server = try LoopbackServer(
            loop: self.loop,
            address: serverAddress,
            key: isSecured ? { identity in identity == Array("stranger".utf8) ? nil : SecretBytes(key) } : nil
        )
        var configuration = CoAPTransport.Configuration()
        configuration.handshakeTimeout = handshakeTimeout
        configuration.acknowledgeTimeout = acknowledgeTimeout
        configuration.maximumRetransmit = maximumRetransmit
        let transport = try CoAPTransport(configuration: configuration, loop: self.loop)
        var resolver: NameResolver?
        if let dns {
            let servers = [NameResolver.Configuration.Server(address: "127.0.0.1", port: dns.port)]
            resolver = try NameResolver.watched(
                by: self.loop,
                configuration: .init(servers: servers, timeout: .milliseconds(50), tries: 1)
            )
            self.loop.watch(descriptor: dns.descriptor, readable: true, writable: false) { _, _ in dns.answerWaiting() }
        }
        self.runtime = DeviceRuntime(loop: self.loop, transport: transport, resolver: resolver)
        self.runtime.onReport = { [unowned self] device, report, _ in self.reports[device, default: []].append(report) }
    }

    /// Adds and starts a device.
    func start(
        _ endpoint: String,
        uri: String? = nil,
        identity: String? = nil,
        key: [UInt8] = RuntimeHarness.key,
        objects: [HostedObject] = [],
        store: DeviceStore? = nil,
        sessionPolicy: SessionPolicy? = nil
    ) -> DeviceID {
        var configuration = self.configuration(endpoint, uri: uri, identity: identity, key: key, objects: objects)
        if let sessionPolicy { configuration.commandSessions = [CommandSessionAccount(policy: sessionPolicy)] }
        if let stored = try? store?.load() { configuration.apply(stored) }
        let device = self.runtime.addDevice(configuration, registry: .standard, seed: 1, store: store)
        self.runtime.deliver(.started, to: device)
        return device
    }

    /// What a device starts with.
    func configuration(
        _ endpoint: String,
        uri: String? = nil,
        identity: String? = nil,
        key: [UInt8] = RuntimeHarness.key,
        objects: [HostedObject] = []
    ) -> ClientConfiguration {
        let uri = uri ?? self.server.uri
        var account = SecurityAccount(instance: 0, serverURI: UTF8Text(uri), shortServerID: 1)
        if uri.hasPrefix("coaps") {
            account.mode = .preSharedKey
            account.identity = Array((identity ?? endpoint).utf8)
            account.key = SecretBytes(key)
        }
        let deviceObject = HostedObject(
            Objects.device,
            instances: [HostedInstance(0, [0: .string("Acme"), 16: .string("U")])]
        )
        return ClientConfiguration(
            endpoint: UTF8Text(endpoint),
            security: [account],
            servers: [ServerAccount(instance: 0, shortServerID: 1, lifetime: 300)],
            objects: [deviceObject] + objects
        )
    }

    /// Runs until the condition holds; false when it never does, for which a busy machine gets two minutes.
    func run(until isDone: () -> Bool) -> Bool {
        let limit = self.loop.now.advanced(by: .seconds(120))
        while !isDone() {
            if self.loop.now > limit { return false }
            self.runtime.run(until: self.loop.now.advanced(by: .milliseconds(5)))
        }
        return true
    }

    func runUntilRegistered(_ endpoint: String) -> Bool {
        self.run { self.server.registrations[endpoint] != nil }
    }

    /// Sends a request of the server and returns the first answer.
    func ask(_ request: CoAPRequest, of endpoint: String) throws -> CoAPResponse? {
        let tag = try self.server.send(request, to: endpoint)
        _ = self.run { !self.server.answers(to: tag).isEmpty }
        return self.server.answers(to: tag).first
    }

    func sessionFailures(of device: DeviceID) -> [SessionFailure] {
        (self.reports[device] ?? []).compactMap { if case .sessionFailed(let failure) = $0 { failure } else { nil } }
    }
}

extension CoAPRequest {
    static func read(_ path: UTF8Text...) -> CoAPRequest { CoAPRequest(.get, path: path, accept: .text) }
}
