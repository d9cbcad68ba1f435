internal import CAres
internal import Primitives

#if canImport(Glibc)
    internal import Glibc
#endif

/// What an answer of the library holds, copied out of its memory.
struct AddressList {
    var addresses: [IPAddress] = []
    /// The lowest TTL in seconds; 0 when the answer must not be kept.
    var lifetime: Int32 = 0

    init(copying answer: UnsafeMutablePointer<ares_addrinfo>?) {
        guard let answer else { return }
        var shortest = Int32.max
        var alias = answer.pointee.cnames
        while let current = alias {
            shortest = min(shortest, current.pointee.ttl)
            alias = current.pointee.next
        }
        var ipv6: [IPAddress] = []
        var node = answer.pointee.nodes
        while let current = node {
            if let address = Self.address(current.pointee.ai_addr) {
                if address.isIPv6 {
                    if !ipv6.contains(address) { ipv6.append(address) }
                } else if !self.addresses.contains(address) {
                    self.addresses.append(address)
                }
                shortest = min(shortest, current.pointee.ai_ttl)
            }
            node = current.pointee.ai_next
        }
        self.addresses += ipv6
        self.lifetime = self.addresses.isEmpty ? 0 : max(0, shortest)
    }

    private static func address(_ pointer: UnsafeMutablePointer<sockaddr>?) -> IPAddress? {
        guard let pointer else { return nil }
        let raw = UnsafeRawPointer(pointer)
        switch Int32(pointer.pointee.sa_family) {
        case AF_INET:
            let address = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            return withUnsafeBytes(of: address) { IPAddress(Array($0)) }
        case AF_INET6:
            let address = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return withUnsafeBytes(of: address) { IPAddress(Array($0)) }
        default:
            return nil
        }
    }
}
