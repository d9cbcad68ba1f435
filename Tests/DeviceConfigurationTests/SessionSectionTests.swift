import CommandSessions
import DeviceConfiguration
import LwM2MClient
import LwM2MModel
import Primitives
import Testing

@Suite("The section commandSessions of a device's configuration")
struct SessionSectionTests {
    private static let minimal = "endpoint: one\nserver: coap://127.0.0.1\n"
    private static let gsid = "00112233445566778899aabbccddeeff"
    private static let dsid = "ffeeddccbbaa99887766554433221100"

    private static func file(_ section: String) throws(DeviceConfigurationError) -> DeviceConfigurationFile {
        try DeviceConfigurationFile(yaml: Self.minimal + section, file: "x.yaml")
    }

    @Test func withoutTheSectionThereAreNone() throws {
        let client = try Self.file("").client
        #expect(client.sessionPolicy == nil)
        #expect(client.sessionIdentifiers == nil)
    }

    @Test func anAddressIsEnough() throws {
        let client = try Self.file("commandSessions:\n  gateway: 192.0.2.1\n").client
        let address = try #require(IPAddress(parsing: "192.0.2.1"))
        #expect(try client.sessionPolicy == SessionPolicy(gatewayAddresses: [address]))
        #expect(client.sessionIdentifiers == nil)
    }

    @Test func everyKeyArrives() throws {
        let client = try Self.file(
            """
            commandSessions:
              gateway: [192.0.2.1, "2001:db8::1"]
              protect: [/3303/0/5750, /5]
              form: both
              server: 101
              breaches: spoofed=log,suspend,alarm;unpermitted=report
              suspension: 120
              timeout: 9
              gsid: "\(Self.gsid)"
              dsid: "\(Self.dsid)"
            """
        ).client
        let policy = try #require(client.sessionPolicy)
        #expect(policy.gatewayAddresses.map { $0.text.string } == ["192.0.2.1", "2001:db8::1"])
        #expect(policy.protectedPaths == [ObjectPath(3303, 0, 5750), ObjectPath(5)])
        #expect(policy.form == .bothIdentifiers)
        #expect(policy.gateway == 101)
        #expect(policy.breaches[.unpermitted] == .report)
        #expect(policy.breaches[.spoofed] == [.log, .suspend, .alarm])
        #expect((policy.suspension, policy.timeout) == (120, 9))
        let identifiers = try #require(client.sessionIdentifiers)
        #expect(identifiers.gsid == SessionIdentifier(text: UTF8Text(Self.gsid)))
        #expect(identifiers.dsid == SessionIdentifier(text: UTF8Text(Self.dsid)))
    }

    @Test func theShortFormHasTheDevicesIdentifierOnly() throws {
        let section = "commandSessions:\n  gateway: 192.0.2.1\n  form: device\n  dsid: \"\(Self.dsid)\"\n"
        let client = try Self.file(section).client
        #expect(client.sessionPolicy?.form == .deviceIdentifier)
        #expect(client.sessionIdentifiers?.gsid == nil)
        #expect(client.sessionIdentifiers?.dsid == SessionIdentifier(text: UTF8Text(Self.dsid)))
    }

    private static let mistakes:
        [(section: String, problem: DeviceConfigurationError.Problem, line: Int, key: String)] = [
            ("commandSessions: 192.0.2.1", .notYAML, 3, "commandSessions"),
            ("commandSessions: [gateway]", .notYAML, 3, "commandSessions"),
            ("commandSessions: {}", .invalid, 3, "commandSessions.gateway"),
            ("commandSessions:\n  gateway: []", .invalid, 4, "commandSessions.gateway"),
            ("commandSessions:\n  protect: [/5]", .invalid, 4, "commandSessions.gateway"),
            ("commandSessions:\n  gateway: localhost", .invalid, 4, "commandSessions.gateway"),
            ("commandSessions:\n  gateway: ''", .invalid, 4, "commandSessions.gateway"),
            ("commandSessions:\n  gateway: {a: b}", .invalid, 4, "commandSessions.gateway"),
            ("commandSessions:\n  gateway: [[192.0.2.1]]", .invalid, 4, "commandSessions.gateway"),
            ("gateway: 192.0.2.1", .unknownKey, 3, "gateway"),
            (
                "commandSessions:\n  gateway: [\(Array(repeating: "192.0.2.1", count: 17).joined(separator: ", "))]",
                .invalid, 4, "commandSessions.gateway"
            ),
        ]

    private static let furtherMistakes: [(key: String, value: String, problem: DeviceConfigurationError.Problem)] = [
        ("protects", "/5", .unknownKey), ("protect", "/", .invalid), ("protect", "[/5, '3303']", .invalid),
        ("protect", "[\(Array(repeating: "/5", count: 65).joined(separator: ", "))]", .invalid),
        ("form", "short", .invalid), ("form", "[both, device]", .invalid), ("server", "0", .invalid),
        ("server", "65535", .invalid), ("breaches", "spoofed=explode", .invalid), ("breaches", "{a: b}", .invalid),
        ("suspension", "0", .invalid), ("suspension", "1h", .invalid), ("suspension", "2592001", .invalid),
        ("timeout", "86401", .invalid), ("timeout", "[1, 2]", .invalid), ("gsid", "'0011'", .invalid),
        ("gsid", "[a]", .invalid), ("dsid", "soon", .invalid), ("dsid", "'\(dsid)0'", .invalid),
        ("dsid", "'\(dsid)\(dsid)00'", .invalid), ("dsid", "'zz\(dsid)'", .invalid),
    ]

    private func expect(
        _ section: String,
        _ problem: DeviceConfigurationError.Problem,
        line: Int,
        key: String
    ) {
        do throws(DeviceConfigurationError) {
            _ = try Self.file(section)
            Issue.record("accepted \(section)")
        } catch {
            #expect(error.problem == problem)
            #expect(error.line == line)
            #expect(error.key == key)
            #expect(!error.hint.isEmpty)
            #expect("\(error)".hasPrefix("x.yaml:\(line): "))
        }
    }

    @Test(arguments: mistakes)
    func namesLineKeyAndRemedy(
        _ section: String,
        problem: DeviceConfigurationError.Problem,
        line: Int,
        key: String
    ) {
        self.expect(section, problem, line: line, key: key)
    }

    @Test(arguments: furtherMistakes)
    func namesEachKey(_ key: String, value: String, problem: DeviceConfigurationError.Problem) {
        let section = "commandSessions:\n  gateway: 192.0.2.1\n  \(key): \(value)\n"
        self.expect(section, problem, line: 5, key: "commandSessions.\(key)")
    }

    @Test func identifiersGoTogetherAsTheFormHasThem() {
        let both = "commandSessions:\n  gateway: 192.0.2.1\n"
        self.expect(both + "  gsid: '\(Self.gsid)'", .missing, line: 4, key: "commandSessions.dsid")
        self.expect(both + "  dsid: '\(Self.dsid)'", .invalid, line: 4, key: "commandSessions.gsid")
        let short = both + "  form: device\n  dsid: '\(Self.dsid)'\n  gsid: '\(Self.gsid)'"
        self.expect(short, .invalid, line: 7, key: "commandSessions.gsid")
    }

    @Test func errorsNeverHoldAnIdentifier() {
        do throws(DeviceConfigurationError) {
            _ = try Self.file("commandSessions:\n  gateway: 192.0.2.1\n  gsid: 'c0ffee00c0ffee00'\n")
            Issue.record("accepted")
        } catch {
            #expect(!"\(error)".contains("c0ffee"))
        }
    }

    /// The example with the lines of a section that is commented out taken in.
    private static func example(uncommenting key: String) -> String {
        var isInside = false
        let lines = DeviceConfigurationFile.example.split(separator: "\n", omittingEmptySubsequences: false).map {
            line in
            if line == "# \(key):" { isInside = true } else if !line.hasPrefix("#   ") { isInside = false }
            return isInside ? String(line.dropFirst(2)) : String(line)
        }
        return lines.joined(separator: "\n")
    }

    @Test("The printed example holds, also with its section taken in")
    func theExampleHolds() throws {
        let plain = try DeviceConfigurationFile(yaml: DeviceConfigurationFile.example, file: "x.yaml")
        #expect(plain.client.sessionPolicy == nil)
        let text = Self.example(uncommenting: "commandSessions")
        #expect(text.contains("\ncommandSessions:\n  gateway: "))
        let client = try DeviceConfigurationFile(yaml: text, file: "x.yaml").client
        let policy = try #require(client.sessionPolicy)
        #expect(policy.gatewayAddresses.map { $0.text } == ["127.0.0.1"])
        #expect(policy.protectedPaths == [ObjectPath(3303, 0, 5750), ObjectPath(3, 0, 4)])
        #expect(policy.form == .bothIdentifiers)
        #expect((policy.timeout, policy.suspension) == (60, 3_600))
        #expect(policy.breaches == .standard)
        #expect(client.sessionIdentifiers?.gsid != nil)
        #expect(client.sessionIdentifiers?.gsid != client.sessionIdentifiers?.dsid)
    }

    @Test("The example shows every key of the section but the one that most leave out")
    func theExampleIsWhole() {
        let section = Self.example(uncommenting: "commandSessions")
        let keys = SessionPolicy.Field.allCases.map { $0.name.string } + ["gsid", "dsid"]
        for key in keys where key != "server" { #expect(section.contains("\n  \(key): "), "\(key)") }
    }
}
