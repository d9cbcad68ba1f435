import LwM2MModel
import Primitives
import TestSupport
import Testing

@Suite struct ObjectPathTests {
    private static let paths: [(String, ObjectPath, [UInt16])] = [
        ("/", .root, []), ("/0", ObjectPath(0), [0]), ("/3/0", ObjectPath(3, 0), [3, 0]),
        ("/3303/65534/5700", ObjectPath(3303, 65_534, 5700), [3303, 65_534, 5700]),
        ("/3/0/6/1", ObjectPath(resourceInstance: 3, 0, 6, 1), [3, 0, 6, 1]),
    ]

    @Test(arguments: paths)
    func readsAndWrites(_ text: String, path: ObjectPath, numbers: [UInt16]) throws {
        #expect(try ObjectPath(parsing: UTF8Text(text)) == path)
        #expect(path.text == text)
        #expect(path.numbers == numbers)
        #expect(path.depth == numbers.count)
        #expect(try ObjectPath(segments: path.segments) == path)
        #expect(path.object == numbers.first)
        #expect(path.resourceInstance == (numbers.count == 4 ? numbers[3] : nil))
    }

    private static let refused: [(String, ObjectPath.ParseError)] = [
        ("", .notAbsolute), ("3/0", .notAbsolute), ("/3/", .invalidLevel(1)), ("//3", .invalidLevel(0)),
        ("/3/x", .invalidLevel(1)), ("/-1", .invalidLevel(0)), ("/+1", .invalidLevel(0)), ("/01", .invalidLevel(0)),
        ("/3/65535", .invalidLevel(1)), ("/3/100000", .invalidLevel(1)), ("/3/ 0", .invalidLevel(1)),
        ("/1/2/3/4/5", .tooManyLevels(5)), ("/1/2/3/4/", .tooManyLevels(5)),
    ]

    @Test(arguments: refused)
    func refuses(_ text: String, error: ObjectPath.ParseError) {
        #expect(throws: error) { try ObjectPath(parsing: UTF8Text(text)) }
    }

    @Test func aPathContainsItselfAndWhatLiesBelow() {
        let resource = ObjectPath(3, 0, 6)
        #expect(ObjectPath.root.contains(resource))
        #expect(ObjectPath(3).contains(resource))
        #expect(resource.contains(resource))
        #expect(resource.contains(resource.appending(0)))
        #expect(!resource.contains(ObjectPath(3, 0)))
        #expect(!ObjectPath(3, 1).contains(resource))
        #expect(!resource.contains(ObjectPath(3, 0, 65)))
    }

    @Test func parentsSortBeforeWhatLiesBelow() throws {
        let sorted = [
            ObjectPath.root, ObjectPath(0), ObjectPath(0, 0), ObjectPath(0, 0, 0),
            ObjectPath(resourceInstance: 0, 0, 0, 0), ObjectPath(resourceInstance: 0, 0, 0, 65_534),
            ObjectPath(0, 0, 1),
            ObjectPath(0, 65_534), ObjectPath(1), ObjectPath(65_534, 65_534, 65_534),
        ]
        try SeededRuns.each(20) { generator in
            try #require(sorted.shuffled(using: &generator).sorted() == sorted)
        }
        #expect(Set(sorted).count == sorted.count)
    }
}

@Suite struct ObjectDefinitionTests {
    @Test func findsResourcesAndObjectsByIdentifier() {
        #expect(Objects.device.resource(9)?.name == "Battery Level")
        #expect(Objects.device.resource(22)?.isMultiple == true)
        #expect(Objects.device.resource(23) == nil)
        #expect(Objects.temperature.resource(5700)?.type == .float)
        let registry = ObjectRegistry.standard
        #expect(registry.definitions.map(\.id) == [0, 1, 3, 3303])
        #expect(registry.object(3303)?.name == "Temperature")
        #expect(registry.object(2) == nil)
        #expect(registry.type(of: ObjectPath(1, 0, 1)) == .integer)
        #expect(registry.type(of: ObjectPath(1, 0)) == nil)
        #expect(registry.type(of: ObjectPath(1, 0, 99)) == nil)
    }

    @Test func ofTwoDefinitionsTheLaterOneCounts() {
        let other = ObjectDefinition(3, "Other", isMultiple: false, resources: [])
        #expect(ObjectRegistry([Objects.device, other]).object(3)?.name == "Other")
    }

    private static let ranges: [(ValueRange, ResourceValue, Bool)] = [
        (.any, .integer(-1), true), (.numbers(0...100), .integer(100), true), (.numbers(0...100), .integer(101), false),
        (.numbers(0...1), .float(1.01), false), (.numbers(0...255), .unsignedInteger(256), false),
        (.numbers(0...1), .string("x"), true), (.lengths(0...3), .string("abc"), true),
        (.lengths(0...3), .string("abcd"), false), (.lengths(0...3), .string("üü"), false),
        (.lengths(6...6), .opaque([1]), false),
        (.lengthsOneOf([16, 32]), .opaque(Array(repeating: 0, count: 32)), true),
        (.lengthsOneOf([16, 32]), .opaque([]), false), (.oneOf([1, 3]), .integer(3), true),
        (.oneOf([1, 3]), .integer(2), false), (.numbers(0...1), .float(.nan), false),
    ]

    @Test(arguments: ranges)
    func rangesJudgeValues(_ range: ValueRange, value: ResourceValue, isInside: Bool) {
        #expect(range.contains(value) == isInside)
    }
}
