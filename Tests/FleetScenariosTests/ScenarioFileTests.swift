import FleetEngine
import FleetScenarios
import Foundation
import Testing

@Suite struct ScenarioFileTests {
    @Test func readsTheOptionsOfAFile() throws {
        let options = try ScenarioOptions(
            yaml: """
                # A morning in the district.
                server: coaps://127.0.0.1:5684
                devices: 2000
                rate: 500/s
                endpoint: "urn:dev:meter:{index}"
                source-address: [127.0.0.2, 127.0.0.3]
                quiet: true
                """
        )
        #expect(options["devices"] == "2000")
        #expect(options["endpoint"] == "urn:dev:meter:{index}")
        #expect(options["source-address"] == "127.0.0.2,127.0.0.3")
        #expect(options["quiet"] == "true")
        #expect(options["json"] == nil)
    }

    @Test(arguments: [
        "profile: period=1800,rounding=floor", "profile: [period=1800, rounding=floor]",
        "profile:\n  period: 1800\n  rounding: floor",
    ])
    func readsAProfile(_ yaml: String) throws {
        #expect(try ScenarioOptions(yaml: yaml)["profile"] == "period=1800,rounding=floor")
    }

    @Test func theCommandLineWins() throws {
        let file = try ScenarioOptions(yaml: "server: coap://a\ndevices: 5\npsk-key: aa")
        var line = ScenarioOptions()
        line["bootstrap"] = "coaps://b"
        line["psk-secret"] = "bb"
        let options = file.overridden(by: line)
        #expect(options["server"] == nil)
        #expect(options["bootstrap"] == "coaps://b")
        #expect(options["psk-key"] == nil)
        #expect(options["devices"] == "5")
    }

    private static let refused: [(yaml: String, error: ScenarioError)] = [
        ("device: 5", .unknownOption("device")),
        ("- devices", .invalidFile(line: 1)),
        ("just text", .invalidFile(line: 1)),
        ("devices:\n  many: 5", .invalidFile(line: 2)),
        ("profile:\n  period: [1]", .invalidFile(line: 2)),
        ("source-address: [[a]]", .invalidFile(line: 1)),
        ("devices: 1\nrate: \"500", .invalidFile(line: 2)),
        (String(repeating: "x", count: 65_537), .fileTooLarge(limit: 65_536)),
    ]

    @Test(arguments: refused)
    func refusesOtherFiles(_ yaml: String, error: ScenarioError) {
        #expect(throws: error) { try ScenarioOptions(yaml: yaml) }
    }

    @Test(arguments: ["[", "{", "- ", "? ", "a: &a [*a,", "!!x "])
    func survivesNestingWithoutEnd(_ text: String) {
        let count = 65_536 / text.utf8.count
        #expect(throws: ScenarioError.self) { try ScenarioOptions(yaml: String(repeating: text, count: count)) }
    }

    @Test func survivesAnyBytes() {
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...UInt64.max, using: &generator)
        var state = seed
        for _ in 0..<500 {
            var bytes: [UInt8] = []
            for _ in 0..<64 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: state >> 33) & 0x7F)
            }
            do throws(ScenarioError) {
                _ = try ScenarioOptions(yaml: String(decoding: bytes, as: UTF8.self))
            } catch {
                #expect(!error.message.isEmpty, "seed \(seed)")
            }
        }
    }

    @Test func anEmptyFileHasNoOptions() throws {
        #expect(try ScenarioOptions(yaml: "") == ScenarioOptions())
        #expect(try ScenarioOptions(yaml: "# nothing\n") == ScenarioOptions())
    }

    @Test func theScenariosThatComeWithItAreValid() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Simulator/Scenarios")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.count >= 2)
        for file in files {
            var options = try ScenarioOptions(contentsOf: folder.appendingPathComponent(file).path)
            options["psk-secret"] = "000102030405060708090a0b0c0d0e0f"
            let scenario = try FleetScenario(options: options)
            #expect(scenario.fleet.deviceCount >= 2_000, "\(file)")
        }
    }

    @Test func readsFromDisk() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("scenario-\(UUID()).yaml").path
        #expect(throws: ScenarioError.unreadableFile(path: path)) { try ScenarioOptions(contentsOf: path) }
        try Data("devices: 7\n".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try ScenarioOptions(contentsOf: path)["devices"] == "7")
        try Data([0xFF, 0xFE, 0x00]).write(to: URL(fileURLWithPath: path))
        #expect(throws: ScenarioError.invalidFile(line: nil)) { try ScenarioOptions(contentsOf: path) }
        #expect(throws: ScenarioError.self) { try ScenarioOptions(contentsOf: "/") }
    }
}
