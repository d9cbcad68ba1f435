import Primitives

/// Strangers who know the static name and what temporary ones look like, but no secret.
struct NameGuesser {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
    private var generator: SeededGenerator

    init(seed: UInt64) {
        self.generator = SeededGenerator(seed: seed)
    }

    /// A name of the standard profile for the static host: 16 characters behind its first label.
    mutating func guess() -> UTF8Text {
        var bits = self.generator.next()
        var more = self.generator.next()
        var name = Array("bs".utf8)
        for _ in 0..<8 {
            name.append(Self.alphabet[Int(bits & 31)])
            name.append(Self.alphabet[Int(more & 31)])
            bits >>= 5
            more >>= 5
        }
        return UTF8Text(validating: name + Array(".example.test".utf8)) ?? ""
    }
}
