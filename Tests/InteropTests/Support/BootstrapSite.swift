import Foundation
import Testing

/// Everything that devices with temporary names need, on loopback.
///
/// A balancer that writes a zone of a DNS server, instances of the bootstrap server, and a management server. A test may
/// end each of them and start it again.
final class BootstrapSite {
    /// The zone that the balancer writes.
    static let zone = "example.test"
    /// The host of the static URI, which has no address.
    static let staticHost = "bs.example.test"
    /// The names of the instances and where each listens.
    static let places = [
        "instance-1": "127.0.28.11", "instance-2": "127.0.28.12", "instance-3": "127.0.28.13",
    ]

    /// The folder of the site: keys, states and reports.
    let folder: TemporaryFolder
    /// The port that all instances share; it stands in the static URI.
    let port: UInt16
    /// The port of all instances for requests without DTLS.
    let plainPort: UInt16
    /// The profile of all devices, as text.
    let profile: String
    /// The balancer that runs now.
    private(set) var balancer: RunningProgram?
    /// The instances that run now, by name.
    private(set) var instances: [String: RunningProgram] = [:]
    /// Where names are resolved, as `127.0.28.53:20053`.
    private(set) var dns = ""

    private let program: Program
    private let nameServer: (any ZoneServer)?
    private let deviceCount: Int
    private let devicesShareKey: Bool
    private let management: RunningProgram
    private let managementURI: String
    private var balancerURI = ""
    private var earlierBalancers: [RunningProgram] = []
    private var earlierInstances: [RunningProgram] = []

    var staticURI: String { "coaps://\(Self.staticHost):\(self.port)" }

    /// Starts everything, and waits until every device has a name.
    ///
    /// - Parameters:
    ///   - nameServer: which the balancer writes; nil has the balancer answer for its zone itself.
    ///   - period: of the names, in seconds.
    ///   - devicesShareKey: whether all have ``SharedKey``, which programs with text options can use; otherwise each
    ///     has one of its own.
    init(
        _ program: Program,
        nameServer: (any ZoneServer)?,
        period: Int,
        deviceCount: Int,
        devicesShareKey: Bool = false,
        instanceNames: [String] = ["instance-1", "instance-2", "instance-3"]
    ) throws {
        self.program = program
        self.nameServer = nameServer
        self.deviceCount = deviceCount
        self.devicesShareKey = devicesShareKey
        self.folder = try TemporaryFolder()
        // A third of the period: a busy machine takes seconds from a name to the request under it.
        self.profile = "period=\(period),clock-skew=\(period / 3)"
        self.port = try LoopbackPorts.common(to: Array(Self.places.values))
        self.plainPort = try LoopbackPorts.common(to: Array(Self.places.values))
        let lines = Self.places.keys.sorted().map { "\($0),\(SharedKey.hexadecimal)\n" }
        _ = try self.folder.write(lines.joined(), to: "instances.csv")
        _ = try self.folder.write(Self.deviceSecret, to: "secret")
        let devices = (0..<(devicesShareKey ? deviceCount : 0)).map {
            "urn:dev:starling:\($0),\(SharedKey.hexadecimal)\n"
        }
        _ = try self.folder.write(devices.joined(), to: "devices.csv")
        self.management = try RunningProgram(
            program,
            [
                "server", "--listen", "coaps://127.0.0.1:0", "--psk-secret", "@\(self.folder.path("secret"))",
                "--state", self.folder.path("server.sqlite"), "--quiet",
            ],
            limit: 300
        )
        self.managementURI = try self.management.line(startingWith: "listening ")
        try self.startBalancer()
        for name in instanceNames { try self.startInstance(name) }
        try self.waitForStatus("every device has a name") { status in
            status.names.published >= deviceCount && status.instances.count(where: \.isUp) == instanceNames.count
        }
    }

    /// The secret from which each device's key is derived; one for tests only.
    static let deviceSecret = String(repeating: "5eed", count: 8)

    private var secretOption: [String] { ["--psk-secret", "@\(self.folder.path("secret"))"] }

    private var keyOptions: [String] {
        self.devicesShareKey ? ["--credentials", self.folder.path("devices.csv")] : self.secretOption
    }

    /// Starts the balancer, with the state that an earlier one left.
    func startBalancer() throws {
        if let balancer { self.earlierBalancers.append(balancer) }
        let listen = self.balancerURI.isEmpty ? "coaps://127.0.28.2:0" : self.balancerURI
        let embedded = "embedded:" + (self.dns.isEmpty ? "127.0.28.53:0" : self.dns)
        let registry =
            self.nameServer.map { ["--dns", "rfc2136:\($0.address)", "--tsig", $0.tsig] } ?? ["--dns", embedded]
        let devices = self.devicesShareKey ? [] : ["--endpoints", "urn:dev:starling:{index}:\(self.deviceCount)"]
        let balancer = try RunningProgram(
            self.program,
            [
                "balancer", "--zone", Self.zone, "--static-uri", self.staticURI, "--profile", self.profile,
                "--listen", listen, "--instance-credentials", self.folder.path("instances.csv"),
                "--state", self.folder.path("balancer.sqlite"), "--control", self.folder.path("balancer"),
                "--ttl", "1", "--report-interval", "1", "--longest-retry", "2",
            ] + self.keyOptions + devices + registry,
            limit: 300
        )
        self.balancer = balancer
        self.balancerURI = try balancer.line(startingWith: "listening ")
        self.dns = try self.nameServer?.address ?? balancer.line(startingWith: "dns ")
        _ = try balancer.line(startingWith: "control ")
    }

    /// Starts an instance.
    func startInstance(_ name: String) throws {
        if let instance = self.instances[name] { self.earlierInstances.append(instance) }
        let address = try #require(Self.places[name])
        let instance = try RunningProgram(
            self.program,
            [
                "bootstrap", "--listen", "coaps://\(address):\(self.port),coap://\(address):\(self.plainPort)",
                "--server", self.managementURI,
                "--static-uri", self.staticURI, "--profile", self.profile, "--name", name, "--address", address,
                "--balancer", self.balancerURI, "--balancer-identity", name,
                "--balancer-psk", SharedKey.hexadecimal, "--control", self.folder.path(name),
            ] + self.keyOptions,
            limit: 300
        )
        self.instances[name] = instance
        _ = try instance.line(startingWith: "listening ")
    }

    /// Ends the balancer as a crash would.
    func killBalancer() { self.balancer?.kill() }

    /// Ends an instance as a crash would.
    func killInstance(_ name: String) { self.instances[name]?.kill() }

    /// Starts a fleet whose devices look for their instance by temporary names.
    func fleet(devices: Int, rate: Int, duration: String = "5s", limit: Int = 240) throws -> RunningProgram {
        try RunningProgram(
            self.program,
            [
                "fleet", "run", "--devices", "\(devices)", "--bootstrap", self.staticURI, "--profile", self.profile,
                "--dns", self.dns, "--psk-secret", "@\(self.folder.path("secret"))",
                "--rate", "\(rate)/s", "--duration", duration, "--json", self.folder.path("report.json"),
                // What a crash leaves silent is tried again soon.
                "--handshake-timeout", "5s", "--bootstrap-timeout", "10s",
            ],
            limit: limit
        )
    }

    /// The counters of an instance, by name.
    func counters(of instance: String) throws -> [String: UInt64] {
        let result = try self.program.run(
            ["ctl", "stats", "--json", "--control", self.folder.path(instance)],
            limit: 20
        )
        return try JSONDecoder().decode([String: UInt64].self, from: Data(result.output.utf8))
    }

    /// The temporary host of a device, as `starling uri` derives it.
    ///
    /// - Parameter age: how many seconds ago it was good.
    func host(of endpoint: String, age: Int = 0) throws -> String {
        let time = Int(Date().timeIntervalSince1970) - age
        let result = try self.program.run(
            [
                "uri", "--static-uri", self.staticURI, "--profile", self.profile, "--endpoint", endpoint,
                "--time", "\(time)", "--short",
            ] + (self.devicesShareKey ? ["--secret", SharedKey.hexadecimal] : self.secretOption),
            limit: 20
        )
        let authority = try #require(result.output.split(separator: "/").last, "\(result.errors)")
        return try String(#require(authority.split(separator: ":").first))
    }

    /// What the balancer says of itself.
    func status() throws -> BalancerStatusFile {
        let result = try self.program.run(
            ["ctl", "balancer", "status", "--json", "--control", self.folder.path("balancer")],
            limit: 20
        )
        guard result.status == 0 else { throw InteropError.endedEarly(result.output + result.errors) }
        return try BalancerStatusFile(result.output)
    }

    /// Asks the balancer until it says what the test waits for.
    func waitForStatus(
        _ what: String,
        limit: Duration = .seconds(60),
        _ isReached: (BalancerStatusFile) -> Bool
    ) throws {
        try waitUntil(what, limit: limit) { (try? self.status()).map(isReached) ?? false }
    }

    /// Everything that all balancers said so far.
    var balancerLog: String { (self.earlierBalancers + [self.balancer].compactMap { $0 }).map(\.output).joined() }

    /// Everything that all instances said so far.
    var instanceLog: String { (self.earlierInstances + self.instances.values).map(\.output).joined() }
}

/// A DNS server with a zone that signed updates may change.
protocol ZoneServer: AnyObject {
    /// Where it answers, as `127.0.28.53:20053`.
    var address: String { get }
    /// The key of the updates, as `NAME:@FILE`.
    var tsig: String { get }
    /// Ends the server.
    func stop() throws
    /// Starts it again with the zone it had.
    func start() throws
}
