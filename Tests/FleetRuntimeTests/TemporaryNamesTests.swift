import BootstrapURIs
import CoAPMessages
import CoAPTransport
import CryptographicHashes
import FleetEngine
import FleetReports
import FleetRuntime
import FleetScenarios
import KeyDerivation
import LoopbackPeers
import Primitives
import Testing

/// Fleets that look for their bootstrap server by temporary names, at a DNS server on the same loop.
@Suite(.serialized) struct TemporaryNamesTests {
    private static let secret = SecretBytes((0..<32).map { UInt8($0) })
    /// Names without a time stamp, so that no border of a period comes in the way.
    private static let profile = "parameters=endpoint"

    private let loop: EventLoop

    init() throws {
        self.loop = try EventLoop()
    }

    private func dns(_ rule: @escaping (DNSResponder.Question) -> DNSResponder.Reply) -> DNSResponder {
        let dns = DNSResponder(rule)
        self.loop.watch(descriptor: dns.descriptor, readable: true, writable: false) { _, _ in dns.answerWaiting() }
        return dns
    }

    private func scenario(_ uri: String, _ dns: DNSResponder, profile: String) throws -> FleetScenario {
        var options = ScenarioOptions()
        options["bootstrap"] = uri
        options["profile"] = profile
        options["dns"] = "127.0.0.1:\(dns.port)"
        options["psk-secret"] = Hexadecimal.encode(Self.secret.copyBytes())
        options["devices"] = "10"
        options["rate"] = "2000/s"
        options["duration"] = "100ms"
        return try FleetScenario(options: options)
    }

    /// What everybody who knows the secrets derives.
    private func names(_ scenario: FleetScenario) throws -> [String] {
        let uris = try TemporaryURIs(profile: #require(scenario.profile), staticURI: scenario.target.uri)
        return try (0..<10).map { index in
            let endpoint = scenario.endpoint.text(index: index)
            let key = PreSharedKeyDerivation.key(secret: Self.secret, identity: endpoint.bytes)
            let window = TimeWindow(stamp: 0)
            return try uris.uri(secret: key, endpoint: endpoint, window: window, hashes: .libCrypto).host.string
        }
    }

    @Test func eachDeviceAsksForItsOwnNameAndGoesThere() throws {
        let server = try LoopbackServer(loop: self.loop) { identity in
            PreSharedKeyDerivation.key(secret: Self.secret, identity: identity)
        }
        let dns = self.dns { _ in .addresses(timeToLive: 1, [[127, 0, 0, 1]]) }
        let scenario = try self.scenario(server.uri(host: "bs.example.test"), dns, profile: Self.profile)
        let report = try FleetRuntime(scenario: scenario, loop: self.loop).run(progressEvery: .milliseconds(10))
        #expect(try Set(dns.questions.map(\.name)) == Set(self.names(scenario)))
        var expected = FleetNames()
        expected.current = 10
        #expect(report.names == expected)
        // The server knows no bootstrap, and every device has heard so.
        #expect(report.failures == ["refused 4.04": 10])
        #expect(report.operations["handshake"]?.count == 10)
    }

    @Test func namesThatDoNotExistAreCounted() throws {
        let dns = self.dns { _ in .code(3) }
        let scenario = try self.scenario("coaps://bs.example.test:5684", dns, profile: Self.profile)
        let report = try FleetRuntime(scenario: scenario, loop: self.loop).run(progressEvery: .milliseconds(10))
        #expect(report.names?.current == 10)
        #expect(report.names?.static == 0)
        #expect(report.names?.withoutName == 10)
        #expect(report.devices.failedByCause == ["nameNotFound": 10])
    }

    @Test func theStaticNameIsTriedOnlyWhereTheProfileAllowsIt() throws {
        let dns = self.dns { _ in .code(3) }
        let scenario = try self.scenario("coaps://bs.example.test:5684", dns, profile: Self.profile + ",fallback=yes")
        let report = try FleetRuntime(scenario: scenario, loop: self.loop).run(progressEvery: .milliseconds(10))
        #expect(report.names?.current == 10)
        #expect(report.names?.static == 10)
        #expect(dns.questions.contains { $0.name == "bs.example.test" })
    }

    @Test func aFleetWithoutAProfileReportsNoNames() throws {
        let dns = self.dns { _ in .code(3) }
        var scenario = try self.scenario("coaps://bs.example.test:5684", dns, profile: Self.profile)
        scenario.profile = nil
        let report = try FleetRuntime(scenario: scenario, loop: self.loop).run(progressEvery: .milliseconds(10))
        #expect(report.names == nil)
        #expect(Set(dns.questions.map(\.name)) == ["bs.example.test"])
    }
}
