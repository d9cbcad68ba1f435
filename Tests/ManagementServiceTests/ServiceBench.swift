import CoAPMessages
import CoAPTransport
import Foundation
import LoopbackPeers
import ManagementService
import Primitives
import ServiceSupport
import Testing

/// A service that manages devices and a device on loopback, turned in turn.
final class ServiceBench {
    let folder = FileManager.default.temporaryDirectory.appending(path: "ms-\(UUID().uuidString.prefix(8))").path
    let device: LoopbackDevice
    private(set) var service: ManagementService
    private let configuration: ManagementService.Configuration

    init(
        keys: DeviceKeys = .shared(LoopbackDevice.key),
        _ adjust: (inout ManagementService.Configuration) -> Void = { _ in }
    ) throws {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        var configuration = ManagementService.Configuration(
            addresses: [
                try ListenAddress(parsing: "coaps://127.0.0.1:0"), try ListenAddress(parsing: "coap://127.0.0.1:0"),
            ],
            keys: keys,
            statePath: self.folder + "/state.sqlite",
            controlPath: self.folder + "/c"
        )
        adjust(&configuration)
        self.configuration = configuration
        self.service = try ManagementService(configuration: configuration)
        self.device = try LoopbackDevice()
        self.device.turnOther = { [unowned self] limit in self.service.turn(until: limit) }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    func drive(_ awaited: String, until condition: () -> Bool) throws {
        try self.device.drive(awaited, until: condition)
    }

    func open(as identity: String? = "dev1", key: SecretBytes = LoopbackDevice.key) throws -> TransportSession {
        try self.device.open(to: self.address(for: identity), as: identity, key: key)
    }

    func connected(as identity: String? = "dev1") throws -> TransportSession {
        try self.device.connect(to: self.address(for: identity), as: identity)
    }

    private func address(for identity: String?) -> SocketAddress {
        self.service.addresses[identity == nil ? 1 : 0].address
    }

    func ask(_ request: CoAPRequest, on session: TransportSession) throws -> CoAPResponse {
        try self.device.ask(request, on: session)
    }

    /// Registers a device and returns the last segment of its location.
    func register(on session: TransportSession, as endpoint: String = "dev1") throws -> UTF8Text {
        try #require(try self.device.register(on: session, as: endpoint))
    }

    /// Ends the service and begins another one with the same state.
    func restart() throws {
        // The file is locked until the first service is gone: an idle one without state stands in.
        var idle = self.configuration
        idle.statePath = nil
        idle.controlPath = self.folder + "/idle"
        self.service = try ManagementService(configuration: idle)
        self.service = try ManagementService(configuration: self.configuration)
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

    func send(_ request: ControlRequest, _ client: LineClient) throws {
        #expect(client.send(Array(try JSONEncoder().encode(request))))
    }

    func ask(_ request: ControlRequest, _ client: LineClient) throws -> ControlReply {
        try self.send(request, client)
        return try self.reply(client)
    }
}
