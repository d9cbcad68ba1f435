import CommandSessions
import Foundation
import LwM2MModel
import Primitives
import TestSupport
import Testing

/// The bytes that docs/command-sessions.md shows are those that both sides send.
@Suite struct PageExampleTests {
    @Test func theMessagesAreThoseOfThePage() throws {
        let command = try #require(
            SessionCommand(.write, ObjectPath(3303, 0, 5750), contentFormat: .text, payload: Array("attic".utf8))
        )
        let (z, five, two) = (try Self.sixteen("Z"), try Self.sixteen("5"), try Self.sixteen("2"))
        for (number, dsid) in [(1, five), (2, two), (3, two)] as [(UInt8, SessionIdentifier)] {
            let long = SessionMessage(number: number, command: command, gsid: z, dsid: dsid)
            let short = SessionMessage(number: number, command: command, gsid: nil, dsid: number == 1 ? nil : dsid)
            #expect(try Self.bytes("message \(number)") == [long.encoded, short.encoded])
        }
    }

    @Test func questionAndOutcomeAreThoseOfThePage() throws {
        let long = SessionPair(gsid: try Self.sixteen("Z"), dsid: try Self.sixteen("2"))
        let short = SessionPair(gsid: nil, dsid: try Self.sixteen("2"))
        #expect(try Self.bytes("question") == [long.encoded, short.encoded])
        let done = SessionReport(.done(.changed), of: long)
        #expect(try Self.bytes("outcome") == [done.encoded, SessionReport(.notDone, of: short).encoded])
    }

    private static func sixteen(_ letter: String) throws -> SessionIdentifier {
        try #require(SessionIdentifier(bytes: Array(String(repeating: letter, count: 16).utf8)))
    }

    /// The bytes of a name, the long form's before the short one's.
    private static func bytes(_ name: String) throws -> [[UInt8]] {
        let command = try self.digits("command").first ?? ""
        return try self.digits(name).map { hex($0.replacingOccurrences(of: "command", with: command)) }
    }

    /// What stands on the lines that begin with a name, up to the remark; a line with brackets only says what follows.
    private static func digits(_ name: String) throws -> [String] {
        let page = try String(contentsOf: Fixtures.root.appending(path: "docs/command-sessions.md"), encoding: .utf8)
        let lines = page.split(separator: "\n").filter { $0.hasPrefix("\(name)    ") }
        return lines.map { line in
            let rest = String(line.dropFirst(name.count).drop { $0 == " " })
            return rest.components(separatedBy: "  ").first ?? rest
        }
        .filter { !$0.hasPrefix("[") }
    }
}
