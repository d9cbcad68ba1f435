import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite("RFC 8428: SenML packs") struct SenMLTests {
    private static let device = record("/3/0/0", .string("ACME"))

    private static let packs: [(ObjectPath, [ResourceRecord], String, String)] = [
        ("/3/0/0", [device], #"[{"bn":"/3/0/0","vs":"ACME"}]"#, "81 a2 21 66 2f332f302f30 03 64 41434d45"),
        ("/3/0", [device], #"[{"bn":"/3/0/","n":"0","vs":"ACME"}]"#, "81 a3 21 65 2f332f302f 00 61 30 03 64 41434d45"),
        (.root, [device], #"[{"n":"/3/0/0","vs":"ACME"}]"#, "81 a2 00 66 2f332f302f30 03 64 41434d45"),
        (
            "/3/0/7", [record("/3/0/7/0", .integer(3800)), record("/3/0/7/1", .integer(-1))],
            #"[{"bn":"/3/0/7/","n":"0","v":3800},{"n":"1","v":-1}]"#,
            "82 a3 21 67 2f332f302f372f 00 61 30 02 190ed8 a2 00 61 31 02 20"
        ),
        (
            "/40000/0",
            [
                record("/40000/0/3", .float(25.5)), record("/40000/0/4", .boolean(true)),
                record("/40000/0/5", .opaque([0xFB, 0xEF, 0xBF, 0x01])),
                record("/40000/0/7", .objectLink(object: 3, instance: 0)),
            ],
            #"[{"bn":"/40000/0/","n":"3","v":25.5},{"n":"4","vb":true},{"n":"5","vd":"---_AQ"},{"n":"7","vlo":"3:0"}]"#,
            """
            84 a3 21 69 2f34303030302f302f 00 61 33 02 f94e60 a2 00 61 34 04 f5 a2 00 61 35 08 44 fbefbf01
            a2 00 61 37 63 766c6f 63 333a30
            """
        ),
        ("/3/0", [], "[]", "80"),
    ]

    @Test(arguments: packs)
    func readsAndWrites(_ base: ObjectPath, records: [ResourceRecord], json: String, cbor: String) throws {
        #expect(String(decoding: try Payload.encode(records, as: .senMLJSON, at: base), as: UTF8.self) == json)
        #expect(try Payload.encode(records, as: .senMLCBOR, at: base) == hex(cbor))
        #expect(try decode(Array(json.utf8), .senMLJSON, at: base) == records)
        #expect(try decode(hex(cbor), .senMLCBOR, at: base) == records)
    }

    private static let readable: [(String, [ResourceRecord])] = [
        (#" [ { "vs" : "ACME" , "n" : "/3/0/0" } ] "#, [device]),
        (
            #"[{"bn":"/3/","n":"0/0","vs":"ACME"},{"bn":"/1/0","n":"/1","v":60}]"#,
            [device, record("/1/0/1", .integer(60))]
        ),
        (#"[{"bn":"/3/0/0"  ,"bt":268500000.5,"t":-5,"u":"x","bver":10,"vs":"ACME"}]"#, [device]),
        (#"[{"n":"/3/0/0","vs":"\u0041\u0043\u004d\u0045","future":[{"a":[null,true,-1e5,"]"]}]}]"#, [device]),
        (
            #"[{"n":"/3/0/0","vs":"\ud83d\ude00\b\f\n\r\t\/\"\\\u00fc\u20ac"}]"#,
            [
                record("/3/0/0", .string("😀\u{8}\u{c}\n\r\t/\"\\ü€"))
            ]
        ),
        (#"[{"n":"/3/0/13","v":1.638435E9}]"#, [record("/3/0/13", .time(WallTime(secondsSinceEpoch: 1_638_435_000)))]),
        (#"[{"n":"/3/0/9","v":20.0}]"#, [record("/3/0/9", .integer(20))]),
        (#"[{"n":"/3303/0/5700","v":20}]"#, [record("/3303/0/5700", .float(20))]),
        (#"[{"n":"/1/0/1","v":9223372036854775800}]"#, [record("/1/0/1", .integer(9_223_372_036_854_775_800))]),
        (#"[{"n":"/0/0/16/0","v":18446744073709551615}]"#, [record("/0/0/16/0", .unsignedInteger(.max))]),
        (
            #"[{"bn":"/9/0/","bv":10,"n":"1","v":5},{"n":"2","v":0.5}]"#,
            [
                record("/9/0/1", .integer(15)), record("/9/0/2", .float(10.5)),
            ]
        ),
        (
            #"[{"n":"/40000/0/7","vlo":"FFFF:FFFF"}]"#,
            [record("/40000/0/7", .objectLink(object: 65_535, instance: 65_535))]
        ),
        (#"[{"n":"/40000/0/5","vd":"AP8-Pw=="}]"#, [record("/40000/0/5", .opaque([0, 255, 62, 63]))]),
    ]

    @Test(arguments: readable)
    func readsPacksOfOtherShapes(_ json: String, records: [ResourceRecord]) throws {
        #expect(try decode(Array(json.utf8), .senMLJSON, at: .root) == records)
    }

    private static let malformedJSON: [String] = [
        "{}", "[1]", "[{]", "[,]", "[{\"n\":\"/3/0/0\",\"vs\":\"a\"},]", "[{\"n\":\"/3/0/0\",\"vs\":\"a\",}]",
        "[{\"n\":\"/3/0/0\",\"vs\":\"a\"}] x", "[{\"n\":\"/3/0/0\",\"vs\":\"a\"}],", "[{n:1}]",
        #"[{"n":"/3/0/0"}]"#, #"[{"n":"/3/0/0","n":"/3/0/1","vs":"a"}]"#, #"[{"n":"/3/0/0","vs":"a","v":1}]"#,
        #"[{"n":"/3/0/0","vs":1}]"#, #"[{"n":1,"vs":"a"}]"#, #"[{"n":"/3/0/0","vs":null}]"#,
        #"[{"n":"/3/0/0","vs":"a","bver":11}]"#, #"[{"n":"/3/0/0","vs":"a","must_":1}]"#,
        #"[{"n":"/3/0/9","v":"1"}]"#, #"[{"n":"/3/0/9","v":01}]"#, #"[{"n":"/3/0/9","v":+1}]"#,
        #"[{"n":"/3/0/9","v":1.}]"#, #"[{"n":"/3/0/9","v":.5}]"#, #"[{"n":"/3/0/9","v":1e}]"#,
        #"[{"n":"/3/0/9","v":--1}]"#, #"[{"n":"/3/0/9","v":1e400}]"#, #"[{"n":"/3/0/9","v":NaN}]"#,
        #"[{"n":"/3/0/9","v":tru}]"#, #"[{"n":"/3/0/0","vs":"\x"}]"#, #"[{"n":"/3/0/0","vs":"\u12g4"}]"#,
        #"[{"n":"/3/0/0","vs":"\ud800"}]"#, #"[{"n":"/3/0/0","vs":"\udc00\ud800"}]"#,
        #"[{"n":"/3/0/0","vs":"\ud800\ud800"}]"#, "[{\"n\":\"/3/0/0\",\"vs\":\"\u{1}\"}]",
        #"[{"n":"/40000/0/5","vd":"A+8"}]"#, #"[{"n":"/40000/0/5","vd":"A"}]"#, #"[{"n":"/40000/0/7","vlo":"3"}]"#,
    ]

    @Test(arguments: malformedJSON)
    func refusesMalformedJSON(_ json: String) {
        #expect {
            try decode(Array(json.utf8), .senMLJSON, at: .root)
        } throws: { error in
            if case .malformed = error as? PayloadDecodingError { true } else { false }
        }
    }

    @Test func refusesTextThatIsNotUTF8() {
        let json = Array(#"[{"n":"/3/0/0","vs":""#.utf8) + [0xFF] + Array(#""}]"#.utf8)
        #expect(throws: PayloadDecodingError.malformed(at: 20)) { try decode(json, .senMLJSON, at: .root) }
    }

    private static let misnamed: [(String, PayloadDecodingError)] = [
        (#"[{"n":"3/0/0","vs":"a"}]"#, .invalidPath(at: 1)),
        (#"[{"n":"/3/0","vs":"a"}]"#, .invalidPath(at: 1)),
        (#"[{"n":"/","vs":"a"}]"#, .invalidPath(at: 1)),
        (#"[{"vs":"a"}]"#, .invalidPath(at: 1)),
        ("[{}]", .invalidPath(at: 1)),
        (#"[{"n":"/3/0/0/0/0","vs":"a"}]"#, .invalidPath(at: 1)),
        (#"[{"n":"/3/0/65535","vs":"a"}]"#, .invalidPath(at: 1)),
        (#"[{"bn":"/3/0","n":"0","vs":"a"}]"#, .invalidPath(at: 1)),
        (#"[{"n":"/1/0/1","v":1}]"#, .pathOutsideBase("/1/0/1")),
        (#"[{"n":"/3/0/0","v":1}]"#, .typeMismatch("/3/0/0")),
        (#"[{"n":"/3/0/9","v":1.5}]"#, .typeMismatch("/3/0/9")),
        (#"[{"n":"/3/0/4","vs":""}]"#, .typeMismatch("/3/0/4")),
    ]

    @Test(arguments: misnamed)
    func refusesRecordsThatDoNotFitTheRequest(_ json: String, error: PayloadDecodingError) {
        #expect(throws: error) { try decode(Array(json.utf8), .senMLJSON, at: "/3") }
    }

    private static let readableCBOR: [String] = [
        "9f bf 00 66 2f332f302f30 03 64 41434d45 ff ff",
        "81 a3 21 65 2f332f302f 00 61 30 03 7f 62 4143 62 4d45 ff",
        "81 a4 00 66 2f332f302f30 03 64 41434d45 63 666f6f 82 01 a1 02 03 22 1a 10000000",
        "81 a2 00 66 2f332f302f30 03 d9 d9f7 64 41434d45",
        "81 a3 20 0a 00 66 2f332f302f30 03 64 41434d45",
    ]

    @Test(arguments: readableCBOR)
    func readsCBOROfOtherShapes(_ bytes: String) throws {
        #expect(try decode(hex(bytes), .senMLCBOR, at: "/3") == [Self.device])
    }

    private static let malformedCBOR: [String] = [
        "a0", "01", "8101", "80 00", "81 a2 00 66 2f332f302f30 03 01", "81 a1 00 66 2f332f302f30",
        "81 a3 00 66 2f332f302f30 03 61 41 03 61 41", "81 a3 00 66 2f332f302f30 03 61 41 02 01",
        "81 a3 20 0b 00 66 2f332f302f30 03 61 41", "81 a3 62 785f 01 00 66 2f332f302f30 03 61 41",
        "81 a2 00 66 2f332f302f30 40 61 41", "81 a2 00 46 2f332f302f30 03 61 41",
        "81 a2 00 66 2f332f302f30 63 766c6f 01", "81 a2 00 66 2f332f302f30 19 03e8 63 333a30",
    ]

    @Test(arguments: malformedCBOR)
    func refusesMalformedCBOR(_ bytes: String) {
        #expect {
            try decode(hex(bytes), .senMLCBOR, at: .root)
        } throws: { error in
            if case .malformed = error as? PayloadDecodingError { true } else { false }
        }
    }

    @Test func aValueAtTheBaseStandsAlone() {
        let records = [record("/3/0/7", .integer(1)), record("/3/0/7/1", .integer(2))]
        for format in [ContentFormat.senMLJSON, .senMLCBOR] {
            #expect(throws: PayloadEncodingError.needsOneValue(count: 2)) {
                try Payload.encode(records, as: format, at: "/3/0/7")
            }
        }
    }
}
