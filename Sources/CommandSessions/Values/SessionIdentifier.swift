public import Primitives

/// A DSID or a GSID: random bytes that one side makes for one session and the other side gives back.
///
/// It proves to its maker that who sends it holds the state of the session, so it is kept and compared like a key:
/// zeroed at its end, compared in constant time, without a description.
public struct SessionIdentifier: Sendable, Equatable {
    /// How many bytes an identifier may have; at least 128 bits.
    public static let lengths = 16...32

    private let secret: SecretBytes

    /// Creates an identifier from bytes that came from a peer or a store.
    ///
    /// - Returns: nil unless there are 16 to 32 bytes.
    public init?(bytes: [UInt8]) {
        guard Self.lengths.contains(bytes.count) else { return nil }
        self.secret = SecretBytes(bytes)
    }

    /// Makes a new identifier of 128 bits.
    ///
    /// - Returns: nil when the source gave something else than it was asked for.
    public init?(from source: inout RandomSource) {
        let bytes = source.next(Self.lengths.lowerBound)
        guard bytes.count == Self.lengths.lowerBound else { return nil }
        self.secret = SecretBytes(bytes)
    }

    /// Copies the bytes out, for a message or a store.
    public func copyBytes() -> [UInt8] { self.secret.copyBytes() }

    /// The identifier as hexadecimal text; what ``init(text:)`` reads.
    public var text: UTF8Text {
        var digits: [UInt8] = []
        for byte in self.secret.copyBytes() {
            digits.append(Ascii.hexadecimalDigit(byte >> 4))
            digits.append(Ascii.hexadecimalDigit(byte & 0x0F))
        }
        return UTF8Text(validating: digits) ?? ""
    }

    /// Reads hexadecimal text of 32 to 64 digits; nil for anything else.
    public init?(text: UTF8Text) {
        guard text.bytes.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for (index, digit) in text.bytes.enumerated() {
            guard let value = Ascii.hexadecimalValue(digit) else { return nil }
            if index.isMultiple(of: 2) { bytes.append(value << 4) } else { bytes[bytes.count - 1] |= value }
        }
        self.init(bytes: bytes)
    }
}

#if !hasFeature(Embedded)
    extension SessionIdentifier: CustomStringConvertible, CustomReflectable {
        /// How long the identifier is; never its bytes.
        public var description: String { "session identifier of \(self.secret.count) bytes" }

        /// An empty mirror, so that dumping an enclosing value shows nothing.
        public var customMirror: Mirror { Mirror(self, children: []) }
    }
#endif
