import BootstrapEngine
import Foundation
import Primitives
import ServiceSupport
import Testing

@testable import BootstrapServer

@Suite struct ProvisioningDatabaseTests {
    private static let accounts = DeviceKeys.derived(secret: SecretBytes(Array(0..<32)))
    private static let rule = ProvisioningRule(
        server: ProvisionedServer(shortServerID: 9, uri: "coaps://10.0.0.9:5684", security: .none, lifetime: 60),
        keys: .account
    )

    private func read(
        _ text: String,
        limits: ProvisioningDatabase.Limits = ProvisioningDatabase.Limits()
    ) throws -> ProvisioningDatabase {
        let path = FileManager.default.temporaryDirectory.appending(path: "db-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try ProvisioningDatabase(contentsOf: path, limits: limits)
    }

    private func servers(
        _ database: ProvisioningDatabase,
        _ endpoint: UTF8Text,
        rules: [ProvisioningRule] = [rule]
    ) -> [ProvisionedServer]? {
        database.servers(for: endpoint, rules: rules, keys: Self.accounts)
    }

    private static let lines = """
        # what single devices are told
        server2-key,endpoint,region,key,server,server-lifetime,server-identity,server-key,server2,server2-short-id
        "aabb" ,dev1,north,00112233,coaps://10.0.0.1:5684,600,me,0011, "coaps://[2001:db8::1]:5684", 7

        ,"dev,2",,44556677,,,,,,
        ,dev3,,8899,,900,,,,
        """

    private static let json = """
        [{"endpoint": "dev1", "region": "north", "key": "00112233", "servers": [
            {"uri": "coaps://10.0.0.1:5684", "lifetime": 600, "identity": "me", "key": "0011"},
            {"uri": "coaps://[2001:db8::1]:5684", "shortServerID": 7, "key": "aabb"}]},
         {"endpoint": "dev,2", "key": "44556677"},
         {"endpoint": "dev3", "key": "8899", "servers": [{"lifetime": 900}]}]
        """

    @Test(arguments: [lines, json]) func linesAndJSONSayTheSame(_ text: String) throws {
        let database = try self.read(text)
        #expect(database.count == 3)
        let servers = try #require(self.servers(database, "dev1"))
        #expect(servers.map(\.uri) == ["coaps://10.0.0.1:5684", "coaps://[2001:db8::1]:5684"])
        #expect(servers.map(\.shortServerID) == [9, 7])
        #expect(servers.map(\.lifetime) == [600, 300])
        #expect(servers[0].security == .preSharedKey(identity: Array("me".utf8), key: SecretBytes([0x00, 0x11])))
        #expect(servers[1].security == .preSharedKey(identity: Array("dev1".utf8), key: SecretBytes([0xAA, 0xBB])))
        let credentials = try #require(database.credentials)
        #expect(credentials.credential(ofEndpoint: "dev,2")?.key == SecretBytes([0x44, 0x55, 0x66, 0x77]))
        #expect(credentials.count == 3)
    }

    @Test(arguments: [lines, json]) func whatADeviceDoesNotSayComesFromTheRule(_ text: String) throws {
        let database = try self.read(text)
        let key = try #require(Self.accounts.key(of: Array("dev3".utf8)))
        let expected = ProvisionedServer(
            shortServerID: 9,
            uri: "coaps://10.0.0.9:5684",
            security: .preSharedKey(identity: Array("dev3".utf8), key: key),
            lifetime: 900
        )
        #expect(self.servers(database, "dev3") == [expected])
        #expect(self.servers(database, "dev,2")?.map(\.lifetime) == [60])
        #expect(self.servers(database, "not-listed")?.map(\.lifetime) == [60])
        #expect(self.servers(database, "not-listed", rules: []) == nil)
    }

    @Test func everyDeviceMustBeToldOfAServer() throws {
        let withoutServers = try self.read("endpoint,key\ndev1,0011")
        try withoutServers.check(rules: 1)
        #expect(throws: ServiceError.self) { try withoutServers.check(rules: 0) }
        let lifetimeAlone = try self.read("endpoint,server2-lifetime\ndev1,600")
        try lifetimeAlone.check(rules: 2)
        #expect(throws: ServiceError.self) { try lifetimeAlone.check(rules: 1) }
        try self.read("endpoint,server\ndev1,coap://10.0.0.1").check(rules: 0)
    }

    @Test func aServerWithoutSecurityNeedsNoKey() throws {
        let database = try self.read("endpoint,server\ndev1,coap://10.0.0.1")
        #expect(self.servers(database, "dev1", rules: [])?.map(\.security) == [ProvisionedServer.Security.none])
        #expect(database.credentials == nil)
    }

    /// Each is refused with the place and what to do; no key is repeated.
    private static let mistakes: [(text: String, place: String)] = [
        ("identity,key\ndev1,0011", "line 1"),
        ("endpoint,key,key\ndev1,0011,0011", "line 1"),
        ("endpoint,server-colour\ndev1,red", "server-colour"),
        ("endpoint,server9\ndev1,coap://10.0.0.1", "server9"),
        ("endpoint,server0\ndev1,coap://10.0.0.1", "server0"),
        ("endpoint,server-\ndev1,coap://10.0.0.1", "server-"),
        ("endpoint,key\ndev1,0011\ndev2", "line 3"),
        ("endpoint,key\ndev1,5ecretz", "line 2"),
        ("endpoint,key\n,0011", "line 2"),
        ("endpoint,key\ndev1,0011\n\ndev1,0022", "dev1"),
        ("endpoint,server\ndev1,http://10.0.0.1", "line 2"),
        ("endpoint,server-lifetime\ndev1,soon", "line 2"),
        ("endpoint,server-lifetime\ndev1,4294967296", "line 2"),
        ("endpoint,server-short-id\ndev1,65535", "line 2"),
        ("endpoint,server,server2-lifetime\ndev1,coap://10.0.0.1,60", "line 2"),
        ("endpoint,server,server2,server2-short-id\ndev1,coap://10.0.0.1,coap://10.0.0.2,1", "line 2"),
        ("endpoint,key\n\"dev1\" x,0011", "line 2"),
        ("endpoint,key\n\(String(repeating: "x", count: 256)),0011", "line 2"),
        ("endpoint,key,identity\ndev1,0011,\(String(repeating: "x", count: 256))", "line 2"),
        ("endpoint,key\n#\(String(repeating: "x", count: 65_536))", "line 2"),
        ("[{\"endpoint\": \"dev1\"}, {\"endpoint\": 7}]", "entry 2"),
        ("[{\"endpoint\": \"dev1\", \"servers\": [{\"lifetime\": []}]}]", "servers"),
        (
            "[{\"endpoint\": \"dev1\", \"servers\": [\(Array(repeating: "{}", count: 9).joined(separator: ","))]}]",
            "entry 1"
        ),
        ("[{\"endpoint\": \"dev1\", \"key\": \"5ecretz\"}]", "entry 1"),
        ("[{\"endpoint\": ", "JSON"),
    ]

    @Test(arguments: mistakes) func aMistakeIsNamedWithItsPlace(_ text: String, _ place: String) throws {
        do throws(any Error) {
            _ = try self.read(text)
            Issue.record("it was read")
        } catch let error as ServiceError {
            #expect(error.message.contains(place), "\(error.message)")
            #expect(!error.hint.isEmpty)
            #expect(!error.description.contains("5ecretz"))
        }
    }

    @Test func anyBytesAreReadOrRefused() throws {
        for text in [Self.lines, Self.json] {
            let bytes = Array(text.utf8)
            for end in stride(from: 0, to: bytes.count, by: 7) {
                _ = try? self.read(String(decoding: bytes[..<end], as: UTF8.self))
            }
            for index in stride(from: 0, to: bytes.count, by: 5) {
                var damaged = bytes
                damaged[index] ^= 0x11
                _ = try? self.read(String(decoding: damaged, as: UTF8.self))
            }
        }
    }

    @Test func aFileHoldsNoMoreThanAllowed() throws {
        let text = "endpoint,key\ndev1,0011\ndev2,0011\n"
        var limits = ProvisioningDatabase.Limits(size: text.utf8.count, devices: 2)
        #expect(try self.read(text, limits: limits).count == 2)
        limits.devices = 1
        #expect(throws: ServiceError.self) { try self.read(text, limits: limits) }
        limits = ProvisioningDatabase.Limits(size: text.utf8.count - 1, devices: 2)
        #expect(throws: ServiceError.self) { try self.read(text, limits: limits) }
    }

    @Test func aFileThatIsNotThereIsSaid() {
        #expect(throws: ServiceError.self) { try ProvisioningDatabase(contentsOf: "/nonexistent/devices.csv") }
    }
}
