internal import Primitives

/// Addresses with ports to and from text.
///
/// - Source: RFC 3986, section 3.2.2 for the brackets.
enum AddressText {
    static func parse(_ bytes: [UInt8]) -> SocketAddress? {
        if bytes.first == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")),
                let address = IPAddress(ipv6Text: bytes[1..<close]),
                let port = self.port(bytes[(close + 1)...])
            else { return nil }
            return SocketAddress(address, port: port)
        }
        let colons = bytes.count { $0 == UInt8(ascii: ":") }
        if colons > 1 {
            return IPAddress(ipv6Text: bytes[...]).map { SocketAddress($0, port: 0) }
        }
        let end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
        guard let address = IPAddress(ipv4Text: bytes[..<end]), let port = self.port(bytes[end...]) else { return nil }
        return SocketAddress(address, port: port)
    }

    /// A port behind its colon; no bytes at all stand for 0.
    private static func port(_ bytes: ArraySlice<UInt8>) -> UInt16? {
        guard let first = bytes.first else { return 0 }
        guard first == UInt8(ascii: ":") else { return nil }
        return self.decimal(bytes.dropFirst(), limit: 65_535).map { UInt16($0) }
    }

    private static func decimal(_ bytes: ArraySlice<UInt8>, limit: Int) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 5 else { return nil }
        var value = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value <= limit ? value : nil
    }

    static func bytes(of address: SocketAddress) -> [UInt8] {
        var text = address.address.text.bytes
        if address.isIPv6 { text = [UInt8(ascii: "[")] + text + [UInt8(ascii: "]")] }
        return text + [UInt8(ascii: ":")] + Array("\(address.port)".utf8)
    }
}
