import BalancerEngine
import CoAPMessages
import CoAPTransport
import Foundation
import Primitives
import ServiceSupport
import Testing

@testable import BootstrapBalancer

extension BootstrapBalancerTests {
    /// Devices that come while no instance is up.
    @Suite struct OnDemandTests {
        private func bench(_ command: String, idle: Duration? = nil, path: String = "") throws -> BalancerBench {
            let port = try freePort("127.0.25.9")
            return try BalancerBench(staticURI: "coaps://bs.example.test:\(port)\(path)") {
                $0.engine.holdingAddress = IPAddress([127, 0, 25, 9])
                $0.engine.holdTime = 2
                $0.engine.instanceStartTime = .seconds(15)
                $0.engine.instanceIdleTime = idle
                $0.onDemand = BootstrapBalancer.OnDemand(
                    command: try CommandTemplate(parsing: command),
                    places: [.init(name: "c", address: try #require(IPAddress([127, 0, 25, 103])))]
                )
            }
        }

        /// A port of an address that nobody uses now.
        private func freePort(_ address: String) throws -> UInt16 {
            let transport = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: try EventLoop())
            let any = try #require(SocketAddress(parsing: UTF8Text("\(address):0")))
            return try transport.listen(on: any, security: .none).port
        }

        private func device(_ endpoint: String, _ bench: BalancerBench) throws -> TransportSession {
            let key = try #require(DeviceKeys.derived(secret: BalancerBench.secret).key(of: Array(endpoint.utf8)))
            let session = try bench.peer.openSession(
                to: try #require(bench.balancer.holdingAddress).address,
                security: .preSharedKey(
                    PreSharedKey(identity: Array(endpoint.utf8), key: key),
                    serverName: try bench.name(UTF8Text(endpoint))
                ),
                from: nil,
                tag: 0
            )
            try bench.waitForConnection(session)
            return session
        }

        private func request(_ endpoint: String, host: UTF8Text?) -> CoAPRequest {
            var request = CoAPRequest(.post, path: ["bs"], query: [UTF8Text("ep=\(endpoint)")])
            if let host { request.options.append(.uriHost, host.bytes) }
            return request
        }

        @Test func theDeviceIsHeldAnInstanceStartsAndTheNameLeadsThere() async throws {
            try await OwnThread.run {
                let file = FileManager.default.temporaryDirectory.appending(path: "od-\(UUID().uuidString)").path
                defer { try? FileManager.default.removeItem(atPath: file) }
                let bench = try self.bench("/bin/sh -c 'echo {name} {address} >\(file); exec sleep 60'")
                try bench.settle()
                let name = try bench.name("dev1")
                #expect(bench.address(of: name) == "127.0.25.9")
                let session = try self.device("dev1", bench)
                let answer = try bench.ask(self.request("dev1", host: name), on: session)
                #expect(answer.code == .serviceUnavailable && answer.options.unsigned(.maxAge) == 2)
                try bench.drive("the process runs") { FileManager.default.contents(atPath: file)?.isEmpty == false }
                #expect(FileManager.default.contents(atPath: file) == Data("c 127.0.25.103\n".utf8))
                // One that comes meanwhile starts no second one.
                let other = try self.device("dev2", bench)
                let held = try bench.ask(self.request("dev2", host: try bench.name("dev2")), on: other)
                #expect(held.code == .serviceUnavailable)
                #expect(bench.balancer.status.counters["startedInstances"] == 1)
                try bench.startInstances("c")
                try bench.drive("the name leads to the instance") { bench.address(of: name) == "127.0.25.103" }
            }
        }

        @Test func anInstanceThatEndsIsSaidAndItsNamesComeBack() async throws {
            try await OwnThread.run {
                let bench = try self.bench("/bin/sh -c 'exit 3'")
                try bench.settle()
                let session = try self.device("dev1", bench)
                _ = try bench.ask(self.request("dev1", host: try bench.name("dev1")), on: session)
                try bench.drive("the end is said") { bench.logged("instance-ended") }
                #expect(bench.log.first { $0.event == "instance-ended" }?.members["cause"] == "exit status 3")
                #expect(bench.address(of: try bench.name("dev1")) == "127.0.25.9")
            }
        }

        @Test func whatCannotBeStartedIsSaid() async throws {
            try await OwnThread.run {
                let bench = try self.bench("/nonexistent/program {name}")
                try bench.settle()
                let session = try self.device("dev1", bench)
                _ = try bench.ask(self.request("dev1", host: try bench.name("dev1")), on: session)
                try bench.drive("the end is said") { bench.logged("instance-ended") }
                #expect(bench.log.first { $0.event == "instance-ended" }?.members["cause"] == "it could not be started")
            }
        }

        @Test func anIdleInstanceIsEnded() async throws {
            try await OwnThread.run {
                let bench = try self.bench("sleep 60", idle: .seconds(1))
                try bench.settle()
                let session = try self.device("dev1", bench)
                _ = try bench.ask(self.request("dev1", host: try bench.name("dev1")), on: session)
                let instance = try #require(try bench.startInstances("c")["c"])
                var next = bench.loop.now
                try bench.drive("it is told to end") {
                    if bench.loop.now >= next, !bench.logged("instance-stopped") {
                        _ = try bench.send(BalancerBench.report("c"), on: instance)
                        next = bench.loop.now.advanced(by: .milliseconds(500))
                    }
                    return bench.logged("instance-ended")
                }
                #expect(bench.logged("instance-stopped"))
                #expect(bench.log.first { $0.event == "instance-ended" }?.members["cause"] == "signal 15")
            }
        }

        @Test func whatIsNoBootstrapRequestOfTheDeviceIsRefusedAndCounted() throws {
            let bench = try self.bench("sleep 60")
            try bench.settle()
            let session = try self.device("dev1", bench)
            let name = try bench.name("dev1")
            let table: [(CoAPRequest, CoAPCode)] = [
                (self.request("dev2", host: name), .forbidden),
                (self.request("dev1", host: try bench.name("dev2")), .forbidden),
                (self.request("dev1", host: "bsguess.example.test"), .forbidden),
                (self.request("dev1", host: UTF8Text(String(repeating: "a", count: 254))), .badRequest),
                (CoAPRequest(.get, path: ["bs"]), .methodNotAllowed),
                (CoAPRequest(.post, path: ["rd"]), .notFound),
                (CoAPRequest(.post, path: ["instances"]), .notFound),
            ]
            for (request, code) in table { #expect(try bench.ask(request, on: session).code == code) }
            let counters = bench.balancer.status.counters
            #expect(counters["identityMismatches"] == 1)
            #expect(counters["refusedHolds"] == 2)
            #expect(counters["malformedRequests"] == 4)
            #expect(counters["startedInstances"] == 0)
            // The server name of the handshake stands in for a host that is left out.
            #expect(try bench.ask(self.request("dev1", host: nil), on: session).code == .serviceUnavailable)
        }

        @Test func aDeviceIsHeldUnderThePathOfTheStaticURI() throws {
            let bench = try self.bench("sleep 60", path: "/lwm2m")
            try bench.settle()
            let session = try self.device("dev1", bench)
            let table: [([UTF8Text], CoAPCode)] = [
                (["other", "bs"], .notFound), (["lwm2m"], .notFound), (["lwm2m", "bs"], .serviceUnavailable),
                (["bs"], .serviceUnavailable),
            ]
            for (path, code) in table {
                let request = CoAPRequest(.post, path: path, query: ["ep=dev1"])
                #expect(try bench.ask(request, on: session).code == code)
            }
            #expect(bench.balancer.status.counters["startedInstances"] == 1)
        }

        @Test func devicesWithoutAnIdentityAreNotHeld() {
            #expect(
                throws: ServiceError("devices are held over DTLS only", hint: "--static-uri coaps://bs.example.test")
            ) {
                _ = try BalancerBench(staticURI: "coap://bs.example.test:5683") {
                    $0.engine.holdingAddress = IPAddress([127, 0, 25, 9])
                }
            }
        }

        @Test func aCommandIsNotRepeatedInErrorsSinceItMayHoldKeys() {
            for text in ["run --key 00112233 'open", "run --key=00112233{nome}"] {
                let error = #expect(throws: ServiceError.self) { try CommandTemplate(parsing: text) }
                #expect(error.map { "\($0.message) \($0.hint)".contains("00112233") } == false)
            }
        }

        @Test(arguments: ["", "  ", "'open", "run {nome}", "run {name"])
        func aCommandThatMakesNoSenseIsRefused(_ text: String) {
            #expect(throws: ServiceError.self) { try CommandTemplate(parsing: text) }
        }

        @Test func quotesKeepWordsTogether() throws {
            let template = try CommandTemplate(parsing: #"run --name={name} 'two words' "" "{address}""#)
            let words = template.words(name: "bs 1", address: try #require(IPAddress([10, 0, 0, 1])))
            #expect(words == ["run", "--name=bs 1", "two words", "", "10.0.0.1"])
        }
    }
}
