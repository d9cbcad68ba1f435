import BalancerEngine
import CoAPMessages
import Foundation
import Primitives
import ServiceSupport
import Testing

@testable import BootstrapBalancer

extension BootstrapBalancerTests {
    @Suite struct ControlTests {
        @Test func namesAreShownPageByPage() throws {
            let bench = try BalancerBench(devices: 2500)
            try bench.startInstances("a")
            try bench.settle()
            var names: Set<String> = []
            var pages = 0
            var request = BalancerControlRequest(id: 1, verb: .names)
            while true {
                let reply = try bench.control(request)
                #expect(reply.kind == .page && reply.names?.count ?? 0 <= 1000)
                names.formUnion(reply.names?.map(\.name) ?? [])
                pages += 1
                guard let cursor = reply.cursor else { break }
                request.cursor = cursor
            }
            #expect(names.count == 2500 && pages >= 3)
        }

        @Test func theStatusSaysWhatIsGoingOn() throws {
            let bench = try BalancerBench()
            let session = try #require(try bench.startInstances("b", "a")["a"])
            try bench.settle()
            let notice = BalancerBench.notice(.started, "dev1", host: try bench.name("dev1"), sequence: 1)
            _ = try bench.ask(notice, on: session)
            let status = try #require(try bench.control(BalancerControlRequest(id: 9, verb: .status)).balancer)
            #expect(status == bench.balancer.status)
            #expect(status.instances.map(\.name) == ["a", "b"])
            #expect(status.instances.map(\.isUp) == [true, true])
            #expect(status.instances.map(\.started) == [1, 0])
            #expect(status.devices.known == 20 && status.devices.inProgress == 1 && status.devices.waiting == 19)
            #expect(status.names.published == 20)
            #expect(status.windows.contains(try #require(status.window)))
            #expect(status.registry.state == "current")
        }

        @Test func whoeverMustBootstrapAgainHasANameAgain() throws {
            let bench = try BalancerBench()
            let session = try #require(try bench.startInstances("a")["a"])
            try bench.settle()
            let name = try bench.name("dev1")
            for (event, sequence) in [(BootstrapNotice.Event.started, 1), (.completed, 2)] {
                let notice = BalancerBench.notice(event, "dev1", host: name, sequence: UInt64(sequence))
                _ = try bench.ask(notice, on: session)
            }
            #expect(try bench.control(BalancerControlRequest(id: 1, verb: .rotate)).kind == .result)
            try bench.drive("the name is gone") {
                _ = try bench.send(BalancerBench.report("a"), on: session)
                return bench.balancer.status.names.published == 19
            }
            let needs = BalancerControlRequest(id: 2, verb: .needs, endpoints: ["dev1"])
            #expect(try bench.control(needs).kind == .result)
            try bench.drive("the name is back") {
                _ = try bench.send(BalancerBench.report("a"), on: session)
                return bench.address(of: name) == "127.0.25.101"
            }
        }

        @Test(arguments: [
            "", "[", "{}", #"{"id":1}"#, #"{"id":1,"verb":"steal"}"#, "\u{0}", #"{"id":-1,"verb":"status"}"#,
        ])
        func aLineThatIsNoRequestIsAnswered(_ line: String) throws {
            let bench = try BalancerBench()
            let client = try LineClient(path: bench.folder + "/c")
            #expect(client.send(Array((line.isEmpty ? " " : line).utf8)))
            var answer: [UInt8]?
            try bench.drive("an answer") {
                answer = client.receive(within: 0)
                return answer != nil
            }
            let reply = try JSONDecoder().decode(BalancerControlReply.self, from: Data(try #require(answer)))
            #expect(reply.kind == .error && reply.cause == "bad-request")
        }

        @Test func requestsOutsideTheirBoundsAreRefused() throws {
            let bench = try BalancerBench()
            let many = (0...1000).map { "dev\($0)" }
            for request in [
                BalancerControlRequest(id: 1, verb: .needs, endpoints: many),
                BalancerControlRequest(id: 1, verb: .names, cursor: -1),
                BalancerControlRequest(id: 1, verb: .device),
                BalancerControlRequest(id: 1, verb: .device, endpoints: many),
            ] {
                let reply = try bench.control(request)
                #expect(reply.kind == .error && reply.cause == "bad-request")
            }
            let unknown = try bench.control(BalancerControlRequest(id: 1, verb: .device, endpoints: ["nobody"]))
            #expect(unknown.cause == "not-known")
            #expect(try bench.control(BalancerControlRequest(id: 1, verb: .names, cursor: .max)).kind == .page)
        }

        @Test func configurationsThatCannotWorkAreRefusedAtTheStart() throws {
            #expect(throws: ServiceError.self) { try BalancerBench(staticURI: "coaps://bs.example.org") }
            #expect(throws: ServiceError.self) { try BalancerBench(staticURI: "coaps://bsexample.test") }
            #expect(throws: ServiceError.self) { try BalancerBench { $0.instances = try CredentialTable([]) } }
            #expect(throws: ServiceError.self) { try BalancerBench { $0.engine.writer = "no name" } }
            #expect(throws: ServiceError.self) { try BalancerBench { $0.engine.timeToLive = 10_000 } }
            #expect(throws: ServiceError.self) {
                try BalancerBench { $0.addresses = [try ListenAddress(parsing: "coap://127.0.25.1:0")] }
            }
            #expect(throws: ServiceError.self) {
                try BalancerBench {
                    $0.onDemand = BootstrapBalancer.OnDemand(command: try CommandTemplate(parsing: "run"), places: [])
                }
            }
        }

        @Test func aStateOfAnotherZoneIsRefused() throws {
            let bench = try BalancerBench()
            var other = try BalancerBench.configuration(devices: 1, staticURI: "coaps://bs.example.org")
            other.zone = "example.org"
            let path = bench.folder + "/state.sqlite"
            try bench.restart { $0.statePath = nil }
            other.statePath = path
            #expect(throws: ServiceError.self) { try BootstrapBalancer(configuration: other) }
        }
    }
}
