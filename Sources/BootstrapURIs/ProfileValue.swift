import Primitives

/// The values of a profile's fields as text, both ways.
///
/// Within a value, `:` separates a word from its argument and `+` the items of a list; commas and equals signs stand
/// between fields, so no value has one.
enum ProfileValue {
    /// The longest value: all positions of the longest text.
    static let largestText = 255

    // MARK: Reading

    static func parameters(_ text: ArraySlice<UInt8>) -> [DerivationParameter]? {
        if self.isNone(text) { return [] }
        var parameters: [DerivationParameter] = []
        for item in self.split(text, at: UInt8(ascii: "+")) {
            guard let parameter = self.parameter(item) else { return nil }
            parameters.append(parameter)
        }
        return parameters
    }

    static func combination(_ text: ArraySlice<UInt8>) -> ParameterCombination? {
        let words = self.split(text, at: Ascii.colon)
        if self.isWord(words[0], "hmac") { return words.count == 1 ? .hmac : nil }
        if self.isWord(words[0], "concatenation") {
            if words.count == 1 { return .concatenation() }
            return self.number(words).map { .concatenation(secretAt: $0) }
        }
        guard let offset = self.number(words) else { return nil }
        if self.isWord(words[0], "parameters-into-secret") { return .parametersIntoSecret(offset: offset) }
        if self.isWord(words[0], "secret-into-parameters") { return .secretIntoParameters(offset: offset) }
        return nil
    }

    static func selection(_ text: ArraySlice<UInt8>) -> CharacterSelection? {
        let words = self.split(text, at: Ascii.colon)
        if self.isWord(words[0], "all") { return words.count == 1 ? .all : nil }
        if self.isWord(words[0], "positions"), words.count == 2 {
            var positions: [Int] = []
            for item in self.split(words[1], at: UInt8(ascii: "+")) {
                guard let position = self.number(item) else { return nil }
                positions.append(position)
            }
            return .positions(positions)
        }
        guard let count = self.number(words) else { return nil }
        if self.isWord(words[0], "first") { return .first(count) }
        return self.isWord(words[0], "last") ? .last(count) : nil
    }

    static func insertion(_ text: ArraySlice<UInt8>) -> NameInsertion? {
        let words = self.split(text, at: Ascii.colon)
        if words.count == 1 {
            for (name, insertion) in self.plainInsertions where self.isWord(text, name) { return insertion }
            return nil
        }
        if self.isWord(words[0], "query"), words.count == 2 {
            return UTF8Text(validating: Array(words[1])).map { .query(name: $0) }
        }
        guard self.isWord(words[0], "label-offset") else { return nil }
        return self.number(words).map { .offsetInFirstLabel($0) }
    }

    /// Whether a text says that there is nothing.
    static func isNone(_ text: ArraySlice<UInt8>) -> Bool { self.isWord(text, "none") }

    /// Reads `before:endpoint:first:4`.
    static func part(_ text: ArraySlice<UInt8>) -> ParameterPart? {
        let words = self.split(text, at: Ascii.colon)
        guard words.count == 4, let parameter = self.parameter(words[1]), let count = self.number(words[3]) else {
            return nil
        }
        let extent: ParameterPart.Extent
        if self.isWord(words[2], "first") {
            extent = .first(count)
        } else if self.isWord(words[2], "last") {
            extent = .last(count)
        } else {
            return nil
        }
        if self.isWord(words[0], "after") { return ParameterPart(parameter, extent, .after) }
        return self.isWord(words[0], "before") ? ParameterPart(parameter, extent, .before) : nil
    }

    static func bool(_ text: ArraySlice<UInt8>) -> Bool? {
        if self.isWord(text, "yes") || self.isWord(text, "true") { return true }
        return self.isWord(text, "no") || self.isWord(text, "false") ? false : nil
    }

    /// Reads the one of a few cases that a text names.
    static func oneOf<Case>(_ cases: [Case], _ text: ArraySlice<UInt8>, _ name: (Case) -> UTF8Text) -> Case? {
        for item in cases where text.elementsEqual(name(item).bytes) { return item }
        return nil
    }

    // MARK: Writing

    static func text(of parameters: [DerivationParameter]) -> UTF8Text {
        parameters.isEmpty ? "none" : self.joined(parameters.map { $0.name.bytes }, by: UInt8(ascii: "+"))
    }

    static func text(of combination: ParameterCombination) -> UTF8Text {
        switch combination {
        case .concatenation(0): "concatenation"
        case .concatenation(let place): self.word("concatenation", place)
        case .hmac: "hmac"
        case .parametersIntoSecret(let offset): self.word("parameters-into-secret", offset)
        case .secretIntoParameters(let offset): self.word("secret-into-parameters", offset)
        }
    }

    static func text(of selection: CharacterSelection) -> UTF8Text {
        switch selection {
        case .all: return "all"
        case .first(let count): return self.word("first", count)
        case .last(let count): return self.word("last", count)
        case .positions(let positions):
            let list = self.joined(positions.map { self.digits($0) }, by: UInt8(ascii: "+"))
            return self.joined([UTF8Text("positions").bytes, list.bytes], by: Ascii.colon)
        }
    }

    static func text(of insertion: NameInsertion) -> UTF8Text {
        switch insertion {
        case .offsetInFirstLabel(let offset): return self.word("label-offset", offset)
        case .query(let name?): return self.joined([UTF8Text("query").bytes, name.bytes], by: Ascii.colon)
        default:
            for (name, plain) in self.plainInsertions where plain == insertion { return name }
            return ""
        }
    }

    static func text(of part: ParameterPart?) -> UTF8Text {
        guard let part else { return "none" }
        let side: UTF8Text = part.side == .after ? "after" : "before"
        let extent: UTF8Text
        switch part.extent {
        case .first: extent = "first"
        case .last: extent = "last"
        }
        return self.joined(
            [side.bytes, part.parameter.name.bytes, extent.bytes, self.digits(part.characterCount)],
            by: Ascii.colon
        )
    }

    static func text(of bool: Bool) -> UTF8Text { bool ? "yes" : "no" }

    // MARK: Words

    private static let plainInsertions: [(name: UTF8Text, insertion: NameInsertion)] = [
        ("label-end", .endOfFirstLabel), ("label-start", .startOfFirstLabel), ("own-label", .ownLabel),
        ("path", .path), ("query", .query()),
    ]

    private static func parameter(_ text: ArraySlice<UInt8>) -> DerivationParameter? {
        self.oneOf(DerivationParameter.allCases, text) { $0.name }
    }

    private static func split(_ text: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>] {
        text.split(separator: separator, omittingEmptySubsequences: false)
    }

    private static func isWord(_ text: ArraySlice<UInt8>, _ word: UTF8Text) -> Bool { text.elementsEqual(word.bytes) }

    /// The number of `word:7`.
    private static func number(_ words: [ArraySlice<UInt8>]) -> Int? {
        words.count == 2 ? self.number(words[1]) : nil
    }

    /// A number of up to three digits, which is more than any count or offset.
    private static func number(_ text: ArraySlice<UInt8>) -> Int? {
        guard text.count <= 3 else { return nil }
        return DecimalNumber.unsigned(text).map { Int(truncatingIfNeeded: $0) }
    }

    private static func digits(_ number: Int) -> [UInt8] {
        var digits: [UInt8] = []
        DecimalNumber.write(signed: Int64(number), into: &digits)
        return digits
    }

    private static func word(_ word: UTF8Text, _ number: Int) -> UTF8Text {
        self.joined([word.bytes, self.digits(number)], by: Ascii.colon)
    }

    private static func joined(_ parts: [[UInt8]], by separator: UInt8) -> UTF8Text {
        UTF8Text(validating: Array(parts.joined(separator: [separator]))) ?? ""
    }
}
