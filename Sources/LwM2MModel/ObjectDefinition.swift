public import Primitives

/// What a server may do with a resource.
///
/// - Source: LwM2M Core 1.2.2, appendix D.1.
public struct ResourceOperations: OptionSet, Hashable, Sendable {
    /// The operations as bits.
    public let rawValue: UInt8

    /// Creates a set from its bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Read, observe and discover.
    public static let read = ResourceOperations(rawValue: 1)
    /// Write.
    public static let write = ResourceOperations(rawValue: 2)
    /// Execute.
    public static let execute = ResourceOperations(rawValue: 4)
    /// Read and write.
    public static let readWrite: ResourceOperations = [.read, .write]
}

/// What a value must satisfy besides its type.
public enum ValueRange: Hashable, Sendable {
    /// Any value of the type.
    case any
    /// A number within limits, both included; for integers the limits are whole.
    case numbers(ClosedRange<Double>)
    /// Text or bytes of so many bytes.
    case lengths(ClosedRange<Int>)
    /// Text or bytes of one of a few lengths in bytes.
    case lengthsOneOf([Int])
    /// One of a few numbers.
    case oneOf([Int64])

    /// Whether a value lies within; a kind of value that the range says nothing about does.
    public func contains(_ value: ResourceValue) -> Bool {
        switch self {
        case .any: return true
        case .numbers(let limits):
            guard let number = value.asNumber else { return true }
            return limits.contains(number)
        case .lengths(let limits):
            guard let length = Self.length(of: value) else { return true }
            return limits.contains(length)
        case .lengthsOneOf(let lengths):
            guard let length = Self.length(of: value) else { return true }
            return lengths.contains(length)
        case .oneOf(let numbers):
            guard let number = value.asInteger else { return true }
            return numbers.contains(number)
        }
    }

    private static func length(of value: ResourceValue) -> Int? {
        switch value {
        case .string(let text): text.bytes.count
        case .opaque(let bytes): bytes.count
        default: nil
        }
    }
}

/// The definition of one resource, shared by every device.
public struct ResourceDefinition: Hashable, Sendable {
    /// The identifier within the object, 0 to 65534.
    public let id: UInt16
    /// The name in the registry; `"Lifetime"`.
    public let name: UTF8Text
    /// What a server may do with it outside bootstrap; empty for resources only bootstrap touches.
    public let operations: ResourceOperations
    /// Whether the resource may have several instances.
    public let isMultiple: Bool
    /// Whether every instance of the object has it.
    public let isMandatory: Bool
    /// The type of its value.
    public let type: ResourceType
    /// What the value must satisfy.
    public let range: ValueRange
    /// The unit in the registry; `"s"`, empty when there is none.
    public let units: UTF8Text

    /// Creates the definition of a resource.
    public init(
        _ id: UInt16,
        _ name: UTF8Text,
        _ operations: ResourceOperations,
        _ type: ResourceType,
        isMultiple: Bool = false,
        isMandatory: Bool = false,
        range: ValueRange = .any,
        units: UTF8Text = ""
    ) {
        self.id = id
        self.name = name
        self.operations = operations
        self.type = type
        self.isMultiple = isMultiple
        self.isMandatory = isMandatory
        self.range = range
        self.units = units
    }
}

/// The version of an object; 1.0 when nothing is said.
public struct ObjectVersion: Hashable, Comparable, Sendable {
    /// The number before the dot.
    public let major: UInt8
    /// The number behind the dot.
    public let minor: UInt8

    /// Creates a version.
    public init(_ major: UInt8, _ minor: UInt8) {
        self.major = major
        self.minor = minor
    }

    /// The version of an object that names none.
    public static let initial = ObjectVersion(1, 0)

    /// Orders versions from older to newer.
    public static func < (lhs: ObjectVersion, rhs: ObjectVersion) -> Bool {
        (lhs.major, lhs.minor) < (rhs.major, rhs.minor)
    }
}

/// The definition of an object, shared by every device: copying it copies a reference.
public struct ObjectDefinition: Hashable, Sendable {
    /// The identifier, 0 to 65534.
    public let id: UInt16
    /// The name in the registry; `"Device"`.
    public let name: UTF8Text
    /// The version of the object.
    public let version: ObjectVersion
    /// Whether the object may have several instances.
    public let isMultiple: Bool
    /// Whether every client has the object.
    public let isMandatory: Bool
    /// The resources, lowest identifier first.
    public let resources: [ResourceDefinition]

    /// Creates the definition of an object; the resources may come in any order.
    public init(
        _ id: UInt16,
        _ name: UTF8Text,
        version: ObjectVersion = .initial,
        isMultiple: Bool,
        isMandatory: Bool = false,
        resources: [ResourceDefinition]
    ) {
        self.id = id
        self.name = name
        self.version = version
        self.isMultiple = isMultiple
        self.isMandatory = isMandatory
        self.resources = resources.sorted { $0.id < $1.id }
    }

    /// The resource with the identifier.
    ///
    /// - Complexity: O(log n) in the number of resources.
    public func resource(_ id: UInt16) -> ResourceDefinition? {
        self.index(of: id).map { self.resources[$0] }
    }

    /// The type of the resource with the identifier; cheaper than a copy of its whole definition.
    ///
    /// - Complexity: O(log n) in the number of resources.
    public func type(of id: UInt16) -> ResourceType? {
        self.index(of: id).map { self.resources[$0].type }
    }

    private func index(of id: UInt16) -> Int? {
        var low = 0
        var high = self.resources.count
        while low < high {
            let middle = (low + high) / 2
            if self.resources[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < self.resources.count && self.resources[low].id == id ? low : nil
    }
}

/// A set of definitions to look objects up in; copying it copies a reference.
public struct ObjectRegistry: Sendable {
    /// The definitions, lowest identifier first.
    public let definitions: [ObjectDefinition]

    /// Creates a registry; of two definitions with one identifier the later one counts.
    public init(_ definitions: [ObjectDefinition]) {
        var kept: [ObjectDefinition] = []
        for definition in definitions {
            kept.removeAll { $0.id == definition.id }
            kept.append(definition)
        }
        self.definitions = kept.sorted { $0.id < $1.id }
    }

    /// The definition of an object.
    ///
    /// - Complexity: O(log n) in the number of objects.
    public func object(_ id: UInt16) -> ObjectDefinition? {
        self.index(of: id).map { self.definitions[$0] }
    }

    private func index(of id: UInt16) -> Int? {
        var low = 0
        var high = self.definitions.count
        while low < high {
            let middle = (low + high) / 2
            if self.definitions[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < self.definitions.count && self.definitions[low].id == id ? low : nil
    }

    /// The type of the resource that a path leads to, when both are defined.
    public func type(of path: ObjectPath) -> ResourceType? {
        guard let object = path.object, let resource = path.resource, let index = self.index(of: object) else {
            return nil
        }
        return self.definitions[index].type(of: resource)
    }
}
