internal import CoAPMessages
internal import LwM2MModel
internal import Primitives

/// Writes records as TLV: instances, resources or a resource instance, as the base path asks.
///
/// - Source: LwM2M Core 1.2.2, clause 7.5.5.
enum TLVEncoder {
    /// The longest value or group: a length has 24 bits.
    private static let maximumLength = 0xFF_FFFF

    /// - Parameter records: at or below the base, in the order of their paths.
    static func encode(
        _ records: ArraySlice<ResourceRecord>,
        at base: ObjectPath
    ) throws(PayloadEncodingError) -> [UInt8] {
        var writer = ByteWriter(capacity: records.count * 8)
        switch base.depth {
        case 0: throw .invalidPath(base)
        case 1: try self.writeInstances(records, into: &writer)
        case 2, 3: try self.writeResources(records, into: &writer)
        default:
            for record in records { try self.write(record, as: .resourceInstance, into: &writer) }
        }
        return writer.bytes
    }

    private static func writeInstances(
        _ records: ArraySlice<ResourceRecord>,
        into writer: inout ByteWriter
    ) throws(PayloadEncodingError) {
        var rest = records
        while let first = rest.first {
            let group = rest.prefix { $0.path.instance == first.path.instance }
            rest = rest[group.endIndex...]
            var inner = ByteWriter(capacity: group.count * 8)
            try self.writeResources(group, into: &inner)
            try self.writeGroup(.objectInstance, first.path.instance ?? 0, inner, at: first.path, into: &writer)
        }
    }

    private static func writeResources(
        _ records: ArraySlice<ResourceRecord>,
        into writer: inout ByteWriter
    ) throws(PayloadEncodingError) {
        var rest = records
        while let first = rest.first {
            guard first.path.depth == 4 else {
                try self.write(first, as: .resource, into: &writer)
                rest = rest.dropFirst()
                continue
            }
            let group = rest.prefix { $0.path.depth == 4 && $0.path.resource == first.path.resource }
            rest = rest[group.endIndex...]
            var inner = ByteWriter(capacity: group.count * 8)
            for record in group { try self.write(record, as: .resourceInstance, into: &inner) }
            try self.writeGroup(.multipleResource, first.path.resource ?? 0, inner, at: first.path, into: &writer)
        }
    }

    private static func writeGroup(
        _ kind: TLVHeader.Kind,
        _ id: UInt16,
        _ inner: ByteWriter,
        at path: ObjectPath,
        into writer: inout ByteWriter
    ) throws(PayloadEncodingError) {
        guard inner.bytes.count <= self.maximumLength else { throw .unsupportedValue(path) }
        TLVHeader(kind, id, length: inner.bytes.count).write(into: &writer)
        writer.write(inner.bytes)
    }

    private static func write(
        _ record: ResourceRecord,
        as kind: TLVHeader.Kind,
        into writer: inout ByteWriter
    ) throws(PayloadEncodingError) {
        let id = kind == .resource ? record.path.resource : record.path.resourceInstance
        let length = TLVValue.encodedCount(record.value)
        guard let id, length <= self.maximumLength else { throw .unsupportedValue(record.path) }
        TLVHeader(kind, id, length: length).write(into: &writer)
        TLVValue.write(record.value, into: &writer)
    }
}
