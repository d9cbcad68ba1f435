public import Primitives

/// The course of one fleet, or of a slice of one: who starts when, who measures when, and when everything ends.
///
/// Pure: its driver reports events and carries out the outputs. Devices are numbered from 0 within the slice; their
/// index in the whole fleet is `firstIndex` plus that number.
///
///              all settled          duration over            all stopped
///     ramp ───────────────────▶ hold ──────────────▶ stopping ───────────▶ done
///       │                        │     interrupted      ▲  │                ▲
///       └────────────────────────┴──────────────────────┘  └────────────────┘
///                 interrupted                          interrupted again, or limit
public struct FleetEngine: Sendable {
    /// Where a fleet stands in its course.
    public enum Phase: Hashable, Sendable {
        /// Not started yet.
        case waiting
        /// Devices start as the schedule says.
        case ramp
        /// Every device was started; the fleet runs.
        case hold
        /// Devices deregister.
        case stopping
        /// Nothing is left to do.
        case done
    }

    /// What happened.
    public enum Event: Hashable, Sendable {
        /// The run begins now.
        case started
        /// The time in ``FleetEngine/nextDeadline`` has come.
        case deadlineReached
        /// A device is registered everywhere it should be.
        case deviceRegistered(Int)
        /// A device could not register, or lost its registration; it goes on trying by itself.
        case deviceFailed(Int, FailureCause)
        /// A device that was told to stop has stopped.
        case deviceStopped(Int)
        /// Somebody wants the run to end: deregister first; at the second time, at once.
        case interrupted
    }

    /// What the driver must do.
    public enum Output: Hashable, Sendable {
        /// Start a device, whose latency counts from the intended time.
        case startDevice(Int, intended: MonotonicTime)
        /// Give a device new values, which were due at the time.
        case setReadings(Int, DeviceReadings, due: MonotonicTime)
        /// Have a device deregister and stop, and report ``Event/deviceStopped(_:)``.
        case stopDevice(Int)
        /// Take the readings of CPU and memory that belong to the change.
        case enterPhase(Phase)
    }

    private enum State: UInt8, Sendable {
        case waiting
        case starting
        case registered
        case failing
        case stopping
        case stopped
        case dropped
    }

    private struct Device: Sendable {
        var state: State = .waiting
        var wasRegistered = false
        var lastFailure: FailureCause?
    }

    /// What the fleet is told to do.
    public let configuration: FleetConfiguration
    /// Where the fleet stands.
    public private(set) var phase: Phase = .waiting
    /// How many devices are in which state.
    public private(set) var counts = FleetCounts()
    /// When the run began.
    public private(set) var startTime = MonotonicTime.zero

    private var devices: [Device]
    private var behaviours: [VirtualDevice]
    private var outputs = OutputQueue<Output>()
    private var nextStart = 0
    private var nextStop = 0
    private var inFlight = 0
    private var startLimits: [(device: Int32, limit: MonotonicTime)] = []
    private var startLimitHead = 0
    private var phaseEnd: MonotonicTime?
    private var ring: ReadingRing?

    /// Creates a fleet that has not begun.
    public init(configuration: FleetConfiguration) {
        self.configuration = configuration
        self.devices = Array(repeating: Device(), count: configuration.deviceCount)
        self.behaviours = configuration.indices.map { VirtualDevice(seed: configuration.seed, index: $0) }
        self.counts.planned = configuration.deviceCount
    }

    /// The readings a device has before it first measures.
    public func initialReadings(of device: Int) -> DeviceReadings { self.behaviours[device].readings }

    /// When ``Event/deadlineReached`` must next be reported; nil when only other events matter.
    public var nextDeadline: MonotonicTime? {
        var deadline = self.phaseEnd
        func consider(_ time: MonotonicTime?) {
            guard let time else { return }
            deadline = deadline.map { min($0, time) } ?? time
        }
        switch self.phase {
        case .waiting, .done: return nil
        case .stopping: break
        case .ramp:
            if self.nextStart < self.devices.count {
                let intended = self.intendedStart(of: self.nextStart)
                let isFull = self.inFlight >= self.configuration.handshakesInFlight
                consider(isFull ? intended.advanced(by: self.configuration.startPatience) : intended)
            }
            if self.startLimitHead < self.startLimits.count { consider(self.startLimits[self.startLimitHead].limit) }
            consider(self.ring?.nextDue)
        case .hold:
            consider(self.ring?.nextDue)
        }
        return deadline
    }

    /// Takes the next thing to do; nil when there is none.
    public mutating func nextOutput() -> Output? { self.outputs.next() }

    /// Takes in what happened.
    ///
    /// - Parameters:
    ///   - event: what happened; events about devices that do not exist, or that do not fit, have no effect.
    ///   - now: when; never earlier than in a previous call.
    public mutating func handle(_ event: Event, now: MonotonicTime) {
        switch event {
        case .started: self.begin(now: now)
        case .deadlineReached: break
        case .deviceRegistered(let device): self.registered(device)
        case .deviceFailed(let device, let cause): self.failed(device, cause)
        case .deviceStopped(let device): self.stopped(device)
        case .interrupted: self.interrupted(now: now)
        }
        self.goOn(now: now)
    }

    private mutating func begin(now: MonotonicTime) {
        guard self.phase == .waiting else { return }
        self.startTime = now
        if let interval = self.configuration.readingInterval {
            self.ring = ReadingRing(
                interval: interval,
                origin: now,
                indices: self.configuration.indices,
                seed: self.configuration.seed
            )
        }
        self.enter(.ramp)
    }

    private mutating func enter(_ phase: Phase) {
        self.phase = phase
        self.outputs.append(.enterPhase(phase))
    }

    private func intendedStart(of device: Int) -> MonotonicTime {
        self.startTime.advanced(by: self.configuration.schedule.intendedStart(of: device))
    }

    private mutating func goOn(now: MonotonicTime) {
        if self.phase == .ramp {
            self.giveUpSlowStarts(now: now)
            self.startDue(now: now)
            if self.nextStart == self.devices.count, self.counts.starting == 0 { self.beginHold(now: now) }
        }
        if self.phase == .ramp || self.phase == .hold { self.measureDue(now: now) }
        if self.phase == .hold, let end = self.phaseEnd, now >= end { self.beginStopping(now: now) }
        if self.phase == .stopping {
            if let end = self.phaseEnd, now >= end {
                self.finish()
            } else {
                self.stopMore()
            }
        }
    }

    // MARK: Starts

    private mutating func startDue(now: MonotonicTime) {
        while self.nextStart < self.devices.count {
            let device = self.nextStart
            let intended = self.intendedStart(of: device)
            guard intended <= now else { return }
            let delay = intended.duration(to: now)
            if delay >= self.configuration.startPatience, self.inFlight >= self.configuration.handshakesInFlight {
                self.devices[device].state = .dropped
                self.counts.droppedStarts += 1
                self.counts.failures[.dropped, default: 0] += 1
                self.nextStart += 1
                continue
            }
            guard self.inFlight < self.configuration.handshakesInFlight else { return }
            self.nextStart += 1
            self.inFlight += 1
            self.devices[device].state = .starting
            self.counts.started += 1
            self.counts.starting += 1
            if delay > self.configuration.lateTolerance { self.counts.lateStarts += 1 }
            self.startLimits.append((Int32(device), now.advanced(by: self.configuration.startLimit)))
            self.outputs.append(.startDevice(device, intended: intended))
        }
    }

    private mutating func giveUpSlowStarts(now: MonotonicTime) {
        while self.startLimitHead < self.startLimits.count {
            let (device, limit) = self.startLimits[self.startLimitHead]
            let isStarting = self.devices[Int(device)].state == .starting
            guard !isStarting || limit <= now else { break }
            self.startLimitHead += 1
            if isStarting { self.failed(Int(device), .timedOut) }
        }
        if self.startLimitHead > 1024 {
            self.startLimits.removeFirst(self.startLimitHead)
            self.startLimitHead = 0
        }
    }

    private mutating func registered(_ device: Int) {
        guard self.devices.indices.contains(device) else { return }
        switch self.devices[device].state {
        case .starting:
            self.inFlight -= 1
            self.counts.starting -= 1
        case .failing:
            self.counts.failing -= 1
            self.forgetFailure(of: device)
        case .waiting, .registered, .stopping, .stopped, .dropped: return
        }
        self.devices[device].state = .registered
        self.counts.registered += 1
        guard !self.devices[device].wasRegistered else { return }
        self.devices[device].wasRegistered = true
        self.counts.everRegistered += 1
    }

    private mutating func failed(_ device: Int, _ cause: FailureCause) {
        guard self.devices.indices.contains(device) else { return }
        switch self.devices[device].state {
        case .starting:
            self.inFlight -= 1
            self.counts.starting -= 1
        case .registered: self.counts.registered -= 1
        case .failing:
            self.counts.failing -= 1
            self.forgetFailure(of: device)
        case .waiting, .stopping, .stopped, .dropped: return
        }
        self.devices[device].state = .failing
        self.devices[device].lastFailure = cause
        self.counts.failing += 1
        self.counts.failures[cause, default: 0] += 1
        self.counts.failedDevices[cause, default: 0] += 1
    }

    private mutating func forgetFailure(of device: Int) {
        guard let cause = self.devices[device].lastFailure, let count = self.counts.failedDevices[cause] else { return }
        self.counts.failedDevices[cause] = count > 1 ? count - 1 : nil
        self.devices[device].lastFailure = nil
    }

    // MARK: Measurements

    private mutating func measureDue(now: MonotonicTime) {
        while let (device, due) = self.ring?.popDue(now: now) {
            guard self.devices[device].state == .registered else { continue }
            self.outputs.append(.setReadings(device, self.behaviours[device].advance(), due: due))
        }
    }

    // MARK: The end

    private mutating func beginHold(now: MonotonicTime) {
        self.phaseEnd = self.configuration.duration.map { now.advanced(by: $0) }
        self.startLimits = []
        self.startLimitHead = 0
        self.enter(.hold)
    }

    private mutating func interrupted(now: MonotonicTime) {
        switch self.phase {
        case .waiting, .done: return
        case .ramp, .hold: self.beginStopping(now: now)
        case .stopping: self.finish()
        }
    }

    private mutating func beginStopping(now: MonotonicTime) {
        let missing = self.devices.count - self.nextStart
        self.counts.droppedStarts += missing
        for device in self.nextStart..<self.devices.count { self.devices[device].state = .dropped }
        self.nextStart = self.devices.count
        // An interrupt may catch devices in the middle of their start: they are neither registered nor lost.
        self.counts.lost = self.devices.count { $0.state == .failing && $0.wasRegistered }
        self.inFlight = 0
        self.phaseEnd = now.advanced(by: self.configuration.stopLimit)
        self.enter(.stopping)
    }

    private mutating func stopMore() {
        while self.nextStop < self.devices.count, self.inFlight < self.configuration.handshakesInFlight {
            let device = self.nextStop
            self.nextStop += 1
            switch self.devices[device].state {
            case .waiting, .stopping, .stopped, .dropped: continue
            case .starting: self.counts.starting -= 1
            case .registered: self.counts.registered -= 1
            case .failing: self.counts.failing -= 1
            }
            self.devices[device].state = .stopping
            self.inFlight += 1
            self.outputs.append(.stopDevice(device))
        }
        if self.nextStop == self.devices.count, self.inFlight == 0 { self.finish() }
    }

    private mutating func stopped(_ device: Int) {
        guard self.devices.indices.contains(device), self.devices[device].state == .stopping else { return }
        self.devices[device].state = .stopped
        self.counts.stopped += 1
        self.inFlight -= 1
    }

    private mutating func finish() {
        guard self.phase != .done else { return }
        self.counts.notDeregistered = self.counts.started - self.counts.stopped
        self.phaseEnd = nil
        self.enter(.done)
    }
}
