import BootstrapURIs
import CoAPMessages
import CryptographicHashes
import Primitives
import TestSupport
import Testing

@Suite struct TemporaryURIsTests {
    private static let secret = SecretBytes(Array(0..<16))
    private static let window = TimeWindow(stamp: 1_699_999_200)

    private static func uris(_ fields: UTF8Text, _ uri: UTF8Text = "coap://bs.myserver.com") throws -> TemporaryURIs {
        try TemporaryURIs(profile: BootstrapURIProfile(parsing: fields), staticURI: CoAPURI(parsing: uri))
    }

    private static func uri(
        _ fields: UTF8Text,
        _ uri: UTF8Text = "coap://bs.myserver.com",
        endpoint: UTF8Text = "dev-1"
    ) throws -> String {
        try self.uris(fields, uri)
            .uri(secret: self.secret, endpoint: endpoint, window: self.window, hashes: .libCrypto).text
    }

    @Test("Three digits at the end of the first label, as in coap://bs486.myserver.com")
    func theExampleOfTheIdea() throws {
        let text = try Self.uri("alphabet=decimal,selection=last:3,short-names=yes")
        #expect(text.hasPrefix("coap://bs"))
        #expect(text.hasSuffix(".myserver.com"))
        #expect(text.utf8.count == "coap://bs486.myserver.com".utf8.count)
        #expect(text.dropFirst(9).prefix(3).allSatisfy { $0.isNumber })
    }

    private static let refused: [(fields: UTF8Text, uri: UTF8Text, error: ProfileError)] = [
        ("", "coap://127.0.0.1", .hostIsAddress), ("", "coap://[::1]", .hostIsAddress),
        ("insertion=own-label", "coap://10.0.0.1", .hostIsAddress),
        ("", "coap://b_s.myserver.com", .invalidHost), ("", "coap://-bs.myserver.com", .invalidHost),
        ("", "coap://bs-.myserver.com", .invalidHost), ("", "coap://bs..com", .invalidHost),
        ("", "coap://bs.myserver.com.", .invalidHost), ("insertion=path", "coap://bs_.com", .invalidHost),
        // With one more label before it, this would read as an IPv4 address.
        ("insertion=own-label,alphabet=decimal", "coap://2.3.4", .invalidHost), ("", "coap://7", .invalidHost),
        ("insertion=label-offset:3", "coap://bs.myserver.com", .offsetBehindLabel),
        ("", "coap://abcdefghijklmnopqrstuvwxyz0123456789abcdefghijkl.com", .labelTooLong(64)),
        ("selection=all,part=before:endpoint:first:12,insertion=own-label", "coap://bs.com", .labelTooLong(64)),
        ("selection=all,part=before:endpoint:first:10", "coap://bs.com", .labelTooLong(64)),
    ]

    @Test("What makes no host is a typed error when profile and URI meet", arguments: refused)
    func refusesAtOnce(_ fields: UTF8Text, uri: UTF8Text, error: ProfileError) {
        #expect(throws: error) { try Self.uris(fields, uri) }
        #expect(!error.description.isEmpty)
    }

    @Test("RFC 1035, section 2.3.4: a label of 63 and a host of 253 characters") func theLongestHostsAreAccepted()
        throws
    {
        let label = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijk"
        #expect(label.utf8.count + 16 == 63)
        _ = try Self.uris("", UTF8Text("coap://\(label).com"))
        #expect(throws: ProfileError.labelTooLong(64)) { try Self.uris("", UTF8Text("coap://\(label)l.com")) }

        // 253 characters with the name's 16, but CoAP's own bound on a URI is reached first.
        let long = String(repeating: "a", count: 60)
        let host = "bs.\(long).\(long).\(long).\(String(repeating: "b", count: 51))"
        #expect(throws: ProfileError.uriTooLong(260)) { try Self.uris("", UTF8Text("coap://\(host)")) }
        #expect(throws: ProfileError.hostTooLong(254)) { try Self.uris("", UTF8Text("coap://\(host)b")) }
    }

    @Test("A Security object holds a URI of 255 bytes") func aURIHasABound() throws {
        let path = String(repeating: "p", count: 255 - "coap://bs.com/".utf8.count - 17)
        let longest = try Self.uri("insertion=path", UTF8Text("coap://bs.com/\(path)"))
        #expect(longest.utf8.count == 255)
        #expect(throws: ProfileError.uriTooLong(256)) {
            try Self.uris("insertion=path", UTF8Text("coap://bs.com/\(path)p"))
        }
    }

    @Test func pathAndQueryStandBehindAnAddressToo() throws {
        #expect(try Self.uri("insertion=path", "coap://127.0.0.1/a").hasPrefix("coap://127.0.0.1/a/"))
        #expect(try Self.uri("insertion=query:n", "coap://[::1]/a?b=c").hasPrefix("coap://[::1]/a?b=c&n="))
    }

    @Test("A name made from a weak secret would be an oracle for it") func aWeakSecretIsRefused() throws {
        let uris = try Self.uris("")
        for count in [0, 1, 15] {
            let secret = SecretBytes([UInt8](repeating: 7, count: count))
            #expect(throws: DerivationError.weakSecret(count)) {
                try uris.uri(secret: secret, endpoint: "a", window: Self.window, hashes: .libCrypto)
            }
            #expect(throws: DerivationError.weakSecret(count)) {
                try uris.host(secret: secret, endpoint: "a", window: Self.window, hashes: .libCrypto)
            }
            #expect(throws: DerivationError.weakSecret(count)) {
                try uris.derivation(secret: secret, endpoint: "a", window: Self.window, hashes: .libCrypto)
            }
        }
        let test = try Self.uris("test=yes")
        _ = try test.uri(secret: SecretBytes([7]), endpoint: "a", window: Self.window, hashes: .libCrypto)
        #expect(throws: DerivationError.weakSecret(0)) {
            try test.uri(secret: SecretBytes([]), endpoint: "a", window: Self.window, hashes: .libCrypto)
        }
    }

    @Test func anEndpointNameHasABound() throws {
        let uris = try Self.uris("")
        let longest = String(repeating: "e", count: TemporaryURIs.largestEndpoint)
        _ = try uris.uri(secret: Self.secret, endpoint: UTF8Text(longest), window: Self.window, hashes: .libCrypto)
        #expect(throws: DerivationError.endpointTooLong(longest.utf8.count + 1)) {
            try uris.uri(
                secret: Self.secret,
                endpoint: UTF8Text(longest + "e"),
                window: Self.window,
                hashes: .libCrypto
            )
        }
    }

    @Test("No two sets of parameters share the message of an HMAC") func messagesAreUnambiguous() throws {
        var messages: [[UInt8]: String] = [:]
        let endpoints: [UTF8Text] = ["", "d", "dev", "dev1", "dev10", "1", "t", "e", "dev1t", "devt\0\u{1}0"]
        let profiles: [UTF8Text] = [
            "", "parameters=endpoint", "parameters=time", "parameters=time+endpoint", "parameters=none",
            "parameters=endpoint+time+random,counter=1", "parameters=endpoint+time+random,counter=2",
            "parameters=random+endpoint+time,counter=1", "time-form=binary",
        ]
        for fields in profiles {
            let uris = try Self.uris(fields)
            for endpoint in endpoints {
                for stamp in [Int64(0), 1, 10, 100, 110, -1] {
                    let steps = try uris.derivation(
                        secret: Self.secret,
                        endpoint: endpoint,
                        window: TimeWindow(stamp: stamp),
                        hashes: .libCrypto
                    )
                    let message = try #require(steps.message)
                    let used = steps.parameters.map { "\($0.parameter) \($0.bytes)" }.joined(separator: "; ")
                    #expect(messages.updateValue(used, forKey: message) ?? used == used)
                }
            }
        }
    }

    @Test func secretEndpointAndWindowEachChangeTheName() throws {
        let uris = try Self.uris("")
        func host(_ secret: SecretBytes, _ endpoint: UTF8Text, _ stamp: Int64) throws -> UTF8Text {
            try uris.host(secret: secret, endpoint: endpoint, window: TimeWindow(stamp: stamp), hashes: .libCrypto)
        }
        let name = try host(Self.secret, "dev-1", 3600)
        #expect(try host(Self.secret, "dev-1", 3600) == name)
        #expect(try host(SecretBytes(Array(1...16)), "dev-1", 3600) != name)
        #expect(try host(Self.secret, "dev-2", 3600) != name)
        #expect(try host(Self.secret, "dev-1", 7200) != name)
    }

    @Test("No step shows the secret") func theStepsHoldNoSecret() throws {
        let secret = SecretBytes(Array("sesame opens the door".utf8))
        for combination in ["hmac", "concatenation", "secret-into-parameters:3", "parameters-into-secret:4"] {
            let steps = try Self.uris(UTF8Text("combination=\(combination)"))
                .derivation(secret: secret, endpoint: "dev-1", window: Self.window, hashes: .libCrypto)
            var shown = ""
            dump(steps, to: &shown)
            #expect(!shown.contains("sesame"))
            #expect(steps.message?.starts(with: Array("sesame".utf8)) != true)
            let isKeyed = combination == "hmac"
            #expect((steps.message != nil) == isKeyed)
            #expect(steps.inputByteCount == (isKeyed ? steps.message?.count : secret.count + 5 + 10))
        }
    }

    @Test("Every profile that fits a static URI gives valid URIs, whatever the device") func everyURIIsValid() throws {
        let bases: [UTF8Text] = [
            "coaps://bs.example.test", "coap://b", "coaps://bootstrap-server.example.test:5694/base?x=y",
            "coap://127.0.0.1", "coap://[2001:db8::1]:5700",
        ]
        var count = 0
        try SeededRuns.each(400) { random in
            let profile = try #require(RandomProfile.make(&random))
            let base = try CoAPURI(parsing: bases[Int.random(in: 0..<bases.count, using: &random)])
            guard let uris = try? TemporaryURIs(profile: profile, staticURI: base) else { return }
            count += 1
            for _ in 0..<5 {
                let time = WallTime(secondsSinceEpoch: .random(in: -10_000_000_000...10_000_000_000, using: &random))
                let uri = try uris.uri(
                    secret: RandomProfile.secret(&random),
                    endpoint: RandomProfile.endpoint(&random),
                    window: profile.window(at: time),
                    hashes: .libCrypto
                )
                try #require(try CoAPURI(parsing: UTF8Text(uri.text)) == uri)
                try #require(uri.scheme == base.scheme && uri.port == base.port)
                try Self.requireValidHost(uri.host, changed: profile.insertion.isInHost)
            }
        }
        #expect(count > 100)
    }

    private static func requireValidHost(_ host: UTF8Text, changed: Bool) throws {
        guard changed else { return }
        try #require(host.bytes.count <= 253)
        for label in host.bytes.split(separator: Ascii.dot, omittingEmptySubsequences: false) {
            try #require((1...63).contains(label.count))
            try #require(label.first != Ascii.hyphen && label.last != Ascii.hyphen)
            try #require(label.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789-".utf8.contains($0) })
        }
    }
}
