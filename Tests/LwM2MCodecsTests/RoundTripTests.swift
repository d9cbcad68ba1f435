import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite struct RoundTripTests {
    @Test func everyFormatGivesBackWhatItWasGiven() throws {
        try SeededRuns.each(1500) { generator in
            let random = RandomRecords.makeCase(using: &generator)
            let payload = try Payload.encode(random.records, as: random.format, at: random.base)
            let decoded = try decode(payload, random.format, at: random.base)
            try #require(
                decoded == random.records,
                "\(random.format) at \(random.base): \(Hexadecimal.encode(payload))"
            )
        }
    }

    @Test func negativeZeroKeepsItsSign() throws {
        for format in [ContentFormat.tlv, .senMLCBOR, .senMLJSON, .cbor, .text] {
            let path: ObjectPath = "/3303/0/5700"
            let payload = try Payload.encode([record(path, .float(-0.0))], as: format, at: path)
            let value = try #require(try decode(payload, format, at: path).first?.value.asNumber)
            #expect(value == 0 && value.sign == .minus)
        }
    }
}
