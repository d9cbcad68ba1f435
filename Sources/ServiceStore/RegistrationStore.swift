internal import GRDB
internal import LwM2MCodecs
internal import LwM2MModel
public import ManagementEngine
internal import Primitives

/// The registrations of a management server, durable.
///
/// A change is committed before the call returns, so a server that answers behind it never forgets a registration that
/// it acknowledged, however it ends. After a power cut the last few may be missing; their devices are told 4.04 at
/// their next Update and register again.
public final class RegistrationStore {
    private let database: ServiceDatabase

    /// Opens the file, or makes it.
    ///
    /// - Parameter path: of the SQLite file; its mode will be 0600.
    public init(path: String) throws(StoreError) {
        self.database = try ServiceDatabase(path: path, durability: .killedProcess, migrator: Self.migrator)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("registrations") { database in
            try database.execute(
                sql: """
                    CREATE TABLE registration (
                        endpoint BLOB PRIMARY KEY NOT NULL,
                        location BLOB NOT NULL UNIQUE,
                        identity BLOB,
                        lifetime INTEGER NOT NULL,
                        major INTEGER NOT NULL,
                        minor INTEGER NOT NULL,
                        binding BLOB NOT NULL,
                        queueMode INTEGER NOT NULL,
                        objects BLOB NOT NULL
                    ) WITHOUT ROWID, STRICT
                    """
            )
        }
        return migrator
    }

    /// Makes changes durable, all of them or none.
    public func apply(_ changes: [RegistrationChange]) throws(StoreError) {
        switch changes.count {
        case 0: break
        case 1: try self.database.writeOne { try Self.apply(changes[0], $0) }
        default: try self.database.write { for change in changes { try Self.apply(change, $0) } }
        }
    }

    /// Every registration; a row that makes no sense is passed over.
    public func all() throws(StoreError) -> [Registration] {
        try self.database.read { database in
            let rows = try Row.fetchCursor(database, sql: "SELECT * FROM registration ORDER BY endpoint")
            var registrations: [Registration] = []
            while let row = try rows.next() {
                if let registration = Self.registration(row) { registrations.append(registration) }
            }
            return registrations
        }
    }

    private static func apply(_ change: RegistrationChange, _ database: Database) throws {
        switch change {
        case .saved(let registration):
            let statement = try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO registration VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            )
            try statement.execute(arguments: [
                Blob(registration.endpoint.bytes), Blob(registration.location.bytes),
                registration.identity.map(Blob.init), Int64(registration.lifetime), Int(registration.version.major),
                Int(registration.version.minor), Blob(registration.binding.bytes), registration.isQueueMode,
                Blob(registration.objects.encoded()),
            ])
        case .removed(let endpoint):
            let statement = try database.cachedStatement(sql: "DELETE FROM registration WHERE endpoint = ?")
            try statement.execute(arguments: [Blob(endpoint.bytes)])
        }
    }

    private static func registration(_ row: Row) -> Registration? {
        guard let endpoint = Self.text(row["endpoint"]), let location = Self.text(row["location"]),
            let binding = Self.text(row["binding"]), let objects: Blob = row["objects"],
            let lifetime = UInt32(exactly: row["lifetime"] as Int64), let major = UInt8(exactly: row["major"] as Int64),
            let minor = UInt8(exactly: row["minor"] as Int64), let list = try? ObjectList(decoding: objects.bytes)
        else { return nil }
        let identity: Blob? = row["identity"]
        return Registration(
            endpoint: endpoint,
            location: location,
            identity: identity?.bytes,
            lifetime: lifetime,
            version: ObjectVersion(major, minor),
            binding: binding,
            isQueueMode: row["queueMode"],
            objects: list
        )
    }

    private static func text(_ blob: Blob?) -> UTF8Text? {
        blob.flatMap { UTF8Text(validating: $0.bytes) }
    }
}
