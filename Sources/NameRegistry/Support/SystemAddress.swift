internal import CLDNS
internal import CoAPTransport
internal import Glibc

/// A socket address in the form of the system calls.
struct SystemAddress {
    private var storage = sockaddr_storage()
    private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    /// Room for any address.
    init() {}

    init(_ address: SocketAddress) {
        let bytes = address.addressBytes
        if address.isIPv6 {
            self.length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &self.storage) { raw in
                raw.bindMemory(to: sockaddr_in6.self)[0].sin6_family = sa_family_t(AF_INET6)
                raw.bindMemory(to: sockaddr_in6.self)[0].sin6_port = address.port.bigEndian
                // The address stands behind family, port and flow label.
                for (index, byte) in bytes.enumerated() { raw[8 + index] = byte }
            }
        } else {
            self.length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &self.storage) { raw in
                raw.bindMemory(to: sockaddr_in.self)[0].sin_family = sa_family_t(AF_INET)
                raw.bindMemory(to: sockaddr_in.self)[0].sin_port = address.port.bigEndian
                for (index, byte) in bytes.enumerated() { raw[4 + index] = byte }
            }
        }
    }

    var family: Int32 { Int32(self.storage.ss_family) }

    /// The address as a value; nil when its family is another one.
    var address: SocketAddress? {
        var copy = self.storage
        return withUnsafeBytes(of: &copy) { raw in
            let port = UInt16(raw[2]) << 8 | UInt16(raw[3])
            switch self.family {
            case AF_INET: return SocketAddress(ipv4: (raw[4], raw[5], raw[6], raw[7]), port: port)
            case AF_INET6: return SocketAddress(ipv6: Array(raw[8..<24]), port: port)
            default: return nil
            }
        }
    }

    /// Lends the address to a system call that reads it.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: self.storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, self.length) }
        }
    }

    /// Lends the address to a system call that writes it.
    mutating func withMutablePointer<Result>(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        defer { self.length = length }
        return withUnsafeMutablePointer(to: &self.storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }
}
