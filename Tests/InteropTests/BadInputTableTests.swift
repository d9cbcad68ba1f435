import Foundation
import Testing

/// docs/bad-input.md names a test for every bad input: they exist.
@Suite struct BadInputTableTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// `Suite.function`, `Folder/Suite.function` or `Suite`, as the last column of a table has them.
    private static func namedTests() throws -> [String] {
        let table = try String(contentsOf: Self.root.appendingPathComponent("docs/bad-input.md"), encoding: .utf8)
        return table.split(separator: "\n").filter { $0.hasPrefix("| ") }.flatMap { line in
            (line.split(separator: "|").last ?? "").split(separator: ",").map {
                $0.trimmingCharacters(in: CharacterSet(charactersIn: " `"))
            }
        }.filter { $0 != "Test" }
    }

    private static func sources() throws -> [(folder: String, text: String)] {
        let tests = Self.root.appendingPathComponent("Tests")
        let files = try #require(FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil))
        return try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }.map {
            ($0.deletingLastPathComponent().lastPathComponent, try String(contentsOf: $0, encoding: .utf8))
        }
    }

    @Test func everyTestThatTheTableNamesExists() throws {
        let sources = try Self.sources()
        let names = try Self.namedTests()
        #expect(names.count > 80)
        for name in names {
            let parts = name.split(separator: "/")
            let folder = parts.count == 2 ? String(parts[0]) : nil
            let words = try #require(parts.last, "an empty name").split(separator: ".")
            let exists = sources.contains { source in
                (folder == nil || source.folder == folder) && source.text.contains("struct \(words[0]) ")
                    && (words.count == 1 || source.text.contains("func \(words[1])("))
            }
            #expect(exists, "\(name)")
        }
    }
}
