internal import Foundation
import Primitives

/// A file of credentials: comma-separated lines or JSON.
///
/// The first line names the columns, in any order: `endpoint` and `key`, perhaps `identity`, `region` and `class`;
/// others are passed over. Without such a line the columns are `endpoint,identity,key`, or `endpoint,key`. A field
/// with a comma stands in double quotes. Empty lines and lines that begin with `#` say nothing. As JSON the file is
/// an array of objects with the same members. An identity that is left out is the endpoint's name; keys are
/// hexadecimal.
public enum CredentialFile {
    private static let maximumSize = 256 << 20
    private static let longestLabel = 64

    private enum Column: String {
        case endpoint
        case identity
        case key
        case region
        case deviceClass = "class"
    }

    private struct Entry: Decodable {
        var endpoint = ""
        var identity: String?
        var key = ""
        var region: String?
        var deviceClass: String?

        enum CodingKeys: String, CodingKey {
            case endpoint
            case identity
            case key
            case region
            case deviceClass = "class"
        }
    }

    /// Reads a file.
    ///
    /// - Throws: what is wrong where, for people; no key in it.
    static func read(_ path: String) throws(ServiceError) -> [Credential] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw ServiceError("the credentials '\(path)' cannot be read", hint: "check the path and its permissions")
        }
        guard data.count <= Self.maximumSize else {
            throw ServiceError("the credentials '\(path)' are too large", hint: "at most 256 MiB")
        }
        let first = data.first { !($0 == 0x20 || (0x09...0x0D).contains($0)) }
        return first == UInt8(ascii: "[") ? try Self.readJSON(data, path) : try Self.readLines(Array(data), path)
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
        credentials.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            credentials.append(try self.credential(entry) { "entry \(index + 1) of '\(path)'" })
        }
        return credentials
    }

    private static func readLines(_ bytes: [UInt8], _ path: String) throws(ServiceError) -> [Credential] {
        var credentials: [Credential] = []
        var columns: [Column?]?
        var isFirst = true
        var number = 0
        for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            let text = SeparatedText.trimmed(line)
            if text.isEmpty || text.first == UInt8(ascii: "#") { continue }
            let place = { "line \(number) of '\(path)'" }
            let fields = try SeparatedText.fields(text, place)
            if isFirst {
                isFirst = false
                columns = try Self.columns(fields, place)
                if columns != nil { continue }
            }
            credentials.append(try self.credential(try Self.entry(fields, columns, place), place))
        }
        return credentials
    }

    /// The columns that a first line names; nil when it is no such line.
    private static func columns(_ fields: [String], _ place: () -> String) throws(ServiceError) -> [Column?]? {
        guard fields.contains(Column.endpoint.rawValue), fields.contains(Column.key.rawValue) else { return nil }
        let columns = fields.map(Column.init(rawValue:))
        let known = columns.compactMap { $0 }
        guard Set(known).count == known.count else {
            throw ServiceError("\(place()): a column stands twice", hint: "name each column once")
        }
        return columns
    }

    private static func entry(
        _ fields: [String],
        _ columns: [Column?]?,
        _ place: () -> String
    ) throws(ServiceError) -> Entry {
        // The usual columns may be named and the identity left out all the same.
        guard let columns, columns != [.endpoint, .identity, .key] else {
            switch fields.count {
            case 2: return Entry(endpoint: fields[0], key: fields[1])
            case 3: return Entry(endpoint: fields[0], identity: fields[1], key: fields[2])
            default:
                throw ServiceError(
                    "\(place()) has \(fields.count) fields",
                    hint: "write endpoint,identity,key or endpoint,key, or name the columns in the first line"
                )
            }
        }
        guard fields.count == columns.count else {
            throw ServiceError(
                "\(place()) has \(fields.count) fields",
                hint: "the first line names \(columns.count) columns; a field with a comma stands in double quotes"
            )
        }
        var entry = Entry()
        for (column, field) in zip(columns, fields) {
            switch column {
            case .endpoint: entry.endpoint = field
            case .identity: entry.identity = field
            case .key: entry.key = field
            case .region: entry.region = field
            case .deviceClass: entry.deviceClass = field
            case nil: break
            }
        }
        return entry
    }

    private static func credential(_ entry: Entry, _ place: () -> String) throws(ServiceError) -> Credential {
        let endpoint = UTF8Text(entry.endpoint)
        guard (1...255).contains(endpoint.bytes.count) else {
            throw ServiceError("\(place()): the endpoint has \(endpoint.bytes.count) bytes", hint: "1 to 255 bytes")
        }
        let identity = entry.identity.flatMap { $0.isEmpty ? nil : Array($0.utf8) } ?? endpoint.bytes
        guard identity.count <= 255 else {
            throw ServiceError("\(place()): the identity has \(identity.count) bytes", hint: "at most 255 bytes")
        }
        return Credential(
            endpoint: endpoint,
            identity: identity,
            key: try DeviceKeys.readKey(entry.key) { "\(place()): the key" },
            region: try self.label(entry.region) { "\(place()): the region" },
            deviceClass: try self.label(entry.deviceClass) { "\(place()): the class" }
        )
    }

    private static func label(_ text: String?, _ subject: () -> String) throws(ServiceError) -> UTF8Text? {
        guard let text, !text.isEmpty else { return nil }
        let label = UTF8Text(text)
        guard label.bytes.count <= Self.longestLabel else {
            throw ServiceError(
                "\(subject()) has \(label.bytes.count) bytes",
                hint: "at most \(Self.longestLabel) bytes"
            )
        }
        return label
    }
}
