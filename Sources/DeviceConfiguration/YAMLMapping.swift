internal import Yams

/// A mapping of a YAML file that knows its place, so that every error can name line and key.
struct YAMLMapping {
    let file: String
    /// The keys around this mapping, outermost first.
    let path: [String]
    /// The line on which the mapping begins.
    private let line: Int?
    private let entries: [(key: String, line: Int?, value: Node)]

    init(text: String, file: String) throws(DeviceConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw DeviceConfigurationError(
                problem: .notYAML,
                file: file,
                line: (error as? YamlError).flatMap(Self.line),
                key: nil,
                hint: "check the indentation and the quotes there"
            )
        }
        guard let root else {
            throw DeviceConfigurationError(
                problem: .notYAML,
                file: file,
                line: nil,
                key: nil,
                hint: "it is empty; starling device --print-example shows one"
            )
        }
        try self.init(root, file: file, path: [])
    }

    private init(_ node: Node, file: String, path: [String]) throws(DeviceConfigurationError) {
        self.file = file
        self.path = path
        self.line = node.mark?.line
        var entries: [(key: String, line: Int?, value: Node)] = []
        var problem: DeviceConfigurationError?
        if case .mapping(let mapping) = node {
            for (key, value) in mapping {
                guard case .scalar(let scalar) = key else {
                    problem = Self.error(.notYAML, file, path, nil, key.mark?.line, "keys are plain text")
                    break
                }
                entries.append((scalar.string, key.mark?.line, value))
            }
        } else {
            problem = Self.error(.notYAML, file, path, nil, node.mark?.line, "write `key: value`, one a line")
        }
        self.entries = entries
        if let problem { throw problem }
    }

    /// The keys in the order of the file.
    var keys: [String] { self.entries.map { $0.key } }

    func allowOnly(_ allowed: [String]) throws(DeviceConfigurationError) {
        for entry in self.entries where !allowed.contains(entry.key) {
            throw self.error(.unknownKey, entry.key, "the keys here are \(allowed.joined(separator: ", "))")
        }
    }

    func text(_ key: String) throws(DeviceConfigurationError) -> String? {
        guard let node = self.node(key) else { return nil }
        guard case .scalar(let scalar) = node else { throw self.error(.invalid, key, "write one value") }
        return scalar.string
    }

    func texts(_ key: String) throws(DeviceConfigurationError) -> [String]? {
        guard let node = self.node(key) else { return nil }
        switch node {
        case .scalar(let scalar): return [scalar.string]
        case .sequence(let sequence):
            var texts: [String] = []
            for item in sequence {
                guard case .scalar(let scalar) = item else { throw self.error(.invalid, key, "write a list: [a, b]") }
                texts.append(scalar.string)
            }
            return texts
        default: throw self.error(.invalid, key, "write a list: [a, b]")
        }
    }

    func mapping(_ key: String) throws(DeviceConfigurationError) -> YAMLMapping? {
        guard let node = self.node(key) else { return nil }
        return try YAMLMapping(node, file: self.file, path: self.path + [key])
    }

    /// Whether the key has a mapping rather than one value.
    func isMapping(_ key: String) -> Bool {
        if case .mapping = self.node(key) { true } else { false }
    }

    /// `300`, `300s`, `500ms`, `5m`, `1h` or `2d`.
    func duration(_ key: String) throws(DeviceConfigurationError) -> Duration? {
        guard let text = try self.text(key) else { return nil }
        let units: [(String, Duration)] = [
            ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .seconds(60)), ("h", .seconds(3600)),
            ("d", .seconds(86_400)), ("", .seconds(1)),
        ]
        for (unit, length) in units where text.hasSuffix(unit) {
            let digits = text.dropLast(unit.count)
            guard (1...10).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let count = Int(digits)
            else { break }
            return length * count
        }
        throw self.error(.invalid, key, "a duration, as in 300s, 5m or 1d")
    }

    func error(_ problem: DeviceConfigurationError.Problem, _ key: String, _ hint: String) -> DeviceConfigurationError {
        let line = self.entries.first { $0.key == key }?.line ?? self.line
        return Self.error(problem, self.file, self.path, key, line, hint)
    }

    private static func error(
        _ problem: DeviceConfigurationError.Problem,
        _ file: String,
        _ path: [String],
        _ key: String?,
        _ line: Int?,
        _ hint: String
    ) -> DeviceConfigurationError {
        let name = (path + (key.map { [$0] } ?? [])).joined(separator: ".")
        return DeviceConfigurationError(
            problem: problem,
            file: file,
            line: line,
            key: name.isEmpty ? nil : name,
            hint: hint
        )
    }

    private func node(_ key: String) -> Node? {
        self.entries.first { $0.key == key }?.value
    }

    private static func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: nil
        }
    }
}
