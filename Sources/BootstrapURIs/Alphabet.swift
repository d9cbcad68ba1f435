public import Primitives

/// The characters in which a derivative is written.
public enum Alphabet: UInt8, Hashable, Sendable, CaseIterable {
    /// Two digits 0-9 and a-f a byte.
    case hexadecimal
    /// The derivative as one whole number, the most significant byte first, with leading zeros to a fixed length.
    case decimal
    /// RFC 4648 section 6 in lower case, without padding.
    case base32
    /// RFC 4648 section 5, without padding; not in a host, where upper and lower case are the same.
    case base64URL

    /// The name in profiles.
    public var name: UTF8Text {
        switch self {
        case .hexadecimal: "hexadecimal"
        case .decimal: "decimal"
        case .base32: "base32"
        case .base64URL: "base64url"
        }
    }

    /// How many characters a derivative of so many bytes has.
    public func length(ofBytes count: Int) -> Int {
        switch self {
        case .hexadecimal: count * 2
        // Digits of 256^count - 1: log10(256) is 2.40824.
        case .decimal: (count * 240_824 + 99_999) / 100_000
        case .base32: (count * 8 + 4) / 5
        case .base64URL: (count * 8 + 5) / 6
        }
    }

    /// How many bits a character carries, in hundredths.
    var centibitsPerCharacter: Int {
        switch self {
        case .hexadecimal: 400
        case .decimal: 332
        case .base32: 500
        case .base64URL: 600
        }
    }

    /// Writes bytes; always ``length(ofBytes:)`` characters.
    public func encode(_ bytes: [UInt8]) -> [UInt8] {
        switch self {
        case .hexadecimal:
            var text: [UInt8] = []
            text.reserveCapacity(bytes.count * 2)
            for byte in bytes {
                text.append(Self.digit32Hex(byte >> 4))
                text.append(Self.digit32Hex(byte & 0x0F))
            }
            return text
        case .decimal: return Self.decimalDigits(bytes, count: self.length(ofBytes: bytes.count))
        case .base32: return Self.groups(bytes, bits: 5) { $0 < 26 ? 0x61 + $0 : 0x32 + $0 - 26 }
        case .base64URL: return Self.groups(bytes, bits: 6, Self.base64Character)
        }
    }

    private static func digit32Hex(_ value: UInt8) -> UInt8 { value < 10 ? Ascii.zero + value : 0x61 + value - 10 }

    private static func base64Character(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: 0x41 + value
        case 26..<52: 0x61 + value - 26
        case 52..<62: Ascii.zero + value - 52
        case 62: Ascii.hyphen
        default: Ascii.underscore
        }
    }

    private static func groups(_ bytes: [UInt8], bits: Int, _ character: (UInt8) -> UInt8) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 8 + bits - 1) / bits)
        var buffer: UInt32 = 0
        var held = 0
        let mask = UInt32(1) << UInt32(bits) - 1
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            held += 8
            while held >= bits {
                held -= bits
                text.append(character(UInt8(buffer >> UInt32(held) & mask)))
            }
        }
        if held > 0 { text.append(character(UInt8(buffer << UInt32(bits - held) & mask))) }
        return text
    }

    private static func decimalDigits(_ bytes: [UInt8], count: Int) -> [UInt8] {
        // Division of the whole number by ten, digit by digit; at most 32 bytes, so 78 rounds.
        var number = bytes
        var digits = [UInt8](repeating: Ascii.zero, count: count)
        for place in stride(from: count - 1, through: 0, by: -1) {
            var remainder = 0
            for index in number.indices {
                let value = remainder << 8 | Int(number[index])
                number[index] = UInt8(value / 10)
                remainder = value % 10
            }
            digits[place] = Ascii.zero + UInt8(remainder)
        }
        return digits
    }
}
