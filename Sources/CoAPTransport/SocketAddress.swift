public import Primitives

/// An IPv4 or IPv6 address with a port.
public struct SocketAddress: Hashable, Sendable {
    /// The high half of an IPv6 address; zero for IPv4.
    let high: UInt64
    /// The low half of an IPv6 address, or the IPv4 address in its last four bytes.
    let low: UInt64
    /// Whether the address is an IPv6 address.
    public let isIPv6: Bool
    /// The port, 0 to let the system choose one.
    public var port: UInt16

    /// Creates an IPv4 address.
    public init(ipv4: (UInt8, UInt8, UInt8, UInt8), port: UInt16) {
        self.high = 0
        self.low = UInt64(ipv4.0) << 24 | UInt64(ipv4.1) << 16 | UInt64(ipv4.2) << 8 | UInt64(ipv4.3)
        self.isIPv6 = false
        self.port = port
    }

    /// Creates an IPv6 address.
    ///
    /// - Parameter ipv6: 16 bytes, first byte first; missing bytes count as zero, further ones are ignored.
    public init(ipv6: [UInt8], port: UInt16) {
        var halves: (UInt64, UInt64) = (0, 0)
        for index in 0..<16 {
            let byte = index < ipv6.count ? UInt64(ipv6[index]) : 0
            if index < 8 { halves.0 = halves.0 << 8 | byte } else { halves.1 = halves.1 << 8 | byte }
        }
        self.high = halves.0
        self.low = halves.1
        self.isIPv6 = true
        self.port = port
    }

    /// Creates an address with a port.
    public init(_ address: IPAddress, port: UInt16) {
        let bytes = address.bytes
        if address.isIPv6 {
            self.init(ipv6: bytes, port: port)
        } else {
            self.init(ipv4: (bytes[0], bytes[1], bytes[2], bytes[3]), port: port)
        }
    }

    /// The address without its port.
    public var address: IPAddress { IPAddress(unchecked: self.addressBytes) }

    /// Creates an address from text.
    ///
    /// - Parameter parsing: `127.0.0.1:5683`, `127.0.0.1`, `[::1]:5684`, `[::1]` or `::1`; without a port it is 0.
    /// - Returns: nil when the text is not such an address. Zones and names are not taken.
    public init?(parsing: UTF8Text) {
        guard let parsed = AddressText.parse(parsing.bytes) else { return nil }
        self = parsed
    }

    /// The bytes of the address, first byte first: 4 or 16.
    public var addressBytes: [UInt8] {
        if !self.isIPv6 { return (0..<4).map { UInt8(truncatingIfNeeded: self.low >> UInt64(24 - 8 * $0)) } }
        return (0..<16).map { index in
            let half = index < 8 ? self.high : self.low
            return UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * (index % 8)))
        }
    }

    /// The address as people write it: `127.0.0.1:5683`, `[::1]:5684`.
    public var text: String { String(decoding: AddressText.bytes(of: self), as: UTF8.self) }
}
