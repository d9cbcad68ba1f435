public import Primitives

extension BootstrapURIProfile {
    /// A field of the textual form.
    public struct Field: Hashable, Sendable {
        /// The name; `"period"`.
        public let name: UTF8Text
        /// The value; `"3600"`.
        public let value: UTF8Text

        /// Creates a field.
        public init(_ name: UTF8Text, _ value: UTF8Text) {
            self.name = name
            self.value = value
        }
    }

    /// The longest text that ``init(parsing:)`` reads, in bytes.
    public static let largestText = 4096

    /// Reads a profile from its fields, in any order; a field that is missing is as in ``standard``.
    ///
    /// - Parameter fields: names and values as in ``fields``; each name at most once.
    /// - Throws: ``ProfileError``, for the first field that is wrong, then for fields that contradict each other.
    public init(fields: [Field]) throws(ProfileError) {
        var draft = ProfileDraft()
        var seen: Set<ProfileField> = []
        for entry in fields {
            guard let field = ProfileField(named: entry.name) else {
                throw .unknownField(UTF8Text(validating: Array(entry.name.bytes.prefix(32))) ?? "")
            }
            guard seen.insert(field).inserted else { throw .repeated(field) }
            try draft.set(field, to: entry.value.bytes[...])
        }
        self = try draft.validated()
    }

    /// Reads a profile from a text: `parameters=endpoint+time, period=1800`.
    ///
    /// Fields stand between commas or line breaks, spaces around names and values do not count, and `#` begins a
    /// remark that reaches to the end of its line. The empty text is ``standard``.
    ///
    /// - Parameter text: at most 4096 bytes.
    /// - Throws: ``ProfileError``; positions count the entries that are not empty.
    public init(parsing text: UTF8Text) throws(ProfileError) {
        guard text.bytes.count <= Self.largestText else { throw .tooLong }
        var fields: [Field] = []
        for line in text.bytes.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            let statement = line.prefix { $0 != Ascii.hash }
            for entry in statement.split(separator: UInt8(ascii: ",")) {
                let entry = Self.trimmed(entry)
                guard !entry.isEmpty else { continue }
                guard let mark = entry.firstIndex(of: Ascii.equals),
                    let name = UTF8Text(validating: Array(Self.trimmed(entry[..<mark]))),
                    let value = UTF8Text(validating: Array(Self.trimmed(entry[(mark + 1)...])))
                else { throw .malformedEntry(at: fields.count) }
                fields.append(Field(name, value))
            }
        }
        try self.init(fields: fields)
    }

    /// Every field with its value, in the order of the resources; the counter only when there is one.
    public var fields: [Field] {
        var fields: [Field] = []
        for field in ProfileField.allCases {
            if let value = self.text(of: field) { fields.append(Field(field.name, value)) }
        }
        return fields
    }

    /// The fields as one line that ``init(parsing:)`` reads.
    public var text: UTF8Text {
        var bytes: [UInt8] = []
        for field in self.fields {
            if !bytes.isEmpty { bytes.append(Ascii.comma) }
            bytes += field.name.bytes
            bytes.append(Ascii.equals)
            bytes += field.value.bytes
        }
        return UTF8Text(validating: bytes) ?? ""
    }

    /// The value of a field as text; nil when there is no counter.
    func text(of field: ProfileField) -> UTF8Text? {
        switch field {
        case .parameters: ProfileValue.text(of: self.parameters)
        case .combination: ProfileValue.text(of: self.combination)
        case .suite: self.suite.name
        case .alphabet: self.alphabet.name
        case .selection: ProfileValue.text(of: self.selection)
        case .insertion: ProfileValue.text(of: self.insertion)
        case .part: ProfileValue.text(of: self.part)
        case .period: Self.digits(UInt64(self.period))
        case .rounding: self.rounding.name
        case .timeForm: self.timeForm.name
        case .clockSkew: Self.digits(UInt64(self.clockSkew))
        case .counter: self.counter.map(Self.digits)
        case .fallback: ProfileValue.text(of: self.fallsBackToStaticURI)
        case .regeneration: ProfileValue.text(of: self.regeneratesEveryPeriod)
        case .shortNames: ProfileValue.text(of: self.allowsShortNames)
        case .test: ProfileValue.text(of: self.isTest)
        }
    }

    private static func digits(_ number: UInt64) -> UTF8Text {
        var digits: [UInt8] = []
        DecimalNumber.write(unsigned: number, into: &digits)
        return UTF8Text(validating: digits) ?? ""
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var rest = text.drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        return rest
    }
}

extension ProfileDraft {
    /// Takes over the value of a field.
    mutating func set(_ field: ProfileField, to text: ArraySlice<UInt8>) throws(ProfileError) {
        guard text.count <= ProfileValue.largestText else { throw .invalid(field) }
        func known<Value>(_ value: Value?) throws(ProfileError) -> Value {
            guard let value else { throw .invalid(field) }
            return value
        }
        switch field {
        case .parameters: self.parameters = try known(ProfileValue.parameters(text))
        case .combination: self.combination = try known(ProfileValue.combination(text))
        case .suite: self.suite = try known(ProfileValue.oneOf(HashSuite.allCases, text) { $0.name })
        case .alphabet: self.alphabet = try known(ProfileValue.oneOf(NameAlphabet.allCases, text) { $0.name })
        case .selection: self.selection = try known(ProfileValue.selection(text))
        case .insertion: self.insertion = try known(ProfileValue.insertion(text))
        case .part: self.part = ProfileValue.isNone(text) ? nil : try known(ProfileValue.part(text))
        case .period: self.period = try known(DecimalNumber.unsigned(text).flatMap { Int64(exactly: $0) })
        case .rounding: self.rounding = try known(ProfileValue.oneOf(TimeRounding.allCases, text) { $0.name })
        case .timeForm: self.timeForm = try known(ProfileValue.oneOf(TimeStampForm.allCases, text) { $0.name })
        case .clockSkew: self.clockSkew = try known(DecimalNumber.unsigned(text).flatMap { Int64(exactly: $0) })
        case .counter: self.counter = try known(DecimalNumber.unsigned(text))
        case .fallback: self.fallsBackToStaticURI = try known(ProfileValue.bool(text))
        case .regeneration: self.regeneratesEveryPeriod = try known(ProfileValue.bool(text))
        case .shortNames: self.allowsShortNames = try known(ProfileValue.bool(text))
        case .test: self.isTest = try known(ProfileValue.bool(text))
        }
    }
}
