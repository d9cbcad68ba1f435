public import Primitives

/// The type of a resource's value.
///
/// - Source: LwM2M Core 1.2.2, appendix C.
public enum ResourceType: Hashable, Sendable {
    /// UTF-8 text.
    case string
    /// A signed number of up to 64 bits.
    case integer
    /// An unsigned number of up to 64 bits.
    case unsignedInteger
    /// A floating-point number of 32 or 64 bits.
    case float
    /// True or false.
    case boolean
    /// Bytes.
    case opaque
    /// Seconds since 1970-01-01T00:00:00Z.
    case time
    /// An object and one of its instances.
    case objectLink
    /// Text in CoRE link format.
    case corelnk
    /// No value: the resource can only be executed.
    case none
}

/// The value of a resource or resource instance.
///
/// - Source: LwM2M Core 1.2.2, appendix C.
public enum ResourceValue: Hashable, Sendable {
    /// Text, also that of a `corelnk` resource.
    case string(UTF8Text)
    /// A signed number.
    case integer(Int64)
    /// An unsigned number.
    case unsignedInteger(UInt64)
    /// A floating-point number.
    case float(Double)
    /// True or false.
    case boolean(Bool)
    /// Bytes.
    case opaque([UInt8])
    /// A point in civil time.
    case time(WallTime)
    /// An object and one of its instances; 65535 and 65535 for "none".
    case objectLink(object: UInt16, instance: UInt16)

    /// The number, when this is a signed or unsigned one that fits, or a time.
    public var asInteger: Int64? {
        switch self {
        case .integer(let value): value
        case .unsignedInteger(let value): Int64(exactly: value)
        case .time(let value): value.secondsSinceEpoch
        default: nil
        }
    }

    /// The value as a floating-point number, when it is numeric; what gt, lt and st compare.
    public var asNumber: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .unsignedInteger(let value): Double(value)
        case .float(let value): value
        default: nil
        }
    }

    /// Whether the value is one that a resource of the type may hold.
    public func matches(_ type: ResourceType) -> Bool {
        switch (self, type) {
        case (.string, .string), (.string, .corelnk), (.integer, .integer), (.unsignedInteger, .unsignedInteger),
            (.float, .float), (.boolean, .boolean), (.opaque, .opaque), (.time, .time), (.objectLink, .objectLink):
            true
        default: false
        }
    }
}

/// One value with its address: what the codecs read and write.
public struct ResourceRecord: Hashable, Sendable {
    /// The path of a resource or, for a multiple resource, of one of its instances.
    public let path: ObjectPath
    /// Its value.
    public let value: ResourceValue

    /// Creates a record; the path has three or four levels.
    public init(_ path: ObjectPath, _ value: ResourceValue) {
        self.path = path
        self.value = value
    }
}
