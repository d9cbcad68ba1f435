public import Primitives

/// The characters in which a derivative is written.
public enum NameAlphabet: Hashable, CaseIterable, Sendable {
    /// Lower-case base 32 without padding, five bits a character.
    ///
    /// - Source: RFC 4648, section 6.
    case base32
    /// The URL-safe base 64 without padding, six bits a character; its cases differ, so it never lands in a host.
    ///
    /// - Source: RFC 4648, section 5.
    case base64URL
    /// The derivative as one big-endian number in decimal digits, behind zeros up to the digits of the greatest one.
    case decimal
    /// Lower-case hexadecimal digits, two a byte.
    case hex

    /// The name in the textual form of a profile; `"base32"`.
    public var name: UTF8Text {
        switch self {
        case .base32: "base32"
        case .base64URL: "base64url"
        case .decimal: "decimal"
        case .hex: "hex"
        }
    }

    /// How many characters so many bytes take; the same for any value of the bytes.
    public func characterCount(ofBytes count: Int) -> Int {
        switch self {
        case .base32: (count * 8 + 4) / 5
        case .base64URL: (count * 8 + 5) / 6
        // A bit is 0.30103 digits; none of the sizes in use comes near a whole number of them.
        case .decimal: (count * 8 * 30_103 + 99_999) / 100_000
        case .hex: count * 2
        }
    }

    /// Writes bytes in the alphabet.
    public func text(of bytes: [UInt8]) -> [UInt8] {
        let count = self.characterCount(ofBytes: bytes.count)
        return bytes.withUnsafeBufferPointer { bytes in
            [UInt8](unsafeUninitializedCapacity: count) { text, written in
                self.write(bytes, into: text)
                written = count
            }
        }
    }

    /// Writes bytes in the alphabet into a buffer: its length says how many of the characters are wanted.
    ///
    /// Decimal digits come from the last to the first, so the buffer must have room for all of them.
    func write(_ bytes: UnsafeBufferPointer<UInt8>, into text: UnsafeMutableBufferPointer<UInt8>) {
        switch self {
        case .base32: Self.writeGroups(of: 5, bytes, into: text, Self.base32Digit)
        case .base64URL: Self.writeGroups(of: 6, bytes, into: text, Self.base64Digit)
        case .decimal: Self.writeDecimal(bytes, into: text)
        case .hex: Self.writeGroups(of: 4, bytes, into: text, Self.hexDigit)
        }
    }

    @inline(__always)
    private static func writeGroups(
        of bits: UInt32,
        _ bytes: UnsafeBufferPointer<UInt8>,
        into text: UnsafeMutableBufferPointer<UInt8>,
        _ digit: (UInt32) -> UInt8
    ) {
        let mask: UInt32 = (1 << bits) - 1
        var pending: UInt32 = 0
        var pendingBits: UInt32 = 0
        var position = 0
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            pendingBits += 8
            while pendingBits >= bits {
                guard position < text.count else { return }
                pendingBits -= bits
                text[position] = digit(pending >> pendingBits & mask)
                position += 1
            }
        }
        if pendingBits > 0, position < text.count { text[position] = digit(pending << (bits - pendingBits) & mask) }
    }

    /// Divides by ten again and again, nine digits at a time.
    private static func writeDecimal(
        _ bytes: UnsafeBufferPointer<UInt8>,
        into text: UnsafeMutableBufferPointer<UInt8>
    ) {
        let limbCount = (bytes.count + 3) / 4
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: limbCount) { limbs in
            limbs.initialize(repeating: 0)
            for (index, byte) in bytes.enumerated() {
                // The first limb has what the others leave over.
                let place = bytes.count - 1 - index
                limbs[limbCount - 1 - place / 4] |= UInt32(byte) << UInt32(place % 4 * 8)
            }
            var position = text.count
            while position > 0 {
                var rest: UInt64 = 0
                for index in 0..<limbCount {
                    let value = rest << 32 | UInt64(limbs[index])
                    limbs[index] = UInt32(truncatingIfNeeded: value / 1_000_000_000)
                    rest = value % 1_000_000_000
                }
                for _ in 0..<min(9, position) {
                    position -= 1
                    text[position] = Ascii.zero + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
            }
        }
    }

    @inline(__always)
    private static func hexDigit(_ value: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 10 ? 0x30 + value : 0x57 + value)
    }

    @inline(__always)
    private static func base32Digit(_ value: UInt32) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 26 ? 0x61 + value : 0x18 + value)
    }

    @inline(__always)
    private static func base64Digit(_ value: UInt32) -> UInt8 {
        switch value {
        case 0..<26: UInt8(truncatingIfNeeded: 0x41 + value)
        case 26..<52: UInt8(truncatingIfNeeded: 0x47 + value)
        case 52..<62: UInt8(truncatingIfNeeded: value - 4)
        case 62: Ascii.hyphen
        default: Ascii.underscore
        }
    }
}
