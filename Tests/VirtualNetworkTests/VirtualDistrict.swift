import ClientEngine
import CoAPMessages
import LwM2MModel
import ManagementEngine
import Primitives
import VirtualNetwork

/// A management server and devices that know it from the factory, on a network that can be made bad.
struct VirtualDistrict {
    static let key = SecretBytes([1, 2, 3, 4])
    static let temperature = ObjectPath(3303, 0, 5700)

    let network: VirtualNetwork
    let server: ManagementPeer
    let serverNumber: Int
    var devices: [ClientPeer] = []
    var numbers: [Int] = []

    init(conditions: NetworkConditions = NetworkConditions(), seed: UInt64) {
        self.network = VirtualNetwork(conditions: conditions, seed: seed)
        self.server = ManagementPeer(seed: seed) { identity in
            identity.starts(with: "dev-".utf8) ? Self.key : nil
        }
        self.serverNumber = self.network.add(self.server, listeningAt: "lwm2m.example:5684")
    }

    static func name(_ index: Int) -> UTF8Text { UTF8Text("dev-\(index)") }

    static func configuration(_ index: Int, lifetime: UInt32 = 300, key: SecretBytes = Self.key) -> ClientConfiguration
    {
        ClientConfiguration(
            endpoint: Self.name(index),
            security: [
                SecurityAccount(
                    instance: 0,
                    serverURI: "coaps://lwm2m.example",
                    mode: .preSharedKey,
                    identity: Self.name(index).bytes,
                    key: key,
                    shortServerID: 1
                )
            ],
            servers: [ServerAccount(instance: 0, shortServerID: 1, lifetime: lifetime)],
            objects: Self.objects
        )
    }

    static let objects = [
        HostedObject(
            Objects.device,
            instances: [HostedInstance(0, [0: .string("Starling"), 9: .integer(80), 15: .string("Europe/Berlin")])]
        ),
        HostedObject(Objects.temperature, instances: [HostedInstance(0, [5700: .float(20)])]),
    ]

    mutating func add(_ configuration: ClientConfiguration, seed: UInt64) {
        let device = ClientPeer(configuration: configuration, seed: seed)
        self.devices.append(device)
        self.numbers.append(self.network.add(device))
    }

    mutating func addDevices(_ count: Int, lifetime: UInt32 = 300) {
        for index in 0..<count { self.add(Self.configuration(index, lifetime: lifetime), seed: UInt64(index + 1)) }
    }

    func start() { for number in self.numbers { self.network.start(number) } }

    func run(seconds: Int64, _ condition: () -> Bool = { false }) -> Bool {
        self.network.run(until: self.network.now.advanced(by: .seconds(seconds)), condition)
    }

    func give(_ operation: DeviceOperation, to index: Int) -> CommandID {
        let id = self.server.give(operation, to: Self.name(index), now: self.network.now)
        self.network.attend(to: self.serverNumber)
        return id
    }

    /// Gives a command and lets time pass until it has ended.
    func result(of operation: DeviceOperation, at index: Int) -> CommandResult? {
        let id = self.give(operation, to: index)
        _ = self.run(seconds: 300) { self.server.result(of: id) != nil }
        return self.server.result(of: id)
    }

    func set(_ value: ResourceValue, at path: ObjectPath, of index: Int) {
        self.devices[index].deliver(.valueSet([ResourceRecord(path, value)]), now: self.network.now)
        self.network.attend(to: self.numbers[index])
    }
}
