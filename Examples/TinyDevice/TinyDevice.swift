import ClientEngine
import CoAPMessages
import CoAPTransport
import DeviceRuntime
import LwM2MModel
import NameResolution
import Primitives

/// The smallest device: objects 0, 1 and 3 over DTLS with a pre-shared key, in Embedded Swift.
///
///     TinyDevice coaps://127.0.0.1:5684 urn:dev:ops:32473-Tiny-1 tiny-1 00112233445566778899aabbccddeeff
@main struct TinyDevice {
    static func main() {
        guard let account = Self.account(), let endpoint = Self.argument(2) else {
            print("usage: TinyDevice URI ENDPOINT IDENTITY KEY   (the key in hexadecimal)")
            return
        }
        do throws(TransportError) {
            try Self.run(endpoint: endpoint, account: account)
        } catch {
            print("the transport could not start")
        }
    }

    private static func run(endpoint: UTF8Text, account: SecurityAccount) throws(TransportError) {
        let loop = try EventLoop()
        let transport = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: loop)
        let runtime = DeviceRuntime(loop: loop, transport: transport, resolver: Self.makeResolver(loop))
        runtime.onReport = { _, report, now in Self.show(report, now) }
        runtime.onExecute = { device, exchange, _, _ in
            print("a server asked for a reboot")
            runtime.deliver(.executed(exchange, .changed), to: device)
        }
        let deviceObject = HostedObject(
            Objects.device,
            instances: [HostedInstance(0, [0: .string("Acme"), 1: .string("Tiny"), 16: .string("U")])]
        )
        let device = runtime.addDevice(
            ClientConfiguration(
                endpoint: endpoint,
                security: [account],
                servers: [ServerAccount(instance: 0, shortServerID: 1, lifetime: 300)],
                objects: [deviceObject]
            ),
            registry: ObjectRegistry([Objects.security, Objects.server, Objects.device]),
            seed: UInt64(bitPattern: loop.now.nanoseconds)
        )
        runtime.deliver(.started, to: device)
        while true { runtime.run(until: nil) }
    }

    private static func makeResolver(_ loop: EventLoop) -> NameResolver? {
        do { return try NameResolver.watched(by: loop) } catch { return nil }
    }

    private static func show(_ report: DeviceReport, _ now: MonotonicTime) {
        switch report {
        case .client(.registered(_, let since)):
            print("registered in \(since.duration(to: now).nanoseconds / 1_000_000) ms")
        case .client(.registrationFailed): print("registration failed; the device tries again")
        case .sessionOpened(let since):
            print("handshake in \(since.duration(to: now).nanoseconds / 1_000_000) ms")
        case .sessionFailed(.handshakeRefused): print("the server refused the handshake: check identity and key")
        case .sessionFailed: print("the server cannot be reached")
        default: break
        }
    }

    private static func account() -> SecurityAccount? {
        guard let uri = Self.argument(1), let identity = Self.argument(3), let digits = Self.argument(4),
            let key = Hexadecimal.decode(digits.string)
        else { return nil }
        return SecurityAccount(
            instance: 0,
            serverURI: uri,
            mode: .preSharedKey,
            identity: identity.bytes,
            key: SecretBytes(key),
            shortServerID: 1
        )
    }

    private static func argument(_ index: Int) -> UTF8Text? {
        guard index < Int(CommandLine.argc), let start = CommandLine.unsafeArgv[index] else { return nil }
        var bytes: [UInt8] = []
        var position = 0
        while start[position] != 0 {
            bytes.append(UInt8(bitPattern: start[position]))
            position += 1
        }
        return UTF8Text(validating: bytes)
    }
}
