import Foundation
import LwM2MModel
import Primitives
import TestSupport
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The OMA registry's own files, which stand beside the repository where it is developed.
private let registryFolder = Fixtures.root.appending(path: "../shared/oma")

@Suite(.enabled(if: FileManager.default.fileExists(atPath: registryFolder.path)))
struct RegistryComparisonTests {
    @Test(arguments: ObjectRegistry.standard.definitions.map(\.id))
    func objectIsTheRegistrysOwn(_ id: UInt16) throws {
        let definition = try #require(ObjectRegistry.standard.object(id))
        let name = "\(id)-\(definition.version.major)_\(definition.version.minor).xml"
        let object = try RegistryObject(contentsOf: registryFolder.appending(path: name))
        #expect(definition.id == UInt16(object.text("ObjectID")))
        #expect(definition.name.string == object.text("Name"))
        #expect("\(definition.version.major).\(definition.version.minor)" == object.text("ObjectVersion"))
        #expect(definition.isMultiple == (object.text("MultipleInstances") == "Multiple"))
        #expect(definition.isMandatory == (object.text("Mandatory") == "Mandatory"))
        #expect(Set(definition.resources.map(\.id)) == Set(object.resources.compactMap { UInt16($0.id) }))
        #expect(definition.resources.count == object.resources.count)
        for item in object.resources {
            let id = try #require(UInt16(item.id))
            let resource = try #require(definition.resource(id))
            #expect(resource.name.string == item.text("Name"))
            #expect(Self.letters(resource.operations) == item.text("Operations"), "/\(definition.id)/x/\(id)")
            #expect(resource.isMultiple == (item.text("MultipleInstances") == "Multiple"), "/\(definition.id)/x/\(id)")
            #expect(resource.isMandatory == (item.text("Mandatory") == "Mandatory"), "/\(definition.id)/x/\(id)")
            #expect(Self.name(of: resource.type) == item.text("Type"), "/\(definition.id)/x/\(id)")
            #expect(resource.units.string == item.text("Units"), "/\(definition.id)/x/\(id)")
            #expect(try Self.text(of: resource.range) == Self.rangeText(item), "/\(definition.id)/x/\(id)")
        }
    }

    /// The range as the registry writes it; a sentence for people is none.
    private static func rangeText(_ item: RegistryObject.Resource) -> String {
        let text = item.text("RangeEnumeration")
        return text.contains(where: \.isLetter) ? "" : text
    }

    private static func text(of range: ValueRange) throws -> String {
        func text(_ low: some BinaryInteger, _ high: some BinaryInteger) -> String {
            low == high ? "\(low)" : "\(low)..\(high)"
        }
        switch range {
        case .any: return ""
        case .numbers(let limits):
            return text(
                try #require(Int64(exactly: limits.lowerBound)),
                try #require(Int64(exactly: limits.upperBound))
            )
        case .lengths(let limits): return text(limits.lowerBound, limits.upperBound)
        case .lengthsOneOf(let lengths): return lengths.map { "\($0)" }.joined(separator: ",")
        case .oneOf(let numbers): return numbers.map { "\($0)" }.joined(separator: ",")
        }
    }

    private static func letters(_ operations: ResourceOperations) -> String {
        [(ResourceOperations.read, "R"), (.write, "W"), (.execute, "E")]
            .filter { operations.contains($0.0) }.map(\.1).joined()
    }

    private static func name(of type: ResourceType) -> String {
        switch type {
        case .string: "String"
        case .integer: "Integer"
        case .unsignedInteger: "Unsigned Integer"
        case .float: "Float"
        case .boolean: "Boolean"
        case .opaque: "Opaque"
        case .time: "Time"
        case .objectLink: "Objlnk"
        case .corelnk: "Corelnk"
        case .none: ""
        }
    }
}

/// The parts of a registry file that a definition has a place for.
private final class RegistryObject: NSObject, XMLParserDelegate {
    struct Resource {
        let id: String
        var fields: [String: String] = [:]

        func text(_ field: String) -> String { self.fields[field] ?? "" }
    }

    private(set) var resources: [Resource] = []
    private var fields: [String: String] = [:]
    private var resource: Resource?
    private var characters = ""

    init(contentsOf url: URL) throws {
        super.init()
        let parser = XMLParser(data: try Data(contentsOf: url))
        parser.delegate = self
        try #require(parser.parse())
    }

    func text(_ field: String) -> String { self.fields[field] ?? "" }

    func parser(
        _ parser: XMLParser,
        didStartElement element: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        self.characters = ""
        if element == "Item" { self.resource = Resource(id: attributes["ID"] ?? "") }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { self.characters += string }

    func parser(_ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?) {
        // The registry's names hold doubled spaces in places.
        let text = self.characters.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        self.characters = ""
        if element == "Item", let resource = self.resource {
            self.resources.append(resource)
            self.resource = nil
        } else if self.resource != nil {
            self.resource?.fields[element] = text
        } else if self.fields[element] == nil {
            self.fields[element] = text
        }
    }
}
