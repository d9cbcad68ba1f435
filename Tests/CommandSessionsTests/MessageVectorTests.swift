import CoAPMessages
import CommandSessions
import Foundation
import LwM2MModel
import Primitives
import TestSupport
import Testing

/// A vector of `messages.json`.
struct MessageVector: Decodable, CustomTestStringConvertible {
    let title: String
    let number: UInt8
    let operation: UInt8
    let path: String
    let contentFormat: UInt16?
    let payload: String
    let gsid: String?
    let dsid: String?
    let encoded: String

    var testDescription: String { self.title }

    static let all: [MessageVector] = vectors("messages.json")

    func message() throws -> SessionMessage {
        let command = try SessionCommand(
            #require(SessionCommand.Operation(rawValue: self.operation)),
            ObjectPath(parsing: UTF8Text(self.path)),
            contentFormat: self.contentFormat.map(ContentFormat.init),
            payload: hex(self.payload)
        )
        return try SessionMessage(
            number: self.number,
            command: #require(command),
            gsid: identifier(bytes: self.gsid),
            dsid: identifier(bytes: self.dsid)
        )
    }
}

/// A vector of `reports.json`.
struct ReportVector: Decodable, CustomTestStringConvertible {
    let outcome: String
    let code: UInt8?
    let identifier: String
    let encoded: String

    var testDescription: String { "\(self.outcome) \(self.code.map(String.init) ?? "")" }

    static let all: [ReportVector] = vectors("reports.json")

    func report() throws -> SessionReport {
        let outcome: SessionOutcome =
            switch self.outcome {
            case "not done": .notDone
            case "done": .done(CoAPCode(rawValue: try #require(self.code)))
            case "unknown": .unknown
            default: .executing
            }
        let dsid = try #require(try CommandSessionsTests.identifier(bytes: self.identifier))
        return SessionReport(outcome, of: SessionPair(gsid: nil, dsid: dsid))
    }
}

/// A vector of `queries.json`.
struct QueryVector: Decodable {
    let gsid: String?
    let dsid: String
    let encoded: String

    static let all: [QueryVector] = vectors("queries.json")
}

private func vectors<Vector: Decodable>(_ name: String) -> [Vector] {
    guard let bytes = try? Fixtures.vector("CommandSessions/\(name)"),
        let vectors = try? JSONDecoder().decode([Vector].self, from: Data(bytes))
    else { return [] }
    return vectors
}

/// The identifier that hexadecimal digits stand for; nil for none.
func identifier(bytes digits: String?) throws -> SessionIdentifier? {
    try digits.map { try #require(SessionIdentifier(bytes: hex($0))) }
}

@Suite struct MessageVectorTests {
    @Test func theFilesAreThere() throws {
        #expect(MessageVector.all.count == 85)
        #expect(ReportVector.all.count == 24)
        #expect(QueryVector.all.count == 4)
        for operation in SessionCommand.Operation.allCases {
            #expect(MessageVector.all.contains { $0.operation == operation.rawValue })
        }
    }

    @Test(arguments: MessageVector.all)
    func messagesAreThoseOfTheVectors(_ vector: MessageVector) throws {
        let message = try vector.message()
        #expect(Hexadecimal.encode(message.encoded) == vector.encoded)
        #expect(try SessionMessage(decoding: hex(vector.encoded)) == message)
    }

    @Test(arguments: ReportVector.all)
    func reportsAreThoseOfTheVectors(_ vector: ReportVector) throws {
        let report = try vector.report()
        #expect(Hexadecimal.encode(report.encoded) == vector.encoded)
        #expect(try SessionReport(decoding: hex(vector.encoded)) == report)
    }

    @Test func questionsAreThoseOfTheVectors() throws {
        for vector in QueryVector.all {
            let pair = try SessionPair(
                gsid: identifier(bytes: vector.gsid),
                dsid: #require(try identifier(bytes: vector.dsid))
            )
            #expect(Hexadecimal.encode(pair.encoded) == vector.encoded)
            #expect(try SessionPair(decoding: hex(vector.encoded)) == pair)
        }
    }
}
