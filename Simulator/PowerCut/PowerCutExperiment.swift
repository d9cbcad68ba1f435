import BalancerEngine
import BootstrapEngine
import BootstrapURIs
import ClientEngine
import CoAPMessages
import FleetEngine
public import Primitives
import VirtualNetwork

/// A power cut on a virtual network: every device reboots and asks for bootstrap, and time jumps from one happening to
/// the next.
///
/// Devices, servers and balancer are the engines that run on real sockets; only the network, the clock and what a
/// datagram costs a server are simulated. A device is there from its reboot until it is bootstrapped.
public final class PowerCutExperiment {
    /// When the power returns; before that the balancer publishes the names.
    static let powerReturns = MonotonicTime(nanoseconds: 600_000_000_000)
    /// The part of the time to reboot that chance adds to a device's turn.
    private static let bootShare = 10

    /// A server of the experiment.
    struct Server {
        let name: UTF8Text
        let address: IPAddress
        let peer: BootstrapPeer
        let number: Int
    }

    /// What is simulated.
    public let configuration: PowerCutConfiguration
    let network: VirtualNetwork
    let blueprint: DeviceBlueprint
    /// What devices, instances and balancer derive names with; nil where there is only the static server.
    let uris: TemporaryURIs?
    let hashes: HashFunctions
    var servers: [Server] = []
    var balancer: BalancerPeer?
    var balancerNumber = 0
    var stranger: NameGuesser
    var result: PowerCutResult
    private var fleet: FleetPeer?
    private var fleetNumber = 0
    /// The numbers that devices have on the network while they are there.
    private var deviceNumbers: [Int32]
    private var curves = LoadCurves(servers: 0)
    private var milestones: [(count: Int, path: WritableKeyPath<PowerCutResult, Double?>)] = []

    /// Creates an experiment that has not begun.
    ///
    /// - Parameters:
    ///   - configuration: what to simulate.
    ///   - hashes: `.libCrypto`.
    public init(configuration: PowerCutConfiguration, hashes: HashFunctions) {
        self.configuration = configuration
        self.hashes = hashes
        let staticURI = CoAPURI(scheme: .coaps, host: DeviceBlueprint.staticHost)
        self.uris = configuration.isStatic ? nil : try? TemporaryURIs(profile: .standard, staticURI: staticURI)
        self.network = VirtualNetwork(conditions: configuration.conditions, seed: configuration.seed)
        self.blueprint = DeviceBlueprint(seed: configuration.seed, profile: self.uris?.profile)
        self.stranger = NameGuesser(seed: configuration.seed &+ 2)
        self.deviceNumbers = Array(repeating: -1, count: configuration.devices)
        self.result = PowerCutResult(
            devices: configuration.devices,
            instances: configuration.instances,
            attackRate: configuration.attackRate,
            withinSeconds: Self.seconds(configuration.within),
            seed: configuration.seed
        )
        let half = (configuration.devices + 1) / 2
        let most = configuration.devices - configuration.devices / 100
        self.milestones = [(half, \.secondsTo50), (most, \.secondsTo99), (configuration.devices, \.secondsTo100)]
        if let uris = self.uris { self.addBalancer(uris) }
        self.addStaticServer()
        self.curves = LoadCurves(servers: self.servers.count)
        self.addFleet()
    }

    /// How far an experiment is.
    public struct Progress: Hashable, Sendable {
        /// Seconds since the power returned; negative before.
        public let seconds: Double
        /// Devices that have power.
        public let started: Int
        /// Devices that are bootstrapped.
        public let bootstrapped: Int
    }

    /// How far the experiment is.
    public var progress: Progress {
        Progress(
            seconds: self.seconds(of: self.network.now),
            started: self.fleet?.engine.counts.started ?? 0,
            bootstrapped: self.result.bootstrapped
        )
    }

    /// Lets a number of things happen.
    ///
    /// - Returns: whether there is more to come.
    public func advance(happenings: Int) -> Bool {
        let end = Self.powerReturns.advanced(by: self.configuration.limit)
        let isOver = self.network.run(until: end, limit: happenings) { self.isComplete }
        return !isOver
    }

    /// Runs the experiment to its end.
    public func run() -> PowerCutResult {
        while self.advance(happenings: 1_000_000) {}
        return self.finish()
    }

    /// The result so far; whole when ``advance(happenings:)`` returned false.
    public func finish() -> PowerCutResult {
        var result = self.result
        result.endSeconds = self.seconds(of: self.network.now)
        result.datagrams = self.network.datagramsSent
        result.intervalSeconds = self.curves.intervalSeconds
        result.bootstrappedCurve = self.curves.bootstrapped
        self.countNames(in: &result)
        for (index, server) in self.servers.enumerated() {
            result.servers.append(self.report(of: server, load: self.curves.load(of: index)))
        }
        for (cause, count) in self.fleet?.engine.counts.failures ?? [:] { result.failures[cause.name] = count }
        return result
    }

    private var isComplete: Bool { self.result.bootstrapped == self.configuration.devices }

    // MARK: Who takes part

    /// The server under the static name, which strangers know; devices too where they know no other.
    private func addStaticServer() {
        guard let address = IPAddress([192, 0, 2, 1]) else { return }
        let number = self.addServer("static", at: address, uris: nil)
        self.network.names.assign(DeviceBlueprint.staticHost, to: address, timeToLive: 3600)
        let flood = DatagramFlood(rate: self.configuration.attackRate, begin: Self.powerReturns)
        self.network.flood(number, with: flood, seed: self.configuration.seed &+ 1)
    }

    /// - Returns: its number on the network.
    @discardableResult
    func addServer(_ name: UTF8Text, at address: IPAddress, uris: TemporaryURIs?) -> Int {
        let blueprint = self.blueprint
        var configuration = BootstrapConfiguration()
        if let uris {
            configuration.hostRule = HostRule(uris: uris, hashes: self.hashes)
            configuration.hostRule?.asksForPins = true
        }
        let peer = BootstrapPeer(
            configuration: configuration,
            keepsReports: false,
            keys: { blueprint.device($0).map(blueprint.key) },
            plans: blueprint.plan
        )
        peer.deliver(.clockSet(Self.civilTime(self.network.now)), now: self.network.now)
        if uris != nil { self.join(peer, as: name) }
        let number = self.network.add(peer, capacity: self.configuration.capacity)
        self.network.listen(number, at: address)
        self.servers.append(Server(name: name, address: address, peer: peer, number: number))
        return number
    }

    private func addFleet() {
        let boot = self.configuration.within / Self.bootShare
        let ramp = max(Self.seconds(self.configuration.within - boot), 1e-3)
        var configuration = FleetConfiguration(
            deviceCount: self.configuration.devices,
            schedule: ArrivalSchedule(rate: Double(self.configuration.devices) / ramp)
        )
        configuration.seed = self.configuration.seed
        configuration.handshakesInFlight = self.configuration.devices
        configuration.startLimit = self.configuration.limit
        let fleet = FleetPeer(configuration: configuration) { [unowned self] in self.perform($0) }
        let metronome = MetronomePeer(from: Self.powerReturns, every: .seconds(1)) { [unowned self] in self.sample() }
        self.fleet = fleet
        self.fleetNumber = self.network.add(fleet)
        self.network.start(self.fleetNumber, at: Self.powerReturns)
        self.network.attend(to: self.network.add(metronome))
    }

    // MARK: What happens

    private func perform(_ output: FleetEngine.Output) {
        switch output {
        case .startDevice(let device, _): self.boot(device)
        case .setReadings, .stopDevice, .enterPhase: break
        }
    }

    /// Gives a device its power: it is there a moment later.
    private func boot(_ device: Int) {
        let peer = ClientPeer(
            configuration: self.blueprint.configuration(device),
            seed: self.blueprint.engineSeed(device),
            hashes: self.hashes,
            keepsReports: false
        ) { [unowned self] report, now in
            self.heard(report, from: device, now: now)
        }
        if self.uris != nil { peer.deliver(.clockSet(Self.civilTime(self.network.now)), now: self.network.now) }
        let number = self.network.add(peer)
        self.deviceNumbers[device] = Int32(number)
        let spread = Double((self.configuration.within / Self.bootShare).nanoseconds)
        let delay = Duration.nanoseconds(Int64(spread * self.blueprint.bootDelay(device)))
        self.network.start(number, at: self.network.now.advanced(by: delay))
    }

    private func heard(_ report: ClientReport, from device: Int, now: MonotonicTime) {
        switch report {
        case .bootstrapStarted: self.result.requests += 1
        case .bootstrapFailed(let failure):
            self.fleet?.tell(.deviceFailed(device, FailureCause(failure)), now: now)
        case .bootstrapFinished: self.bootstrapped(device, now: now)
        default: break
        }
    }

    private func bootstrapped(_ device: Int, now: MonotonicTime) {
        self.fleet?.tell(.deviceRegistered(device), now: now)
        self.network.remove(Int(self.deviceNumbers[device]))
        self.deviceNumbers[device] = -1
        self.result.bootstrapped += 1
        while let milestone = self.milestones.first, self.result.bootstrapped >= milestone.count {
            self.result[keyPath: milestone.path] = self.seconds(of: now)
            self.milestones.removeFirst()
        }
    }

    private func sample() {
        if self.uris != nil { self.guess() }
        self.curves.sample(
            bootstrapped: self.result.bootstrapped,
            loads: self.servers.map { self.network.load(of: $0.number) }
        )
    }

    // MARK: Numbers

    private func report(of server: Server, load curve: [Int]) -> PowerCutResult.Server {
        var report = PowerCutResult.Server(name: server.name.string)
        let counters = server.peer.engine.counters
        let load = self.network.load(of: server.number)
        report.finished = Int(counters.finished)
        report.abandoned = Int(counters.timedOut + counters.abandoned)
        report.refused = Int(
            counters.malformed + counters.unknownEndpoints + counters.identityMismatches + counters.missingHosts
                + counters.unknownHosts + counters.expiredHosts + counters.refusedByBounds + counters.refusedOtherwise
        )
        report.served = load.served
        report.lost = load.lost
        report.strangersServed = load.strangersServed
        report.strangersLost = load.strangersLost
        report.busySeconds = Self.rounded(Self.seconds(load.busy))
        report.load = curve
        return report
    }

    /// The civil time of a moment: the power returns at ten minutes past an hour.
    static func civilTime(_ time: MonotonicTime) -> WallTime {
        WallTime(secondsSinceEpoch: 1_767_225_600 + time.nanoseconds / 1_000_000_000)
    }

    func seconds(of time: MonotonicTime) -> Double {
        Self.rounded(Self.seconds(Self.powerReturns.duration(to: time)))
    }

    static func seconds(_ duration: Duration) -> Double { Double(duration.nanoseconds) / 1e9 }

    /// To a millisecond.
    static func rounded(_ seconds: Double) -> Double { (seconds * 1e3).rounded() / 1e3 }
}
