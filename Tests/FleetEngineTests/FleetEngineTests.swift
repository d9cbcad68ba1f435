import FleetEngine
import Primitives
import Testing

@Suite struct FleetEngineTests {
    private func drain(_ engine: inout FleetEngine) -> [FleetEngine.Output] {
        var outputs: [FleetEngine.Output] = []
        while let output = engine.nextOutput() { outputs.append(output) }
        return outputs
    }

    private func at(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

    private func configuration(devices: Int, rate: Double, inFlight: Int = 64) -> FleetConfiguration {
        var configuration = FleetConfiguration(deviceCount: devices, schedule: ArrivalSchedule(rate: rate))
        configuration.handshakesInFlight = inFlight
        configuration.duration = .seconds(60)
        return configuration
    }

    @Test func aWholeRunOfTwoDevices() {
        var engine = FleetEngine(configuration: self.configuration(devices: 2, rate: 10))
        engine.handle(.started, now: self.at(1_000))
        #expect(self.drain(&engine) == [.enterPhase(.ramp), .startDevice(0, intended: self.at(1_000))])
        // Two limits apply: the second start, and the first device's time to register.
        #expect(engine.nextDeadline == self.at(1_100))
        engine.handle(.deviceRegistered(0), now: self.at(1_050))
        #expect(self.drain(&engine).isEmpty)
        engine.handle(.deadlineReached, now: self.at(1_100))
        #expect(self.drain(&engine) == [.startDevice(1, intended: self.at(1_100))])
        engine.handle(.deviceRegistered(1), now: self.at(1_200))
        #expect(self.drain(&engine) == [.enterPhase(.hold)])
        #expect(engine.nextDeadline == self.at(61_200))
        engine.handle(.deadlineReached, now: self.at(61_199))
        #expect(engine.phase == .hold)
        engine.handle(.deadlineReached, now: self.at(61_200))
        #expect(self.drain(&engine) == [.enterPhase(.stopping), .stopDevice(0), .stopDevice(1)])
        engine.handle(.deviceStopped(1), now: self.at(61_300))
        engine.handle(.deviceStopped(0), now: self.at(61_400))
        #expect(self.drain(&engine) == [.enterPhase(.done)])
        #expect(engine.counts.isFlawless)
        #expect(engine.counts.stopped == 2)
        #expect(engine.counts.notDeregistered == 0)
        #expect(engine.nextDeadline == nil)
    }

    @Test func aSlowServerMakesStartsLateButNotFewer() {
        var engine = FleetEngine(configuration: self.configuration(devices: 4, rate: 100, inFlight: 1))
        engine.handle(.started, now: self.at(0))
        #expect(self.drain(&engine).last == .startDevice(0, intended: self.at(0)))
        engine.handle(.deadlineReached, now: self.at(500))
        #expect(self.drain(&engine).isEmpty)
        engine.handle(.deviceRegistered(0), now: self.at(500))
        // The latency of device 1 counts from when it should have started.
        #expect(self.drain(&engine) == [.startDevice(1, intended: self.at(10))])
        #expect(engine.counts.lateStarts == 1)
        #expect(engine.counts.starting == 1)
    }

    @Test func aStartIsDroppedWhenPatienceEnds() {
        var configuration = self.configuration(devices: 3, rate: 100, inFlight: 1)
        configuration.startPatience = .seconds(1)
        configuration.startLimit = .seconds(10)
        var engine = FleetEngine(configuration: configuration)
        engine.handle(.started, now: self.at(0))
        #expect(engine.nextDeadline == self.at(1_010))
        engine.handle(.deadlineReached, now: self.at(1_010))
        #expect(engine.counts.droppedStarts == 1)
        engine.handle(.deadlineReached, now: self.at(1_020))
        #expect(engine.counts.droppedStarts == 2)
        #expect(engine.counts.failures == [.dropped: 2])
        engine.handle(.deviceRegistered(0), now: self.at(1_030))
        #expect(engine.phase == .hold)
        #expect(!engine.counts.isFlawless)
    }

    @Test func aDeviceThatNeverAnswersGivesItsPlaceAway() {
        var configuration = self.configuration(devices: 2, rate: 1000, inFlight: 1)
        configuration.startLimit = .seconds(5)
        var engine = FleetEngine(configuration: configuration)
        engine.handle(.started, now: self.at(0))
        _ = self.drain(&engine)
        #expect(engine.nextDeadline == self.at(5_000))
        engine.handle(.deadlineReached, now: self.at(5_000))
        #expect(self.drain(&engine) == [.startDevice(1, intended: self.at(1))])
        #expect(engine.counts.failedDevices == [.timedOut: 1])
        // It may still recover.
        engine.handle(.deviceRegistered(0), now: self.at(5_500))
        #expect(engine.counts.failedDevices.isEmpty)
        #expect(engine.counts.failures == [.timedOut: 1])
        #expect(engine.counts.registered == 1)
    }

    @Test func lostDevicesAreCountedWhenTheRunEnds() {
        var engine = FleetEngine(configuration: self.configuration(devices: 2, rate: 1000))
        engine.handle(.started, now: self.at(0))
        engine.handle(.deadlineReached, now: self.at(1))
        engine.handle(.deviceRegistered(0), now: self.at(2))
        engine.handle(.deviceFailed(1, .refused(code: 0x83)), now: self.at(2))
        #expect(engine.phase == .hold)
        engine.handle(.deviceFailed(0, .sessionClosed), now: self.at(3))
        engine.handle(.deviceFailed(0, .timedOut), now: self.at(4))
        engine.handle(.deadlineReached, now: self.at(60_002))
        #expect(engine.counts.lost == 1)
        #expect(engine.counts.everRegistered == 1)
        #expect(engine.counts.failedDevices == [.timedOut: 1, .refused(code: 0x83): 1])
        #expect(engine.counts.failures == [.sessionClosed: 1, .timedOut: 1, .refused(code: 0x83): 1])
    }

    @Test func anInterruptDeregistersAndASecondOneEndsAtOnce() {
        var engine = FleetEngine(configuration: self.configuration(devices: 3, rate: 1))
        engine.handle(.started, now: self.at(0))
        engine.handle(.deviceRegistered(0), now: self.at(1))
        _ = self.drain(&engine)
        engine.handle(.interrupted, now: self.at(500))
        #expect(self.drain(&engine) == [.enterPhase(.stopping), .stopDevice(0)])
        #expect(engine.counts.droppedStarts == 2)
        engine.handle(.interrupted, now: self.at(600))
        #expect(self.drain(&engine) == [.enterPhase(.done)])
        #expect(engine.counts.notDeregistered == 1)
    }

    @Test func deregistrationIsBoundedInNumberAndTime() {
        var configuration = self.configuration(devices: 5, rate: 1_000_000, inFlight: 5)
        configuration.duration = .zero
        configuration.stopLimit = .seconds(3)
        configuration.handshakesInFlight = 2
        var engine = FleetEngine(configuration: configuration)
        engine.handle(.started, now: self.at(0))
        for device in 0..<5 { engine.handle(.deviceRegistered(device), now: self.at(1)) }
        let stops = self.drain(&engine).filter { if case .stopDevice = $0 { true } else { false } }
        #expect(stops == [.stopDevice(0), .stopDevice(1)])
        engine.handle(.deviceStopped(0), now: self.at(2))
        #expect(self.drain(&engine) == [.stopDevice(2)])
        #expect(engine.nextDeadline == self.at(3_001))
        engine.handle(.deadlineReached, now: self.at(3_001))
        #expect(engine.phase == .done)
        #expect(engine.counts.notDeregistered == 4)
    }

    @Test func eventsThatDoNotFitHaveNoEffect() {
        var engine = FleetEngine(configuration: self.configuration(devices: 1, rate: 1))
        for event: FleetEngine.Event in [
            .deviceRegistered(0), .deviceFailed(0, .local), .deviceStopped(0), .deviceRegistered(-1),
            .deviceFailed(99, .local), .deviceStopped(99), .interrupted, .deadlineReached,
        ] {
            engine.handle(event, now: self.at(0))
            #expect(engine.phase == .waiting)
        }
        engine.handle(.started, now: self.at(0))
        engine.handle(.started, now: self.at(0))
        #expect(self.drain(&engine) == [.enterPhase(.ramp), .startDevice(0, intended: self.at(0))])
    }

    @Test func slicesMakeOneFleet() {
        func readings(first: Int, count: Int) -> [Int: [DeviceReadings]] {
            var configuration = FleetConfiguration(
                firstIndex: first,
                deviceCount: count,
                schedule: ArrivalSchedule(rate: 1000)
            )
            configuration.readingInterval = .seconds(10)
            configuration.duration = .seconds(100)
            configuration.seed = 99
            var readings: [Int: [DeviceReadings]] = [:]
            var fleet = SimulatedFleet(configuration: configuration)
            fleet.run { device, values, _ in readings[first + device, default: []].append(values) }
            return readings
        }
        let whole = readings(first: 0, count: 40)
        let slices = readings(first: 0, count: 15).merging(readings(first: 15, count: 25)) { first, _ in first }
        #expect(whole.count == 40)
        for (index, values) in slices {
            // A slice may see one measurement more or less at its end; what it sees is the same.
            let common = min(values.count, whole[index]?.count ?? 0)
            #expect(common >= 9)
            #expect(values.prefix(common) == whole[index]?.prefix(common) ?? [])
        }
    }

    @Test func tenHoursOfAThousandDevicesPassInAMoment() {
        var configuration = FleetConfiguration(deviceCount: 1_000, schedule: ArrivalSchedule(rate: 50))
        configuration.readingInterval = .seconds(60)
        configuration.duration = .seconds(36_000)
        var fleet = SimulatedFleet(configuration: configuration)
        var measured = 0
        var latest = MonotonicTime.zero
        fleet.run { _, _, due in
            measured += 1
            #expect(due >= latest)
            latest = due
        }
        #expect(fleet.engine.counts.isFlawless)
        #expect(fleet.now >= self.at(36_000_000))
        // 600 rounds of the hold phase, and what registered devices measured during the 20 s before it.
        #expect((600_000...601_000).contains(measured))
        #expect(fleet.engine.counts.lateStarts == 0)
    }
}

/// A fleet whose devices register after 30 ms and stop at once, on a clock that jumps.
private struct SimulatedFleet {
    var engine: FleetEngine
    var now = MonotonicTime.zero
    private var arrivals: [(device: Int, at: MonotonicTime)] = []

    init(configuration: FleetConfiguration) {
        self.engine = FleetEngine(configuration: configuration)
    }

    mutating func run(_ measured: (Int, DeviceReadings, MonotonicTime) -> Void) {
        self.engine.handle(.started, now: self.now)
        var head = 0
        while self.engine.phase != .done {
            while let output = self.engine.nextOutput() {
                switch output {
                case .startDevice(let device, _):
                    self.arrivals.append((device, self.now.advanced(by: .milliseconds(30))))
                case .setReadings(let device, let readings, let due): measured(device, readings, due)
                case .stopDevice(let device): self.engine.handle(.deviceStopped(device), now: self.now)
                case .enterPhase: break
                }
            }
            let arrival = head < self.arrivals.count ? self.arrivals[head].at : nil
            guard let next = [arrival, self.engine.nextDeadline].compactMap({ $0 }).min() else { return }
            self.now = max(self.now, next)
            if let arrival, arrival <= self.now {
                self.engine.handle(.deviceRegistered(self.arrivals[head].device), now: self.now)
                head += 1
            } else {
                self.engine.handle(.deadlineReached, now: self.now)
            }
        }
    }
}
