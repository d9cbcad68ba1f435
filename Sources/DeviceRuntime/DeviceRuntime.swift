public import ClientEngine
public import CoAPMessages
public import CoAPTransport
internal import CryptographicHashes
public import DeviceStore
public import LwM2MModel
public import NameResolution
public import Primitives

/// The driver of devices: runs any number of client engines on one event loop, in one thread.
///
///     transport ──event──▶ engine ──output──▶ transport, resolver, store, embedder
///     deadlines ──────────▶
///     embedder ──deliver──▶
///
/// Every event is handled where it arrives, so that an answer that the engine has at once travels with the
/// acknowledgement. Events that arise while outputs are being performed wait in a queue until the outputs before them
/// are done.
public final class DeviceRuntime {
    let loop: EventLoop
    let transport: CoAPTransport
    let resolver: NameResolver?

    var devices: [DeviceSlot?] = []
    private var freePlaces: [UInt32] = []
    private var deadlines = DeadlineHeap<UInt32>()
    private var pending: [(device: UInt32, event: ClientEvent)] = []
    private var isHandling = false
    /// Whether a server's request is being handled: its answer leaves when that is over.
    var isAnswering = false
    /// What devices ask of servers meanwhile; it goes behind the answer, or a Deregister would end the exchange it is of.
    var held: [HeldRequest] = []
    private var clockWatch = ClockWatch()

    /// Told what a device did and when; set it before the first device is added.
    public var onReport: (DeviceID, DeviceReport, MonotonicTime) -> Void = { _, _, _ in }

    /// Tells the civil time, or nil while it is not to be trusted; the system's clock unless set.
    ///
    /// Devices hear of it when they start, and again when it jumps, becomes known or is lost, which the runtime looks
    /// for about once a second while it runs.
    public var clock: () -> WallTime? = { SystemClock.time }

    /// Asked to carry out an Execute; answer with ``deliver(_:to:)`` of `executed`, at once or later.
    ///
    /// Without a handler every Execute is answered with 4.05 Method Not Allowed.
    public var onExecute: ((DeviceID, ExchangeID, ObjectPath, [UInt8]) -> Void)?

    /// Asked whether a Write may happen; answer with ``deliver(_:to:)`` of `writeDecided`, at once or later.
    ///
    /// Without a handler every Write that asks is accepted.
    public var onDecideWrite: ((DeviceID, ExchangeID, [ResourceRecord]) -> Void)?

    /// Whether what devices without a store would store is kept in memory for ``restartDevice(_:_:registry:seed:)``.
    public var keepsConfigurations = false

    /// Creates a runtime without devices.
    ///
    /// - Parameters:
    ///   - loop: where the transport and the resolver watch their descriptors.
    ///   - transport: whose events the runtime takes from now on.
    ///   - resolver: made by ``NameResolution/NameResolver/watched(by:configuration:)``; nil when every URI holds an address.
    public init(loop: EventLoop, transport: CoAPTransport, resolver: NameResolver?) {
        self.loop = loop
        self.transport = transport
        self.resolver = resolver
        // Unowned: the transport outlives the runtime, and forgets it when it goes.
        transport.onEvent = { [unowned(unsafe) self] event in self.handle(event) }
    }

    deinit {
        self.transport.onEvent = { _ in }
    }

    /// How many devices the runtime has.
    public var deviceCount: Int { self.devices.count - self.freePlaces.count }

    /// Makes room for so many devices at once, so that adding them does not copy the ones before.
    public func reserveDevices(_ count: Int) {
        self.devices.reserveCapacity(count)
    }

    /// Adds a device, which does nothing until it gets `started`.
    ///
    /// - Parameters:
    ///   - configuration: accounts and objects.
    ///   - registry: the definitions that the device's objects follow.
    ///   - seed: for the device's jitter; different for every device.
    ///   - store: keeps what bootstrap delivers; nil when that is lost with the process.
    ///   - sourceAddress: the local address of the device's sessions; nil lets the system choose.
    public func addDevice(
        _ configuration: ClientConfiguration,
        registry: ObjectRegistry,
        seed: UInt64,
        store: DeviceStore? = nil,
        sourceAddress: SocketAddress? = nil
    ) -> DeviceID {
        let slot = DeviceSlot(
            engine: Self.makeEngine(configuration, registry: registry, seed: seed),
            store: store,
            sourceAddress: sourceAddress
        )
        if let place = self.freePlaces.popLast() {
            self.devices[Int(place)] = slot
            return DeviceID(index: place)
        }
        self.devices.append(slot)
        return DeviceID(index: UInt32(self.devices.count - 1))
    }

    /// Takes a device down where it is and starts it again, as a power cut does: nothing is deregistered, and of what
    /// changed only what was stored is left.
    ///
    /// Without a store of its own the device has what ``keepsConfigurations`` kept. A store that cannot be read is
    /// reported, and the device has what the configuration says.
    public func restartDevice(
        _ device: DeviceID,
        _ configuration: ClientConfiguration,
        registry: ObjectRegistry,
        seed: UInt64
    ) {
        let place = Int(device.index)
        guard place < self.devices.count, let slot = self.devices[place] else { return }
        var configuration = configuration
        if let store = slot.store {
            do throws(DeviceStoreError) {
                if let stored = try store.load() { configuration.apply(stored) }
            } catch {
                self.onReport(device, .storageFailed(error), self.loop.now)
            }
        } else if let kept = slot.kept {
            configuration.apply(kept)
        }
        self.forgetEvents(of: device.index)
        for session in slot.sessions {
            if let handle = session.handle { self.transport.closeSession(handle) }
        }
        var restarted = DeviceSlot(
            engine: Self.makeEngine(configuration, registry: registry, seed: seed),
            store: slot.store,
            sourceAddress: slot.sourceAddress
        )
        restarted.kept = slot.kept
        self.devices[place] = restarted
        self.deliver(.started, to: device)
    }

    private static func makeEngine(
        _ configuration: ClientConfiguration,
        registry: ObjectRegistry,
        seed: UInt64
    ) -> ClientEngine {
        ClientEngine(
            configuration: configuration,
            registry: registry,
            seed: seed,
            hashes: .libCrypto,
            random: .libCrypto
        )
    }

    /// Removes a device at once: its sessions close, nothing is deregistered.
    public func removeDevice(_ device: DeviceID) {
        let place = Int(device.index)
        guard place < self.devices.count, let slot = self.devices[place] else { return }
        self.devices[place] = nil
        self.freePlaces.append(device.index)
        self.deadlines.set(nil, for: device.index)
        self.forgetEvents(of: device.index)
        for session in slot.sessions {
            if let handle = session.handle { self.transport.closeSession(handle) }
        }
    }

    /// Leads what waits for a device nowhere; a handler may be called while the queue is being gone through.
    private func forgetEvents(of place: UInt32) {
        for index in self.pending.indices where self.pending[index].device == place {
            self.pending[index].device = UInt32.max
        }
        self.held.removeAll { $0.place == place }
    }

    /// Gives a device an event: `started`, `valueSet`, `executed`, `stopRequested` and the like.
    ///
    /// From inside a handler the event waits until the outputs before it are performed. A device that was removed
    /// ignores it.
    public func deliver(_ event: ClientEvent, to device: DeviceID) {
        self.deliver(event, place: device.index)
    }

    /// The value of a resource of a device; nil when it has none.
    public func value(at path: ObjectPath, of device: DeviceID) -> ResourceValue? {
        let place = Int(device.index)
        guard place < self.devices.count else { return nil }
        return self.devices[place]?.engine.value(at: path)
    }

    /// Every value of a device at or below a path.
    public func records(below path: ObjectPath, of device: DeviceID) -> [ResourceRecord] {
        let place = Int(device.index)
        guard place < self.devices.count else { return [] }
        return self.devices[place]?.engine.records(below: path) ?? []
    }

    /// The URI at which a device bootstraps, or the one that it keeps ready; nil when there is none.
    ///
    /// It may hold a temporary name, which is a secret while its window lasts: for diagnostics that somebody asked for.
    public func bootstrapURI(of device: DeviceID) -> UTF8Text? {
        let place = Int(device.index)
        guard place < self.devices.count else { return nil }
        return self.devices[place]?.engine.bootstrapURI
    }

    /// Runs one turn: waits for the network, a name, a deadline or a wake-up, and handles what came.
    ///
    /// - Parameter until: the latest time to return at; nil waits until something happens.
    public func run(until limit: MonotonicTime?) {
        let isCaughtUp = self.handleDeadlines()
        var wait = limit
        if !isCaughtUp {
            wait = self.loop.now
        } else {
            if let deadline = self.deadlines.earliest() { wait = min(wait ?? deadline, deadline) }
            if let deadline = self.resolver?.nextDeadline(now: self.loop.now) { wait = min(wait ?? deadline, deadline) }
        }
        self.loop.turn(until: wait)
        self.sendHeld()
        if let resolver = self.resolver, resolver.questionsInFlight > 0 {
            resolver.processTimeouts(now: self.loop.now)
        }
        self.watchClock()
        _ = self.handleDeadlines()
    }

    private func watchClock() {
        guard self.clockWatch.isDue(self.loop.now), self.clockWatch.hasJumped(self.clock(), now: self.loop.now) else {
            return
        }
        for place in self.devices.indices { self.tellTime(to: UInt32(place)) }
    }

    private func tellTime(to place: UInt32) {
        self.deliver(self.clock().map { .clockSet($0) } ?? .clockLost, place: place)
    }

    /// Handles reached deadlines, a bounded number so that the network gets its turn between.
    ///
    /// - Returns: whether none is left.
    private func handleDeadlines() -> Bool {
        let now = self.loop.now
        for _ in 0..<256 {
            guard let place = self.deadlines.popReached(now: now) else { return true }
            self.deliver(.deadlineReached, place: place)
        }
        return false
    }

    func deliver(_ event: ClientEvent, place: UInt32) {
        if self.isHandling {
            self.pending.append((place, event))
            return
        }
        self.isHandling = true
        self.handle(event, place: place)
        // The queue grows only by what these events cause; an index instead of removals keeps it linear.
        var next = 0
        while next < self.pending.count {
            let (place, event) = self.pending[next]
            next += 1
            self.handle(event, place: place)
        }
        self.pending.removeAll(keepingCapacity: next <= 64)
        self.isHandling = false
    }

    private func handle(_ event: ClientEvent, place: UInt32) {
        let index = Int(place)
        guard index < self.devices.count, self.devices[index] != nil else { return }
        let now = self.loop.now
        if case .started = event {
            self.devices[index]?.engine.handle(self.clock().map { .clockSet($0) } ?? .clockLost, now: now)
        }
        self.devices[index]?.engine.handle(event, now: now)
        while let output = self.devices[index]?.engine.nextOutput() {
            self.perform(output, place: place, now: now)
        }
        self.deadlines.set(self.devices[index]?.engine.nextDeadline, for: place)
    }
}
