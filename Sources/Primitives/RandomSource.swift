/// Where random bytes come from: the system for real, a seed for tests and simulations.
///
/// Pure code draws what must not be guessed from here; with a seed it stays reproducible.
public struct RandomSource: Sendable {
    private enum Kind: Sendable {
        case seeded(SeededGenerator)
        case supplied(@Sendable (_ count: Int) -> [UInt8])
    }

    private var kind: Kind

    /// Creates a reproducible source, for tests and simulations: what it gives can be guessed.
    public init(seed: UInt64) {
        self.kind = .seeded(SeededGenerator(seed: seed))
    }

    /// Creates a source from a function.
    ///
    /// - Parameter bytes: returns as many unpredictable bytes as it is asked for.
    public init(_ bytes: @escaping @Sendable (_ count: Int) -> [UInt8]) {
        self.kind = .supplied(bytes)
    }

    /// Draws so many bytes.
    public mutating func next(_ count: Int) -> [UInt8] {
        switch self.kind {
        case .supplied(let bytes): return bytes(count)
        case .seeded(var generator):
            var drawn: [UInt8] = []
            drawn.reserveCapacity(count)
            while drawn.count < count {
                let word = generator.next()
                for shift in stride(from: UInt64(0), to: 64, by: 8) where drawn.count < count {
                    drawn.append(UInt8(truncatingIfNeeded: word >> shift))
                }
            }
            self.kind = .seeded(generator)
            return drawn
        }
    }
}
