import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite struct HostileInputTests {
    private static let formats: [ContentFormat] = [.tlv, .senMLJSON, .senMLCBOR, .text, .opaque, .cbor]

    /// Formats whose payload says itself where it ends; the others take any prefix as another value.
    private static func isFramed(_ format: ContentFormat) -> Bool {
        format == .senMLJSON || format == .senMLCBOR || format == .cbor
    }

    @Test func noPrefixIsAWholePayload() throws {
        try SeededRuns.each(25) { generator in
            let random = RandomRecords.makeCase(using: &generator)
            let payload = try Payload.encode(random.records, as: random.format, at: random.base)
            for prefix in Damage.truncations(payload) {
                let decoded = try? decode(prefix, random.format, at: random.base)
                if Self.isFramed(random.format) {
                    try #require(decoded == nil, "\(random.format): \(Hexadecimal.encode(prefix))")
                } else if random.format == .tlv, let decoded {
                    // TLV has no end of its own: a prefix is whole only between two entries.
                    try #require(decoded.count < random.records.count || decoded == random.records)
                    try #require(random.records.starts(with: decoded))
                }
            }
        }
    }

    @Test func anyFlippedBitIsReadOrRefused() throws {
        try SeededRuns.each(60) { generator in
            let random = RandomRecords.makeCase(using: &generator)
            let payload = try Payload.encode(random.records, as: random.format, at: random.base)
            for _ in 0..<(payload.isEmpty ? 0 : 200) {
                var flipped = payload
                flipped[Int.random(in: 0..<payload.count, using: &generator)] ^=
                    1 << UInt8.random(in: 0..<8, using: &generator)
                guard let decoded = try? decode(flipped, random.format, at: random.base) else { continue }
                for record in decoded { try #require(random.base.contains(record.path) && record.path.depth >= 3) }
            }
        }
    }

    @Test func anyBytesAreReadOrRefusedInEveryFormat() throws {
        let bases: [ObjectPath] = [.root, "/40000", "/40000/1", "/40000/1/3", "/40000/1/400/2", "/9/0/0"]
        try SeededRuns.each(2000) { generator in
            let count = Int.random(in: 0..<60, using: &generator)
            // Bytes that begin structures come more often than chance has them.
            let starts = hex("5b7b5d7d222c3a9f9fbfff81a1a2207f5fc0c1d8f9fbfa18191a1b80c8880830")
            let bytes = (0..<count).map { _ in
                Bool.random(using: &generator)
                    ? starts[Int.random(in: 0..<starts.count, using: &generator)]
                    : UInt8.random(in: 0...255, using: &generator)
            }
            for format in Self.formats {
                for base in bases { _ = try? decode(bytes, format, at: base) }
            }
        }
    }

    @Test func claimedLengthsReserveNothing() {
        let greedy: [(ContentFormat, String)] = [
            (.tlv, "d8 00 ff ff ff 41"), (.cbor, "5b 7fffffffffffffff 41"), (.cbor, "7b ffffffffffffffff 41"),
            (.senMLCBOR, "9b 7fffffffffffffff"), (.senMLCBOR, "9a ffffffff a0"), (.senMLCBOR, "81 bb ffffffffffffffff"),
        ]
        for (format, bytes) in greedy {
            #expect(throws: PayloadDecodingError.self) { try decode(hex(bytes), format, at: "/40000/0/5") }
        }
    }

    @Test func deepStructuresAreRefused() {
        let depth = 100_000
        let deep: [(ContentFormat, [UInt8])] = [
            (.senMLJSON, Array("[{\"x\":".utf8) + Array(repeating: UInt8(ascii: "["), count: depth)),
            (.senMLJSON, Array(("[{\"x\":" + String(repeating: "{\"a\":", count: depth)).utf8)),
            (.senMLCBOR, hex("81 a1 6178") + Array(repeating: 0x81, count: depth)),
            (.senMLCBOR, hex("81 a1 6178") + Array(repeating: 0x9F, count: depth)),
            (.senMLCBOR, hex("81 a1 6178") + Array(repeating: 0xC1, count: depth)),
            (.cbor, Array(repeating: 0x81, count: depth)),
            (.cbor, Array(repeating: 0xC1, count: depth)),
        ]
        for (format, bytes) in deep {
            #expect {
                try decode(bytes, format, at: "/40000/0/1")
            } throws: { error in
                if case .tooDeep = error as? PayloadDecodingError { true } else { false }
            }
        }
    }

    @Test func aSkippedStructureMayBeAsDeepAsTheLimit() throws {
        let open = String(repeating: "[", count: 16)
        let close = String(repeating: "]", count: 16)
        let payload = Array("[{\"n\":\"/40000/0/1\",\"v\":1,\"x\":\(open)\(close)}]".utf8)
        #expect(try decode(payload, .senMLJSON, at: "/40000") == [record("/40000/0/1", .integer(1))])
    }

    @Test func moreValuesThanTheLimitAreRefused() throws {
        func tlv(_ count: Int) -> [UInt8] { Array(repeatElement(hex("c0 00"), count: count).joined()) }
        func json(_ count: Int) -> [UInt8] {
            Array(
                ("[{\"bn\":\"/40000/0/0\",\"vs\":\"\"}" + String(repeating: ",{\"vs\":\"\"}", count: count - 1) + "]")
                    .utf8
            )
        }
        func cbor(_ count: Int) -> [UInt8] {
            hex("9f a2 21 6a 2f34303030302f302f30 03 60") + repeatElement(hex("a1 03 60"), count: count - 1).joined()
                + [0xFF]
        }
        let limit = PayloadLimits.values
        #expect(try decode(tlv(limit), .tlv, at: "/40000/0").count == limit)
        #expect(try decode(json(limit), .senMLJSON, at: "/40000/0").count == limit)
        #expect(try decode(cbor(limit), .senMLCBOR, at: "/40000/0").count == limit)
        #expect(throws: PayloadDecodingError.tooManyValues) { try decode(tlv(limit + 1), .tlv, at: "/40000/0") }
        #expect(throws: PayloadDecodingError.tooManyValues) { try decode(json(limit + 1), .senMLJSON, at: "/40000/0") }
        #expect(throws: PayloadDecodingError.tooManyValues) { try decode(cbor(limit + 1), .senMLCBOR, at: "/40000/0") }
    }

    @Test func memoryIsAStatedMultipleOfTheInput() throws {
        // The densest payload has two bytes a record; a growing array may hold twice what it needs, and a value of one
        // byte, which takes a third byte of payload, has a block of 48 on the heap.
        let record = MemoryLayout<ResourceRecord>.stride
        #expect(try decode(hex("c000 c000"), .tlv, at: "/40000/0").count == 2)
        #expect(2 * record <= 2 * PayloadLimits.memoryPerByte)
        #expect(2 * record + 48 <= 3 * PayloadLimits.memoryPerByte)
    }

    @Test func aLongBaseNameIsNotCopiedOnceARecord() {
        let name = "/" + String(repeating: "1", count: 100_000)
        let payload = Array(
            ("[{\"bn\":\"\(name)\",\"vs\":\"\"}" + String(repeating: ",{\"vs\":\"\"}", count: 20_000) + "]").utf8
        )
        #expect {
            try decode(payload, .senMLJSON, at: .root)
        } throws: { error in
            if case .invalidPath = error as? PayloadDecodingError { true } else { false }
        }
    }
}
