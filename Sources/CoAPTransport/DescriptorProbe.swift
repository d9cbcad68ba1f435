import CLibCoAP

#if canImport(Glibc)
    import Glibc
#endif

/// Which descriptor is whose socket: the library does not tell, so it is guessed before, and recognised by its address
/// afterwards.
enum DescriptorProbe {
    /// The number that the next descriptor will get: the lowest one that is free.
    static func next() -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        close(descriptor)
        return descriptor
    }

    /// The address that a socket is bound to; nil when it is no socket of an address family that is known here.
    static func localAddress(of descriptor: Int32) -> SocketAddress? {
        self.address { getsockname(descriptor, $0, $1) }
    }

    /// The address that a socket is connected to; nil when it is not.
    static func peerAddress(of descriptor: Int32) -> SocketAddress? {
        self.address { getpeername(descriptor, $0, $1) }
    }

    private static func address(
        _ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> SocketAddress? {
        var found = coap_address_t()
        var size = socklen_t(MemoryLayout.size(ofValue: found.addr))
        let isKnown = withUnsafeMutableBytes(of: &found.addr) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { address in
                guard let base = address.baseAddress else { return false }
                return ask(base, &size) == 0
            }
        }
        found.size = size
        return isKnown ? SocketAddress(found) : nil
    }
}
