internal import CLibCrypto
public import Primitives

/// One rule that gives every device of a fleet a key of its own, so that a server needs to know a single secret.
public enum PreSharedKeyDerivation {
    /// How many bytes a derived key has.
    public static let keyLength = 16

    /// Derives the key of an identity: the first 16 bytes of HMAC-SHA-256 of the identity under the secret.
    ///
    /// - Parameters:
    ///   - secret: any number of bytes; 32 are enough.
    ///   - identity: the DTLS PSK identity, byte by byte as on the wire.
    /// - Returns: 16 bytes; none, which no transport takes for a key, when libcrypto has no memory left.
    /// - Source: RFC 2104; FIPS 198-1.
    public static func key(secret: SecretBytes, identity: [UInt8]) -> SecretBytes {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        defer { OPENSSL_cleanse(&digest, digest.count) }
        var length: UInt32 = 0
        let isDone = secret.withBytes { key in
            HMAC(EVP_sha256(), key.baseAddress, Int32(key.count), identity, identity.count, &digest, &length) != nil
        }
        guard isDone, length >= UInt32(Self.keyLength) else { return SecretBytes([]) }
        return SecretBytes(Array(digest.prefix(Self.keyLength)))
    }
}
