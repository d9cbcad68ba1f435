import BootstrapURIs
import CoAPMessages
import CoAPTransport
import FleetEngine
import FleetScenarios
import LwM2MModel
import Primitives
import Testing

@Suite struct FleetScenarioTests {
    private static func options(_ values: [String: String]) -> ScenarioOptions {
        var options = ScenarioOptions()
        for (name, value) in values { options[name] = value }
        return options
    }

    private static func scenario(_ values: [String: String]) throws(ScenarioError) -> FleetScenario {
        try FleetScenario(options: Self.options(values))
    }

    @Test func defaultsAreThoseOfTheHelp() throws {
        let scenario = try Self.scenario(["server": "coap://127.0.0.1"])
        #expect(scenario.fleet.deviceCount == 1)
        #expect(scenario.fleet.indices == 0..<1)
        #expect(scenario.fleet.schedule == ArrivalSchedule(rate: 100))
        #expect(scenario.fleet.handshakesInFlight == 64)
        #expect(scenario.fleet.duration == .seconds(60))
        #expect(scenario.fleet.readingInterval == nil)
        #expect(scenario.lifetime == 300)
        #expect(scenario.endpoint.text(index: 7).string == "urn:dev:starling:7")
        #expect(scenario.identity.text(index: 7, endpoint: "me").string == "me")
        #expect(scenario.target == .server(CoAPURI(scheme: .coap, host: "127.0.0.1", port: 5683)))
        #expect(scenario.profile == nil)
        #expect(scenario.ownObjectIDs == .standard)
        guard case .none = scenario.security else {
            Issue.record("plain coap needs no key")
            return
        }
    }

    @Test func everyOptionArrives() throws {
        let scenario = try Self.scenario([
            "bootstrap": "coaps://boot.example:5694", "devices": "19000", "endpoint": "m-{index:6}",
            "psk-identity": "id-{endpoint}", "psk-secret": "000102030405060708090a0b0c0d0e0f", "rate": "500/s",
            "ramp": "10s", "duration": "forever", "lifetime": "5m", "notify-every": "10s", "first-index": "100",
            "source-address": "127.0.0.2, 127.0.0.3", "json": "report.json", "handshakes-in-flight": "32",
            "seed": "9", "dns": "127.0.0.1:5353", "quiet": "true", "start-patience": "1h",
            "handshake-timeout": "5s", "bootstrap-timeout": "20s", "profile": "period=1800", "own-object-ids": "40000",
        ])
        #expect(scenario.target.uri == CoAPURI(scheme: .coaps, host: "boot.example", port: 5694))
        #expect(scenario.targetText == "coaps://boot.example:5694")
        #expect(scenario.profile?.period == 1_800)
        #expect(scenario.ownObjectIDs == OwnObjectIDs(first: 40_000))
        #expect(scenario.fleet.indices == 100..<19_100)
        #expect(scenario.fleet.schedule == ArrivalSchedule(from: 0, to: 500, over: .seconds(10)))
        #expect(scenario.fleet.duration == nil)
        #expect(scenario.fleet.readingInterval == .seconds(10))
        #expect(scenario.fleet.startPatience == .seconds(3_600))
        #expect(scenario.fleet.handshakesInFlight == 32)
        #expect(scenario.handshakeTimeout == .seconds(5))
        #expect(scenario.bootstrapTimeout == .seconds(20))
        #expect(scenario.fleet.seed == 9)
        #expect(scenario.lifetime == 300)
        #expect(scenario.endpoint.text(index: 7).string == "m-000007")
        #expect(scenario.identity.text(index: 7, endpoint: "m-000007").string == "id-m-000007")
        #expect(scenario.sourceAddresses.map(\.text) == ["127.0.0.2:0", "127.0.0.3:0"])
        #expect(scenario.nameServers.map(\.text) == ["127.0.0.1:5353"])
        #expect(scenario.reportPath == "report.json")
        #expect(scenario.isQuiet)
        guard case .derivedKeys(let secret) = scenario.security else {
            Issue.record("a secret derives the keys")
            return
        }
        #expect(secret.count == 16)
    }

    private static let refused: [(change: [String: String], error: ScenarioError)] = [
        (["server": ""], .invalidURI(option: "server", text: "", .unsupportedScheme)),
        (["server": "http://a"], .invalidURI(option: "server", text: "http://a", .unsupportedScheme)),
        (["server": "coaps://"], .invalidURI(option: "server", text: "coaps://", .invalidHost)),
        (["server": "coaps://a:0"], .invalidURI(option: "server", text: "coaps://a:0", .invalidPort)),
        (["bootstrap": "coaps://b"], .conflicting("server", "bootstrap")),
        (["psk-secret": "00"], .conflicting("psk-key", "psk-secret")),
        (["psk-key": "0g"], .invalidKey(option: "psk-key", allowed: 1...64)),
        (["psk-key": "012"], .invalidKey(option: "psk-key", allowed: 1...64)),
        (["psk-key": ""], .invalidKey(option: "psk-key", allowed: 1...64)),
        (
            ["psk-key": String(repeating: "ab", count: 65)], .invalidKey(option: "psk-key", allowed: 1...64)
        ),
        (["devices": "0"], .invalidNumber(option: "devices", text: "0", allowed: 1...10_000_000)),
        (["devices": "-1"], .invalidNumber(option: "devices", text: "-1", allowed: 1...10_000_000)),
        (["devices": "1e3"], .invalidNumber(option: "devices", text: "1e3", allowed: 1...10_000_000)),
        (
            ["devices": "99999999999999999999"],
            .invalidNumber(option: "devices", text: "99999999999999999999", allowed: 1...10_000_000)
        ),
        (["first-index": "x"], .invalidNumber(option: "first-index", text: "x", allowed: 0...10_000_000)),
        (
            ["handshakes-in-flight": "0"],
            .invalidNumber(option: "handshakes-in-flight", text: "0", allowed: 1...65_536)
        ),
        (["seed": "-2"], .invalidNumber(option: "seed", text: "-2", allowed: 0...Int.max)),
        (["rate": "0/s"], .invalidRate(option: "rate", text: "0/s")),
        (["rate": "fast"], .invalidRate(option: "rate", text: "fast")),
        (["rate": "5/d"], .invalidRate(option: "rate", text: "5/d")),
        (["rate": "1e9/s"], .invalidRate(option: "rate", text: "1e9/s")),
        (["rate": "2000000/s"], .invalidRate(option: "rate", text: "2000000/s")),
        (["rate": "-5/s"], .invalidRate(option: "rate", text: "-5/s")),
        (["duration": "ten"], .invalidDuration(option: "duration", text: "ten")),
        (["duration": "-5s"], .invalidDuration(option: "duration", text: "-5s")),
        (["duration": "1y"], .invalidDuration(option: "duration", text: "1y")),
        (["duration": "400d"], .invalidDuration(option: "duration", text: "400d")),
        (["duration": "1.5.2s"], .invalidDuration(option: "duration", text: "1.5.2s")),
        (["duration": "∞"], .invalidDuration(option: "duration", text: "∞")),
        (["duration": "٣s"], .invalidDuration(option: "duration", text: "٣s")),
        (["handshake-timeout": "1ms"], .invalidDuration(option: "handshake-timeout", text: "1ms")),
        (["bootstrap-timeout": "0"], .invalidDuration(option: "bootstrap-timeout", text: "0")),
        (["notify-every": "0"], .invalidDuration(option: "notify-every", text: "0")),
        (["lifetime": "0"], .invalidDuration(option: "lifetime", text: "0")),
        (["lifetime": "500ms"], .invalidDuration(option: "lifetime", text: "500ms")),
        (["ramp": "x"], .invalidDuration(option: "ramp", text: "x")),
        (["endpoint": ""], .invalidTemplate(option: "endpoint", text: "", .empty)),
        (["endpoint": "{name}"], .invalidTemplate(option: "endpoint", text: "{name}", .unknownPlaceholder("name"))),
        (
            ["endpoint": "{endpoint}{index}"],
            .invalidTemplate(option: "endpoint", text: "{endpoint}{index}", .unknownPlaceholder("endpoint"))
        ),
        (["psk-identity": "{"], .invalidTemplate(option: "psk-identity", text: "{", .unclosedPlaceholder)),
        (["devices": "2", "endpoint": "same"], .sameNameForAll(option: "endpoint")),
        (["source-address": "localhost"], .invalidAddress(option: "source-address", text: "localhost")),
        (["source-address": "127.0.0.2,"], .invalidAddress(option: "source-address", text: "")),
        (["dns": "300.0.0.1"], .invalidAddress(option: "dns", text: "300.0.0.1")),
        (["quiet": "maybe"], .invalidFlag(option: "quiet", text: "maybe")),
    ]

    @Test(arguments: refused)
    func refusesWithATypedError(_ change: [String: String], error: ScenarioError) {
        let valid = ["server": "coaps://127.0.0.1", "psk-key": "0011"]
        #expect(throws: error) { try Self.scenario(valid.merging(change) { _, new in new }) }
        #expect(!error.hint.isEmpty)
        #expect(!error.message.isEmpty)
    }

    @Test func asksForATargetAndAKey() {
        #expect(throws: ScenarioError.missing(["server", "bootstrap"])) { try Self.scenario([:]) }
        #expect(throws: ScenarioError.missing(["psk-key", "psk-secret"])) {
            try Self.scenario(["server": "coaps://a"])
        }
    }

    @Test func noErrorShowsAKey() {
        do throws(ScenarioError) {
            _ = try Self.scenario(["server": "coaps://a", "psk-key": "deadbeefzz"])
            Issue.record("zz is not hexadecimal")
        } catch {
            #expect(!error.message.contains("dead"))
            #expect(!"\(error)".contains("dead"))
        }
    }

    private static let refusedProfiles: [(change: [String: String], error: ScenarioError)] = [
        (["profile": "hour=1"], .invalidProfile(.unknownField("hour"))),
        (["profile": "period=0"], .invalidProfile(.invalid(.period))),
        (["profile": "selection=last:4"], .invalidProfile(.tooFewBits(16))),
        (["bootstrap": "coaps://127.0.0.1"], .invalidProfile(.hostIsAddress)),
        (["profile": "@/nonexistent/profile"], .unreadableProfile(path: "/nonexistent/profile")),
        (
            ["own-object-ids": "3"],
            .invalidNumber(option: "own-object-ids", text: "3", allowed: 32_769...42_800)
        ),
        (
            ["own-object-ids": "42800"],
            .invalidNumber(option: "own-object-ids", text: "42800", allowed: 32_769...42_799)
        ),
    ]

    @Test(arguments: refusedProfiles)
    func refusesAProfileThatCannotBeUsed(_ change: [String: String], error: ScenarioError) {
        let valid = ["bootstrap": "coaps://bs.example.test", "profile": "period=60,clock-skew=5", "psk-key": "0011"]
        #expect(throws: error) { try Self.scenario(valid.merging(change) { _, new in new }) }
        #expect(!error.hint.isEmpty)
        #expect(!error.message.isEmpty)
    }

    @Test func aProfileNeedsABootstrapServer() {
        #expect(throws: ScenarioError.missing(["bootstrap"])) {
            try Self.scenario(["server": "coap://a", "profile": "period=60"])
        }
    }

    private static let durations: [(text: String, duration: Duration)] = [
        ("500ms", .milliseconds(500)), ("60s", .seconds(60)), ("60", .seconds(60)), ("5m", .seconds(300)),
        ("1h", .seconds(3_600)), ("2d", .seconds(172_800)), ("1.5s", .milliseconds(1_500)), ("0", .zero),
    ]

    @Test(arguments: durations)
    func readsDurations(_ text: String, duration: Duration) throws {
        #expect(try Self.scenario(["server": "coap://a", "duration": text]).fleet.duration == duration)
    }

    @Test(arguments: [("500/s", 500.0), ("30/m", 0.5), ("3600/h", 1), ("2.5", 2.5)])
    func readsRates(_ text: String, rate: Double) throws {
        #expect(try Self.scenario(["server": "coap://a", "rate": text]).fleet.schedule.finalRate == rate)
    }
}
