internal import Primitives

/// Writes the strings of JSON.
///
/// - Source: RFC 8259, section 7.
enum JSONText {
    /// Appends a name that needs no escapes, and its colon.
    static func writeName(_ name: StaticString, into bytes: inout [UInt8]) {
        bytes.append(Ascii.quote)
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(Ascii.quote)
        bytes.append(Ascii.colon)
    }

    /// Appends text in quotes, with the escapes that JSON demands.
    ///
    /// - Parameter text: well-formed UTF-8.
    static func write(_ text: [UInt8], into bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + text.count + 2)
        bytes.append(Ascii.quote)
        for byte in text {
            switch byte {
            case Ascii.quote, Ascii.backslash:
                bytes.append(Ascii.backslash)
                bytes.append(byte)
            case 0x0A: self.writeEscape(UInt8(ascii: "n"), into: &bytes)
            case 0x0D: self.writeEscape(UInt8(ascii: "r"), into: &bytes)
            case 0x09: self.writeEscape(UInt8(ascii: "t"), into: &bytes)
            case 0x00..<0x20:
                self.writeEscape(UInt8(ascii: "u"), into: &bytes)
                bytes.append(Ascii.zero)
                bytes.append(Ascii.zero)
                bytes.append(Ascii.hexadecimalDigit(byte >> 4))
                bytes.append(Ascii.hexadecimalDigit(byte & 0x0F))
            default: bytes.append(byte)
            }
        }
        bytes.append(Ascii.quote)
    }

    private static func writeEscape(_ letter: UInt8, into bytes: inout [UInt8]) {
        bytes.append(Ascii.backslash)
        bytes.append(letter)
    }
}
