internal import Glibc

/// A DNS server for one test: one UDP socket on loopback, one rule, no thread.
public final class DNSResponder {
    /// What to do about one question.
    public enum Reply: Sendable {
        /// Those of the addresses that have the asked family.
        case addresses(timeToLive: UInt32, [[UInt8]])
        /// A response code; 3 is NXDOMAIN.
        case code(UInt8)
        /// These bytes behind the transaction number.
        case garbage([UInt8])
        /// Nothing.
        case silence
        /// The right answer with another transaction number, as a forger would guess it.
        case forged(timeToLive: UInt32, [[UInt8]])
    }

    /// What was asked.
    public struct Question: Hashable {
        /// The name without a final dot.
        public let name: String
        let type: UInt16
        /// Whether an IPv6 address is asked for.
        public var isIPv6: Bool { self.type == 28 }
    }

    /// The socket, to wait for.
    public let descriptor: Int32
    /// The port on 127.0.0.1.
    public let port: UInt16
    /// What to do about a question.
    public var rule: (Question) -> Reply
    /// Every question so far.
    public private(set) var questions: [Question] = []

    /// Creates a server on a port that is free.
    public init(_ rule: @escaping (Question) -> Reply) {
        self.rule = rule
        self.descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(descriptor, $0, length)
                _ = getsockname(descriptor, $0, &length)
            }
        }
        self.port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(self.descriptor) }

    /// Answers everything that waits.
    public func answerWaiting() {
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            var peer = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let descriptor = self.descriptor
            let count = withUnsafeMutablePointer(to: &peer) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
                }
            }
            guard count > 12, let reply = self.reply(to: Array(buffer[..<count])) else {
                if count <= 0 { return }
                continue
            }
            withUnsafeMutablePointer(to: &peer) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = sendto(descriptor, reply, reply.count, 0, $0, length)
                }
            }
        }
    }

    private func reply(to query: [UInt8]) -> [UInt8]? {
        var labels: [String] = []
        var index = 12
        while index < query.count, query[index] != 0 {
            let length = Int(query[index])
            labels.append(String(decoding: query[(index + 1)..<(index + 1 + length)], as: UTF8.self))
            index += 1 + length
        }
        let type = UInt16(query[index + 1]) << 8 | UInt16(query[index + 2])
        let question = Question(name: labels.joined(separator: "."), type: type)
        let end = index + 5
        self.questions.append(question)
        switch self.rule(question) {
        case .silence: return nil
        case .garbage(let bytes): return Array(query[..<2]) + bytes
        case .code(let code): return self.message(query, end, code: code, [], 0, question)
        case .addresses(let timeToLive, let addresses):
            return self.message(query, end, code: 0, addresses, timeToLive, question)
        case .forged(let timeToLive, let addresses):
            var message = self.message(query, end, code: 0, addresses, timeToLive, question)
            message[0] ^= 0xFF
            return message
        }
    }

    private func message(
        _ query: [UInt8],
        _ end: Int,
        code: UInt8,
        _ addresses: [[UInt8]],
        _ timeToLive: UInt32,
        _ question: Question
    ) -> [UInt8] {
        let fitting = addresses.filter { ($0.count == 16) == question.isIPv6 }
        var message = Array(query[..<2]) + [0x81, 0x80 | code, 0, 1, 0, UInt8(fitting.count), 0, 0, 0, 0]
        message += query[12..<end]
        for address in fitting {
            message += [0xC0, 12, 0, UInt8(question.type), 0, 1]
            message += (0..<4).map { UInt8(truncatingIfNeeded: timeToLive >> (24 - 8 * UInt32($0))) }
            message += [0, UInt8(address.count)] + address
        }
        return message
    }
}
