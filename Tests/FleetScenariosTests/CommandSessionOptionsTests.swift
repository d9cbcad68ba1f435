import CommandSessions
import FleetScenarios
import LwM2MModel
import Primitives
import Testing

@Suite("--command-sessions, --command-restarts and --loss")
struct CommandSessionOptionsTests {
    private static func scenario(_ values: [String: String]) throws(ScenarioError) -> FleetScenario {
        var options = ScenarioOptions()
        for (name, value) in values { options[name] = value }
        return try FleetScenario(options: options)
    }

    private static func policy(_ text: String, server: String = "coap://192.0.2.1") throws -> SessionPolicy {
        try #require(try Self.scenario(["server": server, "command-sessions": text]).sessionPolicy)
    }

    @Test func withoutThemThereAreNone() throws {
        let scenario = try Self.scenario(["server": "coap://192.0.2.1"])
        #expect(scenario.sessionPolicy == nil)
        #expect(scenario.commandRestarts == 0)
        #expect(scenario.lossPercent == 0)
    }

    @Test(
        "A server that is an address is the gateway, unless another one is named",
        arguments: [
            ("coap://192.0.2.1", "192.0.2.1"), ("coap://192.0.2.1:5690", "192.0.2.1"),
            ("coap://[2001:DB8::1]", "2001:db8::1"),
        ]
    )
    func gatewayFromTheServer(_ server: String, address: String) throws {
        #expect(try Self.policy("protect=/5", server: server).gatewayAddresses.map { $0.text.string } == [address])
        #expect(try Self.policy("", server: server).gatewayAddresses.map { $0.text.string } == [address])
        let named = try Self.policy("gateway=192.0.2.7,protect=/5", server: server)
        #expect(named.gatewayAddresses.map { $0.text } == ["192.0.2.7"])
    }

    @Test func aServerThatIsANameIsNoGateway() throws {
        #expect(throws: ScenarioError.invalidSessions(.invalid(.gateway))) {
            try Self.scenario(["server": "coap://lwm2m.example", "command-sessions": "protect=/5"])
        }
        #expect(throws: ScenarioError.invalidSessions(.invalid(.gateway))) {
            try Self.scenario(["bootstrap": "coap://192.0.2.1", "command-sessions": "protect=/5"])
        }
        let named = try Self.scenario(["bootstrap": "coap://192.0.2.1", "command-sessions": "gateway=192.0.2.7"])
        #expect(named.sessionPolicy?.gatewayAddresses.map { $0.text } == ["192.0.2.7"])
    }

    @Test func everyFieldArrives() throws {
        let policy = try Self.policy(
            "gateway=192.0.2.7,gateway=2001:db8::1,protect=/3303/0/5601,protect=/5,form=device,server=1,timeout=9,"
                + "suspension=120"
        )
        #expect(policy.gatewayAddresses.map { $0.text } == ["192.0.2.7", "2001:db8::1"])
        #expect(policy.protectedPaths == [ObjectPath(3303, 0, 5601), ObjectPath(5)])
        #expect(policy.form == .deviceIdentifier)
        #expect(policy.gateway == 1)
        #expect((policy.timeout, policy.suspension) == (9, 120))
    }

    @Test(
        "A breach policy has commas of its own, wherever it stands",
        arguments: [
            "breaches=spoofed=log,alarm;unknown=log,block,protect=/5",
            "protect=/5,breaches=spoofed=log,alarm;unknown=log,block",
        ]
    )
    func breaches(_ text: String) throws {
        let policy = try Self.policy(text)
        #expect(policy.breaches[.spoofed] == [.log, .alarm])
        #expect(policy.breaches[.unknown] == [.log, .block])
        #expect(policy.protectedPaths == [ObjectPath(5)])
    }

    @Test func theHintForBreachesIsTaken() throws {
        #expect(SessionPolicy.Field.breaches.hint.string.contains("spoofed=log,suspend,alarm"))
        #expect(try Self.policy("breaches=spoofed=log,suspend,alarm").breaches == .standard)
    }

    @Test(
        "A scenario file may have a mapping of the fields",
        arguments: [
            "command-sessions: protect=/3303,protect=/5,timeout=9,breaches=spoofed=log,alarm",
            "command-sessions: [protect=/3303, protect=/5, timeout=9, 'breaches=spoofed=log,alarm']",
            "command-sessions:\n  protect: [/3303, /5]\n  timeout: 9\n  breaches: spoofed=log,alarm",
        ]
    )
    func file(_ yaml: String) throws {
        let options = try ScenarioOptions(yaml: "server: coap://192.0.2.1\ncommand-restarts: 2%\n" + yaml)
        let scenario = try FleetScenario(options: options)
        let policy = try #require(scenario.sessionPolicy)
        #expect(policy.protectedPaths == [ObjectPath(3303), ObjectPath(5)])
        #expect(policy.timeout == 9)
        #expect(policy.breaches[.spoofed] == [.log, .alarm])
        #expect(scenario.commandRestarts == 0.02)
    }

    @Test func anEmptyMappingIsThePolicyOfWhoWasToldNothing() throws {
        let options = try ScenarioOptions(yaml: "server: coap://192.0.2.1\ncommand-sessions: {}")
        let address = try #require(IPAddress(parsing: "192.0.2.1"))
        #expect(try FleetScenario(options: options).sessionPolicy == SessionPolicy(gatewayAddresses: [address]))
    }

    @Test(arguments: [
        "command-sessions:\n  protect: {a: b}", "command-sessions:\n  ? [a]\n  : b", "command-restarts: {a: b}",
    ])
    func refusesOtherFiles(_ yaml: String) {
        #expect(throws: ScenarioError.self) { try ScenarioOptions(yaml: yaml) }
    }

    @Test("A share of datagrams to lose is a whole percentage", arguments: [0, 1, 7, 29, 58, 99])
    func losses(_ percent: Int) throws {
        #expect(try Self.scenario(["server": "coap://192.0.2.1", "loss": "\(percent)%"]).lossPercent == percent)
    }

    private static let refused: [(change: [String: String], error: ScenarioError)] = [
        (["command-sessions": "protects=/5"], .invalidSessions(.unknown("protects"))),
        (["command-sessions": "protect"], .invalidSessions(.invalid(.protect))),
        (["command-sessions": "soon"], .invalidSessions(.unknown("soon"))),
        (["command-sessions": "protect=5"], .invalidSessions(.invalid(.protect))),
        (["command-sessions": "gateway=example"], .invalidSessions(.invalid(.gateway))),
        (["command-sessions": "gateway="], .invalidSessions(.invalid(.gateway))),
        (["command-sessions": "form=long"], .invalidSessions(.invalid(.form))),
        (["command-sessions": "form=both,form=device"], .invalidSessions(.repeated(.form))),
        (["command-sessions": "server=0"], .invalidSessions(.invalid(.server))),
        (["command-sessions": "breaches=spoofed=log,explode"], .invalidSessions(.invalid(.breaches))),
        (["command-sessions": "timeout=1m"], .invalidSessions(.invalid(.timeout))),
        (["command-sessions": "suspension=0"], .invalidSessions(.invalid(.suspension))),
        (["command-restarts": "1"], .invalidShare(option: "command-restarts", text: "1")),
        (["command-restarts": "%"], .invalidShare(option: "command-restarts", text: "%")),
        (["command-restarts": "-1%"], .invalidShare(option: "command-restarts", text: "-1%")),
        (["command-restarts": "100.1%"], .invalidShare(option: "command-restarts", text: "100.1%")),
        (["command-restarts": "nan%"], .invalidShare(option: "command-restarts", text: "nan%")),
        (["command-restarts": "0x10%"], .invalidShare(option: "command-restarts", text: "0x10%")),
        (["command-restarts": "1e1%"], .invalidShare(option: "command-restarts", text: "1e1%")),
        (["command-restarts": " 1%"], .invalidShare(option: "command-restarts", text: " 1%")),
        (["command-restarts": ""], .invalidShare(option: "command-restarts", text: "")),
        (["loss": "2"], .invalidShare(option: "loss", text: "2")),
        (["loss": "0.5%"], .invalidLoss(text: "0.5%")),
        (["loss": "100%"], .invalidLoss(text: "100%")),
    ]

    @Test(arguments: refused)
    func refusesWithATypedError(_ change: [String: String], error: ScenarioError) {
        #expect(throws: error) { try Self.scenario(["server": "coap://192.0.2.1"].merging(change) { $1 }) }
        #expect(!error.message.isEmpty)
        #expect(!error.hint.isEmpty)
    }

    @Test(arguments: [("0%", 0.0), ("1%", 0.01), ("0.5%", 0.005), ("100%", 1)])
    func readsShares(_ text: String, share: Double) throws {
        let scenario = try Self.scenario(["server": "coap://192.0.2.1", "command-restarts": text])
        #expect(scenario.commandRestarts == share)
    }

    @Test func theirErrorsSayWhichFieldsThereAre() {
        let error = ScenarioError.invalidSessions(.unknown("x"))
        for field in SessionPolicy.Field.allCases { #expect(error.hint.contains(field.name.string)) }
        #expect(ScenarioError.invalidSessions(.repeated(.form)).message.contains("'form' twice"))
    }
}
