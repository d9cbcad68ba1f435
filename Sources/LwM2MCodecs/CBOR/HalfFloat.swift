/// Numbers of 16 bits, as CBOR writes them; by hand, because not every target of Embedded Swift has the type.
///
/// - Source: IEEE 754-2019, binary16; RFC 8949, appendix D.
enum HalfFloat {
    static func decode(_ bits: UInt16) -> Double {
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Double(bits & 0x3FF)
        let magnitude: Double
        switch exponent {
        case 0: magnitude = fraction * 0x1p-24
        case 31: magnitude = fraction == 0 ? .infinity : .nan
        default: magnitude = Double(sign: .plus, exponent: exponent - 25, significand: fraction + 1024)
        }
        return bits & 0x8000 == 0 ? magnitude : -magnitude
    }

    /// The bits of a number that 16 bits hold exactly; nil for any other.
    static func encode(_ number: Double) -> UInt16? {
        let sign: UInt16 = number.sign == .minus ? 0x8000 : 0
        if number.isNaN { return 0x7E00 }
        if number.isInfinite { return sign | 0x7C00 }
        let magnitude = number.magnitude
        guard magnitude > 0 else { return sign }
        guard magnitude <= 65_504 else { return nil }
        if magnitude < 0x1p-14 {
            let fraction = magnitude * 0x1p24
            return fraction == fraction.rounded(.down) ? sign | UInt16(fraction) : nil
        }
        let exponent = Int(magnitude.exponent)
        let fraction = (magnitude.significand - 1) * 1024
        guard fraction == fraction.rounded(.down) else { return nil }
        return sign | UInt16(exponent + 15) << 10 | UInt16(fraction)
    }
}
