public import CoAPTransport
public import Primitives

extension IPAddress {
    /// Reads `127.0.0.1` or `2001:db8::1`, without brackets and port.
    ///
    /// - Returns: nil when the text is no such address.
    public init?(written text: String) {
        guard !text.hasPrefix("["), text.contains("::") || !text.contains(".") || !text.contains(":"),
            let address = SocketAddress(parsing: UTF8Text(text))
        else { return nil }
        self.init(address.addressBytes)
    }

    /// The address as people write it, without brackets and port.
    public var written: String {
        let text = SocketAddress(self, port: 0).text
        guard self.isIPv6 else { return String(text.prefix { $0 != ":" }) }
        return String(text.dropFirst().prefix { $0 != "]" })
    }
}

extension SocketAddress {
    /// Creates an address with a port.
    public init(_ address: IPAddress, port: UInt16) {
        let bytes = address.bytes
        if address.isIPv6 {
            self.init(ipv6: bytes, port: port)
        } else {
            self.init(ipv4: (bytes[0], bytes[1], bytes[2], bytes[3]), port: port)
        }
    }
}
