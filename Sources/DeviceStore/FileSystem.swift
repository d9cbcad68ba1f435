internal import CFiles
internal import Primitives

/// The few system calls that make a file durable, with typed errors; paths have no terminator.
enum FileSystem {
    static func makeFolder(_ folder: UTF8Text) throws(DeviceStoreError) {
        guard self.withPath(folder.bytes, { mkdir($0, 0o700) }) != 0 else {
            // The new name must itself survive a power cut.
            let parent = self.parent(of: folder.bytes)
            try self.synchronize(folder: parent)
            return
        }
        guard starling_errno() == EEXIST else { throw .folderUnusable(starling_errno()) }
    }

    static func write(_ bytes: [UInt8], to path: [UInt8]) throws(DeviceStoreError) {
        let descriptor = self.withPath(path) { starling_open_to_write($0) }
        guard descriptor >= 0 else { throw self.writeError() }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                CFiles.write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if count < 0, starling_errno() == EINTR { continue }
            guard count > 0 else {
                let error = count == 0 ? DeviceStoreError.storageFull : self.writeError()
                close(descriptor)
                throw error
            }
            written += count
        }
        guard fsync(descriptor) == 0 else {
            let error = self.writeError()
            close(descriptor)
            throw error
        }
        guard close(descriptor) == 0 else { throw self.writeError() }
    }

    /// Reads a whole file; nil when there is none.
    static func read(_ path: [UInt8], limit: Int) throws(DeviceStoreError) -> [UInt8]? {
        let descriptor = self.withPath(path) { starling_open_to_read($0) }
        guard descriptor >= 0 else {
            if starling_errno() == ENOENT { return nil }
            throw .readFailed(starling_errno())
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        defer { self.erase(&block) }
        while true {
            let count = block.withUnsafeMutableBytes { CFiles.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, starling_errno() == EINTR { continue }
            guard count >= 0 else { throw .readFailed(starling_errno()) }
            guard count > 0 else { return bytes }
            bytes += block[..<count]
            guard bytes.count <= limit else { throw .corrupt }
        }
    }

    static func rename(_ source: [UInt8], to target: [UInt8]) throws(DeviceStoreError) {
        let status = self.withPath(source) { source in self.withPath(target) { CFiles.rename(source, $0) } }
        guard status == 0 else { throw self.writeError() }
    }

    /// Gives a file a second name, in place of a leftover one.
    ///
    /// - Returns: false where the file system has no second names, as on FAT.
    static func link(_ source: [UInt8], to target: [UInt8]) -> Bool {
        _ = self.withPath(target) { unlink($0) }
        return self.withPath(source) { source in self.withPath(target) { CFiles.link(source, $0) } } == 0
    }

    static func synchronize(folder: UTF8Text) throws(DeviceStoreError) {
        try self.synchronize(folder: folder.bytes)
    }

    /// Overwrites bytes that held keys.
    static func erase(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            explicit_bzero(start, buffer.count)
        }
    }

    private static func synchronize(folder: [UInt8]) throws(DeviceStoreError) {
        let descriptor = self.withPath(folder) { starling_open_folder($0) }
        guard descriptor >= 0 else { throw .folderUnusable(starling_errno()) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw self.writeError() }
    }

    private static func parent(of path: [UInt8]) -> [UInt8] {
        var trimmed = path
        while trimmed.count > 1, trimmed.last == UInt8(ascii: "/") { trimmed.removeLast() }
        guard let slash = trimmed.lastIndex(of: UInt8(ascii: "/")) else { return [UInt8(ascii: ".")] }
        return slash == 0 ? [UInt8(ascii: "/")] : Array(trimmed[..<slash])
    }

    private static func writeError() -> DeviceStoreError {
        switch starling_errno() {
        case ENOSPC, EDQUOT, EFBIG: .storageFull
        case ENOENT, ENOTDIR, EACCES, EROFS: .folderUnusable(starling_errno())
        default: .writeFailed(starling_errno())
        }
    }

    private static func withPath(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Int32) -> Int32 {
        (path + [0]).withUnsafeBytes { buffer in
            guard let start = buffer.bindMemory(to: CChar.self).baseAddress else { return -1 }
            return body(start)
        }
    }
}
