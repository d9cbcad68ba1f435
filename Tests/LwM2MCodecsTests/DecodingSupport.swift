import CoAPMessages
import LwM2MCodecs
public import LwM2MModel
import Primitives

/// Objects with every type of value, for payloads that the standard objects have no example of.
enum TestObjects {
    /// Object 65 of the examples in Core 1.2.2, clause 7.5.5.3.
    static let example = ObjectDefinition(
        65,
        "Example",
        isMultiple: true,
        resources: [
            ResourceDefinition(0, "Links", .read, .objectLink, isMultiple: true),
            ResourceDefinition(1, "Number", .read, .string), ResourceDefinition(2, "Value", .read, .integer),
        ]
    )

    /// Object 2 as far as its examples need it.
    static let accessControl = ObjectDefinition(
        2,
        "LwM2M Access Control",
        isMultiple: true,
        resources: [
            ResourceDefinition(0, "Object ID", .read, .integer), ResourceDefinition(1, "Instance", .read, .integer),
            ResourceDefinition(2, "ACL", .readWrite, .integer, isMultiple: true),
            ResourceDefinition(3, "Owner", .readWrite, .integer),
        ]
    )

    /// One resource of every type, and their multiple twins four hundred further.
    static let everyType = ObjectDefinition(
        40_000,
        "Every Type",
        isMultiple: true,
        resources: types.enumerated().flatMap { index, type in
            [
                ResourceDefinition(UInt16(index), "One", .readWrite, type),
                ResourceDefinition(UInt16(index) + 400, "Many", .readWrite, type, isMultiple: true),
            ]
        }
    )

    static let types: [ResourceType] = [
        .string, .integer, .unsignedInteger, .float, .boolean, .opaque, .time, .objectLink, .corelnk,
    ]

    static let registry = ObjectRegistry(ObjectRegistry.standard.definitions + [example, accessControl, everyType])
}

extension ObjectPath: ExpressibleByStringLiteral {
    /// Reads a path that the test wrote down.
    public init(stringLiteral value: StaticString) {
        do {
            try self.init(parsing: UTF8Text(stringLiteral: value))
        } catch {
            preconditionFailure("no path: \(value)")
        }
    }
}

/// A record that is written as a path and a value.
func record(_ path: ObjectPath, _ value: ResourceValue) -> ResourceRecord { ResourceRecord(path, value) }

/// Decodes with every definition of the tests.
func decode(
    _ payload: [UInt8],
    _ format: ContentFormat,
    at base: ObjectPath
) throws(PayloadDecodingError) -> [ResourceRecord] {
    try Payload.decode(payload, as: format, at: base, registry: TestObjects.registry)
}
