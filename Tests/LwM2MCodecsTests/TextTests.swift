import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import Testing

@Suite("Core 1.2.2 appendix C: values as text and as bytes") struct TextTests {
    private static let values: [(ObjectPath, String, ResourceValue)] = [
        ("/40000/0/0", "", .string("")),
        ("/40000/0/0", "0012 ü", .string("0012 ü")),
        ("/40000/0/1", "-9223372036854775808", .integer(.min)),
        ("/40000/0/2", "18446744073709551615", .unsignedInteger(.max)),
        ("/40000/0/3", "25.5", .float(25.5)),
        ("/40000/0/3", "-123.125", .float(-123.125)),
        ("/40000/0/3", "1e-07", .float(1e-7)),
        ("/40000/0/4", "0", .boolean(false)),
        ("/40000/0/4", "1", .boolean(true)),
        ("/40000/0/5", "AP8+Pw==", .opaque([0, 255, 62, 63])),
        ("/40000/0/5", "", .opaque([])),
        ("/40000/0/6", "1367491215", .time(WallTime(secondsSinceEpoch: 1_367_491_215))),
        ("/40000/0/7", "65535:65535", .objectLink(object: 65_535, instance: 65_535)),
        ("/40000/0/8", "</3/0>", .string("</3/0>")),
        ("/40000/0/401/3", "7", .integer(7)),
        ("/9/0/0", "12", .string("12")),
    ]

    @Test(arguments: values)
    func readsAndWritesText(_ path: ObjectPath, text: String, value: ResourceValue) throws {
        #expect(try decode(Array(text.utf8), .text, at: path) == [record(path, value)])
        #expect(try Payload.encode([record(path, value)], as: .text, at: path) == Array(text.utf8))
    }

    private static let others: [(ObjectPath, String, ResourceValue)] = [
        ("/40000/0/1", "+007", .integer(7)),
        ("/40000/0/3", "3", .float(3)),
        ("/40000/0/3", ".5", .float(0.5)),
        ("/40000/0/3", "1.5E+3", .float(1500)),
        ("/40000/0/5", "AP8+Pw", .opaque([0, 255, 62, 63])),
    ]

    @Test(arguments: others)
    func readsWhatItDoesNotWrite(_ path: ObjectPath, text: String, value: ResourceValue) throws {
        #expect(try decode(Array(text.utf8), .text, at: path) == [record(path, value)])
    }

    private static let refused: [(ObjectPath, String)] = [
        ("/40000/0/1", ""), ("/40000/0/1", "-"), ("/40000/0/1", "1.0"), ("/40000/0/1", " 1"),
        ("/40000/0/1", "9223372036854775808"), ("/40000/0/1", "-9223372036854775809"), ("/40000/0/2", "-1"),
        ("/40000/0/2", "18446744073709551616"), ("/40000/0/3", "."), ("/40000/0/3", "1e"), ("/40000/0/3", "nan"),
        ("/40000/0/3", "1e400"), ("/40000/0/3", "0x10"), ("/40000/0/4", "true"), ("/40000/0/4", "2"),
        ("/40000/0/5", "A"), ("/40000/0/5", "AP8_Pw=="), ("/40000/0/5", "AP8+Px=="), ("/40000/0/5", "AP8+Pw==="),
        ("/40000/0/5", "===="), ("/40000/0/7", "3"), ("/40000/0/7", "3:"), ("/40000/0/7", "3:65536"),
        ("/40000/0/7", "3:0:0"),
    ]

    @Test(arguments: refused)
    func refusesTextThatIsNoValueOfTheType(_ path: ObjectPath, text: String) {
        #expect(throws: PayloadDecodingError.typeMismatch(path)) { try decode(Array(text.utf8), .text, at: path) }
    }

    @Test func refusesTextThatIsNotUTF8() {
        #expect(throws: PayloadDecodingError.malformed(at: 0)) { try decode([0xFF], .text, at: "/9/0/0") }
        #expect(throws: PayloadDecodingError.typeMismatch("/40000/0/0")) { try decode([0xC0], .text, at: "/40000/0/0") }
    }

    @Test func aResourceThatOnlyExecutesHasNoValue() {
        for format in [ContentFormat.text, .opaque, .cbor] {
            #expect(throws: PayloadDecodingError.typeMismatch("/3/0/4")) { try decode([0x31], format, at: "/3/0/4") }
        }
    }

    @Test func numbersThatAreNoneHaveNoText() {
        for format in [ContentFormat.text, .senMLJSON] {
            for number in [Double.nan, .infinity, -.infinity] {
                #expect(throws: PayloadEncodingError.unsupportedValue("/40000/0/3")) {
                    try Payload.encode([record("/40000/0/3", .float(number))], as: format, at: "/40000/0/3")
                }
            }
        }
    }

    @Test func bytesAreTheirOwnPayload() throws {
        let value = record("/40000/0/5", .opaque([1, 0, 255]))
        #expect(try Payload.encode([value], as: .opaque, at: "/40000/0/5") == [1, 0, 255])
        #expect(try decode([1, 0, 255], .opaque, at: "/40000/0/5") == [value])
        #expect(try decode([], .opaque, at: "/9/0/0") == [record("/9/0/0", .opaque([]))])
        #expect(throws: PayloadDecodingError.typeMismatch("/40000/0/1")) { try decode([1], .opaque, at: "/40000/0/1") }
        #expect(throws: PayloadEncodingError.unsupportedValue("/40000/0/1")) {
            try Payload.encode([record("/40000/0/1", .integer(1))], as: .opaque, at: "/40000/0/1")
        }
    }

    @Test func formatsOfOneValueTakeOneAtThePathItself() {
        for format in [ContentFormat.text, .opaque, .cbor] {
            let first = record("/40000/0/405/0", .opaque([]))
            #expect(throws: PayloadEncodingError.needsOneValue(count: 0)) {
                try Payload.encode([], as: format, at: "/40000/0/5")
            }
            #expect(throws: PayloadEncodingError.needsOneValue(count: 2)) {
                try Payload.encode([first, record("/40000/0/405/1", .opaque([]))], as: format, at: "/40000/0/405")
            }
            #expect(throws: PayloadEncodingError.invalidPath("/40000/0/405/0")) {
                try Payload.encode([first], as: format, at: "/40000/0/405")
            }
            #expect(throws: PayloadDecodingError.needsSingleResource("/40000/0")) {
                try decode([], format, at: "/40000/0")
            }
        }
    }

    @Test func everyFormatRefusesRecordsOutsideTheBase() {
        for format in [ContentFormat.text, .opaque, .cbor, .tlv, .senMLJSON, .senMLCBOR] {
            #expect(Payload.supports(format))
            #expect(throws: PayloadEncodingError.invalidPath("/4/0/0")) {
                try Payload.encode([record("/4/0/0", .opaque([]))], as: format, at: "/3")
            }
        }
    }

    @Test func otherFormatsAreRefusedByName() {
        for number in [UInt16(40), 50, 11_543, 65_535] {
            let format = ContentFormat(rawValue: number)
            #expect(!Payload.supports(format))
            #expect(throws: PayloadEncodingError.unsupportedFormat(format)) {
                try Payload.encode([], as: format, at: "/3/0")
            }
            #expect(throws: PayloadDecodingError.unsupportedFormat(format)) { try decode([], format, at: "/3/0") }
        }
    }
}
