import CommandSessions
import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite struct SessionIdentifierTests {
    @Test func hasSixteenToThirtyTwoBytes() {
        for count in 0...64 {
            let identifier = SessionIdentifier(bytes: [UInt8](repeating: 7, count: count))
            #expect((identifier != nil) == (16...32).contains(count))
            #expect(identifier == nil || identifier?.copyBytes().count == count)
        }
    }

    @Test func isReadFromTheTextThatItIsWrittenAs() throws {
        for count in 16...32 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
            let identifier = try #require(SessionIdentifier(bytes: bytes))
            #expect(identifier.text == UTF8Text(Hexadecimal.encode(bytes).uppercased()))
            #expect(SessionIdentifier(text: identifier.text) == identifier)
        }
        let lower = try #require(SessionIdentifier(text: "00112233445566778899aabbccddeeff"))
        #expect(SessionIdentifier(text: "00112233445566778899AABBCCDDEEFF") == lower)
    }

    @Test(
        arguments: [
            "", "0", "00112233445566778899aabbccddee", "00112233445566778899aabbccddeef",
            "00112233445566778899aabbccddeefg", "0x112233445566778899aabbccddeeff", " 0112233445566778899aabbccddeeff",
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00",
        ] as [UTF8Text]
    )
    func otherTextIsNoIdentifier(_ text: UTF8Text) {
        #expect(SessionIdentifier(text: text) == nil)
    }

    @Test func everyBitAndTheLengthMatter() throws {
        let bytes = [UInt8](repeating: 0x5A, count: 16)
        let identifier = try #require(SessionIdentifier(bytes: bytes))
        #expect(identifier == SessionIdentifier(bytes: bytes))
        for flipped in Damage.bitFlips(bytes) { #expect(identifier != SessionIdentifier(bytes: flipped)) }
        #expect(identifier != SessionIdentifier(bytes: bytes + [0]))
    }

    @Test func noWayOfPrintingShowsIt() throws {
        let identifier = try #require(SessionIdentifier(bytes: Array("an identifier no one may see".utf8)))
        let cache = IdentifierCache(established: identifier, provisional: identifier)
        let pair = SessionPair(gsid: identifier, dsid: identifier)
        let command = try #require(SessionCommand(.delete, ObjectPath(1, 1)))
        let message = SessionMessage(number: 1, command: command, gsid: identifier, dsid: identifier)
        let device = DeviceSessionMachine(
            form: .bothIdentifiers,
            record: .init(gsid: cache, dsid: cache, lastExecution: .init(pair: pair, outcome: .unknown))
        )
        let gateway = GatewaySessionMachine(form: .bothIdentifiers, record: .init(gsid: cache, dsid: cache))
        var texts = ["\(identifier)", "\(cache)", "\(pair)", "\(message)", "\(device)", "\(gateway)"]
        texts += [String(reflecting: identifier), String(reflecting: device), String(reflecting: gateway)]
        for value in [identifier, cache, pair, message, device, gateway] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            texts.append(dumped)
        }
        for text in texts {
            #expect(!text.contains("no one"))
            #expect(!text.contains("110") && !text.contains("6e"))
        }
        #expect("\(identifier)" == "session identifier of 28 bytes")
        #expect(Mirror(reflecting: identifier).children.isEmpty)
    }

    @Test func isMadeOfRandomBytes() throws {
        var source = RandomSource(seed: 1)
        var same = RandomSource(seed: 1)
        var made: Set<[UInt8]> = []
        for _ in 0..<1_000 {
            let identifier = try #require(SessionIdentifier(from: &source))
            #expect(identifier == SessionIdentifier(from: &same))
            #expect(identifier.copyBytes().count == 16)
            made.insert(identifier.copyBytes())
        }
        #expect(made.count == 1_000)
    }

    @Test(arguments: [0, 15, 17])
    func aSourceThatGivesSomethingElseMakesNone(count: Int) {
        var source = RandomSource { _ in [UInt8](repeating: 0, count: count) }
        #expect(SessionIdentifier(from: &source) == nil)
    }
}
