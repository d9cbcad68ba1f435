import FleetScenarios
import PowerCut
import Primitives
import Testing

@Suite struct PowerCutOptionsTests {
    private static let options = PowerCutOptions(
        devices: "100000",
        instances: "10",
        attack: "50000/s",
        within: "30s",
        limit: "1h",
        seed: "7"
    )

    @Test func optionsBecomeAConfiguration() throws {
        let configuration = try Self.options.configuration()
        #expect(configuration.devices == 100_000)
        #expect(configuration.instances == 10)
        #expect(configuration.attackRate == 50_000)
        #expect(configuration.within == .seconds(30))
        #expect(configuration.limit == .seconds(3_600))
        #expect(configuration.seed == 7)
        #expect(!configuration.isStatic)
    }

    @Test(arguments: ["", "-1", "x", "1e99", "99999999999999999999"])
    func whatIsNoNumberIsRefused(_ text: String) {
        for index in 0..<6 {
            var options = Self.options
            switch index {
            case 0: options.devices = text
            case 1: options.instances = text
            case 2: options.attack = text
            case 3: options.within = text
            case 4: options.limit = text
            default: options.seed = text
            }
            #expect(throws: ScenarioError.self) { try options.configuration() }
        }
    }
}
