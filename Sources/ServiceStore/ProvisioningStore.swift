public import BootstrapEngine
internal import Foundation
internal import GRDB
public import Primitives

/// What a bootstrap server gave its devices, durable.
///
/// A plan is committed before it is delivered: a device never holds a key that the file forgot. The keys themselves
/// stand in the file only where they were made for the device; its mode is 0600.
public final class ProvisioningStore {
    private let database: ServiceDatabase

    /// Opens the file, or makes it.
    ///
    /// - Parameters:
    ///   - path: of the SQLite file; its mode will be 0600.
    ///   - survivesPowerCut: whether every commit waits for the disk; for keys that are known nowhere else.
    public init(path: String, survivesPowerCut: Bool) throws(StoreError) {
        self.database = try ServiceDatabase(
            path: path,
            durability: survivesPowerCut ? .powerCut : .killedProcess,
            migrator: Self.migrator
        )
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("provisioning") { database in
            try database.execute(
                sql: """
                    CREATE TABLE account (
                        endpoint BLOB NOT NULL,
                        shortServerID INTEGER NOT NULL,
                        uri BLOB NOT NULL,
                        identity BLOB,
                        key BLOB,
                        PRIMARY KEY (endpoint, shortServerID)
                    ) WITHOUT ROWID, STRICT
                    """
            )
        }
        return migrator
    }

    /// What is known of one account of one device.
    public struct Account: Equatable, Sendable {
        /// Resource /1/x/0.
        public let shortServerID: UInt16
        /// Resource /0/x/0.
        public let uri: UTF8Text
        /// Resource /0/x/3; nil without security.
        public let identity: [UInt8]?
        /// Resource /0/x/5, when it was made for the device.
        public let key: SecretBytes?
    }

    /// Makes what a device gets durable, in place of what it got before.
    ///
    /// - Parameters:
    ///   - plan: what it gets.
    ///   - endpoint: the device.
    ///   - keepsKeys: whether the keys were made for it and are known nowhere else.
    public func save(_ plan: BootstrapPlan, for endpoint: UTF8Text, keepsKeys: Bool) throws(StoreError) {
        try self.database.write { database in
            let forget = try database.cachedStatement(sql: "DELETE FROM account WHERE endpoint = ?")
            try forget.execute(arguments: [Blob(endpoint.bytes)])
            let insert = try database.cachedStatement(sql: "INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?)")
            for server in plan.servers {
                var identity: Blob?
                var key: Blob?
                if case .preSharedKey(let name, let secret) = server.security {
                    identity = Blob(name)
                    if keepsKeys { key = Blob(secret.copyBytes()) }
                }
                try insert.execute(arguments: [
                    Blob(endpoint.bytes), Int(server.shortServerID), Blob(server.uri.bytes), identity, key,
                ])
            }
        }
    }

    /// What a device got, lowest short server identifier first; empty when it is not known.
    public func accounts(of endpoint: UTF8Text) throws(StoreError) -> [Account] {
        try self.database.read { database in
            let statement = try database.cachedStatement(
                sql: "SELECT * FROM account WHERE endpoint = ? ORDER BY shortServerID"
            )
            return try Row.fetchAll(statement, arguments: [Blob(endpoint.bytes)]).compactMap { row in
                let identity: Blob? = row["identity"]
                let key: Blob? = row["key"]
                guard let number = UInt16(exactly: row["shortServerID"] as Int64), let uri: Blob = row["uri"],
                    let text = UTF8Text(validating: uri.bytes)
                else { return nil }
                return Account(
                    shortServerID: number,
                    uri: text,
                    identity: identity?.bytes,
                    key: key.map { SecretBytes($0.bytes) }
                )
            }
        }
    }

    /// How many devices are known.
    public func deviceCount() throws(StoreError) -> Int {
        try self.database.read { try Int.fetchOne($0, sql: "SELECT COUNT(DISTINCT endpoint) FROM account") ?? 0 }
    }
}
