import BootstrapURIs
import ClientEngine
import CoAPMessages
public import CoAPTransport
import CommandSessions
import DeviceRuntime
import FleetEngine
public import FleetReports
public import FleetScenarios
import LwM2MModel
import NameResolution
import Primitives

/// Runs a fleet on real sockets: every device a client engine on one loop, in the thread that calls ``run(onProgress:)``.
public final class FleetRuntime {
    private let scenario: FleetScenario
    private let factory: DeviceFactory
    private let loop: EventLoop
    private let transport: CoAPTransport
    private let resolver: NameResolver?
    private let runtime: DeviceRuntime
    private let bell: InterruptBell

    private var fleet: FleetEngine
    private var measurements = FleetMeasurements()
    private var activity: FleetActivity
    private var usage: FleetUsage
    /// How devices found their bootstrap server; nil where they have no temporary names.
    private var names: FleetNames?
    /// What became of command sessions; nil where the devices have none.
    private var commands: FleetCommands?
    /// Decides after which answers devices go down.
    private var faults: SeededGenerator
    private var restarting: [Int] = []
    private var requestFailures = 0
    private var sessionFailures = 0

    /// The runtime's number of a device; nil before it starts and after it stopped.
    private var numbers: [DeviceID?]
    /// The device by the runtime's number.
    private var devices: [Int32] = []
    /// When a device was meant to start or stop; nil once its first operation has taken it into account.
    private var intended: [MonotonicTime?]
    /// When a device was meant to start, until it is registered.
    private var starts: [MonotonicTime?]
    /// How late a device got its latest readings.
    private var lateness: [Duration]
    private var stopped: [DeviceID] = []

    /// Prepares a run: takes no device yet.
    ///
    /// - Parameters:
    ///   - scenario: what to run.
    ///   - loop: where the fleet shares the thread with something else, as in tests; nil for a loop of its own.
    /// - Throws: ``FleetRuntimeError`` when this machine cannot hold so many devices.
    public init(scenario: FleetScenario, loop: EventLoop? = nil) throws(FleetRuntimeError) {
        self.scenario = scenario
        self.factory = DeviceFactory(scenario: scenario)
        let count = scenario.fleet.deviceCount
        try Self.checkPorts(scenario)
        var configuration = CoAPTransport.Configuration()
        configuration.cipherSuites = [.aes128CCM8]
        configuration.compactsTLSMemory = true
        configuration.handshakeTimeout = scenario.handshakeTimeout
        configuration.lossPercent = scenario.lossPercent
        // While a device goes from its bootstrap server to its management server it may have two.
        let sessions = count + min(count, scenario.fleet.handshakesInFlight) + 16
        configuration.maximumSessions = sessions
        do throws(TransportError) {
            try CoAPTransport.checkDescriptorLimit(
                sessions: sessions,
                sessionsPerContext: configuration.sessionsPerContext
            )
            if let loop { self.loop = loop } else { self.loop = try EventLoop() }
            self.transport = try CoAPTransport(configuration: configuration, loop: self.loop)
        } catch {
            throw .transport(error)
        }
        do throws(NameResolutionError) {
            self.resolver = try Self.makeResolver(scenario, loop: self.loop)
        } catch {
            throw .resolver(error)
        }
        self.runtime = DeviceRuntime(loop: self.loop, transport: self.transport, resolver: self.resolver)
        self.runtime.keepsConfigurations = scenario.commandRestarts > 0
        self.bell = try InterruptBell()
        self.fleet = FleetEngine(configuration: scenario.fleet)
        self.activity = FleetActivity(deviceCount: count)
        self.names = scenario.profile.map { _ in FleetNames() }
        self.commands = scenario.sessionPolicy.map { _ in FleetCommands() }
        self.faults = SeededGenerator(seed: scenario.fleet.seed)
        self.numbers = Array(repeating: nil, count: count)
        self.intended = Array(repeating: nil, count: count)
        self.starts = Array(repeating: nil, count: count)
        self.lateness = Array(repeating: .zero, count: count)
        self.devices.reserveCapacity(count)
        self.runtime.reserveDevices(count)
        self.usage = FleetUsage(atStart: ProcessUsage.read(now: self.loop.now))
    }

    private static func checkPorts(_ scenario: FleetScenario) throws(FleetRuntimeError) {
        let perAddress = ProcessUsage.portsPerAddress
        let available = perAddress.multipliedReportingOverflow(by: max(scenario.sourceAddresses.count, 1)).partialValue
        guard scenario.fleet.deviceCount <= available else {
            throw .tooFewPorts(available: available, needed: scenario.fleet.deviceCount)
        }
    }

    private static func makeResolver(
        _ scenario: FleetScenario,
        loop: EventLoop
    ) throws(NameResolutionError) -> NameResolver? {
        // A bootstrap server may name any host; a server that is an address needs no resolver.
        if case .server(let uri) = scenario.target, IPAddress(parsing: uri.host) != nil { return nil }
        let servers = scenario.nameServers.map { address in
            NameResolver.Configuration.Server(
                address: Self.host(of: address),
                port: address.port == 0 ? 53 : address.port
            )
        }
        return try NameResolver.watched(by: loop, configuration: NameResolver.Configuration(servers: servers))
    }

    /// The address as text, without port and brackets.
    private static func host(of address: SocketAddress) -> UTF8Text {
        let text = address.text.prefix(upTo: address.text.lastIndex(of: ":") ?? address.text.endIndex)
        return UTF8Text(text.filter { $0 != "[" && $0 != "]" })
    }

    /// Asks the run to end: devices deregister first; at the second time, at once.
    ///
    /// Any thread may call it.
    public func interrupt() { self.bell.ring() }

    /// Lets SIGINT and SIGTERM ask the run to end until it is over.
    public func endsOnSignals() { self.bell.listenForSignals() }

    /// Runs the fleet to its end.
    ///
    /// - Parameters:
    ///   - interval: how often progress is reported; above zero.
    ///   - onProgress: called in this thread, and once more at the end.
    /// - Returns: what was measured, also after an interrupt.
    public func run(
        progressEvery interval: Duration = .seconds(1),
        onProgress: (FleetProgress) -> Void = { _ in }
    ) -> FleetReport {
        self.runtime.onReport = { [unowned self] number, report, now in
            self.reported(report, by: number, now: now)
        }
        self.bell.watch(on: self.loop) { [unowned self] in
            self.fleet.handle(.interrupted, now: self.loop.now)
        }
        defer {
            self.bell.stopListening()
            self.bell.unwatch(on: self.loop)
        }
        self.usage.atStart = ProcessUsage.read(now: self.loop.now)
        var meter = FleetProgressMeter(usage: self.usage.atStart)
        var nextProgress = self.usage.atStart.time.advanced(by: interval)
        self.fleet.handle(.started, now: self.usage.atStart.time)
        self.performOutputs()
        while self.fleet.phase != .done {
            self.runtime.run(until: min(self.fleet.nextDeadline ?? nextProgress, nextProgress))
            let now = self.loop.now
            self.fleet.handle(.deadlineReached, now: now)
            self.performOutputs()
            if now >= nextProgress {
                nextProgress = now.advanced(by: interval)
                onProgress(
                    meter.progress(
                        of: self.fleet,
                        measurements: self.measurements,
                        names: self.names,
                        usage: ProcessUsage.read(now: now)
                    )
                )
            }
        }
        onProgress(
            meter.progress(
                of: self.fleet,
                measurements: self.measurements,
                names: self.names,
                usage: ProcessUsage.read(now: self.loop.now)
            )
        )
        return self.report()
    }

    private func report() -> FleetReport {
        let counters = self.transport.counters
        return FleetReport(
            counts: self.fleet.counts,
            activity: self.activity,
            measurements: self.measurements,
            usage: self.usage,
            names: self.names,
            commands: self.commands,
            lossPercent: self.scenario.lossPercent > 0 ? self.scenario.lossPercent : nil,
            transport: [
                "malformedDatagrams": Int(clamping: counters.malformedDatagrams),
                "unknownCriticalOptions": Int(clamping: counters.unknownCriticalOptions),
                "duplicateRequests": Int(clamping: counters.duplicateRequests),
                "unexpectedAnswers": Int(clamping: counters.unexpectedAnswers),
                "failedSends": Int(clamping: counters.failedSends),
                "losslessSessions": Int(clamping: counters.losslessSessions),
                "failedHandshakes": Int(clamping: counters.failedHandshakes),
                "libraryWarnings": Int(clamping: counters.libraryWarnings),
                "requestFailures": self.requestFailures,
                "sessionFailures": self.sessionFailures,
            ]
        )
    }

    // MARK: What the fleet wants

    private func performOutputs() {
        while let output = self.fleet.nextOutput() {
            switch output {
            case .startDevice(let device, let intended): self.start(device, intended: intended)
            case .setReadings(let device, let readings, let due):
                guard let number = self.numbers[device] else { continue }
                self.lateness[device] = due.duration(to: self.loop.now)
                self.runtime.deliver(.valueSet(DeviceFactory.records(readings)), to: number)
            case .stopDevice(let device):
                guard let number = self.numbers[device] else { continue }
                self.intended[device] = self.loop.now
                self.runtime.deliver(.stopRequested, to: number)
            case .enterPhase(let phase): self.enter(phase)
            }
        }
        for number in self.stopped { self.runtime.removeDevice(number) }
        self.stopped.removeAll(keepingCapacity: true)
        for device in self.restarting { self.restart(device) }
        self.restarting.removeAll(keepingCapacity: true)
    }

    /// Takes a device down where it is; it comes back with what it has stored.
    ///
    /// Not once the fleet is stopping: the device would forget that it was asked to.
    private func restart(_ device: Int) {
        guard let number = self.numbers[device], self.fleet.phase == .ramp || self.fleet.phase == .hold else { return }
        let index = self.scenario.fleet.firstIndex + device
        self.commands?.restarts += 1
        self.runtime.restartDevice(
            number,
            self.factory.configuration(index: index, readings: self.fleet.initialReadings(of: device)),
            registry: .standard,
            seed: self.faults.next()
        )
    }

    private func start(_ device: Int, intended: MonotonicTime) {
        let index = self.scenario.fleet.firstIndex + device
        let addresses = self.scenario.sourceAddresses
        let number = self.runtime.addDevice(
            self.factory.configuration(index: index, readings: self.fleet.initialReadings(of: device)),
            registry: .standard,
            seed: VirtualDevice.seed(of: index, in: self.scenario.fleet.seed),
            store: nil,
            sourceAddress: addresses.isEmpty ? nil : addresses[index % addresses.count]
        )
        while self.devices.count <= Int(number.index) { self.devices.append(-1) }
        self.devices[Int(number.index)] = Int32(device)
        self.numbers[device] = number
        self.intended[device] = intended
        self.starts[device] = intended
        self.runtime.deliver(.clockSet(CivilClock.now), to: number)
        self.runtime.deliver(.started, to: number)
    }

    private func enter(_ phase: FleetEngine.Phase) {
        let usage = ProcessUsage.read(now: self.loop.now)
        switch phase {
        case .waiting, .ramp: break
        case .hold: self.usage.atHold = usage
        case .stopping: self.usage.atStopping = usage
        case .done: self.usage.atEnd = usage
        }
    }

    // MARK: What devices report

    private func reported(_ report: DeviceReport, by number: DeviceID, now: MonotonicTime) {
        guard Int(number.index) < self.devices.count, self.devices[Int(number.index)] >= 0 else { return }
        let device = Int(self.devices[Int(number.index)])
        switch report {
        case .client(let report): self.reported(report, by: device, number, now: now)
        case .sessionOpened(let since):
            if self.scenario.target.uri.scheme == .coaps {
                self.measurements.record(.handshake, from: self.takeIntended(device) ?? since, to: now)
            }
        case .sessionFailed: self.sessionFailures += 1
        case .requestFailed: self.requestFailures += 1
        case .storageFailed: break
        }
    }

    private func reported(_ report: ClientReport, by device: Int, _ number: DeviceID, now: MonotonicTime) {
        switch report {
        case .bootstrapFinished(let since):
            self.measurements.record(.bootstrap, from: self.takeIntended(device) ?? since, to: now)
            self.activity.note(.bootstrapped, of: device)
        case .bootstrapFailed(let failure):
            if failure == .noName { self.names?.withoutName += 1 }
            if failure == .clockUnknown { self.names?.withoutClock += 1 }
            self.fleet.handle(.deviceFailed(device, FailureCause(failure)), now: now)
        case .registered(_, let since):
            self.measurements.record(.register, from: self.takeIntended(device) ?? since, to: now)
            if let start = self.starts[device] {
                self.measurements.record(.start, from: start, to: now)
                self.starts[device] = nil
            }
            self.activity.note(.registered, of: device)
            self.fleet.handle(.deviceRegistered(device), now: now)
        case .registrationFailed(_, let failure):
            guard let cause = FailureCause(failure) else { return }
            self.fleet.handle(.deviceFailed(device, cause), now: now)
        case .updated(_, let since):
            self.measurements.record(.update, from: since, to: now)
            self.activity.note(.updated, of: device)
            self.fleet.handle(.deviceRegistered(device), now: now)
        case .deregistered:
            self.measurements.record(.deregister, from: self.takeIntended(device) ?? now, to: now)
            self.activity.note(.deregistered, of: device)
        case .stopped:
            self.stopped.append(number)
            self.numbers[device] = nil
            self.fleet.handle(.deviceStopped(device), now: now)
        case .operationServed(let operation, let path, let code):
            self.served(operation, code, by: device, since: now)
            if path.object == self.scenario.ownObjectIDs.commandSession { self.perhapsRestart(device) }
        case .notificationAcknowledged(_, let since):
            self.activity.note(.notified, of: device)
            let late = max(self.lateness[device], .zero)
            self.measurements.record(.notify, from: since.advanced(by: .zero - late), to: now)
        case .commandExecuted(let code):
            self.commands?.completed += 1
            if !code.isSuccess { self.commands?.refused += 1 }
        case .commandSessionAborted: self.commands?.aborted += 1
        case .commandSessionLate: self.commands?.late += 1
        case .commandSessionBreached(let breach, _, _): self.commands?.breaches["\(breach.name)", default: 0] += 1
        case .serverSuspended: self.commands?.suspensions += 1
        case .bootstrapNameTried(let window): self.nameTried(window)
        case .bootstrapHeld: self.names?.holds += 1
        case .bootstrapStarted, .notificationSent, .valueWritten, .instanceCreated, .instanceDeleted: break
        }
    }

    private func perhapsRestart(_ device: Int) {
        guard self.scenario.commandRestarts > 0, self.fleet.phase == .ramp || self.fleet.phase == .hold,
            self.faults.nextUnitInterval() < self.scenario.commandRestarts, !self.restarting.contains(device)
        else { return }
        self.restarting.append(device)
    }

    private func nameTried(_ window: TimeWindow?) {
        guard let profile = self.scenario.profile else { return }
        if let window {
            let isCurrent = window == profile.window(at: CivilClock.now)
            if isCurrent { self.names?.current += 1 } else { self.names?.neighbour += 1 }
        } else {
            self.names?.static += 1
        }
    }

    private func served(
        _ operation: ManagementOperation,
        _ code: CoAPCode,
        by device: Int,
        since: MonotonicTime
    ) {
        let measured: FleetOperation
        let activity: DeviceActivity
        switch operation {
        case .read: (measured, activity) = (.read, .read)
        case .observe, .cancelObservation: (measured, activity) = (.read, .observed)
        case .write, .partialUpdate: (measured, activity) = (.write, .written)
        case .discover, .writeAttributes, .execute, .create, .delete, .unknown:
            (measured, activity) = (.otherOperation, [])
        // Bootstrap is measured as a whole.
        case .bootstrapRead, .bootstrapDiscover, .bootstrapWrite, .bootstrapDelete, .bootstrapFinish: return
        }
        self.measurements.record(measured, from: since, to: self.loop.now)
        if code.isSuccess { self.activity.note(activity, of: device) }
    }

    private func takeIntended(_ device: Int) -> MonotonicTime? {
        defer { self.intended[device] = nil }
        return self.intended[device]
    }
}
