import CoAPMessages
import CoAPTransport
import LoopbackPeers
import ManagementServer
import ServiceSupport

/// A management server and a device on loopback, turned in turn.
final class ServerBench {
    let device: LoopbackDevice
    let server: ManagementServer

    init(
        keys: DeviceKeys = .shared(LoopbackDevice.key),
        _ adjust: (inout ManagementServer.Configuration) -> Void = { _ in }
    ) throws {
        var configuration = ManagementServer.Configuration(
            addresses: [
                try ListenAddress(parsing: "coaps://127.0.0.1:0"), try ListenAddress(parsing: "coap://127.0.0.1:0"),
            ],
            keys: keys
        )
        adjust(&configuration)
        self.server = try ManagementServer(configuration: configuration)
        self.device = try LoopbackDevice()
        self.device.turnOther = { [server] limit in server.turn(until: limit) }
    }

    func connected(as identity: String? = "dev1") throws -> TransportSession {
        try self.device.connect(to: self.server.addresses[identity == nil ? 1 : 0].address, as: identity)
    }

    func ask(_ request: CoAPRequest, on session: TransportSession) throws -> CoAPResponse {
        try self.device.ask(request, on: session)
    }
}
