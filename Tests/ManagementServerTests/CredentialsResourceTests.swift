import CoAPMessages
import CoAPTransport
import LoopbackPeers
import ManagementServer
import Primitives
import ServiceSupport
import Testing

@Suite(.serialized) struct CredentialsResourceTests {
    private static func bench(devices: Int = 5) throws -> ServerBench {
        let credentials = (0..<devices).map { index in
            Credential(
                endpoint: UTF8Text("dev\(index)"),
                identity: Array("id\(index)".utf8),
                key: LoopbackDevice.key,
                region: index == 0 ? "north" : nil
            )
        }
        let table = try CredentialTable(credentials)
        let readers = try CredentialTable([
            Credential(endpoint: "balancer", identity: Array("balancer".utf8), key: LoopbackDevice.key)
        ])
        return try ServerBench(keys: .listed(table)) {
            $0.credentialsReaders = readers
            $0.engine.endpointRule = table.endpointRule
        }
    }

    private func read(_ query: [UTF8Text], on session: TransportSession, _ bench: ServerBench) throws -> CoAPResponse {
        try bench.ask(CoAPRequest(.get, path: ["credentials"], query: query), on: session)
    }

    @Test func aReaderGetsEveryCredentialPageByPage() throws {
        let bench = try Self.bench()
        let session = try bench.connected(as: "balancer")
        var names: [UTF8Text] = []
        var query: [UTF8Text] = ["count=2"]
        while true {
            let response = try self.read(query, on: session, bench)
            #expect(response.code == .content && response.options.contentFormat == .json)
            let page = try CredentialPage.decode(response.payload)
            #expect(
                page.allSatisfy { $0.key == LoopbackDevice.key && $0.region == ($0.endpoint == "dev0" ? "north" : nil) }
            )
            names += page.map(\.endpoint)
            guard page.count == 2, let last = page.last else { break }
            query = ["count=2", UTF8Text("after=\(last.endpoint)")]
        }
        #expect(names == ["dev0", "dev1", "dev2", "dev3", "dev4"])
        #expect(bench.server.statistics["credentialPages"] == 3)
    }

    @Test func aNameBetweenTwoOthersGoesOnBehindIt() throws {
        let bench = try Self.bench()
        let session = try bench.connected(as: "balancer")
        let response = try self.read(["after=dev1x"], on: session, bench)
        #expect(try CredentialPage.decode(response.payload).map(\.endpoint) == ["dev2", "dev3", "dev4"])
        #expect(try CredentialPage.decode(self.read(["after=z"], on: session, bench).payload).isEmpty)
    }

    @Test func nobodyElseReadsThemAndItIsCounted() throws {
        let bench = try Self.bench()
        for identity in ["id1", nil] {
            let session = try bench.connected(as: identity)
            #expect(try self.read([], on: session, bench).code == .forbidden)
        }
        #expect(bench.server.statistics["credentialsRefused"] == 2)
        #expect(bench.server.statistics["credentialPages"] == 0)
    }

    @Test func aReaderIsNoDevice() throws {
        let bench = try Self.bench()
        let session = try bench.connected(as: "balancer")
        #expect(try bench.ask(LoopbackDevice.register("balancer"), on: session).code == .forbidden)
        #expect(bench.server.statistics["registrations"] == 0)
    }

    @Test(arguments: ["count=0", "count=201", "count=-1", "count=x", "from=a"] as [UTF8Text])
    func aQueryThatMakesNoSenseIsRefused(_ query: UTF8Text) throws {
        let bench = try Self.bench()
        #expect(try self.read([query], on: try bench.connected(as: "balancer"), bench).code == .badRequest)
    }

    @Test func aPageHasAtMostTwoHundred() throws {
        let bench = try Self.bench(devices: 201)
        let session = try bench.connected(as: "balancer")
        #expect(try CredentialPage.decode(self.read([], on: session, bench).payload).count == 200)
        let put = CoAPRequest(.put, path: ["credentials"])
        #expect(try bench.ask(put, on: session).code == .methodNotAllowed)
    }

    @Test func withoutReadersThereIsNoSuchResource() throws {
        let bench = try ServerBench()
        #expect(try self.read([], on: try bench.connected(), bench).code == .notFound)
    }

    @Test func aReaderWithADevicesIdentityIsRefusedAtTheStart() throws {
        let table = try CredentialTable([Credential(endpoint: "a", identity: [0x61], key: LoopbackDevice.key)])
        for keys in [DeviceKeys.listed(table), .shared(LoopbackDevice.key)] {
            #expect(throws: ServiceError.self) { try ServerBench(keys: keys) { $0.credentialsReaders = table } }
        }
    }
}
