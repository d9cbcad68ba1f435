public import CommandSessions
public import Foundation
public import GatewayEngine
import LwM2MModel
import Primitives
public import ServiceSupport

/// What a gateway does about breaches, and who may send which commands, as a JSON file.
///
/// ```json
/// {
///   "breaches": "unknown=log,trace;spoofed=log,suspend,alarm",
///   "permissions": [
///     {"user": "anna", "endpoints": "urn:dev:ops:32473-", "path": "/3303", "operations": ["write", "execute"]},
///     {"user": "root"}
///   ]
/// }
/// ```
///
/// A permission without a member allows any; what no permission allows is refused.
public struct MonitoringPolicyFile: Sendable {
    private static let largestFile = 1 << 20
    private static let mostRules = 10_000

    private struct Content: Decodable {
        struct Permission: Decodable {
            enum CodingKeys: String, CodingKey, CaseIterable { case user, endpoints, path, operations }

            let user: String?
            let endpoints: String?
            let path: String?
            let operations: [String]?

            init(from decoder: any Decoder) throws {
                try Member.check(decoder, CodingKeys.self)
                let members = try decoder.container(keyedBy: CodingKeys.self)
                self.user = try members.decodeIfThere(String.self, forKey: .user)
                self.endpoints = try members.decodeIfThere(String.self, forKey: .endpoints)
                self.path = try members.decodeIfThere(String.self, forKey: .path)
                self.operations = try members.decodeIfThere([String].self, forKey: .operations)
            }
        }

        enum CodingKeys: String, CodingKey, CaseIterable { case breaches, permissions }

        let breaches: String?
        let permissions: [Permission]?

        init(from decoder: any Decoder) throws {
            try Member.check(decoder, CodingKeys.self)
            let members = try decoder.container(keyedBy: CodingKeys.self)
            self.breaches = try members.decodeIfThere(String.self, forKey: .breaches)
            self.permissions = try members.decodeIfThere([Permission].self, forKey: .permissions)
        }
    }

    /// Any member of a JSON object.
    private struct Member: CodingKey {
        struct Unknown: Error { let name: String }

        let stringValue: String
        let intValue: Int? = nil
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }

        /// Refuses what is misspelled: a rule that it should have narrowed would allow everything.
        static func check<Known: CodingKey & CaseIterable>(_ decoder: any Decoder, _ known: Known.Type) throws {
            let names = known.allCases.map(\.stringValue)
            for member in try decoder.container(keyedBy: Member.self).allKeys
            where !names.contains(member.stringValue) {
                throw Unknown(name: member.stringValue)
            }
        }
    }

    /// What is done about breaches; nil when the file says nothing of it.
    public let breaches: BreachPolicy?
    /// Who may send which commands; nil when the file says nothing of it.
    public let permissions: PermissionPolicy?

    /// Reads a file.
    public init(contentsOf path: String) throws(ServiceError) {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: Self.largestFile + 1)
        else { throw ServiceError("the policy '\(path)' cannot be read", hint: "check the path and its permissions") }
        guard data.count <= Self.largestFile else {
            throw ServiceError(
                "the policy '\(path)' is larger than \(Self.largestFile) bytes",
                hint: "write fewer rules"
            )
        }
        try self.init(json: data, named: path)
    }

    /// Reads JSON.
    ///
    /// - Parameter name: how errors call it.
    public init(json data: Data, named name: String) throws(ServiceError) {
        let content: Content
        do { content = try JSONDecoder().decode(Content.self, from: data) } catch let member as Member.Unknown {
            throw ServiceError(
                "the policy '\(name)' has a member '\(member.name)' that it does not know",
                hint: "there are breaches and permissions, and in each of these user, endpoints, path, operations"
            )
        } catch {
            throw ServiceError(
                "the policy '\(name)' is no JSON object with 'breaches' and 'permissions'",
                hint: "as in {\"permissions\":[{\"user\":\"anna\",\"path\":\"/3303\",\"operations\":[\"write\"]}]}"
            )
        }
        self.breaches = try content.breaches.map { text throws(ServiceError) in try Self.readBreaches(text, name) }
        guard let permissions = content.permissions else {
            self.permissions = nil
            return
        }
        guard permissions.count <= Self.mostRules else {
            throw ServiceError("the policy '\(name)' has more than \(Self.mostRules) permissions", hint: "merge some")
        }
        var rules: [PermissionPolicy.Rule] = []
        for (index, permission) in permissions.enumerated() { rules.append(try Self.rule(permission, index, name)) }
        self.permissions = PermissionPolicy(rules: rules)
    }

    /// Reads the lines of a breach policy.
    public static func readBreaches(_ text: String, _ name: String) throws(ServiceError) -> BreachPolicy {
        do { return try BreachPolicy(parsing: UTF8Text(text)) } catch {
            throw ServiceError(
                "'\(text)' of \(name) is no policy for breaches",
                hint: "lines as in spoofed=log,suspend,alarm with ; between; "
                    + "there are routine, unpermitted, unknown, spoofed and log, report, trace, block, suspend, alarm"
            )
        }
    }

    private static func rule(
        _ permission: Content.Permission,
        _ index: Int,
        _ name: String
    ) throws(ServiceError) -> PermissionPolicy.Rule {
        var rule = PermissionPolicy.Rule(
            user: permission.user.map { UTF8Text($0) },
            endpointPrefix: UTF8Text(permission.endpoints ?? "")
        )
        if let text = permission.path {
            guard let path = try? ObjectPath(parsing: UTF8Text(text)) else {
                throw ServiceError("permission \(index) of '\(name)' has no path in '\(text)'", hint: "as in /3303/0")
            }
            rule.path = path
        }
        if let names = permission.operations {
            rule.operations = []
            for text in names {
                guard let operation = SessionCommand.Operation(name: text) else {
                    throw ServiceError(
                        "permission \(index) of '\(name)' has an unknown operation '\(text)'",
                        hint: "there are write, update, execute, create, delete"
                    )
                }
                rule.operations.insert(operation)
            }
        }
        return rule
    }
}

extension KeyedDecodingContainer {
    /// Decodes a member that may be left out; one that is null is a mistake, or a rule that it should have narrowed would
    /// allow everything.
    fileprivate func decodeIfThere<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        self.contains(key) ? try self.decode(type, forKey: key) : nil
    }
}
