public import LwM2MModel
internal import Primitives

extension ResourceValue: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByStringLiteral
{
    /// Creates a number; `21.5`.
    public init(floatLiteral value: Double) { self = .float(value) }

    /// Creates a number; `80`.
    ///
    /// Where a resource is of another numeric type, ``LwM2MClient/set(_:at:)`` converts it.
    public init(integerLiteral value: Int64) { self = .integer(value) }

    /// Creates a boolean; `true`.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }

    /// Creates text; `"Acme"`.
    public init(stringLiteral value: String) { self = .string(UTF8Text(value)) }
}

extension ResourceValue {
    /// The type that a resource with such a value has.
    var type: ResourceType {
        switch self {
        case .string: .string
        case .integer: .integer
        case .unsignedInteger: .unsignedInteger
        case .float: .float
        case .boolean: .boolean
        case .opaque: .opaque
        case .time: .time
        case .objectLink: .objectLink
        }
    }

    /// The value as one of the type, when that loses nothing.
    func converted(to type: ResourceType) -> ResourceValue? {
        if self.matches(type) { return self }
        switch (self, type) {
        case (.integer(let number), .float): return Double(exactly: number).map { .float($0) }
        case (.integer(let number), .unsignedInteger): return UInt64(exactly: number).map { .unsignedInteger($0) }
        case (.integer(let number), .time): return .time(WallTime(secondsSinceEpoch: number))
        case (.unsignedInteger(let number), .integer): return Int64(exactly: number).map { .integer($0) }
        case (.unsignedInteger(let number), .float): return Double(exactly: number).map { .float($0) }
        default: return nil
        }
    }
}

extension ObjectPath: ExpressibleByStringLiteral {
    /// Creates a path from a literal such as `"/3303/0/5700"`; a literal that is no path is a programming error.
    public init(stringLiteral value: StaticString) {
        do {
            self = try ObjectPath(parsing: UTF8Text(stringLiteral: value))
        } catch {
            preconditionFailure("\(value) is not a path")
        }
    }
}
