import Primitives
import TestSupport
import Testing

@Suite("RFC 4291 §2.2 and RFC 5952: addresses as text")
struct IPAddressTextTests {
    /// What is read, and how it is written.
    private static let readable: [(text: String, written: String)] = [
        ("0.0.0.0", "0.0.0.0"),
        ("192.0.2.1", "192.0.2.1"),
        ("255.255.255.255", "255.255.255.255"),
        // RFC 4291, section 2.2, the preferred form, the compressed form, and with IPv4 at the end.
        ("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"),
        ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
        ("2001:DB8::8:800:200C:417A", "2001:db8::8:800:200c:417a"),
        ("FF01:0:0:0:0:0:0:101", "ff01::101"),
        ("FF01::101", "ff01::101"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("::1", "::1"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("::", "::"),
        ("0:0:0:0:0:0:13.1.68.3", "::d01:4403"),
        ("::13.1.68.3", "::d01:4403"),
        ("0:0:0:0:0:FFFF:129.144.52.38", "::ffff:8190:3426"),
        ("::FFFF:129.144.52.38", "::ffff:8190:3426"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        // RFC 5952, section 4.1: no leading zeros.
        ("2001:0db8::0001", "2001:db8::1"),
        // Section 4.2.1: as short as possible.
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
        ("2001:db8::0:1", "2001:db8::1"),
        // Section 4.2.2: one group of zeros is not shortened.
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        // Section 4.2.3: the longest run, and of equal ones the first.
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        // Section 4.3: lower case.
        ("2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:00AF", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:af"),
        ("1::", "1::"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("1:0:0:4:5:6:0:0", "1::4:5:6:0:0"),
        ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
    ]

    @Test(arguments: readable)
    func readsAndWrites(_ text: String, written: String) throws {
        let address = try #require(IPAddress(parsing: UTF8Text(text)))
        #expect(address.text.string == written)
        #expect(address.isIPv6 == text.contains(":"))
        #expect(IPAddress(parsing: address.text) == address)
    }

    @Test func bracketsAreThoseOfIPv6() {
        #expect(IPAddress(parsing: "[2001:db8::1]") == IPAddress(parsing: "2001:db8::1"))
        #expect(IPAddress(parsing: "[::]")?.text == "::")
        for text in ["[192.0.2.1]", "[]", "[", "]", "[::1", "::1]", "[[::1]]", "[::1]:5683", "[::1%25eth0]"] {
            #expect(IPAddress(parsing: UTF8Text(text)) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        "", ".", "..", "...", "1", "1.", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.", "1.2.3.4.5", "256.0.0.1",
        "1.2.3.999", "1.2.3.1000", "01.2.3.4", "1.2.3.04", "00.0.0.0", "1.2.3.0x4", "1.2.3.-4", "1.2.3.+4", " 1.2.3.4",
        "1.2.3.4 ", "1,2,3,4", "1.2.3.4:5683", "a.b.c.d", "١.2.3.4", "localhost",
    ])
    func refusesWhatIsNoIPv4(_ text: String) {
        #expect(IPAddress(parsing: UTF8Text(text)) == nil)
    }

    @Test(arguments: [
        ":", ":::", "::::", "1:", ":1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7:8:9", "::1:", "1::2::3", "::1::", "12345::", "g::", "::-1", "::1 ",
        "1::2:3:4:5:6:7:8", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "fe80::1%eth0", "::1/64",
        "::1.2.3", "::1.2.3.", "::1.2.3.4.5", "::1.2.3.4:5", "1.2.3.4::", "::01.2.3.4", "::256.1.1.1", "::.",
        "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "1:2:3:4:5:6::1.2.3.4",
    ])
    func refusesWhatIsNoIPv6(_ text: String) {
        #expect(IPAddress(parsing: UTF8Text(text)) == nil)
    }

    @Test("Every address is read back from its text")
    func roundTrip() throws {
        try SeededRuns.each(200) { generator in
            for count in [4, 16] {
                // Many zeros, so that runs of them are met at every place.
                let bytes = (0..<count).map { _ in
                    Bool.random(using: &generator) ? 0 : UInt8.random(in: 0...255, using: &generator)
                }
                let address = try #require(IPAddress(bytes))
                #expect(try #require(IPAddress(parsing: address.text)) == address)
            }
        }
    }

    @Test("No text ends the program, and what is read is an address")
    func survivesAnyText() throws {
        let alphabet = Array("0123456789abcfF:.[]%/ g".utf8)
        try SeededRuns.each(2_000) { generator in
            let bytes = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            let text = try #require(UTF8Text(validating: bytes))
            guard let address = IPAddress(parsing: text) else { return }
            try #require(IPAddress(parsing: address.text) == address)
        }
        for text in ["2001:db8::1", "[::ffff:192.0.2.33]", "192.0.2.33"] {
            for shortened in Damage.truncations(Array(text.utf8)) {
                _ = UTF8Text(validating: shortened).flatMap { IPAddress(parsing: $0) }
            }
        }
    }

    @Test func hasFourOrSixteenBytes() {
        for count in 0...20 {
            #expect((IPAddress(Array(repeating: 0, count: count)) != nil) == [4, 16].contains(count))
        }
    }
}
