import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives

/// Random records of an object that has a resource of every type.
enum RandomRecords {
    /// What `Payload.encode` is asked and what `Payload.decode` must give back.
    struct Case {
        let format: ContentFormat
        let base: ObjectPath
        let records: [ResourceRecord]
    }

    static func makeCase(using generator: inout SeededGenerator) -> Case {
        let formats: [ContentFormat] = [.tlv, .senMLJSON, .senMLCBOR, .text, .opaque, .cbor]
        let format = formats[Int.random(in: 0..<formats.count, using: &generator)]
        switch format {
        case .opaque: return self.single(format, 5, using: &generator)
        case .text, .cbor:
            let type = UInt16.random(in: 0..<UInt16(TestObjects.types.count), using: &generator)
            return self.single(format, type, using: &generator)
        default: return self.several(format, using: &generator)
        }
    }

    private static func single(
        _ format: ContentFormat,
        _ resource: UInt16,
        using generator: inout SeededGenerator
    ) -> Case {
        let type = TestObjects.types[Int(resource)]
        let path =
            Bool.random(using: &generator)
            ? ObjectPath(40_000, self.id(using: &generator), resource)
            : ObjectPath(resourceInstance: 40_000, 7, resource + 400, self.id(using: &generator))
        let record = ResourceRecord(path, self.value(type, format: format, using: &generator))
        return Case(format: format, base: path, records: [record])
    }

    private static func several(_ format: ContentFormat, using generator: inout SeededGenerator) -> Case {
        // TLV has no name for the root.
        let depth = Int.random(in: (format == .tlv ? 1 : 0)...4, using: &generator)
        var base = ObjectPath.root
        for level in [40_000, self.id(using: &generator), 400, self.id(using: &generator)].prefix(depth) {
            base = base.appending(level)
        }
        var records: [ObjectPath: ResourceRecord] = [:]
        for _ in 0..<Int.random(in: 0..<40, using: &generator) {
            let (path, type) = self.path(below: base, using: &generator)
            records[path] = ResourceRecord(path, self.value(type, format: format, using: &generator))
        }
        return Case(format: format, base: base, records: records.values.sorted { $0.path < $1.path })
    }

    private static func path(
        below base: ObjectPath,
        using generator: inout SeededGenerator
    ) -> (ObjectPath, ResourceType) {
        if base.depth == 4 { return (base, .string) }
        let instance = base.instance ?? self.id(using: &generator)
        let index = base.depth == 3 ? 0 : UInt16.random(in: 0..<UInt16(TestObjects.types.count), using: &generator)
        let type = TestObjects.types[Int(index)]
        if base.depth < 3, Bool.random(using: &generator) { return (ObjectPath(40_000, instance, index), type) }
        return (ObjectPath(resourceInstance: 40_000, instance, index + 400, self.id(using: &generator)), type)
    }

    private static func id(using generator: inout SeededGenerator) -> UInt16 {
        let ids: [UInt16] = [0, 1, 2, 255, 256, 65_534, .random(in: 0..<65_535, using: &generator)]
        return ids[Int.random(in: 0..<ids.count, using: &generator)]
    }

    private static func value(
        _ type: ResourceType,
        format: ContentFormat,
        using generator: inout SeededGenerator
    ) -> ResourceValue {
        switch type {
        case .string, .corelnk, .none: .string(self.text(using: &generator))
        case .integer: .integer(self.integer(using: &generator))
        case .unsignedInteger: .unsignedInteger(UInt64(bitPattern: self.integer(using: &generator)))
        case .float: .float(self.float(using: &generator))
        case .boolean: .boolean(Bool.random(using: &generator))
        case .opaque: .opaque(self.bytes(using: &generator))
        case .time: .time(WallTime(secondsSinceEpoch: self.integer(using: &generator)))
        case .objectLink:
            .objectLink(
                object: .random(in: 0...65_535, using: &generator),
                instance: .random(in: 0...65_535, using: &generator)
            )
        }
    }

    private static func integer(using generator: inout SeededGenerator) -> Int64 {
        let edges: [Int64] = [0, 1, -1, 23, 24, 127, 128, -128, -129, 255, 256, 32_767, 32_768, .min, .max]
        if Bool.random(using: &generator) { return edges[Int.random(in: 0..<edges.count, using: &generator)] }
        return Int64(bitPattern: generator.next()) >> Int64.random(in: 0..<64, using: &generator)
    }

    private static func float(using generator: inout SeededGenerator) -> Double {
        let edges: [Double] = [
            0, -0.0, 1, -1, 0.1, 25.5, 65_504, 65_505, 1e-7, Double.leastNonzeroMagnitude, 0x1p-24, 0x1p-25, 0x1p-1022,
            1e22, 1e23,
            .greatestFiniteMagnitude, Double(Float.greatestFiniteMagnitude), 0x1.ffffffffffffep0,
        ]
        if Bool.random(using: &generator) { return edges[Int.random(in: 0..<edges.count, using: &generator)] }
        let number = Double(bitPattern: generator.next())
        return number.isFinite ? number : 0.5
    }

    private static func text(using generator: inout SeededGenerator) -> UTF8Text {
        let pieces = ["", "a", "\"", "\\", "\n", "\u{0}", "\u{1F}", "ü", "€", "😀", "/", "plain text of some length"]
        var text = ""
        for _ in 0..<Int.random(in: 0..<6, using: &generator) {
            text += pieces[Int.random(in: 0..<pieces.count, using: &generator)]
        }
        return UTF8Text(text)
    }

    private static func bytes(using generator: inout SeededGenerator) -> [UInt8] {
        let counts = [0, 1, 2, 3, 7, 8, 255, 256, 70]
        let count = counts[Int.random(in: 0..<counts.count, using: &generator)]
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
