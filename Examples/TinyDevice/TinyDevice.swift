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
enum TinyDevice {
    static func main(_ arguments: [UTF8Text]) {
        guard arguments.count == 4, let key = Hexadecimal.decode(arguments[3].string) else {
            print("usage: TinyDevice URI ENDPOINT IDENTITY KEY   (the key in hexadecimal)")
            return
        }
        let account = SecurityAccount(
            instance: 0,
            serverURI: arguments[0],
            mode: .preSharedKey,
            identity: arguments[2].bytes,
            key: SecretBytes(key),
            shortServerID: 1
        )
        do throws(TransportError) {
            try Self.run(endpoint: arguments[1], account: account)
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
}

/// The entry point, by the name that the package manager gives it: Embedded Swift has no `CommandLine`.
@_cdecl("TinyDevice_main")
func main(_ count: Int32, _ values: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
    var arguments: [UTF8Text] = []
    for index in 1..<max(1, Int(count)) {
        guard let start = values[index] else { continue }
        var bytes: [UInt8] = []
        while start[bytes.count] != 0 { bytes.append(UInt8(bitPattern: start[bytes.count])) }
        if let text = UTF8Text(validating: bytes) { arguments.append(text) }
    }
    TinyDevice.main(arguments)
    return 1
}
