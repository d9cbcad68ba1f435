import CoAPMessages
public import CoAPTransport
public import Primitives

extension CoAPTransport {
    /// Listens on all of a service's addresses.
    ///
    /// - Returns: the addresses in use, with the ports that the system chose.
    /// - Throws: what is wrong with the first that cannot be used, for people.
    public func listen(on addresses: [ListenAddress], keys: DeviceKeys) throws(ServiceError) -> [ListenAddress] {
        if case .none = keys { return try self.listen(on: addresses, key: nil) }
        return try self.listen(on: addresses) { keys.key(of: $0) }
    }

    /// The same, with keys that may change.
    ///
    /// - Parameter key: the key of an identity now, or nil when the service knows none; nil for a service without keys.
    public func listen(
        on addresses: [ListenAddress],
        key: ((_ identity: [UInt8]) -> SecretBytes?)?
    ) throws(ServiceError) -> [ListenAddress] {
        guard !addresses.isEmpty else {
            throw ServiceError("there is no address to listen on", hint: "--listen coaps://127.0.0.1:5684")
        }
        var bound: [ListenAddress] = []
        for address in addresses {
            var security = ListenerSecurity.none
            if address.scheme == .coaps {
                guard let key else {
                    throw ServiceError(
                        "\(address.text) needs keys",
                        hint: "--psk-key HEX, --psk-secret HEX or --credentials FILE"
                    )
                }
                security = .preSharedKey(hint: [], key: key)
            }
            do {
                let used = try self.listen(on: address.address, security: security)
                bound.append(ListenAddress(scheme: address.scheme, address: used))
            } catch {
                throw ServiceError(error, about: address.text)
            }
        }
        return bound
    }
}
