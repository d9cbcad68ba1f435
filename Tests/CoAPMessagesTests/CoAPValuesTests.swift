import CoAPMessages
import Primitives
import Testing

@Suite struct CoAPValuesTests {
    @Test func codesHaveAClassADetailAndAText() {
        #expect(CoAPCode(class: 4, detail: 4) == .notFound)
        #expect(CoAPCode.notFound.text == "4.04")
        #expect(CoAPCode.unsupportedContentFormat.text == "4.15")
        #expect(CoAPCode.continue.text == "2.31")
        #expect(CoAPCode.get.isRequest && !CoAPCode.empty.isRequest && !CoAPCode.created.isRequest)
        #expect(CoAPCode.changed.isSuccess && !CoAPCode.badRequest.isSuccess)
        for byte in UInt8.min...UInt8.max {
            let code = CoAPCode(rawValue: byte)
            #expect(CoAPCode(class: code.codeClass, detail: code.detail) == code)
        }
    }

    @Test func optionsKeepTheOrderOfTheirNumbersAndOfTheirArrival() {
        var options = CoAPOptions()
        options.append(.uriQuery, [1])
        options.append(.uriPath, [2])
        options.append(.uriPath, [3])
        options.append(.ifMatch, [4])
        #expect(options.all.map(\.value) == [[4], [2], [3], [1]])
        #expect(options.first(.uriPath) == [2])
        options.remove(.uriPath)
        #expect(options.first(.uriPath) == nil)
        #expect(options.all.count == 2)
    }

    private static let numbers: [(UInt64, Int)] = [
        (0, 0), (1, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 3), (0x100_0000, 4), (.max, 8),
    ]

    @Test(arguments: numbers)
    func numbersTakeTheBytesTheyNeed(_ number: UInt64, count: Int) {
        var options = CoAPOptions()
        options.append(.observe, unsigned: number)
        #expect(options.first(.observe)?.count == count)
        #expect(options.observe == number)
    }

    @Test func numbersOfTooManyBytesAreNone() {
        var options = CoAPOptions()
        options.append(.observe, Array(repeating: 0, count: 9))
        options.append(.contentFormat, unsigned: 65_536)
        options.append(.accept, [0, 0, 60])
        #expect(options.observe == nil)
        #expect(options.contentFormat == nil)
        #expect(options.accept == .cbor)
    }

    @Test func textsMustBeUTF8() {
        var options = CoAPOptions()
        #expect(options.texts(.uriPath) == [])
        options.append(.uriPath, Array("rd".utf8))
        #expect(options.texts(.uriPath) == ["rd"])
        options.append(.uriPath, [0xFF])
        #expect(options.texts(.uriPath) == nil)
    }

    @Test func optionsWithOddNumbersAreCritical() {
        #expect(CoAPOptionNumber.uriPath.isCritical)
        #expect(CoAPOptionNumber.accept.isCritical)
        #expect(!CoAPOptionNumber.observe.isCritical)
        #expect(!CoAPOptionNumber.contentFormat.isCritical)
    }

    @Test func requestsTakePathQueryAndFormats() {
        let request = CoAPRequest(
            .post,
            path: ["rd", "x"],
            query: ["ep=a", "lt=60"],
            contentFormat: .linkFormat,
            accept: .senMLCBOR,
            payload: [1]
        )
        #expect(request.path == ["rd", "x"])
        #expect(request.query == ["ep=a", "lt=60"])
        #expect(request.options.contentFormat == .linkFormat)
        #expect(request.options.accept == .senMLCBOR)
        #expect(CoAPResponse(.content, contentFormat: .tlv, payload: []).options.contentFormat == .tlv)
    }

    @Test func tokensDifferByLengthToo() throws {
        let none = try #require(CoAPToken([]))
        #expect(none == .empty)
        #expect(none != CoAPToken([0]))
        #expect(CoAPToken([0]) != CoAPToken([0, 0]))
        #expect(CoAPToken([1, 2, 3, 4, 5, 6, 7, 8])?.bytes == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(CoAPToken([0, 2])?.bytes == [0, 2])
        #expect(CoAPToken(Array(repeating: 0, count: 9)) == nil)
    }
}
