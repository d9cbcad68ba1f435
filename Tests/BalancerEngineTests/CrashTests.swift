import BalancerEngine
import BootstrapURIs
import Primitives
import TestSupport
import Testing

@Suite("A balancer that dies anywhere")
struct CrashTests {
    private static let devices = 8

    /// Small batches, so that there are many places to cut.
    private static var configuration: BalancerConfiguration {
        var configuration = Bench.configuration
        configuration.batchSize = 3
        return configuration
    }

    /// A life with everything in it: names published, windows that change, devices in progress, instances that go.
    private func live(_ bench: inout Bench) {
        bench.start(devices: Self.devices)
        for instance in Bench.instances(3) { bench.report(instance) }
        bench.settle()
        bench.notify(.started, device: 0, instance: 1)
        bench.notify(.started, device: 1, instance: 2)
        bench.advance(seconds: 545, reporting: Bench.instances(3))
        bench.notify(.completed, device: 0, instance: 1)
        bench.notify(.started, device: 2, host: bench.name(2, window: 1), instance: 3)
        bench.tell(.instanceLost("instance-3"))
        bench.settle()
        bench.advance(seconds: 100, reporting: Bench.instances(2))
        bench.notify(.failed, device: 1, instance: 2)
        bench.tell(.devicesNeedBootstrap(nil))
        bench.advance(seconds: 60, reporting: Bench.instances(2))
    }

    /// What the zone must have once a balancer has had time: the names of devices that wait, and those in progress.
    private func expectedNames(_ bench: Bench) -> Set<UTF8Text> {
        var names: Set<UTF8Text> = []
        for device in 0..<Self.devices {
            let progress = bench.engine.progress(of: Bench.endpoint(device)).unwrapped
            if let host = progress.host { names.insert(host) }
            guard progress.phase == .waiting || progress.isRestarted else { continue }
            for window in bench.engine.status.windows {
                names.insert(bench.name(device, window: (window.stamp - Bench.start.secondsSinceEpoch) / Bench.period))
            }
        }
        return names
    }

    @Test("Cut after any output, restarted from what was stored, it ends where it would have")
    func survivesACutAnywhere() throws {
        var whole = try Bench(Self.configuration)
        self.live(&whole)
        #expect(whole.performed > 80, "there are few places to cut")
        #expect(whole.violations.isEmpty)
        for cut in 0...whole.performed {
            var first = try Bench(Self.configuration)
            first.cut = cut
            self.live(&first)
            var second = try Bench(Self.configuration, snapshot: first.snapshot, zone: first.zone)
            second.now = first.now
            second.start(devices: Self.devices)
            #expect(first.violations.isEmpty, "cut after \(cut)")
            // What was acknowledged is known.
            for row in first.snapshot.devices {
                #expect(second.engine.progress(of: row.endpoint) == row, "cut after \(cut)")
            }
            // Long enough for windows that only the first one served to end.
            second.advance(seconds: 700, reporting: Bench.instances(2))
            #expect(second.violations.isEmpty, "cut after \(cut)")
            #expect(Set(second.zone.names.keys) == self.expectedNames(second), "cut after \(cut)")
            #expect(second.zone.names.values.allSatisfy { [Bench.address(1), Bench.address(2)].contains($0) })
            #expect(second.engine.status.writing == .idle)
            let published = Dictionary(uniqueKeysWithValues: second.snapshot.published.map { ($0.name, $0.address) })
            #expect(published == second.zone.names, "cut after \(cut)")
        }
    }

    @Test("Two balancers of one zone never both write: who was superseded stays silent until told otherwise")
    func neverTwoWriters() throws {
        try SeededRuns.each(20) { generator in
            var zone = ModelRegistry()
            var balancers: [Bench] = []
            for number in 1...2 {
                var configuration = Bench.configuration
                configuration.writer = UTF8Text("balancer-\(number)")
                var bench = try Bench(configuration)
                bench.zone = zone
                bench.start(devices: 6)
                for instance in Bench.instances(3) { bench.report(instance) }
                bench.settle()
                zone = bench.zone
                balancers.append(bench)
            }
            try #require(balancers.map { $0.engine.status.writing } == [.idle, .superseded])
            var writer = 0
            for _ in 0..<30 {
                let turn = Int(generator.next() % 2)
                let takesOver = generator.next() % 4 == 0
                let before = zone.batches.count
                balancers[turn].zone = zone
                if takesOver { balancers[turn].tell(.takeOverRequested) }
                balancers[turn].tell(.devicesAdded([Bench.device(Int(generator.next() % 40))]))
                balancers[turn].advance(seconds: Int64(generator.next() % 100), reporting: Bench.instances(3))
                zone = balancers[turn].zone
                if takesOver { writer = turn }
                let writers = Set(zone.batches[before...].map(\.epoch.writer))
                try #require(writers.isSubset(of: [UTF8Text("balancer-\(writer + 1)")]))
                if turn != writer { try #require(zone.batches.count == before) }
            }
            // Their clocks ran apart, which is why nothing is said here about names; each batch followed the one before.
            for (batch, next) in zip(zone.batches, zone.batches.dropFirst()) {
                try #require(next.expected == batch.epoch)
            }
        }
    }
}
