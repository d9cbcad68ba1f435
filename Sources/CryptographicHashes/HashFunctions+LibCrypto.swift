internal import CLibCrypto
public import Primitives

extension HashFunctions {
    /// The functions of OpenSSL's libcrypto.
    public static let libCrypto = HashFunctions(
        sha256: { message in
            var digest = [UInt8](repeating: 0, count: 32)
            _ = SHA256(message, message.count, &digest)
            return digest
        },
        hmacSHA256: { key, message in
            var digest = [UInt8](repeating: 0, count: 32)
            var length: UInt32 = 0
            _ = key.withBytes { key in
                HMAC(EVP_sha256(), key.baseAddress, Int32(key.count), message, message.count, &digest, &length)
            }
            return digest
        }
    )
}
