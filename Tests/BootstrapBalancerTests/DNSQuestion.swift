import CoAPTransport
import Glibc
import Primitives
import ServiceSupport
import Testing

/// Questions for the address of a name, over UDP.
final class DNSQuestion {
    enum Answer: Equatable {
        case address(String)
        case noName
        case other(code: UInt8)
    }

    private let descriptor: Int32
    private var lastID: UInt16 = 0

    init(to address: SocketAddress) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        // The layout of an IPv4 address of the C library: family, port, address, padding.
        let port = [UInt8(address.port >> 8), UInt8(address.port & 0xFF)]
        let target = [UInt8(AF_INET), 0] + port + address.addressBytes + [UInt8](repeating: 0, count: 8)
        target.withUnsafeBytes { bytes in
            _ = connect(self.descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, 16)
        }
    }

    deinit {
        close(self.descriptor)
    }

    /// Asks, and turns the bench until the answer is there.
    func ask(_ name: UTF8Text, _ bench: BalancerBench) throws -> Answer {
        let answer = try self.ask(name) { condition in
            try bench.drive("an answer from the responder") { condition() }
            return true
        }
        return try #require(answer)
    }

    /// Asks, and lets the caller wait for the answer.
    ///
    /// - Parameter wait: returns when its argument does, with false when it gave up.
    /// - Returns: nil when the caller gave up.
    func ask(_ name: UTF8Text, _ wait: (_ condition: () -> Bool) throws -> Bool) throws -> Answer? {
        self.lastID += 1
        var message: [UInt8] = [UInt8(self.lastID >> 8), UInt8(self.lastID & 0xFF), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in name.bytes.split(separator: UInt8(ascii: ".")) { message += [UInt8(label.count)] + label }
        message += [0, 0, 1, 0, 1]
        _ = send(self.descriptor, message, message.count, 0)
        var buffer = [UInt8](repeating: 0, count: 1500)
        var count = 0
        let isAnswered = try wait {
            count = recv(self.descriptor, &buffer, buffer.count, 0)
            return count > 12
        }
        guard isAnswered else { return nil }
        let code = buffer[3] & 0x0F
        guard code == 0 else { return code == 3 ? .noName : .other(code: code) }
        // One answer with one address: its last four bytes end the answer section.
        let end = message.count + 2 + 2 + 2 + 4 + 2 + 4
        guard buffer[7] == 1, count >= end, let address = IPAddress(Array(buffer[(end - 4)..<end])) else {
            return .other(code: code)
        }
        return .address(address.written)
    }
}
