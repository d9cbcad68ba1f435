import CLibCoAP

#if canImport(Glibc)
    import Glibc
#endif

/// Finds out whether an address can be listened on, and which port the system gives it.
///
/// The library says neither: it only fails, or listens on a port that it does not name.
enum PortProbe {
    static func freeAddress(for address: SocketAddress) throws(TransportError) -> SocketAddress {
        let descriptor = socket(address.isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { throw .outOfResources }
        defer { close(descriptor) }
        if address.isIPv6 {
            // As the library does, so that an IPv6 wildcard meets an IPv4 one in the same way.
            var off: Int32 = 0
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, socklen_t(MemoryLayout<Int32>.size))
        }
        var wanted = address.libraryAddress
        guard self.bind(descriptor, to: &wanted) else {
            switch starling_socket_error() {
            case EADDRINUSE: throw .addressInUse
            case EADDRNOTAVAIL: throw .addressNotAvailable
            default: throw .invalidAddress
            }
        }
        return address.port != 0 ? address : SocketAddress(wanted) ?? address
    }

    /// Binds a socket and replaces the address by the one it got.
    static func bind(_ descriptor: Int32, to address: inout coap_address_t) -> Bool {
        var size = address.size
        // The union as a whole: its generic member alone is shorter than an IPv6 address.
        return withUnsafeMutableBytes(of: &address.addr) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { address in
                guard CLibCoAP.bind(descriptor, address.baseAddress, size) == 0, let base = address.baseAddress else {
                    return false
                }
                return getsockname(descriptor, base, &size) == 0
            }
        }
    }
}
