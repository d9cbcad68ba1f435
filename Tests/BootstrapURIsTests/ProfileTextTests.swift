import BootstrapURIs
import Primitives
import TestSupport
import Testing

@Suite struct ProfileTextTests {
    @Test func theStandardProfileReadsSo() {
        let text: UTF8Text = """
            parameters=endpoint+time,combination=hmac,suite=hmac-sha-256,alphabet=base32,selection=first:16,\
            insertion=label-end,part=none,period=3600,rounding=closest,time-form=decimal,clock-skew=60,fallback=no,\
            regenerate=no,short-names=no,test=no
            """
        #expect(BootstrapURIProfile.standard.text == text)
    }

    @Test func readsLinesRemarksAndSpaces() throws {
        let profile = try BootstrapURIProfile(
            parsing: """
                # How our devices find their server.
                period = 1800 ,rounding=floor   # twice an hour

                \tfallback=true,,
                """
        )
        #expect(profile.period == 1800)
        #expect(profile.rounding == .floor)
        #expect(profile.fallsBackToStaticURI)
    }

    @Test func aFieldMayComeInAnyOrder() throws {
        let fields = try BootstrapURIProfile(parsing: "parameters=time+random,counter=9").fields
        #expect(fields.map(\.name.string).contains("counter"))
        let reversed = try BootstrapURIProfile(fields: fields.reversed())
        #expect(reversed.fields == fields)
    }

    private static let refused: [(text: UTF8Text, error: ProfileError)] = [
        ("hour=1", .unknownField("hour")), ("=", .unknownField("")), ("period", .malformedEntry(at: 0)),
        ("period=60,rounding", .malformedEntry(at: 1)), ("period=60,period=60", .repeated(.period)),
        ("period=", .invalid(.period)), ("period=-1", .invalid(.period)), ("period=1 0", .invalid(.period)),
        ("period=99999999999999999999", .invalid(.period)), ("period=18446744073709551615", .invalid(.period)),
        ("parameters=", .invalid(.parameters)), ("parameters=endpoint+", .invalid(.parameters)),
        ("parameters=none+time", .invalid(.parameters)), ("parameters=Endpoint", .invalid(.parameters)),
        ("combination=", .invalid(.combination)), ("combination=hmac:1", .invalid(.combination)),
        ("combination=secret-into-parameters", .invalid(.combination)),
        ("combination=concatenation:1:2", .invalid(.combination)),
        ("suite=sha-1", .invalid(.suite)), ("suite=SHA-256", .invalid(.suite)),
        ("alphabet=base64", .invalid(.alphabet)),
        ("selection=first", .invalid(.selection)), ("selection=first:", .invalid(.selection)),
        ("selection=first:1000", .invalid(.selection)), ("selection=first:+1", .invalid(.selection)),
        ("selection=all:1", .invalid(.selection)), ("selection=positions:", .invalid(.selection)),
        ("selection=positions:1++2", .invalid(.selection)),
        ("insertion=label", .invalid(.insertion)), ("insertion=path:1", .invalid(.insertion)),
        ("insertion=label-offset:x", .invalid(.insertion)), ("part=after:endpoint:4", .invalid(.part)),
        ("part=beside:endpoint:first:4", .invalid(.part)), ("part=after:endpoint:middle:4", .invalid(.part)),
        ("rounding=up", .invalid(.rounding)), ("time-form=octal", .invalid(.timeForm)),
        ("counter=-1", .invalid(.counter)), ("fallback=maybe", .invalid(.fallback)), ("test=1", .invalid(.test)),
    ]

    @Test("A field that nobody can mean is a typed error", arguments: refused)
    func refuses(_ text: UTF8Text, error: ProfileError) {
        #expect(throws: error) { try BootstrapURIProfile(parsing: text) }
    }

    @Test func aTextHasABound() throws {
        let longest = UTF8Text(String(repeating: "#", count: BootstrapURIProfile.largestText))
        #expect(try BootstrapURIProfile(parsing: longest) == .standard)
        #expect(throws: ProfileError.tooLong) { try BootstrapURIProfile(parsing: UTF8Text(longest.string + "#")) }
        let value = UTF8Text(String(repeating: "1+", count: 200))
        #expect(throws: ProfileError.invalid(.selection)) {
            try BootstrapURIProfile(fields: [BootstrapURIProfile.Field("selection", value)])
        }
    }

    @Test("An unknown name is repeated by its first 32 bytes alone") func errorsAreBounded() {
        let name = UTF8Text(String(repeating: "x", count: 1000))
        #expect(throws: ProfileError.unknownField(UTF8Text(String(repeating: "x", count: 32)))) {
            try BootstrapURIProfile(fields: [BootstrapURIProfile.Field(name, "")])
        }
    }

    @Test func whatIsPrintedIsReadAgain() throws {
        try SeededRuns.each(200) { random in
            let profile = try #require(RandomProfile.make(&random))
            try #require(try BootstrapURIProfile(fields: profile.fields) == profile)
            try #require(try BootstrapURIProfile(parsing: profile.text) == profile)
        }
    }

    @Test("No damage traps the reader, and what is read is valid") func hostileTextNeverTraps() throws {
        try SeededRuns.each(3) { random in
            let profile = try #require(RandomProfile.make(&random))
            let damaged = Damage.truncations(profile.text.bytes) + Damage.bitFlips(profile.text.bytes)
            for bytes in damaged {
                guard let text = UTF8Text(validating: bytes),
                    let read = try? BootstrapURIProfile(parsing: text)
                else { continue }
                try #require(try BootstrapURIProfile(parsing: read.text) == read)
            }
        }
    }

    @Test func noiseNeverTraps() throws {
        let words: [UTF8Text] = [
            "=", ",", ":", "+", "\n", "#", " ", "period", "selection", "positions", "first", "255", "0", "none", "part",
            "insertion", "query", "é", "-", "9999999999999999999999",
        ]
        try SeededRuns.each(1000) { random in
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...30, using: &random) {
                bytes += words[Int.random(in: 0..<words.count, using: &random)].bytes
            }
            _ = try? BootstrapURIProfile(parsing: try #require(UTF8Text(validating: bytes)))
        }
    }
}
