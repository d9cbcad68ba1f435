public import CoAPMessages
public import LwM2MModel

/// The payload formats of LwM2M behind one door: records to bytes and back.
///
/// - Source: LwM2M Core 1.2.2, clause 7.4.
public enum Payload {
    /// Whether ``encode(_:as:at:)`` and ``decode(_:as:at:registry:)`` know the format.
    ///
    /// The link format carries object lists, not values, and is none of them: see ``LinkFormat``.
    public static func supports(_ format: ContentFormat) -> Bool {
        switch format {
        case .text, .opaque, .cbor, .tlv, .senMLJSON, .senMLCBOR: true
        default: false
        }
    }

    /// Writes records in a format.
    ///
    /// - Parameters:
    ///   - records: values with their paths, all at or below `base`; for text, opaque and CBOR exactly one.
    ///   - format: one that ``supports(_:)`` names.
    ///   - base: the path of the request or answer; the root for composite ones.
    /// - Returns: the payload.
    public static func encode(
        _ records: [ResourceRecord],
        as format: ContentFormat,
        at base: ObjectPath
    ) throws(PayloadEncodingError) -> [UInt8] {
        throw .unsupportedFormat(format)
    }

    /// Reads the records of a payload.
    ///
    /// - Parameters:
    ///   - payload: any bytes; never a trap.
    ///   - format: one that ``supports(_:)`` names.
    ///   - base: the path of the request; the root for composite ones.
    ///   - registry: gives each value its type.
    /// - Returns: the values with their paths, in the order of the payload.
    public static func decode(
        _ payload: [UInt8],
        as format: ContentFormat,
        at base: ObjectPath,
        registry: ObjectRegistry
    ) throws(PayloadDecodingError) -> [ResourceRecord] {
        throw .unsupportedFormat(format)
    }
}
