internal import Glibc
public import Primitives

/// A folder of one test, removed with everything in it.
public final class TemporaryFolder: Sendable {
    /// Its path, without a final slash.
    public let path: String

    /// Makes the folder.
    public init() {
        var template = Array("/tmp/starling-store-XXXXXX".utf8CString)
        mkdtemp(&template)
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        Self.remove(self.path)
    }

    /// The folder for a store, not made yet.
    public var store: UTF8Text { UTF8Text(self.path + "/device") }

    static func remove(_ path: String) {
        guard let folder = opendir(path) else {
            unlink(path)
            return
        }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { Self.remove(path + "/" + name) }
        }
        closedir(folder)
        rmdir(path)
    }
}
