import ClientEngine
import CoAPMessages
import LwM2MModel
import ManagementEngine
import Primitives
import TestSupport
import Testing
import VirtualNetwork

@Suite struct ManagedDeviceTests {
    private static let bad = NetworkConditions(
        loss: 0.1,
        duplication: 0.05,
        delay: .milliseconds(5)...(.milliseconds(900))
    )

    @Test func aDeviceRegistersUpdatesAndLeaves() throws {
        var district = VirtualDistrict(seed: 1)
        district.addDevices(1)
        district.start()
        #expect(district.run(seconds: 5))
        #expect(district.server.engine.registrationCount == 1)
        #expect(district.run(seconds: 3_600))
        #expect(district.server.engine.counters.expired == 0)
        #expect(district.server.engine.counters.registered == 1)
        // A lifetime of 300 s takes a dozen updates an hour at least, and not many more.
        #expect((12...40).contains(district.server.engine.counters.updated))
        district.devices[0].deliver(.stopRequested, now: district.network.now)
        district.network.attend(to: district.numbers[0])
        #expect(district.run(seconds: 5))
        #expect(district.server.engine.registrationCount == 0)
        #expect(district.server.engine.counters.deregistered == 1)
        #expect(district.devices[0].hasReported { $0 == .stopped })
    }

    @Test func readsAndWritesArriveUnderLoss() throws {
        try SeededRuns.each(20) { generator in
            var district = VirtualDistrict(conditions: Self.bad, seed: generator.next())
            district.addDevices(3)
            district.start()
            try #require(district.run(seconds: 600) { district.server.engine.registrationCount == 3 })
            let path = ObjectPath(3, 0, 15)
            for index in 0..<3 {
                let zone = ResourceValue.string(UTF8Text("Zone/\(index)"))
                let written = district.result(of: .replace(path, [ResourceRecord(path, zone)]), at: index)
                if case .failed(.unreachable) = written { continue }
                try #require(
                    written == .answered(.changed, .empty),
                    "write at \(index): \(String(describing: written))"
                )
                let read = district.result(of: .read(path), at: index)
                if case .failed(.unreachable) = read { continue }
                try #require(read == .answered(.content, .values([ResourceRecord(path, zone)])))
                try #require(district.devices[index].engine.value(at: path) == zone)
            }
        }
    }

    @Test func observationsReportChangesForHours() throws {
        try SeededRuns.each(5) { generator in
            var district = VirtualDistrict(
                conditions: NetworkConditions(delay: .milliseconds(5)...(.milliseconds(900))),
                seed: generator.next()
            )
            district.addDevices(2)
            district.start()
            try #require(district.run(seconds: 60) { district.server.engine.registrationCount == 2 })
            let path = VirtualDistrict.temperature
            guard case .answered(.content, _) = district.result(of: .observe(path), at: 0) else {
                Issue.record("the observation was refused")
                return
            }
            for round in 1...240 {
                district.set(.float(Double(round)), at: path, of: 0)
                _ = district.run(seconds: 60)
            }
            let values = district.server.notifications.compactMap { notification -> Double? in
                guard case .values(let records) = notification.answer else { return nil }
                return records.first?.value.asNumber
            }
            // The newest value always arrives; one that is overtaken may be left out.
            try #require(values.last == 240)
            try #require(Set(values).count >= 235, "\(values.count) of 240")
            try #require(values == values.sorted())
            try #require(district.server.notifications.allSatisfy { $0.endpoint == VirtualDistrict.name(0) })
        }
    }

    @Test func aHundredDevicesLiveThroughABadDay() throws {
        try SeededRuns.each(3) { generator in
            var district = VirtualDistrict(conditions: Self.bad, seed: generator.next())
            district.addDevices(100)
            district.start()
            try #require(district.run(seconds: 6 * 3_600))
            // The last ten minutes are kind, so that whoever is between two attempts comes back.
            district.network.conditions = NetworkConditions()
            try #require(district.run(seconds: 1_800))
            try #require(district.server.engine.registrationCount == 100)
            try #require(district.server.engine.counters.updated > 100 * 70)
        }
    }

    @Test func devicesComeBackAfterAnOutage() {
        var district = VirtualDistrict(seed: 4)
        district.addDevices(20)
        district.start()
        _ = district.run(seconds: 60)
        #expect(district.server.engine.registrationCount == 20)
        district.network.setSilent(true, district.serverNumber)
        _ = district.run(seconds: 600)
        #expect(district.server.engine.registrationCount == 0)
        #expect(district.server.engine.counters.expired == 20)
        district.network.setSilent(false, district.serverNumber)
        // Retry timers double from a minute; an hour is more than the longest pause within a sequence.
        _ = district.run(seconds: 3_600) { district.server.engine.registrationCount == 20 }
        #expect(district.server.engine.registrationCount == 20)
    }

    @Test func aWrongKeyIsRefusedAndReported() {
        var district = VirtualDistrict(seed: 5)
        district.add(VirtualDistrict.configuration(0, key: SecretBytes([9])), seed: 1)
        district.start()
        _ = district.run(seconds: 30)
        #expect(district.server.engine.registrationCount == 0)
        #expect(
            district.devices[0].hasReported {
                $0 == .registrationFailed(shortServerID: 1, .session(.handshakeRefused))
            }
        )
    }

    @Test func anUnknownHostIsReported() {
        var district = VirtualDistrict(seed: 6)
        var configuration = VirtualDistrict.configuration(0)
        configuration.security[0].serverURI = "coaps://nowhere.example"
        district.add(configuration, seed: 1)
        district.start()
        _ = district.run(seconds: 30)
        #expect(
            district.devices[0].hasReported { $0 == .registrationFailed(shortServerID: 1, .session(.nameNotFound)) }
        )
    }

    @Test func theSameSeedGivesTheSameDay() {
        func day(seed: UInt64) -> (Int, Int, UInt64, Int) {
            var district = VirtualDistrict(conditions: Self.bad, seed: seed)
            district.addDevices(10)
            district.start()
            _ = district.run(seconds: 7_200)
            return (
                district.network.datagramsSent, district.network.datagramsArrived,
                district.server.engine.counters.updated, district.devices.reduce(0) { $0 + $1.reports.count }
            )
        }
        #expect(day(seed: 11) == day(seed: 11))
        #expect(day(seed: 11) != day(seed: 12))
    }
}
