import Foundation
public import LwM2MModel
public import Primitives

/// What a server knows of one device: its name, the identity it shows and its key.
public struct Credential: Sendable {
    /// The endpoint name.
    public var endpoint: UTF8Text
    /// The DTLS identity.
    public var identity: [UInt8]
    /// The key of the identity.
    public var key: SecretBytes

    /// Creates a credential from its parts.
    public init(endpoint: UTF8Text, identity: [UInt8], key: SecretBytes) {
        self.endpoint = endpoint
        self.identity = identity
        self.key = key
    }
}

/// The credentials of many devices, found by identity.
///
/// A file holds them as lines `endpoint,identity,key` or as JSON, `[{"endpoint": …, "identity": …, "key": …}]`;
/// the identity may be left out when it is the endpoint's name. Keys are hexadecimal.
public struct CredentialTable: Sendable {
    private static let maximumFileSize = 256 << 20
    private var byIdentity: [[UInt8]: Credential] = [:]
    private var identities: [UTF8Text: [UInt8]] = [:]

    /// Creates a table.
    ///
    /// - Throws: when two devices have one identity, or one endpoint two identities.
    public init(_ credentials: [Credential]) throws(ServiceError) {
        for credential in credentials {
            guard self.byIdentity.updateValue(credential, forKey: credential.identity) == nil else {
                throw ServiceError(
                    "the identity of endpoint '\(credential.endpoint)' belongs to another endpoint too",
                    hint: "each device needs an identity of its own"
                )
            }
            guard self.identities.updateValue(credential.identity, forKey: credential.endpoint) == nil else {
                throw ServiceError(
                    "endpoint '\(credential.endpoint)' stands twice in the credentials",
                    hint: "remove one of the lines"
                )
            }
        }
    }

    /// Reads a file, JSON when it begins like JSON and lines otherwise.
    public init(contentsOf path: String) throws(ServiceError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw ServiceError("the credentials '\(path)' cannot be read", hint: "check the path and its permissions")
        }
        guard data.count <= Self.maximumFileSize else {
            throw ServiceError("the credentials '\(path)' are too large", hint: "at most 256 MiB")
        }
        let first = data.first { !($0 == 0x20 || (0x09...0x0D).contains($0)) }
        let credentials =
            first == UInt8(ascii: "[") ? try Self.readJSON(data, path) : try Self.readLines(Array(data), path)
        try self.init(credentials)
    }

    /// How many devices the table holds.
    public var count: Int { self.byIdentity.count }

    /// The credential of an identity.
    public func credential(of identity: [UInt8]) -> Credential? { self.byIdentity[identity] }

    /// The credential of an endpoint.
    public func credential(ofEndpoint endpoint: UTF8Text) -> Credential? {
        self.identities[endpoint].flatMap { self.byIdentity[$0] }
    }

    /// Every credential, in no order.
    public var all: [Credential] { Array(self.byIdentity.values) }

    /// The rule that ties every identity of the table to its endpoint.
    public var endpointRule: EndpointRule {
        EndpointRule(.strict, endpoints: self.byIdentity.mapValues(\.endpoint))
    }

    private struct Entry: Decodable {
        var endpoint: String
        var identity: String?
        var key: String
    }

    private static func readJSON(_ data: Data, _ path: String) throws(ServiceError) -> [Credential] {
        let entries: [Entry]
        do {
            entries = try JSONDecoder().decode([Entry].self, from: data)
        } catch {
            throw ServiceError(
                "the credentials '\(path)' are not the JSON that is expected",
                hint: #"[{"endpoint": "urn:dev:1", "identity": "urn:dev:1", "key": "00112233"}]"#
            )
        }
        var credentials: [Credential] = []
        for (index, entry) in entries.enumerated() {
            credentials.append(try self.credential(entry, "entry \(index + 1) of '\(path)'"))
        }
        return credentials
    }

    private static func readLines(_ bytes: [UInt8], _ path: String) throws(ServiceError) -> [Credential] {
        var credentials: [Credential] = []
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            if text.isEmpty || text.hasPrefix("#") { continue }
            let fields = text.split(separator: ",", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            if index == 0, fields.first == "endpoint" { continue }
            let entry: Entry
            switch fields.count {
            case 2: entry = Entry(endpoint: fields[0], identity: nil, key: fields[1])
            case 3: entry = Entry(endpoint: fields[0], identity: fields[1], key: fields[2])
            default:
                throw ServiceError(
                    "line \(index + 1) of '\(path)' has \(fields.count) fields",
                    hint: "write endpoint,identity,key or endpoint,key; a name with a comma needs the JSON form"
                )
            }
            credentials.append(try self.credential(entry, "line \(index + 1) of '\(path)'"))
        }
        return credentials
    }

    private static func credential(_ entry: Entry, _ place: String) throws(ServiceError) -> Credential {
        let endpoint = UTF8Text(entry.endpoint)
        guard (1...255).contains(endpoint.bytes.count) else {
            throw ServiceError("\(place): the endpoint has \(endpoint.bytes.count) bytes", hint: "1 to 255 bytes")
        }
        let identity = entry.identity.flatMap { $0.isEmpty ? nil : Array($0.utf8) } ?? endpoint.bytes
        guard identity.count <= 255 else {
            throw ServiceError("\(place): the identity has \(identity.count) bytes", hint: "at most 255 bytes")
        }
        let key = try DeviceKeys.readKey(entry.key, option: "\(place): the key")
        return Credential(endpoint: endpoint, identity: identity, key: key)
    }
}
