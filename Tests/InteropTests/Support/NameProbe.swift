import Glibc

/// Asks a DNS server by UDP, with bytes written by hand; one thread at a time.
final class NameProbe {
    /// Types of records.
    enum Kind: UInt8 {
        case a = 1
        case soa = 6
        case txt = 16
        case aaaa = 28
    }

    /// What a server said.
    struct Answer {
        /// The response code; 3 says that the name does not exist.
        let code: UInt8
        let hasRecords: Bool
        /// The addresses, as their bytes.
        let addresses: [[UInt8]]
    }

    private let descriptor: Int32
    private var lastNumber: UInt16 = 0

    init(host: String, port: UInt16) {
        // Connecting a datagram socket reaches nobody and cannot fail on loopback; one of -1 asks in vain.
        self.descriptor = LoopbackSockets.connected(to: host, port: port, type: SOCK_DGRAM) ?? -1
    }

    deinit { close(self.descriptor) }

    /// Asks once; nil when nothing comes in time.
    func ask(_ name: String, _ kind: Kind = .a, milliseconds: Int32 = 2000) -> Answer? {
        self.lastNumber &+= 1
        let number = [UInt8(self.lastNumber >> 8), UInt8(self.lastNumber & 0xFF)]
        var question = number + [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        for label in name.utf8.split(separator: UInt8(ascii: ".")) { question += [UInt8(label.count)] + label }
        question += [0, 0, kind.rawValue, 0, 1]
        guard send(self.descriptor, question, question.count, Int32(MSG_NOSIGNAL)) == question.count else { return nil }
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            var ready = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, milliseconds) == 1 else { return nil }
            let count = recv(self.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count >= 0 else { return nil }
            // An answer to an earlier question may come late.
            if count >= question.count, Array(buffer[..<2]) == number {
                return NameProbe.read(Array(buffer[..<count]), from: question.count, kind)
            }
        }
    }

    /// Reads the records behind the question.
    private static func read(_ message: [UInt8], from start: Int, _ kind: Kind) -> Answer {
        var addresses: [[UInt8]] = []
        var index = start
        for _ in 0..<(Int(message[6]) << 8 | Int(message[7])) {
            // Their names are labels, a pointer, or labels and a pointer; which name it is was asked for.
            while index < message.count, message[index] != 0, message[index] < 0xC0 { index += 1 + Int(message[index]) }
            guard index < message.count else { break }
            index += message[index] == 0 ? 1 : 2
            guard index + 10 <= message.count else { break }
            let end = index + 10 + (Int(message[index + 8]) << 8 | Int(message[index + 9]))
            guard end <= message.count else { break }
            if message[index + 1] == kind.rawValue { addresses.append(Array(message[(index + 10)..<end])) }
            index = end
        }
        return Answer(code: message[3] & 0x0F, hasRecords: message[6] | message[7] != 0, addresses: addresses)
    }
}
