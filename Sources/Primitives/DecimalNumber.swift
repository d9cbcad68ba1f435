/// Numbers as ASCII digits, to and from bytes.
///
/// Every function takes any bytes and needs no locale, no C library and no Unicode tables.
public enum DecimalNumber {
    /// Reads digits alone, at least one, as a number of 64 bits; leading zeros are allowed.
    ///
    /// - Returns: nil when another byte stands there or the number does not fit.
    public static func unsigned(_ text: ArraySlice<UInt8>) -> UInt64? {
        guard !text.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard Ascii.isDigit(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte &- Ascii.zero))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// Reads digits behind an optional sign as a number of 64 bits.
    ///
    /// - Returns: nil when another byte stands there or the number does not fit.
    public static func signed(_ text: ArraySlice<UInt8>) -> Int64? {
        let isNegative = text.first == Ascii.hyphen
        let digits = isNegative || text.first == UInt8(ascii: "+") ? text.dropFirst() : text
        guard let magnitude = self.unsigned(digits) else { return nil }
        guard isNegative else { return Int64(exactly: magnitude) }
        return magnitude <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
    }

    /// Appends the digits of an unsigned number.
    public static func write(unsigned value: UInt64, into bytes: inout [UInt8]) {
        let start = bytes.count
        var rest = value
        repeat {
            bytes.append(Ascii.zero &+ UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// Appends the digits of a signed number, with `-` before them when it is negative.
    public static func write(signed value: Int64, into bytes: inout [UInt8]) {
        if value < 0 { bytes.append(Ascii.hyphen) }
        self.write(unsigned: value.magnitude, into: &bytes)
    }
}
