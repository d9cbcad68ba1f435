import Foundation
import Yams

extension ScenarioOptions {
    /// The largest scenario file, in bytes.
    public static let largestFile = 65_536

    /// Reads the options in a YAML file.
    public init(contentsOf path: String) throws(ScenarioError) {
        guard let file = FileHandle(forReadingAtPath: path) else { throw .unreadableFile(path: path) }
        defer { try? file.close() }
        guard let read = try? file.read(upToCount: Self.largestFile + 1) else { throw .unreadableFile(path: path) }
        guard read.count <= Self.largestFile else { throw .fileTooLarge(limit: Self.largestFile) }
        guard let text = String(validating: read, as: UTF8.self) else { throw .invalidFile(line: nil) }
        try self.init(yaml: text)
    }

    /// Reads the options in YAML text: one mapping of names to plain values or lists of them.
    ///
    /// The profile and the command sessions may be mappings of their fields.
    public init(yaml text: String) throws(ScenarioError) {
        guard text.utf8.count <= Self.largestFile else { throw .fileTooLarge(limit: Self.largestFile) }
        self.init()
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw .invalidFile(line: Self.line(of: error))
        } catch {
            throw .invalidFile(line: nil)
        }
        guard let root else { return }
        guard case .mapping(let mapping) = root else { throw .invalidFile(line: root.mark?.line) }
        for (key, value) in mapping {
            guard let name = key.string else { throw .invalidFile(line: key.mark?.line) }
            guard Self.names.contains(name) else { throw .unknownOption(name) }
            switch value {
            case .scalar(let scalar): self[name] = scalar.string
            case .sequence(let sequence):
                let items = sequence.compactMap(\.scalar?.string)
                guard items.count == sequence.count else { throw .invalidFile(line: value.mark?.line) }
                self[name] = items.joined(separator: ",")
            case .mapping(let fields) where name == "profile" || name == "command-sessions":
                var texts: [String] = []
                for field in fields {
                    // Of the fields of a profile none may be there twice.
                    let list = name == "command-sessions" ? field.value.sequence : nil
                    let values = list.map { $0.map(\.scalar?.string) } ?? [field.value.scalar?.string]
                    guard let name = field.key.scalar?.string, values.allSatisfy({ $0 != nil }) else {
                        throw .invalidFile(line: value.mark?.line)
                    }
                    texts += values.map { "\(name)=\($0 ?? "")" }
                }
                self[name] = texts.joined(separator: ",")
            case .mapping, .alias: throw .invalidFile(line: value.mark?.line)
            }
        }
    }

    private static func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        default: nil
        }
    }
}
