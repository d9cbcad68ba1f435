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
        try self.folder.configure(
            Self.configuration(self.folder, self.host, self.port, keys: [ZoneFolder.keyName: self.folder.key]),
            in: "named.conf"
        )
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

    /// Has it know these keys and no others, by their names, without a stop.
    func reload(keys: [String: String]) throws {
        let text = Self.configuration(self.folder, self.host, self.port, keys: keys)
        try self.folder.configure(text, in: "named.conf")
        self.process.reload()
    }

    func start() throws { try self.process.start() }

    func stop() { self.process.stop() }

    private static func configuration(_ folder: ZoneFolder, _ host: String, _ port: UInt16, keys: [String: String])
        -> String
    {
        let statements = keys.map { "key \"\($0)\" { algorithm hmac-sha256; secret \"\($1)\"; };" }
        let names = keys.keys.map { "key \($0);" }
        let rules = keys.keys.map { name in
            "deny \(name) subdomain locked.\(folder.zone) ANY; grant \(name) zonesub A AAAA TXT;"
        }
        return """
            \(statements.joined(separator: "\n"))
            options {
              directory "\(folder.path("zones"))"; pid-file "\(folder.path("run/named.pid"))";
              session-keyfile "\(folder.path("run/session.key"))";
              managed-keys-directory "\(folder.path("run"))"; lock-file none;
              listen-on port \(port) { \(host); }; listen-on-v6 { none; };
              recursion no; dnssec-validation no; notify no; minimal-responses yes; tcp-clients 1000;
              allow-transfer { \(names.joined(separator: " ")) };
            };
            logging { category update { null; }; category update-security { null; }; };
            controls { };
            zone "\(folder.zone)" {
              type primary; file "\(folder.zone).zone"; max-journal-size 200m; ixfr-from-differences no;
              update-policy { \(rules.joined(separator: "\n")) };
            };

            """
    }
}
