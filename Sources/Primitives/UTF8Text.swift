/// Text as its UTF-8 bytes, compared and hashed byte by byte.
///
/// Endpoint names, path segments and string resources are bytes on the wire and are compared as bytes by the
/// protocols. Keeping them so needs no Unicode tables, which weigh 100 KB in an Embedded Swift program.
/// The bytes came through ``init(validating:)`` or from a `String`, so they are well-formed UTF-8.
public struct UTF8Text: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The UTF-8 bytes, without a terminator.
    public let bytes: [UInt8]

    /// Creates the text of a string.
    public init(_ string: String) {
        self.bytes = Array(string.utf8)
    }

    /// Creates the text of a string literal.
    public init(stringLiteral value: StaticString) {
        self.bytes = value.withUTF8Buffer { Array($0) }
    }

    /// Creates text from bytes that must be well-formed UTF-8.
    ///
    /// - Returns: nil when the bytes are not well-formed UTF-8.
    public init?(validating bytes: [UInt8]) {
        guard UTF8Text.isWellFormed(bytes) else { return nil }
        self.bytes = bytes
    }

    /// The text as a string.
    public var string: String { String(decoding: self.bytes, as: UTF8.self) }

    /// Whether the text has no bytes.
    public var isEmpty: Bool { self.bytes.isEmpty }

    /// Whether a control character is in the text, of ASCII or of U+0080 to U+009F: as a name it could end a line of a log,
    /// or steer a terminal.
    public var hasControlCharacters: Bool {
        var last: UInt8 = 0
        for byte in self.bytes {
            if byte < 0x20 || byte == 0x7F || last == 0xC2 && byte < 0xA0 { return true }
            last = byte
        }
        return false
    }

    /// Whether the bytes are well-formed UTF-8: no overlong form, surrogate, or value above U+10FFFF.
    ///
    /// - Source: RFC 3629, section 4.
    public static func isWellFormed(_ bytes: [UInt8]) -> Bool {
        var index = 0
        while index < bytes.count {
            let lead = bytes[index]
            if lead < 0x80 {
                index += 1
                continue
            }
            let length: Int
            var second: ClosedRange<UInt8> = 0x80...0xBF
            switch lead {
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, second) = (3, 0xA0...0xBF)
            case 0xED: (length, second) = (3, 0x80...0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, second) = (4, 0x90...0xBF)
            case 0xF1...0xF3: length = 4
            case 0xF4: (length, second) = (4, 0x80...0x8F)
            default: return false
            }
            guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { return false }
            for offset in stride(from: 2, to: length, by: 1) where !(0x80...0xBF).contains(bytes[index + offset]) {
                return false
            }
            index += length
        }
        return true
    }
}

#if !hasFeature(Embedded)
    extension UTF8Text: CustomStringConvertible {
        /// The text itself.
        public var description: String { self.string }
    }
#endif
