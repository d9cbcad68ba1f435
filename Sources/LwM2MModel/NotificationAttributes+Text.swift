public import Primitives

extension NotificationAttributes {
    /// Why queries are not attributes that may be attached; with the index of the query.
    public enum ParseError: Error, Hashable, Sendable {
        /// The name is none of the attributes.
        case unknown(Int)
        /// The value is no number of the attribute's kind.
        case invalidValue(Int)
    }

    /// What ``take(name:value:)`` made of an attribute.
    public enum Taken: Hashable, Sendable {
        /// It was set or removed.
        case taken
        /// Its value is no number of its kind.
        case invalid
        /// The name is none of the attributes.
        case unknown
    }

    /// Attaches what the queries of a Write-Attributes or Observe request say: `pmin=10` sets, `pmin` alone removes.
    ///
    /// The result may contradict itself; ``isConsistent`` tells. On an error nothing has changed.
    ///
    /// - Source: LwM2M Core 1.2.2, clause 6.3.5.
    public mutating func apply(queries: [UTF8Text]) throws(ParseError) {
        var changed = self
        for (index, query) in queries.enumerated() {
            let name = query.bytes.prefix { $0 != Ascii.equals }
            let value = name.count < query.bytes.count ? query.bytes[(name.endIndex + 1)...] : nil
            switch changed.take(name: name, value: value) {
            case .taken: break
            case .invalid: throw .invalidValue(index)
            case .unknown: throw .unknown(index)
            }
        }
        self = changed
    }

    /// Sets one attribute from its text or, without a value, removes it.
    ///
    /// - Parameters:
    ///   - name: `pmin`, `pmax`, `gt`, `lt` or `st`.
    ///   - value: digits for a period in seconds, a decimal number for the others.
    public mutating func take(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>?) -> Taken {
        if name.elementsEqual("pmin".utf8) { return Self.takePeriod(value, into: &self.minimumPeriod) }
        if name.elementsEqual("pmax".utf8) { return Self.takePeriod(value, into: &self.maximumPeriod) }
        if name.elementsEqual("gt".utf8) { return Self.takeNumber(value, into: &self.greaterThan) }
        if name.elementsEqual("lt".utf8) { return Self.takeNumber(value, into: &self.lessThan) }
        if name.elementsEqual("st".utf8) { return Self.takeNumber(value, into: &self.step) }
        return .unknown
    }

    /// The attributes as queries of a Write-Attributes request, or attributes of a link; `pmin=10`.
    public var queries: [UTF8Text] {
        var queries: [UTF8Text] = []
        if let seconds = self.minimumPeriod { queries.append(UTF8Text("pmin=\(seconds)")) }
        if let seconds = self.maximumPeriod { queries.append(UTF8Text("pmax=\(seconds)")) }
        if let number = self.greaterThan { queries.append(Self.query("gt=", number)) }
        if let number = self.lessThan { queries.append(Self.query("lt=", number)) }
        if let number = self.step { queries.append(Self.query("st=", number)) }
        return queries
    }

    /// Whether the attributes can hold together: `pmin <= pmax`, `lt < gt`, `lt + 2 st < gt` and `st > 0`.
    ///
    /// - Source: LwM2M Core 1.2.2, clause 7.3.2.
    public var isConsistent: Bool {
        if let least = self.minimumPeriod, let most = self.maximumPeriod, least > most { return false }
        if let step = self.step, !(step > 0) { return false }
        guard let low = self.lessThan, let high = self.greaterThan else { return true }
        return low < high && low + 2 * (self.step ?? 0) < high
    }

    private static func query(_ prefix: String, _ number: Double) -> UTF8Text {
        var bytes = Array(prefix.utf8)
        DecimalNumber.write(number, into: &bytes)
        return UTF8Text(validating: bytes) ?? ""
    }

    private static func takePeriod(_ text: ArraySlice<UInt8>?, into period: inout UInt32?) -> Taken {
        guard let text else {
            period = nil
            return .taken
        }
        guard let value = DecimalNumber.unsigned(text), value <= UInt64(UInt32.max) else { return .invalid }
        period = UInt32(value)
        return .taken
    }

    private static func takeNumber(_ text: ArraySlice<UInt8>?, into number: inout Double?) -> Taken {
        guard let text else {
            number = nil
            return .taken
        }
        guard let value = DecimalNumber.double(text), value.isFinite else { return .invalid }
        number = value
        return .taken
    }
}
