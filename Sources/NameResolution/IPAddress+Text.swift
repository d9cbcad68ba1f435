internal import CAres
public import Primitives

extension IPAddress {
    /// Reads `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]`; no zone, no port.
    ///
    /// - Returns: nil when the text is not an address.
    public init?(parsing text: UTF8Text) {
        var digits = text.bytes
        if digits.first == UInt8(ascii: "["), digits.last == UInt8(ascii: "]") {
            digits = Array(digits.dropFirst().dropLast())
            guard digits.contains(UInt8(ascii: ":")) else { return nil }
        }
        // The longest text of an address has 45 bytes.
        guard !digits.isEmpty, digits.count <= 45, !digits.contains(0) else { return nil }
        let isIPv6 = digits.contains(UInt8(ascii: ":"))
        var bytes = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        let status = bytes.withUnsafeMutableBytes { destination in
            (digits + [0]).withUnsafeBytes { source in
                ares_inet_pton(
                    isIPv6 ? AF_INET6 : AF_INET,
                    source.bindMemory(to: CChar.self).baseAddress,
                    destination.baseAddress
                )
            }
        }
        guard status == 1 else { return nil }
        self.init(bytes)
    }
}
