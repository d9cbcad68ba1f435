import Glibc

/// A peer that writes CoAP by hand, well or badly; shares no code with the implementation.
final class RawCoAP {
    private let descriptor: Int32
    private var nextMessageID: UInt16 = 0x1000

    /// Connects to a plain endpoint, given as `coap://127.0.0.1:40002`; elsewhere than on 127.0.0.1 with its address.
    init(_ uri: String, host: String = "127.0.0.1") throws {
        guard let port = uri.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw InteropError.endedEarly("no port in \(uri)")
        }
        self.descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        LoopbackPorts.connectDatagrams(self.descriptor, port: port, at: host)
    }

    deinit { close(self.descriptor) }

    /// Sends bytes as they are.
    func send(_ datagram: [UInt8]) {
        _ = Glibc.send(self.descriptor, datagram, datagram.count, Int32(MSG_NOSIGNAL))
    }

    /// Returns the next datagram, or nil when none came within the time.
    func receive(milliseconds: Int32 = 5_000) -> [UInt8]? {
        var ready = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, milliseconds) == 1 else { return nil }
        var datagram = [UInt8](repeating: 0, count: 65_536)
        let count = recv(self.descriptor, &datagram, datagram.count, Int32(MSG_DONTWAIT))
        return count >= 0 ? Array(datagram.prefix(count)) : nil
    }

    /// Sends a confirmable request and returns the code of its answer, for example 0x41 for 2.01.
    ///
    /// - Parameter options: number and value, in ascending order of numbers.
    func exchange(code: UInt8, options: [(number: Int, value: [UInt8])], payload: [UInt8] = []) -> UInt8? {
        let identifier = self.nextMessageID
        self.nextMessageID += 1
        let token: [UInt8] = [0xC0, 0xFF, UInt8(identifier & 0xFF)]
        var datagram: [UInt8] = [0x43, code, UInt8(identifier >> 8), UInt8(identifier & 0xFF)] + token
        var last = 0
        for option in options {
            datagram += Self.option(delta: option.number - last, option.value)
            last = option.number
        }
        if !payload.isEmpty { datagram += [0xFF] + payload }
        self.send(datagram)
        // Resets that answer earlier nonsense may stand before the answer.
        while let answer = self.receive() {
            if answer.count >= 7, answer[4..<7].elementsEqual(token) { return answer[1] }
        }
        return nil
    }

    /// Registers as a device would.
    ///
    /// - Parameter more: options above 15, in ascending order.
    func register(_ endpoint: String, more: [(number: Int, value: [UInt8])] = []) -> UInt8? {
        let queries = ["ep=\(endpoint)", "lt=300", "lwm2m=1.1", "b=U"]
        return self.exchange(
            code: 0x02,
            options: [(11, Array("rd".utf8)), (12, [40])] + queries.map { (15, Array($0.utf8)) } + more,
            payload: Array("</1/0>,</3/0>".utf8)
        )
    }

    private static func option(delta: Int, _ value: [UInt8]) -> [UInt8] {
        let (deltaNibble, deltaMore) = self.extended(delta)
        let (lengthNibble, lengthMore) = self.extended(value.count)
        return [deltaNibble << 4 | lengthNibble] + deltaMore + lengthMore + value
    }

    private static func extended(_ number: Int) -> (UInt8, [UInt8]) {
        switch number {
        case ..<13: (UInt8(number), [])
        case ..<269: (13, [UInt8(number - 13)])
        default: (14, [UInt8((number - 269) >> 8), UInt8((number - 269) & 0xFF)])
        }
    }
}
