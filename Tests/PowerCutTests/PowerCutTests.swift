import CryptographicHashes
import PowerCut
import Primitives
import Testing
import VirtualNetwork

@Suite struct PowerCutTests {
    @Test func oneServerBootstrapsEverybodyInTheEnd() throws {
        let configuration = PowerCutConfiguration(devices: 2_000, instances: 0, seed: 1)
        let result = PowerCutExperiment(configuration: configuration, hashes: .libCrypto).run()
        #expect(result.bootstrapped == 2_000)
        #expect((1_950...2_000).contains(result.servers[0].finished))
        #expect(result.secondsTo100 ?? .infinity < 60)
    }
}
