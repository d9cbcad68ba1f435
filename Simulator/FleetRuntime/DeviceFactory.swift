import ClientEngine
import CoAPMessages
import FleetEngine
import FleetScenarios
import KeyDerivation
import LwM2MModel
import Primitives

/// Makes the configuration of each device of a fleet: accounts of its own, objects shared until they change.
struct DeviceFactory {
    /// Where the devices keep what changes.
    static let batteryLevel = ObjectPath(3, 0, 9)
    static let temperature = ObjectPath(3303, 0, 5700)

    private let scenario: FleetScenario
    private let deviceValues: ResourceValues
    private let temperatureValues: ResourceValues

    init(scenario: FleetScenario) {
        self.scenario = scenario
        self.deviceValues = [
            0: .string("Starling"), 1: .string("Virtual device"), 3: .string("1.0.0"), 9: .integer(100),
            14: .string("+00:00"), 15: .string("Etc/UTC"), 16: .string("U"),
        ]
        self.temperatureValues = [5700: .float(20), 5701: .string("Cel")]
    }

    /// The configuration of a device.
    ///
    /// - Parameters:
    ///   - index: the number of the device in the whole fleet.
    ///   - readings: what it measures first.
    func configuration(index: Int, readings: DeviceReadings) -> ClientConfiguration {
        let endpoint = self.scenario.endpoint.text(index: index)
        let security = self.security(index: index, endpoint: endpoint)
        var device = self.deviceValues
        device[2] = .string(endpoint)
        device[9] = .integer(Int64(readings.batteryLevel))
        device[11, 0] = .integer(0)
        var temperature = self.temperatureValues
        temperature[5700] = .float(readings.temperature)
        var configuration = ClientConfiguration(
            endpoint: endpoint,
            security: [security],
            objects: [
                HostedObject(Objects.device, instances: [HostedInstance(0, device)]),
                HostedObject(Objects.temperature, instances: [HostedInstance(0, temperature)]),
            ],
            // Only what is acknowledged can be measured.
            confirmsNotifications: true,
            bootstrapURIProfile: self.scenario.profile,
            ownObjectIDs: self.scenario.ownObjectIDs
        )
        if let policy = self.scenario.sessionPolicy {
            configuration.commandSessions = [CommandSessionAccount(policy: policy)]
        }
        if let timeout = self.scenario.bootstrapTimeout { configuration.bootstrapTimeout = timeout }
        if case .server = self.scenario.target {
            var server = ServerAccount(instance: 0, shortServerID: 1, lifetime: self.scenario.lifetime)
            // By default a device gives up for good after one sequence of attempts; a fleet outlives its server.
            server.sequenceDelay = 300
            server.sequenceCount = 100_000
            configuration.servers = [server]
        }
        return configuration
    }

    /// What a device tells its engine when it has measured.
    static func records(_ readings: DeviceReadings) -> [ResourceRecord] {
        [
            ResourceRecord(self.batteryLevel, .integer(Int64(readings.batteryLevel))),
            ResourceRecord(self.temperature, .float(readings.temperature)),
        ]
    }

    private func security(index: Int, endpoint: UTF8Text) -> SecurityAccount {
        let isBootstrap = if case .bootstrap = self.scenario.target { true } else { false }
        var account = SecurityAccount(
            instance: 0,
            serverURI: self.scenario.targetText,
            isBootstrap: isBootstrap,
            shortServerID: isBootstrap ? nil : 1
        )
        let identity = self.scenario.identity.text(index: index, endpoint: endpoint).bytes
        switch self.scenario.security {
        case .none: return account
        case .sharedKey(let key): account.key = key
        case .derivedKeys(let secret):
            account.key = PreSharedKeyDerivation.key(secret: secret, identity: identity)
        }
        account.mode = .preSharedKey
        account.identity = identity
        return account
    }
}
