/// The hash functions that derivations need; an edge supplies them, so that engines stay pure.
///
/// `HashFunctions.libCrypto` of CryptographicHashes is the one in use.
public struct HashFunctions: Sendable {
    /// SHA-256 of a message, which the function must not keep.
    ///
    /// - Source: FIPS 180-4.
    public let sha256: @Sendable (_ message: UnsafeBufferPointer<UInt8>) -> SHA256Digest
    /// HMAC-SHA-256 of a message under a key; the function must not keep the message.
    ///
    /// - Source: RFC 2104; FIPS 198-1.
    public let hmacSHA256: @Sendable (_ key: SecretBytes, _ message: UnsafeBufferPointer<UInt8>) -> SHA256Digest

    /// Creates a set of functions.
    public init(
        sha256: @escaping @Sendable (_ message: UnsafeBufferPointer<UInt8>) -> SHA256Digest,
        hmacSHA256: @escaping @Sendable (_ key: SecretBytes, _ message: UnsafeBufferPointer<UInt8>) -> SHA256Digest
    ) {
        self.sha256 = sha256
        self.hmacSHA256 = hmacSHA256
    }

    /// SHA-256 of an array.
    public func sha256(of message: [UInt8]) -> SHA256Digest {
        message.withUnsafeBufferPointer { self.sha256($0) }
    }

    /// HMAC-SHA-256 of an array under a key.
    public func hmacSHA256(of message: [UInt8], key: SecretBytes) -> SHA256Digest {
        message.withUnsafeBufferPointer { self.hmacSHA256(key, $0) }
    }
}
