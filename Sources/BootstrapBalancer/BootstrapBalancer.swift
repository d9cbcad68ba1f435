import BalancerEngine
import BootstrapURIs
import CoAPMessages
public import CoAPTransport
import CryptographicHashes
import Foundation
import NameRegistry
public import Primitives
import ServiceStore
public import ServiceSupport

/// A bootstrap load balancer: ``BalancerEngine`` joined with instances, a registry, the devices' secrets and a store.
///
/// One thread creates and runs it. ``stop()`` may be called from inside ``run()`` or from another thread.
public final class BootstrapBalancer {
    let configuration: Configuration
    let loop: EventLoop
    let opened: OpenedRegistry
    let instances: InstanceSessions
    var held: HeldDevices?
    var engine: BalancerEngine
    let derivation: NameDerivation
    var directory: DeviceDirectory
    var reader: CredentialsReader?
    var children: ChildInstances?
    var door: BalancerDoor?
    let store: BalancerStore?
    var records = InstanceRecords()
    var narration = Narration()
    private var signals: TerminationSignals?
    private var isStopping = false
    private var isDraining = false
    private var isLoading = true
    /// Every device was told to the engine once: before, it would take a device for an unknown one.
    private var knowsDevices = false
    private var nextClockReading: MonotonicTime
    /// Set while the engine refuses something for want of room: its answer is 5.03.
    private var isRefusedByBounds = false

    /// How often the state could not be stored; what waited for it was not acknowledged.
    public private(set) var storageFailures: UInt64 = 0
    private let onLog: (BalancerLogEntry) -> Void
    /// What happened before the first turn.
    private var early: [BalancerLogEntry]? = []

    /// Opens the state, the registry, the addresses and the control socket.
    ///
    /// - Parameters:
    ///   - configuration: what the balancer is told once.
    ///   - onLog: told what happens, inside ``turn(until:)``.
    /// - Throws: what is wrong, for people.
    public convenience init(
        configuration: Configuration,
        onLog: @escaping (BalancerLogEntry) -> Void = { _ in }
    ) throws(ServiceError) {
        try self.init(configuration: configuration, registry: nil, onLog: onLog)
    }

    /// The same with a registry that is open already; nil opens the one of the configuration.
    init(
        configuration: Configuration,
        registry: (any NameRegistry)?,
        onLog: @escaping (BalancerLogEntry) -> Void
    ) throws(ServiceError) {
        var configuration = configuration
        self.onLog = onLog
        try Self.check(configuration)
        do {
            try CoAPTransport.checkDescriptorLimit(sessions: 0)
            self.loop = try EventLoop()
        } catch {
            throw ServiceError(error, about: "the balancer")
        }
        self.store = try configuration.statePath.map { path throws(ServiceError) in
            try Self.openStore(path, configuration)
        }
        if configuration.engine.writer.isEmpty { configuration.engine.writer = try Self.writer(self.store) }
        let snapshot = try Self.read(self.store)
        self.derivation = NameDerivation(uris: configuration.uris, hashes: .libCrypto)
        configuration.engine.batchSize = try Self.batchSize(configuration, self.derivation)
        self.configuration = configuration
        do throws(BalancerConfiguration.Problem) {
            self.engine = try BalancerEngine(configuration: configuration.engine, derivation: self.derivation)
        } catch {
            throw Self.words(error)
        }
        self.directory = DeviceDirectory(configuration.secrets)
        if let registry {
            self.opened = OpenedRegistry(registry)
        } else {
            self.opened = try OpenedRegistry(configuration, loop: self.loop)
        }
        self.opened.restore(snapshot, timeToLive: configuration.engine.timeToLive)
        self.instances = try InstanceSessions(configuration, loop: self.loop)
        self.nextClockReading = self.loop.now
        try self.openHolding()
        try self.openSecrets()
        if let path = configuration.controlPath { self.door = try BalancerDoor(path: path, balancer: self) }
        if configuration.stopsOnSignals {
            self.signals = try TerminationSignals(loop: self.loop) { [unowned self] in self.stop() }
        }
        self.instances.onRequest = { [unowned self] in self.take($0, from: $1, $2) }
        self.instances.onRefusal = { [unowned self] name, code in
            self.log(
                "refused-instance",
                "refused a request of instance \(name): \(code.text)",
                ["instance": name.string]
            )
        }
        self.restore(snapshot)
    }

    /// Serves until ``stop()``, then ends the instances it started.
    public func run() {
        while !self.isStopping { self.turn(until: nil) }
        self.door?.close()
        self.children?.end(within: .seconds(10), loop: self.loop)
    }

    /// Waits for what happens next, at most until a time, and does what follows: one round of ``run()``.
    public func turn(until limit: MonotonicTime?) {
        var deadline = min(self.nextClockReading, self.engine.nextDeadline ?? .latest)
        for other in [limit, self.reader?.nextDeadline, self.narration.nextDeadline] {
            if let other { deadline = min(deadline, other) }
        }
        if self.isLoading { deadline = self.loop.now }
        // What has arrived comes first: after long work, an instance that reported meanwhile was not silent.
        self.loop.turn(until: deadline)
        self.reachDeadlines()
    }

    /// Ends ``run()`` after the turn that runs.
    public func stop() {
        self.isStopping = true
        self.loop.wake()
    }

    /// Where instances report, with the ports that the system chose.
    public var addresses: [ListenAddress] { self.instances.addresses }

    /// Where the responder in this process answers; nil without one.
    public var responderAddress: SocketAddress? { self.opened.responder?.address }

    /// Where devices are held; nil without a holding address.
    public var holdingAddress: ListenAddress? { self.held?.address }

    // MARK: Start

    private func restore(_ snapshot: BalancerSnapshot) {
        // The instances have not reported to this process: until they do, they count as they were.
        for instance in snapshot.instances { self.records.report(instance, inProgress: 0) }
        if snapshot != BalancerSnapshot() {
            let started = snapshot.devices.count { $0.phase == .started }
            self.log(
                "restored",
                "restored \(snapshot.published.count) names, \(started) devices in progress, "
                    + "\(snapshot.instances.count) instances",
                [
                    "names": "\(snapshot.published.count)", "inProgress": "\(started)",
                    "instances": "\(snapshot.instances.count)",
                ]
            )
        }
        self.tell(.restored(snapshot))
        self.readClock()
    }

    private static func check(_ configuration: Configuration) throws(ServiceError) {
        let host = configuration.uris.staticURI.host
        guard host.bytes.ends(with: [UInt8(ascii: ".")] + configuration.zone.bytes) else {
            throw ServiceError(
                "the static URI's host '\(host)' is no name in the zone '\(configuration.zone)'",
                hint: "--zone example.test goes with --static-uri coaps://bs.example.test"
            )
        }
        guard configuration.instances.count > 0 else {
            throw ServiceError("no instance may report", hint: "--instance-credentials FILE: lines NAME,KEY")
        }
        for instance in configuration.instances.all where instance.endpoint.bytes.count > BalancerMessages.longestName {
            throw ServiceError("the instance name '\(instance.endpoint)' is too long", hint: "at most 64 bytes")
        }
    }

    /// How many names fit into one signed update of 64 KiB: three records for each that is assigned.
    ///
    /// - Throws: when temporary names are none in DNS.
    private static func batchSize(
        _ configuration: Configuration,
        _ derivation: NameDerivation
    ) throws(ServiceError) -> Int {
        let secret = SecretBytes(Array(repeating: 0x2A, count: 32))
        let endpoint = UTF8Text(String(repeating: "a", count: 64))
        guard let host = derivation.host(secret, endpoint, TimeWindow(stamp: 0)), host != derivation.staticHost else {
            throw ServiceError(
                "the profile changes nothing in the host, so there is no name to map",
                hint: "choose an insertion into the host, such as label-end"
            )
        }
        return max(1, min(configuration.engine.batchSize, 64_000 / (3 * (host.bytes.count + 12) + 28)))
    }

    private static func words(_ problem: BalancerConfiguration.Problem) -> ServiceError {
        switch problem {
        case .invalidWriter:
            ServiceError("the writer is no name", hint: "--writer: 1 to 63 letters, digits and hyphens")
        case .outOfRange: ServiceError("a time or bound is out of its range", hint: "'starling help balancer'")
        case .periodTooShort:
            ServiceError("the period is shorter than the time to live", hint: "a smaller --ttl, or a longer period")
        case .windowsOverlap(let leastPeriod):
            ServiceError(
                "the period is too short for the clock skew, the time to live and the registry's time",
                hint: "a period of \(leastPeriod) s would do; or smaller clock-skew, --ttl and --registry-time"
            )
        }
    }

    private static func openStore(
        _ path: String,
        _ configuration: Configuration
    ) throws(ServiceError) -> BalancerStore {
        let store: BalancerStore
        let zone: UTF8Text?
        do throws(StoreError) {
            store = try BalancerStore(path: path)
            zone = try store.setting("zone")
            if zone == nil { try store.setSetting("zone", configuration.zone) }
        } catch {
            throw ServiceError("the state '\(path)' cannot be opened", hint: error.hint)
        }
        guard zone ?? configuration.zone == configuration.zone else {
            throw ServiceError("the state '\(path)' is that of another zone", hint: "give each zone its own --state")
        }
        return store
    }

    /// The writer that the state keeps, or a new one.
    private static func writer(_ store: BalancerStore?) throws(ServiceError) -> UTF8Text {
        do throws(StoreError) {
            if let writer = try store?.setting("writer") { return writer }
            var generator = SystemRandomNumberGenerator()
            let bytes = (0..<6).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let writer = UTF8Text("balancer-\(Hexadecimal.encode(bytes))")
            try store?.setSetting("writer", writer)
            return writer
        } catch {
            throw ServiceError("the state cannot be written", hint: error.hint)
        }
    }

    private static func read(_ store: BalancerStore?) throws(ServiceError) -> BalancerSnapshot {
        do throws(StoreError) { return try store?.snapshot() ?? BalancerSnapshot() } catch {
            throw ServiceError("the state cannot be read", hint: error.hint)
        }
    }

    private func openHolding() throws(ServiceError) {
        guard let address = self.configuration.engine.holdingAddress else {
            guard self.configuration.onDemand == nil else {
                throw ServiceError("instances on demand need an address to hold devices at", hint: "--holding-address")
            }
            return
        }
        let uri = self.configuration.uris.staticURI
        guard uri.scheme == .coaps else {
            throw ServiceError("devices are held over DTLS only", hint: "--static-uri coaps://bs.example.test")
        }
        let held = try HeldDevices(
            on: ListenAddress(scheme: uri.scheme, address: SocketAddress(address, port: uri.port)),
            path: uri.path,
            transport: self.configuration.transport,
            loop: self.loop,
            key: { [unowned self] in self.directory.key(of: $0) }
        )
        held.endpoint = { [unowned self] in self.directory.endpoint(named: $0, identity: $1) }
        held.onRequest = { [unowned self] exchange, endpoint, host in
            guard self.knowsDevices, !self.engine.status.isDeriving else {
                self.held?.respond(to: exchange, Self.later(seconds: self.configuration.engine.holdTime))
                return
            }
            self.tell(.holdAsked(exchange, endpoint: endpoint, host: host))
        }
        self.held = held
        guard let onDemand = self.configuration.onDemand else { return }
        for place in onDemand.places where self.configuration.instances.credential(ofEndpoint: place.name) == nil {
            throw ServiceError(
                "no instance '\(place.name)' may report, but it is to be started on demand",
                hint: "give it a line in --instance-credentials"
            )
        }
        self.children = try ChildInstances(onDemand, loop: self.loop)
    }

    // MARK: Time

    private func reachDeadlines() {
        let now = self.loop.now
        if let early = self.early {
            self.early = nil
            for entry in early { self.onLog(entry) }
        }
        if self.isLoading { self.loadDevices() }
        if self.nextClockReading <= now { self.readClock() }
        if let deadline = self.reader?.nextDeadline, deadline <= now { self.reader?.reachDeadline(now: now) }
        for end in self.children?.takeEnds(now: now) ?? [] { self.childEnded(end) }
        if let deadline = self.engine.nextDeadline, deadline <= now { self.tell(.deadlineReached) }
        for entry in self.narration.tick(self.engine, now: now) { self.onLog(entry) }
    }

    /// Tells the engine the civil time, which may jump.
    private func readClock() {
        self.nextClockReading = self.loop.now.advanced(by: .seconds(10))
        self.tell(.clockSet(WallTime(secondsSinceEpoch: Int64(Date().timeIntervalSince1970.rounded(.down)))))
    }

    // MARK: Devices

    /// Tells the engine of the next devices, a slice a turn, so that instances are answered meanwhile.
    private func loadDevices() {
        if let slice = self.directory.nextSlice() {
            self.tell(.devicesAdded(slice))
            self.narration.loading(left: self.directory.left, count: self.directory.count)
            return
        }
        self.isLoading = false
        // A server that never told anything will do so; until then nothing is known.
        if self.directory.count == 0, let reader = self.reader, reader.readings == 0 { return }
        guard !self.knowsDevices else { return }
        self.knowsDevices = true
        self.tell(.devicesLoaded)
        self.log("devices", "\(self.directory.count) devices", ["count": "\(self.directory.count)"])
    }

    /// Takes over a list of devices.
    func take(_ credentials: [Credential]) -> DeviceDirectory.Difference {
        let difference = self.directory.replace(with: credentials)
        if !difference.removed.isEmpty { self.tell(.devicesRemoved(difference.removed)) }
        self.isLoading = true
        return difference
    }

    // MARK: Instances

    private func take(_ exchange: ExchangeID, from name: UTF8Text, _ request: InstanceRequest) {
        self.isRefusedByBounds = false
        switch request {
        case .notify where !self.knowsDevices, .pin where !self.knowsDevices:
            // The instance comes again; a notification that is not acknowledged is not lost.
            self.instances.respond(to: exchange, Self.later(seconds: 1))
        case .report(let instance, let inProgress, let isFirst):
            self.records.report(instance, inProgress: inProgress)
            self.tell(.instanceReported(instance, inProgress: inProgress, isFirst: isFirst))
            guard !self.isRefusedByBounds else { break }
            let interval = max(1, Int(self.configuration.engine.reportInterval.components.seconds))
            let body = InstanceReportAnswer(interval: interval).encoded()
            self.instances.respond(
                to: exchange,
                CoAPResponse(.changed, contentFormat: .json, payload: body)
            )
        case .leave:
            self.tell(.instanceLost(name))
            self.instances.respond(to: exchange, CoAPResponse(.deleted))
        case .notify(let notifications):
            let before = self.engine.counters
            self.tell(.bootstrapNotified(exchange, notifications))
            self.records.count(name, before: before, after: self.engine.counters)
        case .pin(let endpoint, let host):
            self.tell(.pinAsked(exchange, endpoint: endpoint, host: host))
        }
        if self.isRefusedByBounds { self.instances.respond(to: exchange, CoAPResponse(.serviceUnavailable)) }
    }

    // MARK: Engine

    /// Tells the engine something and does what follows.
    func tell(_ event: BalancerEvent) {
        self.engine.handle(event, now: self.loop.now)
        // Some outputs are answered at once, which tells the engine something more: the outermost call does it all.
        guard !self.isDraining else { return }
        self.isDraining = true
        defer { self.isDraining = false }
        while let output = self.engine.nextOutput() { self.perform(output) }
    }

    private func perform(_ output: BalancerOutput) {
        switch output {
        case .store(let id, let changes): self.engine.handle(self.store(id, changes), now: self.loop.now)
        case .update(let id, let update):
            self.opened.registry.apply(update) { [weak self] result in
                switch result {
                case .success: self?.tell(.updateApplied(id))
                case .failure(let failure): self?.tell(.updateFailed(id, failure))
                }
            }
        case .readEpoch: self.opened.registry.readEpoch { [weak self] in self?.tell(.epochRead($0)) }
        case .readNames: self.opened.registry.readNames { [weak self] in self?.tell(.namesRead($0)) }
        case .startInstance: self.startInstance()
        case .stopInstance(let name):
            self.log("instance-stopped", "instance \(name) is idle and ends", ["instance": name.string])
            self.children?.stop(name)
        case .acknowledge(let exchange): self.instances.respond(to: exchange, CoAPResponse(.changed))
        case .answerPin(let exchange, let isPinned):
            self.instances.respond(to: exchange, CoAPResponse(isPinned ? .content : .notFound))
        case .answerHold(let exchange, .hold(let maxAge)):
            self.held?.respond(to: exchange, Self.later(seconds: maxAge))
        case .answerHold(let exchange, .refuse): self.held?.respond(to: exchange, CoAPResponse(.forbidden))
        case .report(let report):
            if case .refusedByBounds = report { self.isRefusedByBounds = true }
            self.records.take(report)
            let batches = self.engine.counters.batches
            let entry = self.narration.take(report, batchesBefore: batches, now: self.loop.now)
            if let entry { self.write(entry) }
        }
    }

    /// An answer that lets a peer come again.
    ///
    /// - Source: RFC 7252, section 5.9.3.4.
    private static func later(seconds: UInt32) -> CoAPResponse {
        var response = CoAPResponse(.serviceUnavailable)
        response.options.append(.maxAge, unsigned: UInt64(seconds))
        return response
    }

    private func store(_ id: StorageID, _ changes: [BalancerChange]) -> BalancerEvent {
        guard let store = self.store else { return .stored(id) }
        do throws(StoreError) {
            try store.apply(changes)
            return .stored(id)
        } catch {
            self.storageFailures += 1
            self.log("storage-failed", "the state cannot be stored: \(error.hint)")
            return .storageFailed(id)
        }
    }

    // MARK: Instances on demand

    private func startInstance() {
        let started = self.children?.start(now: self.loop.now) { self.records.isUp($0) }
        guard let started else {
            self.engine.handle(.instanceStartFailed, now: self.loop.now)
            return
        }
        self.log("instance-started", "instance \(started) starts", ["instance": started.string])
        self.engine.handle(.instanceStarted(started), now: self.loop.now)
    }

    private func childEnded(_ end: ChildInstances.End) {
        self.log(
            "instance-ended",
            "instance \(end.name) ended: \(end.cause)",
            ["instance": end.name.string, "cause": end.cause]
        )
        self.tell(.instanceLost(end.name))
    }

    // MARK: Log

    func log(_ event: String, _ text: String, _ members: [String: String] = [:]) {
        self.write(BalancerLogEntry(event, text, members))
    }

    private func write(_ entry: BalancerLogEntry) {
        for entry in self.narration.admit(entry, now: self.loop.now) {
            if self.early != nil { self.early?.append(entry) } else { self.onLog(entry) }
        }
    }
}

extension [UInt8] {
    fileprivate func ends(with other: [UInt8]) -> Bool {
        self.count > other.count && self.suffix(other.count) == other[...]
    }
}

extension MonotonicTime {
    /// The end of the clock.
    fileprivate static let latest = MonotonicTime(nanoseconds: .max)
}
