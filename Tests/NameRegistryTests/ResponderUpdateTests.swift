import BalancerEngine
import CoAPTransport
import NameRegistry
import Primitives
import Testing

/// How the responder takes batches: as a DNS server with the epoch prerequisite does.
@Suite("Embedded responder: batches")
struct ResponderUpdateTests {
    private let one: [UInt8] = [127, 0, 0, 1]
    private let two: [UInt8] = [127, 0, 0, 2]

    private func update(
        expected: RegistryEpoch?,
        number: UInt64 = 9,
        assigned: [(UTF8Text, [UInt8])] = [],
        removed: [UTF8Text] = []
    ) throws -> NameUpdate {
        NameUpdate(
            expected: expected,
            epoch: RegistryEpoch(writer: "b", number: number),
            assigned: try assigned.map { NameRecord(name: $0.0, address: try #require(IPAddress($0.1))) },
            removed: removed,
            timeToLive: 5
        )
    }

    @Test("an address replaces the one before, of either family")
    func replaces() throws {
        let harness = try ResponderHarness()
        try harness.publish([("a.example.test", self.one)])
        try harness.publish([("a.example.test", self.two)])
        #expect(try harness.ask("a.example.test").addresses == [self.two])
        try harness.publish([("a.example.test", ResponderAnswerTests.six)])
        #expect(try harness.ask("a.example.test").addresses.isEmpty)
        #expect(try harness.ask("a.example.test", .aaaa).addresses == [ResponderAnswerTests.six])
        #expect(harness.responder.nameCount == 1)
    }

    @Test("a removed name is gone, one that was never there does not matter, one that is assigned as well stays")
    func removes() throws {
        let harness = try ResponderHarness()
        try harness.publish([("a.example.test", self.one), ("b.example.test", self.one)])
        try harness.publish(
            [("b.example.test", self.two)],
            removing: ["a.example.test", "b.example.test", "never.example.test"]
        )
        #expect(try harness.ask("a.example.test").code == 3)
        #expect(try harness.ask("b.example.test").addresses == [self.two])
        #expect(try harness.readNames().map(\.name) == ["b.example.test"])
    }

    @Test("a name above others exists until the last of them is gone")
    func emptyNonTerminals() throws {
        let harness = try ResponderHarness()
        try harness.publish([("a.x.y.example.test", self.one), ("b.y.example.test", self.one)])
        #expect(try harness.ask("x.y.example.test").code == 0)
        #expect(try harness.ask("y.example.test").code == 0)
        try harness.publish([], removing: ["a.x.y.example.test"])
        #expect(try harness.ask("x.y.example.test").code == 3)
        #expect(try harness.ask("y.example.test").code == 0)
        try harness.publish([("y.example.test", self.two)], removing: ["b.y.example.test"])
        #expect(try harness.ask("y.example.test").addresses == [self.two])
        try harness.publish([], removing: ["y.example.test"])
        #expect(try harness.ask("y.example.test").code == 3)
    }

    @Test("a batch that expects another epoch is not done")
    func epoch() throws {
        let harness = try ResponderHarness()
        #expect(try harness.readEpoch() == nil)
        let first = RegistryEpoch(writer: "b", number: 9)
        let wrong = RegistryEpoch(writer: "b", number: 8)
        let names: [(UTF8Text, [UInt8])] = [("a.example.test", self.one)]
        #expect(try harness.apply(self.update(expected: wrong, assigned: names)) == .epochMismatch)
        #expect(try harness.readEpoch() == nil)
        #expect(try harness.apply(self.update(expected: nil, assigned: names)) == nil)
        #expect(try harness.readEpoch() == first)
        // The same batch again, as after a lost answer, or one of somebody who thinks that the zone is new.
        #expect(try harness.apply(self.update(expected: nil, number: 10)) == .epochMismatch)
        let other = RegistryEpoch(writer: "c", number: 9)
        #expect(try harness.apply(self.update(expected: other, number: 10)) == .epochMismatch)
        #expect(try harness.apply(self.update(expected: first, number: 10)) == nil)
    }

    @Test(
        "RFC 2136 §3.4.1.3: a batch with one bad name leaves nothing done",
        arguments: [
            ("a.example.org", 10), ("example.test", 5), ("ns.example.test", 5), ("_epoch.example.test", 5),
            ("a b.example.test", 1), ("a..example.test", 1), ("", 1), ("a.example.test.org", 10),
        ] as [(UTF8Text, UInt8)]
    )
    func atomicity(bad: UTF8Text, code: UInt8) throws {
        let harness = try ResponderHarness()
        let good: [(UTF8Text, [UInt8])] = [("a.example.test", self.one), (bad, self.one)]
        #expect(try harness.apply(self.update(expected: nil, assigned: good)) == .refused(code))
        #expect(try harness.apply(self.update(expected: nil, removed: [bad])) == .refused(code))
        #expect(try harness.readEpoch() == nil)
        #expect(try harness.readNames().isEmpty)
        #expect(try harness.ask("a.example.test").code == 3)
    }

    @Test(
        "an epoch that its text cannot carry is refused",
        arguments: ["", "a b", "a\nb", "ä", UTF8Text(String(repeating: "w", count: 64))] as [UTF8Text]
    )
    func badWriter(writer: UTF8Text) throws {
        let harness = try ResponderHarness()
        var update = try self.update(expected: nil)
        update.epoch.writer = writer
        #expect(try harness.apply(update) == .refused(1))
    }

    @Test("there is room for as many names as configured, and no more")
    func bound() throws {
        var configuration = ResponderHarness.configuration()
        configuration.maximumNames = 3
        let harness = try ResponderHarness(configuration)
        try harness.publish((0..<3).map { ("n\($0).example.test", self.one) })
        let epoch = harness.epoch
        let more: [(UTF8Text, [UInt8])] = [("n3.example.test", self.one)]
        #expect(try harness.apply(self.update(expected: epoch, assigned: more)) == .local)
        #expect(harness.responder.nameCount == 3)
        try harness.publish([], removing: ["n0.example.test"])
        try harness.publish([("n3.example.test", self.one)])
        #expect(harness.responder.nameCount == 3)
    }

    @Test("names are taken and given in lower case, a final dot does not matter")
    func spelling() throws {
        let harness = try ResponderHarness()
        try harness.publish([("A.Example.TEST.", self.one)])
        #expect(try harness.readNames().map(\.name) == ["a.example.test"])
    }

    @Test(
        "a zone that is no name is refused",
        arguments: ["", ".", "a b", UTF8Text(String(repeating: "abcdefg.", count: 32))] as [UTF8Text]
    )
    func badZone(zone: UTF8Text) throws {
        let loop = try EventLoop()
        #expect(throws: RegistrySetupError.invalidZone) {
            try EmbeddedResponder(configuration: ResponderHarness.configuration(zone: zone), loop: loop)
        }
    }

    @Test("an address that is taken, or is not ours, is an error")
    func badAddress() throws {
        let harness = try ResponderHarness()
        var configuration = ResponderHarness.configuration()
        configuration.address = harness.responder.address
        #expect(throws: RegistrySetupError.addressInUse) {
            try EmbeddedResponder(configuration: configuration, loop: harness.loop)
        }
        configuration.address = SocketAddress(ipv4: (192, 0, 2, 1), port: 0)
        #expect(throws: RegistrySetupError.addressNotAvailable) {
            try EmbeddedResponder(configuration: configuration, loop: harness.loop)
        }
    }
}
