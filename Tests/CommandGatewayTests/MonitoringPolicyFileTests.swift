import CommandGateway
import CommandSessions
import Foundation
import GatewayEngine
import LoopbackPeers
import LwM2MModel
import Primitives
import ServiceSupport
import Testing

/// The file that says who may send which commands and what is done about breaches.
@Suite struct MonitoringPolicyFileTests {
    private func read(_ text: String) throws(ServiceError) -> MonitoringPolicyFile {
        try MonitoringPolicyFile(json: Data(text.utf8), named: "policy.json")
    }

    @Test func everyMemberIsRead() throws {
        let file = try self.read(
            """
            {
              "breaches": "unknown=log,trace;spoofed=block",
              "permissions": [
                {"user": "anna", "endpoints": "urn:dev:", "path": "/3303", "operations": ["write", "execute"]},
                {"user": "root"},
                {"operations": ["update", "create", "delete"]},
                {}
              ]
            }
            """
        )
        #expect(file.breaches?[.unknown] == [.log, .trace])
        #expect(file.breaches?[.spoofed] == .block)
        #expect(file.breaches?[.routine] == BreachPolicy.standard[.routine])
        #expect(
            file.permissions?.rules == [
                .init(
                    user: "anna",
                    endpointPrefix: "urn:dev:",
                    path: ObjectPath(3303),
                    operations: [.write, .execute]
                ),
                .init(user: "root"),
                .init(operations: [.update, .create, .delete]),
                .init(),
            ]
        )
    }

    @Test func whatIsNotSaidIsLeftAsItIs() throws {
        #expect(try self.read("{}").breaches == nil)
        #expect(try self.read("{}").permissions == nil)
        #expect(try self.read(#"{"permissions": []}"#).permissions?.rules.isEmpty == true)
        #expect(try self.read(#"{"permissions": [{"path": "/"}]}"#).permissions == .standard)
    }

    private static let mistakes: [(String, message: String)] = [
        ("", "is no JSON object"),
        ("[]", "is no JSON object"),
        ("{", "is no JSON object"),
        (#"{"breaches": 7}"#, "is no JSON object"),
        (#"{"permissions": {"user": "anna"}}"#, "is no JSON object"),
        (#"{"permissions": [{"operations": "write"}]}"#, "is no JSON object"),
        (#"{"permissions": null}"#, "is no JSON object"),
        (#"{"breaches": null}"#, "is no JSON object"),
        (#"{"permissions": [{"user": null}]}"#, "is no JSON object"),
        (#"{"permissions": [{"user": "anna", "endpoints": null}]}"#, "is no JSON object"),
        (#"{"permissions": [{"user": "anna", "path": null}]}"#, "is no JSON object"),
        (#"{"permissions": [{"user": "anna", "operations": null}]}"#, "is no JSON object"),
        (#"{"permissions": [null]}"#, "is no JSON object"),
        (#"{"permission": []}"#, "'permission'"),
        (#"{"permissions": [{"usr": "anna"}]}"#, "'usr'"),
        (#"{"permissions": [{"user": "anna", "Path": "/3303"}]}"#, "'Path'"),
        (#"{"breaches": "spoofed"}"#, "no policy for breaches"),
        (#"{"breaches": "spoofed=shout"}"#, "no policy for breaches"),
        (#"{"breaches": "friendly=log"}"#, "no policy for breaches"),
        (#"{"breaches": "spoofed=log;spoofed=log"}"#, "no policy for breaches"),
        (#"{"permissions": [{}, {"path": "3303"}]}"#, "permission 1 of 'policy.json' has no path in '3303'"),
        (#"{"permissions": [{"path": "/70000"}]}"#, "permission 0 of 'policy.json' has no path"),
        (#"{"permissions": [{"operations": ["write", "read"]}]}"#, "unknown operation 'read'"),
    ]

    @Test(arguments: mistakes) func aMistakeIsSaidWithAHint(_ text: String, message: String) throws {
        do {
            _ = try self.read(text)
            Issue.record("it was read")
        } catch {
            #expect(error.message.contains("policy.json"), "\(error)")
            #expect(error.message.contains(message), "\(error)")
            #expect(!error.hint.isEmpty)
        }
    }

    @Test func moreRulesThanAllowedAreRefused() throws {
        func rules(_ count: Int) -> String {
            "{\"permissions\":[" + Array(repeating: "{}", count: count).joined(separator: ",") + "]}"
        }
        #expect(try self.read(rules(10_000)).permissions?.rules.count == 10_000)
        #expect(throws: ServiceError.self) { try self.read(rules(10_001)) }
    }

    @Test func aFileThatCannotBeUsedIsSaidWithAHint() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/policy.json"
        try Data(#"{"permissions": [{"user": "anna"}]}"#.utf8).write(to: URL(fileURLWithPath: path))
        #expect(try MonitoringPolicyFile(contentsOf: path).permissions?.rules.count == 1)
        for other in [folder.path + "/none", folder.path] {
            #expect(throws: ServiceError.self) { try MonitoringPolicyFile(contentsOf: other) }
        }
        try Data(repeating: 0x20, count: 1 << 20 | 1).write(to: URL(fileURLWithPath: path))
        do {
            _ = try MonitoringPolicyFile(contentsOf: path)
            Issue.record("it was read")
        } catch {
            #expect(error.message.contains("larger than"))
        }
    }
}
