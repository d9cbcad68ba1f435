import CoAPMessages
public import CoAPTransport

extension CoAPTransport {
    /// Listens on all of a service's addresses.
    ///
    /// - Returns: the addresses in use, with the ports that the system chose.
    /// - Throws: what is wrong with the first that cannot be used, for people.
    public func listen(on addresses: [ListenAddress], keys: DeviceKeys) throws(ServiceError) -> [ListenAddress] {
        guard !addresses.isEmpty else {
            throw ServiceError("there is no address to listen on", hint: "--listen coaps://127.0.0.1:5684")
        }
        var bound: [ListenAddress] = []
        for address in addresses {
            var security = ListenerSecurity.none
            if address.scheme == .coaps {
                if case .none = keys {
                    throw ServiceError(
                        "\(address.text) needs keys",
                        hint: "--psk-key HEX, --psk-secret HEX or --credentials FILE"
                    )
                }
                security = .preSharedKey(hint: [], key: { keys.key(of: $0) })
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
