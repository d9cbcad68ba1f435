/// The ASCII characters that the text formats of the protocols are made of.
///
/// Parsers work on bytes: comparing `Character`s needs Unicode tables.
public enum Ascii {
    /// `0`.
    @inlinable public static var zero: UInt8 { UInt8(ascii: "0") }
    /// `-`.
    @inlinable public static var hyphen: UInt8 { UInt8(ascii: "-") }
    /// `.`.
    @inlinable public static var dot: UInt8 { UInt8(ascii: ".") }
    /// `_`.
    @inlinable public static var underscore: UInt8 { UInt8(ascii: "_") }
    /// `/`.
    @inlinable public static var slash: UInt8 { UInt8(ascii: "/") }
    /// `?`.
    @inlinable public static var question: UInt8 { UInt8(ascii: "?") }
    /// `#`.
    @inlinable public static var hash: UInt8 { UInt8(ascii: "#") }
    /// `&`.
    @inlinable public static var ampersand: UInt8 { UInt8(ascii: "&") }
    /// `@`.
    @inlinable public static var at: UInt8 { UInt8(ascii: "@") }
    /// `%`.
    @inlinable public static var percent: UInt8 { UInt8(ascii: "%") }
    /// `:`.
    @inlinable public static var colon: UInt8 { UInt8(ascii: ":") }
    /// `;`.
    @inlinable public static var semicolon: UInt8 { UInt8(ascii: ";") }
    /// `,`.
    @inlinable public static var comma: UInt8 { UInt8(ascii: ",") }
    /// `=`.
    @inlinable public static var equals: UInt8 { UInt8(ascii: "=") }
    /// `"`.
    @inlinable public static var quote: UInt8 { UInt8(ascii: "\"") }
    /// `\`.
    @inlinable public static var backslash: UInt8 { UInt8(ascii: "\\") }
    /// `<`.
    @inlinable public static var less: UInt8 { UInt8(ascii: "<") }
    /// `>`.
    @inlinable public static var greater: UInt8 { UInt8(ascii: ">") }
    /// `[`.
    @inlinable public static var openBracket: UInt8 { UInt8(ascii: "[") }
    /// `]`.
    @inlinable public static var closeBracket: UInt8 { UInt8(ascii: "]") }
    /// `{`.
    @inlinable public static var openBrace: UInt8 { UInt8(ascii: "{") }
    /// `}`.
    @inlinable public static var closeBrace: UInt8 { UInt8(ascii: "}") }

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
