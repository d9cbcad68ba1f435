import FleetEngine
import Testing

@Suite struct VirtualDeviceTests {
    @Test func sameSeedAndIndexGiveTheSameReadings() {
        var first = VirtualDevice(seed: 7, index: 18_999)
        var second = VirtualDevice(seed: 7, index: 18_999)
        var other = VirtualDevice(seed: 8, index: 18_999)
        var differences = 0
        for _ in 0..<100 {
            let readings = first.advance()
            #expect(readings == second.advance())
            if readings != other.advance() { differences += 1 }
        }
        #expect(differences > 90)
    }

    @Test func valuesStayWithinTheirRangesForYears() {
        var device = VirtualDevice(seed: 1, index: 3)
        var sawReplacement = false
        var before = device.readings
        for _ in 0..<200_000 {
            let readings = device.advance()
            #expect((-30...60).contains(readings.temperature))
            #expect((1...100).contains(readings.batteryLevel))
            #expect(abs(readings.temperature - before.temperature) < 2)
            if readings.batteryLevel > before.batteryLevel { sawReplacement = true }
            before = readings
        }
        #expect(sawReplacement)
    }
}
