import Primitives
import Testing

/// The DNS servers that the registry is tested with.
enum NameServerKind: String, CaseIterable, CustomTestStringConvertible {
    case bind = "BIND"
    case knot = "Knot"

    var testDescription: String { self.rawValue }

    var isInstalled: Bool {
        switch self {
        case .bind: BindServer.isInstalled
        case .knot: KnotServer.isInstalled
        }
    }

    static var installed: [NameServerKind] { self.allCases.filter(\.isInstalled) }

    /// Starts a server of this kind.
    func start(records: [String] = []) throws -> NameServer {
        switch self {
        case .bind:
            let server = try BindServer(records: records)
            return NameServer(
                kind: self,
                server: server,
                folder: server.folder,
                process: server.process,
                reload: server.reload
            )
        case .knot:
            let server = try KnotServer(records: records)
            return NameServer(
                kind: self,
                server: server,
                folder: server.folder,
                process: server.process,
                reload: server.reload
            )
        }
    }
}

/// A server that runs, whatever its kind.
struct NameServer {
    let kind: NameServerKind
    let server: any ZoneServer
    let folder: ZoneFolder
    let process: ZoneServerProcess
    /// Has it know these keys and no others, by their names.
    let reload: (_ keys: [String: String]) throws -> Void

    var zone: String { self.folder.zone }

    /// A client with the right key, or with another one.
    func client(
        writer: String = "balancer-1",
        keyName: String = ZoneFolder.keyName,
        key: String? = nil,
        at address: String? = nil,
        timeout: Duration = .seconds(20)
    ) throws -> RegistryClient {
        try RegistryClient(
            address: address ?? self.server.address,
            zone: self.zone,
            keyName: keyName,
            key: key ?? self.folder.key,
            writer: .init(writer),
            timeout: timeout
        )
    }

    /// Something that asks it as resolvers do.
    func probe() throws -> NameProbe {
        let (host, port) = try self.endpoint()
        return NameProbe(host: host, port: port)
    }

    /// Its address and port.
    func endpoint() throws -> (host: String, port: UInt16) {
        let parts = self.server.address.split(separator: ":")
        return (String(parts[0]), try #require(UInt16(parts[1])))
    }
}
