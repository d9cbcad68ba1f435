import BalancerEngine
import BootstrapURIs
import Primitives
import Testing

@Suite("Windows and names")
struct WindowTests {
    @Test("Every device has its name in each window that is served, shared evenly")
    func publishesNamesOfAllDevices() throws {
        let bench = try Bench.running(devices: 12, instances: 3)
        // The first window has just begun, and the one before it is still served.
        #expect(bench.engine.status.windows.map(\.stamp) == [999_999_000, 999_999_600])
        for device in 0..<12 {
            #expect(bench.zone.names[bench.name(device)] != nil)
            #expect(bench.zone.names[bench.name(device, window: -1)] != nil)
        }
        #expect(bench.zone.names.count == 24)
        #expect(bench.spread == [1: 8, 2: 8, 3: 8])
        #expect(bench.engine.status.published == 24)
        #expect(bench.engine.status.pending == 0)
    }

    @Test("The next window is published before it starts, the one before is kept after it ended")
    func servesWindowsAroundABorder() throws {
        var bench = try Bench.running(devices: 5)
        // Kept for skew and time to live: 30 s.
        bench.advance(seconds: 29, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(0, window: -1)] != nil)
        bench.advance(seconds: 1, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(0, window: -1)] == nil)
        // Published skew, time to live and the registry's time before its start: 60 s.
        bench.advance(seconds: 509, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(0, window: 1)] == nil)
        bench.advance(seconds: 1, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(0, window: 1)] != nil)
        #expect(bench.zone.names[bench.name(0)] != nil)
    }

    @Test("Deletions come later than all additions, and never in one batch with them")
    func addsFirstAndDeletesLater() throws {
        var bench = try Bench.running(devices: 30)
        bench.advance(seconds: 2000, reporting: Bench.instances(3))
        #expect(bench.zone.batches.allSatisfy { $0.assigned.isEmpty || $0.removed.isEmpty })
        #expect(bench.zone.batches.allSatisfy { $0.assigned.count + $0.removed.count <= 7 })
        #expect(bench.zone.batches.contains { !$0.removed.isEmpty })
    }

    @Test("Every batch expects the epoch that the one before left")
    func chainsEpochs() throws {
        var bench = try Bench.running(devices: 30)
        bench.advance(seconds: 700, reporting: Bench.instances(3))
        var epoch: RegistryEpoch?
        for batch in bench.zone.batches {
            #expect(batch.expected == epoch)
            #expect(batch.epoch.number == (epoch?.number ?? 0) + 1)
            epoch = batch.epoch
        }
    }

    @Test("Devices that share a name share its instance, and it stays as long as one of them wants it")
    func sharesCollidingNames() throws {
        // Sixteen names at most for 40 devices.
        var bench = try Bench(derivation: Bench.derivation(digits: 1))
        bench.start(devices: 40)
        for instance in Bench.instances(3) { bench.report(instance) }
        bench.settle()
        #expect(bench.zone.names.count <= 16)
        let owners = Dictionary(grouping: 0..<40) { bench.name($0, derivation: Bench.derivation(digits: 1)) }
        let (name, devices) = owners.first { $0.value.count > 1 }.unwrapped
        let others = (0..<40).filter { !devices.contains($0) }
        bench.tell(.devicesRemoved(others.map { Bench.endpoint($0) }))
        for device in devices.dropLast() { bench.tell(.devicesRemoved([Bench.endpoint(device)])) }
        bench.advance(seconds: 100, reporting: Bench.instances(3))
        #expect(Array(bench.zone.names.keys) == [name])
        bench.tell(.devicesRemoved([Bench.endpoint(devices[devices.count - 1])]))
        bench.advance(seconds: 31, reporting: Bench.instances(3))
        #expect(bench.zone.names.isEmpty)
    }

    @Test("A name that two windows have is never removed between them")
    func keepsNamesOfTwoWindows() throws {
        var bench = try Bench(derivation: Bench.derivation(digits: 1))
        bench.start(devices: 40)
        for instance in Bench.instances(3) { bench.report(instance) }
        bench.advance(seconds: 3000, reporting: Bench.instances(3))
        // Forty devices and sixteen names: nearly all names stand in every window.
        let removed = bench.zone.batches.reduce(0) { $0 + $1.removed.count }
        #expect(removed < 20)
        #expect(bench.zone.names.count > 10)
    }

    @Test("A profile with one window has names that stay, and operators' rotations drop who completed")
    func servesOneEndlessWindow() throws {
        var bench = try Bench(derivation: Bench.derivation(usesTime: false))
        bench.start(devices: 4)
        bench.report(Bench.instance(1))
        bench.settle()
        #expect(bench.zone.names.count == 4)
        let name = bench.zone.records[0].name
        let device = (0..<4).first { bench.oneWindowName($0) == name }.unwrapped
        bench.notify(.started, device: device, host: name)
        bench.notify(.completed, device: device, host: name)
        bench.tell(.rotationRequested)
        bench.advance(seconds: 29, reporting: Bench.instances(1))
        #expect(bench.zone.names.count == 4)
        bench.advance(seconds: 2, reporting: Bench.instances(1))
        #expect(bench.zone.names.count == 3)
        bench.tell(.devicesNeedBootstrap([Bench.endpoint(device)]))
        bench.settle()
        #expect(bench.zone.names[name] != nil)
    }

    @Test("Without civil time there is no window, and nothing is published or removed")
    func waitsForTheClock() throws {
        var bench = try Bench()
        bench.zone.names[bench.name(0)] = Bench.address(1)
        bench.tell(.restored(BalancerSnapshot(published: bench.zone.records)))
        bench.tell(.devicesAdded([Bench.device(0)]))
        bench.tell(.devicesLoaded)
        bench.report(Bench.instance(1))
        bench.advance(seconds: 100, reporting: Bench.instances(1))
        #expect(bench.zone.batches.isEmpty)
        #expect(bench.engine.status.windows.isEmpty)
    }

    @Test("A clock that jumps serves the windows of the new time")
    func followsTheClock() throws {
        var bench = try Bench.running(devices: 3)
        bench.tell(.clockSet(WallTime(secondsSinceEpoch: Bench.start.secondsSinceEpoch + 100_000)))
        bench.settle()
        let stamps = bench.engine.status.windows.map(\.stamp)
        #expect(stamps.allSatisfy { $0 > 1_000_098_000 })
        #expect(bench.zone.names.count == 3 * stamps.count)
    }

    @Test("A secret that the profile refuses is reported once, and stops nobody else")
    func reportsUnderivableDevices() throws {
        var bench = try Bench.running(devices: 2)
        let weak = BalancerDevice(endpoint: "weak", secret: SecretBytes([1, 2, 3]))
        bench.tell(.devicesAdded([weak]))
        bench.advance(seconds: 700, reporting: Bench.instances(3))
        #expect(bench.reports.filter { $0 == .underivable(endpoint: "weak") }.count == 1)
        #expect(bench.zone.names[bench.name(0, window: 1)] != nil)
        // A better secret is taken.
        bench.tell(.devicesAdded([BalancerDevice(endpoint: "weak", secret: Bench.device(9).secret)]))
        bench.settle()
        #expect(bench.zone.names.count == 3 * bench.engine.status.windows.count)
    }

    @Test("A new secret gives new names at once, and takes the old ones back after resolvers forgot them")
    func replacesNamesOfANewSecret() throws {
        var bench = try Bench.running(devices: 2)
        let old = bench.name(0)
        bench.tell(
            .devicesAdded([
                BalancerDevice(endpoint: Bench.endpoint(0), secret: SecretBytes(Array(repeating: 9, count: 16)))
            ])
        )
        bench.settle()
        #expect(bench.zone.names[old] != nil)
        #expect(bench.zone.names.count == 6)
        bench.advance(seconds: 31, reporting: Bench.instances(3))
        #expect(bench.zone.names[old] == nil)
        #expect(bench.zone.names.count == 2)
    }

    @Test("Rules that do not go together are refused")
    func refusesRules() throws {
        try self.expect(.invalidWriter) { $0.writer = "a b" }
        try self.expect(.invalidWriter) { $0.writer = "" }
        try self.expect(.outOfRange) { $0.batchSize = 0 }
        try self.expect(.outOfRange) { $0.timeToLive = 0 }
        try self.expect(.outOfRange) { $0.maximumInstances = 1001 }
        try self.expect(.periodTooShort) { $0.timeToLive = 601 }
        try self.expect(.windowsOverlap(leastPeriod: 626)) { $0.registryTime = .seconds(1191) }
    }

    private func expect(
        _ problem: BalancerConfiguration.Problem,
        _ change: (inout BalancerConfiguration) -> Void
    ) throws {
        var configuration = Bench.configuration
        change(&configuration)
        #expect(throws: problem) { try Bench(configuration) }
    }
}

extension Bench {
    static func instances(_ count: Int) -> [BootstrapInstance] { (1...count).map { Bench.instance($0) } }

    func oneWindowName(_ device: Int) -> UTF8Text {
        let window = TimeWindow(stamp: 0)
        let derivation = Bench.derivation(usesTime: false)
        return derivation.host(Bench.device(device).secret, Bench.endpoint(device), window).unwrapped
    }
}
