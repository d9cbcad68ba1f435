internal import BalancerEngine
internal import Primitives

/// An epoch as the text of its TXT record: `WRITER NUMBER`.
enum EpochText {
    /// The text; nil when the writer is empty, longer than 63 bytes, or has other bytes than letters, digits, hyphens.
    static func bytes(of epoch: RegistryEpoch) -> [UInt8]? {
        guard self.isWriter(epoch.writer.bytes[...]) else { return nil }
        return epoch.writer.bytes + [0x20] + Array(String(epoch.number).utf8)
    }

    /// Reads the text; nil when it is not of this form.
    static func parse(_ bytes: [UInt8]) -> RegistryEpoch? {
        guard let space = bytes.firstIndex(of: 0x20), self.isWriter(bytes[..<space]),
            let writer = UTF8Text(validating: Array(bytes[..<space])),
            let number = self.number(bytes[(space + 1)...])
        else { return nil }
        return RegistryEpoch(writer: writer, number: number)
    }

    private static func isWriter(_ bytes: ArraySlice<UInt8>) -> Bool {
        (1...63).contains(bytes.count)
            && bytes.allSatisfy { Ascii.isLetter($0) || Ascii.isDigit($0) || $0 == Ascii.hyphen }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard (1...20).contains(digits.count), digits.count == 1 || digits.first != Ascii.zero else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard Ascii.isDigit(digit) else { return nil }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = product.addingReportingOverflow(UInt64(digit - Ascii.zero))
            guard !isTooLarge, !isStillTooLarge else { return nil }
            value = sum
        }
        return value
    }
}
