import FleetReports
import Primitives
import Testing

@Suite struct LatencyHistogramTests {
    @Test func readsPercentilesInOnePass() {
        var histogram = LatencyHistogram()
        for milliseconds in 1...1_000 { histogram.record(.milliseconds(milliseconds)) }
        let latencies = histogram.latencies(at: [0, 50, 90, 99, 99.9, 100])
        for (latency, expected) in zip(latencies, [1.0, 500, 900, 990, 999, 1_000]) {
            // Three significant digits.
            #expect(abs(Double(latency.nanoseconds) / 1e6 - expected) <= expected / 1_000)
        }
        #expect(histogram.longest == .seconds(1))
    }

    @Test func oneLatencyIsEveryPercentile() {
        var histogram = LatencyHistogram()
        histogram.record(.microseconds(1_234))
        #expect(histogram.latencies(at: [1, 50, 99.9]) == Array(repeating: .microseconds(1_234), count: 3))
    }

    @Test func emptyAnswersZero() {
        #expect(LatencyHistogram().latencies(at: [50, 99]) == [.zero, .zero])
    }

    @Test func extremesAreKept() {
        var histogram = LatencyHistogram()
        histogram.record(.seconds(-5))
        histogram.record(.seconds(90_000))
        #expect(histogram.count == 2)
        #expect(histogram.longest == .seconds(90_000))
        #expect(histogram.latencies(at: [50]) == [.zero])
        #expect(histogram.latencies(at: [100])[0] >= .seconds(3_600))
    }

    @Test func mergingIsRecordingEverywhere() {
        var generator = SeededGenerator(seed: 5)
        var whole = LatencyHistogram()
        var parts = [LatencyHistogram(), LatencyHistogram(), LatencyHistogram()]
        for round in 0..<3_000 {
            let latency = Duration.microseconds(Int64(generator.nextUnitInterval() * 2_000_000))
            whole.record(latency)
            parts[round % 2].record(latency)
        }
        var merged = LatencyHistogram()
        for part in parts { merged.merge(part) }
        #expect(merged.count == whole.count)
        #expect(merged.longest == whole.longest)
        let percentiles = [10.0, 50, 90, 99, 99.9]
        #expect(merged.latencies(at: percentiles) == whole.latencies(at: percentiles))
    }
}
