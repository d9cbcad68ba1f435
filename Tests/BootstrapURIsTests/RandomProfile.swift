import BootstrapURIs
import Primitives

/// Profiles of every kind from a seed.
enum RandomProfile {
    /// A valid profile; nil when a hundred attempts gave none.
    static func make(_ random: inout SeededGenerator) -> BootstrapURIProfile? {
        for _ in 0..<100 {
            if let profile = try? self.attempt(&random) { return profile }
        }
        return nil
    }

    private static func attempt(_ random: inout SeededGenerator) throws -> BootstrapURIProfile {
        var order = DerivationParameter.allCases
        order.shuffle(using: &random)
        let parameters = Array(order.prefix(Int.random(in: 0...3, using: &random)))
        let suite = self.pick(HashSuite.allCases, &random)
        let alphabet = self.pick(NameAlphabet.allCases, &random)
        let length = alphabet.characterCount(ofBytes: suite.byteCount)
        return try BootstrapURIProfile(
            parameters: parameters,
            combination: self.combination(&random),
            suite: suite,
            alphabet: alphabet,
            selection: self.selection(length, &random),
            insertion: self.insertion(&random),
            part: parameters.isEmpty || Bool.random(using: &random) ? nil : self.part(parameters, &random),
            period: .random(in: BootstrapURIProfile.periods, using: &random),
            rounding: self.pick(TimeRounding.allCases, &random),
            timeForm: self.pick(TimeStampForm.allCases, &random),
            clockSkew: .random(in: BootstrapURIProfile.clockSkews, using: &random),
            counter: parameters.contains(.randomVariable) ? random.next() : nil,
            fallsBackToStaticURI: .random(using: &random),
            regeneratesEveryPeriod: .random(using: &random),
            allowsShortNames: true,
            isTest: .random(using: &random)
        )
    }

    private static func pick<Item>(_ items: [Item], _ random: inout SeededGenerator) -> Item {
        items[Int.random(in: 0..<items.count, using: &random)]
    }

    private static func combination(_ random: inout SeededGenerator) -> ParameterCombination {
        let offset = Int.random(in: 0...ParameterCombination.largestOffset, using: &random)
        return self.pick(
            [
                .hmac, .concatenation(secretAt: offset % 4), .parametersIntoSecret(offset: offset),
                .secretIntoParameters(offset: offset),
            ],
            &random
        )
    }

    private static func selection(_ length: Int, _ random: inout SeededGenerator) -> CharacterSelection {
        let count = Int.random(in: 1...length, using: &random)
        var positions = Array(0..<length)
        positions.shuffle(using: &random)
        return self.pick([.all, .first(count), .last(count), .positions(Array(positions.prefix(count)))], &random)
    }

    private static func insertion(_ random: inout SeededGenerator) -> NameInsertion {
        self.pick(
            [
                .endOfFirstLabel, .startOfFirstLabel, .offsetInFirstLabel(.random(in: 0...20, using: &random)),
                .ownLabel,
                .path, .query(), .query(name: "n"),
            ],
            &random
        )
    }

    private static func part(
        _ parameters: [DerivationParameter],
        _ random: inout SeededGenerator
    ) -> ParameterPart {
        let count = Int.random(in: 1...ParameterPart.largestCount, using: &random)
        return ParameterPart(
            self.pick(parameters, &random),
            Bool.random(using: &random) ? .first(count) : .last(count),
            Bool.random(using: &random) ? .after : .before
        )
    }

    /// An endpoint name of up to 40 characters, some of which no host may have.
    static func endpoint(_ random: inout SeededGenerator) -> UTF8Text {
        let characters = Array("abcXYZ019-._:/%é\u{1F426} ")
        var text = ""
        for _ in 0..<Int.random(in: 0...40, using: &random) { text.append(self.pick(characters, &random)) }
        return UTF8Text(text)
    }

    /// A secret of 16 to 80 bytes.
    static func secret(_ random: inout SeededGenerator) -> SecretBytes {
        SecretBytes(
            (0..<Int.random(in: 16...80, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        )
    }
}
