import CoAPTransport
import Glibc

/// A UDP socket that takes datagrams and never answers.
final class SilentPeer {
    private let descriptor: Int32
    let isBound: Bool

    init(_ address: SocketAddress) {
        self.descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let parts = address.text.split(separator: ":")[0].split(separator: ".").compactMap { UInt32($0) }
        var local = sockaddr_in()
        local.sin_family = sa_family_t(AF_INET)
        local.sin_port = address.port.bigEndian
        local.sin_addr.s_addr = parts.reduce(0) { $0 << 8 | $1 }.bigEndian
        let descriptor = self.descriptor
        self.isBound = withUnsafePointer(to: &local) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    deinit { close(self.descriptor) }
}
