/// BIND from its package, with one zone that a key may update.
final class BindServer: ZoneServer {
    static var isInstalled: Bool { Program.bind != nil }

    let folder: ZoneFolder
    let process: ZoneServerProcess
    let host = "127.0.0.1"
    let port: UInt16

    var address: String { "\(self.host):\(self.port)" }
    var tsig: String { "\(ZoneFolder.keyName):@\(self.folder.path("key"))" }

    /// Starts it; names that begin with `locked.` may not be written.
    ///
    /// It listens on addresses that an interface has, which of the loopback ones is the first alone.
    init(zone: String = "example.test", records: [String] = []) throws {
        guard let program = Program.bind else { throw InteropError.cannotStart("named", "it is not installed") }
        self.port = try LoopbackPorts.common(to: [self.host])
        self.folder = try ZoneFolder(zone: zone, address: self.host, records: records)
        let configuration = """
            key "\(ZoneFolder.keyName)" { algorithm hmac-sha256; secret "\(self.folder.key)"; };
            options {
              directory "\(self.folder.path("zones"))"; pid-file "\(self.folder.path("run/named.pid"))";
              session-keyfile "\(self.folder.path("run/session.key"))";
              managed-keys-directory "\(self.folder.path("run"))"; lock-file none;
              listen-on port \(self.port) { \(self.host); }; listen-on-v6 { none; };
              recursion no; dnssec-validation no; notify no; minimal-responses yes; tcp-clients 1000;
              allow-transfer { key \(ZoneFolder.keyName); };
            };
            logging { category update { null; }; category update-security { null; }; };
            controls { };
            zone "\(zone)" {
              type primary; file "\(zone).zone"; max-journal-size 200m; ixfr-from-differences no;
              update-policy {
                deny \(ZoneFolder.keyName) subdomain locked.\(zone) ANY;
                grant \(ZoneFolder.keyName) zonesub A AAAA TXT;
              };
            };

            """
        try self.folder.configure(configuration, in: "named.conf")
        let user = ZoneFolder.isRoot ? ["-u", "nobody"] : []
        self.process = ZoneServerProcess(
            program,
            ["-g", "-n", "2", "-c", self.folder.path("named.conf")] + user,
            zone: zone,
            host: self.host,
            port: self.port,
            processFile: self.folder.path("run/named.pid")
        )
        try self.process.start()
    }

    func start() throws { try self.process.start() }

    func stop() { self.process.stop() }
}
