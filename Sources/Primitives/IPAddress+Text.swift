extension IPAddress {
    /// Reads `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]`; no zone, no port.
    ///
    /// Byte by byte, so that Embedded Swift needs no Unicode tables.
    /// - Returns: nil when the text is not an address.
    /// - Source: RFC 4291, section 2.2.
    public init?(parsing text: UTF8Text) {
        let bytes = text.bytes
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
            self.init(ipv6Text: bytes[1..<(bytes.count - 1)])
        } else if bytes.contains(Ascii.colon) {
            self.init(ipv6Text: bytes[...])
        } else {
            self.init(ipv4Text: bytes[...])
        }
    }

    /// Reads `192.0.2.1`; nil when it is not such an address.
    package init?(ipv4Text bytes: ArraySlice<UInt8>) {
        guard let parsed = IPAddressText.ipv4(bytes) else { return nil }
        self.init(parsed)
    }

    /// Reads `2001:db8::1`, without brackets; nil when it is not such an address.
    package init?(ipv6Text bytes: ArraySlice<UInt8>) {
        guard let parsed = IPAddressText.ipv6(bytes) else { return nil }
        self.init(parsed)
    }

    /// The address as people write it, without brackets.
    ///
    /// - Source: RFC 5952.
    public var text: UTF8Text {
        var text: [UInt8] = []
        if self.isIPv6 {
            IPAddressText.appendIPv6(self.bytes, to: &text)
        } else {
            for (index, part) in self.bytes.enumerated() {
                if index > 0 { text.append(Ascii.dot) }
                IPAddressText.append(Int(part), radix: 10, to: &text)
            }
        }
        return UTF8Text(validating: text) ?? ""
    }
}

private enum IPAddressText {
    static func decimal(_ bytes: ArraySlice<UInt8>, limit: Int) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 5 else { return nil }
        var value = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value <= limit ? value : nil
    }

    static func ipv4(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var start = bytes.startIndex
        for index in bytes.startIndex...bytes.endIndex
        where index == bytes.endIndex || bytes[index] == UInt8(ascii: ".") {
            // A leading zero would mean octal digits to some.
            let part = bytes[start..<index]
            guard result.count < 4, part.count <= 3, part.count == 1 || part.first != Ascii.zero,
                let value = self.decimal(part, limit: 255)
            else { return nil }
            result.append(UInt8(value))
            start = index + 1
        }
        return result.count == 4 ? result : nil
    }

    static func ipv6(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
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

    static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> Int? {
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

    static func appendIPv6(_ parts: [UInt8], to text: inout [UInt8]) {
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

    static func append(_ value: Int, radix: Int, to text: inout [UInt8]) {
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
