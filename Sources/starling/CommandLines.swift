import Foundation
import ManagementService

/// What a gateway tells of commands, as lines for people.
enum CommandLines {
    /// How far a command is: `message-1 sent gsid 9f3a12bc… dsid 07b1c2d4… write /3303/0/5750, 6 bytes`.
    static func progress(_ reply: ControlReply) -> String {
        let event = reply.event ?? ""
        if event == "accepted" { return "command \(self.word("command", reply) ?? "") accepted" }
        let order: [(name: String, label: String)] = [
            ("direction", ""), ("attempt", "attempt "), ("gsid", "gsid "), ("dsid", "dsid "), ("outcome", "outcome "),
            ("kind", ""), ("because", "because "), ("seconds", "seconds "),
        ]
        let parts = order.compactMap { part in self.word(part.name, reply).map { part.label + $0 } }
        return ([event] + parts + [self.summary(reply)].compactMap { $0 }).joined(separator: " ")
    }

    /// How a command ended: `done 2.04: executed once`.
    static func result(_ reply: ControlReply) -> String {
        self.outcome(reply) + (reply.message.map { ": \($0)" } ?? "")
    }

    /// A command of the list: `7 2026-01-01T00:00:00Z urn:dev:1 write /3303/0/5750, 6 bytes, by anna: done 2.04`.
    static func command(_ reply: ControlReply) -> String {
        let start = [self.word("command", reply), self.date("given", reply), reply.endpoint, self.summary(reply)]
        return start.compactMap { $0 }.joined(separator: " ") + self.author(reply) + ": " + self.outcome(reply)
    }

    /// A line of the audit log: `12 2026-01-01T00:00:00Z urn:dev:1 given, command 7: write /3303/0/5750, 6 bytes, by anna`.
    static func audit(_ reply: ControlReply) -> String {
        let start = [self.word("number", reply), self.date("time", reply), reply.endpoint, self.word("what", reply)]
        return start.compactMap { $0 }.joined(separator: " ")
            + (self.word("command", reply).map { ", command \($0)" } ?? "")
            + (self.summary(reply).map { ": \($0)" } ?? "") + self.author(reply)
    }

    private static func word(_ name: String, _ reply: ControlReply) -> String? { reply.details?[name]?.text }

    private static func outcome(_ reply: ControlReply) -> String {
        [self.word("outcome", reply) ?? "ended", reply.code, self.word("reason", reply)].compactMap { $0 }
            .joined(separator: " ")
    }

    private static func summary(_ reply: ControlReply) -> String? {
        guard let operation = self.word("operation", reply), let bytes = self.word("bytes", reply) else { return nil }
        return "\(operation) \(reply.path ?? ""), \(bytes) bytes"
    }

    private static func author(_ reply: ControlReply) -> String {
        self.word("user", reply).map { ", by \($0)" } ?? ""
    }

    private static func date(_ name: String, _ reply: ControlReply) -> String? {
        guard let text = self.word(name, reply), let seconds = Int64(text) else { return nil }
        return Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }
}
