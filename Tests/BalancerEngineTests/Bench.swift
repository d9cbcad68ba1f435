import BalancerEngine
import BootstrapURIs
import CoAPMessages
import Primitives
import Testing

/// A balancer with a store and a zone in memory that answer at once, a clock that jumps, and ten devices or more.
struct Bench {
    static let period: Int64 = 600
    static let skew: Int64 = 10
    /// The start of a window, 2001-09-09.
    static let start = WallTime(secondsSinceEpoch: 999_999_600)

    var engine: BalancerEngine
    var now = MonotonicTime.zero
    var snapshot = BalancerSnapshot()
    var zone = ModelRegistry()
    /// What the registry does with batches and questions; nil: it works.
    var failure: RegistryFailure?
    var isStoreBroken = false
    /// Batches are done, and nobody hears of it.
    var losesAnswers = false
    var reports: [BalancerReport] = []
    var acknowledged: [ExchangeID] = []
    var pinAnswers: [Bool] = []
    var holdAnswers: [HoldAnswer] = []
    var startedInstances = 0
    var stoppedInstances: [UTF8Text] = []
    /// Outputs that were performed.
    var performed = 0
    /// Removals of names that somebody may still use.
    var violations: [UTF8Text] = []
    /// Outputs behind this many are lost: the balancer is dead.
    var cut = Int.max
    private var events: [BalancerEvent] = []
    private var lastExchange: UInt64 = 0
    private var sequence: UInt64 = 0

    static var configuration: BalancerConfiguration {
        var configuration = BalancerConfiguration(writer: "balancer-1")
        configuration.timeToLive = 20
        configuration.registryTime = .seconds(30)
        configuration.batchSize = 7
        configuration.sliceSize = 5
        return configuration
    }

    /// Names of 8 digits, made from endpoint and window; `digits` less of them collide.
    static func derivation(digits: Int = 8, usesTime: Bool = true) -> NameDerivation {
        NameDerivation(
            period: usesTime ? self.period : nil,
            clockSkew: self.skew,
            staticHost: "bs.example.test",
            window: { time in
                guard usesTime else { return TimeWindow(stamp: 0) }
                let remainder = time.secondsSinceEpoch % Self.period
                return TimeWindow(stamp: time.secondsSinceEpoch - remainder)
            },
            start: { WallTime(secondsSinceEpoch: $0.stamp) },
            host: { secret, endpoint, window in
                guard secret.count >= 16 else { return nil }
                var hash: UInt64 = 14_695_981_039_346_656_037
                for byte in secret.copyBytes() + endpoint.bytes + Array("\(window.stamp)".utf8) {
                    hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211
                }
                hash ^= hash >> 29
                let text = "0000000" + String(hash & 0xFFFF_FFFF, radix: 16)
                return UTF8Text("bs\(text.suffix(digits)).example.test")
            }
        )
    }

    init(
        _ configuration: BalancerConfiguration = Bench.configuration,
        derivation: NameDerivation = Bench.derivation(),
        snapshot: BalancerSnapshot = BalancerSnapshot(),
        zone: ModelRegistry = ModelRegistry()
    ) throws {
        self.engine = try BalancerEngine(configuration: configuration, derivation: derivation)
        self.snapshot = snapshot
        self.zone = zone
    }

    /// Starts with devices and instances, and lets everything be published.
    static func running(
        devices: Int = 10,
        instances: Int = 3,
        _ configuration: BalancerConfiguration = Bench.configuration
    ) throws -> Bench {
        var bench = try Bench(configuration)
        bench.start(devices: devices)
        for instance in 1...max(instances, 1) where instances > 0 { bench.report(Bench.instance(instance)) }
        bench.settle()
        return bench
    }

    mutating func start(devices: Int) {
        self.tell(.restored(self.snapshot))
        self.tell(.clockSet(self.time))
        self.tell(.devicesAdded((0..<devices).map { Bench.device($0) }))
        self.tell(.devicesLoaded)
    }

    static func device(_ number: Int, region: UTF8Text? = nil, deviceClass: UTF8Text? = nil) -> BalancerDevice {
        let secret = SecretBytes(Array(repeating: 7, count: 15) + [UInt8(truncatingIfNeeded: number)])
        return BalancerDevice(
            endpoint: Bench.endpoint(number),
            secret: secret,
            region: region,
            deviceClass: deviceClass
        )
    }

    static func endpoint(_ number: Int) -> UTF8Text { UTF8Text("device-\(number)") }

    static func address(_ number: Int) -> IPAddress { IPAddress([127, 0, 23, UInt8(number)]).unwrapped }

    static func instance(
        _ number: Int,
        weight: Int = 1,
        region: UTF8Text? = nil,
        classes: [UTF8Text] = []
    ) -> BootstrapInstance {
        BootstrapInstance(
            name: UTF8Text("instance-\(number)"),
            addresses: [Bench.address(number)],
            weight: weight,
            region: region,
            classes: classes
        )
    }

    var time: WallTime {
        WallTime(
            secondsSinceEpoch: Bench.start.secondsSinceEpoch
                + MonotonicTime.zero.duration(to: self.now).components.seconds
        )
    }

    func name(_ device: Int, window: Int64 = 0, derivation: NameDerivation = Bench.derivation()) -> UTF8Text {
        let stamp = Bench.start.secondsSinceEpoch + window * Bench.period
        let secret = Bench.device(device).secret
        return derivation.host(secret, Bench.endpoint(device), TimeWindow(stamp: stamp)).unwrapped
    }

    // MARK: Driving

    mutating func tell(_ event: BalancerEvent) {
        self.events.append(event)
        // Answers to an output are told after it, not inside.
        guard self.events.count == 1 else { return }
        while let next = self.events.first, self.performed < self.cut {
            self.engine.handle(next, now: self.now)
            while self.performed < self.cut, let output = self.engine.nextOutput() {
                self.performed += 1
                self.perform(output)
            }
            self.events.removeFirst()
        }
    }

    private mutating func perform(_ output: BalancerOutput) {
        switch output {
        case .store(let id, let changes):
            if self.isStoreBroken {
                self.tell(.storageFailed(id))
            } else {
                self.snapshot.apply(changes)
                self.tell(.stored(id))
            }
        case .update(let id, let update):
            self.judge(update)
            if let failure = self.failure ?? self.zone.apply(update) {
                self.tell(.updateFailed(id, failure))
            } else if self.losesAnswers {
                self.tell(.updateFailed(id, .unreachable))
            } else {
                self.tell(.updateApplied(id))
            }
        case .readEpoch: self.tell(.epochRead(self.failure.map { .failure($0) } ?? .success(self.zone.epoch)))
        case .readNames: self.tell(.namesRead(self.failure.map { .failure($0) } ?? .success(self.zone.records)))
        case .startInstance: self.startedInstances += 1
        case .stopInstance(let name): self.stoppedInstances.append(name)
        case .acknowledge(let exchange): self.acknowledged.append(exchange)
        case .answerPin(_, let isPinned): self.pinAnswers.append(isPinned)
        case .answerHold(_, let answer): self.holdAnswers.append(answer)
        case .report(let report): self.reports.append(report)
        }
    }

    /// Notes removals of names that are live: those of devices that wait in any window whose clock a device may have,
    /// and those that devices in progress use; by what is stored.
    private mutating func judge(_ update: NameUpdate) {
        guard !update.removed.isEmpty else { return }
        let rows = Dictionary(uniqueKeysWithValues: self.snapshot.devices.map { ($0.endpoint, $0) })
        for device in 0..<16 {
            let row = rows[Bench.endpoint(device)]
            var live: Set<UTF8Text> = []
            if let host = row?.host { live.insert(host) }
            if row == nil {
                let elapsed = self.time.secondsSinceEpoch - Bench.start.secondsSinceEpoch
                for seconds in [elapsed - Bench.skew, elapsed + Bench.skew] {
                    live.insert(
                        self.name(device, window: Int64((Double(seconds) / Double(Bench.period)).rounded(.down)))
                    )
                }
            }
            self.violations += update.removed.filter { live.contains($0) }
        }
    }

    /// Lets the balancer work until it waits for time to pass.
    mutating func settle() {
        for _ in 0..<100_000 where self.performed < self.cut {
            guard let deadline = self.engine.nextDeadline, deadline <= self.now else { return }
            self.tell(.deadlineReached)
        }
    }

    /// Lets time pass; instances report as they should.
    mutating func advance(seconds: Int64, reporting instances: [BootstrapInstance] = []) {
        let end = self.now.advanced(by: .seconds(seconds))
        var nextReport = self.now
        while self.now < end, self.performed < self.cut {
            self.settle()
            let deadline = self.engine.nextDeadline ?? end
            self.now = max(self.now, min(deadline, instances.isEmpty ? end : nextReport, end))
            if self.now >= nextReport {
                for instance in instances { self.report(instance) }
                nextReport = self.now.advanced(by: .seconds(5))
            }
            self.tell(.deadlineReached)
        }
        self.settle()
    }

    mutating func report(_ instance: BootstrapInstance, inProgress: Int = 0) {
        self.tell(.instanceReported(instance, inProgress: inProgress))
    }

    mutating func exchange() -> ExchangeID {
        self.lastExchange += 1
        return ExchangeID(rawValue: self.lastExchange)
    }

    func notification(
        _ event: BootstrapNotification.Event,
        device: Int,
        host: UTF8Text? = nil,
        instance: Int = 1,
        procedure: UTF8Text = "p1",
        sequence: UInt64
    ) -> BootstrapNotification {
        BootstrapNotification(
            instance: Bench.instance(instance).name,
            endpoint: Bench.endpoint(device),
            host: host ?? self.name(device),
            event: event,
            procedure: procedure,
            sequence: sequence
        )
    }

    /// An instance tells about a device; its sequence grows with each.
    mutating func notify(
        _ event: BootstrapNotification.Event,
        device: Int,
        host: UTF8Text? = nil,
        instance: Int = 1,
        procedure: UTF8Text? = nil
    ) {
        self.sequence += 1
        let notification = self.notification(
            event,
            device: device,
            host: host,
            instance: instance,
            procedure: procedure ?? UTF8Text("procedure-\(device)"),
            sequence: self.sequence
        )
        self.tell(.bootstrapNotified(self.exchange(), [notification]))
    }

    /// The number of the instance that a name leads to; nil when the zone does not have it.
    func instance(of name: UTF8Text) -> Int? { self.zone.names[name].map { Int($0.bytes[3]) } }

    /// How many names lead to each of the instances 1 to 9.
    var spread: [Int: Int] {
        self.zone.names.values.reduce(into: [:]) { $0[Int($1.bytes[3]), default: 0] += 1 }
    }
}

extension Optional {
    /// The value; a test that has none here is wrong.
    var unwrapped: Wrapped {
        guard let value = self else { preconditionFailure("the test's own value is missing") }
        return value
    }
}
