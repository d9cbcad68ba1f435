/// The ASCII characters that the text formats of the protocols are made of.
///
/// Parsers work on bytes: comparing `Character`s needs Unicode tables.
public enum Ascii {
    /// `0`.
    public static let zero = UInt8(ascii: "0")
    /// `-`.
    public static let hyphen = UInt8(ascii: "-")
    /// `.`.
    public static let dot = UInt8(ascii: ".")
    /// `_`.
    public static let underscore = UInt8(ascii: "_")
    /// `/`.
    public static let slash = UInt8(ascii: "/")
    /// `?`.
    public static let question = UInt8(ascii: "?")
    /// `#`.
    public static let hash = UInt8(ascii: "#")
    /// `&`.
    public static let ampersand = UInt8(ascii: "&")
    /// `@`.
    public static let at = UInt8(ascii: "@")
    /// `%`.
    public static let percent = UInt8(ascii: "%")
    /// `:`.
    public static let colon = UInt8(ascii: ":")
    /// `;`.
    public static let semicolon = UInt8(ascii: ";")
    /// `,`.
    public static let comma = UInt8(ascii: ",")
    /// `=`.
    public static let equals = UInt8(ascii: "=")
    /// `"`.
    public static let quote = UInt8(ascii: "\"")
    /// `\`.
    public static let backslash = UInt8(ascii: "\\")
    /// `<`.
    public static let less = UInt8(ascii: "<")
    /// `>`.
    public static let greater = UInt8(ascii: ">")
    /// `[`.
    public static let openBracket = UInt8(ascii: "[")
    /// `]`.
    public static let closeBracket = UInt8(ascii: "]")
    /// `{`.
    public static let openBrace = UInt8(ascii: "{")
    /// `}`.
    public static let closeBrace = UInt8(ascii: "}")

    /// Whether the byte is `0` to `9`.
    @inlinable
    public static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Whether the byte is a letter of either case.
    @inlinable
    public static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    /// Whether the byte is a hexadecimal digit of either case.
    @inlinable
    public static func isHexadecimal(_ byte: UInt8) -> Bool { self.isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }

    /// The byte, in lower case when it is a letter.
    @inlinable
    public static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The value of a hexadecimal digit; nil when the byte is none.
    @inlinable
    public static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        if self.isDigit(byte) { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    /// The upper-case digit of a value from 0 to 15.
    @inlinable
    public static func hexadecimalDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }
}
