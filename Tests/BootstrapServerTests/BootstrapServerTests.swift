import BootstrapEngine
import BootstrapServer
import CoAPMessages
import CoAPTransport
import Foundation
import LwM2MCodecs
import LwM2MModel
import Primitives
import ServiceStore
import ServiceSupport
import Testing

@Suite(.serialized) struct BootstrapServerTests {
    private static let secret = SecretBytes(Array(0..<32))
    private static let server = ProvisionedServer(shortServerID: 1, uri: "coaps://127.0.0.1:5684", security: .none)

    private static func configuration(_ keys: ProvisioningRule.Keys, state: String? = nil) throws
        -> BootstrapServer.Configuration
    {
        BootstrapServer.Configuration(
            addresses: [try ListenAddress(parsing: "coaps://127.0.0.1:0")],
            keys: .derived(secret: Self.secret),
            rules: [ProvisioningRule(server: Self.server, keys: keys)],
            statePath: state
        )
    }

    /// Bootstraps a device that takes everything, and returns what it was told in the order it came.
    private func bootstrap(_ configuration: BootstrapServer.Configuration) throws -> [CoAPRequest] {
        let server = try BootstrapServer(configuration: configuration)
        let loop = try EventLoop()
        let device = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: loop)
        var requests: [CoAPRequest] = []
        var isFinished = false
        server.onReport = { if case .finished(endpoint: "dev1", _) = $0 { isFinished = true } }
        device.onEvent = { event in
            switch event {
            case .sessionConnected(let session, _):
                try? device.send(CoAPRequest(.post, path: ["bs"], query: ["ep=dev1", "pct=110"]), on: session, tag: 1)
            case .requestReceived(let exchange, _, _, let request, _):
                requests.append(request)
                let code: CoAPCode = request.method == .delete ? .deleted : .changed
                device.respond(to: exchange, request.method == .get ? CoAPResponse(.notFound) : CoAPResponse(code))
            default: break
            }
        }
        let identity = Array("dev1".utf8)
        let key = try #require(DeviceKeys.derived(secret: Self.secret).key(of: identity))
        _ = try device.openSession(
            to: server.addresses[0].address,
            security: .preSharedKey(PreSharedKey(identity: identity, key: key), serverName: nil),
            from: nil,
            tag: 0
        )
        let end = loop.now.advanced(by: .seconds(10))
        while !isFinished {
            try #require(loop.now < end, "the bootstrap finishes")
            server.turn(until: loop.now.advanced(by: .milliseconds(2)))
            loop.turn(until: loop.now.advanced(by: .milliseconds(2)))
        }
        #expect(server.counters.finished == 1)
        return requests
    }

    private func account(_ requests: [CoAPRequest]) throws -> [ResourceRecord] {
        let request = try #require(requests.first { $0.path?.first == "0" })
        return try Payload.decode(request.payload, as: .senMLJSON, at: ObjectPath(0, 1), registry: .standard)
    }

    @Test func aDeviceIsToldOfTheServerWithItsKey() throws {
        let requests = try self.bootstrap(Self.configuration(.known(.derived(secret: Self.secret))))
        #expect(requests.map(\.method) == [.get, .delete, .put, .put, .post])
        let records = try self.account(requests)
        let key = try #require(DeviceKeys.derived(secret: Self.secret).key(of: Array("dev1".utf8)))
        #expect(records.contains(ResourceRecord(ObjectPath(0, 1, 0), .string("coaps://127.0.0.1:5684"))))
        #expect(records.contains(ResourceRecord(ObjectPath(0, 1, 3), .opaque(Array("dev1".utf8)))))
        #expect(records.contains(ResourceRecord(ObjectPath(0, 1, 5), .opaque(key.copyBytes()))))
    }

    @Test func aKeyThatWasMadeIsKept() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "bs-\(UUID().uuidString).sqlite").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let records = try self.account(try self.bootstrap(Self.configuration(.fresh, state: path)))
        let kept = try ProvisioningStore(path: path, survivesPowerCut: true).accounts(of: "dev1").first?.key
        #expect(kept?.count == 16)
        #expect(records.contains(ResourceRecord(ObjectPath(0, 1, 5), .opaque(try #require(kept).copyBytes()))))
    }

    @Test func whatMakesNoSenseIsSaidAtTheStart() throws {
        #expect(throws: ServiceError.self) { try BootstrapServer(configuration: Self.configuration(.fresh)) }
        var configuration = try Self.configuration(.none)
        configuration.rules = []
        #expect(throws: ServiceError.self) { try BootstrapServer(configuration: configuration) }
        let rule = ProvisioningRule(server: Self.server, keys: .none)
        configuration.rules = [rule, rule]
        #expect(throws: ServiceError.self) { try BootstrapServer(configuration: configuration) }
    }
}
