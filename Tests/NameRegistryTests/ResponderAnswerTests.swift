import BalancerEngine
import NameRegistry
import Primitives
import Testing

/// What the responder says to well-formed questions.
@Suite("Embedded responder: answers")
struct ResponderAnswerTests {
    static let six: [UInt8] = [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7]

    private func harness() throws -> ResponderHarness {
        let harness = try ResponderHarness()
        try harness.publish([
            ("bsabc.example.test", [127, 0, 0, 11]), ("bssix.example.test", Self.six),
            ("deep.under.example.test", [127, 0, 0, 12]),
        ])
        return harness
    }

    @Test("a name has its address, with the TTL of its batch")
    func address() throws {
        let harness = try self.harness()
        let answer = try harness.ask("bsabc.example.test")
        #expect(answer.identifier == 0x5A17)
        #expect(answer.code == 0)
        #expect(answer.isAuthoritative)
        #expect(answer.answers == [.init(name: "bsabc.example.test", type: 1, timeToLive: 30, data: [127, 0, 0, 11])])
        #expect(try harness.ask("bssix.example.test", .aaaa).addresses == [Self.six])
        #expect(harness.responder.counters.answered == 2)
    }

    @Test("RFC 2308 §2.1: a name that nobody published does not exist, and the SOA says for how long")
    func nonexistent() throws {
        let harness = try self.harness()
        let answer = try harness.ask("bsabd.example.test")
        #expect(answer.code == 3)
        #expect(answer.isAuthoritative)
        #expect(answer.answers.isEmpty)
        let authority = try #require(answer.authorities.first)
        #expect(authority.name == "example.test")
        #expect(authority.type == 6)
        #expect(authority.timeToLive == 5)
        #expect(Array(authority.data.suffix(4)) == [0, 0, 0, 5])
        #expect(harness.responder.counters.nonexistent == 1)
    }

    @Test(
        "RFC 2308 §2.2: a name without a record of the type exists all the same",
        arguments: [
            ("bsabc.example.test", Kind.aaaa), ("bssix.example.test", .a), ("bsabc.example.test", .txt),
            ("example.test", .a), ("example.test", .mx), ("_epoch.example.test", .a), ("ns.example.test", .aaaa),
            // RFC 8020: what lies above a name exists.
            ("under.example.test", .a),
        ]
    )
    func noData(name: String, kind: Kind) throws {
        let harness = try self.harness()
        let answer = try harness.ask(name, kind)
        #expect(answer.code == 0)
        #expect(answer.answers.isEmpty)
        #expect(answer.authorities.map(\.type) == [6])
        #expect(harness.responder.counters.noData == 1)
    }

    @Test("the apex has its SOA and NS, the name server its address, the epoch its text")
    func infrastructure() throws {
        let harness = try self.harness()
        let soa = try harness.ask("example.test", .soa)
        #expect(soa.answers.map(\.type) == [6])
        #expect(soa.isAuthoritative)
        let ns = try harness.ask("example.test", .ns)
        #expect(ns.answers.map(\.type) == [2])
        #expect(try harness.ask("ns.example.test").addresses == [[127, 0, 24, 1]])
        let epoch = try harness.ask("_epoch.example.test", .txt)
        #expect(epoch.answers.map(\.data) == [[12] + Array("balancer-1 1".utf8)])
        #expect(epoch.answers.map(\.timeToLive) == [0])
    }

    @Test("every batch makes the serial number one more")
    func serial() throws {
        let harness = try self.harness()
        func serial() throws -> [UInt8] {
            let soa = try #require(try harness.ask("example.test", .soa).answers.first)
            return Array(soa.data.dropLast(16).suffix(4))
        }
        #expect(try serial() == [0, 0, 0, 2])
        try harness.publish([])
        #expect(try serial() == [0, 0, 0, 3])
    }

    @Test("names are the same in any case, and the question comes back in its own")
    func mixedCase() throws {
        let harness = try self.harness()
        let question = TestQuestion("BsAbC.eXaMpLe.TeSt")
        let answer = try harness.ask(question)
        #expect(answer.addresses == [[127, 0, 0, 11]])
        #expect(answer.question == TestQuestion.wire("BsAbC.eXaMpLe.TeSt") + [0, 1, 0, 1])
        #expect(answer.answers.map(\.name) == ["BsAbC.eXaMpLe.TeSt"])
    }

    @Test(
        "outside the zone nothing is said",
        arguments: ["example.org", "test", "notexample.test", "", "bsabc.example.test.org", "xexample.test"]
    )
    func outside(name: String) throws {
        let harness = try self.harness()
        let answer = try harness.ask(name)
        #expect(answer.code == 5)
        #expect(!answer.isAuthoritative)
        #expect(answer.answers.isEmpty && answer.authorities.isEmpty)
    }

    @Test("RFC 8482: any type, and transfers, are refused", arguments: [Kind.any, .axfr, .ixfr])
    func refusedTypes(kind: Kind) throws {
        let harness = try self.harness()
        #expect(try harness.ask("example.test", kind).code == 5)
        #expect(try harness.ask("bsabc.example.test", kind).answers.isEmpty)
    }

    @Test("another class than IN is refused", arguments: [UInt16(3), 4, 254, 255, 0])
    func otherClass(number: UInt16) throws {
        let harness = try self.harness()
        var question = TestQuestion("bsabc.example.test")
        question.recordClass = number
        #expect(try harness.ask(question).code == 5)
    }

    @Test("RFC 1035 §4.1.1: other operations are not implemented, dynamic updates among them", arguments: 1...15)
    func operations(opcode: UInt16) throws {
        let harness = try self.harness()
        var question = TestQuestion("bsabc.example.test")
        question.flags = opcode << 11 | 0x0100
        let answer = try harness.ask(question)
        #expect(answer.code == 4)
        #expect(answer.flags & 0x7800 == opcode << 11)
        #expect(harness.responder.counters.notImplemented == 1)
    }

    @Test("recursion comes back as it was asked for, and is never available")
    func recursion() throws {
        let harness = try self.harness()
        var question = TestQuestion("bsabc.example.test")
        #expect(try harness.ask(question).flags & 0x0180 == 0x0100)
        question.flags = 0
        #expect(try harness.ask(question).flags & 0x0180 == 0)
    }

    @Test("RFC 6891: EDNS is answered with EDNS, another version with BADVERS")
    func extensions() throws {
        let harness = try self.harness()
        var question = TestQuestion("bsabc.example.test")
        #expect(try harness.ask(question).additional.isEmpty)
        question.payloadSize = 4096
        let answer = try harness.ask(question)
        #expect(answer.additional.map(\.type) == [41])
        #expect(answer.addresses == [[127, 0, 0, 11]])
        question.version = 1
        let refused = try harness.ask(question)
        #expect(refused.code == 16)
        #expect(refused.answers.isEmpty)
    }

    @Test("RFC 1035 §4.2.1: the longest answers there can be fit into 512 bytes")
    func longestAnswers() throws {
        let label = String(repeating: "z", count: 61)
        let zone = [label, label, label, String(repeating: "y", count: 59)].joined(separator: ".")
        let harness = try ResponderHarness(ResponderHarness.configuration(zone: UTF8Text(zone)))
        let writer = UTF8Text(String(repeating: "w", count: 63))
        let epoch = RegistryEpoch(writer: writer, number: .max)
        let update = NameUpdate(expected: nil, epoch: epoch, assigned: [], removed: [], timeToLive: 1)
        #expect(try harness.apply(update) == nil)
        for (name, kind) in [("_epoch.\(zone)", Kind.txt), ("nobody.\(zone)", .a), (zone, .soa), (zone, .ns)] {
            var question = TestQuestion(name, kind)
            question.payloadSize = 512
            let bytes = try #require(try harness.send(question.bytes))
            #expect(bytes.count <= 400)
            #expect(try !TestAnswer(bytes).isTruncated)
        }
    }

    @Test("dig reads what is said", .enabled(if: Dig.path != nil, "dig is missing; make install brings it"))
    func dig() throws {
        let harness = try self.harness()
        #expect(try Dig.ask(harness, ["bsabc.example.test", "A", "+short"]) == "127.0.0.11\n")
        #expect(try Dig.ask(harness, ["bssix.example.test", "AAAA", "+short", "+tcp"]) == "2001:db8::7\n")
        #expect(try Dig.ask(harness, ["nobody.example.test", "A"]).contains("status: NXDOMAIN"))
        #expect(try Dig.ask(harness, ["example.test", "SOA", "+short"]).contains("hostmaster.example.test. 2 3600"))
        #expect(try Dig.ask(harness, ["_epoch.example.test", "TXT", "+short"]) == "\"balancer-1 1\"\n")
        let refused = try Dig.ask(harness, ["example.org", "A"])
        #expect(refused.contains("status: REFUSED"))
        for output in [refused, try Dig.ask(harness, ["bsabc.example.test", "A"])] {
            #expect(!output.contains("Warning"))
            #expect(!output.contains("malformed"))
        }
    }
}
