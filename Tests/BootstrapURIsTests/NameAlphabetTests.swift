import BootstrapURIs
import Primitives
import TestSupport
import Testing

@Suite struct NameAlphabetTests {
    private static func text(_ alphabet: NameAlphabet, _ bytes: [UInt8]) -> String {
        String(decoding: alphabet.text(of: bytes), as: UTF8.self)
    }

    private static let published: [(text: String, base32: String, base64: String, hex: String)] = [
        ("", "", "", ""), ("f", "my", "Zg", "66"), ("fo", "mzxq", "Zm8", "666f"), ("foo", "mzxw6", "Zm9v", "666f6f"),
        ("foob", "mzxw6yq", "Zm9vYg", "666f6f62"), ("fooba", "mzxw6ytb", "Zm9vYmE", "666f6f6261"),
        ("foobar", "mzxw6ytboi", "Zm9vYmFy", "666f6f626172"),
    ]

    @Test("RFC 4648, section 10, in lower case and without padding", arguments: published)
    func writesTheVectorsOfTheRFC(_ text: String, base32: String, base64: String, hex: String) {
        let bytes = Array(text.utf8)
        #expect(Self.text(.base32, bytes) == base32)
        #expect(Self.text(.base64URL, bytes) == base64)
        #expect(Self.text(.hex, bytes) == hex)
    }

    @Test func base64IsTheURLSafeOne() {
        #expect(Self.text(.base64URL, [0xFB, 0xFF, 0xBF]) == "-_-_")
    }

    @Test func decimalsHaveTheDigitsOfTheGreatestNumber() {
        #expect(Self.text(.decimal, [0, 0, 0, 7]) == "0000000007")
        #expect(Self.text(.decimal, [0xFF, 0xFF, 0xFF, 0xFF]) == "4294967295")
        #expect(Self.text(.decimal, [UInt8](repeating: 0xFF, count: 8)) == "18446744073709551615")
        #expect(Self.text(.decimal, [UInt8](repeating: 0xFF, count: 15)) == "1329227995784915872903807060280344575")
        let greatest = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        #expect(Self.text(.decimal, [UInt8](repeating: 0xFF, count: 32)) == greatest)
        #expect(Self.text(.decimal, [UInt8](repeating: 0, count: 32)) == String(repeating: "0", count: 78))
    }

    @Test(arguments: NameAlphabet.allCases)
    func theLengthDoesNotDependOnTheBytes(_ alphabet: NameAlphabet) throws {
        try SeededRuns.each(200) { random in
            for suite in HashSuite.allCases {
                let bytes = (0..<suite.byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
                try #require(alphabet.text(of: bytes).count == alphabet.characterCount(ofBytes: suite.byteCount))
            }
        }
    }
}
