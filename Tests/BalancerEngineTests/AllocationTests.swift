import BalancerEngine
import Primitives
import Testing

@Suite("Sharing names among instances")
struct AllocationTests {
    /// A balancer that serves one endless window, so that each device has one name.
    private func bench(
        _ strategy: AllocationStrategy = AllocationStrategy(),
        devices: [BalancerDevice],
        instances: [BootstrapInstance],
        inProgress: [Int] = []
    ) throws -> Bench {
        var configuration = Bench.configuration
        configuration.strategy = strategy
        configuration.batchSize = 400
        var bench = try Bench(configuration, derivation: Bench.derivation(usesTime: false))
        bench.tell(.restored(BalancerSnapshot()))
        bench.tell(.clockSet(bench.time))
        for (index, instance) in instances.enumerated() {
            bench.report(instance, inProgress: index < inProgress.count ? inProgress[index] : 0)
        }
        bench.settle()
        bench.tell(.devicesAdded(devices))
        bench.tell(.devicesLoaded)
        bench.settle()
        return bench
    }

    private func devices(_ count: Int) -> [BalancerDevice] { (0..<count).map { Bench.device($0) } }

    /// Does something, and counts the names that lead elsewhere afterwards.
    private func moves(_ bench: inout Bench, _ body: (inout Bench) -> Void) -> Int {
        let before = bench.zone.names
        body(&bench)
        bench.settle()
        return before.filter { bench.zone.names[$0.key] != $0.value }.count
    }

    @Test("Even: nobody has two names more than another, whoever comes or goes, and only the least moves")
    func sharesEvenly() throws {
        for count in [1, 10, 60, 101] {
            var bench = try self.bench(devices: self.devices(count), instances: Bench.instances(4))
            var up = Set(1...4)
            for step in [-2, 5, 6, -1, -4, 2, 7, 1] {
                let before = bench.spread
                let moved = self.moves(&bench) { bench in
                    if step < 0 {
                        bench.tell(.instanceLost(Bench.instance(-step).name))
                    } else {
                        bench.report(Bench.instance(step))
                    }
                }
                if step < 0 { up.remove(-step) } else { up.insert(step) }
                let floor = count / up.count
                let ceiling = (count + up.count - 1) / up.count
                for instance in up { #expect((floor...ceiling).contains(bench.spread[instance] ?? 0)) }
                // What is at a lost instance must move; beyond that, what is above the share that the most may have.
                let lost = step < 0 ? before[-step] ?? 0 : 0
                #expect(
                    moved == max(lost, self.leastMoves(before, up: up, names: count)),
                    "\(count) names, step \(step)"
                )
            }
        }
    }

    /// The fewest moves to an even spread: everything above the floor, but for as many as may have one more.
    private func leastMoves(_ spread: [Int: Int], up: Set<Int>, names: Int) -> Int {
        let floor = names / up.count
        let counts = up.map { spread[$0] ?? 0 }
        let mayKeepOneMore = min(names % up.count, counts.filter { $0 > floor }.count)
        let above = counts.reduce(0) { $0 + max(0, $1 - floor) }
        return above - mayKeepOneMore + names - counts.reduce(0, +)
    }

    @Test("Weighted: names in proportion to the weights, within one, also after instances come and go")
    func sharesByWeight() throws {
        var bench = try self.bench(
            AllocationStrategy(.weighted),
            devices: self.devices(120),
            instances: [Bench.instance(1, weight: 1), Bench.instance(2, weight: 2), Bench.instance(3, weight: 3)]
        )
        #expect(bench.spread == [1: 20, 2: 40, 3: 60])
        // From 20, 40, 60 to 12, 24, 36, 48: what the new one gets, and no more, moves.
        #expect(self.moves(&bench) { $0.report(Bench.instance(4, weight: 4)) } == 48)
        #expect(bench.spread == [1: 12, 2: 24, 3: 36, 4: 48])
        #expect(self.moves(&bench) { $0.tell(.instanceLost("instance-3")) } == 36)
        // 120 in proportions 1, 2, 4: 17.1, 34.3, 68.6.
        #expect([17, 18].contains(bench.spread[1]) && [34, 35].contains(bench.spread[2]))
        #expect([68, 69].contains(bench.spread[4]))
        // An instance that got smaller gives what it has too much.
        let before = bench.spread[4].unwrapped
        let moved = self.moves(&bench) { $0.report(Bench.instance(4, weight: 1)) }
        #expect(bench.spread == [1: 30, 2: 60, 4: 30])
        #expect(moved == before - 30)
    }

    @Test("Least connections: who has more in progress gets fewer names")
    func sharesByConnections() throws {
        var bench = try self.bench(
            AllocationStrategy(.leastConnections),
            devices: self.devices(60),
            instances: Bench.instances(3),
            inProgress: [30, 0, 60]
        )
        // 150 bootstraps and names: 50 each, and the third one has more than that already.
        #expect(bench.spread == [1: 15, 2: 45])
        // Reports alone move nothing.
        #expect(self.moves(&bench) { $0.report(Bench.instance(3), inProgress: 0) } == 0)
        // A new one takes its share from those that have more, and nothing else moves.
        let moved = self.moves(&bench) { $0.report(Bench.instance(4), inProgress: 0) }
        #expect(moved == bench.spread[4])
        #expect(moved > 0)
        let before = bench.zone.names
        #expect(
            self.moves(&bench) { $0.tell(.instanceLost("instance-2")) }
                == before.values.filter { $0 == Bench.address(2) }.count
        )
    }

    @Test("Weighted least connections: proportions count what is in progress")
    func sharesByWeightAndConnections() throws {
        let bench = try self.bench(
            AllocationStrategy(.weightedLeastConnections),
            devices: self.devices(60),
            instances: [Bench.instance(1, weight: 1), Bench.instance(2, weight: 3)],
            inProgress: [20, 0]
        )
        // 80 in all: 20 and 60.
        #expect(bench.spread == [2: 60])
    }

    @Test("Region: devices go to instances of their region, else to those of none, else to any")
    func sharesByRegion() throws {
        let north = (0..<20).map { Bench.device($0, region: "north") }
        let south = (20..<40).map { Bench.device($0, region: "south") }
        let unknown = (40..<60).map { Bench.device($0) }
        var bench = try self.bench(
            AllocationStrategy(filters: [.region]),
            devices: north + south + unknown,
            instances: [
                Bench.instance(1, region: "north"), Bench.instance(2, region: "north"), Bench.instance(3),
            ]
        )
        #expect(bench.spread == [1: 10, 2: 10, 3: 40])
        // Only the names of the south have a reason to move.
        #expect(self.moves(&bench) { $0.report(Bench.instance(4, region: "south")) } == 20)
        #expect(bench.spread == [1: 10, 2: 10, 3: 20, 4: 20])
        #expect(self.moves(&bench) { $0.tell(.instanceLost("instance-3")) } == 20)
        let first = bench.spread[1].unwrapped
        #expect(first > 10)
        #expect(self.moves(&bench) { $0.tell(.instanceLost("instance-1")) } == first)
        #expect(bench.spread[2].unwrapped + bench.spread[4].unwrapped == 60)
    }

    @Test("Class, then region, then weights: filters narrow one after the other")
    func combinesStrategies() throws {
        let devices = (0..<60).map { number in
            Bench.device(
                number,
                region: number % 2 == 0 ? "north" : "south",
                deviceClass: number < 30 ? "meter" : "lamp"
            )
        }
        let bench = try self.bench(
            AllocationStrategy(filters: [.deviceClass, .region], .weighted),
            devices: devices,
            instances: [
                Bench.instance(1, weight: 2, region: "north", classes: ["meter"]),
                Bench.instance(2, weight: 1, region: "north", classes: ["meter", "lamp"]),
                Bench.instance(3, region: "south", classes: ["lamp"]),
                Bench.instance(4, region: "south"),
            ]
        )
        // Meters: both of the north have them, by weight, also those of the south, since no one there lists meters.
        // Lamps: the north's go to 2, the south's to 3; nobody needs 4, which is for every class.
        #expect(bench.spread == [1: 20, 2: 25, 3: 15])
    }

    @Test("Several addresses of an instance share its names")
    func usesAllAddresses() throws {
        var instance = Bench.instance(1)
        instance.addresses = [Bench.address(1), Bench.address(2)]
        let bench = try self.bench(devices: self.devices(20), instances: [instance])
        #expect(bench.spread == [1: 10, 2: 10])
    }

    @Test("Each window is shared evenly by itself")
    func sharesEveryWindow() throws {
        var bench = try Bench.running(devices: 30)
        bench.advance(seconds: 560, reporting: Bench.instances(3))
        for window: Int64 in [0, 1] {
            var spread: [Int: Int] = [:]
            for device in 0..<30 {
                spread[bench.instance(of: bench.name(device, window: window)).unwrapped, default: 0] += 1
            }
            #expect(spread == [1: 10, 2: 10, 3: 10])
        }
    }

    @Test("Names that move come from all over the devices, not from one stretch of them")
    func movesNamesFromAllOver() throws {
        var bench = try self.bench(devices: self.devices(200), instances: Bench.instances(1))
        _ = self.moves(&bench) { $0.report(Bench.instance(2)) }
        _ = self.moves(&bench) { $0.report(Bench.instance(3)) }
        _ = self.moves(&bench) { $0.report(Bench.instance(4)) }
        for stretch in 0..<4 {
            let devices = (stretch * 50)..<(stretch * 50 + 50)
            let spread = Dictionary(grouping: devices) { bench.zone.names[bench.oneWindowName($0)].unwrapped }
            #expect(spread.count == 4)
            #expect(spread.values.allSatisfy { (4...26).contains($0.count) })
        }
    }

    @Test("A batch holds no more bytes than a message of the registry")
    func boundsBatchesByBytes() throws {
        var configuration = Bench.configuration
        configuration.batchSize = 1000
        configuration.batchByteCount = 3000
        let bench = try Bench.running(devices: 200, instances: 3, configuration)
        #expect(bench.zone.batches.allSatisfy { $0.byteCount <= 3000 })
        #expect(bench.zone.names.count == 400)
        #expect(bench.zone.batches.contains { $0.byteCount > 2000 })
    }
}
