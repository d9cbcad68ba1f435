public import ClientEngine
public import Primitives

/// What one device keeps over a restart: a folder of its own with one file, replaced as a whole.
///
/// ``save(_:)`` returns when the new file is durable; a crash at any moment leaves the old file or the new one. The
/// configuration before it stays beside it, for a file that a broken disk spoils later. The files hold keys: they are
/// readable by their owner only.
public struct DeviceStore: Sendable {
    /// The folder; nobody else writes into it.
    public let folder: UTF8Text

    /// Names the folder of a device, which ``save(_:)`` makes when it is missing; the folder above must exist.
    public init(folder: UTF8Text) {
        self.folder = folder
    }

    /// Replaces what is stored, durably.
    ///
    /// - Throws: ``DeviceStoreError``; what was stored before is then untouched.
    public func save(_ configuration: StoredConfiguration) throws(DeviceStoreError) {
        var bytes = try StoredConfigurationFormat.encode(configuration)
        defer { FileSystem.erase(&bytes) }
        try FileSystem.makeFolder(self.folder)
        try FileSystem.write(bytes, to: self.path(of: .next))
        // Only a configuration that can be read again is worth keeping as the one before.
        if self.isReadable(.current), FileSystem.link(self.path(of: .current), to: self.path(of: .nextPrevious)) {
            try FileSystem.rename(self.path(of: .nextPrevious), to: self.path(of: .previous))
        }
        try FileSystem.rename(self.path(of: .next), to: self.path(of: .current))
        try FileSystem.synchronize(folder: self.folder)
    }

    /// Loads what was stored last.
    ///
    /// - Returns: nil when nothing was stored yet.
    /// - Throws: ``DeviceStoreError/corrupt`` and others; ``loadPrevious()`` may then still help.
    public func load() throws(DeviceStoreError) -> StoredConfiguration? {
        try self.load(.current)
    }

    /// Loads what was stored before the last ``save(_:)``.
    ///
    /// - Returns: nil when there was none.
    public func loadPrevious() throws(DeviceStoreError) -> StoredConfiguration? {
        try self.load(.previous)
    }

    private func load(_ file: File) throws(DeviceStoreError) -> StoredConfiguration? {
        let limit = StoredConfigurationFormat.maximumSize
        guard var bytes = try FileSystem.read(self.path(of: file), limit: limit) else { return nil }
        defer { FileSystem.erase(&bytes) }
        return try StoredConfigurationFormat.decode(bytes)
    }

    private func isReadable(_ file: File) -> Bool {
        do { return try self.load(file) != nil } catch { return false }
    }

    private enum File {
        case current
        case next
        case previous
        case nextPrevious

        var name: UTF8Text {
            switch self {
            case .current: "configuration"
            case .next: "configuration.new"
            case .previous: "configuration.previous"
            case .nextPrevious: "configuration.previous.new"
            }
        }
    }

    private func path(of file: File) -> [UInt8] {
        self.folder.bytes + [UInt8(ascii: "/")] + file.name.bytes
    }
}
