import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite("RFC 6690: object lists and answers to Discover") struct LinkFormatTests {
    private static let lists: [(String, ObjectList)] = [
        ("", ObjectList(entries: [])),
        ("</1/0>,</3/0>", ObjectList(entries: [.init("/1/0"), .init("/3/0")])),
        (
            "</>;rt=\"oma.lwm2m\";ct=110,</1/0>,</3303>;ver=1.1,</3303/0>",
            ObjectList(
                entries: [.init("/1/0"), .init("/3303", version: ObjectVersion(1, 1)), .init("/3303/0")],
                contentFormats: [.senMLJSON]
            )
        ),
        (
            "</>;rt=\"oma.lwm2m\";ct=\"60 110 112\",</3/0>",
            ObjectList(entries: [.init("/3/0")], contentFormats: [.cbor, .senMLJSON, .senMLCBOR])
        ),
        (
            "</lwm2m/x>;rt=\"oma.lwm2m\",</lwm2m/x/3/0>",
            ObjectList(entries: [.init("/3/0")], alternatePath: ["lwm2m", "x"])
        ),
    ]

    @Test(arguments: lists)
    func readsAndWritesObjectLists(_ text: String, list: ObjectList) throws {
        #expect(String(decoding: list.encoded(), as: UTF8.self) == text)
        #expect(try ObjectList(decoding: Array(text.utf8)) == list)
    }

    private static let tolerated: [(String, ObjectList)] = [
        ("</1/0>, </3/0> ;x , </4>", ObjectList(entries: [.init("/1/0"), .init("/3/0"), .init("/4")])),
        ("</3/0>,</>;rt=oma.lwm2m;ct=11542", ObjectList(entries: [.init("/3/0")], contentFormats: [.tlv])),
        ("</>;ct=110;rt=\"other oma.lwm2m\"", ObjectList(entries: [], contentFormats: [.senMLJSON])),
        (
            "</1>;ver=\"1.2\";foo=\"a,b;c>\",</2>",
            ObjectList(entries: [
                .init("/1", version: ObjectVersion(1, 2)), .init("/2"),
            ])
        ),
        (
            "</lwm2m/3/0>,</other>,</lwm2m>;rt=\"oma.lwm2m\"",
            ObjectList(entries: [.init("/3/0")], alternatePath: ["lwm2m"])
        ),
    ]

    @Test(arguments: tolerated)
    func readsWhatItDoesNotWrite(_ text: String, list: ObjectList) throws {
        #expect(try ObjectList(decoding: Array(text.utf8)) == list)
    }

    private static let refused: [(String, LinkFormat.ParseError)] = [
        ("1/0", .malformed(at: 0)), ("<1/0", .malformed(at: 1)), ("</1/0>;", .malformed(at: 7)),
        ("</1/0>;=1", .malformed(at: 7)), ("</1/0>;ver=", .malformed(at: 11)), ("</1/0>;a=\"b", .malformed(at: 9)),
        ("</1/0></3/0>", .malformed(at: 6)), ("</1/0>,", .malformed(at: 7)), (",</1/0>", .malformed(at: 0)),
        ("</1/0>,,</3/0>", .malformed(at: 7)), ("</1/0/1>", .invalidPath(at: 0)), ("</x>", .invalidPath(at: 0)),
        ("<>", .invalidPath(at: 0)), ("</65535>", .invalidPath(at: 0)), ("</3/0>,</01/0>", .invalidPath(at: 7)),
        ("</1>;ver=1", .invalidAttribute(at: 0)), ("</1>;ver=1.x", .invalidAttribute(at: 0)),
        ("</1>;ver", .invalidAttribute(at: 0)), ("</1>;ver=256.0", .invalidAttribute(at: 0)),
        ("</>;rt=\"oma.lwm2m\";ct=65536", .invalidAttribute(at: 0)), ("</>;ct=text", .invalidAttribute(at: 0)),
    ]

    @Test(arguments: refused)
    func refusesListsThatAreNone(_ text: String, error: LinkFormat.ParseError) {
        #expect(throws: error) { try ObjectList(decoding: Array(text.utf8)) }
    }

    private static func line(
        _ path: ObjectPath,
        _ queries: [UTF8Text] = [],
        _ change: (inout DiscoveredPath) -> Void = { _ in }
    ) -> DiscoveredPath {
        var line = DiscoveredPath(path)
        try? line.attributes.apply(queries: queries)
        change(&line)
        return line
    }

    private static let answers: [(String, [DiscoveredPath])] = [
        ("", []),
        (
            "</3303/0>;pmin=10,</3303/0/5700>;dim=3;pmin=10;pmax=60;gt=25.5;lt=-1.0;st=0.5,</3303/0/5701>",
            [
                line("/3303/0", ["pmin=10"]),
                line("/3303/0/5700", ["pmin=10", "pmax=60", "gt=25.5", "lt=-1", "st=0.5"]) { $0.dimension = 3 },
                line("/3303/0/5701"),
            ]
        ),
        (
            "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101;uri=\"coaps://h\",</3>;ver=1.2",
            [
                line(.root) { $0.enablerVersion = ObjectVersion(1, 1) }, line("/0/0"),
                line("/0/1") {
                    $0.shortServerID = 101
                    $0.serverURI = "coaps://h"
                },
                line("/3") { $0.version = ObjectVersion(1, 2) },
            ]
        ),
    ]

    @Test(arguments: answers)
    func readsAndWritesAnswersToDiscover(_ text: String, lines: [DiscoveredPath]) throws {
        #expect(String(decoding: DiscoverAnswer.encode(lines), as: UTF8.self) == text)
        #expect(try DiscoverAnswer.decode(Array(text.utf8)) == lines)
    }

    @Test func passesOverAttributesOfLaterVersions() throws {
        let text = Array("</3/0/9>;epmin=1;con=1;edge=0;pmax=5;hqmax=3".utf8)
        #expect(try DiscoverAnswer.decode(text) == [Self.line("/3/0/9", ["pmax=5"])])
    }

    private static let refusedAnswers: [(String, LinkFormat.ParseError)] = [
        ("</x>", .invalidPath(at: 0)), ("</3/0/9>;pmin=x", .invalidAttribute(at: 0)),
        ("</3/0/9>;gt=inf", .invalidAttribute(at: 0)), ("</3/0/6>;dim=-1", .invalidAttribute(at: 0)),
        ("</3>,</0/1>;ssid=65536", .invalidAttribute(at: 5)), ("</>;lwm2m=one", .invalidAttribute(at: 0)),
    ]

    @Test(arguments: refusedAnswers)
    func refusesAnswersThatAreNone(_ text: String, error: LinkFormat.ParseError) {
        #expect(throws: error) { try DiscoverAnswer.decode(Array(text.utf8)) }
    }

    @Test func boundsLinksAndAttributes() throws {
        let links = Array(String(repeating: "</1>,", count: LinkFormat.maximumLinks).utf8.dropLast())
        #expect(try ObjectList(decoding: links).entries.count == LinkFormat.maximumLinks)
        #expect(throws: LinkFormat.ParseError.tooMany) { try ObjectList(decoding: links + Array(",</1>".utf8)) }
        #expect(throws: LinkFormat.ParseError.tooMany) { try DiscoverAnswer.decode(links + Array(",</1>".utf8)) }
        let attributes = "</1>" + String(repeating: ";a", count: LinkFormat.maximumAttributes)
        #expect(try ObjectList(decoding: Array(attributes.utf8)).entries.count == 1)
        #expect(throws: LinkFormat.ParseError.tooMany) { try ObjectList(decoding: Array((attributes + ";a").utf8)) }
    }

    @Test func damagedTextIsReadOrRefused() throws {
        for (text, _) in Self.lists + Self.tolerated {
            for damaged in Damage.truncations(Array(text.utf8)) + Damage.bitFlips(Array(text.utf8)) {
                _ = try? ObjectList(decoding: damaged)
                _ = try? DiscoverAnswer.decode(damaged)
            }
        }
        try SeededRuns.each(500) { generator in
            let alphabet = Array("<>/;,=\"013 \u{0}ctrverlwm2".utf8) + [0xFF]
            let bytes = (0..<40).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
            _ = try? ObjectList(decoding: bytes)
            _ = try? DiscoverAnswer.decode(bytes)
        }
    }
}
