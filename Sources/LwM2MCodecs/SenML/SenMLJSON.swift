internal import LwM2MModel
internal import Primitives

/// SenML packs as JSON.
///
/// - Source: RFC 8428, section 5; LwM2M Core 1.2.2, clause 7.5.6.
enum SenMLJSON {
    static func encode(
        _ records: ArraySlice<ResourceRecord>,
        at base: ObjectPath
    ) throws(PayloadEncodingError) -> [UInt8] {
        let naming = try SenMLNaming(records, at: base)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 + records.count * 24)
        bytes.append(Ascii.openBracket)
        var baseName = naming.baseName
        for record in records {
            if bytes.count > 1 { bytes.append(Ascii.comma) }
            bytes.append(Ascii.openBrace)
            if let text = baseName {
                JSONText.writeName("bn", into: &bytes)
                JSONText.write(text, into: &bytes)
                bytes.append(Ascii.comma)
                baseName = nil
            }
            let name = naming.name(of: record.path)
            if !name.isEmpty {
                JSONText.writeName("n", into: &bytes)
                JSONText.write(name, into: &bytes)
                bytes.append(Ascii.comma)
            }
            try self.write(record, into: &bytes)
            bytes.append(Ascii.closeBrace)
        }
        bytes.append(Ascii.closeBracket)
        return bytes
    }

    private static func write(_ record: ResourceRecord, into bytes: inout [UInt8]) throws(PayloadEncodingError) {
        switch record.value {
        case .string(let text):
            JSONText.writeName("vs", into: &bytes)
            JSONText.write(text.bytes, into: &bytes)
        case .integer(let number):
            JSONText.writeName("v", into: &bytes)
            DecimalNumber.write(signed: number, into: &bytes)
        case .unsignedInteger(let number):
            JSONText.writeName("v", into: &bytes)
            DecimalNumber.write(unsigned: number, into: &bytes)
        case .float(let number):
            guard number.isFinite else { throw .unsupportedValue(record.path) }
            JSONText.writeName("v", into: &bytes)
            DecimalNumber.write(number, into: &bytes)
        case .boolean(let isTrue):
            JSONText.writeName("vb", into: &bytes)
            bytes += isTrue ? Array("true".utf8) : Array("false".utf8)
        case .opaque(let value):
            JSONText.writeName("vd", into: &bytes)
            bytes.append(Ascii.quote)
            Base64.encode(value, alphabet: .url, into: &bytes)
            bytes.append(Ascii.quote)
        case .time(let time):
            JSONText.writeName("v", into: &bytes)
            DecimalNumber.write(signed: time.secondsSinceEpoch, into: &bytes)
        case .objectLink(let object, let instance):
            JSONText.writeName("vlo", into: &bytes)
            bytes.append(Ascii.quote)
            ObjectLinkText.write(object, instance, into: &bytes)
            bytes.append(Ascii.quote)
        }
    }

    static func decode(
        _ payload: [UInt8],
        at base: ObjectPath,
        registry: ObjectRegistry
    ) throws(PayloadDecodingError) -> [ResourceRecord] {
        var reader = JSONReader(payload)
        var resolver = SenMLResolver(base: base, registry: registry)
        try reader.expect(Ascii.openBracket)
        if try reader.peek() == Ascii.closeBracket {
            try reader.expect(Ascii.closeBracket)
        } else {
            repeat {
                _ = try reader.peek()
                let offset = reader.offset
                try resolver.append(try self.readRecord(&reader), at: offset)
            } while try reader.continues(until: Ascii.closeBracket)
        }
        try reader.expectEnd()
        return resolver.records
    }

    private static func readRecord(_ reader: inout JSONReader) throws(PayloadDecodingError) -> SenMLFields {
        var fields = SenMLFields()
        try reader.expect(Ascii.openBrace)
        if try reader.peek() == Ascii.closeBrace {
            try reader.expect(Ascii.closeBrace)
            return fields
        }
        repeat {
            _ = try reader.peek()
            let offset = reader.offset
            let name = try reader.readString()
            try reader.expect(Ascii.colon)
            guard let label = SenMLLabel(text: name) else {
                // A name that ends so must be understood: RFC 8428, section 4.4.
                guard name.last != Ascii.underscore else { throw .malformed(at: offset) }
                try reader.skip()
                continue
            }
            guard let field = try self.readField(label, &reader), fields.set(label, field) else {
                throw .malformed(at: offset)
            }
        } while try reader.continues(until: Ascii.closeBrace)
        return fields
    }

    private static func readField(
        _ label: SenMLLabel,
        _ reader: inout JSONReader
    ) throws(PayloadDecodingError) -> PlainValue? {
        let value = try reader.readValue()
        guard label == .bytesValue, case .text(let text) = value else { return value }
        return Base64.decode(text.bytes[...], alphabet: .url).map(PlainValue.bytes)
    }
}
