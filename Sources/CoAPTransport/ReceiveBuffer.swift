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

    /// Enlarges the buffer of a socket, if it is the one bound to the address.
    static func enlarge(_ descriptor: Int32, boundTo address: SocketAddress) {
        guard DescriptorProbe.localAddress(of: descriptor)?.port == address.port else { return }
        var wanted = self.byteCount
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &wanted, socklen_t(MemoryLayout<Int32>.size))
    }
}
