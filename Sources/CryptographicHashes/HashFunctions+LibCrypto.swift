internal import CLibCrypto
public import Primitives

extension HashFunctions {
    /// The functions of OpenSSL's libcrypto.
    public static let libCrypto = HashFunctions(
        sha256: { message in SHA256Digest { hash(message, nil, into: $0) } },
        hmacSHA256: { key, message in key.withBytes { hmac($0, message) } }
    )

    private static let blockSize = 64

    /// HMAC as RFC 2104, section 2 spells it, on the low-level functions: the one-shot call looks its algorithm up each
    /// time, which takes longer than the hashing.
    private static func hmac(
        _ key: UnsafeBufferPointer<UInt8>,
        _ message: UnsafeBufferPointer<UInt8>
    ) -> SHA256Digest {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: self.blockSize) { pad in
            defer { OPENSSL_cleanse(pad.baseAddress, pad.count) }
            pad.initialize(repeating: 0)
            if key.count > self.blockSize {
                hash(key, nil, into: pad)
            } else {
                for index in 0..<key.count { pad[index] = key[index] }
            }
            for index in 0..<self.blockSize { pad[index] ^= 0x36 }
            let inner = SHA256Digest { hash(UnsafeBufferPointer(pad), message, into: $0) }
            for index in 0..<self.blockSize { pad[index] ^= 0x36 ^ 0x5C }
            return SHA256Digest { digest in
                inner.withBytes { hash(UnsafeBufferPointer(pad), $0, into: digest) }
            }
        }
    }

    /// SHA-256 of two runs of bytes, one behind the other.
    private static func hash(
        _ first: UnsafeBufferPointer<UInt8>,
        _ second: UnsafeBufferPointer<UInt8>?,
        into digest: UnsafeMutableBufferPointer<UInt8>
    ) {
        var state = SHA256_CTX()
        defer { OPENSSL_cleanse(&state, MemoryLayout<SHA256_CTX>.size) }
        _ = SHA256_Init(&state)
        _ = SHA256_Update(&state, first.baseAddress, first.count)
        if let second { _ = SHA256_Update(&state, second.baseAddress, second.count) }
        _ = SHA256_Final(digest.baseAddress, &state)
    }
}
