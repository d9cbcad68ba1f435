public import CoAPMessages
public import LwM2MModel

/// Why records cannot be written in a format: the caller asked for what the format cannot carry.
public enum PayloadEncodingError: Error, Hashable, Sendable {
    /// The format is none that carries values, or not known here.
    case unsupportedFormat(ContentFormat)
    /// A record lies outside the base path, or its path has fewer than three levels.
    case invalidPath(ObjectPath)
    /// The format carries one value; so many were given.
    case needsOneValue(count: Int)
    /// The format cannot carry a value of this kind; at this path.
    case unsupportedValue(ObjectPath)
}

/// Why a payload could not be read: the peer sent what the format or the object does not allow.
///
/// Offsets count bytes from the start of the payload.
public enum PayloadDecodingError: Error, Hashable, Sendable {
    /// The format is none that carries values, or not known here.
    case unsupportedFormat(ContentFormat)
    /// The payload ended inside a field.
    case truncated(at: Int)
    /// The bytes break the rules of the format.
    case malformed(at: Int)
    /// Structures stand deeper in one another than the format needs.
    case tooDeep(at: Int)
    /// There are more values than a payload may carry: see ``PayloadLimits``.
    case tooManyValues
    /// A name is no path, or one of fewer than three or more than four levels.
    case invalidPath(at: Int)
    /// The values name no object instance, and neither does the path of the request.
    ///
    /// In a Create the device picks one and decodes again at its path.
    case missingInstance
    /// A value lies outside the path of the request.
    case pathOutsideBase(ObjectPath)
    /// The format or the request needs a value of a single resource, and the path is none.
    case needsSingleResource(ObjectPath)
    /// The value has another type than the resource.
    case typeMismatch(ObjectPath)
}

/// The bounds of every decoder.
public enum PayloadLimits {
    /// The most values that one payload may carry.
    public static let values = 65_536
    /// The most memory, in bytes, that decoding takes for each byte of payload; nothing is reserved for claimed lengths.
    public static let memoryPerByte = 64
}
