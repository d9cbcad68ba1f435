import CryptographicHashes
import PowerCut
import Primitives
import Testing
import VirtualNetwork

/// Power cuts of 1,000 devices within a quarter of a second: more than one server with a short queue takes in, at ease
/// for three.
@Suite struct PowerCutTests {
    private static func run(instances: Int, attack: Double = 0, seed: UInt64) -> PowerCutResult {
        var configuration = PowerCutConfiguration(
            devices: 1_000,
            instances: instances,
            attackRate: attack,
            within: .milliseconds(250),
            seed: seed
        )
        configuration.capacity.queueLimit = 100
        configuration.limit = .seconds(40)
        return PowerCutExperiment(configuration: configuration, hashes: .libCrypto).run()
    }

    @Test(arguments: [UInt64(1), 2])
    func balancedInstancesBeatOneStaticServer(_ seed: UInt64) throws {
        let one = Self.run(instances: 0, seed: seed)
        #expect(one.servers.map(\.name) == ["static"])
        #expect(one.servers[0].lost > 0, "the queue never was full")
        #expect(one.names == PowerCutResult.Names())
        let three = Self.run(instances: 3, seed: seed)
        #expect(three.bootstrapped == 1_000)
        #expect(try #require(three.secondsTo50) < one.secondsTo50 ?? .infinity)
        #expect(try #require(three.secondsTo99) < one.secondsTo99 ?? .infinity)
        #expect(try #require(three.secondsTo100) < one.secondsTo100 ?? .infinity)
        // Every device went to the instance that its name leads to, and the balancer heard of it.
        #expect(three.servers.map(\.name) == ["instance-1", "instance-2", "instance-3", "static"])
        #expect(three.servers.prefix(3).allSatisfy { (290...380).contains($0.finished) })
        #expect(three.servers[3].served == 0)
        #expect(three.names.published == 1_000)
        #expect((970...1_000).contains(three.names.completed))
        // The same seed gives the same result, to the last digit.
        #expect(three == Self.run(instances: 3, seed: seed))
    }

    @Test(arguments: [UInt64(3), 4])
    func anAttackOnTheStaticNameDoesNotReachTemporaryOnes(_ seed: UInt64) throws {
        let atEase = Self.run(instances: 3, seed: seed)
        let attacked = Self.run(instances: 3, attack: 200_000, seed: seed)
        #expect(attacked.servers[3].strangersLost > 0)
        #expect(attacked.bootstrappedCurve == atEase.bootstrappedCurve)
        #expect(attacked.secondsTo100 == atEase.secondsTo100)
        #expect(attacked.datagrams == atEase.datagrams)
        #expect(attacked.strangers.guesses > 0)
        #expect(attacked.strangers.nameErrors == attacked.strangers.guesses)
        #expect(attacked.strangers.hits == 0)
        let one = Self.run(instances: 0, attack: 200_000, seed: seed)
        #expect(try #require(attacked.secondsTo50) < one.secondsTo50 ?? .infinity)
        #expect(one.servers[0].strangersLost > 0)
    }

    @Test func configurationsAreLimited() {
        let wild = PowerCutConfiguration(devices: 0, instances: 1_000, attackRate: .nan, within: .zero, seed: 0)
        #expect(wild.devices == 1)
        #expect(wild.instances == PowerCutConfiguration.instanceCounts.upperBound)
        #expect(wild.attackRate == 0)
        #expect(wild.within > .zero)
    }
}
