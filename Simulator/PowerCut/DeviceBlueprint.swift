import BootstrapEngine
import BootstrapURIs
import ClientEngine
import LwM2MModel
import Primitives

/// Who the devices of a power cut are: everything about one follows from its number, so that nothing is kept of it
/// while it is not at work.
struct DeviceBlueprint: Sendable {
    static let staticHost: UTF8Text = "bs.example.test"
    private static let prefix = Array("dev-".utf8)

    private let seed: UInt64
    /// How devices derive temporary names; nil when they only know the static one.
    private let profile: BootstrapURIProfile?
    private let serverURI = UTF8Text("coaps://\(Self.staticHost.string)")
    private let managementURI: UTF8Text = "coaps://lwm2m.example.test"
    private let objects = [
        HostedObject(
            Objects.device,
            instances: [
                HostedInstance(
                    0,
                    [
                        0: .string("Starling"), 1: .string("Virtual device"), 3: .string("1.0.0"), 9: .integer(100),
                        16: .string("U"),
                    ]
                )
            ]
        ),
        HostedObject(Objects.temperature, instances: [HostedInstance(0, [5700: .float(20), 5701: .string("Cel")])]),
    ]

    init(seed: UInt64, profile: BootstrapURIProfile?) {
        self.seed = seed
        self.profile = profile
    }

    func endpoint(_ device: Int) -> UTF8Text { UTF8Text("dev-\(device)") }

    /// The number of the device that an endpoint name or identity belongs to; nil for a stranger's.
    func device(_ identity: [UInt8]) -> Int? {
        guard identity.starts(with: Self.prefix), (5...20).contains(identity.count) else { return nil }
        var number = 0
        for byte in identity.dropFirst(Self.prefix.count) {
            guard (0x30...0x39).contains(byte) else { return nil }
            number = number * 10 + Int(byte - 0x30)
        }
        return number
    }

    /// The key of a device: for its sessions, and the secret of its temporary names.
    func key(_ device: Int) -> SecretBytes {
        var generator = SeededGenerator(seed: self.seed(of: device, salt: 1))
        var writer = ByteWriter(capacity: 16)
        writer.write(generator.next(), byteCount: 8)
        writer.write(generator.next(), byteCount: 8)
        return SecretBytes(writer.bytes)
    }

    /// How much later than its power a device is there, 0 to 1 of the time that devices take.
    func bootDelay(_ device: Int) -> Double {
        var generator = SeededGenerator(seed: self.seed(of: device, salt: 2))
        return generator.nextUnitInterval()
    }

    /// The seed of the engine of a device.
    func engineSeed(_ device: Int) -> UInt64 { self.seed(of: device, salt: 3) }

    func configuration(_ device: Int) -> ClientConfiguration {
        let endpoint = self.endpoint(device)
        let account = SecurityAccount(
            instance: 0,
            serverURI: self.serverURI,
            isBootstrap: true,
            mode: .preSharedKey,
            identity: endpoint.bytes,
            key: self.key(device)
        )
        return ClientConfiguration(
            endpoint: endpoint,
            security: [account],
            objects: self.objects,
            bootstrapURIProfile: self.profile
        )
    }

    /// What a server tells a device; nil refuses it.
    func plan(for endpoint: UTF8Text) -> BootstrapPlan? {
        guard let device = self.device(endpoint.bytes) else { return nil }
        let server = ProvisionedServer(
            shortServerID: 101,
            uri: self.managementURI,
            security: .preSharedKey(identity: endpoint.bytes, key: self.key(device)),
            lifetime: 86_400
        )
        return BootstrapPlan(servers: [server])
    }

    private func seed(of device: Int, salt: UInt64) -> UInt64 {
        var generator = SeededGenerator(seed: self.seed ^ UInt64(device) &* 0x9E6D_62D0_6F6A_9A9B)
        return generator.next() &+ salt &* 0xD6E8_FEB8_6659_FD93
    }
}
