internal import LwM2MModel
internal import Primitives

/// One value as plain text.
///
/// - Source: LwM2M Core 1.2.2, clause 7.5.1 and appendix C.
enum TextCodec {
    static func encode(_ record: ResourceRecord) throws(PayloadEncodingError) -> [UInt8] {
        var bytes: [UInt8] = []
        switch record.value {
        case .string(let text): return text.bytes
        case .integer(let number): DecimalNumber.write(signed: number, into: &bytes)
        case .unsignedInteger(let number): DecimalNumber.write(unsigned: number, into: &bytes)
        case .float(let number):
            guard number.isFinite else { throw .unsupportedValue(record.path) }
            DecimalNumber.write(number, into: &bytes)
        case .boolean(let isTrue): bytes.append(isTrue ? UInt8(ascii: "1") : UInt8(ascii: "0"))
        case .opaque(let value): Base64.encode(value, alphabet: .standard, into: &bytes)
        case .time(let time): DecimalNumber.write(signed: time.secondsSinceEpoch, into: &bytes)
        case .objectLink(let object, let instance): ObjectLinkText.write(object, instance, into: &bytes)
        }
        return bytes
    }

    /// - Parameter type: nil for a resource without a definition, whose value is then text.
    static func decode(
        _ payload: [UInt8],
        at path: ObjectPath,
        type: ResourceType?
    ) throws(PayloadDecodingError) -> ResourceRecord {
        guard let value = self.value(payload, type: type) else {
            throw type == nil ? .malformed(at: 0) : .typeMismatch(path)
        }
        return ResourceRecord(path, value)
    }

    private static func value(_ payload: [UInt8], type: ResourceType?) -> ResourceValue? {
        switch type {
        case nil, .string, .corelnk: UTF8Text(validating: payload).map(ResourceValue.string)
        case .integer: DecimalNumber.signed(payload[...]).map(ResourceValue.integer)
        case .unsignedInteger: DecimalNumber.unsigned(payload[...]).map(ResourceValue.unsignedInteger)
        case .float: DecimalNumber.double(payload[...]).flatMap { $0.isFinite ? .float($0) : nil }
        case .boolean: payload == [0x30] ? .boolean(false) : payload == [0x31] ? .boolean(true) : nil
        case .opaque: Base64.decode(payload[...], alphabet: .standard).map(ResourceValue.opaque)
        case .time:
            DecimalNumber.signed(payload[...]).map { .time(WallTime(secondsSinceEpoch: $0)) }
        case .objectLink: ObjectLinkText.value(payload[...])
        case .some(.none): nil
        }
    }
}
