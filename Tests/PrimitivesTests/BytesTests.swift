import Primitives
import TestSupport
import Testing

@Suite struct ByteReaderAndWriterTests {
    @Test func whatIsWrittenIsRead() throws {
        var writer = ByteWriter(capacity: 4)
        writer.write(7)
        writer.write(0x0102_0304, byteCount: 3)
        writer.write([9, 8])
        writer.write(UInt64.max, byteCount: 8)
        writer.write(5, byteCount: 0)
        #expect(writer.bytes == hex("07 020304 0908 ffffffffffffffff"))
        var reader = ByteReader(writer.bytes)
        #expect(reader.peeked == 7)
        #expect(try reader.readByte() == 7)
        #expect(try reader.readUnsigned(byteCount: 3) == 0x02_0304)
        #expect(try reader.readBytes(2) == [9, 8])
        #expect(try reader.readUnsigned(byteCount: 0) == 0)
        #expect(try reader.readUnsigned(byteCount: 8) == .max)
        #expect(reader.isAtEnd && reader.peeked == nil && reader.offset == 14)
    }

    @Test func nothingIsReadBehindTheEnd() throws {
        var reader = ByteReader([1, 2, 3])
        _ = try reader.readByte()
        #expect(throws: ByteReader.Exhausted(offset: 1)) { try reader.readUnsigned(byteCount: 3) }
        #expect(throws: ByteReader.Exhausted(offset: 1)) { try reader.readBytes(3) }
        #expect(throws: ByteReader.Exhausted(offset: 1)) { try reader.readBytes(-1) }
        #expect(throws: ByteReader.Exhausted(offset: 1)) { try reader.readBytes(.max) }
        #expect(throws: ByteReader.Exhausted(offset: 1)) { try reader.readSubreader(3) }
        #expect(reader.remaining == 2)
        #expect(try reader.readBytes(0) == [])
        #expect(try reader.readBytes(2) == [2, 3])
        #expect(throws: ByteReader.Exhausted(offset: 3)) { try reader.readByte() }
    }

    @Test func aPartIsReadByItself() throws {
        var reader = ByteReader([1, 2, 3, 4])
        _ = try reader.readByte()
        var part = try reader.readSubreader(2)
        #expect(part.offset == 1 && part.remaining == 2)
        #expect(try part.readBytes(2) == [2, 3])
        #expect(throws: ByteReader.Exhausted(offset: 3)) { try part.readByte() }
        #expect(try reader.readByte() == 4)
    }
}

@Suite struct HexadecimalTests {
    @Test func writesLowerCaseAndReadsEither() {
        #expect(Hexadecimal.encode([0x00, 0x9A, 0xFF]) == "009aff")
        #expect(Hexadecimal.decode("009aFF") == [0x00, 0x9A, 0xFF])
        #expect(Hexadecimal.decode("") == [])
        let all = Array(UInt8.min...UInt8.max)
        #expect(Hexadecimal.decode(Hexadecimal.encode(all)) == all)
    }

    @Test(arguments: ["0", "0g", " 00", "00 ", "0x00", "0\u{0}", "é0", "::", "//", "@@", "GG", "``"])
    func refuses(_ text: String) {
        #expect(Hexadecimal.decode(text) == nil)
    }
}

@Suite struct UTF8TextTests {
    @Test func agreesWithTheStandardLibraryOnWhatIsWellFormed() throws {
        func agrees(_ bytes: [UInt8]) -> Bool {
            (String(validating: bytes, as: UTF8.self) != nil) == (UTF8Text(validating: bytes) != nil)
        }
        for first in UInt8.min...UInt8.max {
            #expect(agrees([first]))
            for second in UInt8.min...UInt8.max where first >= 0x80 || second >= 0x80 {
                try #require(agrees([first, second]))
            }
        }
        // The edges of every kind of sequence, in every combination.
        let edges: [UInt8] = [
            0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
            0xF0,
            0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        for first in edges where first >= 0xC0 {
            for second in edges {
                for third in edges {
                    try #require(agrees([first, second, third]))
                    for fourth in edges where first >= 0xF0 { try #require(agrees([first, second, third, fourth])) }
                }
            }
        }
        try SeededRuns.each(2000) { generator in
            let bytes = (0..<12).map { _ in
                Bool.random(using: &generator)
                    ? edges[Int.random(in: 0..<edges.count, using: &generator)]
                    : .random(in: 0...255, using: &generator)
            }
            try #require(agrees(bytes), "\(Hexadecimal.encode(bytes))")
        }
    }

    @Test func comparesBytesNotCharacters() {
        #expect(UTF8Text("é") != UTF8Text("e\u{301}"))
        #expect(UTF8Text("ü").bytes == [0xC3, 0xBC])
        #expect(("a" as UTF8Text).string == "a")
        #expect(UTF8Text("").isEmpty)
    }
}

@Suite struct AsciiTests {
    @Test func classesAreThoseOfASCII() {
        for byte in UInt8.min...UInt8.max {
            let character = Character(Unicode.Scalar(byte))
            #expect(Ascii.isDigit(byte) == ("0"..."9").contains(character))
            #expect(
                Ascii.isLetter(byte) == (("a"..."z").contains(character) || ("A"..."Z").contains(character))
                    || byte > 127
            )
            #expect(Ascii.isHexadecimal(byte) == (Ascii.hexadecimalValue(byte) != nil))
            #expect(Ascii.hexadecimalValue(byte).map(Int.init) == (byte < 128 ? character.hexDigitValue : nil))
            #expect(Ascii.lowercased(byte) == (byte < 128 ? character.lowercased().utf8.first : byte))
        }
        for value in UInt8(0)..<16 { #expect(Ascii.hexadecimalValue(Ascii.hexadecimalDigit(value)) == value) }
    }
}
