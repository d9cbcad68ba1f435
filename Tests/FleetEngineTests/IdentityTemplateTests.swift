import FleetEngine
import Primitives
import Testing

@Suite struct IdentityTemplateTests {
    private static let filled: [(template: String, text: String)] = [
        ("urn:dev:starling:{index}", "urn:dev:starling:42"),
        ("dev-{index:6}", "dev-000042"),
        ("{endpoint}", "meter-7"),
        ("a{index}b{endpoint}c", "a42bmeter-7c"),
        ("gerät {index:1}", "gerät 42"),
        ("}{index}", "}42"),
    ]

    @Test(arguments: filled)
    func fillsPlaceholders(_ template: String, text: String) throws {
        #expect(try IdentityTemplate(parsing: template).text(index: 42, endpoint: "meter-7").string == text)
    }

    private static let malformed: [(template: String, error: IdentityTemplate.ParseError)] = [
        ("", .empty),
        ("dev-{index", .unclosedPlaceholder),
        ("dev-{number}", .unknownPlaceholder("number")),
        ("dev-{}", .unknownPlaceholder("")),
        ("dev-{index:0}", .unknownPlaceholder("index:0")),
        ("dev-{index:21}", .unknownPlaceholder("index:21")),
        ("dev-{index:x}", .unknownPlaceholder("index:x")),
        (String(repeating: "x", count: 129), .tooLong(limit: 128)),
    ]

    @Test(arguments: malformed)
    func refusesMalformedTemplates(_ template: String, error: IdentityTemplate.ParseError) {
        #expect(throws: error) { try IdentityTemplate(parsing: template) }
    }

    @Test func knowsWhetherDevicesDiffer() throws {
        #expect(try IdentityTemplate(parsing: "x{index}").namesIndex)
        #expect(try !IdentityTemplate(parsing: "x").namesIndex)
        #expect(try IdentityTemplate(parsing: "{endpoint}").namesEndpoint)
    }
}
