import CoAPMessages
import Primitives
import Testing

@Suite struct CoAPURITests {
    private static let accepted: [(String, CoAPURI, String)] = [
        ("coap://example.net", CoAPURI(scheme: .coap, host: "example.net"), "coap://example.net"),
        ("coaps://example.net/", CoAPURI(scheme: .coaps, host: "example.net", port: 5684), "coaps://example.net"),
        ("COAPS://Example.NET:5684", CoAPURI(scheme: .coaps, host: "example.net"), "coaps://example.net"),
        ("coap://h:", CoAPURI(scheme: .coap, host: "h"), "coap://h"),
        ("coap://127.0.0.1:1", CoAPURI(scheme: .coap, host: "127.0.0.1", port: 1), "coap://127.0.0.1:1"),
        ("coaps://[::1]:65535", CoAPURI(scheme: .coaps, host: "::1", port: 65_535), "coaps://[::1]:65535"),
        (
            "coap://[FE80::AB:1.2.3.4]/rd", CoAPURI(scheme: .coap, host: "fe80::ab:1.2.3.4", path: ["rd"]),
            "coap://[fe80::ab:1.2.3.4]/rd"
        ),
        (
            "coap://h/a//b/?x&y=/?",
            CoAPURI(scheme: .coap, host: "h", path: ["a", "", "b", ""], query: ["x", "y=/?"]), "coap://h/a//b/?x&y=/?"
        ),
        (
            "coap://h/%7Ea%2fb&c?d%26e=%C3%BC",
            CoAPURI(scheme: .coap, host: "h", path: ["~a/b&c"], query: ["d&e=ü"]), "coap://h/~a%2Fb&c?d%26e=%C3%BC"
        ),
        ("coap://h?q", CoAPURI(scheme: .coap, host: "h", query: ["q"]), "coap://h?q"),
    ]

    @Test(arguments: accepted)
    func readsAndWrites(_ text: String, uri: CoAPURI, canonical: String) throws {
        #expect(try CoAPURI(parsing: UTF8Text(text)) == uri)
        #expect(uri.text == canonical)
        #expect(try CoAPURI(parsing: UTF8Text(canonical)) == uri)
    }

    private static let refused: [(String, CoAPURI.ParseError)] = [
        ("", .unsupportedScheme),
        ("http://h", .unsupportedScheme),
        ("coap:/h", .unsupportedScheme),
        ("coap+tcp://h", .unsupportedScheme),
        ("coap://", .invalidHost),
        ("coap://:5683", .invalidHost),
        ("coap:///path", .invalidHost),
        ("coap://a b", .invalidHost),
        ("coap://a%20b", .invalidHost),
        ("coap://ümlaut", .invalidHost),
        ("coap://[::1", .invalidHost),
        ("coap://[]", .invalidHost),
        ("coap://[1:2:3]", .invalidHost),
        ("coap://[1:2:3:4:5:6:7:8:9]", .invalidHost),
        ("coap://[1::2::3]", .invalidHost),
        ("coap://[:1:2:3:4:5:6:7]", .invalidHost),
        ("coap://[1:2:3:4:5:6:7:]", .invalidHost),
        ("coap://[::12345]", .invalidHost),
        ("coap://[::1.2.3]", .invalidHost),
        ("coap://[::1.2.3.256]", .invalidHost),
        ("coap://[::1.2.3.4:5]", .invalidHost),
        ("coap://[fe80::1%25eth0]", .invalidHost),
        ("coap://[::1]5683", .invalidPort),
        ("coap://h:0", .invalidPort),
        ("coap://h:65536", .invalidPort),
        ("coap://h:99999999999999999999999", .invalidPort),
        ("coap://h:+1", .invalidPort),
        ("coap://h:1:2", .invalidPort),
        ("coap://h/a b", .invalidCharacter(at: 10)),
        ("coap://h/%4", .invalidCharacter(at: 9)),
        ("coap://h/%zz", .invalidCharacter(at: 9)),
        ("coap://h/%ff", .invalidCharacter(at: 9)),
        ("coap://h?a\"b", .invalidCharacter(at: 10)),
        ("coap://h/a#b", .unexpectedPart),
        ("coap://h#b", .unexpectedPart),
        ("coap://user@h", .unexpectedPart),
        ("coap://h/" + String(repeating: "a", count: 247), .tooLong),
    ]

    @Test(arguments: refused)
    func refuses(_ text: String, error: CoAPURI.ParseError) {
        #expect(throws: error) { try CoAPURI(parsing: UTF8Text(text)) }
    }

    @Test func takesAsManyBytesAsASecurityObjectHolds() throws {
        let text = "coap://h/" + String(repeating: "a", count: 246)
        #expect(text.utf8.count == 255)
        #expect(try CoAPURI(parsing: UTF8Text(text)).path.first?.bytes.count == 246)
    }
}
