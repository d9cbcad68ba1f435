import CoAPMessages
import Primitives
import TestSupport
import Testing

@Suite("RFC 7252 section 3: messages as datagrams") struct CoAPMessageTests {
    private static func options(_ pairs: [(UInt16, [UInt8])]) -> CoAPOptions {
        var options = CoAPOptions()
        for (number, value) in pairs { options.append(CoAPOptionNumber(rawValue: number), value) }
        return options
    }

    private static let token = CoAPToken([0x20])

    /// RFC 7252, appendix A, figures 16 and 17; the others were made for this test.
    private static let vectors: [(String, CoAPMessage)] = [
        (
            "40 01 7d34 bb 74656d7065726174757265",
            CoAPMessage(.confirmable, .get, id: 0x7D34, options: options([(11, Array("temperature".utf8))]))
        ),
        (
            "60 45 7d34 ff 32322e332043",
            CoAPMessage(.acknowledgement, .content, id: 0x7D34, payload: Array("22.3 C".utf8))
        ),
        (
            "41 01 7d35 20 bb 74656d7065726174757265",
            CoAPMessage(
                .confirmable,
                .get,
                id: 0x7D35,
                token: token ?? .empty,
                options: options([(11, Array("temperature".utf8))])
            )
        ),
        ("60 00 7d34", CoAPMessage(.acknowledgement, .empty, id: 0x7D34)),
        ("70 00 0000", CoAPMessage(.reset, .empty, id: 0)),
        (
            "50 01 0001 60 d1 30 01 e0 0000",
            CoAPMessage(
                .nonConfirmable,
                .get,
                id: 1,
                options: options([
                    (6, []), (67, [1]), (336, []),
                ])
            )
        ),
        (
            "58 01 0001 0102030405060708",
            CoAPMessage(
                .nonConfirmable,
                .get,
                id: 1,
                token: CoAPToken([1, 2, 3, 4, 5, 6, 7, 8]) ?? .empty
            )
        ),
        ("40 03 0001 00 00", CoAPMessage(.confirmable, .put, id: 1, options: options([(0, []), (0, [])]))),
        ("40 01 0001 e0 fef2", CoAPMessage(.confirmable, .get, id: 1, options: options([(65_535, [])]))),
    ]

    @Test(arguments: vectors)
    func readsAndWrites(_ bytes: String, message: CoAPMessage) throws {
        #expect(try CoAPMessage(decoding: hex(bytes)) == message)
        #expect(try message.encoded() == hex(bytes))
    }

    @Test func optionLengthsGrowAtTheirLimits() throws {
        for (count, head) in [(12, "bc"), (13, "bd00"), (268, "bdff"), (269, "be0000"), (65_804, "beffff")] {
            let options = Self.options([(11, Array(repeating: 1, count: count))])
            let message = CoAPMessage(.confirmable, .get, id: 1, options: options)
            let bytes = try message.encoded()
            #expect(bytes[4...].starts(with: hex(head)))
            #expect(try CoAPMessage(decoding: bytes) == message)
        }
        let options = Self.options([(11, Array(repeating: 1, count: 65_805))])
        #expect(throws: CoAPMessage.EncodingError.optionTooLong(.uriPath)) {
            try CoAPMessage(.confirmable, .get, id: 1, options: options).encoded()
        }
    }

    private static let malformed: [(String, CoAPMessage.DecodingError)] = [
        ("", .truncated(at: 0)), ("40", .truncated(at: 1)), ("40 01 00", .truncated(at: 2)),
        ("00 01 0001", .unsupportedVersion(0)), ("80 01 0001", .unsupportedVersion(2)),
        ("41 01 0001", .truncated(at: 4)), ("49 01 0001 010203040506070809", .reservedTokenLength(9)),
        ("4f 01 0001", .reservedTokenLength(15)), ("40 01 0001 ff", .missingPayload),
        ("40 01 0001 f0", .reservedOption(at: 4)), ("40 01 0001 0f", .reservedOption(at: 4)),
        ("40 01 0001 d0", .truncated(at: 5)), ("40 01 0001 e0 00", .truncated(at: 5)),
        ("40 01 0001 0d", .truncated(at: 5)), ("40 01 0001 b5 6162", .truncated(at: 5)),
        ("40 01 0001 e0 fef3", .optionNumberTooLarge(at: 4)), ("40 01 0001 e0 fef2 10", .optionNumberTooLarge(at: 7)),
        ("41 00 0001 01", .emptyMessageWithContent), ("40 00 0001 ff 01", .emptyMessageWithContent),
        ("40 00 0001 b1 61", .emptyMessageWithContent),
    ]

    @Test(arguments: malformed)
    func refuses(_ bytes: String, error: CoAPMessage.DecodingError) {
        #expect(throws: error) { try CoAPMessage(decoding: hex(bytes)) }
    }

    private static func random(using generator: inout SeededGenerator) -> CoAPMessage {
        func bytes(_ most: Int) -> [UInt8] {
            (0..<Int.random(in: 0...most, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
        }
        var options = CoAPOptions()
        for _ in 0..<Int.random(in: 0..<8, using: &generator) {
            let most = [3, 20, 300, 65_535][Int.random(in: 0..<4, using: &generator)]
            options.append(CoAPOptionNumber(rawValue: .random(in: 0...UInt16(most), using: &generator)), bytes(20))
        }
        return CoAPMessage(
            CoAPMessage.Kind(rawValue: .random(in: 0...3, using: &generator)) ?? .reset,
            CoAPCode(rawValue: .random(in: 1...255, using: &generator)),
            id: .random(in: 0...65_535, using: &generator),
            token: CoAPToken(bytes(8)) ?? .empty,
            options: options,
            payload: bytes(30)
        )
    }

    @Test func everyMessageComesBack() throws {
        try SeededRuns.each(500) { generator in
            let message = Self.random(using: &generator)
            try #require(try CoAPMessage(decoding: try message.encoded()) == message)
        }
    }

    @Test func damageIsReadOrRefused() throws {
        try SeededRuns.each(40) { generator in
            let message = Self.random(using: &generator)
            let bytes = try message.encoded()
            for prefix in Damage.truncations(bytes) {
                // A prefix may be a message of its own, but never this one.
                try #require((try? CoAPMessage(decoding: prefix)) != message)
            }
            for flipped in Damage.bitFlips(bytes) {
                // What is read can be written, and says the same when it is read again.
                guard let read = try? CoAPMessage(decoding: flipped) else { continue }
                try #require(try CoAPMessage(decoding: try read.encoded()) == read)
            }
        }
        try SeededRuns.each(3000) { generator in
            let bytes = (0..<24).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = try? CoAPMessage(decoding: [0x40 | bytes[0] & 0x3F] + bytes)
        }
    }
}
