import CoAPMessages
import CommandSessions
import LwM2MModel
import Primitives
import TestSupport
import Testing

/// Something that goes over the wire, without its type: what its bytes decode to is encoded again.
struct WireForm: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Messages of this form, as bytes.
    let examples: @Sendable () -> [[UInt8]]
    /// Reads bytes and writes what was read; nil when they were refused.
    let rewrite: @Sendable ([UInt8]) -> [UInt8]?

    static let all: [WireForm] = [
        WireForm(
            testDescription: "message",
            examples: { MessageVector.all.map { hex($0.encoded) } },
            rewrite: { (try? SessionMessage(decoding: $0))?.encoded }
        ),
        WireForm(
            testDescription: "report",
            examples: { ReportVector.all.map { hex($0.encoded) } },
            rewrite: { (try? SessionReport(decoding: $0))?.encoded }
        ),
        WireForm(
            testDescription: "question",
            examples: { QueryVector.all.map { hex($0.encoded) } },
            rewrite: { (try? SessionPair(decoding: $0))?.encoded }
        ),
    ]
}

@Suite struct DamagedMessageTests {
    @Test(arguments: WireForm.all)
    func noPrefixAndNoContinuationIsAMessage(_ form: WireForm) throws {
        for bytes in form.examples() {
            for prefix in Damage.truncations(bytes) { #expect(form.rewrite(prefix) == nil) }
            for more in [[0x00], [0xF6], [0xFF], bytes] as [[UInt8]] { #expect(form.rewrite(bytes + more) == nil) }
        }
    }

    /// What reads as the same would let a change pass that nobody notices.
    @Test(arguments: WireForm.all)
    func aFlippedBitIsRefusedOrMakesAnotherMessage(_ form: WireForm) throws {
        for bytes in form.examples() {
            for flipped in Damage.bitFlips(bytes) {
                guard let again = form.rewrite(flipped) else { continue }
                try #require(again == flipped && again != bytes)
            }
        }
    }

    @Test(arguments: WireForm.all)
    func anyBytesAreRefusedOrWrittenAgainAsTheyWere(_ form: WireForm) throws {
        let examples = form.examples()
        try SeededRuns.each(2_000) { generator in
            let count = generator.below(80)
            let noise = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            if let again = form.rewrite(noise) { try #require(again == noise) }
            // Near a real one more of the decoder is reached.
            var changed = generator.pick(examples)
            for _ in 0..<4 { changed[generator.below(changed.count)] = UInt8(truncatingIfNeeded: generator.next()) }
            if let again = form.rewrite(changed) { try #require(again == changed) }
        }
    }

    /// Each would be read as a well-formed message by a lenient decoder.
    static let longWindedMessages: [(what: String, bytes: String)] = [
        ("the number in two bytes", "84 1801 84 02 64 2f332f30 f6 40 f6 f6"),
        ("the array's length in two bytes", "9804 01 84 02 64 2f332f30 f6 40 f6 f6"),
        ("an array without a length", "9f 01 84 02 64 2f332f30 f6 40 f6 f6 ff"),
        ("a command without a length", "84 01 9f 02 64 2f332f30 f6 40 ff f6 f6"),
        ("the operation in three bytes", "84 01 84 190002 64 2f332f30 f6 40 f6 f6"),
        ("the path's length in two bytes", "84 01 84 02 7804 2f332f30 f6 40 f6 f6"),
        ("a path in pieces", "84 01 84 02 7f 62 2f33 62 2f30 ff f6 40 f6 f6"),
        ("a path as bytes", "84 01 84 02 44 2f332f30 f6 40 f6 f6"),
        ("a content format in three bytes", "84 01 84 01 64 2f332f30 19000b 40 f6 f6"),
        ("a content format undefined", "84 01 84 02 64 2f332f30 f7 40 f6 f6"),
        ("null in two bytes", "84 01 84 02 64 2f332f30 f816 40 f6 f6"),
        ("a payload in pieces", "84 01 84 02 64 2f332f30 f6 5f 40 ff f6 f6"),
        ("a payload's length in two bytes", "84 01 84 02 64 2f332f30 f6 5801 00 f6 f6"),
        ("a payload as text", "84 01 84 02 64 2f332f30 f6 60 f6 f6"),
        ("a tag before it", "d9d9f7 84 01 84 02 64 2f332f30 f6 40 f6 f6"),
        ("a tag inside", "84 c1 01 84 02 64 2f332f30 f6 40 f6 f6"),
        (
            "an identifier's length in three bytes",
            "83 01 84 02 64 2f332f30 f6 40 f6 590010 00112233445566778899aabbccddeeff"
        ),
    ]

    @Test(arguments: longWindedMessages)
    func anotherEncodingOfAMessageIsRefused(what: String, bytes: String) throws {
        #expect(throws: SessionMessageError.malformed) { try SessionMessage(decoding: hex(bytes)) }
        // The one that is written shortest is a message.
        _ = try SessionMessage(decoding: hex("84 01 84 02 64 2f332f30 f6 40 f6 f6"))
    }

    static let contradictions: [(what: String, bytes: String)] = [
        ("message 0", "84 00 84 02 64 2f332f30 f6 40 f6 f6"),
        ("message 4", "84 04 84 02 64 2f332f30 f6 40 f6 f6"),
        ("operation 0", "84 01 84 00 64 2f332f30 f6 40 f6 f6"),
        ("operation 6", "84 01 84 06 64 2f332f30 f6 40 f6 f6"),
        ("operation 256", "84 01 84 190100 64 2f332f30 f6 40 f6 f6"),
        ("the root as path", "84 01 84 02 61 2f f6 40 f6 f6"),
        ("an empty path", "84 01 84 02 60 f6 40 f6 f6"),
        ("a path with a leading zero", "84 01 84 02 65 2f332f3030 f6 40 f6 f6"),
        ("a path that is not UTF-8", "84 01 84 02 64 2f332fff f6 40 f6 f6"),
        ("five levels", "84 01 84 02 6a 2f312f322f332f342f35 f6 40 f6 f6"),
        ("content format 65536", "84 01 84 01 64 2f332f30 1a00010000 40 f6 f6"),
        ("an identifier of 15 bytes", "84 01 84 02 64 2f332f30 f6 40 f6 4f 00112233445566778899aabbccddee"),
        ("an identifier of 0 bytes", "84 01 84 02 64 2f332f30 f6 40 f6 40"),
        ("a number as identifier", "84 01 84 02 64 2f332f30 f6 40 f6 00"),
        ("false as identifier", "84 01 84 02 64 2f332f30 f6 40 f6 f4"),
        ("three items", "83 01 84 02 64 2f332f30 f6 40 f6"),
        ("five items", "85 01 84 02 64 2f332f30 f6 40 f6 f6 f6"),
        ("a command of three items", "84 01 83 02 64 2f332f30 f6 f6 f6"),
        ("a map", "a2 01 84 02 64 2f332f30 f6 40 f6 f6"),
        ("nothing", ""),
    ]

    @Test(arguments: contradictions)
    func whatSaysSomethingElseIsNoMessage(what: String, bytes: String) {
        #expect(throws: SessionMessageError.malformed) { try SessionMessage(decoding: hex(bytes)) }
    }

    static let contradictoryReports = [
        "83 50 00112233445566778899aabbccddeeff 00 1844", "83 50 00112233445566778899aabbccddeeff 01 f6",
        "83 50 00112233445566778899aabbccddeeff 01 190100", "83 50 00112233445566778899aabbccddeeff 01 190044",
        "83 50 00112233445566778899aabbccddeeff 04 f6", "83 50 00112233445566778899aabbccddeeff 20 f6",
        "83 f6 00 f6", "82 00 f6", "9f 50 00112233445566778899aabbccddeeff 00 f6 ff",
        "83 4f 00112233445566778899aabbccddee 00 f6", "83 50 00112233445566778899aabbccddeeff 1800 f6",
    ]

    @Test(arguments: contradictoryReports)
    func anOutcomeWithoutItsCodeOrItsSessionIsNone(_ bytes: String) {
        #expect(throws: SessionMessageError.malformed) { try SessionReport(decoding: hex(bytes)) }
    }

    @Test(arguments: ["82 f6 f6", "82 50 00112233445566778899aabbccddeeff f6", "81 f6", "82 00 00", "a1 f6 f6", ""])
    func aQuestionWithoutADSIDIsNone(_ bytes: String) {
        #expect(throws: SessionMessageError.malformed) { try SessionPair(decoding: hex(bytes)) }
    }

    @Test func aPayloadMayBeAsLongAsTheLimit() throws {
        let path: ObjectPath = ObjectPath(5, 0, 0)
        let longest = [UInt8](repeating: 0xA5, count: SessionCommand.maximumPayload)
        let command = try #require(SessionCommand(.write, path, contentFormat: .opaque, payload: longest))
        #expect(SessionCommand(.write, path, payload: longest + [0]) == nil)
        let identifier = SessionIdentifier(bytes: [UInt8](repeating: 1, count: 32))
        let message = SessionMessage(number: 3, command: command, gsid: identifier, dsid: identifier)
        #expect(message.encoded.count <= SessionMessage.maximumLength)
        #expect(try SessionMessage(decoding: message.encoded) == message)

        // One byte more, written by somebody else.
        let body = hex("84 03 84 01 66 2f352f302f30 f6 5a 00010041") + longest + [0] + hex("f6 f6")
        #expect(throws: SessionMessageError.malformed) { try SessionMessage(decoding: body) }
        let endless = [UInt8](repeating: 0x84, count: 1_000_000)
        #expect(throws: SessionMessageError.malformed) { try SessionMessage(decoding: endless) }
    }

    @Test func aCommandNeedsAPath() {
        #expect(SessionCommand(.delete, .root) == nil)
        #expect(SessionCommand(.create, ObjectPath(3303)) != nil)
    }

    /// A claim of 18 exabytes must not be believed.
    @Test(arguments: ["84 01 84 01 64 2f332f30 f6 5b ffffffffffffffff", "84 01 84 01 7b 7fffffffffffffff 2f"])
    func claimedLengthsReserveNothing(_ bytes: String) {
        #expect(throws: SessionMessageError.malformed) { try SessionMessage(decoding: hex(bytes)) }
    }

    @Test func commandsAreEqualWhenTheirBytesAre() throws {
        let commands = try MessageVector.all.map { try $0.message() }
        for first in commands {
            for second in commands.prefix(12) {
                let firstBytes = SessionMessage(number: 1, command: first.command, gsid: nil, dsid: nil).encoded
                let secondBytes = SessionMessage(number: 1, command: second.command, gsid: nil, dsid: nil).encoded
                #expect((first.command == second.command) == (firstBytes == secondBytes))
            }
        }
    }
}
