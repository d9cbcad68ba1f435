/// What is wrong with a device's configuration file, where, and what would be right.
///
/// It never holds a key or a PSK identity.
public struct DeviceConfigurationError: Error, Hashable, Sendable {
    /// What kind of mistake it is.
    public enum Problem: Hashable, Sendable {
        /// The file cannot be read.
        case unreadable
        /// The file is larger than a configuration can be; the limit in bytes.
        case tooLarge(limit: Int)
        /// The text is not YAML, or not one mapping.
        case notYAML
        /// A key that no configuration has.
        case unknownKey
        /// A key that must be there.
        case missing
        /// A value of the wrong kind or outside its range.
        case invalid
    }

    /// What kind of mistake it is.
    public let problem: Problem
    /// The file as it was named.
    public let file: String
    /// The line, counted from 1; nil when it is not about one.
    public let line: Int?
    /// The key with the ones around it, as in `psk.key`; nil when it is not about one.
    public let key: String?
    /// What to write instead.
    public let hint: String
}

extension DeviceConfigurationError: CustomStringConvertible {
    /// The place, the problem and the hint; `device.yaml:4: 'psk.key' is not valid — write …`.
    public var description: String {
        let place = self.line.map { "\(self.file):\($0)" } ?? self.file
        let name = self.key.map { "'\($0)'" } ?? "the file"
        let what =
            switch self.problem {
            case .unreadable: "cannot be read"
            case .tooLarge(let limit): "is larger than \(limit) bytes"
            case .notYAML: "\(name) is not a YAML mapping"
            case .unknownKey: "\(name) is no key of a device configuration"
            case .missing: "\(name) is missing"
            case .invalid: "\(name) is not valid"
            }
        return self.hint.isEmpty ? "\(place): \(what)" : "\(place): \(what) — \(self.hint)"
    }
}
