import BalancerEngine
import BootstrapURIs
import CoAPMessages
import Primitives
import TestSupport
import Testing

/// A balancer in a world where everything goes wrong, and an eye on the zone that never blinks.
///
/// Batches are lost, done without an answer, done long after they were given up, or refused; answers are late; the
/// store fails; instances go silent; notifications come twice and out of order; the balancer is killed.
private struct LossyWorld {
    private enum Arrival {
        case event(BalancerEvent, life: Int)
        case batch(NameUpdate, UpdateID, isAnswered: Bool, life: Int)
        case notification(Int)
        case instanceReport(Int)
    }

    private struct Told {
        var notification: BootstrapNotification
        var isAcknowledged = false
    }

    static let deviceCount = 12

    var generator: SeededGenerator
    var engine: BalancerEngine
    var life = 0
    var now = MonotonicTime.zero
    var snapshot = BalancerSnapshot()
    var zone = ModelRegistry()
    var troubled = true
    private var arrivals: [(time: MonotonicTime, arrival: Arrival)] = []
    private var told: [Told] = []
    private var exchanges: [ExchangeID: Int] = [:]
    private var isUp: [Int: Bool] = [:]
    private var heard: [UTF8Text: MonotonicTime] = [:]
    private var phases = Array(repeating: DeviceProgress.Phase.waiting, count: LossyWorld.deviceCount)
    private var hosts: [UTF8Text?] = Array(repeating: nil, count: LossyWorld.deviceCount)
    private var sequence: UInt64 = 0
    private var procedures = 0
    /// Names that stood in the zone while a device that waits could use them, and still can.
    private var seen: [Set<UTF8Text>] = Array(repeating: [], count: LossyWorld.deviceCount)
    private(set) var problems: [String] = []
    private(set) var lostBatches = 0
    private(set) var lateBatches = 0

    init(seed: SeededGenerator) throws {
        self.generator = seed
        self.engine = try Self.makeEngine()
        for instance in 1...4 {
            self.isUp[instance] = true
            self.arrivals.append((self.now, .instanceReport(instance)))
        }
        self.begin()
    }

    private static func makeEngine() throws -> BalancerEngine {
        var configuration = Bench.configuration
        configuration.batchSize = 4
        configuration.registryTimeout = .seconds(20)
        configuration.refusedRetry = .seconds(10)
        configuration.longestRetry = .seconds(10)
        return try BalancerEngine(configuration: configuration, derivation: Bench.derivation())
    }

    private mutating func chance(_ percent: UInt64) -> Bool { self.troubled && self.generator.next() % 100 < percent }

    private mutating func later(_ seconds: UInt64, _ arrival: Arrival) {
        let delay = Duration.milliseconds(Int64(self.generator.next() % (seconds * 1000 + 1)))
        self.arrivals.append((self.now.advanced(by: delay), arrival))
    }

    // MARK: The balancer

    private var time: WallTime {
        let elapsed = MonotonicTime.zero.duration(to: self.now).components.seconds
        return WallTime(secondsSinceEpoch: Bench.start.secondsSinceEpoch + elapsed)
    }

    private mutating func begin() {
        self.heard = Dictionary(uniqueKeysWithValues: self.snapshot.instances.map { ($0.name, self.now) })
        self.tell(.restored(self.snapshot))
        self.tell(.clockSet(self.time))
        self.tell(.devicesAdded((0..<Self.deviceCount).map { Bench.device($0) }))
        self.tell(.devicesLoaded)
    }

    private mutating func kill() throws {
        self.life += 1
        self.exchanges = [:]
        self.engine = try Self.makeEngine()
        self.begin()
    }

    private mutating func tell(_ event: BalancerEvent) {
        self.engine.handle(event, now: self.now)
        while let output = self.engine.nextOutput() { self.perform(output) }
    }

    private mutating func perform(_ output: BalancerOutput) {
        switch output {
        case .store(let id, let changes):
            if self.chance(5) {
                self.later(1, .event(.storageFailed(id), life: self.life))
            } else {
                self.snapshot.apply(changes)
                for case .batchBegun(let update) in changes { self.checkMapping(update) }
                self.later(self.troubled ? 1 : 0, .event(.stored(id), life: self.life))
            }
        case .update(let id, let update):
            self.send(id, update)
        case .readEpoch:
            let fails = self.chance(15)
            let result: Result<RegistryEpoch?, RegistryFailure> =
                fails ? .failure(.unreachable) : .success(self.zone.epoch)
            self.later(self.troubled ? 2 : 0, .event(.epochRead(result), life: self.life))
        case .readNames:
            self.later(1, .event(.namesRead(.success(self.zone.records)), life: self.life))
        case .acknowledge(let exchange):
            if let index = self.exchanges.removeValue(forKey: exchange) { self.acknowledge(index) }
        case .report(.superseded):
            self.problems.append("superseded, though nobody else writes")
        case .startInstance, .stopInstance, .answerPin, .answerHold, .report:
            break
        }
    }

    private mutating func send(_ id: UpdateID, _ update: NameUpdate) {
        if self.chance(10) {
            self.lostBatches += 1
            self.later(5, .event(.updateFailed(id, .unreachable), life: self.life))
        } else if self.chance(5) {
            self.later(2, .event(.updateFailed(id, .refused(5)), life: self.life))
        } else if self.chance(15) {
            // Given up, and done all the same: soon, or long after.
            self.lateBatches += 1
            self.later(5, .event(.updateFailed(id, .unreachable), life: self.life))
            self.later(60, .batch(update, id, isAnswered: false, life: self.life))
        } else {
            self.later(self.troubled ? 1 : 0, .batch(update, id, isAnswered: true, life: self.life))
        }
    }

    /// Names are given only to instances that were heard of in time.
    private mutating func checkMapping(_ update: NameUpdate) {
        for record in update.assigned {
            let name = Bench.instance(Int(record.address.bytes[3])).name
            let silence = self.heard[name].map { $0.duration(to: self.now) }
            if silence ?? .seconds(1000) > .seconds(15) {
                self.problems.append("a name was given to \(name), which is lost")
            }
        }
    }

    // MARK: Devices and instances

    private mutating func acknowledge(_ index: Int) {
        guard !self.told[index].isAcknowledged else { return }
        self.told[index].isAcknowledged = true
    }

    private mutating func notify(_ event: BootstrapNotification.Event, _ device: Int, _ instance: Int, _ procedure: Int)
    {
        self.sequence += 1
        let notification = BootstrapNotification(
            instance: Bench.instance(instance).name,
            endpoint: Bench.endpoint(device),
            host: self.hosts[device] ?? "bs.example.test",
            event: event,
            procedure: UTF8Text("p\(procedure)"),
            sequence: self.sequence
        )
        self.told.append(Told(notification: notification))
        self.later(self.troubled ? 3 : 0, .notification(self.told.count - 1))
        if self.chance(20) { self.later(10, .notification(self.told.count - 1)) }
    }

    private var running: [Int: (instance: Int, procedure: Int)] = [:]

    /// One device does the next thing it can.
    mutating func moveADevice() {
        let device = Int(self.generator.next() % UInt64(Self.deviceCount))
        switch self.phases[device] {
        case .waiting:
            let names = self.liveNames(of: device).filter { self.zone.names[$0] != nil }.sorted {
                $0.string < $1.string
            }
            guard let host = names.first, let address = self.zone.names[host] else { return }
            let instance = Int(address.bytes[3])
            guard self.isUp[instance] == true else { return }
            self.procedures += 1
            self.running[device] = (instance, self.procedures)
            self.phases[device] = .started
            self.hosts[device] = host
            self.seen[device].formIntersection([host])
            self.notify(.started, device, instance, self.procedures)
        case .started:
            guard let (instance, procedure) = self.running[device] else { return }
            self.seen[device] = []
            if self.generator.next() % 3 == 0 {
                self.notify(.failed, device, instance, procedure)
                self.phases[device] = .waiting
            } else {
                self.notify(.completed, device, instance, procedure)
                self.phases[device] = .completed
            }
            self.hosts[device] = nil
        case .completed:
            break
        }
    }

    /// An instance falls silent or comes back.
    mutating func moveAnInstance() {
        let instance = Int(self.generator.next() % 4) + 1
        let others = self.isUp.filter { $0.key != instance && $0.value }.count
        guard others > 0 else { return }
        self.isUp[instance]?.toggle()
    }

    // MARK: The eye

    private mutating func liveNames(of device: Int) -> Set<UTF8Text> {
        let elapsed = MonotonicTime.zero.duration(to: self.now).components.seconds
        var names: Set<UTF8Text> = []
        for seconds in [elapsed - Bench.skew, elapsed, elapsed + Bench.skew] {
            let window = Int64((Double(seconds) / Double(Bench.period)).rounded(.down))
            let stamp = TimeWindow(stamp: Bench.start.secondsSinceEpoch + window * Bench.period)
            let known = Bench.device(device)
            names.insert(Bench.derivation().host(known.secret, known.endpoint, stamp).unwrapped)
        }
        return names
    }

    /// A name that a device may use, and that stood in the zone before, stands there still.
    private mutating func look() {
        for device in 0..<Self.deviceCount {
            switch self.phases[device] {
            case .completed:
                self.seen[device] = []
            case .started:
                // Its host holds while its window does, and from when the balancer knows that it is used.
                break
            case .waiting:
                // After a failure the balancer must hear of it first: only windows that begin later are looked at.
                guard self.running[device] == nil else { continue }
                let live = self.liveNames(of: device)
                self.seen[device].formIntersection(live)
                self.seen[device].formUnion(live.filter { self.zone.names[$0] != nil })
            }
            for name in self.seen[device] where self.zone.names[name] == nil {
                self.problems.append("device \(device) lost a name at \(self.now.nanoseconds / 1_000_000_000) s")
                self.seen[device].remove(name)
            }
        }
    }

    // MARK: Time

    mutating func run(seconds: Int64, troubled: Bool, kills: Bool) throws {
        self.troubled = troubled
        let end = self.now.advanced(by: .seconds(seconds))
        var nextMove = self.now
        while self.now < end {
            let arrival = self.arrivals.indices.min { self.arrivals[$0].time < self.arrivals[$1].time }
            let arrivalTime = arrival.map { self.arrivals[$0].time } ?? end
            let deadline = self.engine.nextDeadline ?? end
            self.now = max(self.now, min(arrivalTime, deadline, nextMove, end))
            // A deadline comes first, as with a driver that looks at the clock before it looks at its sockets.
            if deadline <= self.now {
                self.tell(.deadlineReached)
            } else if let arrival, arrivalTime <= self.now {
                self.take(self.arrivals.remove(at: arrival).arrival)
            } else if nextMove <= self.now {
                nextMove = self.now.advanced(by: .seconds(10))
                if troubled { self.moveADevice() }
                if self.chance(5) { self.moveAnInstance() }
                if kills, self.chance(4) { try self.kill() }
            }
            self.look()
        }
    }

    private mutating func take(_ arrival: Arrival) {
        switch arrival {
        case .event(let event, let life):
            if life == self.life { self.tell(event) }
        case .batch(let update, let id, let isAnswered, let life):
            let failure = self.zone.apply(update)
            guard isAnswered, life == self.life else { return }
            self.tell(failure.map { .updateFailed(id, $0) } ?? .updateApplied(id))
        case .notification(let index):
            guard !self.told[index].isAcknowledged else { return }
            let exchange = ExchangeID(rawValue: UInt64(index) << 20 | self.generator.next() % 1_000_000)
            self.exchanges[exchange] = index
            self.tell(.bootstrapNotified(exchange, [self.told[index].notification]))
            // Until it is acknowledged it is told again.
            self.arrivals.append((self.now.advanced(by: .seconds(7)), .notification(index)))
        case .instanceReport(let instance):
            self.arrivals.append((self.now.advanced(by: .seconds(5)), .instanceReport(instance)))
            guard self.isUp[instance] == true else { return }
            self.heard[Bench.instance(instance).name] = self.now
            self.tell(.instanceReported(Bench.instance(instance), inProgress: 0))
        }
    }

    // MARK: The end

    /// What differs from what should be once everything works again and time has passed.
    mutating func differences() -> [String] {
        var expected: Set<UTF8Text> = []
        var differences: [String] = []
        for device in 0..<Self.deviceCount {
            let row = self.engine.progress(of: Bench.endpoint(device)).unwrapped
            if row.phase != self.phases[device] {
                differences.append("device \(device) is \(row.phase), not \(self.phases[device])")
            }
            if let host = row.host { expected.insert(host) }
            guard row.phase == .waiting || row.isRestarted else { continue }
            for window in self.engine.status.windows {
                let known = Bench.device(device)
                expected.insert(Bench.derivation().host(known.secret, known.endpoint, window).unwrapped)
            }
        }
        if Set(self.zone.names.keys) != expected {
            differences.append("\(self.zone.names.count) names, not \(expected.count)")
        }
        for address in Set(self.zone.names.values) where self.isUp[Int(address.bytes[3])] != true {
            differences.append("names lead to an instance that is down")
        }
        if self.told.contains(where: { !$0.isAcknowledged }) {
            differences.append("notifications were never acknowledged")
        }
        if self.engine.status.writing != .idle { differences.append("the registry is \(self.engine.status.writing)") }
        return differences
    }
}

@Suite("A balancer in a world where everything goes wrong")
struct LossyRegistryTests {
    @Test("No live name is ever missing, no name is given to a lost instance, and in the end all is as it should be")
    func neverLosesALiveName() throws {
        var lost = 0
        var late = 0
        try SeededRuns.each(10) { generator in
            var world = try LossyWorld(seed: generator)
            try world.run(seconds: 3000, troubled: true, kills: false)
            try world.run(seconds: 1500, troubled: false, kills: false)
            try #require(world.problems == [])
            try #require(world.differences() == [])
            lost += world.lostBatches
            late += world.lateBatches
        }
        // The world was as bad as it says.
        #expect(lost > 25 && late > 25)
    }

    @Test("The same while the balancer is killed every few minutes")
    func neverLosesALiveNameWhenKilled() throws {
        try SeededRuns.each(10) { generator in
            var world = try LossyWorld(seed: generator)
            try world.run(seconds: 3000, troubled: true, kills: true)
            try world.run(seconds: 1500, troubled: false, kills: false)
            try #require(world.life > 2)
            try #require(world.problems == [])
            try #require(world.differences() == [])
        }
    }
}
