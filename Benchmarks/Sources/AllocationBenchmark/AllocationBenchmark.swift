import BalancerEngine
import BootstrapURIs
import CLibCoAP
import CoAPMessages
import CryptographicHashes
import Glibc
import Primitives

/// What the balancer needs for a million devices, in seconds of one core.
///
/// To derive and share out their names, to share them out anew when instances come and go, and memory; nothing is sent.
@main struct AllocationBenchmark {
    private static let instances = 30

    static func main() throws {
        let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
        print("balancer, \(count) devices, \(self.instances) instances          seconds  microseconds a name")
        let (uris, devices) = try self.make(count)
        let derivation = NameDerivation(uris: uris, hashes: .libCrypto)
        let window = derivation.window(WallTime(secondsSinceEpoch: 1_800_000_000))
        var length = 0
        let derived = self.measure {
            for device in devices {
                length += derivation.host(device.secret, device.endpoint, window)?.bytes.count ?? 0
            }
        }
        guard length > 0 else { fail("no name came out") }
        self.row("derivation alone", derived, count)

        var configuration = BalancerConfiguration(writer: "benchmark")
        configuration.maximumDevices = count
        let spreadings: [(String, AllocationStrategy)] = [
            ("even", AllocationStrategy()),
            ("weighted", AllocationStrategy(.weighted)),
            ("by region, least connections", AllocationStrategy(filters: [.region], .leastConnections)),
        ]
        for (name, strategy) in spreadings {
            configuration.strategy = strategy
            try self.run(name, configuration, derivation, devices)
        }
    }

    private static func run(
        _ name: String,
        _ configuration: BalancerConfiguration,
        _ derivation: NameDerivation,
        _ devices: [BalancerDevice]
    ) throws {
        var engine = try BalancerEngine(configuration: configuration, derivation: derivation)
        let before = self.allocatedBytes
        // In the middle of an hour, so that one window is served.
        engine.handle(.restored(BalancerSnapshot()), now: .zero)
        engine.handle(.clockSet(WallTime(secondsSinceEpoch: 1_800_000_000)), now: .zero)
        for number in 0..<self.instances {
            engine.handle(.instanceReported(self.instance(number), inProgress: 0), now: .zero)
        }
        let added = self.measure {
            engine.handle(.devicesAdded(devices), now: .zero)
            engine.handle(.devicesLoaded, now: .zero)
        }
        var slowest = Duration.zero
        let allocated = self.measure { slowest = self.work(&engine) }
        guard engine.counters.derived == UInt64(devices.count) else { fail("only \(engine.counters.derived) names") }
        self.row("\(name): devices taken", added, devices.count)
        self.row("\(name): derived and shared out", allocated, devices.count)
        self.row("\(name): the longest slice of it", slowest, configuration.sliceSize)
        let bytes = (self.allocatedBytes - before) / devices.count
        print("  \(bytes) bytes a device with its name, beside its credentials")

        let lost = self.measure {
            engine.handle(.instanceLost(self.instance(0).name), now: .zero)
            _ = self.work(&engine)
        }
        let moved = engine.counters.moved
        self.row("\(name): one instance lost, \(moved) names moved", lost, Int(moved))
        let added2 = self.measure {
            engine.handle(.instanceReported(self.instance(self.instances), inProgress: 0), now: .zero)
            _ = self.work(&engine)
        }
        self.row(
            "\(name): one came, \(engine.counters.moved - moved) names moved",
            added2,
            Int(engine.counters.moved - moved)
        )
        let (rotated, batches) = self.rotate(&engine)
        self.row("\(name): written in \(batches) batches", rotated, devices.count)
    }

    /// Does what can be done now.
    ///
    /// - Returns: the longest that one slice took.
    private static func work(_ engine: inout BalancerEngine) -> Duration {
        var slowest = Duration.zero
        while let deadline = engine.nextDeadline, deadline <= .zero {
            slowest = max(slowest, self.measure { engine.handle(.deadlineReached, now: .zero) })
        }
        return slowest
    }

    /// Lets everything be written to a registry and a store that always say yes.
    private static func rotate(_ engine: inout BalancerEngine) -> (Duration, Int) {
        var batches = 0
        let duration = self.measure {
            while let output = engine.nextOutput() {
                switch output {
                case .store(let id, _): engine.handle(.stored(id), now: .zero)
                case .readEpoch: engine.handle(.epochRead(.success(nil)), now: .zero)
                case .update(let id, _):
                    batches += 1
                    engine.handle(.updateApplied(id), now: .zero)
                default: break
                }
            }
        }
        return (duration, batches)
    }

    private static func make(_ count: Int) throws -> (TemporaryURIs, [BalancerDevice]) {
        let uri = CoAPURI(scheme: .coaps, host: "bs.example.test")
        let uris = try TemporaryURIs(profile: .standard, staticURI: uri)
        let regions: [UTF8Text] = ["north", "south", "east"]
        var generator = SeededGenerator(seed: 1)
        let devices = (0..<count).map { number in
            let secret = (0..<2).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
            return BalancerDevice(
                endpoint: UTF8Text("urn:dev:starling:\(number)"),
                secret: SecretBytes(secret),
                region: regions[number % 3]
            )
        }
        return (uris, devices)
    }

    private static func instance(_ number: Int) -> BootstrapInstance {
        let regions: [UTF8Text] = ["north", "south", "east"]
        return BootstrapInstance(
            name: UTF8Text("instance-\(number)"),
            addresses: [IPAddress([10, 0, 0, UInt8(truncatingIfNeeded: number)])].compactMap { $0 },
            weight: 1 + number % 4,
            region: regions[number % 3]
        )
    }

    private static var allocatedBytes: Int {
        let info = mallinfo2()
        return Int(info.uordblks + info.hblkhd)
    }

    /// The processor's time that a closure takes, which others on this machine do not lengthen much.
    private static func measure(_ body: () -> Void) -> Duration {
        let start = self.processorTime
        body()
        return self.processorTime - start
    }

    private static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    private static func row(_ name: String, _ duration: Duration, _ count: Int) {
        let seconds = Double(Int(duration / .microseconds(1))) / 1_000_000
        let each = count > 0 ? seconds * 1_000_000 / Double(count) : 0
        print("\(name)\(self.pad(name, 58))\(self.decimal(seconds))\(self.pad("", 12))\(self.decimal(each))")
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count))
    }

    private static func decimal(_ value: Double) -> String {
        let thousandths = Int(value * 1000 + 0.5)
        let fraction = String(thousandths % 1000)
        return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }

    private static func fail(_ message: String) -> Never {
        print(message)
        exit(1)
    }
}
