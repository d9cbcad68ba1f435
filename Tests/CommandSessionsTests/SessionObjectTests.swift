import CommandSessions
import LwM2MModel
import Primitives
import Testing

@Suite("The Command Session object")
struct SessionObjectTests {
    private static let resources: [(id: UInt16, name: UTF8Text, operations: ResourceOperations, type: ResourceType)] = [
        (0, "Message 1", .write, .opaque), (1, "Message 2", .read, .opaque), (2, "Message 3", .write, .opaque),
        (3, "Mode", .readWrite, .integer), (4, "Gateway Addresses", .readWrite, .string),
        (5, "Protected Paths", .readWrite, .string), (6, "State", .read, .integer), (7, "Last Breach", .read, .string),
        (8, "Outcome Query", .write, .opaque), (9, "Outcome", .read, .opaque),
        (10, "Completed Sessions", .read, .integer), (11, "Aborted Sessions", .read, .integer),
        (12, "Breaches", .read, .integer), (13, "Refused Direct Changes", .read, .integer),
        (14, "Breach Policy", .readWrite, .string), (15, "Alarm", .read, .boolean),
        (16, "Reset Alarm", .execute, .none), (17, "Suspension", .readWrite, .integer),
        (18, "Gateway", .readWrite, .integer), (19, "Timeout", .readWrite, .integer),
        (20, "Gateway Identifier", [], .opaque), (21, "Device Identifier", [], .opaque),
    ]

    @Test func hasAnInstanceForEachGateway() {
        let definition = SessionPolicy.objectDefinition()
        #expect(definition.id == OwnObjectIDs.standard.commandSession)
        #expect(definition.name == "Command Session")
        #expect(definition.isMultiple)
        #expect(!definition.isMandatory)
        #expect(definition.resources.map { $0.id } == Self.resources.map { $0.id })
    }

    @Test(arguments: resources)
    func hasTheResource(_ id: UInt16, name: UTF8Text, operations: ResourceOperations, type: ResourceType) throws {
        let resource = try #require(SessionPolicy.objectDefinition().resource(id))
        #expect(resource.name == name)
        #expect(resource.operations == operations)
        #expect(resource.type == type)
        #expect(resource.isMultiple == [4, 5].contains(id))
        #expect(resource.isMandatory == [3, 4].contains(id))
        #expect(SessionResource(rawValue: id)?.definition == resource)
    }

    @Test("Identifiers that last are for bootstrap to write, and for nobody to read")
    func identifiersAreNotReadable() {
        for resource in [SessionResource.gatewayIdentifier, .deviceIdentifier] {
            #expect(resource.definition.operations.isEmpty)
        }
        // Message 2 is the one readable value with identifiers in it: they are those of a session in progress.
        let readable = SessionResource.allCases.filter {
            $0.definition.operations.contains(.read) && $0.definition.type == .opaque
        }
        #expect(readable == [.message2, .outcome])
        #expect(readable.allSatisfy { $0.isPassing })
    }

    @Test func messagesAreWhatAGatewayWritesOutsideASession() {
        #expect(SessionResource.allCases.filter { $0.isMessage } == [.message1, .message3, .outcomeQuery])
        #expect(SessionResource.allCases.filter { $0.isMessage }.allSatisfy { $0.definition.operations == .write })
    }

    private static let ranges: [(resource: SessionResource, within: [ResourceValue], outside: [ResourceValue])] = [
        (.mode, [.integer(0), .integer(1)], [.integer(2), .integer(-1)]),
        (.gateway, [.integer(0), .integer(65_534)], [.integer(65_535), .integer(-1)]),
        (.timeout, [.integer(1), .integer(86_400)], [.integer(0), .integer(86_401)]),
        (.suspension, [.integer(1), .integer(2_592_000)], [.integer(0), .integer(2_592_001)]),
        (
            .deviceIdentifier, [16, 32].map { .opaque(Array(repeating: 0, count: $0)) },
            [0, 15, 33].map { .opaque(Array(repeating: 0, count: $0)) }
        ),
    ]

    @Test(arguments: ranges)
    func valuesHaveTheirRange(_ resource: SessionResource, within: [ResourceValue], outside: [ResourceValue]) {
        #expect(within.allSatisfy { resource.definition.range.contains($0) })
        #expect(outside.allSatisfy { !resource.definition.range.contains($0) })
    }

    @Test func theLongestBreachPolicyFits() {
        var longest = BreachPolicy.standard
        for line in BreachPolicy.Line.allCases { longest[line] = BreachPolicy.Responses(rawValue: 63) }
        #expect(SessionResource.breachPolicy.definition.range.contains(.string(longest.text)))
    }
}
