import Glibc

/// Ports on loopback addresses for peers that cannot pick one themselves.
enum LoopbackPorts {
    /// The first of two neighbouring ports that are free for UDP and TCP, below the ephemeral range.
    static func pair() throws -> UInt16 {
        for _ in 0..<200 {
            let port = UInt16.random(in: 10_000..<32_000)
            if self.isFree(port), self.isFree(port + 1) { return port }
        }
        throw InteropError.noFreePort
    }

    /// A port that is free for UDP and TCP at every address, below the ephemeral range.
    static func common(to addresses: [String]) throws -> UInt16 {
        for _ in 0..<200 {
            let port = UInt16.random(in: 10_000..<32_000)
            if addresses.allSatisfy({ self.isFree(port, at: $0) }) { return port }
        }
        throw InteropError.noFreePort
    }

    /// Waits until a CoAP endpoint answers on the port.
    ///
    /// Sends the empty confirmable message that RFC 7252, section 4.3 calls a CoAP ping; the answer is a Reset.
    static func waitForCoAP(port: UInt16) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        self.connectDatagrams(descriptor, port: port)
        let ping: [UInt8] = [0x40, 0x00, 0x12, 0x34]
        var answer = [UInt8](repeating: 0, count: 64)
        try waitUntil("a CoAP endpoint on port \(port)") {
            send(descriptor, ping, ping.count, Int32(MSG_NOSIGNAL))
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 100) == 1 else { return false }
            return recv(descriptor, &answer, answer.count, Int32(MSG_DONTWAIT)) >= 4 && answer[0] == 0x70
        }
    }

    /// Makes a port the peer of a datagram socket.
    static func connectDatagrams(_ descriptor: Int32, port: UInt16, at host: String = "127.0.0.1") {
        var address = self.address(port, at: host)
        _ = self.withSocketAddress(&address) { connect(descriptor, $0, $1) }
    }

    private static func isFree(_ port: UInt16, at host: String = "127.0.0.1") -> Bool {
        [SOCK_DGRAM, SOCK_STREAM].allSatisfy { type in
            let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
            defer { close(descriptor) }
            var address = self.address(port, at: host)
            return self.withSocketAddress(&address) { bind(descriptor, $0, $1) } == 0
        }
    }

    private static func address(_ port: UInt16, at host: String = "127.0.0.1") -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return address
    }

    private static func withSocketAddress<Result>(
        _ address: inout sockaddr_in,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
