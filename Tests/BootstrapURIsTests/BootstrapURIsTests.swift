import BootstrapURIs
import CoAPMessages
import CryptographicHashes
import Primitives
import Testing

@Suite struct ThinTests {
    @Test func derives() throws {
        let uris = try TemporaryURIs(profile: .standard, staticURI: CoAPURI(parsing: "coaps://bs.example.test:5694"))
        let secret = SecretBytes(Array(0..<16))
        let window = uris.profile.window(at: WallTime(secondsSinceEpoch: 1_700_000_000))
        let uri = try uris.uri(secret: secret, endpoint: "urn:dev:1", window: window, hashes: .libCrypto)
        #expect(uri.host.bytes.count == "bs.example.test".utf8.count + 16)
        #expect(window.stamp % 3600 == 0)
        #expect(try BootstrapURIProfile(fields: uris.profile.fields) == uris.profile)
    }
}
