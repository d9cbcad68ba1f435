internal import Primitives

/// Links and their attributes in CoRE link format: object lists and answers to Discover.
///
/// Reading takes at most 64 bytes of memory for each byte of payload, besides the attributes of one link.
///
/// - Source: RFC 6690, section 2; LwM2M Core 1.2.2, clauses 6.2 and 6.4.3.
public enum LinkFormat {
    /// Why bytes are not a list of links that LwM2M allows.
    public enum ParseError: Error, Hashable, Sendable {
        /// The bytes break the grammar, at this byte.
        case malformed(at: Int)
        /// A target is no LwM2M path, or one of too many levels; the byte where it begins.
        case invalidPath(at: Int)
        /// The value of an attribute has the wrong shape; the byte where its link begins.
        case invalidAttribute(at: Int)
        /// There are more links, or more attributes of one link, than ``LinkFormat`` reads.
        case tooMany
    }

    /// The most links that one payload may hold.
    public static let maximumLinks = 65_536
    /// The most attributes that one link may have.
    public static let maximumAttributes = 64
}

/// One attribute as it stands: `name` or `name=value`, the value without its quotes.
struct LinkAttribute: Sendable {
    let name: ArraySlice<UInt8>
    let value: ArraySlice<UInt8>?

    func isNamed(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { self.name.elementsEqual($0) }
    }
}

/// One link as it stands: the target between the angle brackets, and its attributes in order.
struct RawLink: Sendable {
    let offset: Int
    let target: ArraySlice<UInt8>
    let attributes: [LinkAttribute]
}

/// Reads one link at a time; holds no more than the payload and the attributes of one link.
struct LinkReader: Sendable {
    private let bytes: [UInt8]
    private var index = 0
    private var count = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The next link, or nil behind the last one.
    mutating func next() throws(LinkFormat.ParseError) -> RawLink? {
        self.skipSpace()
        if self.count == 0, self.index == self.bytes.count { return nil }
        if self.count > 0 {
            guard self.index < self.bytes.count else { return nil }
            try self.expect(Ascii.comma)
            self.skipSpace()
        }
        guard self.count < LinkFormat.maximumLinks else { throw .tooMany }
        self.count += 1
        let offset = self.index
        try self.expect(Ascii.less)
        let start = self.index
        guard let end = self.bytes[start...].firstIndex(of: Ascii.greater) else { throw .malformed(at: start) }
        self.index = end + 1
        var attributes: [LinkAttribute] = []
        self.skipSpace()
        while self.index < self.bytes.count, self.bytes[self.index] == Ascii.semicolon {
            self.index += 1
            self.skipSpace()
            guard attributes.count < LinkFormat.maximumAttributes else { throw .tooMany }
            attributes.append(try self.readAttribute())
            self.skipSpace()
        }
        return RawLink(offset: offset, target: self.bytes[start..<end], attributes: attributes)
    }

    private mutating func readAttribute() throws(LinkFormat.ParseError) -> LinkAttribute {
        let start = self.index
        while self.index < self.bytes.count, Self.isNameCharacter(self.bytes[self.index]) { self.index += 1 }
        guard self.index > start else { throw .malformed(at: start) }
        let name = self.bytes[start..<self.index]
        guard self.index < self.bytes.count, self.bytes[self.index] == Ascii.equals else {
            return LinkAttribute(name: name, value: nil)
        }
        self.index += 1
        return LinkAttribute(name: name, value: try self.readAttributeValue())
    }

    private mutating func readAttributeValue() throws(LinkFormat.ParseError) -> ArraySlice<UInt8> {
        let start = self.index
        if start < self.bytes.count, self.bytes[start] == Ascii.quote {
            guard let end = self.bytes[(start + 1)...].firstIndex(of: Ascii.quote) else { throw .malformed(at: start) }
            self.index = end + 1
            return self.bytes[(start + 1)..<end]
        }
        while self.index < self.bytes.count, !Self.endsValue(self.bytes[self.index]) { self.index += 1 }
        guard self.index > start else { throw .malformed(at: start) }
        return self.bytes[start..<self.index]
    }

    private mutating func expect(_ byte: UInt8) throws(LinkFormat.ParseError) {
        guard self.index < self.bytes.count, self.bytes[self.index] == byte else { throw .malformed(at: self.index) }
        self.index += 1
    }

    // The grammar has no spaces; peers in the field write them behind commas.
    private mutating func skipSpace() {
        while self.index < self.bytes.count, Self.isSpace(self.bytes[self.index]) { self.index += 1 }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte)
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        Ascii.isLetter(byte) || Ascii.isDigit(byte) || byte == Ascii.hyphen || byte == Ascii.dot
            || byte == Ascii.underscore || byte == UInt8(ascii: "*")
    }

    private static func endsValue(_ byte: UInt8) -> Bool {
        byte == Ascii.comma || byte == Ascii.semicolon || byte == Ascii.quote || self.isSpace(byte)
    }
}
