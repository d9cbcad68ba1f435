/// Which characters of the rendered derivative survive.
public enum CharacterSelection: Hashable, Sendable {
    /// Every one.
    case all
    /// So many from the start.
    case first(Int)
    /// So many from the end.
    case last(Int)
    /// Those at the positions, counted from 0, in the order they are stated; no position twice.
    case positions([Int])

    /// The positions that survive out of so many characters; nil when that many characters do not have them.
    ///
    /// At least one survives.
    public func positions(outOf count: Int) -> [Int]? {
        switch self {
        case .all: return count > 0 ? Array(0..<count) : nil
        case .first(let number): return (1...max(1, count)).contains(number) ? Array(0..<number) : nil
        case .last(let number): return (1...max(1, count)).contains(number) ? Array((count - number)..<count) : nil
        case .positions(let positions):
            guard (1...max(1, count)).contains(positions.count) else { return nil }
            var isTaken = [Bool](repeating: false, count: count)
            for position in positions {
                guard (0..<count).contains(position), !isTaken[position] else { return nil }
                isTaken[position] = true
            }
            return positions
        }
    }

    /// How many bits of the derivative the surviving characters tell, rounded down.
    ///
    /// The last character of base 32 and base 64 may hold fewer bits than the others, and the first decimal digit is
    /// counted as none: it is 0 or 1 for most derivatives.
    ///
    /// - Returns: 0 when the suite's text does not have the characters.
    public func bitCount(suite: HashSuite, alphabet: NameAlphabet) -> Int {
        let count = alphabet.characterCount(ofBytes: suite.byteCount)
        guard let positions = self.positions(outOf: count) else { return 0 }
        var thousandths = 0
        for position in positions {
            switch alphabet {
            case .hex: thousandths += 4000
            case .base32: thousandths += 1000 * min(5, suite.bitCount - position * 5)
            case .base64URL: thousandths += 1000 * min(6, suite.bitCount - position * 6)
            case .decimal: thousandths += position == 0 ? 0 : 3321
            }
        }
        return min(suite.bitCount, thousandths / 1000)
    }
}
