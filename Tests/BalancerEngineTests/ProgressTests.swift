import BalancerEngine
import Primitives
import Testing

@Suite("Devices in progress")
struct ProgressTests {
    @Test("A device that started keeps its name and instance over the end of its window")
    func keepsNamesInProgress() throws {
        var bench = try Bench.running(devices: 6)
        let name = bench.name(0)
        let instance = bench.instance(of: name).unwrapped
        bench.notify(.started, device: 0, instance: instance)
        bench.advance(seconds: 1400, reporting: Bench.instances(3))
        #expect(bench.instance(of: name) == instance)
        #expect(bench.zone.names[bench.name(0, window: 2)] == nil, "it gets no new names")
        #expect(bench.zone.names[bench.name(1, window: 2)] != nil)
        #expect(bench.zone.names[bench.name(1)] == nil)
        bench.notify(.completed, device: 0, instance: instance)
        bench.advance(seconds: 31, reporting: Bench.instances(3))
        #expect(bench.zone.names[name] == nil)
        #expect(bench.engine.status.completed == 1)
    }

    @Test("A device that completed gets no new names until it needs bootstrap again")
    func dropsCompletedDevices() throws {
        var bench = try Bench.running(devices: 3)
        bench.notify(.started, device: 0)
        bench.notify(.completed, device: 0)
        bench.advance(seconds: 600, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(0, window: 1)] == nil)
        #expect(bench.zone.names[bench.name(1, window: 1)] != nil)
        bench.tell(.devicesNeedBootstrap([Bench.endpoint(0)]))
        bench.settle()
        #expect(bench.zone.names[bench.name(0, window: 1)] != nil)
    }

    @Test("All devices need bootstrap again after an operator's word, those in progress excepted")
    func resetsAllDevices() throws {
        var bench = try Bench.running(devices: 9)
        for device in 0..<6 { bench.notify(.completed, device: device) }
        bench.notify(.started, device: 6)
        bench.advance(seconds: 700, reporting: Bench.instances(3))
        bench.tell(.devicesNeedBootstrap(nil))
        bench.settle()
        #expect(bench.engine.status.waiting == 8)
        #expect(bench.engine.status.started == 1)
        #expect(bench.zone.names[bench.name(0, window: 1)] != nil)
        #expect(bench.snapshot.devices.allSatisfy { $0.phase != .completed })
    }

    @Test("A device that failed has the names of the windows now")
    func givesNamesAfterFailure() throws {
        var bench = try Bench.running(devices: 3)
        bench.notify(.started, device: 0)
        bench.advance(seconds: 1250, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(0, window: 2)] == nil)
        bench.notify(.failed, device: 0)
        bench.settle()
        #expect(bench.zone.names[bench.name(0, window: 2)] != nil)
        #expect(bench.engine.status.waiting == 3)
    }

    @Test("A device that never finishes is given up after its time, also when the balancer restarted in between")
    func givesUp() throws {
        var configuration = Bench.configuration
        configuration.progressLimit = .seconds(1000)
        var bench = try Bench.running(devices: 3, configuration)
        bench.notify(.started, device: 0)
        bench.advance(seconds: 500, reporting: Bench.instances(3))
        var again = try Bench(configuration, snapshot: bench.snapshot, zone: bench.zone)
        again.now = bench.now
        again.start(devices: 3)
        again.advance(seconds: 499, reporting: Bench.instances(3))
        #expect(again.engine.status.started == 1)
        again.advance(seconds: 1, reporting: Bench.instances(3))
        #expect(again.engine.status.started == 0)
        #expect(again.reports.contains(.givenUp(endpoint: Bench.endpoint(0))))
        #expect(again.zone.names[again.name(0, window: 2)] == nil)
        again.advance(seconds: 200, reporting: Bench.instances(3))
        #expect(again.zone.names[again.name(0, window: 2)] != nil)
    }

    @Test("Notifications of one procedure give the same in any order and any number of times")
    func takesNotificationsInAnyOrder() throws {
        let events: [BootstrapNotification.Event] = [.started, .completed]
        for order in [[0, 1], [1, 0], [0, 0, 1, 1], [1, 0, 0], [0, 1, 0], [1, 1, 0, 1]] {
            var bench = try Bench.running(devices: 2)
            for index in order {
                let told = bench.notification(events[index], device: 0, sequence: UInt64(index + 1))
                bench.tell(.bootstrapNotified(bench.exchange(), [told]))
            }
            #expect(bench.engine.progress(of: Bench.endpoint(0))?.phase == .completed, "order \(order)")
            #expect(bench.acknowledged.count == order.count)
        }
    }

    @Test("The procedures of one instance end as the last one ended, in every order of what it told")
    func takesSeveralProceduresInAnyOrder() throws {
        // Failed, then tried again with success; each permutation of the four notifications.
        let told: [(BootstrapNotification.Event, UTF8Text)] = [
            (.started, "a"), (.failed, "a"), (.started, "b"), (.completed, "b"),
        ]
        for order in permutations(of: [0, 1, 2, 3]) {
            var bench = try Bench.running(devices: 2)
            for index in order {
                let (event, procedure) = told[index]
                let next = bench.notification(event, device: 0, procedure: procedure, sequence: UInt64(index + 1))
                bench.tell(.bootstrapNotified(bench.exchange(), [next]))
            }
            #expect(bench.engine.progress(of: Bench.endpoint(0))?.phase == .completed, "order \(order)")
        }
    }

    @Test("What an earlier instance tells late does not end what another has begun")
    func ignoresLateNotificationsOfAnEarlierInstance() throws {
        var bench = try Bench.running(devices: 2)
        bench.notify(.started, device: 0, instance: 1, procedure: "a")
        bench.notify(.started, device: 0, instance: 2, procedure: "b")
        bench.notify(.completed, device: 0, instance: 1, procedure: "a")
        #expect(bench.engine.progress(of: Bench.endpoint(0))?.phase == .started)
        bench.notify(.failed, device: 0, instance: 3, procedure: "c")
        #expect(bench.engine.progress(of: Bench.endpoint(0))?.phase == .started)
        bench.notify(.completed, device: 0, instance: 2, procedure: "b")
        #expect(bench.engine.progress(of: Bench.endpoint(0))?.phase == .completed)
    }

    @Test("A procedure that was given up long ago ends without disturbing the one in progress, in every order")
    func endsForgottenProceduresInAnyOrder() throws {
        // A device that lost its power twice: its first session is still open at the instance, and fails at last.
        let told: [(BootstrapNotification.Event, UTF8Text)] = [
            (.started, "a"), (.started, "b"), (.started, "c"), (.failed, "a"), (.completed, "c"),
        ]
        for order in permutations(of: [0, 1, 2, 3, 4]) {
            var bench = try Bench.running(devices: 1, instances: 1)
            for index in order {
                let (event, procedure) = told[index]
                let next = bench.notification(event, device: 0, procedure: procedure, sequence: UInt64(index + 1))
                bench.tell(.bootstrapNotified(bench.exchange(), [next]))
            }
            #expect(bench.engine.progress(of: Bench.endpoint(0))?.phase == .completed, "order \(order)")
        }
    }

    @Test("A device that was given up has completed once its instance says so, and only once")
    func completesAfterGivingUp() throws {
        var configuration = Bench.configuration
        configuration.progressLimit = .seconds(1000)
        var bench = try Bench.running(devices: 3, configuration)
        bench.notify(.started, device: 0)
        bench.advance(seconds: 1000, reporting: Bench.instances(3))
        #expect(bench.engine.counters.givenUp == 1)
        let completed = bench.notification(.completed, device: 0, procedure: "procedure-0", sequence: 2)
        bench.tell(.bootstrapNotified(bench.exchange(), [completed]))
        #expect(bench.engine.progress(of: Bench.endpoint(0))?.phase == .completed)
        #expect(bench.snapshot.devices.map(\.phase) == [.completed])
        // The same notification again, after an operator asked for another bootstrap, says nothing new.
        bench.tell(.devicesNeedBootstrap([Bench.endpoint(0)]))
        bench.tell(.bootstrapNotified(bench.exchange(), [completed]))
        #expect(bench.engine.progress(of: Bench.endpoint(0))?.phase == .waiting)
    }

    @Test("A notification is acknowledged only once it is durable, also one that says nothing new")
    func acknowledgesWhatIsStored() throws {
        var bench = try Bench.running(devices: 2)
        bench.isStoreBroken = true
        bench.notify(.started, device: 0)
        let again = bench.notification(.started, device: 0, procedure: "procedure-0", sequence: 1)
        bench.tell(.bootstrapNotified(bench.exchange(), [again]))
        #expect(bench.acknowledged.isEmpty)
        bench.isStoreBroken = false
        bench.advance(seconds: 2, reporting: Bench.instances(3))
        #expect(bench.acknowledged.count == 2)
        #expect(bench.snapshot.devices.map(\.endpoint) == [Bench.endpoint(0)])
    }

    @Test("Requests that wait for the store are bounded; one too many is not answered and comes again")
    func boundsWaitingRequests() throws {
        var configuration = Bench.configuration
        configuration.maximumWaiting = 3
        var bench = try Bench.running(devices: 9, configuration)
        bench.isStoreBroken = true
        for device in 0..<5 { bench.notify(.started, device: device) }
        #expect(bench.reports.filter { $0 == .refusedByBounds(.waiting) }.count == 2)
        #expect(bench.engine.status.started == 3)
        bench.isStoreBroken = false
        bench.advance(seconds: 2, reporting: Bench.instances(3))
        #expect(bench.acknowledged.count == 3)
    }

    @Test("A name is pinned for the device that uses it, and for no other one or host")
    func answersPins() throws {
        var bench = try Bench.running(devices: 2)
        bench.notify(.started, device: 0)
        let asked = [(0, bench.name(0)), (1, bench.name(0)), (0, bench.name(0, window: -1)), (9, bench.name(0))]
        for (device, host) in asked {
            bench.tell(.pinAsked(bench.exchange(), endpoint: Bench.endpoint(device), host: host))
        }
        #expect(bench.pinAnswers == [true, false, false, false])
    }

    @Test("Of two devices in progress at one name the first decides where it leads")
    func resolvesConflictingPins() throws {
        var bench = try Bench.running(devices: 2)
        let name = bench.name(0)
        bench.notify(.started, device: 0, host: name, instance: 3)
        bench.notify(.started, device: 1, host: name, instance: 2)
        bench.settle()
        #expect(bench.instance(of: name) == 3)
        bench.notify(.completed, device: 0, host: name, instance: 3)
        bench.advance(seconds: 50, reporting: Bench.instances(3))
        #expect(bench.instance(of: name) == 3)
    }

    @Test("Devices that nobody knows are counted, and their notifications acknowledged")
    func countsUnknownDevices() throws {
        var bench = try Bench.running(devices: 2)
        bench.notify(.started, device: 77)
        #expect(bench.engine.counters.unknownDevices == 1)
        #expect(bench.acknowledged.count == 1)
    }

    @Test("Devices are bounded")
    func boundsDevices() throws {
        var configuration = Bench.configuration
        configuration.maximumDevices = 4
        let bench = try Bench.running(devices: 6, configuration)
        #expect(bench.engine.status.waiting == 4)
        #expect(bench.reports.filter { $0 == .refusedByBounds(.devices) }.count == 2)
    }

    @Test("A device that is served no longer loses names, progress and row")
    func removesDevices() throws {
        var bench = try Bench.running(devices: 3)
        bench.notify(.started, device: 0)
        bench.tell(.devicesRemoved([Bench.endpoint(0)]))
        bench.advance(seconds: 31, reporting: Bench.instances(3))
        #expect(bench.zone.names[bench.name(0)] == nil)
        #expect(bench.snapshot.devices.isEmpty)
        #expect(bench.engine.progress(of: Bench.endpoint(0)) == nil)
    }
}

private func permutations(of elements: [Int]) -> [[Int]] {
    guard let first = elements.first else { return [[]] }
    return permutations(of: Array(elements.dropFirst())).flatMap { rest in
        (0...rest.count).map { Array(rest[..<$0]) + [first] + Array(rest[$0...]) }
    }
}
