import Foundation

/// A folder that is gone with the test.
final class TemporaryFolder {
    let path = FileManager.default.temporaryDirectory.appending(path: "starling-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    func file(_ name: String) -> String { self.path + "/" + name }
}
