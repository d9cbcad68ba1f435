import CoAPMessages
internal import Foundation
import Primitives
public import ServiceSupport

/// A file of devices: comma-separated lines or JSON.
///
/// The first line names the columns, in any order. `endpoint`, `identity` and `key` are those of ``CredentialFile``;
/// `region`, `class` and others are passed over. About the first server a device is told of speak `server`,
/// `server-short-id`, `server-lifetime`, `server-minimum-period`, `server-maximum-period`, `server-identity` and
/// `server-key`; about the second `server2`, `server2-short-id` and so on, up to `server8`. As JSON the file is an
/// array of objects with `endpoint`, `identity`, `key` and `servers`, an array of objects with `uri`,
/// `shortServerID`, `lifetime`, `minimumPeriod`, `maximumPeriod`, `identity` and `key`.
extension ProvisioningDatabase {
    /// How much a file may hold.
    struct Limits {
        var size = 256 << 20
        var devices = 1_000_000
    }

    private static let maximumServers = 8
    private static let longestLine = 65_536

    /// Reads a file.
    ///
    /// - Throws: what is wrong in which line or entry, for people; no key in it.
    public init(contentsOf path: String) throws(ServiceError) {
        try self.init(contentsOf: path, limits: Limits())
    }

    init(contentsOf path: String, limits: Limits) throws(ServiceError) {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: limits.size + 1)
        else {
            throw ServiceError("the database '\(path)' cannot be read", hint: "check the path and its permissions")
        }
        guard data.count <= limits.size else {
            throw ServiceError("the database '\(path)' is too large", hint: "at most \(limits.size >> 20) MiB")
        }
        let first = data.first { !($0 == 0x20 || (0x09...0x0D).contains($0)) }
        let devices = first == UInt8(ascii: "[") ? try Self.readJSON(data, path) : try Self.readLines(Array(data), path)
        guard devices.count <= limits.devices else {
            throw ServiceError(
                "the database '\(path)' has \(devices.count) devices",
                hint: "at most \(limits.devices); let several instances have a part each"
            )
        }
        try self.init(devices)
    }

    // MARK: Lines

    private enum Column: Equatable {
        case endpoint
        case identity
        case key
        case server(Int, String)
    }

    private static let serverColumns: Set<String> = [
        "", "short-id", "lifetime", "minimum-period", "maximum-period", "identity", "key",
    ]

    private static func readLines(_ bytes: [UInt8], _ path: String) throws(ServiceError) -> [Device] {
        var devices: [Device] = []
        var columns: [Column?] = []
        var number = 0
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            let place = { "line \(number) of '\(path)'" }
            guard line.count <= Self.longestLine else {
                throw ServiceError("\(place()) has \(line.count) bytes", hint: "at most \(Self.longestLine)")
            }
            let text = SeparatedText.trimmed(line)
            if text.isEmpty || text.first == UInt8(ascii: "#") { continue }
            let fields = try SeparatedText.fields(text, place)
            if columns.isEmpty {
                columns = try Self.columns(fields, place)
                continue
            }
            guard fields.count == columns.count else {
                throw ServiceError(
                    "\(place()) has \(fields.count) fields",
                    hint: "the first line names \(columns.count) columns; a field with a comma stands in double quotes"
                )
            }
            devices.append(try Self.device(Self.entry(fields, columns, place), place))
        }
        return devices
    }

    private static func columns(_ names: [String], _ place: () -> String) throws(ServiceError) -> [Column?] {
        var columns: [Column?] = []
        for name in names {
            let column = try self.column(name, place)
            guard column == nil || !columns.contains(column) else {
                throw ServiceError("\(place()): column '\(name)' stands twice", hint: "name each column once")
            }
            columns.append(column)
        }
        guard columns.contains(.endpoint) else {
            throw ServiceError(
                "\(place()) names no column 'endpoint'",
                hint: "begin the file with the names of its columns: endpoint,identity,key,server,server-lifetime"
            )
        }
        return columns
    }

    private static func column(_ name: String, _ place: () -> String) throws(ServiceError) -> Column? {
        switch name {
        case "endpoint": return .endpoint
        case "identity": return .identity
        case "key": return .key
        default: break
        }
        guard name.hasPrefix("server") else { return nil }
        let rest = name.dropFirst("server".count)
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        let end = rest.dropFirst(digits.count)
        let number = digits.isEmpty ? 1 : Int(digits) ?? 0
        guard (1...self.maximumServers).contains(number), end.isEmpty || end.hasPrefix("-"), end != "-",
            self.serverColumns.contains(String(end.dropFirst()))
        else {
            throw ServiceError(
                "\(place()): there is no column '\(name)'",
                hint: "server, server-short-id, server-lifetime, server-minimum-period, server-maximum-period, "
                    + "server-identity, server-key; for further servers server2 to server\(self.maximumServers)"
            )
        }
        return .server(number - 1, String(end.dropFirst()))
    }

    private static func entry(
        _ fields: [String],
        _ columns: [Column?],
        _ place: () -> String
    ) throws(ServiceError) -> Entry {
        var entry = Entry()
        var servers = [Entry.Server](repeating: Entry.Server(), count: self.maximumServers)
        var count = 0
        for (column, field) in zip(columns, fields) where !field.isEmpty {
            switch column {
            case .endpoint: entry.endpoint = field
            case .identity: entry.identity = field
            case .key: entry.key = field
            case .server(let index, let name):
                count = max(count, index + 1)
                guard servers[index].set(name, field) else {
                    throw ServiceError("\(place()): '\(field)' is no number", hint: "digits alone, at most 4294967295")
                }
            case nil: break
            }
        }
        if count > 0 { entry.servers = Array(servers.prefix(count)) }
        return entry
    }

    // MARK: JSON

    private struct Entry: Decodable {
        struct Server: Decodable {
            var uri: String?
            var shortServerID: UInt32?
            var lifetime: UInt32?
            var minimumPeriod: UInt32?
            var maximumPeriod: UInt32?
            var identity: String?
            var key: String?

            /// - Returns: false when the text is no number and should be one.
            mutating func set(_ name: String, _ text: String) -> Bool {
                switch name {
                case "": self.uri = text
                case "identity": self.identity = text
                case "key": self.key = text
                default:
                    guard let number = UInt32(text) else { return false }
                    switch name {
                    case "short-id": self.shortServerID = number
                    case "lifetime": self.lifetime = number
                    case "minimum-period": self.minimumPeriod = number
                    default: self.maximumPeriod = number
                    }
                }
                return true
            }
        }

        var endpoint = ""
        var identity: String?
        var key: String?
        var servers: [Server]?
    }

    private static func readJSON(_ data: Data, _ path: String) throws(ServiceError) -> [Device] {
        let entries: [Entry]
        do {
            entries = try JSONDecoder().decode([Entry].self, from: data)
        } catch {
            var place = "the database '\(path)'"
            if let error = error as? DecodingError, let index = Self.path(of: error).first?.intValue {
                let names = Self.path(of: error).dropFirst().map(\.stringValue).joined(separator: ".")
                place = "entry \(index + 1) of '\(path)'" + (names.isEmpty ? "" : " at '\(names)'")
            }
            throw ServiceError(
                "\(place) is not the JSON that is expected",
                hint: #"[{"endpoint": "urn:dev:1", "key": "00112233", "servers": [{"uri": "coaps://10.0.0.1:5684"}]}]"#
            )
        }
        var devices: [Device] = []
        devices.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            devices.append(try self.device(entry) { "entry \(index + 1) of '\(path)'" })
        }
        return devices
    }

    private static func path(of error: DecodingError) -> [any CodingKey] {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            context.codingPath
        @unknown default: []
        }
    }

    // MARK: Checks

    private static func device(_ entry: Entry, _ place: () -> String) throws(ServiceError) -> Device {
        let endpoint = UTF8Text(entry.endpoint)
        guard (1...255).contains(endpoint.bytes.count) else {
            throw ServiceError("\(place()): the endpoint has \(endpoint.bytes.count) bytes", hint: "1 to 255 bytes")
        }
        let servers = entry.servers ?? []
        guard servers.count <= self.maximumServers else {
            throw ServiceError("\(place()) has \(servers.count) servers", hint: "at most \(self.maximumServers)")
        }
        var accounts: [Account] = []
        for (index, server) in servers.enumerated() {
            accounts.append(try self.account(server) { "\(place()), server \(index + 1)" })
        }
        if accounts.contains(where: { $0.uri != nil }), let index = accounts.firstIndex(where: { $0.uri == nil }) {
            throw ServiceError(
                "\(place()), server \(index + 1) has no URI",
                hint: "a device has URIs for all its servers, or for none and takes those of --server"
            )
        }
        let numbers = accounts.enumerated().map { index, account in account.shortServerID ?? UInt16(index + 1) }
        guard Set(numbers).count == numbers.count else {
            throw ServiceError("\(place()): two servers have one short identifier", hint: "each its own, 1 to 65534")
        }
        let identity = try self.identity(entry.identity, place)
        var credential: Credential?
        if let text = entry.key {
            let key = try DeviceKeys.readKey(text, option: "\(place()): the key")
            credential = Credential(endpoint: endpoint, identity: identity ?? endpoint.bytes, key: key)
        }
        return Device(endpoint: endpoint, credential: credential, accounts: accounts)
    }

    private static func account(_ server: Entry.Server, _ place: () -> String) throws(ServiceError) -> Account {
        var account = Account()
        if let text = server.uri {
            guard (try? CoAPURI(parsing: UTF8Text(text))) != nil else {
                throw ServiceError("\(place()): '\(text)' is no CoAP URI", hint: "write it as coaps://10.0.0.1:5684")
            }
            account.uri = UTF8Text(text)
        }
        if let number = server.shortServerID {
            guard (1...65_534).contains(number) else {
                throw ServiceError("\(place()) has the short identifier \(number)", hint: "1 to 65534")
            }
            account.shortServerID = UInt16(number)
        }
        account.lifetime = server.lifetime
        account.minimumPeriod = server.minimumPeriod
        account.maximumPeriod = server.maximumPeriod
        account.identity = try self.identity(server.identity, place)
        if let key = server.key { account.key = try DeviceKeys.readKey(key, option: "\(place()): the key") }
        return account
    }

    private static func identity(_ text: String?, _ place: () -> String) throws(ServiceError) -> [UInt8]? {
        guard let text, !text.isEmpty else { return nil }
        guard text.utf8.count <= 255 else {
            throw ServiceError("\(place()): the identity has \(text.utf8.count) bytes", hint: "at most 255 bytes")
        }
        return Array(text.utf8)
    }
}
