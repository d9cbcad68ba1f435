import DeviceConfiguration
import Foundation
import LwM2MClient
import TestSupport
import Testing

@Suite struct DeviceConfigurationFileTests {
    private static let minimal = "endpoint: one\nserver: coap://127.0.0.1\n"

    @Test func theExampleIsValidAndMeansWhatItSays() throws {
        let file = try DeviceConfigurationFile(yaml: DeviceConfigurationFile.example, file: "x.yaml", folder: "/srv/")
        #expect(file.client.endpoint == "urn:dev:ops:32473-Thermometer-1")
        #expect(file.client.server == "coaps://127.0.0.1:5684")
        #expect(file.client.role == .management)
        guard case .preSharedKey(let identity, let key) = file.client.security else {
            Issue.record("no key")
            return
        }
        #expect(identity == "urn:dev:ops:32473-Thermometer-1")
        #expect(key.count == 16)
        #expect(file.client.lifetime == .seconds(300))
        #expect(file.client.store == "/srv/./thermometer-1")
        #expect(file.client.device.serialNumber == "0001")
        #expect(file.objects.map(\.definition.id) == [3303])
    }

    @Test func theExampleOfThePageAboutCommandSessionsIsValid() throws {
        let page = Fixtures.root.appending(path: "docs/command-sessions.md")
        let parts = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```")
        let yaml = try #require(parts.first { $0.hasPrefix("yaml\n") }).dropFirst("yaml\n".count)
        let file = try DeviceConfigurationFile(yaml: String(yaml), file: "x.yaml")
        let policy = try #require(file.client.sessionPolicy)
        #expect(policy.gateway == 1)
        #expect(policy.protectedPaths.count == 3)
        #expect(file.client.sessionIdentifiers != nil)
    }

    @Test func bootstrapTakesTheServersPlace() throws {
        let file = try DeviceConfigurationFile(yaml: "bootstrap: coap://[::1]:5683", file: "x.yaml")
        #expect(file.client.role == .bootstrap)
        #expect(file.client.endpoint == nil)
    }

    private static let bootstrap = "endpoint: one\nbootstrap: coap://bs.example.test\n"

    @Test func readsAProfileByTheNamesOfItsFields() throws {
        let none = try DeviceConfigurationFile(yaml: Self.bootstrap, file: "x.yaml")
        #expect(none.client.bootstrapURIProfile == nil)
        let usual = try DeviceConfigurationFile(yaml: Self.bootstrap + "bootstrapURI: {}", file: "x.yaml")
        #expect(usual.client.bootstrapURIProfile == .standard)
        let section = "bootstrapURI:\n  parameters: [time, endpoint]\n  period: 60\n  clock-skew: 5\n  fallback: yes\n"
        let own = try DeviceConfigurationFile(
            yaml: Self.bootstrap + section + "ownObjectIDs: 40000\nclock: unknown",
            file: "x.yaml"
        )
        let profile = try #require(own.client.bootstrapURIProfile)
        #expect(profile.parameters == [.time, .endpoint])
        #expect(profile.period == 60)
        #expect(profile.fallsBackToStaticURI)
        #expect(own.client.ownObjectIDs.bootstrapURIProfile == 40_000)
        guard case .unknown = own.client.clock else {
            Issue.record("the clock is not the one of the file")
            return
        }
    }

    @Test(arguments: [
        ("7", Duration.seconds(7)), ("300s", .seconds(300)), ("5m", .seconds(300)), ("2h", .seconds(7200)),
        ("1d", .seconds(86_400)),
    ])
    func readsDurations(_ text: String, duration: Duration) throws {
        let file = try DeviceConfigurationFile(yaml: Self.minimal + "lifetime: \(text)", file: "x.yaml")
        #expect(file.client.lifetime == duration)
    }

    private static let mistakes: [(yaml: String, problem: DeviceConfigurationError.Problem, line: Int?, key: String?)] =
        [
            ("", .notYAML, nil, nil),
            ("- a\n- b", .notYAML, 1, nil),
            ("just text", .notYAML, 1, nil),
            ("endpoint: [", .notYAML, 2, nil),
            ("endpoint: \"a\n", .notYAML, 2, nil),
            ("endpoint: a\nendpoint: b\n", .notYAML, 1, nil),
            ("[a, b]: c\n", .notYAML, 1, nil),
            (minimal + "lifetme: 5", .unknownKey, 3, "lifetme"),
            ("endpoint: a", .missing, 1, "server"),
            ("server: coap://h\nbootstrap: coap://h", .invalid, 2, "bootstrap"),
            ("server: http://h", .invalid, 1, "server"),
            ("server: coap://", .invalid, 1, "server"),
            ("bootstrap: coap://h:99999", .invalid, 1, "bootstrap"),
            ("server: [coap://h]", .invalid, 1, "server"),
            ("endpoint: ''\nserver: coap://h", .invalid, 1, "endpoint"),
            ("server: coaps://h", .missing, 1, "psk"),
            (minimal + "psk: {identity: a, key: '00'}", .invalid, 3, "psk"),
            ("server: coaps://h\npsk: secret", .notYAML, 2, "psk"),
            (minimal + "bootstrapURI: {}", .invalid, 3, "bootstrapURI"),
            (bootstrap + "bootstrapURI:\n  periods: 60", .unknownKey, 4, "bootstrapURI.periods"),
            (bootstrap + "bootstrapURI:\n  period: soon", .invalid, 4, "bootstrapURI.period"),
            (bootstrap + "bootstrapURI:\n  parameters: [random]", .invalid, 3, "bootstrapURI"),
            ("bootstrap: coap://192.0.2.1\nbootstrapURI: {}", .invalid, 2, "bootstrapURI"),
            (minimal + "ownObjectIDs: 3", .invalid, 3, "ownObjectIDs"),
            (minimal + "clock: wrist", .invalid, 3, "clock"),
            ("server: coaps://h\npsk:\n  key: '00'", .missing, 3, "psk.identity"),
            ("server: coaps://h\npsk:\n  identity: a", .missing, 3, "psk.key"),
            ("server: coaps://h\npsk:\n  identity: a\n  key: ''", .invalid, 4, "psk.key"),
            ("server: coaps://h\npsk:\n  identity: a\n  key: 0g", .invalid, 4, "psk.key"),
            ("server: coaps://h\npsk:\n  identity: a\n  key: '000'", .invalid, 4, "psk.key"),
            ("server: coaps://h\npsk:\n  identity: a\n  password: x", .unknownKey, 4, "psk.password"),
            (minimal + "lifetime: soon", .invalid, 3, "lifetime"),
            (minimal + "lifetime: -5", .invalid, 3, "lifetime"),
            (minimal + "lifetime: 1500ms", .invalid, 3, "lifetime"),
            (minimal + "lifetime: 9999999999d", .invalid, 3, "lifetime"),
            (minimal + "dns: [dns.test]", .invalid, 3, "dns"),
            (minimal + "dns: [1.2.3.4:0]", .invalid, 3, "dns"),
            (minimal + "dns: {a: b}", .invalid, 3, "dns"),
            (minimal + "store: ''", .invalid, 3, "store"),
            (minimal + "device:\n  colour: red", .unknownKey, 4, "device.colour"),
            (minimal + "objects:\n  abc: {}", .invalid, 4, "objects.abc"),
            (minimal + "objects:\n  3: {}", .invalid, 4, "objects.3"),
            (minimal + "objects:\n  0: {}", .invalid, 4, "objects.0"),
            (minimal + "objects:\n  65535: {}", .invalid, 4, "objects.65535"),
            (minimal + "objects:\n  3303: 21.5", .notYAML, 4, "objects.3303"),
            (minimal + "objects:\n  3303:\n    x: {}", .invalid, 5, "objects.3303.x"),
            (minimal + "objects:\n  3303:\n    0:\n      1: 2", .unknownKey, 6, "objects.3303.0.1"),
            (minimal + "objects:\n  3303:\n    0:\n      5700: warm", .invalid, 6, "objects.3303.0.5700"),
            (minimal + "objects:\n  3303:\n    0:\n      5605: 1", .invalid, 6, "objects.3303.0.5605"),
        ]

    @Test(arguments: mistakes)
    func namesLineKeyAndRemedy(
        _ yaml: String,
        problem: DeviceConfigurationError.Problem,
        line: Int?,
        key: String?
    ) throws {
        do {
            _ = try DeviceConfigurationFile(yaml: yaml, file: "x.yaml")
            Issue.record("accepted")
        } catch {
            #expect(error.problem == problem)
            #expect(error.line == line)
            #expect(error.key == key)
            #expect(!error.hint.isEmpty)
            #expect("\(error)".hasPrefix(line.map { "x.yaml:\($0): " } ?? "x.yaml: "))
        }
    }

    @Test func errorsNeverHoldTheKey() throws {
        let yaml = "server: coaps://h\npsk: {identity: alice, key: 'c0ffee00zz'}"
        do {
            _ = try DeviceConfigurationFile(yaml: yaml, file: "x.yaml")
            Issue.record("accepted")
        } catch {
            #expect(!"\(error)".contains("c0ffee"))
            #expect(!"\(error)".contains("alice"))
        }
    }

    @Test func refusesFilesThatCannotBeRead() {
        for path in ["/nonexistent/device.yaml", "/tmp"] {
            do {
                _ = try DeviceConfigurationFile(contentsOf: path)
                Issue.record("accepted")
            } catch {
                #expect(error.problem == .unreadable)
                #expect(error.file == path)
            }
        }
        do {
            _ = try DeviceConfigurationFile(contentsOf: "/dev/zero")
            Issue.record("accepted")
        } catch {
            #expect(error.problem == .tooLarge(limit: 65_536))
        }
    }

    @Test func aliasesThatMultiplyDoNotMatter() throws {
        var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let items = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            yaml += "a\(level): &a\(level) [\(items)]\n"
        }
        #expect(throws: DeviceConfigurationError.self) { try DeviceConfigurationFile(yaml: yaml, file: "x.yaml") }
    }
}
