import Foundation
import Glibc

/// The folder of a DNS server of a test: its zone, its key, and room for what it writes.
///
/// The server runs as nobody when the tests run as root, so everything in the folder belongs to nobody then.
final class ZoneFolder {
    /// The name of the key that may update and read the zone.
    static let keyName = "balancer"

    private let folder: TemporaryFolder
    /// The zone, without a final dot.
    let zone: String
    /// The key, in base64.
    let key: String

    /// Makes the folder.
    ///
    /// - Parameters:
    ///   - records: further lines of the zone's first contents.
    ///   - hosts: the address of the zone's own name server.
    init(zone: String, address: String, records: [String]) throws {
        self.folder = try TemporaryFolder()
        self.zone = zone
        self.key = ZoneFolder.makeKey()
        for name in ["zones", "run", "db"] {
            try FileManager.default.createDirectory(atPath: self.path(name), withIntermediateDirectories: true)
        }
        let lines = [
            "$ORIGIN \(zone).", "$TTL 2", "@ SOA ns hostmaster 1 3600 600 86400 2", "@ NS ns", "ns A \(address)",
        ]
        _ = try self.folder.write((lines + records + [""]).joined(separator: "\n"), to: "zones/\(zone).zone")
        _ = try self.folder.write(self.key + "\n", to: "key")
    }

    /// A key of hmac-sha256, in base64.
    static func makeKey() -> String {
        Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
    }

    /// Whether the server has to be told to become somebody else.
    static var isRoot: Bool { getuid() == 0 }

    func path(_ name: String) -> String { self.folder.path(name) }

    /// Writes the server's configuration, and gives everything to whom it runs as.
    func configure(_ text: String, in name: String) throws {
        _ = try self.folder.write(text, to: name)
        guard ZoneFolder.isRoot, let nobody = getpwnam("nobody") else { return }
        let contents = FileManager.default.enumerator(atPath: self.path("."))?.compactMap { $0 as? String } ?? []
        for path in ["."] + contents where path != "key" {
            _ = chown(self.path(path), nobody.pointee.pw_uid, nobody.pointee.pw_gid)
        }
    }
}
