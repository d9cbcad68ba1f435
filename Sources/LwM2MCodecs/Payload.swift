public import CoAPMessages
public import LwM2MModel

/// The payload formats of LwM2M behind one door: records to bytes and back.
///
/// - Source: LwM2M Core 1.2.2, clause 7.5.
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
        for record in records where record.path.depth < 3 || !base.contains(record.path) {
            throw .invalidPath(record.path)
        }
        switch format {
        case .text: return try TextCodec.encode(self.only(records, at: base))
        case .opaque: return try OpaqueCodec.encode(self.only(records, at: base))
        case .cbor: return try CBORCodec.encode(self.only(records, at: base))
        case .senMLJSON: return try SenMLJSON.encode(records[...], at: base)
        case .senMLCBOR: return try SenMLCBOR.encode(records[...], at: base)
        case .tlv: return try TLVEncoder.encode(self.sorted(records)[...], at: base)
        default: throw .unsupportedFormat(format)
        }
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
        switch format {
        case .text:
            let type = try self.singleType(at: base, registry)
            return [try TextCodec.decode(payload, at: base, type: type)]
        case .opaque:
            let type = try self.singleType(at: base, registry)
            return [try OpaqueCodec.decode(payload, at: base, type: type)]
        case .cbor:
            let type = try self.singleType(at: base, registry)
            return [try CBORCodec.decode(payload, at: base, type: type)]
        case .senMLJSON: return try SenMLJSON.decode(payload, at: base, registry: registry)
        case .senMLCBOR: return try SenMLCBOR.decode(payload, at: base, registry: registry)
        case .tlv: return try TLVDecoder.decode(payload, at: base, registry: registry)
        default: throw .unsupportedFormat(format)
        }
    }

    /// The one record of a format that carries one value, which must stand at the base itself.
    private static func only(
        _ records: [ResourceRecord],
        at base: ObjectPath
    ) throws(PayloadEncodingError) -> ResourceRecord {
        guard let record = records.first, records.count == 1 else { throw .needsOneValue(count: records.count) }
        guard record.path == base else { throw .invalidPath(record.path) }
        return record
    }

    private static func sorted(_ records: [ResourceRecord]) -> [ResourceRecord] {
        for index in records.indices.dropFirst() where records[index].path < records[index - 1].path {
            return records.sorted { $0.path < $1.path }
        }
        return records
    }

    /// The type of the single value that a payload without names is for; nil without a definition.
    private static func singleType(
        at base: ObjectPath,
        _ registry: ObjectRegistry
    ) throws(PayloadDecodingError) -> ResourceType? {
        guard let object = base.object, let resource = base.resource else { throw .needsSingleResource(base) }
        guard let definition = registry.object(object)?.resource(resource) else { return nil }
        if definition.isMultiple, base.depth == 3 { throw .needsSingleResource(base) }
        return definition.type
    }
}
