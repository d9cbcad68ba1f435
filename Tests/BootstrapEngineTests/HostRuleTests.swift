import BootstrapEngine
import BootstrapURIs
import CoAPMessages
import Primitives
import Testing

@Suite("Which host a device may have asked for") struct HostRuleTests {
    @Test func aDeviceIsServedUnderItsNameOfNow() throws {
        let bench = try HostBench()
        let outputs = bench.ask(try bench.host())
        #expect(outputs.code == .changed)
        #expect(outputs.progress == [.started])
    }

    @Test func theCaseOfAHostDoesNotMatter() throws {
        let bench = try HostBench()
        #expect(bench.ask(UTF8Text(try bench.host().string.uppercased())).code == .changed)
    }

    @Test func everyRefusalIsForbiddenAndCountedByKind() throws {
        let bench = try HostBench()
        bench.open(2, as: "dev2")
        let refused: [(outputs: [BootstrapOutput], BootstrapRefusal)] = [
            (bench.ask("bs.example.test"), .unknownHost),
            (bench.ask("stranger.example.test"), .unknownHost),
            (bench.ask(try bench.host(of: "dev2")), .unknownHost),
            (bench.ask(try bench.host(hours: -23)), .expiredHost),
            (bench.ask(try bench.host(hours: 1)), .unknownHost),
            (bench.ask(nil), .missingHost),
            (bench.ask(try bench.host(), on: 2), .identityMismatch),
        ]
        for (outputs, refusal) in refused {
            #expect(outputs.code == .forbidden, "\(refusal)")
            #expect(outputs.refusal == refusal)
            #expect(outputs.progress.isEmpty)
        }
        let counters = bench.engine.counters
        #expect(counters.unknownHosts == 4)
        #expect(counters.expiredHosts == 1)
        #expect(counters.missingHosts == 1)
        #expect(counters.identityMismatches == 1)
        #expect(counters.started == 0)
        #expect(bench.engine.procedureCount == 0)
        #expect(bench.engine.nextDeadline == nil)
    }

    @Test func noReportShowsAHost() throws {
        let bench = try HostBench()
        let host = try bench.host(hours: -1)
        let outputs = bench.ask(host)
        let reports = outputs.filter { if case .report = $0 { true } else { false } }
        #expect(!reports.isEmpty)
        #expect(!String(reflecting: reports).contains(host.string))
    }

    @Test func anHourThatIsLongPastIsNoHourOfTheDevice() throws {
        let bench = try HostBench()
        #expect(bench.ask(try bench.host(hours: -24)).refusal == .expiredHost)
        #expect(bench.ask(try bench.host(hours: -25)).refusal == .unknownHost)
    }

    /// The window ends half an hour after the start; clocks may be a minute apart.
    @Test(arguments: [
        (seconds: 1738, hours: 1, isServed: false), (1739, 1, true), (1800, 1, true), (1860, 0, true), (1861, 0, false),
    ])
    func aroundABorderBothNamesCount(_ seconds: Int64, _ hours: Int64, _ isServed: Bool) throws {
        let bench = try HostBench()
        bench.pass(.seconds(seconds))
        #expect(bench.ask(try bench.host(hours: hours)).code == (isServed ? .changed : .forbidden))
    }

    @Test func theCivilClockMayJump() throws {
        let bench = try HostBench()
        let later = try bench.host(hours: 5)
        #expect(bench.ask(later).code == .forbidden)
        _ = bench.tell(.clockSet(WallTime(secondsSinceEpoch: HostBench.start.secondsSinceEpoch + 5 * 3600)))
        #expect(bench.ask(later).code == .changed)
        _ = bench.tell(.network(.sessionClosed(SessionID(rawValue: 1))))
        bench.open(1, as: "dev1")
        _ = bench.tell(.clockSet(WallTime(secondsSinceEpoch: .max)))
        bench.pass(.seconds(100))
        #expect(bench.ask(later).code == .forbidden)
    }

    @Test func withoutACivilClockNobodyIsJudged() throws {
        let bench = try HostBench()
        var configuration = BootstrapConfiguration()
        configuration.hostRule = bench.engine.hostRule
        bench.engine = BootstrapEngine(configuration: configuration)
        bench.open(1, as: "dev1")
        #expect(bench.ask(try bench.host()).code == .serviceUnavailable)
    }

    @Test func theNameOfTheHandshakeStandsInForAMissingOne() throws {
        let bench = try HostBench()
        bench.open(3, as: "dev1", serverName: try bench.host())
        #expect(bench.ask(nil, on: 3).code == .changed)
        // What the request names counts more.
        #expect(bench.ask("other.example.test", on: 3).refusal == .unknownHost)
    }

    @Test func theStaticHostCountsWhereTheProfileLetsDevicesFallBack() throws {
        let bench = try HostBench(profile: "fallback=yes")
        #expect(bench.ask("bs.example.test").code == .changed)
        #expect(bench.engine.counters.staticHosts == 1)
        #expect(bench.ask("bs.example.org").code == .forbidden)
    }

    @Test func aDeviceWithoutASecretIsNotKnown() throws {
        let bench = try HostBench()
        bench.secrets = [:]
        #expect(bench.ask(try bench.host()).code == .badRequest)
        #expect(bench.engine.counters.unknownEndpoints == 1)
    }

    @Test func aSecretThatIsTooWeakHasNoName() throws {
        let bench = try HostBench()
        let host = try bench.host()
        bench.secrets["dev1"] = SecretBytes([1, 2, 3])
        #expect(bench.ask(host).refusal == .unknownHost)
    }

    @Test(arguments: ["path", "query", "query:n"])
    func aNameInPathOrQueryIsJudgedAsWell(_ insertion: String) throws {
        let bench = try HostBench(profile: "insertion=\(insertion)")
        let uri = try bench.uri()
        #expect(bench.ask(uri.host, path: uri.path + ["bs"], query: uri.query).code == .changed)
        #expect(bench.ask(uri.host).refusal == .unknownHost)
        // The host is the static one for all, so it need not be named.
        #expect(bench.ask(nil, path: uri.path + ["bs"], query: uri.query).code == .changed)
        let old = try bench.uri(hours: -2)
        #expect(bench.ask(old.host, path: old.path + ["bs"], query: old.query).refusal == .expiredHost)
    }

    @Test func aProfileWithoutTimeHasOneNameForEver() throws {
        let bench = try HostBench(profile: "parameters=endpoint")
        let host = try bench.host()
        bench.pass(.seconds(86_400 * 365))
        #expect(bench.ask(host).code == .changed)
        #expect(bench.ask("other.example.test").refusal == .unknownHost)
    }

    @Test(arguments: [[UTF8Text("a.test"), "a.test"], [""]])
    func hostsThatMakeNoSenseAreBadRequests(_ hosts: [UTF8Text]) throws {
        let bench = try HostBench()
        var request = CoAPRequest(.post, path: ["bs"], query: ["ep=dev1"])
        for host in hosts { request.options.append(.uriHost, host.bytes) }
        let outputs = bench.tell(
            .network(.requestReceived(ExchangeID(rawValue: 99), SessionID(rawValue: 1), request))
        )
        #expect(outputs.code == .badRequest)
    }
}
