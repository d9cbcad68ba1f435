import BootstrapEngine
import Primitives
import ServiceStore
import Testing

@Suite struct ProvisioningStoreTests {
    private let key = SecretBytes(Array(1...16))

    private var plan: BootstrapPlan {
        BootstrapPlan(servers: [
            ProvisionedServer(
                shortServerID: 2,
                uri: "coaps://h:1",
                security: .preSharedKey(identity: Array("a".utf8), key: self.key)
            ),
            ProvisionedServer(shortServerID: 1, uri: "coap://h:2", security: .none),
        ])
    }

    @Test func keysThatWereMadeAreKept() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("state.sqlite")
        do {
            let store = try ProvisioningStore(path: path, survivesPowerCut: true)
            try store.save(self.plan, for: "dev1", keepsKeys: true)
        }
        let store = try ProvisioningStore(path: path, survivesPowerCut: true)
        let accounts = try store.accounts(of: "dev1")
        #expect(accounts.map(\.shortServerID) == [1, 2])
        #expect(accounts.map(\.uri) == ["coap://h:2", "coaps://h:1"])
        #expect(accounts.last?.identity == Array("a".utf8))
        #expect(accounts.last?.key == self.key)
        #expect(accounts.first?.key == nil)
        #expect(try store.deviceCount() == 1)
        #expect(try store.accounts(of: "dev2").isEmpty)
    }

    @Test func keysThatAreKnownElsewhereStayThere() throws {
        let folder = try TemporaryFolder()
        let store = try ProvisioningStore(path: folder.file("state.sqlite"), survivesPowerCut: false)
        try store.save(self.plan, for: "dev1", keepsKeys: false)
        #expect(try store.accounts(of: "dev1").allSatisfy { $0.key == nil })
    }

    @Test func aNewPlanTakesThePlaceOfTheOld() throws {
        let folder = try TemporaryFolder()
        let store = try ProvisioningStore(path: folder.file("state.sqlite"), survivesPowerCut: false)
        try store.save(self.plan, for: "dev1", keepsKeys: false)
        try store.save(BootstrapPlan(servers: [self.plan.servers[0]]), for: "dev1", keepsKeys: false)
        #expect(try store.accounts(of: "dev1").count == 1)
    }
}
