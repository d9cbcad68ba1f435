import CoAPMessages
import LwM2MModel
import Primitives

/// The queries of Write-Attributes: `pmin=10` attaches, `pmin` removes.
///
/// - Source: LwM2M Core 1.2.2, clauses 6.3.4 and 7.3.
enum AttributeQuery {
    /// The attributes after the queries are done.
    ///
    /// - Throws: 4.00 for a name that is none, one that comes twice, or a value that is no number of its kind.
    static func apply(_ query: [UTF8Text], to attached: NotificationAttributes) throws(Refusal)
        -> NotificationAttributes
    {
        var attributes = attached
        var names: [UTF8Text] = []
        for item in query {
            let equals = item.bytes.firstIndex(of: UInt8(ascii: "="))
            guard let name = UTF8Text(validating: Array(item.bytes[..<(equals ?? item.bytes.count)])),
                !names.contains(name), names.count < 8
            else { throw Refusal(.badRequest) }
            names.append(name)
            try self.set(name, equals.map { item.bytes[($0 + 1)...] }, in: &attributes)
        }
        return attributes
    }

    /// Checks that attributes fit together and to the path they are attached to.
    ///
    /// - Parameter type: of the resource; nil above the resource level.
    static func check(_ attributes: NotificationAttributes, for type: ResourceType?) throws(Refusal) {
        let hasValueAttributes = attributes.greaterThan != nil || attributes.lessThan != nil || attributes.step != nil
        if hasValueAttributes {
            guard type == .integer || type == .unsignedInteger || type == .float else { throw Refusal(.badRequest) }
        }
        if let step = attributes.step, step <= 0 { throw Refusal(.badRequest) }
        guard let less = attributes.lessThan, let greater = attributes.greaterThan else { return }
        // Also lt < gt, for a step of 0.
        guard less + 2 * (attributes.step ?? 0) < greater else { throw Refusal(.badRequest) }
    }

    private static func set(
        _ name: UTF8Text,
        _ value: ArraySlice<UInt8>?,
        in attributes: inout NotificationAttributes
    ) throws(Refusal) {
        switch name {
        case "pmin": attributes.minimumPeriod = try self.seconds(value)
        case "pmax": attributes.maximumPeriod = try self.seconds(value)
        case "gt": attributes.greaterThan = try self.number(value)
        case "lt": attributes.lessThan = try self.number(value)
        case "st": attributes.step = try self.number(value)
        default: throw Refusal(.badRequest)
        }
    }

    private static func seconds(_ digits: ArraySlice<UInt8>?) throws(Refusal) -> UInt32? {
        guard let digits else { return nil }
        guard !digits.isEmpty, digits.count <= 10 else { throw Refusal(.badRequest) }
        var value: UInt64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { throw Refusal(.badRequest) }
            value = value * 10 + UInt64(digit - UInt8(ascii: "0"))
        }
        guard let seconds = UInt32(exactly: value) else { throw Refusal(.badRequest) }
        return seconds
    }

    /// A decimal number: an optional sign, digits, and optionally a point with digits behind it.
    private static func number(_ text: ArraySlice<UInt8>?) throws(Refusal) -> Double? {
        guard let text else { return nil }
        var digits = text
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits.removeFirst() }
        guard !digits.isEmpty, digits.count <= 32 else { throw Refusal(.badRequest) }
        var mantissa = 0.0
        var divisor = 1.0
        var hasPoint = false
        var isAfterDigit = false
        for digit in digits {
            if digit == UInt8(ascii: "."), !hasPoint, isAfterDigit {
                hasPoint = true
                isAfterDigit = false
                continue
            }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { throw Refusal(.badRequest) }
            mantissa = mantissa * 10 + Double(digit - UInt8(ascii: "0"))
            if hasPoint { divisor *= 10 }
            isAfterDigit = true
        }
        guard isAfterDigit else { throw Refusal(.badRequest) }
        return (isNegative ? -mantissa : mantissa) / divisor
    }
}

/// The attributes one server attached, by path.
struct AttributeTable: Sendable {
    private(set) var entries: [(path: ObjectPath, attributes: NotificationAttributes)] = []

    /// What is attached to the path itself.
    func attached(to path: ObjectPath) -> NotificationAttributes {
        for entry in self.entries where entry.path == path { return entry.attributes }
        return NotificationAttributes()
    }

    /// What counts at the path: each attribute from the lowest level that has it.
    ///
    /// - Source: LwM2M Core 1.2.2, clause 7.3.1 (attribute inheritance).
    func effective(at path: ObjectPath) -> NotificationAttributes {
        var result = NotificationAttributes()
        guard !self.entries.isEmpty else { return result }
        for depth in stride(from: path.depth, through: 1, by: -1) {
            let attached = self.attached(to: path.prefix(depth))
            result.minimumPeriod = result.minimumPeriod ?? attached.minimumPeriod
            result.maximumPeriod = result.maximumPeriod ?? attached.maximumPeriod
            result.greaterThan = result.greaterThan ?? attached.greaterThan
            result.lessThan = result.lessThan ?? attached.lessThan
            result.step = result.step ?? attached.step
        }
        return result
    }

    /// Sets what is attached to a path.
    ///
    /// - Returns: false, with nothing changed, when too many paths have attributes.
    mutating func set(_ attributes: NotificationAttributes, for path: ObjectPath) -> Bool {
        let index = self.entries.firstIndex { $0.path == path }
        if attributes.isEmpty {
            if let index { self.entries.remove(at: index) }
            return true
        }
        if let index {
            self.entries[index].attributes = attributes
            return true
        }
        guard self.entries.count < EngineLimits.attributedPathsPerServer else { return false }
        self.entries.append((path, attributes))
        return true
    }

    /// Forgets what is attached to a path and to everything below it.
    mutating func remove(below path: ObjectPath) {
        self.entries.removeAll { path.contains($0.path) }
    }
}
