internal import Primitives

extension BalancerConfiguration {
    /// Why a balancer cannot work by some rules.
    public enum Problem: Error, Hashable, Sendable {
        /// The writer is no name of 1 to 63 letters, digits and hyphens.
        case invalidWriter
        /// A size, bound or time is not in its range.
        case outOfRange
        /// The period is shorter than the time to live.
        case periodTooShort
        /// Publishing before and keeping after takes longer than two periods; with the least period that would do.
        case windowsOverlap(leastPeriod: Int64)
    }

    func validate(for derivation: NameDerivation) throws(Problem) {
        let writer = self.writer.bytes
        guard (1...63).contains(writer.count), writer.allSatisfy({ $0.isLetterDigitOrHyphen }) else {
            throw .invalidWriter
        }
        let sizes = [self.batchSize, self.sliceSize, self.maximumDevices, self.maximumWaiting]
        let times = [
            self.instanceStartTime, self.reportInterval, self.progressLimit, self.registryTimeout, self.firstRetry,
            self.longestRetry, self.refusedRetry,
        ]
        guard sizes.allSatisfy({ $0 > 0 }), times.allSatisfy({ $0 > .zero }), self.registryTime >= .zero,
            (1...1000).contains(self.maximumInstances), self.batchByteCount >= 1024,
            self.maximumDevices < Int(Int32.max),
            (1...86_400).contains(self.timeToLive), derivation.clockSkew >= 0
        else { throw .outOfRange }
        guard let period = derivation.period else { return }
        guard period >= Int64(self.timeToLive) else { throw .periodTooShort }
        let served = 2 * (derivation.clockSkew + Int64(self.timeToLive)) + self.registryTime.wholeSeconds
        guard served <= 2 * period else { throw .windowsOverlap(leastPeriod: (served + 1) / 2) }
    }
}

extension UInt8 {
    fileprivate var isLetterDigitOrHyphen: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
