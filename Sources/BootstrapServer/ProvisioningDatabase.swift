import BootstrapEngine
import CoAPMessages
import Primitives
public import ServiceSupport

/// What single devices are told, where that is not what all are told, and the keys of their bootstrap accounts.
///
/// ``init(contentsOf:)`` reads it from a file.
public struct ProvisioningDatabase: Sendable {
    /// What a device is told about one server; what is nil comes from the rule that stands in the same place.
    struct Account: Sendable {
        var uri: UTF8Text?
        var shortServerID: UInt16?
        var lifetime: UInt32?
        var minimumPeriod: UInt32?
        var maximumPeriod: UInt32?
        var identity: [UInt8]?
        var key: SecretBytes?
    }

    private var accounts: [UTF8Text: [Account]] = [:]
    /// How many devices the database knows.
    public private(set) var count = 0
    /// The keys of the bootstrap accounts; nil when no device has one there.
    public private(set) var credentials: CredentialTable?

    /// A device as the file has it.
    struct Device {
        var endpoint: UTF8Text
        var credential: Credential?
        var accounts: [Account]
    }

    /// Creates a database without devices.
    init() {}

    init(_ devices: [Device]) throws(ServiceError) {
        var endpoints: Set<UTF8Text> = []
        for device in devices {
            guard endpoints.insert(device.endpoint).inserted else {
                throw ServiceError(
                    "endpoint '\(device.endpoint)' stands twice in the database",
                    hint: "one line for a device; further servers have columns of their own"
                )
            }
            if !device.accounts.isEmpty { self.accounts[device.endpoint] = device.accounts }
        }
        self.count = devices.count
        let credentials = devices.compactMap(\.credential)
        if !credentials.isEmpty { self.credentials = try CredentialTable(credentials) }
    }

    /// Whether every account can be completed by so many rules.
    ///
    /// - Throws: which device cannot, for people.
    func check(rules: Int) throws(ServiceError) {
        for (endpoint, accounts) in self.accounts where !accounts.contains(where: { $0.uri != nil }) {
            guard accounts.count <= rules else {
                throw ServiceError(
                    "the database says something about server \(accounts.count) of '\(endpoint)' but not its URI",
                    hint:
                        "fill in the column 'server\(accounts.count == 1 ? "" : "\(accounts.count)")', or give --server"
                )
            }
        }
        guard rules > 0 || self.accounts.count == self.count else {
            throw ServiceError(
                "some devices of the database would be told of no server",
                hint: "fill in the column 'server' for all, or give --server coaps://HOST:PORT for the others"
            )
        }
    }

    /// What one device is told.
    ///
    /// - Parameters:
    ///   - endpoint: the device.
    ///   - rules: what all devices are told.
    ///   - keys: the keys of the bootstrap accounts, for a server about which nothing else is known.
    /// - Returns: nil when there is no key for a server, or nothing to tell.
    func servers(for endpoint: UTF8Text, rules: [ProvisioningRule], keys: DeviceKeys) -> [ProvisionedServer]? {
        let accounts = self.accounts[endpoint] ?? []
        let standsAlone = accounts.contains { $0.uri != nil }
        var servers: [ProvisionedServer] = []
        for index in 0..<(standsAlone ? accounts.count : rules.count) {
            let account = index < accounts.count ? accounts[index] : Account()
            let rule = index < rules.count ? rules[index] : nil
            guard let server = Self.server(endpoint, account, rule, place: index, keys: keys) else { return nil }
            servers.append(server)
        }
        return servers.isEmpty ? nil : servers
    }

    private static func server(
        _ endpoint: UTF8Text,
        _ account: Account,
        _ rule: ProvisioningRule?,
        place: Int,
        keys: DeviceKeys
    ) -> ProvisionedServer? {
        guard let uri = account.uri ?? rule?.server.uri else { return nil }
        var server = rule?.server ?? ProvisionedServer(shortServerID: 0, uri: uri, security: .none)
        server.uri = uri
        server.shortServerID = account.shortServerID ?? rule?.server.shortServerID ?? UInt16(clamping: place + 1)
        server.lifetime = account.lifetime ?? server.lifetime
        server.minimumPeriod = account.minimumPeriod ?? server.minimumPeriod
        server.maximumPeriod = account.maximumPeriod ?? server.maximumPeriod
        let isSecured = (try? CoAPURI(parsing: uri))?.scheme == .coaps
        if !isSecured {
            server.security = .none
        } else if let key = account.key {
            server.security = .preSharedKey(identity: account.identity ?? endpoint.bytes, key: key)
        } else {
            var source = rule ?? ProvisioningRule(server: server, keys: .account)
            // The rule's own server is not secured, this device's is.
            if case .none = source.keys { source.keys = .account }
            guard let security = source.security(for: endpoint, identity: account.identity, accounts: keys) else {
                return nil
            }
            server.security = security
        }
        return server
    }
}
