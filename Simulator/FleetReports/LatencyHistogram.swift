import Histogram
import Primitives

/// Latencies from 1 µs to an hour with three significant digits, in constant memory; histograms of workers merge.
///
/// The counts of a histogram take 189 KB, so they exist only once something was recorded.
public struct LatencyHistogram: Sendable {
    private static let highest: UInt64 = 3_600_000_000

    private var counts: Histogram<UInt64>?
    /// How many latencies were recorded.
    public private(set) var count = 0
    /// The longest latency recorded; exact, also above an hour.
    public private(set) var longest = Duration.zero

    /// Creates a histogram without latencies.
    public init() {}

    /// Records a latency; a negative one counts as zero, one above an hour as an hour.
    public mutating func record(_ latency: Duration) {
        let microseconds = UInt64(max(latency.nanoseconds, 0) / 1_000)
        if self.counts == nil { self.counts = Self.emptyCounts }
        _ = self.counts?.record(min(microseconds, Self.highest))
        self.count += 1
        self.longest = max(self.longest, latency)
    }

    /// Adds the latencies of another histogram.
    public mutating func merge(_ other: LatencyHistogram) {
        guard let theirs = other.counts else { return }
        if self.counts == nil { self.counts = Self.emptyCounts }
        self.counts?.add(theirs)
        self.count += other.count
        self.longest = max(self.longest, other.longest)
    }

    /// Reads several percentiles in one pass over the recorded values.
    ///
    /// - Parameter percentiles: each from 0 to 100, rising.
    /// - Returns: for each the latency that so many percent do not exceed, to three digits; zeros when nothing was
    ///   recorded.
    /// - Complexity: O(n) in the number of different values, so ask for all percentiles at once.
    public func latencies(at percentiles: [Double]) -> [Duration] {
        var latencies = [Duration](repeating: .zero, count: percentiles.count)
        guard let counts = self.counts, self.count > 0 else { return latencies }
        let needed = percentiles.map { percentile in
            // One step down, so that 99.9% of 1,000 is 999 and not, by rounding, 1,000.
            max(1, (min(max(percentile.nextDown, 0), 100) * Double(self.count) / 100).rounded(.up))
        }
        var passed = 0.0
        var next = 0
        for step in counts.recordedValues() {
            passed += Double(step.count)
            let value = Int64(min(counts.highestEquivalentForValue(step.value), Self.highest))
            while next < needed.count, passed >= needed[next] {
                latencies[next] = min(.microseconds(value), self.longest)
                next += 1
            }
            if next == needed.count { break }
        }
        return latencies
    }

    private static var emptyCounts: Histogram<UInt64> {
        Histogram(
            lowestDiscernibleValue: 1,
            highestTrackableValue: Self.highest,
            numberOfSignificantValueDigits: .three
        )
    }
}
