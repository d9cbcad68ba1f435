import CommandSessions
import Primitives
import Testing

@Suite struct BreachPolicyTests {
    private static let standardText: UTF8Text =
        "routine=log;unpermitted=log,report;unknown=log,report,trace,block;spoofed=log,suspend,alarm"

    @Test func theStandardIsThatOfTheTable() throws {
        let standard = BreachPolicy.standard
        #expect(standard[.routine] == .log)
        #expect(standard[.unpermitted] == [.log, .report])
        #expect(standard[.unknown] == [.log, .block, .trace, .report])
        #expect(standard[.spoofed] == [.log, .suspend, .alarm])
        #expect(standard.text == Self.standardText)
        #expect(
            try BreachPolicy(
                parsing: "routine=log;unpermitted=log,report;unknown=log,block,trace,report;spoofed=log,suspend,alarm"
            ) == standard
        )
    }

    @Test func everyPolicyIsReadAsItIsWritten() throws {
        for line in BreachPolicy.Line.allCases {
            for bits in UInt8(0)..<64 {
                var policy = BreachPolicy.standard
                policy[line] = BreachPolicy.Responses(rawValue: bits)
                #expect(try BreachPolicy(parsing: policy.text) == policy)
            }
        }
    }

    @Test func aMissingLineIsThatOfTheStandard() throws {
        let policy = try BreachPolicy(parsing: "spoofed=log")
        #expect(policy[.spoofed] == .log)
        for line in BreachPolicy.Line.allCases where line != .spoofed {
            #expect(policy[line] == BreachPolicy.standard[line])
        }
        #expect(try BreachPolicy(parsing: "") == .standard)
    }

    @Test func aLineWithoutResponsesDoesNothing() throws {
        let policy = try BreachPolicy(parsing: "routine=;spoofed=alarm")
        #expect(policy[.routine] == [])
        #expect(policy.text == "routine=;unpermitted=log,report;unknown=log,report,trace,block;spoofed=alarm")
        #expect(try BreachPolicy(parsing: policy.text) == policy)
    }

    static let errors: [(text: UTF8Text, error: BreachPolicy.ParseError)] = [
        ("log", .malformedLine(0)),
        ("=log", .malformedLine(0)),
        ("routine=log=report", .malformedLine(0)),
        ("routine=log;spoofed", .malformedLine(1)),
        ("spoof=log", .unknownLine(0)),
        ("Routine=log", .unknownLine(0)),
        (" routine=log", .unknownLine(0)),
        ("routine=log;routine=report", .unknownLine(1)),
        ("routine=log;unknown=log;spoofed=log,explode", .unknownResponse(2)),
        ("routine=Log", .unknownResponse(0)),
        ("routine=log, report", .unknownResponse(0)),
        ("routine=logs", .unknownResponse(0)),
        ("routine=lo", .unknownResponse(0)),
    ]

    @Test(arguments: errors)
    func whatIsNoPolicyIsRefusedWithItsLine(_ text: UTF8Text, error: BreachPolicy.ParseError) {
        #expect(throws: error) { try BreachPolicy(parsing: text) }
    }

    @Test func everyBreachHasItsLine() {
        let lines: [SessionBreach: BreachPolicy.Line] = [
            .changedCommand: .spoofed, .directChange: .unpermitted, .reflected: .spoofed, .swappedIdentifier: .spoofed,
            .unknownAddress: .unknown, .unknownServer: .unknown, .wrongIdentifier: .spoofed,
        ]
        for breach in SessionBreach.allCases { #expect(breach.line == lines[breach]) }
        #expect(Set(SessionBreach.allCases.map { "\($0.name)" }).count == SessionBreach.allCases.count)
    }
}
