internal import Primitives

/// Bytes as base 64 text.
///
/// - Source: RFC 4648, sections 4 and 5.
enum Base64 {
    enum Alphabet: Sendable {
        /// With `+` and `/`, padded with `=` when written.
        case standard
        /// With `-` and `_`, written without padding.
        case url

        fileprivate func digit(_ value: UInt8) -> UInt8 {
            switch value {
            case 0..<26: UInt8(ascii: "A") + value
            case 26..<52: UInt8(ascii: "a") + value - 26
            case 52..<62: Ascii.zero + value - 52
            case 62: self == .url ? Ascii.hyphen : UInt8(ascii: "+")
            default: self == .url ? Ascii.underscore : Ascii.slash
            }
        }

        fileprivate func value(_ digit: UInt8) -> UInt8? {
            switch digit {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - Ascii.zero + 52
            case self.digit(62): 62
            case self.digit(63): 63
            default: nil
            }
        }
    }

    static func encode(_ source: [UInt8], alphabet: Alphabet, into bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + (source.count + 2) / 3 * 4)
        var index = 0
        while index < source.count {
            let count = min(3, source.count - index)
            var group = UInt32(source[index]) << 16
            if count > 1 { group |= UInt32(source[index + 1]) << 8 }
            if count > 2 { group |= UInt32(source[index + 2]) }
            for position in 0...count {
                bytes.append(alphabet.digit(UInt8(truncatingIfNeeded: group >> UInt32(18 - 6 * position)) & 0x3F))
            }
            if alphabet == .standard {
                for _ in count..<3 { bytes.append(Ascii.equals) }
            }
            index += 3
        }
    }

    /// Reads digits with or without padding.
    ///
    /// - Returns: nil when a byte is no digit, a count of digits cannot be, or unused bits are not zero.
    static func decode(_ text: ArraySlice<UInt8>, alphabet: Alphabet) -> [UInt8]? {
        var digits = text
        if text.count % 4 == 0 {
            for _ in 0..<2 where digits.last == Ascii.equals { digits = digits.dropLast() }
        }
        guard digits.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count * 3 / 4)
        var bits: UInt32 = 0
        var count = 0
        for digit in digits {
            guard let value = alphabet.value(digit) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                bits &= (1 << UInt32(count)) - 1
            }
        }
        return bits == 0 ? bytes : nil
    }
}
