internal import GRDB
import Glibc

/// The SQLite file of one service: opened once, used by one thread, locked against other processes.
///
/// The journal is a write-ahead log with `synchronous=NORMAL`: a commit is in the hands of the operating system before
/// it returns, so a killed process loses nothing. A power cut may lose the last commits, never older ones or the
/// file; what needs more than that asks for ``Durability/powerCut``.
final class ServiceDatabase {
    /// What a commit survives.
    enum Durability {
        /// The end of the process at any moment.
        case killedProcess
        /// The end of the machine at any moment: every commit waits for the disk.
        case powerCut
    }

    private let queue: DatabaseQueue

    /// - Parameters:
    ///   - path: of the SQLite file.
    ///   - durability: what a commit survives.
    ///   - checkpointPages: how many pages of 4 KiB the log may grow to before they are written back.
    ///   - erasesDeleted: whether what is deleted or replaced is overwritten in the file; the log holds it until it is
    ///     written over itself.
    ///   - migrator: makes and renews the tables.
    init(
        path: String,
        durability: Durability,
        checkpointPages: Int = 1000,
        erasesDeleted: Bool = false,
        migrator: DatabaseMigrator
    ) throws(StoreError) {
        // The file holds keys: it is for nobody but its owner, also when a copy of it was for others, and SQLite gives its
        // companions the same mode.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .cannotOpen }
        _ = fchmod(descriptor, 0o600)
        close(descriptor)
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .immediateError
        configuration.prepareDatabase { database in
            // The lock is held from the first use on, and no shared memory file is needed.
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try database.execute(sql: "PRAGMA synchronous = \(durability == .powerCut ? "FULL" : "NORMAL")")
            try database.execute(sql: "PRAGMA wal_autocheckpoint = \(checkpointPages)")
            // Otherwise as the library was built.
            if erasesDeleted { try database.execute(sql: "PRAGMA secure_delete = ON") }
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            if try queue.read(migrator.hasBeenSuperseded) { throw StoreError.tooNew }
            try migrator.migrate(queue)
            self.queue = queue
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(error)
        }
    }

    func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do { return try self.queue.read(body) } catch { throw StoreError(error) }
    }

    /// Runs statements as one transaction, which is durable when this returns.
    func write<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do { return try self.queue.write(body) } catch { throw StoreError(error) }
    }

    /// Runs one statement, durable when this returns.
    func writeOne(_ body: (Database) throws -> Void) throws(StoreError) {
        do { try self.queue.writeWithoutTransaction(body) } catch { throw StoreError(error) }
    }
}
