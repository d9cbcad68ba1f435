import BalancerEngine
import Primitives
import Testing

@testable import NameRegistry

@Suite("Names and epochs as text")
struct TextTests {
    @Test(
        "a name becomes labels behind their lengths, in lower case",
        arguments: [("a", [1, 97, 0]), ("A.b.", [1, 97, 1, 98, 0]), ("_x-1.y", [4, 95, 120, 45, 49, 1, 121, 0])]
            as [(UTF8Text, [UInt8])]
    )
    func names(text: UTF8Text, wire: [UInt8]) throws {
        let name = try #require(DomainName(text))
        #expect(name.wire == wire)
        #expect(DomainName(name.text) == name)
        #expect(DomainName(wire: wire) == name)
    }

    @Test(
        "what is no name is none",
        arguments: [
            "", ".", "..", ".a", "a..b", "a b", "ä", "a\u{0}", "*", "*.example.test", "a\\.b",
            UTF8Text(String(repeating: "a", count: 64)), UTF8Text(String(repeating: "abcdefg.", count: 32)),
        ] as [UTF8Text]
    )
    func badNames(text: UTF8Text) {
        #expect(DomainName(text) == nil)
    }

    @Test("RFC 1035 §2.3.4: labels of 63 bytes and names of 253 characters are the longest")
    func longest() throws {
        let label = String(repeating: "a", count: 63)
        let name = try #require(DomainName(UTF8Text("\(label).\(label).\(label).\(label.dropLast(2))")))
        #expect(name.wire.count == 255)
        #expect(DomainName(UTF8Text("\(label).\(label).\(label).\(label.dropLast(1))")) == nil)
        #expect(name.prefixed(by: "x") == nil)
    }

    @Test(
        "bytes of a message that are not one whole name are none",
        arguments: [
            [], [1], [1, 97], [0, 0], [1, 97, 0, 0], [64, 97], [0xC0, 0], [1, 46, 0], [1, 0xFF, 0], [2, 97, 0],
        ]
            as [[UInt8]]
    )
    func badWire(bytes: [UInt8]) {
        #expect(DomainName(wire: bytes) == nil)
    }

    @Test("a name lies in a zone by whole labels")
    func zones() throws {
        let zone = try #require(DomainName("example.test"))
        #expect(DomainName("a.example.test")?.prefixLength(in: zone) == 2)
        #expect(DomainName("a.b.example.test")?.prefixLength(in: zone) == 4)
        #expect(zone.prefixLength(in: zone) == 0)
        for outside: UTF8Text in ["test", "xexample.test", "example.test.a", "a.example.tes", "b"] {
            #expect(DomainName(outside)?.prefixLength(in: zone) == nil)
        }
        // A label whose bytes look like the zone's wire form.
        let tail = [UInt8](zone.wire.dropLast())
        let odd = DomainName(wire: [UInt8(tail.count)] + tail + [0])
        #expect(odd == nil)
    }

    @Test(
        "an epoch is a writer and a number",
        arguments: [
            ("b 0", "b", 0), ("balancer-1 18446744073709551615", "balancer-1", .max), ("B 7", "B", 7),
        ] as [(UTF8Text, UTF8Text, UInt64)]
    )
    func epochs(text: UTF8Text, writer: UTF8Text, number: UInt64) {
        let epoch = RegistryEpoch(writer: writer, number: number)
        #expect(EpochText.parse(text.bytes) == epoch)
        #expect(EpochText.bytes(of: epoch) == text.bytes)
    }

    @Test(
        "any other text is no epoch",
        arguments: [
            "", " ", "b", "b ", " 1", "b  1", "b 1 ", "b 01", "b -1", "b +1", "b 1.0", "b 18446744073709551616",
            "b 99999999999999999999", "b 100000000000000000000", "a b 1", "ä 1", "b\t1",
        ] as [UTF8Text]
    )
    func badEpochs(text: UTF8Text) {
        #expect(EpochText.parse(text.bytes) == nil)
    }
}
