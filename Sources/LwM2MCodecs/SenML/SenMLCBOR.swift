internal import LwM2MModel
internal import Primitives

/// SenML packs as CBOR.
///
/// - Source: RFC 8428, section 6; LwM2M Core 1.2.2, clause 7.5.7.
enum SenMLCBOR {
    private static let objectLinkLabel = Array("vlo".utf8)

    static func encode(
        _ records: ArraySlice<ResourceRecord>,
        at base: ObjectPath
    ) throws(PayloadEncodingError) -> [UInt8] {
        let naming = try SenMLNaming(records, at: base)
        var writer = CBORWriter(capacity: 8 + records.count * 12)
        writer.beginArray(records.count)
        var baseName = naming.baseName
        for record in records {
            let name = naming.name(of: record.path)
            writer.beginMap(1 + (baseName == nil ? 0 : 1) + (name.isEmpty ? 0 : 1))
            if let text = baseName {
                writer.write(SenMLLabel.baseName.rawValue)
                writer.write(text: text)
                baseName = nil
            }
            if !name.isEmpty {
                writer.write(SenMLLabel.name.rawValue)
                writer.write(text: name)
            }
            self.write(record.value, into: &writer)
        }
        return writer.bytes
    }

    private static func write(_ value: ResourceValue, into writer: inout CBORWriter) {
        switch value {
        case .string(let text):
            writer.write(SenMLLabel.textValue.rawValue)
            writer.write(text: text.bytes)
        case .integer(let number):
            writer.write(SenMLLabel.value.rawValue)
            writer.write(number)
        case .unsignedInteger(let number):
            writer.write(SenMLLabel.value.rawValue)
            writer.write(unsigned: number)
        case .float(let number):
            writer.write(SenMLLabel.value.rawValue)
            writer.write(number)
        case .boolean(let isTrue):
            writer.write(SenMLLabel.booleanValue.rawValue)
            writer.write(isTrue)
        case .opaque(let bytes):
            writer.write(SenMLLabel.bytesValue.rawValue)
            writer.write(bytes: bytes)
        case .time(let time):
            writer.write(SenMLLabel.value.rawValue)
            writer.write(time.secondsSinceEpoch)
        case .objectLink(let object, let instance):
            writer.write(text: self.objectLinkLabel)
            var text: [UInt8] = []
            ObjectLinkText.write(object, instance, into: &text)
            writer.write(text: text)
        }
    }

    static func decode(
        _ payload: [UInt8],
        at base: ObjectPath,
        registry: ObjectRegistry
    ) throws(PayloadDecodingError) -> [ResourceRecord] {
        var reader = CBORReader(payload)
        var resolver = SenMLResolver(base: base, registry: registry)
        guard case .array(var left) = try reader.readHead() else { throw .malformed(at: 0) }
        while try reader.hasNext(&left) {
            let offset = reader.offset
            try resolver.append(try self.readRecord(&reader), at: offset)
        }
        guard reader.isAtEnd else { throw .malformed(at: reader.offset) }
        return resolver.records
    }

    private static func readRecord(_ reader: inout CBORReader) throws(PayloadDecodingError) -> SenMLFields {
        let start = reader.offset
        guard case .map(var left) = try reader.readHead() else { throw .malformed(at: start) }
        var fields = SenMLFields()
        while try reader.hasNext(&left) {
            let offset = reader.offset
            guard let label = try self.readLabel(&reader) else {
                try reader.skip()
                continue
            }
            guard let field = try reader.readValue(), fields.set(label, field) else { throw .malformed(at: offset) }
        }
        return fields
    }

    /// The label of a field; nil for one that is passed over.
    private static func readLabel(_ reader: inout CBORReader) throws(PayloadDecodingError) -> SenMLLabel? {
        let offset = reader.offset
        switch try reader.readValue() {
        case .integer(let number): return SenMLLabel(rawValue: number).flatMap { $0 == .objectLinkValue ? nil : $0 }
        case .text(let text):
            if text.bytes == self.objectLinkLabel { return .objectLinkValue }
            // A name that ends so must be understood: RFC 8428, section 4.4.
            guard text.bytes.last != Ascii.underscore else { throw .malformed(at: offset) }
            return nil
        default: throw .malformed(at: offset)
        }
    }
}
