import KeyDerivation
import Primitives
import Testing

@Suite struct PreSharedKeyDerivationTests {
    @Test("RFC 4231, section 4.3: test case 2, truncated to 128 bits")
    func derivesPublishedVector() {
        let key = PreSharedKeyDerivation.key(
            secret: SecretBytes(Array("Jefe".utf8)),
            identity: Array("what do ya want for nothing?".utf8)
        )
        #expect(Hexadecimal.encode(key.copyBytes()) == "5bdcc146bf60754e6a042426089575c7")
    }

    @Test func givesEveryIdentityAKeyOfItsOwn() {
        let secret = SecretBytes(Array(0..<32))
        let first = PreSharedKeyDerivation.key(secret: secret, identity: Array("urn:dev:starling:1".utf8))
        let second = PreSharedKeyDerivation.key(secret: secret, identity: Array("urn:dev:starling:2".utf8))
        #expect(first.count == 16)
        #expect(first != second)
        #expect(first == PreSharedKeyDerivation.key(secret: secret, identity: Array("urn:dev:starling:1".utf8)))
    }

    @Test func takesEmptySecretAndIdentity() {
        #expect(PreSharedKeyDerivation.key(secret: SecretBytes([]), identity: []).count == 16)
    }
}
