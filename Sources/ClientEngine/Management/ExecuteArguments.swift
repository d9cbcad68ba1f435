/// The arguments of Execute: digits, each at most once, each with a quoted value or none.
///
///     arguments = argument *( "," argument )
///     argument  = DIGIT [ "=" "'" *character "'" ]
///
/// - Source: LwM2M Core 1.2.2, clause 6.3.5.
enum ExecuteArguments {
    /// Whether bytes are arguments; none at all are.
    static func isWellFormed(_ bytes: [UInt8]) -> Bool {
        if bytes.isEmpty { return true }
        var seen: UInt16 = 0
        var index = 0
        while true {
            guard index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) else {
                return false
            }
            let bit: UInt16 = 1 << UInt16(bytes[index] - UInt8(ascii: "0"))
            guard seen & bit == 0 else { return false }
            seen |= bit
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: "=") {
                index += 1
                guard let end = self.endOfValue(bytes, from: index) else { return false }
                index = end
            }
            if index == bytes.count { return true }
            guard bytes[index] == UInt8(ascii: ",") else { return false }
            index += 1
        }
    }

    private static func endOfValue(_ bytes: [UInt8], from start: Int) -> Int? {
        guard start < bytes.count, bytes[start] == UInt8(ascii: "'") else { return nil }
        var index = start + 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "'"): return index + 1
            // Printable characters but the quotes and the backslash; no blanks (the clause's ABNF).
            case 0x21, 0x23...0x26, 0x28...0x5B, 0x5D...0x7E: index += 1
            default: return nil
            }
        }
        return nil
    }
}
