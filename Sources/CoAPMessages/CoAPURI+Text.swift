public import Primitives

extension CoAPURI {
    private static let maximumLength = 255

    /// Reads `coaps://host:port/path?query`.
    ///
    /// - Parameter text: at most 255 bytes; an IPv6 host stands in brackets; without a port, the scheme's counts.
    /// - Source: RFC 7252, section 6.4.
    public init(parsing text: UTF8Text) throws(ParseError) {
        guard text.bytes.count <= Self.maximumLength else { throw .tooLong }
        let bytes = text.bytes
        let (scheme, start) = try Self.parseScheme(bytes)
        let authorityEnd = bytes[start...].firstIndex { $0 == Ascii.slash || $0 == Ascii.question || $0 == Ascii.hash }
        let authority = bytes[start..<(authorityEnd ?? bytes.endIndex)]
        let (host, port) = try Self.parseAuthority(authority)
        var rest = bytes[authority.endIndex...]
        guard !rest.contains(Ascii.hash) else { throw .unexpectedPart }

        var path: [UTF8Text] = []
        var query: [UTF8Text] = []
        if let mark = rest.firstIndex(of: Ascii.question) {
            query = try Self.parseParts(
                bytes[(mark + 1)...],
                separator: Ascii.ampersand,
                extra: [Ascii.slash, Ascii.question]
            )
            rest = rest[..<mark]
        }
        if rest.count > 1 {
            path = try Self.parseParts(rest.dropFirst(), separator: Ascii.slash, extra: [Ascii.ampersand])
        }
        self.init(scheme: scheme, host: host, port: port, path: path, query: query)
    }

    /// The URI as text: lower-case host, no port when it is the scheme's, everything escaped that must be.
    ///
    /// - Source: RFC 7252, section 6.5.
    public var text: String {
        var bytes = Array((self.scheme == .coap ? "coap://" : "coaps://").utf8)
        let isIPv6 = self.host.bytes.contains(Ascii.colon)
        if isIPv6 { bytes.append(Ascii.openBracket) }
        bytes += self.host.bytes
        if isIPv6 { bytes.append(Ascii.closeBracket) }
        if self.port != self.scheme.defaultPort { bytes += Array(":\(self.port)".utf8) }
        for segment in self.path {
            bytes.append(Ascii.slash)
            Self.escape(segment.bytes, extra: [Ascii.ampersand], into: &bytes)
        }
        for (index, item) in self.query.enumerated() {
            bytes.append(index == 0 ? Ascii.question : Ascii.ampersand)
            Self.escape(item.bytes, extra: [Ascii.slash, Ascii.question], into: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the host is an IPv4 or IPv6 address, and no name.
    public var hostIsAddress: Bool {
        self.host.bytes.contains(Ascii.colon) || Self.isIPv4Literal(self.host.bytes[...])
    }

    private static func parseScheme(_ bytes: [UInt8]) throws(ParseError) -> (Scheme, Int) {
        for (scheme, name) in [(Scheme.coap, "coap://"), (.coaps, "coaps://")] {
            let prefix = bytes.prefix(name.utf8.count).map(Ascii.lowercased)
            if prefix.elementsEqual(name.utf8) { return (scheme, name.utf8.count) }
        }
        throw .unsupportedScheme
    }

    private static func parseAuthority(_ authority: ArraySlice<UInt8>) throws(ParseError) -> (UTF8Text, UInt16?) {
        guard !authority.contains(Ascii.at) else { throw .unexpectedPart }
        let host: ArraySlice<UInt8>
        let portText: ArraySlice<UInt8>
        if authority.first == Ascii.openBracket {
            guard let end = authority.firstIndex(of: Ascii.closeBracket) else { throw .invalidHost }
            host = authority[(authority.startIndex + 1)..<end]
            portText = authority[(end + 1)...]
            guard isIPv6Literal(host) else { throw .invalidHost }
            guard portText.isEmpty || portText.first == Ascii.colon else { throw .invalidPort }
        } else {
            let colon = authority.firstIndex(of: Ascii.colon) ?? authority.endIndex
            host = authority[..<colon]
            portText = authority[colon...]
            guard !host.isEmpty, host.allSatisfy(isHostCharacter) else { throw .invalidHost }
        }
        guard let text = UTF8Text(validating: host.map(Ascii.lowercased)) else { throw .invalidHost }
        // RFC 3986, section 3.2.3 allows an empty port behind the colon: it stands for the default.
        if portText.count <= 1 { return (text, nil) }
        return (text, try Self.parsePort(portText.dropFirst()))
    }

    private static func parsePort(_ digits: ArraySlice<UInt8>) throws(ParseError) -> UInt16 {
        var port = 0
        for digit in digits {
            guard Ascii.isDigit(digit) else { throw .invalidPort }
            port = port * 10 + Int(digit - Ascii.zero)
            guard port <= 65_535 else { throw .invalidPort }
        }
        guard port > 0 else { throw .invalidPort }
        return UInt16(port)
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        Ascii.isLetter(byte) || Ascii.isDigit(byte) || byte == Ascii.hyphen || byte == Ascii.dot
            || byte == Ascii.underscore
    }

    /// Whether the bytes are an IPv6 address as RFC 4291 writes it: groups, one `::` at most, perhaps IPv4 at the end.
    private static func isIPv6Literal(_ text: ArraySlice<UInt8>) -> Bool {
        var groups = 0
        var hasGap = false
        var rest = text
        if rest.starts(with: [Ascii.colon, Ascii.colon]) {
            hasGap = true
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let group = rest.prefix { $0 != Ascii.colon }
            if group.contains(Ascii.dot) {
                guard group.endIndex == rest.endIndex, isIPv4Literal(group) else { return false }
                groups += 2
                break
            }
            guard (1...4).contains(group.count), group.allSatisfy(Ascii.isHexadecimal) else { return false }
            groups += 1
            rest = rest[group.endIndex...]
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            guard let next = rest.first else { return false }
            if next == Ascii.colon {
                guard !hasGap else { return false }
                hasGap = true
                rest = rest.dropFirst()
            }
        }
        return hasGap ? groups <= 7 : groups == 8
    }

    private static func isIPv4Literal(_ text: ArraySlice<UInt8>) -> Bool {
        let parts = text.split(separator: Ascii.dot, omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard (1...3).contains(part.count), part.allSatisfy(Ascii.isDigit) else { return false }
                return part.reduce(0) { $0 * 10 + Int($1 - Ascii.zero) } <= 255
            }
    }

    private static func parseParts(
        _ text: ArraySlice<UInt8>,
        separator: UInt8,
        extra: [UInt8]
    ) throws(ParseError) -> [UTF8Text] {
        var parts: [UTF8Text] = []
        var start = text.startIndex
        while true {
            let end = text[start...].firstIndex(of: separator) ?? text.endIndex
            parts.append(try Self.unescape(text[start..<end], extra: extra))
            guard end < text.endIndex else { return parts }
            start = end + 1
        }
    }

    private static func unescape(_ text: ArraySlice<UInt8>, extra: [UInt8]) throws(ParseError) -> UTF8Text {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            if byte == Ascii.percent {
                guard text.endIndex - index >= 3, let high = Ascii.hexadecimalValue(text[index + 1]),
                    let low = Ascii.hexadecimalValue(text[index + 2])
                else { throw .invalidCharacter(at: index) }
                bytes.append(high << 4 | low)
                index += 3
            } else {
                guard isPathCharacter(byte) || extra.contains(byte) else { throw .invalidCharacter(at: index) }
                bytes.append(byte)
                index += 1
            }
        }
        guard let part = UTF8Text(validating: bytes) else { throw .invalidCharacter(at: text.startIndex) }
        return part
    }

    private static func escape(_ text: [UInt8], extra: [UInt8], into bytes: inout [UInt8]) {
        for byte in text {
            if isPathCharacter(byte) || extra.contains(byte) {
                bytes.append(byte)
            } else {
                bytes += [Ascii.percent, Ascii.hexadecimalDigit(byte >> 4), Ascii.hexadecimalDigit(byte & 0x0F)]
            }
        }
    }

    /// Whether a byte may stand in a path or a query as it is: `pchar` of RFC 3986 without `&`.
    private static func isPathCharacter(_ byte: UInt8) -> Bool {
        if Ascii.isLetter(byte) || Ascii.isDigit(byte) { return true }
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "!"),
            UInt8(ascii: "$"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"),
            UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: ":"),
            UInt8(ascii: "@"):
            return true
        default: return false
        }
    }
}
