import Primitives
import TestSupport
import Testing

@Suite struct DecimalNumberTests {
    private static func double(_ text: String) -> Double? { DecimalNumber.double(Array(text.utf8)[...]) }

    /// Numbers that parsers are known to get wrong: ties, the smallest, the largest, the last subnormal one.
    private static let hard: [String] = [
        "0", "-0", "0.0", "00012", "1", "9007199254740991", "9007199254740992", "9007199254740993",
        "9007199254740992.99999", "9007199254740993.00000000000000000001", "18446744073709551615",
        "18446744073709551616", "123456789012345678901234567890", "1e22", "1e23", "8.5e22", "1e-5", "0.1", "0.3",
        "2.2250738585072011e-308", "2.2250738585072012e-308", "2.2250738585072014e-308", "4.9e-324", "5e-324",
        "2.4703282292062327e-324", "2.4703282292062328e-324", "2.5e-324", "1e-400", "1.7976931348623157e308",
        "1.7976931348623158e308", "1.7976931348623159e308", "1e308", "1e309", "1e400", "1e999999999999999999999",
        "1e-999999999999999999999", "0e999999999999", "6.02214076e23", "7.2057594037927933e16",
        "1448997445238699", "3.518437208883201171875e13", "62.5364939768271845828",
        "6250000000000000000000000000000000e-12", "0.000000000000000000000000000000000000001",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126", ".5", "5.", "1E5", "1e+5", "+7",
    ]

    @Test(arguments: hard)
    func readsTheNearestDouble(_ text: String) throws {
        // The C library's own conversion is the judge.
        let expected = try #require(Double(text))
        let value = try #require(Self.double(text))
        #expect(value.bitPattern == expected.bitPattern, "\(value) instead of \(expected)")
    }

    @Test func readsLongTies() throws {
        // Half way between 1 and the next number, told apart only by a digit far behind.
        let tie = "1.00000000000000011102230246251565404236316680908203125"
        #expect(Self.double(tie + String(repeating: "0", count: 2000)) == 1)
        #expect(Self.double(tie + String(repeating: "0", count: 2000) + "1") == 1.0.nextUp)
        #expect(Self.double("0." + String(repeating: "0", count: 5000) + "1e5001") == 1)
        #expect(Self.double("1" + String(repeating: "0", count: 5000) + "e-5000") == 1)
        #expect(Self.double(String(repeating: "9", count: 5000)) == .infinity)
    }

    private static let refused = [
        "", "-", "+", ".", "e5", "-.e1", "1e", "1e+", "1e1.5", "1.2.3", " 1", "1 ", "1,5", "0x1p3", "inf", "nan", "--1",
        "1f",
    ]

    @Test(arguments: refused)
    func refuses(_ text: String) {
        #expect(Self.double(text) == nil)
    }

    @Test func readsRandomDecimalsAsTheCLibraryDoes() throws {
        try SeededRuns.each(4000) { generator in
            let digits = Int.random(
                in: 1...[3, 17, 25, 60, 800][Int.random(in: 0..<5, using: &generator)],
                using: &generator
            )
            var text = String((0..<digits).map { _ in Character("\(Int.random(in: 0..<10, using: &generator))") })
            if Bool.random(using: &generator) {
                text.insert(
                    ".",
                    at: text.index(text.startIndex, offsetBy: Int.random(in: 0...digits, using: &generator))
                )
            }
            let reach = [5, 30, 340, 1200][Int.random(in: 0..<4, using: &generator)]
            if Bool.random(using: &generator) { text += "e\(Int.random(in: -reach...reach, using: &generator))" }
            guard let expected = Double(text) else { return }
            let value = try #require(Self.double(text))
            try #require(value.bitPattern == expected.bitPattern, "\(text): \(value) instead of \(expected)")
        }
    }

    @Test func whatIsWrittenIsReadBack() throws {
        try SeededRuns.each(4000) { generator in
            let number = Double(bitPattern: generator.next())
            guard number.isFinite else { return }
            var bytes: [UInt8] = []
            DecimalNumber.write(number, into: &bytes)
            try #require(DecimalNumber.double(bytes[...])?.bitPattern == number.bitPattern)
        }
    }

    @Test func halfwayPointsBetweenNeighboursRoundToEven() throws {
        try SeededRuns.each(300) { generator in
            // Below 2^53 + 2^11 every half has an exact decimal of a few digits.
            let even = UInt64.random(in: (1 << 52)..<(1 << 53), using: &generator)
            let expected = even % 2 == 0 ? even : even + 1
            try #require(Self.double("\(even).5") == Double(expected))
        }
    }

    private static let integers: [(String, Int64?, UInt64?)] = [
        ("0", 0, 0), ("007", 7, 7), ("-7", -7, nil), ("+7", 7, nil),
        ("9223372036854775807", .max, 9_223_372_036_854_775_807),
        ("9223372036854775808", nil, 9_223_372_036_854_775_808), ("-9223372036854775808", .min, nil),
        ("-9223372036854775809", nil, nil), ("18446744073709551615", nil, .max), ("18446744073709551616", nil, nil),
        ("99999999999999999999999999999999", nil, nil), ("", nil, nil), ("-", nil, nil), ("--1", nil, nil),
        ("1 ", nil, nil),
        ("1.0", nil, nil), ("-0", 0, nil),
    ]

    @Test(arguments: integers)
    func readsIntegers(_ text: String, signed: Int64?, unsigned: UInt64?) {
        #expect(DecimalNumber.signed(Array(text.utf8)[...]) == signed)
        #expect(DecimalNumber.unsigned(Array(text.utf8)[...]) == unsigned)
    }

    @Test(arguments: [Int64.min, -10, -1, 0, 9, 10, 12_345, .max])
    func writesIntegers(_ number: Int64) {
        var bytes: [UInt8] = [0x78]
        DecimalNumber.write(signed: number, into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "x\(number)")
    }
}
