import FleetEngine
import FleetReports
import Primitives
import Testing

@Suite struct FleetMeasurementsTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    @Test func rateCountsBetweenFirstAndLast() {
        var measurements = FleetMeasurements()
        #expect(measurements[.register].perSecond == 0)
        for step in 0...100 {
            measurements.record(.register, from: self.at(0), to: self.at(1_000 + Int64(step) * 10))
        }
        #expect(measurements[.register].count == 101)
        #expect(measurements[.register].perSecond == 100)
        #expect(measurements[.update].count == 0)
    }

    @Test func workersMerge() {
        var first = FleetMeasurements()
        var second = FleetMeasurements()
        first.record(.update, from: self.at(0), to: self.at(10))
        second.record(.update, from: self.at(900), to: self.at(1_010))
        second.record(.read, from: self.at(5), to: self.at(6))
        first.merge(second)
        #expect(first[.update].count == 2)
        #expect(first[.update].perSecond == 1)
        #expect(first[.update].histogram.longest == .milliseconds(110))
        #expect(first[.read].count == 1)
    }

    @Test func everyOperationHasAPlaceOfItsOwn() {
        for operation in FleetOperation.allCases {
            var measurements = FleetMeasurements()
            measurements.record(operation, from: self.at(0), to: self.at(1))
            #expect(FleetOperation.allCases.filter { measurements[$0].count > 0 } == [operation])
        }
    }

    @Test func progressShowsWhatHappenedSinceTheLast() {
        var engine = FleetEngine(
            configuration: FleetConfiguration(deviceCount: 2, schedule: ArrivalSchedule(rate: 1))
        )
        engine.handle(.started, now: self.at(0))
        var meter = FleetProgressMeter(
            usage: ResourceUsage(time: self.at(0), processorTime: .zero, residentBytes: 0)
        )
        var measurements = FleetMeasurements()
        for _ in 0..<10 { measurements.record(.read, from: self.at(0), to: self.at(4)) }
        let first = meter.progress(
            of: engine,
            measurements: measurements,
            usage: ResourceUsage(time: self.at(2_000), processorTime: .milliseconds(500), residentBytes: 1 << 20)
        )
        #expect(first.processorPercent == 25)
        #expect(
            first.operations == [
                FleetProgress.Operation(operation: .read, count: 10, perSecond: 5, p50: 4, p99: 4)
            ]
        )
        let second = meter.progress(
            of: engine,
            measurements: measurements,
            usage: ResourceUsage(time: self.at(3_000), processorTime: .milliseconds(510), residentBytes: 1 << 20)
        )
        #expect(second.operations[0].perSecond == 0)
        #expect(second.processorPercent == 1)
        #expect(second.counts.starting == 1)
    }
}
