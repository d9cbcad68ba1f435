extension DecimalNumber {
    /// Reads a decimal number as the nearest double, ties to even: `-12.5`, `.5`, `3e-7`.
    ///
    /// The standard library's own parser calls into the C library, which Embedded Swift does not link.
    ///
    /// - Returns: nil when the text is no decimal number; an infinity when it is too large for a double.
    /// - Complexity: linear in the length of the text, with a constant of some microseconds for numbers of many digits.
    public static func double(_ text: ArraySlice<UInt8>) -> Double? {
        guard let parts = DecimalParts(text) else { return nil }
        let magnitude = parts.magnitude()
        return parts.isNegative ? -magnitude : magnitude
    }

    /// Appends the shortest digits that ``double(_:)`` reads back as the same number; `25.5`, `1e-07`.
    ///
    /// Infinities and NaN have no digits: `inf`, `-inf`, `nan`.
    public static func write(_ value: Double, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: value.description.utf8)
    }
}

/// A decimal number taken apart: its digits without leading zeros, and the power of ten behind the last one.
private struct DecimalParts {
    // 767 digits decide any double; one more stands for "something not zero follows".
    private static let maximumDigits = 768

    private(set) var isNegative = false
    private var digits: [UInt8] = []
    private var exponent = 0

    /// - Returns: nil when the text is no decimal number.
    init?(_ text: ArraySlice<UInt8>) {
        var rest = text
        if let sign = rest.first, sign == Ascii.hyphen || sign == UInt8(ascii: "+") {
            self.isNegative = sign == Ascii.hyphen
            rest = rest.dropFirst()
        }
        let whole = rest.prefix(while: Ascii.isDigit)
        rest = rest[whole.endIndex...]
        self.take(whole, isFraction: false)
        var fraction: ArraySlice<UInt8> = []
        if rest.first == Ascii.dot {
            fraction = rest.dropFirst().prefix(while: Ascii.isDigit)
            rest = rest[fraction.endIndex...]
            self.take(fraction, isFraction: true)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        guard let mark = rest.first else { return }
        guard Ascii.lowercased(mark) == UInt8(ascii: "e") else { return nil }
        rest = rest.dropFirst()
        let sign = rest.first
        if sign == Ascii.hyphen || sign == UInt8(ascii: "+") { rest = rest.dropFirst() }
        guard !rest.isEmpty, rest.allSatisfy(Ascii.isDigit) else { return nil }
        // Beyond a million either way the answer is zero or infinite, whatever the digits of a payload say.
        var shift = 0
        for digit in rest { shift = min(shift * 10 + Int(digit &- Ascii.zero), 100_000_000) }
        self.exponent += sign == Ascii.hyphen ? -shift : shift
    }

    private mutating func take(_ text: ArraySlice<UInt8>, isFraction: Bool) {
        for byte in text {
            let digit = byte &- Ascii.zero
            if self.digits.isEmpty, digit == 0 {
                if isFraction { self.exponent -= 1 }
            } else if self.digits.count < Self.maximumDigits {
                self.digits.append(digit)
                if isFraction { self.exponent -= 1 }
            } else {
                if digit != 0 { self.digits[Self.maximumDigits - 1] |= 1 }
                if !isFraction { self.exponent += 1 }
            }
        }
    }

    /// The nearest double without its sign.
    func magnitude() -> Double {
        guard !self.digits.isEmpty else { return 0 }
        // The value lies between 10^(scale - 1) and 10^scale.
        let scale = self.digits.count + self.exponent
        if scale > 310 { return .infinity }
        if scale < -330 { return 0 }
        if let exact = self.exactMagnitude() { return exact }
        return self.roundedMagnitude()
    }

    /// The value when one rounding gives it: a whole number below 2^53 times or by a power of ten that is exact.
    private func exactMagnitude() -> Double? {
        guard self.digits.count <= 15, (-22...22).contains(self.exponent) else { return nil }
        let whole = self.digits.reduce(0) { $0 * 10 + UInt64($1) }
        let power = powersOfTen[abs(self.exponent)]
        return self.exponent < 0 ? Double(whole) / power : Double(whole) * power
    }

    /// The value by whole-number division of any size: the quotient gets 64 or 65 bits, the remainder decides ties.
    private func roundedMagnitude() -> Double {
        var numerator = WholeNumber(digits: self.digits)
        var denominator = WholeNumber(1)
        if self.exponent >= 0 {
            numerator.multiply(byPowerOfTen: self.exponent)
        } else {
            denominator.multiply(byPowerOfTen: -self.exponent)
        }
        // numerator / denominator = quotient * 2^shift
        let shift = numerator.bitWidth - denominator.bitWidth - 64
        if shift < 0 { numerator.shiftLeft(-shift) } else { denominator.shiftLeft(shift) }
        var (quotient, hasRest) = numerator.divided(by: denominator)
        var power = shift
        if quotient.overflow {
            hasRest = hasRest || quotient.low & 1 == 1
            quotient = (quotient.low >> 1 | 1 << 63, false)
            power += 1
        }
        return rounded(quotient.low, power: power, hasRest: hasRest)
    }

    /// Rounds `significand * 2^power`, to which less than one may be missing, to a double.
    private func rounded(_ significand: UInt64, power: Int, hasRest: Bool) -> Double {
        // A double keeps 53 bits, fewer below 2^-1022, where the last bit stands for 2^-1074.
        let topBit = power + 63 - significand.leadingZeroBitCount
        let lastBit = max(topBit - 52, -1074)
        let dropped = lastBit - power
        guard dropped > 0 else { return scaled(Double(significand), by: power) }
        guard dropped <= 64 else { return 0 }
        let kept = dropped == 64 ? 0 : significand >> UInt64(dropped)
        let half = UInt64(1) << UInt64(dropped - 1)
        let tail = dropped == 64 ? significand : significand & ((1 << UInt64(dropped)) - 1)
        let roundsUp = tail > half || (tail == half && (hasRest || kept & 1 == 1))
        return scaled(Double(roundsUp ? kept + 1 : kept), by: lastBit)
    }

    /// Multiplies by a power of two in two steps, so that neither leaves the range early; exact or infinite.
    private func scaled(_ value: Double, by power: Int) -> Double {
        let first = power / 2
        return value * Double(sign: .plus, exponent: first, significand: 1)
            * Double(sign: .plus, exponent: power - first, significand: 1)
    }
}

private let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]

/// An unsigned number of any size, of which a decimal of 768 digits needs some 3,600 bits.
private struct WholeNumber {
    // Least significant first, without zeros at the end.
    private var limbs: [UInt32]

    init(_ value: UInt32) {
        self.limbs = value == 0 ? [] : [value]
    }

    init(digits: [UInt8]) {
        self.limbs = []
        self.limbs.reserveCapacity(digits.count / 9 + 2)
        for digit in digits { self.multiplyAdd(10, UInt32(digit)) }
    }

    var bitWidth: Int {
        guard let top = self.limbs.last else { return 0 }
        return self.limbs.count * 32 - top.leadingZeroBitCount
    }

    private mutating func multiplyAdd(_ factor: UInt32, _ summand: UInt32) {
        var carry = UInt64(summand)
        for index in self.limbs.indices {
            let product = UInt64(self.limbs[index]) * UInt64(factor) + carry
            self.limbs[index] = UInt32(truncatingIfNeeded: product)
            carry = product >> 32
        }
        if carry > 0 { self.limbs.append(UInt32(truncatingIfNeeded: carry)) }
    }

    mutating func multiply(byPowerOfTen power: Int) {
        for _ in 0..<(power / 9) { self.multiplyAdd(1_000_000_000, 0) }
        for _ in 0..<(power % 9) { self.multiplyAdd(10, 0) }
    }

    mutating func shiftLeft(_ bits: Int) {
        guard bits > 0, !self.limbs.isEmpty else { return }
        let inner = UInt32(bits % 32)
        if inner > 0 {
            var carry: UInt32 = 0
            for index in self.limbs.indices {
                let limb = self.limbs[index]
                self.limbs[index] = limb << inner | carry
                carry = limb >> (32 - inner)
            }
            if carry > 0 { self.limbs.append(carry) }
        }
        self.limbs.insert(contentsOf: repeatElement(0, count: bits / 32), at: 0)
    }

    /// Divides by a number whose width is 64 bits less: the quotient has 64 or 65 bits.
    func divided(by divisor: WholeNumber) -> (quotient: (low: UInt64, overflow: Bool), hasRest: Bool) {
        var rest = WholeNumber(0)
        rest.limbs.reserveCapacity(divisor.limbs.count + 1)
        var low: UInt64 = 0
        var overflow = false
        // Binary long division; the bits above the divisor's width are the rest to begin with.
        let steps = 65
        let width = self.bitWidth
        rest = self.prefix(width - steps)
        for step in stride(from: steps - 1, through: 0, by: -1) {
            _ = step
            overflow = low >> 63 == 1
            low <<= 1
            rest.double(addingBit: self.bit(step))
            if !rest.isLess(than: divisor) {
                rest.subtract(divisor)
                low |= 1
            }
        }
        return ((low, overflow), !rest.limbs.isEmpty)
    }

    private func bit(_ index: Int) -> UInt32 {
        index / 32 < self.limbs.count ? self.limbs[index / 32] >> UInt32(index % 32) & 1 : 0
    }

    /// The highest bits, so many.
    private func prefix(_ bits: Int) -> WholeNumber {
        var result = WholeNumber(0)
        guard bits > 0 else { return result }
        let dropped = self.bitWidth - bits
        let inner = UInt32(dropped % 32)
        for index in (dropped / 32)..<self.limbs.count {
            var limb = self.limbs[index] >> inner
            if inner > 0, index + 1 < self.limbs.count { limb |= self.limbs[index + 1] << (32 - inner) }
            result.limbs.append(limb)
        }
        while result.limbs.last == 0 { result.limbs.removeLast() }
        return result
    }

    private mutating func double(addingBit bit: UInt32) {
        var carry = bit
        for index in self.limbs.indices {
            let limb = self.limbs[index]
            self.limbs[index] = limb << 1 | carry
            carry = limb >> 31
        }
        if carry > 0 { self.limbs.append(carry) }
    }

    private func isLess(than other: WholeNumber) -> Bool {
        if self.limbs.count != other.limbs.count { return self.limbs.count < other.limbs.count }
        for index in self.limbs.indices.reversed() where self.limbs[index] != other.limbs[index] {
            return self.limbs[index] < other.limbs[index]
        }
        return false
    }

    /// Subtracts a number that is not larger.
    private mutating func subtract(_ other: WholeNumber) {
        var borrow: Int64 = 0
        for index in self.limbs.indices {
            let taken = index < other.limbs.count ? Int64(other.limbs[index]) : 0
            var difference = Int64(self.limbs[index]) - taken - borrow
            borrow = difference < 0 ? 1 : 0
            if difference < 0 { difference += 1 << 32 }
            self.limbs[index] = UInt32(truncatingIfNeeded: difference)
        }
        while self.limbs.last == 0 { self.limbs.removeLast() }
    }
}
