internal import Primitives

/// Reads JSON token by token and holds nothing but the token at hand.
///
/// Values stand at most ``maximumDepth`` deep in one another.
///
/// - Source: RFC 8259.
struct JSONReader: Sendable {
    static let maximumDepth = 16

    private let bytes: [UInt8]
    /// How many bytes were read.
    private(set) var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The next byte that is no white space, without consuming it.
    mutating func peek() throws(PayloadDecodingError) -> UInt8 {
        self.skipSpace()
        guard self.offset < self.bytes.count else { throw .truncated(at: self.offset) }
        return self.bytes[self.offset]
    }

    /// Consumes the byte, which must come next behind white space.
    mutating func expect(_ byte: UInt8) throws(PayloadDecodingError) {
        guard try self.peek() == byte else { throw .malformed(at: self.offset) }
        self.offset += 1
    }

    /// Consumes the comma before another member or the bracket behind the last one; false for the bracket.
    mutating func continues(until bracket: UInt8) throws(PayloadDecodingError) -> Bool {
        if try self.peek() == bracket {
            self.offset += 1
            return false
        }
        try self.expect(Ascii.comma)
        return true
    }

    /// Makes sure that nothing but white space follows.
    mutating func expectEnd() throws(PayloadDecodingError) {
        self.skipSpace()
        guard self.offset == self.bytes.count else { throw .malformed(at: self.offset) }
    }

    /// Reads a number, Boolean or string; nil, with the value skipped, for anything else.
    mutating func readValue() throws(PayloadDecodingError) -> PlainValue? {
        switch try self.peek() {
        case Ascii.quote:
            let start = self.offset
            guard let text = UTF8Text(validating: Array(try self.readString())) else { throw .malformed(at: start) }
            return .text(text)
        case UInt8(ascii: "t"):
            try self.readLiteral("true")
            return .boolean(true)
        case UInt8(ascii: "f"):
            try self.readLiteral("false")
            return .boolean(false)
        case Ascii.hyphen, UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try self.readNumber()
        default:
            try self.skip()
            return nil
        }
    }

    /// Reads a value of any kind and forgets it.
    mutating func skip(depth: Int = 0) throws(PayloadDecodingError) {
        let next = try self.peek()
        guard depth < Self.maximumDepth else { throw .tooDeep(at: self.offset) }
        switch next {
        case Ascii.openBracket:
            self.offset += 1
            if try self.peek() == Ascii.closeBracket {
                self.offset += 1
                return
            }
            repeat { try self.skip(depth: depth + 1) } while try self.continues(until: Ascii.closeBracket)
        case Ascii.openBrace:
            self.offset += 1
            if try self.peek() == Ascii.closeBrace {
                self.offset += 1
                return
            }
            repeat {
                _ = try self.readString()
                try self.expect(Ascii.colon)
                try self.skip(depth: depth + 1)
            } while try self.continues(until: Ascii.closeBrace)
        case Ascii.quote: _ = try self.readString()
        case UInt8(ascii: "t"): try self.readLiteral("true")
        case UInt8(ascii: "f"): try self.readLiteral("false")
        case UInt8(ascii: "n"): try self.readLiteral("null")
        default: _ = try self.readNumber()
        }
    }

    /// Reads a string, with its escapes undone; one without escapes is a part of the input, not a copy.
    ///
    /// - Returns: bytes that are not yet known to be UTF-8.
    mutating func readString() throws(PayloadDecodingError) -> ArraySlice<UInt8> {
        try self.expect(Ascii.quote)
        let first = try self.readRunOfText()
        if self.bytes[self.offset] == Ascii.quote {
            self.offset += 1
            return first
        }
        var text = Array(first)
        while self.bytes[self.offset] == Ascii.backslash {
            try self.readEscape(into: &text)
            text += try self.readRunOfText()
        }
        self.offset += 1
        return text[...]
    }

    /// Consumes what stands before the next quote or backslash.
    private mutating func readRunOfText() throws(PayloadDecodingError) -> ArraySlice<UInt8> {
        let start = self.offset
        while self.offset < self.bytes.count {
            let byte = self.bytes[self.offset]
            if byte == Ascii.quote || byte == Ascii.backslash { return self.bytes[start..<self.offset] }
            guard byte >= 0x20 else { throw .malformed(at: self.offset) }
            self.offset += 1
        }
        throw .truncated(at: self.offset)
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(PayloadDecodingError) {
        let start = self.offset
        guard start + 1 < self.bytes.count else { throw .truncated(at: start) }
        self.offset += 2
        switch self.bytes[start + 1] {
        case Ascii.quote, Ascii.backslash, Ascii.slash: text.append(self.bytes[start + 1])
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): Self.append(try self.readScalar(at: start), to: &text)
        default: throw .malformed(at: start)
        }
    }

    /// Reads the digits behind `\u`, and the second half behind the first of a surrogate pair.
    private mutating func readScalar(at start: Int) throws(PayloadDecodingError) -> UInt32 {
        let first = try self.readDigits()
        switch first {
        case 0xD800..<0xDC00:
            guard self.offset + 1 < self.bytes.count else { throw .truncated(at: start) }
            guard self.bytes[self.offset] == Ascii.backslash, self.bytes[self.offset + 1] == UInt8(ascii: "u") else {
                throw .malformed(at: start)
            }
            self.offset += 2
            let second = try self.readDigits()
            guard (0xDC00..<0xE000).contains(second) else { throw .malformed(at: start) }
            return 0x1_0000 + (first - 0xD800) << 10 + (second - 0xDC00)
        case 0xDC00..<0xE000: throw .malformed(at: start)
        default: return first
        }
    }

    private mutating func readDigits() throws(PayloadDecodingError) -> UInt32 {
        guard self.bytes.count - self.offset >= 4 else { throw .truncated(at: self.offset) }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Ascii.hexadecimalValue(self.bytes[self.offset]) else { throw .malformed(at: self.offset) }
            value = value << 4 | UInt32(digit)
            self.offset += 1
        }
        return value
    }

    private static func append(_ scalar: UInt32, to text: inout [UInt8]) {
        let tail = { (shift: UInt32) in UInt8(truncatingIfNeeded: 0x80 | (scalar >> shift & 0x3F)) }
        switch scalar {
        case ..<0x80: text.append(UInt8(truncatingIfNeeded: scalar))
        case ..<0x800: text += [UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6), tail(0)]
        case ..<0x1_0000: text += [UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12), tail(6), tail(0)]
        default: text += [UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18), tail(12), tail(6), tail(0)]
        }
    }

    /// Reads a number; one without fraction and exponent stays whole when 64 bits hold it.
    private mutating func readNumber() throws(PayloadDecodingError) -> PlainValue {
        let start = self.offset
        if self.next == Ascii.hyphen { self.offset += 1 }
        let firstDigit = self.next
        guard try self.readRun() == 1 || firstDigit != Ascii.zero else { throw .malformed(at: start) }
        var isWhole = true
        if self.next == Ascii.dot {
            isWhole = false
            self.offset += 1
            _ = try self.readRun()
        }
        if let mark = self.next, Ascii.lowercased(mark) == UInt8(ascii: "e") {
            isWhole = false
            self.offset += 1
            if self.next == Ascii.hyphen || self.next == UInt8(ascii: "+") { self.offset += 1 }
            _ = try self.readRun()
        }
        let text = self.bytes[start..<self.offset]
        if isWhole {
            if let whole = DecimalNumber.signed(text) { return .integer(whole) }
            if let whole = DecimalNumber.unsigned(text) { return .unsignedInteger(whole) }
        }
        guard let number = DecimalNumber.double(text), number.isFinite else { throw .malformed(at: start) }
        return .float(number)
    }

    private var next: UInt8? { self.offset < self.bytes.count ? self.bytes[self.offset] : nil }

    /// Consumes digits, at least one; how many.
    private mutating func readRun() throws(PayloadDecodingError) -> Int {
        let start = self.offset
        while let byte = self.next, Ascii.isDigit(byte) { self.offset += 1 }
        guard self.offset > start else {
            throw self.offset == self.bytes.count ? .truncated(at: start) : .malformed(at: start)
        }
        return self.offset - start
    }

    private mutating func readLiteral(_ literal: StaticString) throws(PayloadDecodingError) {
        let rest = self.bytes[self.offset...].prefix(literal.utf8CodeUnitCount)
        guard literal.withUTF8Buffer({ rest.elementsEqual($0) }) else { throw .malformed(at: self.offset) }
        self.offset = rest.endIndex
    }

    private mutating func skipSpace() {
        while let byte = self.next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { self.offset += 1 }
    }
}
