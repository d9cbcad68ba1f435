import CLibCoAP
import CoAPMessages
import CoAPTransport
import Glibc
import Primitives
import Testing

/// A socket that sends and receives bytes as they are.
final class RawPeer {
    let descriptor: Int32
    let address: SocketAddress

    init() throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var local = RawPeer.socketAddress(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        let bound = withUnsafeMutableBytes(of: &local) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { address in
                bind(descriptor, address.baseAddress, size) == 0
                    && address.baseAddress.map { getsockname(descriptor, $0, &size) } == 0
            }
        }
        try #require(bound)
        self.address = SocketAddress(ipv4: (127, 0, 0, 1), port: UInt16(bigEndian: local.sin_port))
    }

    deinit { close(self.descriptor) }

    func send(_ bytes: [UInt8], to address: SocketAddress) {
        var remote = RawPeer.socketAddress(port: address.port)
        withUnsafeMutableBytes(of: &remote) { remote in
            remote.withMemoryRebound(to: sockaddr.self) { remote in
                _ = sendto(self.descriptor, bytes, bytes.count, 0, remote.baseAddress, 16)
            }
        }
    }

    func send(_ message: CoAPMessage, to address: SocketAddress) throws {
        self.send(try message.encoded(), to: address)
    }

    /// Takes datagrams of one peer only from now on.
    func connect(to peer: SocketAddress) throws {
        var remote = RawPeer.socketAddress(port: peer.port)
        let descriptor = self.descriptor
        let isConnected = withUnsafeMutableBytes(of: &remote) { remote in
            remote.withMemoryRebound(to: sockaddr.self) { remote in
                remote.baseAddress.map { Glibc.connect(descriptor, $0, 16) } == 0
            }
        }
        try #require(isConnected)
    }

    /// What has arrived; nil when nothing has.
    func receive() throws -> CoAPMessage? {
        try self.receiveBytes().map { try CoAPMessage(decoding: $0) }
    }

    /// The datagram that has arrived; nil when none has.
    func receiveBytes() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 2_048)
        let count = recv(self.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : Array(buffer[..<count])
    }

    /// Waits for the next message while a loop turns.
    func next(_ link: Loopback) throws -> CoAPMessage {
        var found: CoAPMessage?
        var failure: (any Error)?
        try link.drive("a message reaches the socket") {
            do { found = try self.receive() } catch { failure = error }
            return found != nil || failure != nil
        }
        if let failure { throw failure }
        return try #require(found)
    }

    private static func socketAddress(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        return address
    }
}
