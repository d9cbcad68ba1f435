/// The token that ties answers and notifications to a request: 0 to 8 bytes, kept in place.
///
/// - Source: RFC 7252, section 5.3.1.
public struct CoAPToken: Hashable, Sendable {
    private let packed: UInt64
    /// How many bytes the token has, 0 to 8.
    public let count: Int

    /// Creates a token from its bytes.
    ///
    /// - Returns: nil when there are more than 8.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count <= 8 else { return nil }
        var packed: UInt64 = 0
        for byte in bytes { packed = packed << 8 | UInt64(byte) }
        self.packed = packed
        self.count = bytes.count
    }

    /// The token of no bytes.
    public static let empty = CoAPToken()

    private init() {
        self.packed = 0
        self.count = 0
    }

    /// The bytes of the token.
    public var bytes: [UInt8] {
        (0..<self.count).map { UInt8(truncatingIfNeeded: self.packed >> UInt64(8 * (self.count - 1 - $0))) }
    }
}
