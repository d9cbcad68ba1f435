public import Primitives

/// The one textual form of a profile: the same names in files, options and resources.
extension BootstrapURIProfile {
    /// A field of the textual form; what is left out has its standard value.
    public struct Field: Hashable, Sendable {
        /// The name; `period`.
        public var name: UTF8Text
        /// The value; `3600`.
        public var value: UTF8Text

        /// Creates a field.
        public init(_ name: UTF8Text, _ value: UTF8Text) {
            self.name = name
            self.value = value
        }
    }

    /// Reads a profile; a field that is missing has the value of ``standard``.
    ///
    /// - Throws: ``ProfileError/invalidField(_:)`` for an unknown name or value, or what is wrong with the whole.
    public init(fields: [Field]) throws(ProfileError) {
        self = .standard
        var seen: [UTF8Text] = []
        for field in fields {
            guard !seen.contains(field.name) else { throw .invalidField(field.name) }
            seen.append(field.name)
            guard self.set(field.name, field.value.bytes) else { throw .invalidField(field.name) }
        }
        try self.validate()
    }

    /// Reads `name=value` parts with commas between: `period=1800,alphabet=hexadecimal`. Lists use `+`.
    public init(parsing text: UTF8Text) throws(ProfileError) {
        var fields: [Field] = []
        for part in text.bytes.split(separator: Ascii.comma) {
            let halves = part.split(separator: Ascii.equals, maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let name = UTF8Text(validating: Self.trim(halves[0])),
                let value = UTF8Text(validating: Self.trim(halves[1])), fields.count < 32
            else { throw .invalidField(UTF8Text(validating: Array(part.prefix(32))) ?? "") }
            fields.append(Field(name, value))
        }
        try self.init(fields: fields)
    }

    /// Every field, in an order that people find natural.
    public var fields: [Field] {
        var fields = [
            Field("parameters", Self.join(self.parameters.map { Self.name($0).bytes })),
            Field("rounding", self.rounding == .closest ? "closest" : "floor"),
            Field("period", Self.number(UInt64(self.period.magnitude))),
            Field("time-format", self.timeFormat == .decimal ? "decimal" : "binary"),
            Field("combination", self.combinationText),
            Field("suite", self.suite.name),
            Field("alphabet", self.alphabet.name),
            Field("selection", self.selectionText),
            Field("insertion", self.insertionText),
            Field("clock-skew", Self.number(UInt64(self.clockSkew.magnitude))),
            Field("fallback", self.fallsBackToStaticURI ? "yes" : "no"),
            Field("regenerate", self.regeneratesEveryPeriod ? "yes" : "no"),
            Field("short-names", self.allowsShortNames ? "yes" : "no"),
            Field("test", self.isTest ? "yes" : "no"),
        ]
        if let counter = self.counter { fields.append(Field("counter", Self.number(counter))) }
        if let part = self.endpointPart { fields.append(Field("endpoint-part", Self.partText(part))) }
        return fields
    }

    private mutating func set(_ name: UTF8Text, _ value: [UInt8]) -> Bool {
        switch name {
        case "parameters": return Self.assign(&self.parameters, Self.parameters(value))
        case "rounding": return Self.assign(&self.rounding, Self.choice(value, ["closest": .closest, "floor": .floor]))
        case "period": return Self.assign(&self.period, Self.integer(value).flatMap { Int64(exactly: $0) })
        case "time-format":
            return Self.assign(&self.timeFormat, Self.choice(value, ["decimal": .decimal, "binary": .binary]))
        case "counter":
            self.counter = Self.integer(value)
            return self.counter != nil
        case "combination": return Self.assign(&self.combination, Self.combination(value))
        case "suite": return Self.assign(&self.suite, HashSuite.allCases.first { $0.name.bytes == value })
        case "alphabet": return Self.assign(&self.alphabet, Alphabet.allCases.first { $0.name.bytes == value })
        case "selection": return Self.assign(&self.selection, Self.selection(value))
        case "insertion": return Self.assign(&self.insertion, Self.insertion(value))
        case "endpoint-part":
            self.endpointPart = Self.part(value)
            return self.endpointPart != nil
        case "clock-skew": return Self.assign(&self.clockSkew, Self.integer(value).flatMap { Int64(exactly: $0) })
        case "fallback": return Self.assign(&self.fallsBackToStaticURI, Self.flag(value))
        case "regenerate": return Self.assign(&self.regeneratesEveryPeriod, Self.flag(value))
        case "short-names": return Self.assign(&self.allowsShortNames, Self.flag(value))
        case "test": return Self.assign(&self.isTest, Self.flag(value))
        default: return false
        }
    }

    // MARK: Texts to values

    private static func assign<Value>(_ place: inout Value, _ value: Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    private static func choice<Value>(_ value: [UInt8], _ choices: KeyValuePairs<UTF8Text, Value>) -> Value? {
        choices.first { $0.key.bytes == value }?.value
    }

    private static func flag(_ value: [UInt8]) -> Bool? {
        self.choice(value, ["yes": true, "no": false, "true": true, "false": false])
    }

    private static func integer(_ digits: some Collection<UInt8>) -> UInt64? {
        guard (1...19).contains(digits.count), digits.allSatisfy(Ascii.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + UInt64($1 - Ascii.zero) }
    }

    private static func small(_ digits: some Collection<UInt8>) -> UInt8? {
        self.integer(digits).flatMap { UInt8(exactly: $0) }
    }

    /// `last:16` as its word and what stands behind the colon.
    private static func split(_ value: [UInt8]) -> (word: UTF8Text, argument: ArraySlice<UInt8>?)? {
        let parts = value.split(separator: Ascii.colon, maxSplits: 1, omittingEmptySubsequences: false)
        guard let word = UTF8Text(validating: Array(parts[0])) else { return nil }
        return (word, parts.count == 2 ? parts[1] : nil)
    }

    private static func parameters(_ value: [UInt8]) -> [Parameter]? {
        var parameters: [Parameter] = []
        for word in value.split(separator: UInt8(ascii: "+"), omittingEmptySubsequences: false) {
            guard let parameter = Parameter.allCases.first(where: { self.name($0).bytes.elementsEqual(word) }) else {
                return nil
            }
            parameters.append(parameter)
        }
        return parameters
    }

    private static func combination(_ value: [UInt8]) -> Combination? {
        guard let (word, argument) = self.split(value) else { return nil }
        switch (word, argument) {
        case ("hmac", nil): return .hmac
        case ("concatenation", nil): return .concatenation
        case ("insertion", .some(let offset)): return self.small(offset).map { .insertion(offset: $0) }
        default: return nil
        }
    }

    private static func selection(_ value: [UInt8]) -> Selection? {
        guard let (word, argument) = self.split(value) else { return nil }
        switch (word, argument) {
        case ("all", nil): return .all
        case ("first", .some(let count)): return self.small(count).map { .first($0) }
        case ("last", .some(let count)): return self.small(count).map { .last($0) }
        case ("positions", .some(let list)):
            var positions: [UInt8] = []
            for number in list.split(separator: UInt8(ascii: "+"), omittingEmptySubsequences: false) {
                guard let position = self.small(number), positions.count < 80 else { return nil }
                positions.append(position)
            }
            return .positions(positions)
        default: return nil
        }
    }

    private static func insertion(_ value: [UInt8]) -> Insertion? {
        guard let (word, argument) = self.split(value) else { return nil }
        switch (word, argument) {
        case ("label-end", nil): return .labelEnd
        case ("label-start", nil): return .labelStart
        case ("label-offset", .some(let offset)): return self.small(offset).map { .labelOffset($0) }
        case ("own-label", nil): return .ownLabel
        case ("path", nil): return .path
        case ("query", nil): return .query
        default: return nil
        }
    }

    private static func part(_ value: [UInt8]) -> EndpointPart? {
        guard let (word, argument) = self.split(value), let argument, let count = self.small(argument) else {
            return nil
        }
        switch word {
        case "first": return .first(count)
        case "last": return .last(count)
        default: return nil
        }
    }

    // MARK: Values to texts

    private static func name(_ parameter: Parameter) -> UTF8Text {
        switch parameter {
        case .endpoint: "endpoint"
        case .time: "time"
        case .random: "random"
        }
    }

    private var combinationText: UTF8Text {
        switch self.combination {
        case .concatenation: "concatenation"
        case .insertion(let offset): Self.word("insertion", UInt64(offset))
        case .hmac: "hmac"
        }
    }

    private var selectionText: UTF8Text {
        switch self.selection {
        case .all: return "all"
        case .first(let count): return Self.word("first", UInt64(count))
        case .last(let count): return Self.word("last", UInt64(count))
        case .positions(let positions):
            let list = Self.join(positions.map { Self.number(UInt64($0)).bytes })
            return UTF8Text(validating: Array("positions:".utf8) + list.bytes) ?? ""
        }
    }

    private var insertionText: UTF8Text {
        switch self.insertion {
        case .labelEnd: "label-end"
        case .labelStart: "label-start"
        case .labelOffset(let offset): Self.word("label-offset", UInt64(offset))
        case .ownLabel: "own-label"
        case .path: "path"
        case .query: "query"
        }
    }

    private static func partText(_ part: EndpointPart) -> UTF8Text {
        switch part {
        case .first(let count): self.word("first", UInt64(count))
        case .last(let count): self.word("last", UInt64(count))
        }
    }

    private static func word(_ word: UTF8Text, _ argument: UInt64) -> UTF8Text {
        UTF8Text(validating: word.bytes + [Ascii.colon] + self.number(argument).bytes) ?? word
    }

    private static func number(_ value: UInt64) -> UTF8Text {
        var digits: [UInt8] = []
        var rest = value
        repeat {
            digits.append(Ascii.zero + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        return UTF8Text(validating: digits.reversed()) ?? "0"
    }

    private static func join(_ words: [[UInt8]]) -> UTF8Text {
        UTF8Text(validating: Array(words.joined(separator: [UInt8(ascii: "+")]))) ?? ""
    }

    private static func trim(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var bytes = bytes
        while let first = bytes.first, first <= 0x20 { bytes = bytes.dropFirst() }
        while let last = bytes.last, last <= 0x20 { bytes = bytes.dropLast() }
        return Array(bytes)
    }
}
