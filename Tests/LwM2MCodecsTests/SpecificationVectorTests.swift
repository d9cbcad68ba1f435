import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite("Examples of the specification, both ways") struct SpecificationVectorTests {
    /// The values of the Device object in the examples of Core 1.2.2, clause 7.5.
    static let device: [ResourceRecord] = [
        record("/3/0/0", .string("Open Mobile Alliance")), record("/3/0/1", .string("Lightweight M2M Client")),
        record("/3/0/2", .string("345000123")), record("/3/0/3", .string("1.0")),
        record("/3/0/6/0", .integer(1)), record("/3/0/6/1", .integer(5)), record("/3/0/7/0", .integer(3800)),
        record("/3/0/7/1", .integer(5000)), record("/3/0/8/0", .integer(125)), record("/3/0/8/1", .integer(900)),
        record("/3/0/9", .integer(100)), record("/3/0/10", .integer(15)), record("/3/0/11/0", .integer(0)),
        record("/3/0/13", .time(WallTime(secondsSinceEpoch: 1_367_491_215))),
        record("/3/0/14", .string("+02:00")), record("/3/0/16", .string("U")),
    ]

    static let accessControl: [ResourceRecord] = [
        record("/2/0/0", .integer(1)), record("/2/0/1", .integer(0)), record("/2/0/2/127", .integer(7)),
        record("/2/0/3", .integer(127)), record("/2/2/0", .integer(3)), record("/2/2/1", .integer(0)),
        record("/2/2/2/127", .integer(7)), record("/2/2/2/310", .integer(1)), record("/2/2/3", .integer(127)),
    ]

    static let example: [ResourceRecord] = [
        record("/65/0/0/0", .objectLink(object: 66, instance: 0)),
        record("/65/0/0/1", .objectLink(object: 66, instance: 1)),
        record("/65/0/1", .string("8613800755500")), record("/65/0/2", .integer(0x1234_5678)),
    ]

    struct Vector: CustomTestStringConvertible, Sendable {
        let file: String
        let format: ContentFormat
        let base: ObjectPath
        let records: [ResourceRecord]

        var testDescription: String { self.file }
    }

    static let vectors = [
        Vector(file: "TLV/core-1.2.2-7.5.5.1-device.hex", format: .tlv, base: "/3/0", records: device),
        Vector(file: "TLV/core-1.2.2-7.5.5.2-access-control.hex", format: .tlv, base: "/2", records: accessControl),
        Vector(file: "TLV/core-1.2.2-7.5.5.3-links.hex", format: .tlv, base: "/65/0", records: example),
        Vector(file: "SenMLCBOR/core-1.2.2-7.5.7-device.hex", format: .senMLCBOR, base: "/3/0", records: device),
        Vector(file: "SenMLJSON/core-1.2.2-7.5.6-device.json", format: .senMLJSON, base: "/3/0", records: device),
    ]

    @Test(arguments: vectors)
    func decodes(_ vector: Vector) throws {
        #expect(try decode(try Fixtures.vector(vector.file), vector.format, at: vector.base) == vector.records)
    }

    @Test(arguments: vectors)
    func encodes(_ vector: Vector) throws {
        var expected = try Fixtures.vector(vector.file)
        // The file breaks its lines between records.
        if vector.format == .senMLJSON { expected.removeAll { $0 == UInt8(ascii: "\n") } }
        #expect(try Payload.encode(vector.records, as: vector.format, at: vector.base) == expected)
    }

    @Test func encodesRecordsInAnyOrderAsTLV() throws {
        let expected = try Fixtures.vector("TLV/core-1.2.2-7.5.5.1-device.hex")
        #expect(try Payload.encode(Self.device.reversed(), as: .tlv, at: "/3/0") == expected)
    }
}
