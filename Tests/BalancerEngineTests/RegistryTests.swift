import BalancerEngine
import BootstrapURIs
import CoAPMessages
import CryptographicHashes
import Primitives
import Testing

@Suite("A registry in trouble")
struct RegistryTests {
    @Test("A registry that cannot be reached is tried again, later and later, and nothing is lost")
    func retriesUnreachable() throws {
        var bench = try Bench.running(devices: 6)
        bench.failure = .unreachable
        bench.tell(.devicesAdded([Bench.device(6)]))
        bench.advance(seconds: 200, reporting: Bench.instances(3))
        let pauses = bench.reports.compactMap { report -> Duration? in
            if case .registryUnreachable(let retry) = report { return retry }
            return nil
        }
        #expect(pauses.prefix(8) == [1, 2, 4, 8, 16, 32, 60, 60].map { Duration.seconds($0) }.prefix(pauses.count))
        #expect(pauses.count >= 6)
        #expect(bench.engine.status.writing == .unreachable)
        bench.failure = nil
        bench.advance(seconds: 60, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(6)] != nil)
        #expect(bench.reports.contains(.registryRecovered))
        #expect(bench.engine.status.writing == .idle)
    }

    @Test("A registry that refuses is tried again slowly, and says why")
    func retriesRefused() throws {
        var bench = try Bench.running(devices: 6)
        bench.failure = .refused(9)
        bench.tell(.devicesAdded([Bench.device(6)]))
        bench.advance(seconds: 100, reporting: Bench.instances(3))
        #expect(bench.engine.status.writing == .refused(9))
        #expect(bench.reports.filter { $0 == .registryRefused(9, retry: .seconds(60)) }.count == 2)
        bench.failure = nil
        bench.advance(seconds: 60, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(6)] != nil)
    }

    @Test("An answer that was lost is found by reading the epoch; the batch is not done twice")
    func findsLostAnswers() throws {
        var bench = try Bench.running(devices: 6)
        bench.losesAnswers = true
        bench.tell(.devicesAdded([Bench.device(6)]))
        bench.settle()
        #expect(bench.zone.names[bench.name(6)] != nil)
        let batches = bench.zone.batches.count
        bench.losesAnswers = false
        bench.advance(seconds: 5, reporting: Bench.instances(3))
        #expect(bench.zone.batches.count == batches)
        #expect(bench.engine.status.writing == .idle)
        #expect(bench.engine.counters.batches == UInt64(batches))
    }

    @Test("Another writer stops this one, until an operator lets it take over what the zone has")
    func yieldsToAnotherWriter() throws {
        var bench = try Bench.running(devices: 6)
        // The other one moves a name of ours, adds one like ours, and there is one that is nobody's.
        let moved = bench.name(0)
        bench.zone.names[moved] = Bench.address(2)
        bench.zone.names["bsffffffff.example.test"] = Bench.address(9)
        bench.zone.names["www.example.test"] = Bench.address(50)
        bench.zone.epoch = RegistryEpoch(writer: "balancer-2", number: 90)
        let theirs = bench.zone
        bench.advance(seconds: 700, reporting: Bench.instances(3))
        #expect(bench.zone.names == theirs.names)
        #expect(bench.reports.contains(.superseded(by: theirs.epoch)))
        #expect(bench.engine.status.writing == .superseded)
        #expect(bench.snapshot.isSuperseded)
        // A restart does not change it.
        var again = try Bench(snapshot: bench.snapshot, zone: bench.zone)
        again.now = bench.now
        again.start(devices: 6)
        again.advance(seconds: 100, reporting: Bench.instances(3))
        #expect(again.zone.names == theirs.names)
        again.tell(.takeOverRequested)
        again.advance(seconds: 100, reporting: Bench.instances(3))
        #expect(again.zone.epoch?.writer == "balancer-1")
        #expect(again.zone.batches.dropFirst(theirs.batches.count).first?.expected == theirs.epoch)
        #expect(again.zone.names["bsffffffff.example.test"] == nil)
        #expect(again.zone.names["www.example.test"] == Bench.address(50))
        #expect(again.zone.names[again.name(0, window: 1)] != nil)
        #expect(!again.snapshot.isSuperseded)
    }

    @Test("What another writer decided holds after a take-over, where the instance is up")
    func keepsTheOtherWritersMapping() throws {
        var first = try Bench.running(devices: 9)
        first.settle()
        var configuration = Bench.configuration
        configuration.writer = "balancer-2"
        var second = try Bench(configuration, zone: first.zone)
        second.tell(.restored(BalancerSnapshot()))
        // Instances come in another order, so that it would decide otherwise.
        for instance in Bench.instances(3).reversed() { second.report(instance) }
        second.tell(.clockSet(second.time))
        second.tell(.devicesAdded((0..<9).map { Bench.device($0) }))
        second.tell(.devicesLoaded)
        second.settle()
        #expect(second.engine.status.writing == .superseded)
        second.tell(.takeOverRequested)
        second.settle()
        #expect(second.engine.status.writing == .idle)
        #expect(second.zone.names == first.zone.names)
        #expect(second.snapshot.published.count == 18)
    }

    @Test("Names whose length follows device and time are known for what they are after a take-over")
    func removesTheOtherWritersNamesOfAnyLength() throws {
        let profile = try BootstrapURIProfile(parsing: "part=after:time:last:10,period=600,clock-skew=10")
        let uris = try TemporaryURIs(profile: profile, staticURI: CoAPURI(parsing: "coaps://bs.example.test"))
        for derivation in [
            NameDerivation(uris: uris, hashes: .libCrypto),
            NameDerivation(
                uris: try TemporaryURIs(
                    profile: BootstrapURIProfile(parsing: "part=before:endpoint:first:9,period=600,clock-skew=10"),
                    staticURI: uris.staticURI
                ),
                hashes: .libCrypto
            ),
        ] {
            var zone = ModelRegistry()
            let window = TimeWindow(stamp: Bench.start.secondsSinceEpoch - 6000)
            for device in 0..<3 {
                let name = derivation.host(Bench.device(device).secret, Bench.endpoint(device), window).unwrapped
                zone.names[name] = Bench.address(9)
            }
            zone.names["www.example.test"] = Bench.address(50)
            zone.epoch = RegistryEpoch(writer: "balancer-2", number: 90)
            var bench = try Bench(derivation: derivation, zone: zone)
            bench.start(devices: 3)
            bench.report(Bench.instance(1))
            bench.tell(.takeOverRequested)
            bench.advance(seconds: 60, reporting: Bench.instances(1))
            #expect(bench.reports.contains(.tookOver(names: 3)))
            #expect(bench.zone.names.filter { $0.value == Bench.address(9) }.isEmpty)
            #expect(bench.zone.names["www.example.test"] == Bench.address(50))
        }
    }

    @Test("A zone that was emptied is filled again")
    func fillsAnEmptiedZone() throws {
        var bench = try Bench.running(devices: 6)
        let names = bench.zone.names
        bench.zone = ModelRegistry()
        bench.tell(.devicesAdded([Bench.device(6)]))
        bench.advance(seconds: 5, reporting: Bench.instances(3))
        for (name, address) in names { #expect(bench.zone.names[name] == address) }
        #expect(bench.zone.names[bench.name(6)] != nil)
    }

    @Test("A balancer that lost its store, but not its name, takes the zone as it is")
    func readsItsOwnZoneAfterLosingTheStore() throws {
        let before = try Bench.running(devices: 6)
        var bench = try Bench(zone: before.zone)
        bench.start(devices: 6)
        for instance in Bench.instances(3) { bench.report(instance) }
        bench.settle()
        #expect(bench.engine.status.writing == .idle)
        #expect(bench.reports.contains(.tookOver(names: 12)))
        #expect(bench.zone.names.count == 12)
    }

    @Test("A store that fails is tried again, and no batch is sent before it was stored")
    func storesBeforeSending() throws {
        var bench = try Bench.running(devices: 6)
        let batches = bench.zone.batches.count
        bench.isStoreBroken = true
        bench.tell(.devicesAdded([Bench.device(6)]))
        bench.advance(seconds: 20, reporting: Bench.instances(3))
        #expect(bench.zone.batches.count == batches)
        #expect(bench.reports.contains(.storageFailed(retry: .seconds(4))))
        bench.isStoreBroken = false
        bench.advance(seconds: 40, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(6)] != nil)
    }

    @Test("Nothing is removed before all devices were loaded after a restart")
    func removesNothingBeforeLoading() throws {
        let before = try Bench.running(devices: 6)
        var bench = try Bench(snapshot: before.snapshot, zone: before.zone)
        bench.tell(.restored(bench.snapshot))
        bench.tell(.clockSet(bench.time))
        bench.tell(.devicesAdded([Bench.device(0)]))
        bench.advance(seconds: 200, reporting: Bench.instances(3))
        #expect(bench.zone.names == before.zone.names)
        bench.tell(.devicesLoaded)
        bench.advance(seconds: 31, reporting: Bench.instances(3))
        #expect(Set(bench.zone.names.keys) == [bench.name(0)])
    }

    @Test("Names are listed page by page as the zone has them")
    func listsNames() throws {
        let bench = try Bench.running(devices: 6)
        var listed: [NameRecord] = []
        var cursor: Int? = 0
        while let from = cursor {
            let (page, next) = bench.engine.names(from: from, limit: 5)
            #expect(page.count <= 5)
            listed += page
            cursor = next
        }
        #expect(Set(listed) == Set(bench.zone.records))
    }
}
