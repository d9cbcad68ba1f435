import BalancerEngine
import CoAPMessages
import CoAPTransport
import Foundation
import Primitives
import ServiceSupport
import Testing

@testable import BootstrapBalancer

extension BootstrapBalancerTests {
    /// Devices from a file, and from a server that hands out credentials.
    @Suite struct SecretsTests {
        /// A server of credentials on loopback that answers as it is told.
        private final class Server {
            let transport: CoAPTransport
            let address: SocketAddress
            var credentials: [Credential]
            var answer: ((CoAPRequest) -> CoAPResponse?)?
            private(set) var questions = 0

            init(_ credentials: [Credential], loop: EventLoop) throws {
                self.credentials = credentials
                self.transport = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: loop)
                self.address = try self.transport.listen(
                    on: try #require(SocketAddress(parsing: "127.0.25.20:0")),
                    security: .preSharedKey(hint: []) { $0 == Array("balancer".utf8) ? BalancerBench.key : nil }
                )
                self.transport.onEvent = { [unowned self] event in
                    guard case .requestReceived(let exchange, _, _, let request, _) = event else { return }
                    self.questions += 1
                    self.transport.respond(to: exchange, self.answer?(request) ?? self.page(request))
                }
            }

            private func page(_ request: CoAPRequest) -> CoAPResponse {
                let query = request.query ?? []
                let after = query.first { $0.string.hasPrefix("after=") }.map { Array($0.bytes.dropFirst(6)) } ?? []
                let page = self.credentials.sorted { $0.endpoint.bytes.lexicographicallyPrecedes($1.endpoint.bytes) }
                    .filter { after.lexicographicallyPrecedes($0.endpoint.bytes) }
                return CoAPResponse(
                    .content,
                    contentFormat: .json,
                    payload: CredentialPage.encode(Array(page.prefix(200)))
                )
            }

            var source: CredentialsSource {
                get throws {
                    var source = CredentialsSource(
                        uri: try CoAPURI(parsing: UTF8Text("coaps://\(self.address.text)")),
                        identity: Array("balancer".utf8),
                        key: BalancerBench.key
                    )
                    source.interval = .seconds(3600)
                    return source
                }
            }
        }

        private static func credentials(_ range: Range<Int>, key: UInt8 = 1) -> [Credential] {
            range.map {
                Credential(
                    endpoint: UTF8Text("urn:\($0)"),
                    identity: Array("id\($0)".utf8),
                    key: SecretBytes(Array(repeating: key, count: 16))
                )
            }
        }

        @Test func everythingIsReadPageByPageAndStored() throws {
            let loop = try EventLoop()
            let server = try Server(Self.credentials(0..<450), loop: loop)
            let bench = try BalancerBench { $0.secrets = .server(try server.source) }
            let turn = { loop.turn(until: loop.now) }
            try bench.drive("everything is read") {
                turn()
                return bench.balancer.status.devices.known == 450
            }
            #expect(server.questions == 3)
            try bench.startInstances("a")
            try bench.drive("all names are there") { bench.balancer.status.names.published == 450 }
            #expect(
                bench.address(of: try bench.name("urn:7", secret: SecretBytes(Array(repeating: 1, count: 16)))) != nil
            )
            // While the server is away, what it told before counts.
            server.answer = { _ in CoAPResponse(.serviceUnavailable) }
            try bench.restart()
            #expect(bench.balancer.status.devices.known == 450)
            try bench.drive("the trouble is said") {
                turn()
                return bench.logged("secrets-failed")
            }
            #expect(bench.balancer.status.devices.known == 450)
        }

        @Test func whatChangedAtTheServerIsTakenOverWhenAnOperatorAsks() throws {
            let loop = try EventLoop()
            let server = try Server(Self.credentials(0..<3), loop: loop)
            let bench = try BalancerBench { $0.secrets = .server(try server.source) }
            try bench.startInstances("a")
            try bench.drive("everything is read") {
                loop.turn(until: loop.now)
                return bench.balancer.status.names.published == 3
            }
            let before = try bench.name("urn:1", secret: SecretBytes(Array(repeating: 1, count: 16)))
            server.credentials = Self.credentials(1..<3, key: 2) + Self.credentials(3..<5)
            #expect(try bench.control(BalancerControlRequest(id: 1, verb: .reload)).kind == .result)
            let after = try bench.name("urn:1", secret: SecretBytes(Array(repeating: 2, count: 16)))
            try bench.drive("the new key counts") {
                loop.turn(until: loop.now)
                return bench.address(of: after) != nil && bench.address(of: before) == nil
            }
            #expect(bench.balancer.status.devices.known == 4)
        }

        @Test func aServerThatLostItsListTakesNobodysNames() throws {
            let loop = try EventLoop()
            let server = try Server(Self.credentials(0..<3), loop: loop)
            let bench = try BalancerBench { $0.secrets = .server(try server.source) }
            try bench.drive("everything is read") {
                loop.turn(until: loop.now)
                return bench.balancer.status.devices.known == 3
            }
            server.credentials = []
            #expect(try bench.control(BalancerControlRequest(id: 1, verb: .reload)).kind == .result)
            try bench.drive("it is said") {
                loop.turn(until: loop.now)
                return bench.logged("secrets-empty")
            }
            #expect(bench.balancer.status.devices.known == 3)
        }

        private static let unbelievable: [(String, CoAPResponse)] = [
            ("no JSON", CoAPResponse(.content, contentFormat: .json, payload: [0xFF])),
            ("another format", CoAPResponse(.content, contentFormat: .text, payload: Array("hello".utf8))),
            ("a refusal", CoAPResponse(.forbidden)),
            (
                "names out of order",
                CoAPResponse(
                    .content,
                    contentFormat: .json,
                    payload: CredentialPage.encode(Self.credentials(0..<2).reversed())
                )
            ),
            (
                "the same page for ever",
                CoAPResponse(
                    .content,
                    contentFormat: .json,
                    payload: CredentialPage.encode(Self.credentials(100..<300))
                )
            ),
            (
                "one identity for two",
                CoAPResponse(
                    .content,
                    contentFormat: .json,
                    payload: CredentialPage.encode([
                        Credential(endpoint: "a", identity: [0x61], key: SecretBytes([1])),
                        Credential(endpoint: "b", identity: [0x61], key: SecretBytes([1])),
                    ])
                )
            ),
        ]

        @Test func whatMakesNoSenseIsNotBelieved() throws {
            for (what, response) in Self.unbelievable {
                let loop = try EventLoop()
                let server = try Server([], loop: loop)
                server.answer = { _ in response }
                let bench = try BalancerBench { $0.secrets = .server(try server.source) }
                try bench.drive("\(what) is refused") {
                    loop.turn(until: loop.now)
                    return bench.logged("secrets-failed")
                }
                #expect(bench.balancer.status.devices.known == 0, "\(what)")
                #expect(server.questions <= 2, "\(what)")
            }
        }

        @Test func moreDevicesThanTheBoundAreNotBelieved() throws {
            let loop = try EventLoop()
            let server = try Server(Self.credentials(0..<201), loop: loop)
            let bench = try BalancerBench {
                var source = try server.source
                source.maximumDevices = 200
                $0.secrets = .server(source)
            }
            try bench.drive("it is refused") {
                loop.turn(until: loop.now)
                return bench.logged("secrets-failed")
            }
            #expect(bench.balancer.status.devices.known == 0)
        }

        @Test func aFileIsReadAnewWhenAnOperatorAsks() throws {
            let path = FileManager.default.temporaryDirectory.appending(path: "dev-\(UUID().uuidString)").path
            defer { try? FileManager.default.removeItem(atPath: path) }
            let key = String(repeating: "01", count: 16)
            try "endpoint,key,region\ndev1,\(key),north\ndev2,\(key),\n".write(
                toFile: path,
                atomically: true,
                encoding: .utf8
            )
            let bench = try BalancerBench { $0.secrets = .file(path: path) }
            try bench.startInstances("a")
            try bench.drive("both have names") { bench.balancer.status.names.published == 2 }
            try "dev2,\(key)\ndev3,\(key)\n".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try bench.control(BalancerControlRequest(id: 1, verb: .reload)).kind == .result)
            let secret = SecretBytes(Array(repeating: 1, count: 16))
            try bench.drive("the third has a name") { bench.address(of: try bench.name("dev3", secret: secret)) != nil }
            #expect(bench.balancer.status.devices.known == 2)
            try "dev2,xyz\n".write(toFile: path, atomically: true, encoding: .utf8)
            let reply = try bench.control(BalancerControlRequest(id: 2, verb: .reload))
            #expect(reply.kind == .error && reply.cause == "not-readable")
            #expect(bench.balancer.status.devices.known == 2)
        }
    }
}
