public import FleetEngine
import Foundation
import Primitives

/// The result of a run: what `--json` writes and the table at the end shows.
///
/// The keys are documented in `docs/fleet-report.md` and stay as they are; ``formatVersion`` grows when one changes.
public struct FleetReport: Codable, Hashable, Sendable {
    /// Numbers of different devices.
    public struct Devices: Codable, Hashable, Sendable {
        /// Devices of this slice.
        public var planned: Int
        /// Devices whose start was carried out.
        public var started: Int
        /// Devices that finished a bootstrap.
        public var bootstrapped: Int
        /// Devices that a server registered.
        public var registered: Int
        /// Devices whose update a server accepted.
        public var updated: Int
        /// Devices that answered a Read with a success.
        public var read: Int
        /// Devices that answered a Write with a success.
        public var written: Int
        /// Devices that answered an Observe with a success.
        public var observed: Int
        /// Devices of which a server acknowledged a notification.
        public var notified: Int
        /// Devices whose deregistration a server accepted.
        public var deregistered: Int
        /// Devices that never registered, whether they were started or not.
        public var failed: Int
        /// Devices that had been registered and were not when the run ended, before deregistration.
        public var lost: Int
        /// Started devices among the failed and lost, by the cause of their last failure.
        public var failedByCause: [String: Int]
        /// Devices that were registered when the run ended and of which no server accepted the deregistration.
        public var notDeregistered: Int
    }

    /// What was measured of one operation.
    public struct Operation: Codable, Hashable, Sendable {
        /// How many there were.
        public var count: Int
        /// How many there were a second, between the first and the last.
        public var perSecond: Double
        /// Latencies in milliseconds.
        public var milliseconds: Percentiles
    }

    /// Latencies in milliseconds, to a microsecond.
    public struct Percentiles: Codable, Hashable, Sendable {
        /// What half of them did not exceed.
        public var p50: Double
        /// What nine tenths of them did not exceed.
        public var p90: Double
        /// What 99 of a hundred did not exceed.
        public var p99: Double
        /// What 999 of a thousand did not exceed.
        public var p999: Double
        /// The longest.
        public var max: Double

        enum CodingKeys: String, CodingKey {
            case p50
            case p90
            case p99
            case p999 = "p99.9"
            case max
        }
    }

    /// The version of the keys.
    public var formatVersion = 1
    /// Numbers of devices.
    public var devices: Devices
    /// How often each failure happened, by cause; a device that fails twice counts twice.
    public var failures: [String: Int]
    /// Starts that happened later than intended.
    public var lateStarts: Int
    /// Starts that never happened.
    public var droppedStarts: Int
    /// From the first start to the end, seconds.
    public var wallSeconds: Double
    /// From the first start until every device had registered or failed, seconds.
    public var rampSeconds: Double
    /// How long the fleet then ran, seconds.
    public var holdSeconds: Double
    /// CPU of the ramp divided by the devices started, milliseconds, user and system.
    public var cpuMillisecondsPerDevice: Double
    /// Growth of resident memory over the ramp divided by the devices started, KiB.
    public var residentKiBPerDevice: Double
    /// Share of one core that the fleet used while it ran, percent.
    public var idleCPUPercent: Double
    /// Latency and rate by operation; only operations that happened.
    public var operations: [String: Operation]
    /// How devices found their bootstrap server by temporary names; nil where they have none.
    public var names: FleetNames?
    /// What became of command sessions; nil where the devices have none.
    public var commands: FleetCommands?
    /// How many percent of the datagrams were lost each way on purpose; nil when none were.
    public var lossPercent: Int?
    /// What the transport counted, by name.
    public var transport: [String: Int]

    /// Computes a report.
    public init(
        counts: FleetCounts,
        activity: FleetActivity,
        measurements: FleetMeasurements,
        usage: FleetUsage,
        names: FleetNames? = nil,
        commands: FleetCommands? = nil,
        lossPercent: Int? = nil,
        transport: [String: Int] = [:]
    ) {
        let end = usage.atEnd ?? usage.atStopping ?? usage.atHold ?? usage.atStart
        let hold = usage.atHold ?? usage.atStopping ?? end
        let stopping = usage.atStopping ?? end
        let started = Double(max(counts.started, 1))
        func seconds(_ from: ResourceUsage, _ to: ResourceUsage) -> Double {
            Self.rounded(Double(from.time.duration(to: to.time).nanoseconds) / 1e9)
        }
        self.devices = Devices(
            planned: counts.planned,
            started: counts.started,
            bootstrapped: activity.count(.bootstrapped),
            registered: counts.everRegistered,
            updated: activity.count(.updated),
            read: activity.count(.read),
            written: activity.count(.written),
            observed: activity.count(.observed),
            notified: activity.count(.notified),
            deregistered: activity.count(.deregistered),
            failed: counts.planned - counts.everRegistered,
            lost: counts.lost,
            failedByCause: Self.named(counts.failedDevices),
            notDeregistered: max(counts.everRegistered - counts.lost - activity.count(.deregistered), 0)
        )
        self.failures = Self.named(counts.failures)
        self.lateStarts = counts.lateStarts
        self.droppedStarts = counts.droppedStarts
        self.wallSeconds = seconds(usage.atStart, end)
        self.rampSeconds = seconds(usage.atStart, hold)
        self.holdSeconds = seconds(hold, stopping)
        let processorTime = Double((hold.processorTime - usage.atStart.processorTime).nanoseconds)
        self.cpuMillisecondsPerDevice = Self.rounded(processorTime / 1e6 / started)
        self.residentKiBPerDevice = Self.rounded(
            Double(hold.residentBytes - usage.atStart.residentBytes) / 1024 / started
        )
        self.idleCPUPercent = Self.rounded(stopping.processorPercent(since: hold))
        var operations: [String: Operation] = [:]
        for operation in FleetOperation.allCases where measurements[operation].count > 0 {
            operations[operation.rawValue] = Operation(measurements[operation])
        }
        self.operations = operations
        self.names = names
        self.commands = commands
        self.lossPercent = lossPercent
        self.transport = transport
    }

    /// Whether every planned device registered and none was lost.
    public var isFlawless: Bool {
        self.devices.failed == 0 && self.devices.lost == 0
    }

    /// Reads a report that was written as JSON.
    public init(json: [UInt8]) throws {
        self = try JSONDecoder().decode(FleetReport.self, from: Data(json))
    }

    /// Writes the report as JSON: indented, keys in alphabetical order, a newline at the end.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    private static func named(_ failures: [FailureCause: Int]) -> [String: Int] {
        Dictionary(failures.map { ($0.key.name, $0.value) }, uniquingKeysWith: +)
    }

    fileprivate static func rounded(_ value: Double) -> Double {
        value.isFinite ? (value * 1_000).rounded() / 1_000 : 0
    }
}

extension FleetReport.Operation {
    fileprivate init(_ operation: FleetMeasurements.Operation) {
        let latencies = operation.histogram.latencies(at: [50, 90, 99, 99.9]).map(Self.milliseconds)
        self.init(
            count: operation.count,
            perSecond: FleetReport.rounded(operation.perSecond),
            milliseconds: FleetReport.Percentiles(
                p50: latencies[0],
                p90: latencies[1],
                p99: latencies[2],
                p999: latencies[3],
                max: Self.milliseconds(operation.histogram.longest)
            )
        )
    }

    private static func milliseconds(_ duration: Duration) -> Double {
        FleetReport.rounded(Double(duration.nanoseconds) / 1e6)
    }
}
