internal import CommandSessions
internal import GRDB
public import GatewayEngine
internal import LwM2MModel
public import Primitives

/// What a gateway must know again after it stopped, durable, and its audit log.
///
/// Changes are on the disk before the call returns, whether the process or the machine ends then: a message of a session
/// is sent only behind what it depends on. The file holds identifiers of sessions, so only its owner may read it.
public final class GatewayStore {
    private let database: ServiceDatabase
    private let maximumFinishedCommands: Int
    private let maximumAuditEntries: Int

    /// Opens the file, or makes it.
    ///
    /// - Parameters:
    ///   - path: of the SQLite file; its mode will be 0600.
    ///   - maximumFinishedCommands: how many commands are kept that have ended; at least 1.
    ///   - maximumAuditEntries: how many lines of the audit log are kept; at least 1.
    public init(
        path: String,
        maximumFinishedCommands: Int = 10_000,
        maximumAuditEntries: Int = 100_000
    ) throws(StoreError) {
        precondition(maximumFinishedCommands > 0 && maximumAuditEntries > 0, "something is kept")
        self.maximumFinishedCommands = maximumFinishedCommands
        self.maximumAuditEntries = maximumAuditEntries
        // Identifiers that were replaced, and what a command that ended wrote, are nobody's business any more.
        self.database = try ServiceDatabase(
            path: path,
            durability: .powerCut,
            erasesDeleted: true,
            migrator: GatewaySchema.migrator
        )
    }

    /// Makes changes durable in their order, all of them or none.
    ///
    /// - Parameter time: stamps commands and the audit log.
    public func apply(_ changes: [GatewayChange], at time: WallTime) throws(StoreError) {
        guard !changes.isEmpty else { return }
        try self.database.write { database in
            for change in changes { try Self.apply(change, time, database) }
            try self.dropOldest(changes, database)
        }
    }

    /// Everything that the engine restores; a row that makes no sense is passed over.
    public func all() throws(StoreError) -> GatewaySnapshot {
        try self.database.read { database in
            var snapshot = GatewaySnapshot()
            let sessions = try Row.fetchCursor(database, sql: "SELECT * FROM session ORDER BY endpoint")
            while let row = try sessions.next() {
                if let session = Self.session(row) { snapshot.sessions.append(session) }
            }
            let standings = try Row.fetchCursor(database, sql: "SELECT * FROM standing ORDER BY endpoint")
            while let row = try standings.next() {
                guard let endpoint = Self.text(row["endpoint"]),
                    let bits = UInt8(exactly: row["standing"] as Int64)
                else { continue }
                snapshot.standings.append(.init(endpoint: endpoint, standing: DeviceStanding(rawValue: bits)))
            }
            let commands = try Row.fetchCursor(
                database,
                sql: "SELECT id, endpoint, command, user FROM command WHERE ending IS NULL ORDER BY id"
            )
            while let row = try commands.next() {
                guard let endpoint = Self.text(row["endpoint"]), let user = Self.text(row["user"]),
                    let bytes: Blob = row["command"], let command = try? SessionCommand(decoding: bytes.bytes)
                else { continue }
                snapshot.commands.append(
                    GatewayCommand(id: Self.id(row["id"]), endpoint: endpoint, command: command, user: user)
                )
            }
            return snapshot
        }
    }

    /// The greatest number that a command ever had, also one that was refused; nil before the first.
    public func lastCommandID() throws(StoreError) -> GatewayCommandID? {
        try self.database.read { database in
            try Int64.fetchOne(
                database,
                sql: """
                    SELECT max(id) FROM (
                        SELECT seq AS id FROM sqlite_sequence WHERE name = 'command'
                        UNION ALL SELECT max(command) FROM audit
                    )
                    """
            ).map(Self.id)
        }
    }

    // MARK: Changes

    private static func apply(_ change: GatewayChange, _ time: WallTime, _ database: Database) throws {
        switch change {
        case .commandSaved(let command): try self.save(command, time, database)
        case .commandFinished(let id, let outcome):
            // What it wrote is not kept longer than it must be.
            let statement = try database.cachedStatement(
                sql: """
                    UPDATE command SET command = NULL, outcome = ?, finished = ?,
                    ending = (SELECT ifnull(max(ending), 0) + 1 FROM command) WHERE id = ? AND ending IS NULL
                    """
            )
            try statement.execute(arguments: [
                Blob(outcome.encoded), time.secondsSinceEpoch, Int64(bitPattern: id.rawValue),
            ])
        case .sessionSaved(let endpoint, let record, let command):
            let statement = try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?)"
            )
            try statement.execute(arguments: [
                Blob(endpoint.bytes), Int(record.stage.rawValue), command.map { Int64(bitPattern: $0.rawValue) },
                self.blob(record.gsid.established), self.blob(record.gsid.provisional),
                self.blob(record.dsid.established), self.blob(record.dsid.provisional),
            ])
        case .sessionForgotten(let endpoint):
            try database.cachedStatement(sql: "DELETE FROM session WHERE endpoint = ?")
                .execute(arguments: [Blob(endpoint.bytes)])
        case .standingSaved(let endpoint, []):
            try database.cachedStatement(sql: "DELETE FROM standing WHERE endpoint = ?")
                .execute(arguments: [Blob(endpoint.bytes)])
        case .standingSaved(let endpoint, let standing):
            try database.cachedStatement(sql: "INSERT OR REPLACE INTO standing VALUES (?, ?)")
                .execute(arguments: [Blob(endpoint.bytes), Int(standing.rawValue)])
        case .audited(let entry): try self.save(entry, time, database)
        }
    }

    private static func save(_ command: GatewayCommand, _ time: WallTime, _ database: Database) throws {
        let summary = CommandSummary(command.command)
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO command (id, endpoint, command, operation, path, length, user, given)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(arguments: [
            Int64(bitPattern: command.id.rawValue), Blob(command.endpoint.bytes), Blob(command.command.encoded),
            Int(summary.operation.rawValue), summary.path.text, summary.payloadLength, Blob(command.user.bytes),
            time.secondsSinceEpoch,
        ])
    }

    private static func save(_ entry: AuditEntry, _ time: WallTime, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO audit (time, endpoint, what, command, operation, path, length, user)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        try statement.execute(arguments: [
            time.secondsSinceEpoch, Blob(entry.endpoint.bytes), Blob(entry.what.encoded),
            entry.command.map { Int64(bitPattern: $0.rawValue) }, entry.summary.map { Int($0.operation.rawValue) },
            entry.summary?.path.text, entry.summary?.payloadLength, entry.user.map { Blob($0.bytes) },
        ])
    }

    /// Both logs are numbered without gaps, so the oldest to go is known without counting.
    private func dropOldest(_ changes: [GatewayChange], _ database: Database) throws {
        if changes.contains(where: { if case .commandFinished = $0 { true } else { false } }) {
            try database.cachedStatement(
                sql: "DELETE FROM command WHERE ending <= (SELECT max(ending) FROM command) - ?"
            ).execute(arguments: [self.maximumFinishedCommands])
        }
        if changes.contains(where: { if case .audited = $0 { true } else { false } }) {
            try database.cachedStatement(
                sql: "DELETE FROM audit WHERE sequence <= (SELECT max(sequence) FROM audit) - ?"
            ).execute(arguments: [self.maximumAuditEntries])
        }
    }

    // MARK: Reading back

    /// A command as it is kept; what it writes is not shown.
    public struct StoredCommand: Hashable, Sendable {
        /// Its number.
        public let id: GatewayCommandID
        /// The device.
        public let endpoint: UTF8Text
        /// What it does.
        public let summary: CommandSummary
        /// Who gave it.
        public let user: UTF8Text
        /// When it was given.
        public let given: WallTime
        /// How it ended; nil when it has not.
        public let outcome: CommandOutcome?
        /// When it ended.
        public let finished: WallTime?
    }

    /// A line of the audit log as it is kept.
    public struct StoredAuditEntry: Hashable, Sendable {
        /// Its number, from 1; each line has the next.
        public let sequence: UInt64
        /// When it was stored.
        public let time: WallTime
        /// What it says.
        public let entry: AuditEntry
    }

    /// A command that has not ended, or ended not long ago; nil for any other.
    public func command(_ id: GatewayCommandID) throws(StoreError) -> StoredCommand? {
        try self.database.read { database in
            try Row.fetchOne(
                database,
                sql: "SELECT * FROM command WHERE id = ?",
                arguments: [Int64(bitPattern: id.rawValue)]
            ).flatMap(Self.command)
        }
    }

    /// Commands page by page, the newest first.
    ///
    /// - Parameters:
    ///   - endpoint: of one device; nil for all.
    ///   - last: nil at first, then the last command of the page before.
    ///   - limit: the most commands of a page.
    public func commands(
        of endpoint: UTF8Text? = nil,
        before last: GatewayCommandID? = nil,
        limit: Int
    ) throws(StoreError) -> [StoredCommand] {
        try self.page("command", key: "id", endpoint, last?.rawValue, limit, Self.command)
    }

    /// Lines of the audit log page by page, the newest first.
    ///
    /// - Parameters:
    ///   - endpoint: of one device; nil for all.
    ///   - last: nil at first, then the last number of the page before.
    ///   - limit: the most lines of a page.
    public func audit(
        of endpoint: UTF8Text? = nil,
        before last: UInt64? = nil,
        limit: Int
    ) throws(StoreError) -> [StoredAuditEntry] {
        try self.page("audit", key: "sequence", endpoint, last, limit, Self.audit)
    }

    /// A row that makes no sense, as one that a newer version wrote, is passed over and fills no place: a page that is not
    /// full is the last.
    private func page<Item>(
        _ table: String,
        key: String,
        _ endpoint: UTF8Text?,
        _ last: UInt64?,
        _ limit: Int,
        _ item: (Row) -> Item?
    ) throws(StoreError) -> [Item] {
        let condition = endpoint == nil ? "" : "endpoint = :endpoint AND "
        var arguments: StatementArguments = ["last": last.map { Int64(bitPattern: $0) } ?? .max]
        if let endpoint { arguments += ["endpoint": Blob(endpoint.bytes)] }
        let sql = "SELECT * FROM \(table) WHERE \(condition)\(key) < :last ORDER BY \(key) DESC"
        return try self.database.read { database in
            let rows = try Row.fetchCursor(database, sql: sql, arguments: arguments)
            var items: [Item] = []
            while items.count < limit, let row = try rows.next() {
                if let item = item(row) { items.append(item) }
            }
            return items
        }
    }
}

// MARK: Rows

extension GatewayStore {
    private static func text(_ blob: Blob?) -> UTF8Text? {
        blob.flatMap { UTF8Text(validating: $0.bytes) }
    }

    private static func id(_ number: Int64) -> GatewayCommandID {
        GatewayCommandID(rawValue: UInt64(bitPattern: number))
    }

    private static func blob(_ identifier: SessionIdentifier?) -> Blob? { identifier.map { Blob($0.copyBytes()) } }

    /// A cache of two columns; nil when one of them holds no identifier.
    private static func cache(_ established: Blob?, _ provisional: Blob?) -> IdentifierCache? {
        let cache = IdentifierCache(
            established: established.flatMap { SessionIdentifier(bytes: $0.bytes) },
            provisional: provisional.flatMap { SessionIdentifier(bytes: $0.bytes) }
        )
        guard (cache.established == nil) == (established == nil), (cache.provisional == nil) == (provisional == nil)
        else { return nil }
        return cache
    }

    private static func session(_ row: Row) -> GatewaySnapshot.Session? {
        guard let endpoint = self.text(row["endpoint"]), let number = UInt8(exactly: row["stage"] as Int64),
            let stage = GatewaySessionRecord.Stage(rawValue: number),
            let gsid = self.cache(row["establishedGSID"], row["provisionalGSID"]),
            let dsid = self.cache(row["establishedDSID"], row["provisionalDSID"])
        else { return nil }
        let command: Int64? = row["command"]
        return GatewaySnapshot.Session(
            endpoint: endpoint,
            record: GatewaySessionRecord(gsid: gsid, dsid: dsid, stage: stage),
            command: command.map(self.id)
        )
    }

    private static func summary(_ row: Row) -> CommandSummary? {
        guard let number: Int64 = row["operation"], let bits = UInt8(exactly: number),
            let operation = SessionCommand.Operation(rawValue: bits), let text: String = row["path"],
            let path = try? ObjectPath(parsing: UTF8Text(text)), let length: Int = row["length"]
        else { return nil }
        return CommandSummary(operation: operation, path: path, payloadLength: length)
    }

    private static func command(_ row: Row) -> StoredCommand? {
        guard let endpoint = self.text(row["endpoint"]), let summary = self.summary(row),
            let user = self.text(row["user"])
        else { return nil }
        let outcome: Blob? = row["outcome"]
        let finished: Int64? = row["finished"]
        return StoredCommand(
            id: self.id(row["id"]),
            endpoint: endpoint,
            summary: summary,
            user: user,
            given: WallTime(secondsSinceEpoch: row["given"]),
            outcome: outcome.flatMap { CommandOutcome(decoding: $0.bytes) },
            finished: finished.map(WallTime.init(secondsSinceEpoch:))
        )
    }

    private static func audit(_ row: Row) -> StoredAuditEntry? {
        guard let endpoint = self.text(row["endpoint"]), let bytes: Blob = row["what"],
            let what = AuditEntry.What(decoding: bytes.bytes)
        else { return nil }
        let command: Int64? = row["command"]
        return StoredAuditEntry(
            sequence: UInt64(bitPattern: row["sequence"]),
            time: WallTime(secondsSinceEpoch: row["time"]),
            entry: AuditEntry(
                endpoint: endpoint,
                what: what,
                command: command.map(self.id),
                summary: self.summary(row),
                user: self.text(row["user"])
            )
        )
    }
}

/// The tables of a gateway.
enum GatewaySchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("gateway") { database in
            try database.execute(
                sql: """
                    CREATE TABLE session (
                        endpoint BLOB PRIMARY KEY NOT NULL,
                        stage INTEGER NOT NULL,
                        command INTEGER,
                        establishedGSID BLOB,
                        provisionalGSID BLOB,
                        establishedDSID BLOB,
                        provisionalDSID BLOB
                    ) WITHOUT ROWID, STRICT;
                    CREATE TABLE standing (
                        endpoint BLOB PRIMARY KEY NOT NULL,
                        standing INTEGER NOT NULL
                    ) WITHOUT ROWID, STRICT;
                    CREATE TABLE command (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        endpoint BLOB NOT NULL,
                        command BLOB,
                        operation INTEGER NOT NULL,
                        path TEXT NOT NULL,
                        length INTEGER NOT NULL,
                        user BLOB NOT NULL,
                        given INTEGER NOT NULL,
                        outcome BLOB,
                        finished INTEGER,
                        ending INTEGER UNIQUE
                    ) STRICT;
                    CREATE INDEX commandByEndpoint ON command (endpoint, id);
                    CREATE TABLE audit (
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                        time INTEGER NOT NULL,
                        endpoint BLOB NOT NULL,
                        what BLOB NOT NULL,
                        command INTEGER,
                        operation INTEGER,
                        path TEXT,
                        length INTEGER,
                        user BLOB
                    ) STRICT;
                    CREATE INDEX auditByEndpoint ON audit (endpoint, sequence)
                    """
            )
        }
        return migrator
    }
}
