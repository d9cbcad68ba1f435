public import BootstrapEngine
import Primitives
public import ServiceSupport

/// What every device is told about one server, with what differs from device to device left open.
public struct ProvisioningRule: Sendable {
    /// Where the keys for the server come from.
    public enum Keys: Sendable {
        /// The server is not secured.
        case none
        /// The keys of the devices' bootstrap accounts.
        case account
        /// From what the server itself uses: one key for all, derived ones, or a table.
        case known(DeviceKeys)
        /// Made anew for each device and each bootstrap, 16 random bytes, and kept in the state.
        case fresh
    }

    /// What the device is told; its security is filled in.
    public var server: ProvisionedServer
    /// Where the keys come from.
    public var keys: Keys

    /// Creates a rule.
    public init(server: ProvisionedServer, keys: Keys) {
        self.server = server
        self.keys = keys
    }

    /// How one device proves itself: its identity at the server is its endpoint name, or the one of the table.
    ///
    /// - Parameters:
    ///   - endpoint: the device.
    ///   - identity: another identity than that; nil for none.
    ///   - accounts: the keys of the bootstrap accounts.
    /// - Returns: nil when there is no key for it.
    func security(
        for endpoint: UTF8Text,
        identity: [UInt8]?,
        accounts: DeviceKeys
    ) -> ProvisionedServer.Security? {
        switch self.keys {
        case .none: ProvisionedServer.Security.none
        case .fresh: .preSharedKey(identity: identity ?? endpoint.bytes, key: Self.makeKey())
        case .account: Self.security(for: endpoint, identity: identity, keys: accounts)
        case .known(let keys): Self.security(for: endpoint, identity: identity, keys: keys)
        }
    }

    private static func security(
        for endpoint: UTF8Text,
        identity: [UInt8]?,
        keys: DeviceKeys
    ) -> ProvisionedServer.Security? {
        var identity = identity ?? endpoint.bytes
        if case .listed(let table) = keys {
            guard let listed = table.credential(ofEndpoint: endpoint) else { return nil }
            identity = listed.identity
        }
        return keys.key(of: identity).map { .preSharedKey(identity: identity, key: $0) }
    }

    var makesKeys: Bool { if case .fresh = self.keys { true } else { false } }

    /// The system's generator is a cryptographic one.
    private static func makeKey() -> SecretBytes {
        var generator = SystemRandomNumberGenerator()
        return SecretBytes((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
}
