import BootstrapURIs
import CoAPMessages
import CoAPTransport
import CommandSessions
import FleetEngine
import Foundation
import LwM2MModel
import Primitives

extension FleetScenario {
    private static let mostDevices = 10_000_000

    /// Checks the options of a run and fills in the defaults.
    public init(options: ScenarioOptions) throws(ScenarioError) {
        (self.target, self.targetText) = try Self.target(options)
        self.ownObjectIDs = try Self.ownObjectIDs(options)
        self.profile = try Self.profile(options, target: self.target)
        self.sessionPolicy = try Self.sessionPolicy(options, target: self.target)
        self.commandRestarts = try Self.share("command-restarts", options)
        self.lossPercent = try Self.loss(options)
        let devices = try Self.number("devices", options, default: 1, allowed: 1...Self.mostDevices)
        self.fleet = FleetConfiguration(
            firstIndex: try Self.number("first-index", options, default: 0, allowed: 0...Self.mostDevices),
            deviceCount: devices,
            schedule: try Self.schedule(options)
        )
        self.fleet.handshakesInFlight = try Self.number(
            "handshakes-in-flight",
            options,
            default: 64,
            allowed: 1...65_536
        )
        self.fleet.seed = UInt64(try Self.number("seed", options, default: 1, allowed: 0...Int.max))
        self.fleet.duration =
            options["duration"] == "forever" ? nil : try Self.duration("duration", options) ?? .seconds(60)
        self.fleet.readingInterval = try Self.duration("notify-every", options, shortest: .milliseconds(1))
        if let patience = try Self.duration("start-patience", options) { self.fleet.startPatience = patience }
        self.handshakeTimeout =
            try Self.duration("handshake-timeout", options, shortest: .milliseconds(10)) ?? .seconds(60)
        self.bootstrapTimeout = try Self.duration("bootstrap-timeout", options, shortest: .milliseconds(10))
        self.lifetime = try Self.lifetime(options)
        self.endpoint = try Self.template("endpoint", options, default: "urn:dev:starling:{index}")
        self.identity = try Self.template("psk-identity", options, default: "{endpoint}")
        self.security = try Self.security(options, scheme: self.target.uri.scheme)
        self.sourceAddresses = try Self.addresses("source-address", options)
        self.nameServers = try Self.addresses("dns", options)
        self.reportPath = options["json"]
        self.isQuiet = try Self.flag("quiet", options)
        guard !self.endpoint.namesEndpoint else {
            throw .invalidTemplate(
                option: "endpoint",
                text: options["endpoint"] ?? "",
                .unknownPlaceholder("endpoint")
            )
        }
        guard devices == 1 || self.endpoint.namesIndex else { throw .sameNameForAll(option: "endpoint") }
    }

    private static func target(_ options: ScenarioOptions) throws(ScenarioError) -> (Target, UTF8Text) {
        switch (options["server"], options["bootstrap"]) {
        case (nil, nil): throw .missing(["server", "bootstrap"])
        case (_?, _?): throw .conflicting("server", "bootstrap")
        case (let text?, nil): return (.server(try Self.uri("server", text)), UTF8Text(text))
        case (nil, let text?): return (.bootstrap(try Self.uri("bootstrap", text)), UTF8Text(text))
        }
    }

    private static func profile(
        _ options: ScenarioOptions,
        target: Target
    ) throws(ScenarioError) -> BootstrapURIProfile? {
        guard let text = options["profile"] else { return nil }
        guard case .bootstrap(let uri) = target else { throw .missing(["bootstrap"]) }
        let fields = text.hasPrefix("@") ? try Self.profileFile(String(text.dropFirst())) : text
        do throws(ProfileError) {
            let profile = try BootstrapURIProfile(parsing: UTF8Text(fields))
            // What does not fit the static URI is found now, not by a thousand devices.
            _ = try TemporaryURIs(profile: profile, staticURI: uri)
            return profile
        } catch {
            throw .invalidProfile(error)
        }
    }

    /// The policy of command sessions; a target that is an address is the gateway unless another one is named.
    private static func sessionPolicy(
        _ options: ScenarioOptions,
        target: Target
    ) throws(ScenarioError) -> SessionPolicy? {
        guard let text = options["command-sessions"] else { return nil }
        var fields = Self.sessionFields(text)
        if !fields.contains(where: { $0.name == SessionPolicy.Field.gateway.name }),
            case .server(let uri) = target, IPAddress(parsing: uri.host) != nil
        {
            fields.append((SessionPolicy.Field.gateway.name, uri.host))
        }
        do throws(SessionPolicy.FieldError) { return try SessionPolicy(fields: fields) } catch {
            throw .invalidSessions(error)
        }
    }

    /// The fields between commas, where a breach policy has commas of its own: `breaches=spoofed=log,alarm,form=both`.
    private static func sessionFields(_ text: String) -> [(name: UTF8Text, value: UTF8Text)] {
        let names = SessionPolicy.Field.allCases.map { $0.name.string }
        var fields: [(name: String, value: String)] = []
        for part in text.split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            if fields.last?.name == SessionPolicy.Field.breaches.name.string, !names.contains(sides[0]) {
                fields[fields.count - 1].value += ",\(part)"
            } else {
                fields.append((sides[0], sides.count > 1 ? sides[1] : ""))
            }
        }
        return fields.map { (UTF8Text($0.name), UTF8Text($0.value)) }
    }

    private static func share(_ option: String, _ options: ScenarioOptions) throws(ScenarioError) -> Double {
        guard let text = options[option] else { return 0 }
        guard let share = DurationText.parseShare(text) else { throw .invalidShare(option: option, text: text) }
        return share
    }

    /// A whole percentage, which is what the CoAP library can do.
    private static func loss(_ options: ScenarioOptions) throws(ScenarioError) -> Int {
        let percent = try Self.share("loss", options) * 100
        guard let whole = Int(exactly: percent.rounded()), abs(percent - Double(whole)) < 0.000_001, whole < 100 else {
            throw .invalidLoss(text: options["loss"] ?? "")
        }
        return whole
    }

    /// The text in a file, which may spread the fields over lines.
    private static func profileFile(_ path: String) throws(ScenarioError) -> String {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: 65_536) else {
            throw .unreadableProfile(path: path)
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func ownObjectIDs(_ options: ScenarioOptions) throws(ScenarioError) -> OwnObjectIDs {
        let first = try Self.number(
            "own-object-ids",
            options,
            default: Int(OwnObjectIDs.standard.first),
            allowed: 32_769...42_800
        )
        guard let identifiers = UInt16(exactly: first).flatMap(OwnObjectIDs.init(first:)) else {
            throw .invalidNumber(option: "own-object-ids", text: "\(first)", allowed: 32_769...42_799)
        }
        return identifiers
    }

    private static func uri(_ option: String, _ text: String) throws(ScenarioError) -> CoAPURI {
        do throws(CoAPURI.ParseError) {
            return try CoAPURI(parsing: UTF8Text(text))
        } catch {
            throw .invalidURI(option: option, text: text, error)
        }
    }

    private static func number(
        _ option: String,
        _ options: ScenarioOptions,
        default: Int,
        allowed: ClosedRange<Int>
    ) throws(ScenarioError) -> Int {
        guard let text = options[option] else { return `default` }
        guard let number = Int(text), allowed.contains(number) else {
            throw .invalidNumber(option: option, text: text, allowed: allowed)
        }
        return number
    }

    private static func flag(_ option: String, _ options: ScenarioOptions) throws(ScenarioError) -> Bool {
        switch options[option] {
        case nil, "false", "no": return false
        case "true", "yes": return true
        case let text?: throw .invalidFlag(option: option, text: text)
        }
    }

    // MARK: Time

    private static func duration(
        _ option: String,
        _ options: ScenarioOptions,
        shortest: Duration = .zero
    ) throws(ScenarioError) -> Duration? {
        guard let text = options[option] else { return nil }
        guard let duration = DurationText.parse(text), duration >= shortest else {
            throw .invalidDuration(option: option, text: text)
        }
        return duration
    }

    private static func lifetime(_ options: ScenarioOptions) throws(ScenarioError) -> UInt32 {
        guard let text = options["lifetime"] else { return 300 }
        if let seconds = UInt32(text), seconds > 0 { return seconds }
        guard let duration = DurationText.parse(text), duration >= .seconds(1),
            let seconds = UInt32(exactly: duration.nanoseconds / 1_000_000_000)
        else { throw .invalidDuration(option: "lifetime", text: text) }
        return seconds
    }

    private static func schedule(_ options: ScenarioOptions) throws(ScenarioError) -> ArrivalSchedule {
        let text = options["rate"] ?? "100/s"
        guard let rate = DurationText.parseRate(text), ArrivalSchedule.rates.contains(rate) else {
            throw .invalidRate(option: "rate", text: text)
        }
        guard let ramp = try Self.duration("ramp", options) else { return ArrivalSchedule(rate: rate) }
        return ArrivalSchedule(from: 0, to: rate, over: ramp)
    }

    // MARK: Names, keys and addresses

    private static func template(
        _ option: String,
        _ options: ScenarioOptions,
        default: String
    ) throws(ScenarioError) -> IdentityTemplate {
        let text = options[option] ?? `default`
        do throws(IdentityTemplate.ParseError) {
            return try IdentityTemplate(parsing: text)
        } catch {
            throw .invalidTemplate(option: option, text: text, error)
        }
    }

    private static func security(
        _ options: ScenarioOptions,
        scheme: CoAPURI.Scheme
    ) throws(ScenarioError) -> Security {
        switch (options["psk-key"], options["psk-secret"]) {
        case (_?, _?): throw .conflicting("psk-key", "psk-secret")
        case (let text?, nil): return .sharedKey(try Self.key("psk-key", text, allowed: 1...64))
        case (nil, let text?): return .derivedKeys(secret: try Self.key("psk-secret", text, allowed: 16...64))
        case (nil, nil):
            guard scheme == .coap else { throw .missing(["psk-key", "psk-secret"]) }
            return .none
        }
    }

    private static func key(
        _ option: String,
        _ text: String,
        allowed: ClosedRange<Int>
    ) throws(ScenarioError) -> SecretBytes {
        let digits = text.hasPrefix("@") ? try Self.keyFile(option, String(text.dropFirst())) : text
        guard let bytes = Hexadecimal.decode(digits), allowed.contains(bytes.count) else {
            throw .invalidKey(option: option, allowed: allowed)
        }
        return SecretBytes(bytes)
    }

    /// The digits in a file, so that no list of processes shows a key.
    private static func keyFile(_ option: String, _ path: String) throws(ScenarioError) -> String {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.read(upToCount: 4_096) else {
            throw .unreadableKey(option: option, path: path)
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func addresses(
        _ option: String,
        _ options: ScenarioOptions
    ) throws(ScenarioError) -> [SocketAddress] {
        guard let list = options[option] else { return [] }
        var addresses: [SocketAddress] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let text = part.filter { $0 != " " }
            guard let address = SocketAddress(parsing: UTF8Text(text)) else {
                throw .invalidAddress(option: option, text: text)
            }
            addresses.append(address)
        }
        return addresses
    }
}
