/// A small deterministic generator (SplitMix64) for jitter, simulation and tests; not for keys.
///
/// The same seed gives the same numbers on every machine.
/// - Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Creates a generator; nearby seeds give unrelated sequences.
    public init(seed: UInt64) {
        self.state = seed
    }

    /// Returns the next 64 bits.
    public mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Returns a number from 0 up to, not including, 1.
    public mutating func nextUnitInterval() -> Double {
        Double(self.next() >> 11) * 0x1p-53
    }
}
