import CommandSessions
import Primitives

/// What happened on a link, a line each.
final class LinkTranscript {
    var lines: [String] = []
}

/// What can be read of a run that failed.
extension SimulatedLink {
    func note(_ text: () -> String) {
        self.transcript?.lines.append("\(self.clock.nanoseconds / 1_000_000) ms  \(text())")
    }

    func show(_ request: LinkRequest) -> String {
        switch request {
        case .writeMessage1(let message): "message 1 \(self.show(message))"
        case .readMessage2: "read message 2"
        case .writeMessage3(let message): "message 3 \(self.show(message))"
        case .writeOutcomeQuery(let pair): "outcome of [\(self.show(pair.gsid)), \(self.show(pair.dsid))]"
        case .readOutcome: "read outcome"
        }
    }

    func show(_ message: SessionMessage) -> String {
        "[\(message.number), \(self.show(message.gsid)), \(self.show(message.dsid))]"
    }

    /// Identifiers of a simulation are nobody's secret: their first bytes tell them apart.
    func show(_ bytes: [UInt8]) -> String {
        if let message = try? SessionMessage(decoding: bytes) { return self.show(message) }
        if let report = try? SessionReport(decoding: bytes) {
            return "[\(self.show(report.identifier)), \(report.outcome)]"
        }
        return "\(bytes.count) bytes"
    }

    func show(_ identifier: SessionIdentifier?) -> String {
        identifier.map { Hexadecimal.encode(Array($0.copyBytes().prefix(2))) } ?? "null"
    }
}
