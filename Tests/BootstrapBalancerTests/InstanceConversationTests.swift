import BalancerEngine
import CoAPMessages
import CoAPTransport
import Primitives
import ServiceSupport
import Testing

@testable import BootstrapBalancer

extension BootstrapBalancerTests {
    /// What instances tell and ask, over DTLS.
    @Suite struct InstanceConversationTests {
        @Test func aReportIsAnsweredWithTheInterval() throws {
            let bench = try BalancerBench()
            let response = try bench.ask(BalancerBench.report("a", inProgress: 3), on: try bench.connected(as: "a"))
            #expect(response.code == .changed)
            #expect(try InstanceReportAnswer(decoding: response.payload).interval == 1)
            #expect(bench.balancer.status.instances.map(\.inProgress) == [3])
        }

        @Test func aDeviceThatStartedKeepsItsNameUntilItCompletes() throws {
            let bench = try BalancerBench()
            let sessions = try bench.startInstances("a")
            let session = try #require(sessions["a"])
            try bench.settle()
            let name = try bench.name("dev1")
            #expect(try bench.ask(BalancerBench.pin("dev1", host: name), on: session).code == .notFound)
            let started = BalancerBench.notice(.started, "dev1", host: name, sequence: 1)
            #expect(try bench.ask(started, on: session).code == .changed)
            #expect(try bench.ask(BalancerBench.pin("dev1", host: name), on: session).code == .content)
            #expect(try bench.ask(BalancerBench.pin("dev2", host: name), on: session).code == .notFound)
            let completed = BalancerBench.notice(.completed, "dev1", host: name, sequence: 2)
            #expect(try bench.ask(completed, on: session).code == .changed)
            #expect(try bench.ask(BalancerBench.pin("dev1", host: name), on: session).code == .notFound)
            let device = try bench.control(BalancerControlRequest(id: 1, verb: .device, endpoints: ["dev1"])).device
            #expect(device?.phase == "completed" && device?.instance == "a")
        }

        @Test func anInstanceThatBeginsAnewHasLostWhatWasInProgress() throws {
            let bench = try BalancerBench()
            let session = try #require(try bench.startInstances("a")["a"])
            try bench.settle()
            let started = BalancerBench.notice(.started, "dev1", host: try bench.name("dev1"), sequence: 1)
            #expect(try bench.ask(started, on: session).code == .changed)
            #expect(try bench.ask(BalancerBench.report("a"), on: session).code == .changed)
            #expect(bench.balancer.status.devices.restarted == 0)
            let again = try bench.connected(as: "a")
            #expect(try bench.ask(BalancerBench.report("a", isFirst: true), on: again).code == .changed)
            #expect(bench.balancer.status.devices.restarted == 1)
            #expect(bench.balancer.status.instances.map(\.isUp) == [true])
            #expect(bench.logged("instance-restarted"))
        }

        @Test func aNotificationThatComesAgainChangesNothing() throws {
            let bench = try BalancerBench()
            let session = try #require(try bench.startInstances("a")["a"])
            let name = try bench.name("dev1")
            for (event, sequence) in [(BootstrapNotice.Event.completed, 2), (.started, 1), (.completed, 2)] {
                let notice = BalancerBench.notice(event, "dev1", host: name, sequence: UInt64(sequence))
                #expect(try bench.ask(notice, on: session).code == .changed)
            }
            let status = bench.balancer.status
            #expect(status.devices.completed == 1 && status.devices.inProgress == 0)
            #expect(status.instances.map(\.completed) == [1])
        }

        @Test func whatIsAcknowledgedSurvivesTheEndOfTheProcess() throws {
            let bench = try BalancerBench()
            let session = try #require(try bench.startInstances("a")["a"])
            try bench.settle()
            let names = try (1...3).map { try bench.name(UTF8Text("dev\($0)")) }
            for (index, name) in names.enumerated() {
                let notice = BalancerBench.notice(
                    index == 2 ? .completed : .started,
                    UTF8Text("dev\(index + 1)"),
                    host: name,
                    procedure: UTF8Text("p\(index)"),
                    sequence: UInt64(index + 1)
                )
                #expect(try bench.ask(notice, on: session).code == .changed)
            }
            let before = Set(names.compactMap { bench.address(of: $0) })
            try bench.restart()
            try bench.settle()
            let again = try bench.connected(as: "a")
            #expect(try bench.ask(BalancerBench.pin("dev1", host: names[0]), on: again).code == .content)
            #expect(try bench.ask(BalancerBench.pin("dev2", host: names[1]), on: again).code == .content)
            #expect(try bench.ask(BalancerBench.pin("dev3", host: names[2]), on: again).code == .notFound)
            #expect(bench.balancer.status.devices.completed == 1)
            #expect(Set(names[..<2].compactMap { bench.address(of: $0) }) == before)
            #expect(bench.logged("restored"))
        }

        private static let hostile: [(String, CoAPRequest, CoAPCode)] = [
            ("no JSON", BalancerBench.post("instances", [0xFF]), .badRequest),
            ("an empty body", BalancerBench.post("instances", []), .badRequest),
            ("deep nesting", BalancerBench.post("instances", Array(repeating: 0x5B, count: 60_000)), .badRequest),
            ("another one's name", BalancerBench.report("b"), .forbidden),
            (
                "a report without format", CoAPRequest(.post, path: ["instances"], payload: [1]),
                .unsupportedContentFormat
            ),
            ("another one's leave", CoAPRequest(.delete, path: ["instances"], query: ["name=b"]), .forbidden),
            ("nobody's leave", CoAPRequest(.delete, path: ["instances"]), .badRequest),
            ("a question for instances", CoAPRequest(.get, path: ["instances"]), .methodNotAllowed),
            ("no notices", BalancerBench.post("notifications", Array("[]".utf8)), .badRequest),
            ("half a notice", BalancerBench.post("notifications", Array("[{\"endpoint\":\"a\"".utf8)), .badRequest),
            (
                "too many notices",
                BalancerBench.post(
                    "notifications",
                    BootstrapNotice.encode(
                        Array(
                            repeating: BootstrapNotice(
                                endpoint: "a",
                                host: "h",
                                event: .started,
                                procedure: "p",
                                sequence: 1
                            ),
                            count: 101
                        )
                    )
                ), .badRequest
            ),
            (
                "a body above the bound", BalancerBench.post("notifications", Array(repeating: 0x20, count: 65_537)),
                .requestEntityTooLarge
            ),
            ("a pin of nobody", CoAPRequest(.get, path: ["pins"], query: ["host=a"]), .badRequest),
            ("a pin of nothing", CoAPRequest(.get, path: ["pins"], query: ["ep=a", "host="]), .badRequest),
            ("an unknown resource", CoAPRequest(.get, path: ["secrets"]), .notFound),
            ("below a resource", CoAPRequest(.get, path: ["pins", "1"]), .notFound),
            ("the root", CoAPRequest(.get, path: []), .notFound),
        ]

        @Test func whatMakesNoSenseIsRefusedCountedAndHarmless() throws {
            let bench = try BalancerBench()
            let session = try #require(try bench.startInstances("a")["a"])
            for (what, request, code) in Self.hostile {
                #expect(try bench.ask(request, on: session).code == code, "\(what)")
            }
            let counters = bench.balancer.status.counters
            #expect(counters["foreignRequests"] == 2)
            #expect(counters["unknownResources"] == 4)
            #expect(counters["malformedRequests"] == 10)
            #expect(counters["refusedBodies"] == 1)
            // The balancer goes on, for this instance too.
            #expect(try bench.ask(BalancerBench.report("a"), on: session).code == .changed)
        }

        @Test func aNoticeAboutNobodyIsTakenAndCounted() throws {
            let bench = try BalancerBench()
            let session = try #require(try bench.startInstances("a")["a"])
            let notice = BalancerBench.notice(.started, "nobody", host: "bs1.example.test", sequence: 1)
            #expect(try bench.ask(notice, on: session).code == .changed)
            #expect(bench.balancer.status.counters["unknownDevices"] == 1)
        }

        @Test func whoIsNoInstanceDoesNotGetIn() throws {
            let bench = try BalancerBench()
            for (identity, key) in [("stranger", BalancerBench.key), ("a", SecretBytes([9, 9]))] {
                let session = try bench.peer.openSession(
                    to: try #require(bench.balancer.addresses.first).address,
                    security: .preSharedKey(PreSharedKey(identity: Array(identity.utf8), key: key), serverName: nil),
                    from: nil,
                    tag: 0
                )
                try bench.drive("the handshake fails") {
                    bench.events.contains {
                        if case .sessionClosed(let closed, _, _) = $0 { closed == session } else { false }
                    }
                }
            }
            #expect(bench.balancer.status.counters["unknownIdentities"] == 1)
            #expect(bench.balancer.status.instances.isEmpty)
        }
    }
}
