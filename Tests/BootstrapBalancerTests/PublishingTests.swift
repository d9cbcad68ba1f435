import BalancerEngine
import CoAPMessages
import CoAPTransport
import Foundation
import Primitives
import ServiceSupport
import Testing

@testable import BootstrapBalancer

extension BootstrapBalancerTests {
    @Suite struct PublishingTests {
        @Test func theNamesOfAllDevicesLeadToTheInstancesThatReport() throws {
            let bench = try BalancerBench()
            try bench.startInstances("a", "b")
            try bench.settle()
            var spread: [String: Int] = [:]
            for index in 0..<20 {
                let address = bench.address(of: try bench.name(UTF8Text("dev\(index)")))
                spread[try #require(address), default: 0] += 1
            }
            #expect(spread == ["127.0.25.101": 10, "127.0.25.102": 10])
            #expect(bench.address(of: try bench.name("stranger")) == nil)
            #expect(bench.logged("instance-up") && bench.logged("rotation-done"))
        }

        @Test func theResponderAnswersForThemAndCountsGuesses() throws {
            let bench = try BalancerBench()
            try bench.startInstances("a")
            try bench.settle()
            let question = try DNSQuestion(to: try #require(bench.balancer.responderAddress))
            #expect(try question.ask(try bench.name("dev0"), bench) == .address("127.0.25.101"))
            #expect(try question.ask("bsguess.example.test", bench) == .noName)
            let dns = try #require(bench.balancer.status.dns)
            #expect(dns.answers == 1 && dns.nxdomain == 1)
        }

        @Test func anInstanceThatLeavesHandsItsNamesToTheOthers() throws {
            let bench = try BalancerBench()
            let sessions = try bench.startInstances("a", "b")
            try bench.settle()
            let leave = CoAPRequest(.delete, path: ["instances"], query: ["name=b"])
            #expect(try bench.ask(leave, on: try #require(sessions["b"])).code == .deleted)
            try bench.drive("every name leads to the other") {
                try (0..<20).allSatisfy { bench.address(of: try bench.name(UTF8Text("dev\($0)"))) == "127.0.25.101" }
            }
            #expect(bench.balancer.status.instances.map(\.isUp) == [true, false])
        }

        @Test func anInstanceThatIsSilentThreeTimesIsLost() throws {
            let bench = try BalancerBench()
            let sessions = try bench.startInstances("a", "b")
            let alive = try #require(sessions["a"])
            try bench.settle()
            var next = bench.loop.now
            try bench.drive("the silent one is lost") {
                if bench.loop.now >= next {
                    _ = try bench.send(BalancerBench.report("a"), on: alive)
                    next = bench.loop.now.advanced(by: .milliseconds(500))
                }
                return bench.logged("instance-lost")
            }
            #expect(bench.log.contains { $0.event == "instance-lost" && $0.members["instance"] == "b" })
            #expect(!bench.log.contains { $0.event == "instance-lost" && $0.members["instance"] == "a" })
            try bench.drive("its names went to the other") { bench.balancer.status.instances[0].names == 20 }
        }

        @Test func aRegistryThatIsAwayLosesNothing() throws {
            let registry = FakeRegistry()
            let bench = try BalancerBench(registry: registry)
            for mood in [FakeRegistry.Mood.unreachable, .refuses, .forgetsAnswers] {
                registry.mood = mood
                try bench.startInstances("a", "b")
                let event = mood == .refuses ? "registry-refused" : "registry-unreachable"
                try bench.drive("the trouble is said") { bench.logged(event) }
                registry.mood = .good
                try bench.drive("it is over") { bench.logged("registry-back") }
                try bench.settle()
                #expect(registry.names.count == 20)
                for name in registry.names.keys { #expect(bench.address(of: name) == registry.names[name]?.written) }
                // With the names away, the next mood has something to write.
                registry.write(nil)
                try bench.restart { $0.statePath = bench.folder + "/\(mood).sqlite" }
            }
        }

        @Test func somebodyElseInTheZoneStopsItUntilAnOperatorSaysSo() throws {
            let registry = FakeRegistry()
            let bench = try BalancerBench(registry: registry)
            registry.write(RegistryEpoch(writer: "other", number: 7))
            let sessions = try bench.startInstances("a")
            try bench.drive("it stops") { bench.logged("superseded") }
            #expect(bench.balancer.status.registry.state == "foreign")
            #expect(registry.updates == 0)
            #expect(try bench.control(BalancerControlRequest(id: 1, verb: .takeOver)).kind == .result)
            try bench.drive("it writes") {
                _ = try bench.send(BalancerBench.report("a"), on: try #require(sessions["a"]))
                return registry.names.count == 20
            }
            #expect(bench.logged("took-over"))
            try bench.settle()
            #expect(bench.balancer.status.registry.writer == registry.epoch?.writer.string)
        }

        @Test func noLineOfTheLogHoldsANameOrAKey() throws {
            let bench = try BalancerBench()
            let sessions = try bench.startInstances("a", "b")
            try bench.settle()
            let name = try bench.name("dev1")
            let notice = BalancerBench.notice(.started, "dev1", host: name, sequence: 1)
            _ = try bench.ask(notice, on: try #require(sessions["a"]))
            _ = try bench.ask(BalancerBench.post("notifications", [0x5B]), on: try #require(sessions["a"]))
            _ = try bench.ask(
                CoAPRequest(.delete, path: ["instances"], query: ["name=a"]),
                on: try #require(sessions["a"])
            )
            try bench.settle()
            let all = bench.log.map { "\($0.text) \($0.members)" }.joined(separator: "\n")
            #expect(bench.log.count > 4)
            for index in 0..<20 {
                let name = try bench.name(UTF8Text("dev\(index)"))
                #expect(!all.contains(try #require(name.string.split(separator: ".").first)))
            }
            #expect(!all.contains(Hexadecimal.encode(BalancerBench.key.copyBytes())))
        }
    }
}
