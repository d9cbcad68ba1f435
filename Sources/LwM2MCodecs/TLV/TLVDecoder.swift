internal import CoAPMessages
internal import LwM2MModel
internal import Primitives

/// Reads TLV into records; a structure has at most the three levels below an object.
///
/// - Source: LwM2M Core 1.2.2, clause 7.5.5.
struct TLVDecoder {
    private let base: ObjectPath
    private let definition: ObjectDefinition?
    private var records: [ResourceRecord] = []

    private init(base: ObjectPath, definition: ObjectDefinition?) {
        self.base = base
        self.definition = definition
    }

    static func decode(
        _ payload: [UInt8],
        at base: ObjectPath,
        registry: ObjectRegistry
    ) throws(PayloadDecodingError) -> [ResourceRecord] {
        // Names below the root would need an object's number, which TLV has no place for.
        guard let object = base.object else { throw .unsupportedFormat(.tlv) }
        var decoder = TLVDecoder(base: base, definition: registry.object(object))
        var reader = ByteReader(payload)
        while !reader.isAtEnd { try decoder.readTop(&reader) }
        return decoder.records
    }

    private mutating func readTop(_ reader: inout ByteReader) throws(PayloadDecodingError) {
        let offset = reader.offset
        let (header, content) = try self.readEntry(&reader)
        switch (self.base.depth, header.kind) {
        case (1, .objectInstance):
            try self.readInstance(content, at: try self.child(self.base, header.id, offset))
        case (1, .resource), (1, .multipleResource):
            throw .missingInstance
        case (2, .objectInstance):
            // Some servers wrap the resources once more when they write an instance.
            let path = try self.child(self.base.prefix(1), header.id, offset)
            guard path == self.base else { throw .pathOutsideBase(path) }
            try self.readInstance(content, at: path)
        case (2, .resource), (2, .multipleResource):
            try self.readResource(header, content, below: self.base, offset)
        case (3..., .resource), (3..., .multipleResource):
            let path = try self.child(self.base.prefix(2), header.id, offset)
            guard path == self.base.prefix(3) else { throw .pathOutsideBase(path) }
            try self.readResource(header, content, below: self.base.prefix(2), offset)
        case (3..., .resourceInstance):
            try self.readValue(content, at: try self.child(self.base.prefix(3), header.id, offset))
        default:
            throw .malformed(at: offset)
        }
    }

    private mutating func readInstance(_ content: ByteReader, at path: ObjectPath) throws(PayloadDecodingError) {
        var content = content
        while !content.isAtEnd {
            let offset = content.offset
            let (header, inner) = try self.readEntry(&content)
            try self.readResource(header, inner, below: path, offset)
        }
    }

    private mutating func readResource(
        _ header: TLVHeader,
        _ content: ByteReader,
        below instance: ObjectPath,
        _ offset: Int
    ) throws(PayloadDecodingError) {
        let path = try self.child(instance, header.id, offset)
        switch header.kind {
        case .resource:
            try self.readValue(content, at: path)
        case .multipleResource:
            var content = content
            while !content.isAtEnd {
                let innerOffset = content.offset
                let (entry, value) = try self.readEntry(&content)
                guard entry.kind == .resourceInstance else { throw .malformed(at: innerOffset) }
                try self.readValue(value, at: try self.child(path, entry.id, innerOffset))
            }
        case .objectInstance, .resourceInstance:
            throw .malformed(at: offset)
        }
    }

    private mutating func readValue(_ content: ByteReader, at path: ObjectPath) throws(PayloadDecodingError) {
        guard self.base.contains(path) else { throw .pathOutsideBase(path) }
        guard self.records.count < PayloadLimits.values else { throw .tooManyValues }
        var content = content
        let type = path.resource.flatMap { self.definition?.type(of: $0) }
        guard let value = TLVValue.read(&content, type: type) else { throw .typeMismatch(path) }
        self.records.append(ResourceRecord(path, value))
    }

    private func child(_ path: ObjectPath, _ id: UInt16, _ offset: Int) throws(PayloadDecodingError) -> ObjectPath {
        guard id < 65_535 else { throw .invalidPath(at: offset) }
        return path.appending(id)
    }

    private func readEntry(
        _ reader: inout ByteReader
    ) throws(PayloadDecodingError) -> (TLVHeader, ByteReader) {
        do throws(ByteReader.Exhausted) {
            let header = try TLVHeader(reading: &reader)
            return (header, try reader.readSubreader(header.length))
        } catch {
            throw .truncated(at: error.offset)
        }
    }
}
