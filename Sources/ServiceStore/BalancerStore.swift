public import BalancerEngine
internal import Foundation
internal import GRDB
public import Primitives

/// What a bootstrap balancer must know again after it stopped, durable.
///
/// Changes are committed before the call returns: what was acknowledged to an instance and what was sent to a registry
/// survive the end of the process at any moment. After a power cut the last few may be missing; the epoch of the zone
/// tells then that its names must be read.
public final class BalancerStore {
    let database: ServiceDatabase

    /// Opens the file, or makes it.
    ///
    /// - Parameter path: of the SQLite file; its mode will be 0600.
    public init(path: String) throws(StoreError) {
        self.database = try ServiceDatabase(
            path: path,
            durability: .killedProcess,
            // A batch of names touches pages all over the table: those of many batches are written back at once.
            checkpointPages: 16_384,
            migrator: BalancerSchema.migrator
        )
    }

    /// Makes changes durable in their order, all of them or none.
    public func apply(_ changes: [BalancerChange]) throws(StoreError) {
        guard !changes.isEmpty else { return }
        try self.database.write { database in
            for change in changes { try Self.apply(change, database) }
        }
    }

    /// Everything that was stored; a row that makes no sense is passed over.
    public func snapshot() throws(StoreError) -> BalancerSnapshot {
        try self.database.read { database in
            var snapshot = BalancerSnapshot()
            snapshot.epoch = try Self.epoch(database)
            snapshot.batch = try Self.batch(database)
            snapshot.isSuperseded = try Self.setting("superseded", database) == [1]
            let names = try Row.fetchCursor(database, sql: "SELECT name, address FROM name")
            while let row = try names.next() {
                guard let name = Self.text(row[0]), let address: Blob = row[1], let address = IPAddress(address.bytes)
                else { continue }
                snapshot.published.append(NameRecord(name: name, address: address))
            }
            let devices = try Row.fetchCursor(database, sql: "SELECT * FROM device")
            while let row = try devices.next() {
                if let device = Self.device(row) { snapshot.devices.append(device) }
            }
            let instances = try Row.fetchCursor(database, sql: "SELECT * FROM instance ORDER BY name")
            while let row = try instances.next() {
                if let instance = Self.instance(row) { snapshot.instances.append(instance) }
            }
            return snapshot
        }
    }

    // MARK: What the file belongs to

    /// A setting that the file was made for, such as its zone; nil when it was never set.
    public func setting(_ name: String) throws(StoreError) -> UTF8Text? {
        try self.database.read { try Self.setting("for " + name, $0).flatMap { UTF8Text(validating: $0) } }
    }

    /// Sets what the file belongs to.
    public func setSetting(_ name: String, _ value: UTF8Text) throws(StoreError) {
        try self.database.write { try Self.set("for " + name, value.bytes, $0) }
    }

    private static func setting(_ name: String, _ database: Database) throws -> [UInt8]? {
        let statement = try database.cachedStatement(sql: "SELECT value FROM setting WHERE name = ?")
        return try Blob.fetchOne(statement, arguments: [name])?.bytes
    }

    private static func set(_ name: String, _ value: [UInt8]?, _ database: Database) throws {
        if let value {
            try database.cachedStatement(sql: "INSERT OR REPLACE INTO setting VALUES (?, ?)")
                .execute(arguments: [name, Blob(value)])
        } else {
            try database.cachedStatement(sql: "DELETE FROM setting WHERE name = ?").execute(arguments: [name])
        }
    }

    // MARK: Changes

    private static func apply(_ change: BalancerChange, _ database: Database) throws {
        switch change {
        case .deviceChanged(let device): try self.save(device, database)
        case .deviceForgotten(let endpoint):
            try database.cachedStatement(sql: "DELETE FROM device WHERE endpoint = ?")
                .execute(arguments: [Blob(endpoint.bytes)])
        case .instanceChanged(let instance):
            try database.cachedStatement(sql: "INSERT OR REPLACE INTO instance VALUES (?, ?, ?, ?, ?)")
                .execute(arguments: [
                    Blob(instance.name.bytes), Blob(BalancerBytes.join(instance.addresses.map(\.bytes))),
                    instance.weight, instance.region.map { Blob($0.bytes) },
                    Blob(BalancerBytes.join(instance.classes.map(\.bytes))),
                ])
        case .instanceForgotten(let name):
            try database.cachedStatement(sql: "DELETE FROM instance WHERE name = ?")
                .execute(arguments: [Blob(name.bytes)])
        case .batchBegun(let update): try self.set("batch", BalancerBytes.encode(update), database)
        case .batchDone: try self.finishBatch(database)
        case .zoneRead(let names, let epoch):
            try database.execute(sql: "DELETE FROM name")
            try self.save(names, database)
            try self.set("epoch", epoch.map(BalancerBytes.encode), database)
            try self.set("batch", nil, database)
        case .superseded(let isSuperseded): try self.set("superseded", isSuperseded ? [1] : nil, database)
        }
    }

    private static func finishBatch(_ database: Database) throws {
        guard let batch = try self.batch(database) else { return }
        let remove = try database.cachedStatement(sql: "DELETE FROM name WHERE name = ?")
        for name in batch.removed { try remove.execute(arguments: [Blob(name.bytes)]) }
        try self.save(batch.assigned, database)
        try self.set("epoch", BalancerBytes.encode(batch.epoch), database)
        try self.set("batch", nil, database)
    }

    private static func save(_ names: [NameRecord], _ database: Database) throws {
        let insert = try database.cachedStatement(sql: "INSERT OR REPLACE INTO name VALUES (?, ?)")
        for record in names { try insert.execute(arguments: [Blob(record.name.bytes), Blob(record.address.bytes)]) }
    }

    private static func save(_ device: DeviceProgress, _ database: Database) throws {
        try database.cachedStatement(sql: "INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            .execute(arguments: [
                Blob(device.endpoint.bytes), Int(device.phase.rawValue), device.host.map { Blob($0.bytes) },
                Blob(device.instance.bytes), device.isRestarted, device.since?.secondsSinceEpoch,
                Int64(bitPattern: device.sequence), Blob(BalancerBytes.join(device.procedures)),
            ])
    }

    // MARK: Rows

    static func text(_ blob: Blob?) -> UTF8Text? {
        blob.flatMap { UTF8Text(validating: $0.bytes) }
    }

    private static func epoch(_ database: Database) throws -> RegistryEpoch? {
        try self.setting("epoch", database).flatMap(BalancerBytes.epoch)
    }

    private static func batch(_ database: Database) throws -> NameUpdate? {
        try self.setting("batch", database).flatMap(BalancerBytes.update)
    }

    private static func device(_ row: Row) -> DeviceProgress? {
        guard let endpoint = self.text(row["endpoint"]), let number = UInt8(exactly: row["phase"] as Int64),
            let phase = DeviceProgress.Phase(rawValue: number), let instance = self.text(row["instance"]),
            let procedures: Blob = row["procedures"]
        else { return nil }
        let since: Int64? = row["since"]
        return DeviceProgress(
            endpoint: endpoint,
            phase: phase,
            host: self.text(row["host"]),
            instance: instance,
            isRestarted: row["isRestarted"],
            since: since.map(WallTime.init(secondsSinceEpoch:)),
            sequence: UInt64(bitPattern: row["sequence"]),
            procedures: BalancerBytes.numbers(procedures.bytes)
        )
    }

    private static func instance(_ row: Row) -> BootstrapInstance? {
        guard let name = self.text(row["name"]), let addresses: Blob = row["addresses"],
            let parts = BalancerBytes.split(addresses.bytes), let classes: Blob = row["classes"],
            let names = BalancerBytes.split(classes.bytes), let weight = Int(exactly: row["weight"] as Int64)
        else { return nil }
        return BootstrapInstance(
            name: name,
            addresses: parts.compactMap(IPAddress.init),
            weight: weight,
            region: self.text(row["region"]),
            classes: names.compactMap(UTF8Text.init(validating:))
        )
    }
}

/// The tables of a balancer.
enum BalancerSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("balancer") { database in
            try database.execute(
                sql: """
                    CREATE TABLE name (
                        name BLOB PRIMARY KEY NOT NULL,
                        address BLOB NOT NULL
                    ) WITHOUT ROWID, STRICT;
                    CREATE TABLE device (
                        endpoint BLOB PRIMARY KEY NOT NULL,
                        phase INTEGER NOT NULL,
                        host BLOB,
                        instance BLOB NOT NULL,
                        isRestarted INTEGER NOT NULL,
                        since INTEGER,
                        sequence INTEGER NOT NULL,
                        procedures BLOB NOT NULL
                    ) WITHOUT ROWID, STRICT;
                    CREATE TABLE instance (
                        name BLOB PRIMARY KEY NOT NULL,
                        addresses BLOB NOT NULL,
                        weight INTEGER NOT NULL,
                        region BLOB,
                        classes BLOB NOT NULL
                    ) WITHOUT ROWID, STRICT;
                    CREATE TABLE setting (
                        name TEXT PRIMARY KEY NOT NULL,
                        value BLOB NOT NULL
                    ) WITHOUT ROWID, STRICT;
                    CREATE TABLE credential (
                        endpoint BLOB PRIMARY KEY NOT NULL,
                        identity BLOB NOT NULL UNIQUE,
                        key BLOB NOT NULL,
                        region BLOB,
                        class BLOB
                    ) WITHOUT ROWID, STRICT
                    """
            )
        }
        return migrator
    }
}
