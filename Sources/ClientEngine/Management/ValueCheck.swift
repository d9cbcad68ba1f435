import CoAPMessages
import LwM2MModel
import Primitives

extension ResourceDefinition {
    /// The value as one of this resource's type, when it is allowed at the path.
    ///
    /// - Throws: 4.00 for a wrong type, level, or a value out of range; 4.13 for one that is too large.
    func checked(_ value: ResourceValue, at path: ObjectPath) throws(Refusal) -> ResourceValue {
        guard self.isMultiple == (path.depth == 4) else { throw Refusal(.badRequest) }
        guard let value = value.converted(to: self.type), self.range.contains(value) else { throw Refusal(.badRequest) }
        guard value.byteCount <= EngineLimits.valueSize else { throw Refusal(.requestEntityTooLarge) }
        return value
    }
}

extension ResourceValue {
    /// The same value as one of another numeric type, when nothing is lost: formats do not tell all types apart.
    func converted(to type: ResourceType) -> ResourceValue? {
        if self.matches(type) { return self }
        switch (type, self) {
        case (.integer, .unsignedInteger(let value)):
            return Int64(exactly: value).map(ResourceValue.integer)
        case (.unsignedInteger, .integer(let value)):
            return UInt64(exactly: value).map(ResourceValue.unsignedInteger)
        case (.float, .integer(let value)):
            return .float(Double(value))
        case (.float, .unsignedInteger(let value)):
            return .float(Double(value))
        case (.time, .integer(let value)):
            return .time(WallTime(secondsSinceEpoch: value))
        case (.integer, .float(let value)):
            return Int64(exactly: value).map(ResourceValue.integer)
        case (.unsignedInteger, .float(let value)):
            return UInt64(exactly: value).map(ResourceValue.unsignedInteger)
        default:
            return nil
        }
    }

    /// How many bytes a text or opaque value has; 0 for the others.
    var byteCount: Int {
        switch self {
        case .string(let text): text.bytes.count
        case .opaque(let bytes): bytes.count
        default: 0
        }
    }
}
