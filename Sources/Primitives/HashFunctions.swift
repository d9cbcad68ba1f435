/// The hash functions that derivations need; an edge supplies them, so that engines stay pure.
///
/// `HashFunctions.libCrypto` of CryptographicHashes is the one in use.
public struct HashFunctions: Sendable {
    /// SHA-256 of a message: 32 bytes.
    ///
    /// - Source: FIPS 180-4.
    public let sha256: @Sendable (_ message: [UInt8]) -> [UInt8]
    /// HMAC-SHA-256 of a message under a key: 32 bytes.
    ///
    /// - Source: RFC 2104; FIPS 198-1.
    public let hmacSHA256: @Sendable (_ key: SecretBytes, _ message: [UInt8]) -> [UInt8]

    /// Creates a set of functions.
    public init(
        sha256: @escaping @Sendable (_ message: [UInt8]) -> [UInt8],
        hmacSHA256: @escaping @Sendable (_ key: SecretBytes, _ message: [UInt8]) -> [UInt8]
    ) {
        self.sha256 = sha256
        self.hmacSHA256 = hmacSHA256
    }
}
