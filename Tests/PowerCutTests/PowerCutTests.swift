import PowerCut
import Primitives
import Testing
import VirtualNetwork

@Suite struct PowerCutTests {
    @Test func oneServerBootstrapsEverybodyInTheEnd() throws {
        let configuration = PowerCutConfiguration(devices: 2_000, instances: 0, seed: 1)
        let result = PowerCutExperiment(configuration: configuration).run()
        #expect(result.bootstrapped == 2_000)
        #expect(result.servers.map(\.finished) == [2_000])
        #expect(result.secondsTo100 ?? .infinity < 60)
    }
}
