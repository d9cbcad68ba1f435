import BootstrapEngine
import LwM2MModel
import Primitives
import ServiceSupport

/// What a server knows of its devices: from its options, and from a database that may be read again.
final class DeviceAccounts {
    private let configured: DeviceKeys
    private let rules: [ProvisioningRule]
    private let allowsAnyEndpoint: Bool
    private let path: String?
    private var database: ProvisioningDatabase?

    /// The keys of the bootstrap accounts.
    private(set) var keys: DeviceKeys

    init(_ configuration: BootstrapServer.Configuration) throws(ServiceError) {
        self.configured = configuration.keys
        self.keys = configuration.keys
        self.rules = configuration.rules
        self.allowsAnyEndpoint = configuration.allowsAnyEndpoint
        self.path = configuration.databasePath
        if self.path != nil { _ = try self.readDatabase() }
    }

    /// Whether there are keys of bootstrap accounts.
    var hasKeys: Bool { if case .none = self.keys { false } else { true } }

    /// The rule that follows from the keys; nil when the general one holds.
    var endpointRule: EndpointRule? {
        if self.allowsAnyEndpoint { return EndpointRule(.any) }
        if case .listed(let table) = self.keys { return table.endpointRule }
        return nil
    }

    /// Reads the database again; nothing changes when something is wrong with it.
    ///
    /// - Returns: how many devices it has.
    func readDatabase() throws(ServiceError) -> Int {
        guard let path = self.path else { return 0 }
        let database = try ProvisioningDatabase(contentsOf: path)
        try database.check(rules: self.rules.count)
        if case .none = self.configured, let credentials = database.credentials {
            guard credentials.count == database.count else {
                throw ServiceError(
                    "\(database.count - credentials.count) devices of the database '\(path)' have no key",
                    hint: "fill in the column 'key' for all, or give --psk-secret"
                )
            }
            self.keys = .listed(credentials)
        }
        self.database = database
        return database.count
    }

    /// What a device's temporary names are made of: the key of its bootstrap account.
    func secret(of endpoint: UTF8Text, identity: [UInt8]?) -> SecretBytes? {
        if let identity { return self.keys.key(of: identity) }
        if case .listed(let table) = self.keys { return table.credential(ofEndpoint: endpoint)?.key }
        return self.keys.key(of: endpoint.bytes)
    }

    /// What a device is told; nil refuses it.
    func servers(for endpoint: UTF8Text) -> [ProvisionedServer]? {
        (self.database ?? ProvisioningDatabase()).servers(for: endpoint, rules: self.rules, keys: self.keys)
    }
}
