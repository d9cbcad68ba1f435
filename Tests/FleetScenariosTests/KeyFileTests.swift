import BootstrapURIs
import FleetScenarios
import Foundation
import Testing

@Suite struct KeyFileTests {
    private func scenario(_ option: String, _ value: String) throws(ScenarioError) -> FleetScenario {
        var options = ScenarioOptions()
        options["server"] = "coaps://127.0.0.1:1"
        options[option] = value
        return try FleetScenario(options: options)
    }

    @Test(arguments: ["psk-key", "psk-secret"])
    func aKeyMayStandInAFile(_ option: String) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("key-\(UUID())").path
        try Data("00112233445566778899aabbccddeeff\n".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try self.scenario(option, "@\(path)")
        try Data("0011223".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: ScenarioError.self) { try self.scenario(option, "@\(path)") }
    }

    @Test func aProfileMayStandInAFile() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("profile-\(UUID())").path
        try Data("# half hours\nperiod=1800\nrounding=floor, clock-skew=30\n".utf8).write(
            to: URL(fileURLWithPath: path)
        )
        defer { try? FileManager.default.removeItem(atPath: path) }
        var options = ScenarioOptions()
        options["bootstrap"] = "coap://bs.example.test"
        options["profile"] = "@\(path)"
        let profile = try FleetScenario(options: options).profile
        #expect(profile?.period == 1_800)
        #expect(profile?.rounding == .floor)
        #expect(profile?.clockSkew == 30)
    }

    @Test(arguments: ["", "/nonexistent/key"])
    func aFileThatCannotBeReadIsSaid(_ path: String) {
        #expect(throws: ScenarioError.unreadableKey(option: "psk-key", path: path)) {
            try self.scenario("psk-key", "@\(path)")
        }
    }
}
