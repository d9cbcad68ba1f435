import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite("Core 1.2.2 clause 7.5.5: TLV") struct TLVTests {
    private static let headers: [(String, ObjectPath, [ResourceRecord])] = [
        ("e1 0100 05", "/40000/0", [record("/40000/0/256", .opaque([5]))]),
        ("c8 05 08 0102030405060708", "/40000/0", [record("/40000/0/5", .opaque([1, 2, 3, 4, 5, 6, 7, 8]))]),
        ("c0 00", "/40000/0", [record("/40000/0/0", .string(""))]),
        ("c8 01 08 8000000000000000", "/40000/0", [record("/40000/0/1", .integer(.min))]),
        ("c1 01 ff", "/40000/0", [record("/40000/0/1", .integer(-1))]),
        ("c1 02 ff", "/40000/0", [record("/40000/0/2", .unsignedInteger(255))]),
        ("c4 03 41cc0000", "/40000/0", [record("/40000/0/3", .float(25.5))]),
        ("c8 03 08 3fb999999999999a", "/40000/0", [record("/40000/0/3", .float(0.1))]),
        ("c1 04 01", "/40000/0", [record("/40000/0/4", .boolean(true))]),
        ("c4 07 ffffffff", "/40000/0", [record("/40000/0/7", .objectLink(object: 65_535, instance: 65_535))]),
        ("41 09 61", "/40000/0/400/9", [record("/40000/0/400/9", .string("a"))]),
        ("03 00 c1 01 2a", "/40000", [record("/40000/0/1", .integer(42))]),
        (
            "a6 0191 41 00 01 41 05 02", "/40000/0",
            [
                record("/40000/0/401/0", .integer(1)), record("/40000/0/401/5", .integer(2)),
            ]
        ),
    ]

    @Test(arguments: headers)
    func readsAndWritesHeadersOfEveryShape(_ bytes: String, base: ObjectPath, records: [ResourceRecord]) throws {
        #expect(try decode(hex(bytes), .tlv, at: base) == records)
        #expect(try Payload.encode(records, as: .tlv, at: base) == hex(bytes))
    }

    @Test func lengthsOf16And24BitsAreWrittenWhenNeeded() throws {
        for (count, header) in [(0xFF, "c805ff"), (0x100, "d0050100"), (0xFFFF, "d005ffff"), (0x1_0000, "d805010000")] {
            let value = ResourceValue.opaque(Array(repeating: 7, count: count))
            let payload = try Payload.encode([record("/40000/0/5", value)], as: .tlv, at: "/40000/0")
            #expect(payload.starts(with: hex(header)))
            #expect(payload.count == count + header.count / 2)
            #expect(try decode(payload, .tlv, at: "/40000/0") == [record("/40000/0/5", value)])
        }
    }

    @Test func aValueAbove24BitsOfLengthIsRefused() {
        let value = ResourceValue.opaque(Array(repeating: 0, count: 0x100_0000))
        #expect(throws: PayloadEncodingError.unsupportedValue("/40000/0/5")) {
            try Payload.encode([record("/40000/0/5", value)], as: .tlv, at: "/40000/0")
        }
    }

    @Test func longerIntegersThanNeededAreRead() throws {
        #expect(
            try decode(hex("c8 01 08 0000000000000001"), .tlv, at: "/40000/0") == [record("/40000/0/1", .integer(1))]
        )
        #expect(try decode(hex("c2 01 ffff"), .tlv, at: "/40000/0") == [record("/40000/0/1", .integer(-1))])
    }

    @Test func entriesBehindAMultipleResourceAreNotLost() throws {
        #expect(
            try decode(hex("86 06 41 00 01 41 01 05 c1 09 64"), .tlv, at: "/3/0") == [
                record("/3/0/6/0", .integer(1)), record("/3/0/6/1", .integer(5)), record("/3/0/9", .integer(100)),
            ]
        )
        #expect(try decode(hex("80 06 c1 09 64"), .tlv, at: "/3/0") == [record("/3/0/9", .integer(100))])
    }

    @Test func anInstanceMayBeWrappedOnceMore() throws {
        #expect(try decode(hex("03 02 c1 01 2a"), .tlv, at: "/40000/2") == [record("/40000/2/1", .integer(42))])
        #expect(throws: PayloadDecodingError.pathOutsideBase("/40000/3")) {
            try decode(hex("03 03 c1 01 2a"), .tlv, at: "/40000/2")
        }
    }

    @Test func anUndefinedResourceKeepsItsBytes() throws {
        #expect(try decode(hex("c2 01 0102"), .tlv, at: "/9/0") == [record("/9/0/1", .opaque([1, 2]))])
    }

    private static let refused: [(String, ObjectPath, PayloadDecodingError)] = [
        ("c8", "/3/0", .truncated(at: 1)),
        ("e1 01", "/3/0", .truncated(at: 1)),
        ("c8 01", "/3/0", .truncated(at: 2)),
        ("c2 01 41", "/3/0", .truncated(at: 2)),
        ("c1 09 64", .root, .unsupportedFormat(.tlv)),
        ("c1 09 64", "/3", .missingInstance),
        ("41 00 01", "/3/0", .malformed(at: 0)),
        ("41 00 01", "/3", .malformed(at: 0)),
        ("03 00 41 00 01", "/3", .malformed(at: 2)),
        ("83 06 c1 00 01", "/3/0", .malformed(at: 2)),
        ("85 06 83 00 41 00 01", "/3/0", .malformed(at: 2)),
        ("e1 ffff 01", "/3/0", .invalidPath(at: 0)),
        ("c1 09 64", "/3/0/10", .pathOutsideBase("/3/0/9")),
        ("41 01 05", "/3/0/6/0", .pathOutsideBase("/3/0/6/1")),
        ("c3 09 000064", "/3/0", .typeMismatch("/3/0/9")),
        ("c0 09", "/3/0", .typeMismatch("/3/0/9")),
        ("c1 06 02", "/1/0", .typeMismatch("/1/0/6")),
        ("c1 00 ff", "/3/0", .typeMismatch("/3/0/0")),
        ("c2 16 0001", "/3/0", .typeMismatch("/3/0/22")),
        ("c1 04 01", "/3/0", .typeMismatch("/3/0/4")),
    ]

    @Test(arguments: refused)
    func refuses(_ bytes: String, base: ObjectPath, error: PayloadDecodingError) {
        #expect(throws: error) { try decode(hex(bytes), .tlv, at: base) }
    }
}
