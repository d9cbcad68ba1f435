/// Addresses to and from text, byte by byte, so that Embedded Swift needs no Unicode tables.
///
/// - Source: RFC 4291, section 2.2; RFC 5952 for the form written.
enum AddressText {
    static func parse(_ bytes: [UInt8]) -> SocketAddress? {
        if bytes.first == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")),
                let address = self.ipv6(bytes[1..<close]),
                let port = self.port(bytes[(close + 1)...])
            else { return nil }
            return SocketAddress(ipv6: address, port: port)
        }
        let colons = bytes.count { $0 == UInt8(ascii: ":") }
        if colons > 1 {
            guard let address = self.ipv6(bytes[...]) else { return nil }
            return SocketAddress(ipv6: address, port: 0)
        }
        let end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
        guard let address = self.ipv4(bytes[..<end]), let port = self.port(bytes[end...]) else { return nil }
        return SocketAddress(ipv4: (address[0], address[1], address[2], address[3]), port: port)
    }

    /// A port behind its colon; no bytes at all stand for 0.
    private static func port(_ bytes: ArraySlice<UInt8>) -> UInt16? {
        guard let first = bytes.first else { return 0 }
        guard first == UInt8(ascii: ":") else { return nil }
        return self.decimal(bytes.dropFirst(), limit: 65_535).map { UInt16($0) }
    }

    private static func decimal(_ bytes: ArraySlice<UInt8>, limit: Int) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 5 else { return nil }
        var value = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value <= limit ? value : nil
    }

    private static func ipv4(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var start = bytes.startIndex
        for index in bytes.startIndex...bytes.endIndex
        where index == bytes.endIndex || bytes[index] == UInt8(ascii: ".") {
            guard result.count < 4, index - start <= 3, let value = self.decimal(bytes[start..<index], limit: 255)
            else { return nil }
            result.append(UInt8(value))
            start = index + 1
        }
        return result.count == 4 ? result : nil
    }

    private static func ipv6(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var head: [UInt8] = []
        var tail: [UInt8]?
        var index = bytes.startIndex
        func append(_ values: [UInt8]) {
            if tail != nil { tail?.append(contentsOf: values) } else { head.append(contentsOf: values) }
        }
        if bytes.count >= 2, bytes[index] == UInt8(ascii: ":") {
            guard bytes[index + 1] == UInt8(ascii: ":") else { return nil }
            tail = []
            index += 2
        }
        while index < bytes.endIndex {
            let end = bytes[index...].firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
            let group = bytes[index..<end]
            if group.contains(UInt8(ascii: ".")) {
                guard end == bytes.endIndex, let address = self.ipv4(group) else { return nil }
                append(address)
                index = end
                break
            }
            guard let value = self.hexadecimal(group) else { return nil }
            append([UInt8(value >> 8), UInt8(value & 0xFF)])
            guard head.count + (tail?.count ?? 0) <= 16 else { return nil }
            if end == bytes.endIndex {
                index = end
                break
            }
            index = end + 1
            guard index < bytes.endIndex else { return nil }
            if bytes[index] == UInt8(ascii: ":") {
                guard tail == nil else { return nil }
                tail = []
                index += 1
            }
        }
        guard let tail else { return head.count == 16 ? head : nil }
        guard head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 4 else { return nil }
        var value = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | Int(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | Int(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | Int(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }

    static func bytes(of address: SocketAddress) -> [UInt8] {
        let parts = address.addressBytes
        var text: [UInt8] = []
        if address.isIPv6 {
            text.append(UInt8(ascii: "["))
            self.appendIPv6(parts, to: &text)
            text.append(UInt8(ascii: "]"))
        } else {
            for (index, part) in parts.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ".")) }
                self.append(Int(part), radix: 10, to: &text)
            }
        }
        text.append(UInt8(ascii: ":"))
        self.append(Int(address.port), radix: 10, to: &text)
        return text
    }

    private static func appendIPv6(_ parts: [UInt8], to text: inout [UInt8]) {
        let groups = (0..<8).map { Int(parts[2 * $0]) << 8 | Int(parts[2 * $0 + 1]) }
        // The longest run of two or more zero groups, the first of equals, is written as "::".
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, best.count) { best = start..<end }
            start = max(end, start + 1)
        }
        var index = 0
        while index < 8 {
            if index == best.lowerBound, !best.isEmpty {
                text.append(UInt8(ascii: ":"))
                text.append(UInt8(ascii: ":"))
                index = best.upperBound
                continue
            }
            if index > 0, index != best.upperBound || best.isEmpty { text.append(UInt8(ascii: ":")) }
            self.append(groups[index], radix: 16, to: &text)
            index += 1
        }
    }

    private static func append(_ value: Int, radix: Int, to text: inout [UInt8]) {
        var digits: [UInt8] = []
        var rest = value
        repeat {
            let digit = UInt8(truncatingIfNeeded: rest % radix)
            digits.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            rest /= radix
        } while rest > 0
        text.append(contentsOf: digits.reversed())
    }
}
