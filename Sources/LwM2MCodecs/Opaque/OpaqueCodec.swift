internal import LwM2MModel
internal import Primitives

/// One value as its bytes.
///
/// - Source: LwM2M Core 1.2.2, clause 7.5.2.
enum OpaqueCodec {
    static func encode(_ record: ResourceRecord) throws(PayloadEncodingError) -> [UInt8] {
        guard case .opaque(let bytes) = record.value else { throw .unsupportedValue(record.path) }
        return bytes
    }

    /// - Parameter type: nil for a resource without a definition.
    static func decode(
        _ payload: [UInt8],
        at path: ObjectPath,
        type: ResourceType?
    ) throws(PayloadDecodingError) -> ResourceRecord {
        guard type == nil || type == .opaque else { throw .typeMismatch(path) }
        return ResourceRecord(path, .opaque(payload))
    }
}
