import BalancerEngine
import Primitives
import Testing

@Suite("Instances that come and go")
struct InstanceTests {
    @Test("An instance that is silent for three reports is lost, and its names go to the others")
    func losesSilentInstances() throws {
        var bench = try Bench.running(devices: 12)
        let before = bench.zone.names
        bench.advance(seconds: 14, reporting: [Bench.instance(1), Bench.instance(2)])
        #expect(bench.spread[3] == 8)
        bench.advance(seconds: 1, reporting: [Bench.instance(1), Bench.instance(2)])
        #expect(bench.spread == [1: 12, 2: 12])
        // Nothing moved but what had to.
        let moved = before.filter { bench.zone.names[$0.key] != $0.value }
        #expect(moved.allSatisfy { $0.value == Bench.address(3) })
        #expect(bench.reports.contains(.instanceLost("instance-3", names: 8, restarted: 0)))
        #expect(Set(bench.snapshot.instances.map(\.name)) == ["instance-1", "instance-2"])
    }

    @Test("Devices in progress at a lost instance keep their name, which leads to another one, and are marked")
    func restartsDevicesOfALostInstance() throws {
        var bench = try Bench.running(devices: 6)
        let device = (0..<6).first { bench.instance(of: bench.name($0)) == 2 }.unwrapped
        let name = bench.name(device)
        bench.notify(.started, device: device, instance: 2)
        bench.advance(seconds: 100, reporting: Bench.instances(3))
        bench.tell(.instanceLost("instance-2"))
        bench.settle()
        let row = bench.engine.progress(of: Bench.endpoint(device)).unwrapped
        #expect(row.isRestarted && row.phase == .started && row.host == name)
        #expect(bench.snapshot.devices.contains(row))
        #expect([1, 3].contains(bench.instance(of: name).unwrapped))
        #expect(bench.engine.status.restarted == 1)
        // It comes to the new instance, which asks and is told that the name is pinned.
        bench.tell(.pinAsked(bench.exchange(), endpoint: Bench.endpoint(device), host: name))
        #expect(bench.pinAnswers == [true])
        let others = [Bench.instance(1), Bench.instance(3)]
        // Or it gives up, and comes by the name of the next window.
        bench.advance(seconds: 600, reporting: others)
        #expect(bench.zone.names[bench.name(device, window: 1)] != nil)
        #expect(bench.zone.names[name] != nil)
        bench.notify(.started, device: device, host: name, instance: 1, procedure: "again")
        bench.advance(seconds: 1200, reporting: others)
        #expect(bench.zone.names[bench.name(device, window: 3)] == nil)
        #expect(bench.engine.status.restarted == 0)
        #expect(bench.instance(of: name) == 1)
        bench.notify(.completed, device: device, host: name, instance: 1, procedure: "again")
        #expect(bench.engine.status.completed == 1)
    }

    @Test("An instance that begins anew before it is missed has lost what was in progress, and nothing else")
    func restartsDevicesOfAnInstanceThatBeginsAnew() throws {
        var bench = try Bench.running(devices: 6)
        let device = (0..<6).first { bench.instance(of: bench.name($0)) == 2 }.unwrapped
        let name = bench.name(device)
        bench.notify(.started, device: device, instance: 2)
        bench.advance(seconds: 100, reporting: Bench.instances(3))
        let before = bench.zone.names
        // It is told twice, since the first answer was lost.
        for _ in 0..<2 { bench.tell(.instanceReported(Bench.instance(2), inProgress: 0, isFirst: true)) }
        bench.settle()
        let row = bench.engine.progress(of: Bench.endpoint(device)).unwrapped
        #expect(row.isRestarted && row.phase == .started && row.host == name)
        #expect(bench.snapshot.devices.contains(row))
        #expect(bench.reports.contains(.instanceRestarted("instance-2", restarted: 1)))
        #expect(bench.engine.status.restarted == 1)
        #expect(bench.zone.names == before)
        // The device noticed too late for the window, and comes by the name of the next one.
        bench.advance(seconds: 600, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(device, window: 1)] != nil)
        bench.notify(.started, device: device, host: bench.name(device, window: 1), instance: 2, procedure: "again")
        bench.notify(.completed, device: device, host: bench.name(device, window: 1), instance: 2, procedure: "again")
        #expect(bench.engine.status.completed == 1)
        #expect(bench.engine.status.restarted == 0)
    }

    @Test("A new instance takes its share from the others, and names in progress stay")
    func sharesWithANewInstance() throws {
        var bench = try Bench.running(devices: 12, instances: 2)
        #expect(bench.spread == [1: 12, 2: 12])
        for device in 0..<6 {
            bench.notify(.started, device: device, instance: bench.instance(of: bench.name(device)).unwrapped)
        }
        let before = bench.zone.names
        bench.report(Bench.instance(3))
        bench.settle()
        #expect(bench.spread == [1: 8, 2: 8, 3: 8])
        for device in 0..<6 { #expect(bench.zone.names[bench.name(device)] == before[bench.name(device)]) }
        #expect(bench.engine.counters.moved == 8)
    }

    @Test("An instance that comes back before its names were given away has them still")
    func takesBackAnInstance() throws {
        var bench = try Bench.running(devices: 12, instances: 1)
        let before = bench.zone.batches.count
        bench.advance(seconds: 16)
        #expect(bench.reports.contains(.noInstance(isHolding: false)))
        #expect(bench.zone.names.values.allSatisfy { $0 == Bench.address(1) }, "names keep the last mapping")
        bench.report(Bench.instance(1))
        bench.settle()
        #expect(bench.zone.batches.count == before)
        #expect(bench.engine.status.instances.map(\.names) == [24])
    }

    @Test("An instance with a new address has its names led there")
    func followsNewAddresses() throws {
        var bench = try Bench.running(devices: 6)
        var instance = Bench.instance(2)
        instance.addresses = [Bench.address(7), Bench.address(8)]
        bench.report(instance)
        bench.settle()
        #expect(bench.spread[2] == nil)
        #expect((bench.spread[7] ?? 0) + (bench.spread[8] ?? 0) == 4)
        #expect(bench.engine.counters.moved == 0)
    }

    @Test("Instances are bounded, and must describe themselves within bounds")
    func boundsInstances() throws {
        var configuration = Bench.configuration
        configuration.maximumInstances = 2
        var bench = try Bench.running(devices: 2, instances: 2, configuration)
        bench.report(Bench.instance(3))
        bench.report(Bench.instance(1, weight: 0))
        bench.report(BootstrapInstance(name: "instance-1", addresses: []))
        bench.report(BootstrapInstance(name: "", addresses: [Bench.address(1)]))
        #expect(bench.engine.counters.refusedByBounds == 4)
        #expect(bench.engine.status.instances.count == 2)
    }

    @Test("Without any instance names lead to the balancer, which holds devices and starts one instance")
    func startsAnInstanceOnDemand() throws {
        var configuration = Bench.configuration
        configuration.holdingAddress = Bench.address(99)
        configuration.instanceIdleTime = .seconds(120)
        var bench = try Bench.running(devices: 4, instances: 0, configuration)
        #expect(bench.spread == [99: 8])
        bench.tell(.holdAsked(bench.exchange(), endpoint: Bench.endpoint(0), host: bench.name(0)))
        bench.tell(.holdAsked(bench.exchange(), endpoint: Bench.endpoint(1), host: bench.name(1)))
        #expect(bench.holdAnswers == [.hold(maxAge: 5), .hold(maxAge: 5)])
        #expect(bench.startedInstances == 1)
        bench.tell(.instanceStarted("instance-1"))
        bench.report(Bench.instance(1))
        bench.settle()
        #expect(bench.spread == [1: 8])
        // A device whose resolver still has the old answer is held once more, and nothing is started for it.
        bench.tell(.holdAsked(bench.exchange(), endpoint: Bench.endpoint(1), host: bench.name(1)))
        #expect(bench.startedInstances == 1)
        bench.notify(.started, device: 0)
        bench.notify(.completed, device: 0)
        // Names lead back to the balancer after the idle time; the instance stops when no resolver has it any more.
        bench.advance(seconds: 121, reporting: Bench.instances(1))
        #expect(bench.spread[1] == nil)
        #expect(bench.stoppedInstances.isEmpty)
        bench.advance(seconds: 20, reporting: Bench.instances(1))
        #expect(bench.stoppedInstances == ["instance-1"])
    }

    @Test("A device is held only at its own names")
    func refusesToHoldOthers() throws {
        var configuration = Bench.configuration
        configuration.holdingAddress = Bench.address(99)
        var bench = try Bench.running(devices: 2, instances: 0, configuration)
        for host in [bench.name(1), "bs.example.test", "", bench.name(0, window: 1)] {
            bench.tell(.holdAsked(bench.exchange(), endpoint: Bench.endpoint(0), host: host))
        }
        bench.tell(.holdAsked(bench.exchange(), endpoint: "stranger", host: bench.name(0)))
        #expect(bench.holdAnswers == Array(repeating: .refuse, count: 5))
        #expect(bench.startedInstances == 0)
        #expect(bench.engine.counters.refusedHolds == 5)
    }

    @Test("An instance that does not start, or never reports, is asked for again after a pause")
    func retriesToStartAnInstance() throws {
        var configuration = Bench.configuration
        configuration.holdingAddress = Bench.address(99)
        var bench = try Bench.running(devices: 2, instances: 0, configuration)
        let hold = { (bench: inout Bench) in
            bench.tell(.holdAsked(bench.exchange(), endpoint: Bench.endpoint(0), host: bench.name(0)))
        }
        hold(&bench)
        bench.tell(.instanceStartFailed)
        hold(&bench)
        #expect(bench.startedInstances == 1)
        bench.advance(seconds: 60)
        hold(&bench)
        #expect(bench.startedInstances == 2)
        bench.tell(.instanceStarted("instance-1"))
        bench.advance(seconds: 60)
        #expect(bench.reports.filter { $0 == .instanceStartFailed }.count == 2)
        bench.advance(seconds: 60)
        hold(&bench)
        #expect(bench.startedInstances == 3)
    }

    @Test("A process that ends before it reports is not waited for: the next device has another one started")
    func startsAnotherInstanceAfterOneThatEnded() throws {
        var configuration = Bench.configuration
        configuration.holdingAddress = Bench.address(99)
        var bench = try Bench.running(devices: 2, instances: 0, configuration)
        let hold = { (bench: inout Bench) in
            bench.tell(.holdAsked(bench.exchange(), endpoint: Bench.endpoint(0), host: bench.name(0)))
        }
        hold(&bench)
        bench.tell(.instanceStarted("instance-1"))
        bench.tell(.instanceLost("instance-2"))
        hold(&bench)
        #expect(bench.startedInstances == 1, "another one's end says nothing of it")
        bench.tell(.instanceLost("instance-1"))
        #expect(bench.reports.contains(.instanceStartFailed))
        hold(&bench)
        #expect(bench.startedInstances == 2)
    }
}
