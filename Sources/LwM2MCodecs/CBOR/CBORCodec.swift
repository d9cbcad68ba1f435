internal import LwM2MModel
internal import Primitives

/// One value as a CBOR item: a time with tag 1, an object link as text.
///
/// - Source: LwM2M Core 1.2.2, clause 7.5.3 and appendix C.
enum CBORCodec {
    static func encode(_ record: ResourceRecord) throws(PayloadEncodingError) -> [UInt8] {
        var writer = CBORWriter(capacity: 16)
        switch record.value {
        case .string(let text): writer.write(text: text.bytes)
        case .integer(let number): writer.write(number)
        case .unsignedInteger(let number): writer.write(unsigned: number)
        case .float(let number): writer.write(number)
        case .boolean(let isTrue): writer.write(isTrue)
        case .opaque(let bytes): writer.write(bytes: bytes)
        case .time(let time):
            writer.writeTag(1)
            writer.write(time.secondsSinceEpoch)
        case .objectLink(let object, let instance):
            var text: [UInt8] = []
            ObjectLinkText.write(object, instance, into: &text)
            writer.write(text: text)
        }
        return writer.bytes
    }

    /// - Parameter type: nil for a resource without a definition.
    static func decode(
        _ payload: [UInt8],
        at path: ObjectPath,
        type: ResourceType?
    ) throws(PayloadDecodingError) -> ResourceRecord {
        var reader = CBORReader(payload)
        let plain = try reader.readValue()
        guard reader.isAtEnd else { throw .malformed(at: reader.offset) }
        guard let value = plain?.converted(to: type) else { throw .typeMismatch(path) }
        return ResourceRecord(path, value)
    }
}
