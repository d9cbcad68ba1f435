import CoAPTransport
import Glibc
import NameRegistry
import Primitives
import TestSupport
import Testing

/// The responder among strangers: any bytes, guesses, floods.
@Suite("Embedded responder: hostile input")
struct ResponderHostileTests {
    private func harness() throws -> ResponderHarness {
        let harness = try ResponderHarness()
        try harness.publish([("bsabc.example.test", [127, 0, 0, 11])])
        return harness
    }

    private var question: [UInt8] {
        var question = TestQuestion("bsabc.example.test")
        question.payloadSize = 1232
        return question.bytes
    }

    /// What may come back: nothing, or a readable answer to this very question.
    private func check(_ harness: ResponderHarness, _ bytes: [UInt8]) throws {
        guard let answer = try harness.send(bytes) else { return }
        try #require(bytes.count >= 12)
        try #require(Array(answer[..<2]) == Array(bytes[..<2]))
        try #require(answer[2] & 0x80 != 0)
        try #require(answer.count <= max(512, bytes.count + 64))
        let read = try TestAnswer(answer)
        if read.code == 0, !read.answers.isEmpty { try #require(read.answers.count == 1) }
    }

    @Test("a question cut anywhere is FORMERR or nothing, and nothing else is said")
    func truncations() throws {
        let harness = try self.harness()
        for damaged in Damage.truncations(self.question) {
            let answer = try harness.send(damaged)
            if damaged.count < 12 {
                #expect(answer == nil)
            } else {
                #expect(try TestAnswer(#require(answer)).code == 1)
            }
        }
        #expect(harness.responder.counters.malformed == UInt64(self.question.count))
        #expect(try harness.ask("bsabc.example.test").addresses.count == 1)
    }

    @Test("a question with any bit flipped gets a readable answer or none")
    func bitFlips() throws {
        let harness = try self.harness()
        for damaged in Damage.bitFlips(self.question) { try self.check(harness, damaged) }
        #expect(try harness.ask("bsabc.example.test").addresses.count == 1)
    }

    @Test("random bytes, spliced into questions or alone, get a readable answer or none")
    func random() throws {
        let harness = try self.harness()
        try SeededRuns.each(40) { generator in
            for _ in 0..<50 {
                var bytes = Bool.random(using: &generator) ? self.question : Array(self.question[..<12])
                for _ in 0..<Int.random(in: 0...12, using: &generator) {
                    let index = Int.random(in: 0...bytes.count, using: &generator)
                    let piece = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                        UInt8.random(in: .min ... .max, using: &generator)
                    }
                    bytes.replaceSubrange(index..<min(bytes.count, index + piece.count / 2), with: piece)
                }
                try self.check(harness, bytes)
            }
        }
        #expect(try harness.ask("bsabc.example.test").addresses.count == 1)
    }

    @Test("an answer is never answered, so that two servers cannot talk for ever")
    func answers() throws {
        let harness = try self.harness()
        var question = TestQuestion("bsabc.example.test")
        question.flags = 0x8180
        #expect(try harness.send(question.bytes) == nil)
        #expect(harness.responder.counters.malformed == 1)
    }

    @Test(
        "names that point anywhere are malformed in a question",
        arguments: [
            // To itself, forward, into the header, behind the end; after a label.
            [0xC0, 12], [0xC0, 14], [0xC0, 0], [0xFF, 0xFF], [1, 0x61, 0xC0, 12], [1, 0x61, 0xC0, 14],
            // Kinds of labels that were never used.
            [0x40, 0x61], [0x80, 0x61], [0x41],
        ] as [[UInt8]]
    )
    func compression(name: [UInt8]) throws {
        let harness = try self.harness()
        let header = Array(self.question[..<10]) + [0, 0]
        #expect(try TestAnswer(#require(try harness.send(header + name + [0, 1, 0, 1]))).code == 1)
    }

    @Test("further records are only walked over, wherever their names point; at most eight")
    func furtherRecords() throws {
        let harness = try self.harness()
        let plain = TestQuestion("bsabc.example.test").bytes
        func ask(_ count: UInt8, _ records: [UInt8]) throws -> Int {
            var message = plain
            message[11] = count
            return try TestAnswer(#require(try harness.send(message + records))).code
        }
        let loop: [UInt8] = [0xC0, UInt8(plain.count), 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]
        #expect(try ask(1, loop) == 0)
        #expect(try ask(8, Array(repeating: loop, count: 8).flatMap { $0 }) == 0)
        #expect(try ask(9, Array(repeating: loop, count: 9).flatMap { $0 }) == 1)
        let extensions: [UInt8] = [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0]
        #expect(try ask(1, extensions) == 0)
        #expect(try ask(2, extensions + extensions) == 1)
        // A name that is not the root's, data that is longer than the message, and bytes behind the end.
        #expect(try ask(1, [1, 0x61] + extensions) == 1)
        #expect(try ask(1, extensions.dropLast() + [1]) == 1)
        #expect(try ask(1, extensions + [0]) == 1)
    }

    @Test("RFC 1035 §2.3.4: a name of 255 bytes is a name, one of 256 is none", arguments: [(255, 3), (256, 1)])
    func longNames(length: Int, code: Int) throws {
        let harness = try self.harness()
        let tail = TestQuestion.wire("example.test")
        var name: [UInt8] = []
        while name.count + tail.count < length {
            let label = min(63, length - tail.count - name.count - 1)
            name += [UInt8(label)] + [UInt8](repeating: 0x61, count: label)
        }
        name += tail
        #expect(name.count == length)
        let message = Array(self.question[..<10]) + [0, 0] + name + [0, 1, 0, 1]
        #expect(try TestAnswer(#require(try harness.send(message))).code == code)
    }

    @Test("bytes that are no letters are only bytes: a stranger's name does not exist")
    func oddNames() throws {
        let harness = try self.harness()
        for byte in UInt8.min ... .max where byte != UInt8(ascii: ".") {
            let name: [UInt8] = [2, byte, 0] + TestQuestion.wire("example.test")
            let message = Array(self.question[..<10]) + [0, 0] + name + [0, 1, 0, 1]
            #expect(try TestAnswer(#require(try harness.send(message))).code == 3)
        }
        #expect(harness.responder.counters.nonexistent == 255)
    }

    @Test("a stranger's guesses are counted, each of them")
    func guesses() throws {
        let harness = try self.harness()
        for number in 0..<500 { #expect(try harness.ask("bs\(number).example.test").code == 3) }
        #expect(harness.responder.counters.nonexistent == 500)
        #expect(harness.responder.counters.answered == 0)
    }

    @Test("above its limit a source is told to come by TCP every other time, and otherwise nothing")
    func sourceLimit() throws {
        var configuration = ResponderHarness.configuration()
        configuration.answersPerSourceAndSecond = 0
        let harness = try ResponderHarness(configuration)
        try harness.publish([("bsabc.example.test", [127, 0, 0, 11])])
        let client = LoopbackSocket.connected(to: harness.responder.address, type: SOCK_DGRAM)
        defer { close(client) }
        var answers: [[UInt8]] = []
        for _ in 0..<20 { LoopbackSocket.send(client, TestQuestion("bsabc.example.test").bytes) }
        try harness.turn {
            while let answer = LoopbackSocket.receive(client) { answers.append(answer) }
            return harness.responder.counters.limited == 20
        }
        #expect(answers.count == 10)
        for answer in answers {
            #expect(answer.count <= TestQuestion("bsabc.example.test").bytes.count)
            let read = try TestAnswer(answer)
            #expect(read.isTruncated)
            #expect(read.answers.isEmpty)
        }
        #expect(harness.responder.counters.answered == 0)
    }
}
