internal import LwM2MModel
internal import Primitives

/// A field of a SenML record that LwM2M uses; the numbers are the labels in CBOR.
///
/// - Source: RFC 8428, sections 4.1, 4.2 and 6; LwM2M Core 1.2.2, clause 7.5.6.
enum SenMLLabel: Int64, Sendable {
    case baseVersion = -1
    case baseName = -2
    case baseTime = -3
    case baseValue = -5
    case name = 0
    case value = 2
    case textValue = 3
    case booleanValue = 4
    case time = 6
    case bytesValue = 8
    /// Object link; in CBOR its label is the text.
    case objectLinkValue = 1_000

    /// The label behind its name in JSON; nil for one that LwM2M does not use.
    init?(text: ArraySlice<UInt8>) {
        var packed: UInt32 = 0
        guard (1...4).contains(text.count) else { return nil }
        for byte in text { packed = packed << 8 | UInt32(byte) }
        switch packed {
        case 0x6E: self = .name
        case 0x76: self = .value
        case 0x74: self = .time
        case 0x7673: self = .textValue
        case 0x7662: self = .booleanValue
        case 0x7664: self = .bytesValue
        case 0x76_6C6F: self = .objectLinkValue
        case 0x626E: self = .baseName
        case 0x6274: self = .baseTime
        case 0x6276: self = .baseValue
        case 0x6276_6572: self = .baseVersion
        default: return nil
        }
    }
}

/// The fields of one record, as they stand.
struct SenMLFields: Sendable {
    private var seen: UInt16 = 0
    private var baseVersion: PlainValue?
    private(set) var baseName: [UInt8]?
    private(set) var baseTime: PlainValue?
    private(set) var baseValue: PlainValue?
    private(set) var name: [UInt8] = []
    private(set) var time: PlainValue?
    private(set) var value: PlainValue?

    /// Takes a field over; false when it comes twice, has a value of the wrong kind, or is a second value.
    mutating func set(_ label: SenMLLabel, _ field: PlainValue) -> Bool {
        let bit: UInt16 =
            switch label {
            case .baseVersion: 1 << 0
            case .baseName: 1 << 1
            case .baseTime: 1 << 2
            case .baseValue: 1 << 3
            case .name: 1 << 4
            case .time: 1 << 5
            // A record has one value, whatever its kind.
            case .value, .textValue, .booleanValue, .bytesValue, .objectLinkValue: 1 << 6
            }
        guard self.seen & bit == 0 else { return false }
        self.seen |= bit
        switch (label, field) {
        case (.baseName, .text(let text)): self.baseName = text.bytes
        case (.name, .text(let text)): self.name = text.bytes
        case (.baseVersion, .integer(let version)):
            // Version 10 is the one that RFC 8428 describes; a newer one may mean anything.
            guard version <= 10 else { return false }
        case (.baseTime, .integer), (.baseTime, .unsignedInteger), (.baseTime, .float): self.baseTime = field
        case (.time, .integer), (.time, .unsignedInteger), (.time, .float): self.time = field
        case (.baseValue, .integer), (.baseValue, .unsignedInteger), (.baseValue, .float): self.baseValue = field
        case (.value, .integer), (.value, .unsignedInteger), (.value, .float), (.textValue, .text),
            (.booleanValue, .boolean), (.bytesValue, .bytes):
            self.value = field
        case (.objectLinkValue, .text(let text)):
            guard case .objectLink(let object, let instance) = ObjectLinkText.value(text.bytes[...]) else {
                return false
            }
            self.value = .objectLink(object, instance)
        default: return false
        }
        return true
    }
}

/// Turns the records of a pack, one after another, into values with paths.
struct SenMLResolver {
    /// Longer names are no paths; so a long base name does not cost its length once a record.
    private static let maximumNameLength = 64

    private let base: ObjectPath
    private let registry: ObjectRegistry
    private var baseName: [UInt8] = []
    private var baseValue: PlainValue?
    private(set) var records: [ResourceRecord] = []

    init(base: ObjectPath, registry: ObjectRegistry) {
        self.base = base
        self.registry = registry
    }

    /// Adds the record with the fields.
    ///
    /// - Parameter offset: where the record begins, for errors.
    mutating func append(_ fields: SenMLFields, at offset: Int) throws(PayloadDecodingError) {
        guard self.records.count < PayloadLimits.values else { throw .tooManyValues }
        if let baseName = fields.baseName { self.baseName = baseName }
        if let baseValue = fields.baseValue { self.baseValue = baseValue }
        let path = try self.path(fields.name, at: offset)
        guard var plain = fields.value else { throw .malformed(at: offset) }
        if let baseValue = self.baseValue, let sum = plain.added(to: baseValue) { plain = sum }
        guard let value = plain.converted(to: self.registry.type(of: path)) else { throw .typeMismatch(path) }
        self.records.append(ResourceRecord(path, value))
    }

    private func path(_ name: [UInt8], at offset: Int) throws(PayloadDecodingError) -> ObjectPath {
        guard self.baseName.count + name.count <= Self.maximumNameLength else { throw .invalidPath(at: offset) }
        let whole = self.baseName.isEmpty ? name : self.baseName + name
        guard let path = try? ObjectPath(parsing: whole), path.depth >= 3 else { throw .invalidPath(at: offset) }
        guard self.base.contains(path) else { throw .pathOutsideBase(path) }
        return path
    }
}

/// How the records of a pack are named: a base name once, then what is left of each path.
struct SenMLNaming: Sendable {
    /// The base name; nil when every name is whole.
    let baseName: [UInt8]?
    private let base: ObjectPath

    /// - Parameter records: at or below the base.
    init(_ records: ArraySlice<ResourceRecord>, at base: ObjectPath) throws(PayloadEncodingError) {
        self.base = base
        guard base.depth > 0 else {
            self.baseName = nil
            return
        }
        var name: [UInt8] = []
        DecimalNumber.write(base, into: &name)
        for record in records where record.path == base {
            guard records.count == 1 else { throw .needsOneValue(count: records.count) }
            self.baseName = name
            return
        }
        name.append(Ascii.slash)
        self.baseName = name
    }

    /// The name of a record, empty when the base name says everything.
    func name(of path: ObjectPath) -> [UInt8] {
        var name: [UInt8] = []
        if self.base.depth == 0 {
            DecimalNumber.write(path, into: &name)
            return name
        }
        for number in path.numbers.dropFirst(self.base.depth) {
            if !name.isEmpty { name.append(Ascii.slash) }
            DecimalNumber.write(unsigned: UInt64(number), into: &name)
        }
        return name
    }
}
