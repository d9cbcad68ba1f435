import FleetEngine
import FleetReports
import Primitives
import Testing

@Suite struct FleetReportTests {
    /// A thousand devices of seed 42 whose latencies come from the seed too: everything in it repeats.
    static func report() -> FleetReport {
        func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }
        var configuration = FleetConfiguration(deviceCount: 1_000, schedule: ArrivalSchedule(rate: 500))
        configuration.seed = 42
        configuration.duration = .seconds(60)
        var engine = FleetEngine(configuration: configuration)
        var measurements = FleetMeasurements()
        var activity = FleetActivity(deviceCount: 1_000)
        var generator = SeededGenerator(seed: configuration.seed)
        engine.handle(.started, now: .zero)
        while engine.phase == .ramp || engine.phase == .waiting {
            let now = engine.nextDeadline ?? .zero
            engine.handle(.deadlineReached, now: now)
            while let output = engine.nextOutput() {
                guard case .startDevice(let device, let intended) = output else { continue }
                let handshake = Duration.microseconds(Int64(1_000 + generator.nextUnitInterval() * 4_000))
                let connected = now.advanced(by: handshake)
                measurements.record(.handshake, from: intended, to: connected)
                if device % 250 == 249 {
                    engine.handle(.deviceFailed(device, .refused(code: 0x83)), now: now)
                } else {
                    let registered = connected.advanced(by: .milliseconds(2))
                    measurements.record(.register, from: connected, to: registered)
                    measurements.record(.start, from: intended, to: registered)
                    engine.handle(.deviceRegistered(device), now: now)
                    activity.note([.registered, .deregistered], of: device)
                    if device < 10 { activity.note([.read, .observed], of: device) }
                }
            }
        }
        engine.handle(.deadlineReached, now: at(61_998))
        while engine.phase != .done {
            guard case .stopDevice(let device) = engine.nextOutput() else { continue }
            engine.handle(.deviceStopped(device), now: at(62_000))
        }
        var usage = FleetUsage(
            atStart: ResourceUsage(time: .zero, processorTime: .milliseconds(40), residentBytes: 20 << 20)
        )
        usage.atHold = ResourceUsage(time: at(1_998), processorTime: .milliseconds(240), residentBytes: 40 << 20)
        usage.atStopping = ResourceUsage(time: at(61_998), processorTime: .milliseconds(840), residentBytes: 40 << 20)
        usage.atEnd = ResourceUsage(time: at(62_500), processorTime: .milliseconds(900), residentBytes: 40 << 20)
        return FleetReport(
            counts: engine.counts,
            activity: activity,
            measurements: measurements,
            usage: usage,
            transport: ["duplicates": 3, "malformedDatagrams": 0]
        )
    }

    @Test func jsonOfAFixedSeed() throws {
        #expect(try Self.report().json() == Self.expectedJSON)
    }

    @Test func tableOfAFixedSeed() {
        #expect(Self.report().table == Self.expectedTable)
        for line in Self.expectedTable.split(separator: "\n") { #expect(line.count <= 80) }
    }

    @Test func aDeviceCountsOnceForWhatItDoes() {
        var activity = FleetActivity(deviceCount: 2)
        activity.note(.read, of: 0)
        activity.note([.read, .written], of: 0)
        activity.note(.read, of: 1)
        activity.note(.read, of: 2)
        activity.note(.read, of: -1)
        #expect(activity.count(.read) == 2)
        #expect(activity.count(.written) == 1)
        #expect(activity.count(.notified) == 0)
    }

    @Test func jsonReadsBack() throws {
        let report = Self.report()
        #expect(try FleetReport(json: Array(try report.json().utf8)) == report)
    }

    @Test func namesAreReportedWhereThereAreSome() throws {
        var report = Self.report()
        #expect(try !report.json().contains("\"names\""))
        var names = FleetNames()
        names.current = 1_000
        names.neighbour = 3
        report.names = names
        #expect(report.table.contains("\nnames        1000 current, 3 neighbour, 0 static\n"))
        names.holds = 2
        names.withoutName = 1
        names.withoutClock = 4
        #expect(
            names.text == "1000 current, 3 neighbour, 0 static, 2 held, 1 without a name, 4 without a clock"
        )
        report.names = names
        #expect(report.table.contains("\n             2 held, 1 without a name, 4 without a clock\n"))
        #expect(try FleetReport(json: Array(try report.json().utf8)) == report)
    }

    @Test func aReportSaysThatDatagramsWereLostOnPurpose() throws {
        var report = Self.report()
        #expect(try !report.json().contains("lossPercent"))
        report.lossPercent = 2
        #expect(report.table.contains("\nloss         2% of the datagrams each way\n"))
        #expect(try report.json().contains("\"lossPercent\" : 2"))
        #expect(try FleetReport(json: Array(try report.json().utf8)) == report)
    }

    @Test(arguments: ["", "{}", "[1]", "{\"devices\":3}"])
    func refusesWhatIsNoReport(_ text: String) {
        #expect(throws: (any Error).self) { try FleetReport(json: Array(text.utf8)) }
    }

    @Test func anInterruptedRunStillReports() {
        let start = ResourceUsage(time: .zero, processorTime: .zero, residentBytes: 0)
        let report = FleetReport(
            counts: FleetCounts(),
            activity: FleetActivity(deviceCount: 0),
            measurements: FleetMeasurements(),
            usage: FleetUsage(atStart: start)
        )
        #expect(report.operations.isEmpty)
        #expect(report.cpuMillisecondsPerDevice == 0)
        #expect(report.idleCPUPercent == 0)
    }

    @Test(arguments: [
        (12.345, 1, "12.3"), (0.05, 2, "0.05"), (-1.5, 1, "-1.5"), (999.9999, 3, "1000.000"), (7, 0, "7"),
        (1e300, 0, "9000000000000000"),
    ])
    func writesFixedNumbers(_ value: Double, digits: Int, text: String) {
        #expect(FleetReport.text(value, digits) == text)
    }

    private static let expectedTable = """

        devices      1000 started of 1000, 996 registered, 4 failed, 0 lost
        of these     10 read, 10 observed, 996 deregistered
        failed by    refused 4.03 4
        failures     refused 4.03 4
        starts       0 late, 0 dropped
        time         2.0 s ramp, 60.0 s hold, 62.5 s in all

        latency, ms          count   per s     p50     p90     p99   p99.9     max
        start                  996   499.6   4.943   6.619   6.959   7.966   7.966
        handshake             1000   500.8   2.933   4.615   4.959   4.991   5.966
        register               996   499.6   2.000   2.000   2.000   2.000   2.000

        CPU per device       0.200 ms until registered
        resident per device  20.5 KiB
        CPU while it ran     1.00% of one core

        transport    duplicates 3

        """

    private static let expectedJSON = """
        {
          "cpuMillisecondsPerDevice" : 0.2,
          "devices" : {
            "bootstrapped" : 0,
            "deregistered" : 996,
            "failed" : 4,
            "failedByCause" : {
              "refused 4.03" : 4
            },
            "lost" : 0,
            "notDeregistered" : 0,
            "notified" : 0,
            "observed" : 10,
            "planned" : 1000,
            "read" : 10,
            "registered" : 996,
            "started" : 1000,
            "updated" : 0,
            "written" : 0
          },
          "droppedStarts" : 0,
          "failures" : {
            "refused 4.03" : 4
          },
          "formatVersion" : 1,
          "holdSeconds" : 60,
          "idleCPUPercent" : 1,
          "lateStarts" : 0,
          "operations" : {
            "handshake" : {
              "count" : 1000,
              "milliseconds" : {
                "max" : 5.966,
                "p50" : 2.933,
                "p90" : 4.615,
                "p99" : 4.959,
                "p99.9" : 4.991
              },
              "perSecond" : 500.845
            },
            "register" : {
              "count" : 996,
              "milliseconds" : {
                "max" : 2,
                "p50" : 2,
                "p90" : 2,
                "p99" : 2,
                "p99.9" : 2
              },
              "perSecond" : 499.552
            },
            "start" : {
              "count" : 996,
              "milliseconds" : {
                "max" : 7.966,
                "p50" : 4.943,
                "p90" : 6.619,
                "p99" : 6.959,
                "p99.9" : 7.966
              },
              "perSecond" : 499.552
            }
          },
          "rampSeconds" : 1.998,
          "residentKiBPerDevice" : 20.48,
          "transport" : {
            "duplicates" : 3,
            "malformedDatagrams" : 0
          },
          "wallSeconds" : 62.5
        }

        """
}
