internal import CLibCrypto
public import Primitives

extension RandomSource {
    /// The generator of OpenSSL's libcrypto; it gives nothing at all when the system gives it no entropy.
    public static let libCrypto = RandomSource { count in
        var bytes = [UInt8](repeating: 0, count: count)
        return RAND_bytes(&bytes, Int32(count)) == 1 ? bytes : []
    }
}
