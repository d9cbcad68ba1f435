import ArgumentParser
import BalancerEngine
import BootstrapBalancer
import CoAPMessages
import CoAPTransport
import FleetEngine
import Foundation
import Primitives
import ServiceSupport

/// Where the balancer has the devices and their secrets from.
struct DeviceSecretOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Devices with their keys: CSV or JSON, also with region and class.", valueName: "file")
    )
    var credentials: String?
    @Option(
        help: ArgumentHelp(
            "The secret of each device's key: 16 bytes of HMAC-SHA-256 over its identity. Or @FILE.",
            valueName: "hex"
        )
    )
    var pskSecret: String?
    @Option(
        help: ArgumentHelp(
            "The endpoint names that go with --psk-secret, and how many: urn:dev:starling:{index}:1000.",
            valueName: "template:count"
        )
    )
    var endpoints: String?
    @Option(help: ArgumentHelp("A management server that hands out the devices' credentials.", valueName: "uri"))
    var credentialsFrom: String?
    @Option(
        help: ArgumentHelp("As whom they are read, with a key in hexadecimal or @FILE.", valueName: "identity:key")
    )
    var credentialsReader: String?
    @Option(help: ArgumentHelp("How often they are read anew.", valueName: "seconds"))
    var credentialsInterval = 3600

    func secrets() throws(ServiceError) -> DeviceSecrets {
        let given = [self.credentials, self.pskSecret, self.credentialsFrom].compactMap { $0 }
        guard given.count == 1 else {
            throw ServiceError(
                given.isEmpty ? "there are no devices" : "there is more than one source of devices",
                hint: "choose one of --credentials, --psk-secret with --endpoints, and --credentials-from"
            )
        }
        if let path = self.credentials { return .file(path: path) }
        if let text = self.pskSecret { return try self.derived(text) }
        return try self.server(self.credentialsFrom ?? "")
    }

    private func derived(_ text: String) throws(ServiceError) -> DeviceSecrets {
        let secret = try DeviceKeys.readKey(text, option: "--psk-secret")
        guard let endpoints, let colon = endpoints.lastIndex(of: ":"),
            let count = Int(endpoints[endpoints.index(after: colon)...]), (1...4_000_000).contains(count)
        else {
            throw ServiceError(
                "--psk-secret needs the devices' names and their number",
                hint: "--endpoints 'urn:dev:starling:{index}:1000', at most 4000000"
            )
        }
        let template: IdentityTemplate
        do { template = try IdentityTemplate(parsing: String(endpoints[..<colon])) } catch {
            throw ServiceError("the template of --endpoints cannot be read", hint: "urn:dev:starling:{index}")
        }
        guard template.namesIndex || count == 1, !template.namesEndpoint else {
            throw ServiceError("the template of --endpoints gives all devices one name", hint: "{index} in it")
        }
        return .derived(secret: secret, count: count, endpoint: { template.text(index: $0) })
    }

    private func server(_ text: String) throws(ServiceError) -> DeviceSecrets {
        guard let uri = try? CoAPURI(parsing: UTF8Text(text)), uri.scheme == .coaps else {
            throw ServiceError("'\(text)' is no server for credentials", hint: "coaps://10.0.0.3:5684")
        }
        guard let reader = self.credentialsReader else {
            throw ServiceError("--credentials-from needs an identity", hint: "--credentials-reader NAME:@FILE")
        }
        guard (1...604_800).contains(self.credentialsInterval) else {
            throw ServiceError("--credentials-interval is \(self.credentialsInterval)", hint: "1 to 604800 seconds")
        }
        let key = try NamedKey(parsing: reader, option: "--credentials-reader")
        var source = CredentialsSource(uri: uri, identity: key.name.bytes, key: key.key)
        source.interval = .seconds(self.credentialsInterval)
        return .server(source)
    }
}

/// Where the zone is published.
struct RegistryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "embedded:ADDRESS:PORT answers from this process; rfc2136:ADDRESS:PORT updates a DNS server.",
            valueName: "registry"
        )
    )
    var dns: String
    @Option(
        help: ArgumentHelp("The key of signed updates, in base64 or @FILE with it.", valueName: "name:key")
    )
    var tsig: String?

    func registry() throws(ServiceError) -> BootstrapBalancer.Configuration.Registry {
        let parts = self.dns.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, var address = SocketAddress(parsing: UTF8Text(parts[1])) else { throw self.unreadable }
        switch parts[0] {
        case "embedded": return .embedded(address)
        case "rfc2136":
            if address.port == 0 { address.port = 53 }
            let (name, key) = try self.key()
            return .dynamicUpdates(server: address, keyName: name, key: key)
        default: throw self.unreadable
        }
    }

    private var unreadable: ServiceError {
        ServiceError("'\(self.dns)' is no registry", hint: "embedded:127.0.0.1:5353 or rfc2136:10.0.0.2:53")
    }

    private func key() throws(ServiceError) -> (UTF8Text, SecretBytes) {
        let hint = "--tsig NAME:@FILE; 'tsig-keygen -a hmac-sha256 NAME' makes a key"
        guard let parts = self.tsig?.split(separator: ":", maxSplits: 1).map(String.init), parts.count == 2 else {
            throw ServiceError("signed updates need a key", hint: hint)
        }
        var text = parts[1]
        if text.hasPrefix("@") {
            guard let file = FileHandle(forReadingAtPath: String(text.dropFirst())),
                let data = try? file.read(upToCount: 4096)
            else { throw ServiceError("the file of --tsig cannot be read", hint: "check its permissions") }
            text = String(decoding: data, as: UTF8.self)
        }
        guard let key = Data(base64Encoded: text.trimmingCharacters(in: .whitespacesAndNewlines)), !key.isEmpty else {
            throw ServiceError("the key of --tsig is not base64", hint: hint)
        }
        return (UTF8Text(parts[0]), SecretBytes(Array(key)))
    }
}

/// How the balancer shares and renews names.
struct BalancerRuleOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How names are shared: even, least-connections, weighted or weighted-least-connections, behind region+ "
                + "or class+ for those first: region+class+weighted.",
            valueName: "strategy"
        )
    )
    var strategy = "even"
    @Option(name: .customLong("ttl"), help: ArgumentHelp("How long resolvers may keep a name.", valueName: "seconds"))
    var timeToLive: UInt32 = 30
    @Option(
        help: ArgumentHelp("How often instances report; three that are missed are a lost one.", valueName: "seconds")
    )
    var reportInterval = 5
    @Option(help: ArgumentHelp("When a device that started and never finished is given up.", valueName: "seconds"))
    var progressLimit = 3600
    @Option(
        help: ArgumentHelp(
            "What publishing all names may take; they are published so much earlier. (default: a quarter of the "
                + "period, at most 60)",
            valueName: "seconds"
        )
    )
    var registryTime: Int?
    @Option(
        help: ArgumentHelp("The longest pause before an unreachable registry is tried again.", valueName: "seconds")
    )
    var longestRetry = 60
    @Option(
        help: ArgumentHelp("As whom this balancer writes the zone. (default: made once and kept)", valueName: "name")
    )
    var writer: String?

    func apply(to rules: inout BalancerConfiguration, period: Int64) throws(ServiceError) {
        let registryTime = self.registryTime ?? Int(min(60, period / 4))
        rules.strategy = try self.allocation()
        guard (1...86_400).contains(self.timeToLive), (1...3600).contains(self.reportInterval),
            (1...604_800).contains(self.progressLimit), (0...86_400).contains(registryTime),
            (1...3600).contains(self.longestRetry)
        else {
            throw ServiceError("a time is out of its range", hint: "'starling help balancer' shows the options")
        }
        rules.timeToLive = self.timeToLive
        rules.reportInterval = .seconds(self.reportInterval)
        rules.progressLimit = .seconds(self.progressLimit)
        rules.registryTime = .seconds(registryTime)
        rules.longestRetry = .seconds(self.longestRetry)
        guard let writer else { return }
        let isName = writer.utf8.allSatisfy {
            ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2D
        }
        guard isName, (1...63).contains(writer.utf8.count) else {
            throw ServiceError("'\(writer)' is no name of a writer", hint: "1 to 63 letters, digits and hyphens")
        }
        rules.writer = UTF8Text(writer)
    }

    private func allocation() throws(ServiceError) -> AllocationStrategy {
        var filters: [AllocationStrategy.Filter] = []
        var spreading: AllocationStrategy.Spreading?
        for word in self.strategy.split(separator: "+", omittingEmptySubsequences: false) {
            switch word {
            case "region" where !filters.contains(.region): filters.append(.region)
            case "class" where !filters.contains(.deviceClass): filters.append(.deviceClass)
            case "even" where spreading == nil: spreading = .even
            case "least-connections" where spreading == nil: spreading = .leastConnections
            case "weighted" where spreading == nil: spreading = .weighted
            case "weighted-least-connections" where spreading == nil: spreading = .weightedLeastConnections
            default:
                throw ServiceError("'\(self.strategy)' is no strategy", hint: "region+class+weighted, for example")
            }
        }
        return AllocationStrategy(filters: filters, spreading ?? .even)
    }
}

/// How instances are started when none is up.
struct OnDemandOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Starts an instance when a device comes and none is up: a command with {name} and {address} in it.",
            valueName: "command"
        )
    )
    var onDemand: String?
    @Option(
        help: ArgumentHelp("An instance that may be started so; repeat it for more.", valueName: "name=address")
    )
    var onDemandInstance: [String] = []
    @Option(help: ArgumentHelp("The file that their output is appended to.", valueName: "file"))
    var onDemandLog: String?
    @Option(help: ArgumentHelp("Ends one that has had nothing to do for so long.", valueName: "seconds"))
    var onDemandIdle: Int?
    @Option(help: ArgumentHelp("How long one may take until it reports.", valueName: "seconds"))
    var onDemandStartTime = 60
    @Option(
        help: ArgumentHelp(
            "Where names lead to while no instance is up; the balancer listens there at the static URI's port.",
            valueName: "address"
        )
    )
    var holdingAddress: String?
    @Option(help: ArgumentHelp("How long a device that is held shall wait.", valueName: "seconds"))
    var holdTime: UInt32 = 5

    func apply(to configuration: inout BootstrapBalancer.Configuration) throws(ServiceError) {
        if let text = self.holdingAddress {
            guard let address = IPAddress(written: text) else {
                throw ServiceError("'\(text)' is no address to hold devices at", hint: "--holding-address 10.0.0.1")
            }
            configuration.engine.holdingAddress = address
        }
        guard (1...3600).contains(self.holdTime), (1...3600).contains(self.onDemandStartTime),
            self.onDemandIdle.map({ (1...604_800).contains($0) }) ?? true
        else { throw ServiceError("a time is out of its range", hint: "1 to 3600 seconds") }
        configuration.engine.holdTime = self.holdTime
        configuration.engine.instanceStartTime = .seconds(self.onDemandStartTime)
        configuration.engine.instanceIdleTime = self.onDemandIdle.map { .seconds($0) }
        guard let onDemand else {
            guard self.onDemandInstance.isEmpty, self.onDemandLog == nil, self.onDemandIdle == nil else {
                throw ServiceError("nothing is started on demand", hint: "--on-demand 'COMMAND {name} {address}'")
            }
            return
        }
        var places: [BootstrapBalancer.OnDemand.Place] = []
        for text in self.onDemandInstance {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let address = IPAddress(written: parts[1]) else {
                throw ServiceError("'\(text)' is no instance to start", hint: "--on-demand-instance bs-1=10.0.0.11")
            }
            places.append(BootstrapBalancer.OnDemand.Place(name: UTF8Text(parts[0]), address: address))
        }
        configuration.onDemand = BootstrapBalancer.OnDemand(
            command: try CommandTemplate(parsing: onDemand),
            places: places,
            logPath: self.onDemandLog
        )
    }
}
