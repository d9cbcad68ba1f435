import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite("RFC 8949: CBOR values") struct CBORTests {
    /// A resource that no definition describes keeps the type that the payload gives it.
    private static let path: ObjectPath = "/9/0/0"

    /// RFC 8949, appendix A: examples in their preferred form.
    private static let examples: [(String, ResourceValue)] = [
        ("00", .integer(0)), ("01", .integer(1)), ("0a", .integer(10)), ("17", .integer(23)),
        ("1818", .integer(24)), ("1864", .integer(100)), ("1903e8", .integer(1000)),
        ("1a000f4240", .integer(1_000_000)), ("1b000000e8d4a51000", .integer(1_000_000_000_000)),
        ("1bffffffffffffffff", .unsignedInteger(.max)), ("20", .integer(-1)), ("29", .integer(-10)),
        ("3863", .integer(-100)), ("3903e7", .integer(-1000)), ("3b7fffffffffffffff", .integer(.min)),
        ("f90000", .float(0)), ("f93c00", .float(1)), ("fb3ff199999999999a", .float(1.1)), ("f93e00", .float(1.5)),
        ("f97bff", .float(65_504)), ("fa47c35000", .float(100_000)), ("fa7f7fffff", .float(0x1.fffffep127)),
        ("fb7e37e43c8800759c", .float(1e300)), ("f90001", .float(0x1p-24)), ("f90400", .float(0x1p-14)),
        ("f9c400", .float(-4)), ("fbc010666666666666", .float(-4.1)), ("f97c00", .float(.infinity)),
        ("f9fc00", .float(-.infinity)), ("f4", .boolean(false)), ("f5", .boolean(true)),
        ("c11a514b67b0", .time(WallTime(secondsSinceEpoch: 1_363_896_240))), ("40", .opaque([])),
        ("4401020304", .opaque([1, 2, 3, 4])), ("60", .string("")), ("6161", .string("a")),
        ("6449455446", .string("IETF")), ("62225c", .string("\"\\")), ("62c3bc", .string("ü")),
        ("63e6b0b4", .string("水")), ("64f0908591", .string("𐅑")),
    ]

    @Test(arguments: examples)
    func readsAndWritesExamples(_ bytes: String, value: ResourceValue) throws {
        #expect(try decode(hex(bytes), .cbor, at: Self.path) == [record(Self.path, value)])
        #expect(try Payload.encode([record(Self.path, value)], as: .cbor, at: Self.path) == hex(bytes))
    }

    private static let others: [(String, ResourceValue)] = [
        ("1800", .integer(0)), ("190001", .integer(1)), ("1b0000000000000001", .integer(1)), ("3800", .integer(-1)),
        ("fa3f800000", .float(1)), ("fb3ff0000000000000", .float(1)), ("3bffffffffffffffff", .float(-0x1p64)),
        ("5f42010243030405ff", .opaque([1, 2, 3, 4, 5])), ("7f657374726561646d696e67ff", .string("streaming")),
        ("5fff", .opaque([])), ("c1fb41d452d9ec000000", .time(WallTime(secondsSinceEpoch: 1_363_896_240))),
        ("d8206449455446", .string("IETF")),
    ]

    @Test(arguments: others)
    func readsWhatItDoesNotWrite(_ bytes: String, value: ResourceValue) throws {
        #expect(try decode(hex(bytes), .cbor, at: Self.path) == [record(Self.path, value)])
    }

    @Test func readsANumberThatIsNone() throws {
        for bytes in ["f97e00", "fa7fc00000", "fb7ff8000000000000"] {
            let value = try #require(try decode(hex(bytes), .cbor, at: Self.path).first?.value.asNumber)
            #expect(value.isNaN)
        }
    }

    private static let conversions: [(String, ObjectPath, ResourceValue)] = [
        ("15", "/40000/0/3", .float(21)),
        ("fb4035000000000000", "/40000/0/1", .integer(21)),
        ("15", "/40000/0/2", .unsignedInteger(21)),
        ("15", "/40000/0/6", .time(WallTime(secondsSinceEpoch: 21))),
        ("c115", "/40000/0/6", .time(WallTime(secondsSinceEpoch: 21))),
        ("63333a30", "/40000/0/7", .objectLink(object: 3, instance: 0)),
        ("653c2f333e3b", "/40000/0/8", .string("</3>;")),
    ]

    @Test(arguments: conversions)
    func convertsWhatFits(_ bytes: String, path: ObjectPath, value: ResourceValue) throws {
        #expect(try decode(hex(bytes), .cbor, at: path) == [record(path, value)])
    }

    private static let refused: [(String, ObjectPath, PayloadDecodingError)] = [
        ("", path, .truncated(at: 0)),
        ("18", path, .truncated(at: 1)),
        ("1b00000000000000", path, .truncated(at: 1)),
        ("f93c", path, .truncated(at: 1)),
        ("4401", path, .truncated(at: 0)),
        ("5f4101", path, .truncated(at: 3)),
        ("1c", path, .malformed(at: 0)),
        ("1f", path, .malformed(at: 0)),
        ("ff", path, .malformed(at: 0)),
        ("f814", path, .malformed(at: 0)),
        ("fc", path, .malformed(at: 0)),
        ("5f6161ff", path, .malformed(at: 0)),
        ("5f5f4101ffff", path, .malformed(at: 0)),
        ("61ff", path, .malformed(at: 0)),
        ("0000", path, .malformed(at: 1)),
        ("f6", path, .typeMismatch(path)),
        ("f7", path, .typeMismatch(path)),
        ("8101", path, .typeMismatch(path)),
        ("a10102", path, .typeMismatch(path)),
        ("c1f93e00", path, .typeMismatch(path)),
        ("01", "/40000/0/0", .typeMismatch("/40000/0/0")),
        ("f93e00", "/40000/0/1", .typeMismatch("/40000/0/1")),
        ("20", "/40000/0/2", .typeMismatch("/40000/0/2")),
        ("1bffffffffffffffff", "/40000/0/1", .typeMismatch("/40000/0/1")),
        ("6131", "/40000/0/3", .typeMismatch("/40000/0/3")),
        ("01", "/40000/0/4", .typeMismatch("/40000/0/4")),
        ("6161", "/40000/0/5", .typeMismatch("/40000/0/5")),
        ("6433 3a302e", "/40000/0/7", .typeMismatch("/40000/0/7")),
        ("01", "/40000/0", .needsSingleResource("/40000/0")),
        ("01", "/40000/0/401", .needsSingleResource("/40000/0/401")),
    ]

    @Test(arguments: refused)
    func refuses(_ bytes: String, path: ObjectPath, error: PayloadDecodingError) {
        #expect(throws: error) { try decode(hex(bytes), .cbor, at: path) }
    }
}
