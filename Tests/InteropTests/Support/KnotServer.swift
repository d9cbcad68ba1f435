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
        let configuration = """
            server:
                rundir: "\(self.folder.path("run"))"
                listen: \(self.host)@\(self.port)
            \(ZoneFolder.isRoot ? "    user: nobody:nogroup" : "")
            log:
              - target: stderr
                any: warning
            database:
                storage: "\(self.folder.path("db"))"
            key:
              - id: \(ZoneFolder.keyName)
                algorithm: hmac-sha256
                secret: \(self.folder.key)
            acl:
              - id: \(ZoneFolder.keyName)
                key: \(ZoneFolder.keyName)
                action: [update, transfer]
            template:
              - id: default
                storage: "\(self.folder.path("zones"))"
                semantic-checks: off
                zonefile-sync: -1
                zonefile-load: difference
                journal-content: all
            zone:
              - domain: \(zone)
                file: \(zone).zone
                acl: \(ZoneFolder.keyName)

            """
        try self.folder.configure(configuration, in: "knot.conf")
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

    func start() throws { try self.process.start() }

    func stop() { self.process.stop() }
}
