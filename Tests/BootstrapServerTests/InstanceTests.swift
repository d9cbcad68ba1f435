import BootstrapEngine
import BootstrapServer
import CoAPMessages
import CoAPTransport
import Foundation
import Primitives
import ServiceSupport
import Testing

@Suite("An instance of a balancer, on real sockets", .serialized) struct InstanceTests {
    @Test func aDeviceIsServedUnderItsNameAndTheBalancerKnows() throws {
        let loop = try EventLoop()
        let balancer = try FakeBalancer(loop: loop)
        let bench = try InstanceBench(balancer: balancer.link, loop: loop)
        let host = try InstanceBench.host("dev1")
        #expect(try bench.code(host) == .changed)
        try bench.drive("the balancer hears of the end") { balancer.notices.last?.event == .completed }
        #expect(balancer.notices.map(\.event) == [.started, .completed])
        #expect(balancer.notices.allSatisfy { $0.endpoint == "dev1" && $0.host == host })
        #expect(Set(balancer.notices.map(\.procedure)).count == 1)
        #expect(balancer.notices[0].sequence < balancer.notices[1].sequence)
        let report = try #require(balancer.reports.first)
        #expect(report.name == "bs-1" && report.weight == 3 && report.region == "north")
        // It comes again as often as it is told, which is every second here.
        let count = balancer.reports.count
        try bench.drive("the instance comes again") { balancer.reports.count > count }
    }

    @Test func theBalancerIsToldOnceThatTheInstanceBegins() throws {
        let loop = try EventLoop()
        let balancer = try FakeBalancer(loop: loop)
        let bench = try InstanceBench(balancer: balancer.link, loop: loop)
        try bench.drive("the instance comes again") { balancer.reports.count > 1 }
        #expect(balancer.reports.map(\.isFirst) == [true, false])
    }

    @Test func everyWrongHostIsForbiddenAndCounted() throws {
        let bench = try InstanceBench()
        #expect(try bench.code("bs.example.test") == .forbidden)
        #expect(try bench.code("stranger.example.test") == .forbidden)
        #expect(try bench.code(InstanceBench.host("dev2")) == .forbidden)
        #expect(try bench.code(InstanceBench.host("dev1", hours: -20)) == .forbidden)
        #expect(try bench.code(nil) == .forbidden)
        #expect(try bench.code(InstanceBench.host("dev2"), naming: "dev2") == .forbidden)
        #expect(bench.server.counters.unknownHosts == 3)
        #expect(bench.server.counters.expiredHosts == 1)
        #expect(bench.server.counters.missingHosts == 1)
        #expect(bench.server.counters.identityMismatches == 1)
        #expect(bench.server.counters.started == 0)
        #expect(bench.reports.count == 6)
    }

    @Test func theNameOfTheHandshakeStandsInForAMissingHost() throws {
        let bench = try InstanceBench()
        #expect(try bench.code(nil, serverName: InstanceBench.host("dev1")) == .changed)
    }

    @Test(arguments: [(CoAPCode.content, CoAPCode.changed), (.notFound, .forbidden)])
    func aNameThatIsNotOfNowIsAskedAboutWhileTheDeviceWaits(_ pin: CoAPCode, _ code: CoAPCode) throws {
        let loop = try EventLoop()
        let balancer = try FakeBalancer(loop: loop)
        balancer.pinAnswer = pin
        let bench = try InstanceBench(balancer: balancer.link, loop: loop)
        let host = try InstanceBench.host("dev1", hours: -2)
        #expect(try bench.code(host) == code)
        #expect(balancer.questions == [["ep=dev1", UTF8Text("host=\(host.string)")]])
        #expect(bench.server.counters.pinnedHosts == (pin == .content ? 1 : 0))
    }

    @Test func aBalancerThatDoesNotAnswerKeepsNobodyWaitingForLong() throws {
        let loop = try EventLoop()
        let balancer = try FakeBalancer(loop: loop)
        balancer.pinAnswer = nil
        let bench = try InstanceBench(balancer: balancer.link, loop: loop)
        let waiting = try bench.ask(InstanceBench.host("dev1", hours: -2))
        try bench.drive("the balancer is asked") { !balancer.questions.isEmpty }
        // Others are served meanwhile.
        #expect(try bench.code(InstanceBench.host("dev2"), as: "dev2") == .changed)
        #expect(bench.answer(to: waiting) == nil)
        try bench.drive("the device is answered") { bench.answer(to: waiting) != nil }
        #expect(bench.answer(to: waiting)?.code == .forbidden)
        #expect(bench.server.counters.unansweredPins == 1)
    }

    @Test func anInstanceServesWithoutItsBalancerAndTellsItEverythingLater() throws {
        let loop = try EventLoop()
        var balancer: FakeBalancer? = try FakeBalancer(loop: loop)
        let link = try #require(balancer?.link)
        balancer = nil
        let bench = try InstanceBench(balancer: link, loop: loop)
        #expect(try bench.code(InstanceBench.host("dev1")) == .changed)
        try bench.drive("the bootstrap ends") { bench.server.counters.finished == 1 }
        try bench.drive("the balancer is missed") { bench.server.balancerCounters.lostConnections > 0 }
        let back = try FakeBalancer(loop: loop, port: link.address.port)
        try bench.drive("the balancer hears of it") { back.notices.count == 2 }
        #expect(back.notices.map(\.event) == [.started, .completed])
        #expect(!back.reports.isEmpty)
    }

    @Test func aBalancerThatWasStartedAnewIsToldAgain() throws {
        let loop = try EventLoop()
        var balancer: FakeBalancer? = try FakeBalancer(loop: loop)
        let link = try #require(balancer?.link)
        balancer?.noticeAnswer = nil
        let bench = try InstanceBench(balancer: link, loop: loop)
        #expect(try bench.code(InstanceBench.host("dev1")) == .changed)
        try bench.drive("the notice is under way") { balancer?.notices.isEmpty == false }
        balancer = nil
        let back = try FakeBalancer(loop: loop, port: link.address.port)
        try bench.drive("the new balancer hears everything") { back.notices.last?.event == .completed }
        #expect(back.notices.map(\.event) == [.started, .completed])
        try bench.drive("all is acknowledged") { bench.server.balancerCounters.acknowledgedNotices == 2 }
        #expect(bench.server.balancerCounters.repeatedBatches >= 1)
    }

    @Test func aNoticeThatIsNotDurableComesAgain() throws {
        let loop = try EventLoop()
        let balancer = try FakeBalancer(loop: loop)
        balancer.noticeAnswer = .internalServerError
        let bench = try InstanceBench(balancer: balancer.link, loop: loop)
        #expect(try bench.code(InstanceBench.host("dev1")) == .changed)
        try bench.drive("it comes again") { balancer.notices.filter { $0.event == .started }.count > 2 }
        balancer.noticeAnswer = .changed
        try bench.drive("all is acknowledged") { bench.server.balancerCounters.acknowledgedNotices == 2 }
    }

    @Test func theEndWaitsForBootstrapsInProgressAndSaysGoodbye() throws {
        let loop = try EventLoop()
        let balancer = try FakeBalancer(loop: loop)
        let bench = try InstanceBench(balancer: balancer.link, loop: loop)
        bench.answersSteps = false
        #expect(try bench.code(InstanceBench.host("dev1")) == .changed)
        bench.server.drain()
        let number = try bench.ask(InstanceBench.host("dev2"), as: "dev2")
        try bench.drive("others are sent away") { bench.answer(to: number) != nil }
        #expect(bench.answer(to: number)?.code == .serviceUnavailable)
        #expect((bench.answer(to: number)?.options.unsigned(.maxAge) ?? 0) > 0)
        #expect(balancer.departures.isEmpty)
        bench.closeSession(of: "dev1")
        try bench.drive("the instance leaves") { !balancer.departures.isEmpty }
        #expect(balancer.departures == [["name=bs-1"]])
        #expect(balancer.notices.map(\.event) == [.started, .failed])
        try bench.drive("the server ends") { bench.server.hasEnded }
    }

    @Test func theEndDoesNotWaitForEver() throws {
        let bench = try InstanceBench { $0.drainTime = .milliseconds(100) }
        bench.answersSteps = false
        #expect(try bench.code(InstanceBench.host("dev1")) == .changed)
        bench.server.drain()
        try bench.drive("the server ends") { bench.server.hasEnded }
        #expect(bench.server.counters.finished == 0)
    }

    @Test func aDatabaseThatIsReadAgainHoldsFromThenOn() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "db-\(UUID().uuidString).csv").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        func write(_ endpoints: [UTF8Text]) throws {
            var text = "endpoint,key,server\n"
            for endpoint in endpoints {
                let key = try #require(InstanceBench.keys.key(of: endpoint.bytes))
                text += "\(endpoint),\(Hexadecimal.encode(key.copyBytes())),coap://127.0.0.1\n"
            }
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        try write(["dev1"])
        let bench = try InstanceBench { configuration in
            configuration.keys = .none
            configuration.rules = []
            configuration.databasePath = path
        }
        #expect(try bench.code(InstanceBench.host("dev1")) == .changed)
        try write(["dev1", "dev2"])
        #expect(try bench.server.readDatabase() == 2)
        #expect(try bench.code(InstanceBench.host("dev2"), as: "dev2") == .changed)
        // What was there before holds on when the file is damaged.
        try Data("endpoint,key,server\ndev1".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: ServiceError.self) { try bench.server.readDatabase() }
        try bench.drive("the bootstrap of dev2 ends") { bench.server.counters.finished == 2 }
        #expect(try bench.code(InstanceBench.host("dev2"), as: "dev2") == .changed)
    }

    @Test func theControlSocketTellsTheCounters() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "bs-\(UUID().uuidString)").path
        let bench = try InstanceBench { $0.controlPath = path }
        #expect(try bench.code("bs.example.test") == .forbidden)
        let client = try LineClient(path: path)
        for line in [#"{"id":1,"verb":"stats"}"#, #"{"id":2,"verb":"list"}"#, "nonsense"] {
            #expect(client.send(Array(line.utf8)))
        }
        var lines: [String] = []
        try bench.drive("three lines are answered") {
            while lines.count < 3, client.waits(milliseconds: 0), let line = client.receive() {
                lines.append(String(decoding: line, as: UTF8.self))
            }
            return lines.count == 3
        }
        #expect(lines[0].contains(#""unknownHosts":1"#))
        #expect(lines[0].contains(#""kind":"stats""#))
        #expect(lines[1].contains("bad-request") && lines[2].contains("bad-request"))
    }

    @Test func anInstanceWithoutTemporaryNamesIsSaidAtTheStart() throws {
        let loop = try EventLoop()
        let balancer = try FakeBalancer(loop: loop)
        #expect(throws: ServiceError.self) {
            try InstanceBench(balancer: balancer.link) { $0.temporaryURIs = nil }
        }
    }
}
