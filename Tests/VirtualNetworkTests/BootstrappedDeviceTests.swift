import BootstrapEngine
import ClientEngine
import CoAPMessages
import LwM2MModel
import ManagementEngine
import Primitives
import TestSupport
import Testing
import VirtualNetwork

/// A district with a bootstrap server, whose devices know nothing but that server.
private struct BootstrapDistrict {
    var district: VirtualDistrict
    let bootstrap: BootstrapPeer
    let bootstrapNumber: Int

    init(conditions: NetworkConditions = NetworkConditions(), seed: UInt64, devices: Int) {
        self.district = VirtualDistrict(conditions: conditions, seed: seed)
        self.bootstrap = BootstrapPeer(
            keys: { _ in SecretBytes([7]) },
            plans: { endpoint in
                guard endpoint != "dev-99" else { return nil }
                let server = ProvisionedServer(
                    shortServerID: 101,
                    uri: "coaps://lwm2m.example",
                    security: .preSharedKey(identity: endpoint.bytes, key: VirtualDistrict.key),
                    lifetime: 300
                )
                return BootstrapPlan(servers: [server])
            }
        )
        self.bootstrapNumber = self.district.network.add(self.bootstrap, listeningAt: "boot.example:5694")
        for index in 0..<devices { self.add(index) }
    }

    mutating func add(_ index: Int) {
        let account = SecurityAccount(
            instance: 0,
            serverURI: "coaps://boot.example:5694",
            isBootstrap: true,
            mode: .preSharedKey,
            identity: VirtualDistrict.name(index).bytes,
            key: SecretBytes([7])
        )
        let configuration = ClientConfiguration(
            endpoint: VirtualDistrict.name(index),
            security: [account],
            objects: VirtualDistrict.objects
        )
        self.district.add(configuration, seed: UInt64(index + 1))
    }
}

@Suite struct BootstrappedDeviceTests {
    @Test("Core 1.2.2 §6.1.7: client-initiated bootstrap ends in a registration")
    func aDeviceLearnsItsServerAndRegisters() {
        let place = BootstrapDistrict(seed: 1, devices: 1)
        place.district.start()
        #expect(place.district.run(seconds: 60) { place.district.server.engine.registrationCount == 1 })
        #expect(place.bootstrap.engine.counters.finished == 1)
        #expect(place.bootstrap.engine.procedureCount == 0)
        let stored = place.district.devices[0].stored
        #expect(stored?.servers.map(\.shortServerID) == [101])
        #expect(stored?.servers.first?.lifetime == 300)
        #expect(stored?.security.count == 2)
        // What came is used from now on: updates keep the registration alive without another bootstrap.
        _ = place.district.run(seconds: 6 * 3_600)
        #expect(place.district.server.engine.registrationCount == 1)
        #expect(place.district.server.engine.counters.expired == 0)
        #expect(place.bootstrap.engine.counters.started == 1)
    }

    @Test func fiftyDevicesBootstrapAndStayUnderLoss() throws {
        let bad = NetworkConditions(loss: 0.1, duplication: 0.1, delay: .milliseconds(5)...(.milliseconds(700)))
        try SeededRuns.each(5) { generator in
            let place = BootstrapDistrict(conditions: bad, seed: generator.next(), devices: 50)
            place.district.start()
            try #require(place.district.run(seconds: 3_600) { place.district.server.engine.registrationCount == 50 })
            try #require(place.district.server.engine.registrationCount == 50)
            try #require(place.district.run(seconds: 3 * 3_600))
            place.district.network.conditions = NetworkConditions()
            try #require(place.district.run(seconds: 1_800))
            try #require(place.district.server.engine.registrationCount == 50)
        }
    }

    @Test func aRefusedDeviceReportsAndAsksAgain() {
        var place = BootstrapDistrict(seed: 3, devices: 0)
        place.add(99)
        place.district.start()
        _ = place.district.run(seconds: 7_200)
        #expect(place.district.server.engine.registrationCount == 0)
        #expect(place.bootstrap.engine.counters.unknownEndpoints >= 2)
        #expect(
            place.district.devices[0].hasReported {
                if case .bootstrapFailed(.rejected) = $0 { true } else { false }
            }
        )
    }

    @Test func aBootstrapThatTheNetworkCutsIsRepeated() {
        let place = BootstrapDistrict(seed: 4, devices: 10)
        place.district.start()
        _ = place.district.run(seconds: 600) { place.bootstrap.engine.procedureCount == 10 }
        place.district.network.setSilent(true, place.bootstrapNumber)
        _ = place.district.run(seconds: 300)
        place.district.network.setSilent(false, place.bootstrapNumber)
        _ = place.district.run(seconds: 86_400) { place.district.server.engine.registrationCount == 10 }
        #expect(place.district.server.engine.registrationCount == 10)
    }
}
