import CryptographicHashes
import Primitives
import TestSupport
import Testing

@Suite struct CryptographicHashesTests {
    private static let hashed: [(message: String, digest: String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]

    @Test("FIPS 180-2, appendix B", arguments: hashed)
    func hashesTheMessagesOfTheStandard(_ message: String, digest: String) {
        #expect(HashFunctions.libCrypto.sha256(of: Array(message.utf8)).bytes == hex(digest))
    }

    private static let authenticated: [(key: [UInt8], message: [UInt8], code: String)] = [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(1...25), [UInt8](repeating: 0xCD, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131),
            Array(
                """
                This is a test using a larger than block-size key and a larger than block-size data. The key needs to \
                be hashed before being used by the HMAC algorithm.
                """.utf8
            ),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test("RFC 4231, section 4, test cases 1 to 4, 6 and 7", arguments: authenticated)
    func authenticatesTheMessagesOfTheRFC(_ key: [UInt8], message: [UInt8], code: String) {
        #expect(HashFunctions.libCrypto.hmacSHA256(of: message, key: SecretBytes(key)).bytes == hex(code))
    }

    @Test("A key of 64 bytes is used as it is, one of 65 is hashed first", arguments: [0, 1, 63, 64, 65, 128])
    func keysAroundABlock(_ count: Int) {
        let key = [UInt8](repeating: 0x42, count: count)
        let hashes = HashFunctions.libCrypto
        let padded = count > 64 ? hashes.sha256(of: key).bytes : key
        let block = padded + [UInt8](repeating: 0, count: 64 - padded.count)
        let inner = hashes.sha256(of: block.map { $0 ^ 0x36 } + [1, 2, 3]).bytes
        let outer = hashes.sha256(of: block.map { $0 ^ 0x5C } + inner)
        #expect(hashes.hmacSHA256(of: [1, 2, 3], key: SecretBytes(key)) == outer)
    }

    @Test func digestsCompareByTheirBytes() {
        let hashes = HashFunctions.libCrypto
        #expect(hashes.sha256(of: [1]) == hashes.sha256(of: [1]))
        #expect(Set([hashes.sha256(of: [1]), hashes.sha256(of: [1]), hashes.sha256(of: [2])]).count == 2)
    }
}
