internal import CLDNS
internal import CoAPTransport
internal import Glibc

/// Questions by UDP.
final class DatagramService {
    /// The most datagrams of one turn, so that a flood leaves time for everything else on the loop.
    private static let batch = 256
    /// No question is longer: one with EDNS fits, whatever its options.
    private static let largestQuestion = 4096

    private let loop: EventLoop
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: DatagramService.largestQuestion)
    /// Where answers come from; nil for none.
    var answer: (_ message: [UInt8], _ source: SystemAddress) -> [UInt8]? = { _, _ in nil }

    /// Where it listens.
    let address: SocketAddress

    init(address: SocketAddress, loop: EventLoop) throws(RegistrySetupError) {
        let (descriptor, bound) = try ListeningSocket.make(address, type: SOCK_DGRAM)
        self.descriptor = descriptor
        self.address = bound
        self.loop = loop
        var size: Int32 = 4 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        loop.watch(descriptor: descriptor, readable: true, writable: false) { [unowned self] _, _ in self.receive() }
    }

    deinit {
        self.loop.watch(descriptor: self.descriptor, readable: false, writable: false) { _, _ in }
        close(self.descriptor)
    }

    private func receive() {
        for _ in 0..<DatagramService.batch {
            var source = SystemAddress()
            let count = source.withMutablePointer { address, length in
                recvfrom(self.descriptor, &self.buffer, self.buffer.count, Int32(MSG_DONTWAIT), address, length)
            }
            guard count >= 0 else {
                // An ICMP error of an earlier answer is nobody's end.
                if errno == EAGAIN { return }
                continue
            }
            guard let answer = self.answer(Array(self.buffer[..<count]), source) else { continue }
            // One that cannot be sent now is lost, as datagrams are; it will be asked for again.
            _ = source.withPointer { address, length in
                sendto(self.descriptor, answer, answer.count, Int32(MSG_DONTWAIT), address, length)
            }
        }
    }
}

/// Sockets that others may come to.
enum ListeningSocket {
    /// Opens a socket on an address and says which port it got; a stream socket listens.
    static func make(
        _ address: SocketAddress,
        type: __socket_type
    ) throws(RegistrySetupError) -> (descriptor: Int32, address: SocketAddress) {
        var wanted = SystemAddress(address)
        let flags = SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = socket(wanted.family, Int32(type.rawValue | flags), 0)
        guard descriptor >= 0 else { throw .outOfResources }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        if address.isIPv6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size) }
        // Connections that ended a moment ago keep nobody from starting again.
        if type == SOCK_STREAM { setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size) }
        guard wanted.withPointer({ bind(descriptor, $0, $1) }) == 0, type != SOCK_STREAM || listen(descriptor, 64) == 0,
            wanted.withMutablePointer({ getsockname(descriptor, $0, $1) }) == 0, let bound = wanted.address
        else {
            let error = errno
            close(descriptor)
            throw error == EADDRINUSE ? .addressInUse : .addressNotAvailable
        }
        return (descriptor, bound)
    }
}
