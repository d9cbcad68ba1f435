internal import LwM2MModel
internal import Primitives

/// A value as a self-describing format gives it, before the resource's definition says what it stands for.
enum PlainValue: Hashable, Sendable {
    case integer(Int64)
    /// Only numbers above the largest signed one.
    case unsignedInteger(UInt64)
    case float(Double)
    case boolean(Bool)
    case text(UTF8Text)
    case bytes([UInt8])
    case time(Int64)
    case objectLink(UInt16, UInt16)

    init(magnitude: UInt64) {
        self = Int64(exactly: magnitude).map(PlainValue.integer) ?? .unsignedInteger(magnitude)
    }

    /// The value as one of a resource of the type.
    ///
    /// Numbers convert where nothing is lost: an integer becomes a float, a float without a fraction an integer or a
    /// time. Text becomes an object link when it reads as one.
    ///
    /// - Parameter type: nil for a resource without a definition, whose value keeps its own type.
    /// - Returns: nil when the value is none of the type.
    func converted(to type: ResourceType?) -> ResourceValue? {
        switch type {
        case nil: self.ownValue
        case .string, .corelnk: if case .text(let text) = self { .string(text) } else { nil }
        case .integer: self.signed.map(ResourceValue.integer)
        case .unsignedInteger: self.unsigned.map(ResourceValue.unsignedInteger)
        case .float: self.number.map(ResourceValue.float)
        case .boolean: if case .boolean(let isTrue) = self { .boolean(isTrue) } else { nil }
        case .opaque: if case .bytes(let bytes) = self { .opaque(bytes) } else { nil }
        case .time: self.signed.map { .time(WallTime(secondsSinceEpoch: $0)) }
        case .objectLink: self.link
        case .some(.none): nil
        }
    }

    private var ownValue: ResourceValue {
        switch self {
        case .integer(let number): .integer(number)
        case .unsignedInteger(let number): .unsignedInteger(number)
        case .float(let number): .float(number)
        case .boolean(let isTrue): .boolean(isTrue)
        case .text(let text): .string(text)
        case .bytes(let bytes): .opaque(bytes)
        case .time(let seconds): .time(WallTime(secondsSinceEpoch: seconds))
        case .objectLink(let object, let instance): .objectLink(object: object, instance: instance)
        }
    }

    private var signed: Int64? {
        switch self {
        case .integer(let number), .time(let number): number
        case .float(let number): Int64(exactly: number)
        default: nil
        }
    }

    private var unsigned: UInt64? {
        switch self {
        case .integer(let number): UInt64(exactly: number)
        case .unsignedInteger(let number): number
        case .float(let number): UInt64(exactly: number)
        default: nil
        }
    }

    private var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .unsignedInteger(let number): Double(number)
        case .float(let number): number
        default: nil
        }
    }

    private var link: ResourceValue? {
        switch self {
        case .objectLink(let object, let instance): .objectLink(object: object, instance: instance)
        case .text(let text): ObjectLinkText.value(text.bytes[...])
        default: nil
        }
    }

    /// The sum with a base value; nil when either is no number or a whole sum does not fit.
    ///
    /// - Source: RFC 8428, section 4.1, Base Value.
    func added(to base: PlainValue) -> PlainValue? {
        if case .integer(let first) = self, case .integer(let second) = base {
            let (sum, overflow) = first.addingReportingOverflow(second)
            return overflow ? nil : .integer(sum)
        }
        guard let first = self.number, let second = base.number else { return nil }
        return .float(first + second)
    }
}
