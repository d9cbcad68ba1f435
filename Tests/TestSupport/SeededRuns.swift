import Foundation
public import Primitives

/// Runs of a test with random input that anyone can repeat.
public enum SeededRuns {
    /// Runs the body once a seed; a seed that throws is printed, with the way to run it alone.
    ///
    /// `STARLING_SEED=7 swift test --filter NAME` runs seed 7 and no other.
    ///
    /// - Parameters:
    ///   - count: how many seeds, from 1.
    ///   - body: the test; use `#require`, whose failure throws.
    public static func each(_ count: UInt64, _ body: (inout SeededGenerator) throws -> Void) throws {
        var seeds = Array(1...count)
        if let text = ProcessInfo.processInfo.environment["STARLING_SEED"], let seed = UInt64(text) { seeds = [seed] }
        for seed in seeds {
            var generator = SeededGenerator(seed: seed)
            do {
                try body(&generator)
            } catch {
                print("failed with seed \(seed); again: STARLING_SEED=\(seed) swift test --filter …")
                throw error
            }
        }
    }
}

/// Input that was damaged on purpose.
public enum Damage {
    /// Every proper prefix of the bytes.
    public static func truncations(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.indices.map { Array(bytes[..<$0]) }
    }

    /// The bytes with one bit flipped, for every bit.
    public static func bitFlips(_ bytes: [UInt8]) -> [[UInt8]] {
        (0..<(bytes.count * 8)).map { bit in
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            return flipped
        }
    }
}
