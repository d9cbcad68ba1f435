/// Knot DNS from its package, with one zone that a key may update.
final class KnotServer: ZoneServer {
    static var isInstalled: Bool { Program.knot != nil }

    let folder: ZoneFolder
    let process: ZoneServerProcess
    let host = "127.0.24.3"
    let port: UInt16

    var address: String { "\(self.host):\(self.port)" }
    var tsig: String { "\(ZoneFolder.keyName):@\(self.folder.path("key"))" }

    /// Starts it.
    init(zone: String = "example.test", records: [String] = []) throws {
        guard let program = Program.knot else { throw InteropError.cannotStart("knotd", "it is not installed") }
        self.port = try LoopbackPorts.common(to: [self.host])
        self.folder = try ZoneFolder(zone: zone, address: self.host, records: records)
        try self.folder.configure(
            Self.configuration(self.folder, self.host, self.port, keys: [ZoneFolder.keyName: self.folder.key]),
            in: "knot.conf"
        )
        self.process = ZoneServerProcess(
            program,
            ["-c", self.folder.path("knot.conf")],
            zone: zone,
            host: self.host,
            port: self.port,
            processFile: self.folder.path("run/knot.pid")
        )
        try self.process.start()
    }

    /// Has it know these keys and no others, by their names, without a stop.
    func reload(keys: [String: String]) throws {
        let text = Self.configuration(self.folder, self.host, self.port, keys: keys)
        try self.folder.configure(text, in: "knot.conf")
        self.process.reload()
    }

    func start() throws { try self.process.start() }

    func stop() { self.process.stop() }

    private static func configuration(_ folder: ZoneFolder, _ host: String, _ port: UInt16, keys: [String: String])
        -> String
    {
        let statements = keys.map { "  - id: \($0)\n    algorithm: hmac-sha256\n    secret: \($1)" }
        return """
            server:
                rundir: "\(folder.path("run"))"
                listen: \(host)@\(port)
            \(ZoneFolder.isRoot ? "    user: nobody:nogroup" : "")
            log:
              - target: stderr
                any: warning
            database:
                storage: "\(folder.path("db"))"
            key:
            \(statements.joined(separator: "\n"))
            acl:
              - id: balancer
                key: [\(keys.keys.joined(separator: ", "))]
                action: [update, transfer]
            template:
              - id: default
                storage: "\(folder.path("zones"))"
                semantic-checks: off
                zonefile-sync: -1
                zonefile-load: difference
                journal-content: all
            zone:
              - domain: \(folder.zone)
                file: \(folder.zone).zone
                acl: balancer

            """
    }
}
