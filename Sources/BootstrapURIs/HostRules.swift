import Primitives

/// What a host name may look like.
///
/// - Source: RFC 1123, section 2.1; RFC 1035, section 2.3.4; RFC 3986, section 3.2.2.
enum HostRules {
    static let largestLabel = 63
    static let largestHost = 253

    /// Whether every label has 1 to 63 of a-z 0-9 - and no hyphen at an end, the last is no number, and the whole fits.
    ///
    /// A last label of digits makes the host look like an IPv4 address.
    static func isName(_ host: [UInt8]) -> Bool {
        guard host.count <= self.largestHost else { return false }
        let labels = host.split(separator: Ascii.dot, omittingEmptySubsequences: false)
        guard let last = labels.last, !last.allSatisfy(Ascii.isDigit) else { return false }
        return labels.allSatisfy(self.isLabel)
    }

    private static func isLabel(_ label: ArraySlice<UInt8>) -> Bool {
        (1...self.largestLabel).contains(label.count) && label.first != Ascii.hyphen && label.last != Ascii.hyphen
            && label.allSatisfy {
                Ascii.isDigit($0) || (Ascii.isLetter($0) && Ascii.lowercased($0) == $0) || $0 == Ascii.hyphen
            }
    }

    /// Whether a host is written as an IPv4 or IPv6 address.
    static func isAddress(_ host: [UInt8]) -> Bool {
        if host.contains(Ascii.colon) { return true }
        let parts = host.split(separator: Ascii.dot, omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.count) && part.allSatisfy(Ascii.isDigit)
                    && part.reduce(0) { $0 * 10 + Int($1 - Ascii.zero) } <= 255
            }
    }

    /// Whether a byte needs no escape anywhere in a URI.
    ///
    /// - Source: RFC 3986, section 2.3.
    static func isUnreserved(_ byte: UInt8) -> Bool {
        Ascii.isLetter(byte) || Ascii.isDigit(byte) || byte == Ascii.hyphen || byte == Ascii.dot
            || byte == Ascii.underscore || byte == UInt8(ascii: "~")
    }
}
