import CLibCoAP

#if canImport(Glibc)
    import Glibc
#endif

/// Room for datagrams that arrive at an endpoint while the loop is busy.
///
/// All devices of a server share one socket. With the system's usual 208 KiB a few hundred datagrams fill it, the rest
/// are dropped, and each drop costs a device a second before it sends again.
enum ReceiveBuffer {
    /// What is asked for, in bytes; the system gives at most its `net.core.rmem_max`.
    static let byteCount: Int32 = 4 << 20

    /// The number that the next descriptor will get: the lowest one that is free.
    static func nextDescriptor() -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        close(descriptor)
        return descriptor
    }

    /// Enlarges the buffer of a socket, if it is the one bound to the address.
    ///
    /// The library does not tell an endpoint's descriptor, so it is guessed and then recognised by its address.
    static func enlarge(_ descriptor: Int32, boundTo address: SocketAddress) {
        var bound = coap_address_t()
        var size = socklen_t(MemoryLayout.size(ofValue: bound.addr))
        let isKnown = withUnsafeMutableBytes(of: &bound.addr) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { address in
                guard let base = address.baseAddress else { return false }
                return getsockname(descriptor, base, &size) == 0
            }
        }
        bound.size = size
        guard isKnown, SocketAddress(bound)?.port == address.port else { return }
        var wanted = self.byteCount
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &wanted, socklen_t(MemoryLayout<Int32>.size))
    }
}
