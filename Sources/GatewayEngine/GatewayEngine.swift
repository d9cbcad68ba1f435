internal import CommandSessions
internal import LwM2MModel
public import Primitives

/// A gateway: commands to many devices, each in a session of its own, one after the other for each device.
///
/// Pure: the driver tells it what happened and performs what ``nextOutput()`` asks for, in that order. The steps of a
/// session are those of ``GatewaySessionMachine``; here stands when a session begins, what its end means for the command,
/// and what is done about breaches.
///
/// What was accepted is durable, and an outcome is told once it is. Whatever crashes, a command is executed at most
/// once: a session whose message 3 may have been sent is asked for its outcome before anything else is begun.
public struct GatewayEngine: Sendable {
    enum Timer: Hashable, Sendable {
        case device(Int)
        case storage
    }

    let configuration: GatewayConfiguration
    var random: RandomSource
    var policy: BreachPolicy
    var permissions: PermissionPolicy

    /// Devices by slot; an empty slot waits in `freeSlots`.
    var devices: [GatewayDevice?] = []
    var freeSlots: [Int] = []
    var slots: [UTF8Text: Int] = [:]
    var sessions: [Int: ActiveSession] = [:]
    var commands: [GatewayCommandID: Int] = [:]
    var operations: [GatewayOperationID: Int] = [:]
    var writes = WriteTable()
    var timers = DeadlineHeap<Timer>()
    /// Whether a time is set at which failed writes are handed out again.
    var isStorageRetrySet = false
    private var lastOperation: UInt64 = 0

    private var outputs = OutputQueue<GatewayOutput>()

    /// What was seen so far.
    public internal(set) var counters = GatewayCounters()

    /// Creates a gateway that knows no device.
    ///
    /// - Parameters:
    ///   - configuration: rules and bounds.
    ///   - random: what identifiers are drawn from.
    public init(configuration: GatewayConfiguration, random: RandomSource) {
        precondition(configuration.maximumTries > 0, "a command is tried at least once")
        self.configuration = configuration
        self.random = random
        self.policy = configuration.policy
        self.permissions = configuration.permissions
    }

    /// Takes one event; what follows from it is queued.
    public mutating func handle(_ event: GatewayEvent, now: MonotonicTime) {
        switch event {
        case .restored(let snapshot): self.restore(snapshot, now: now)
        case .deadlineReached: self.reachDeadlines(now: now)
        case .deviceAvailable(let endpoint, let securedSession):
            self.appear(endpoint, securedSession, now: now)
        case .deviceGone(let endpoint):
            guard let slot = self.slots[endpoint] else { return }
            self.devices[slot]?.isAvailable = false
            self.pump(slot, now: now)
        case .commandGiven(let command): self.give(command, now: now)
        case .commandCancelled(let id, let user): self.cancel(id, user, now: now)
        case .operationAnswered(let id, let answer): self.take(answer, to: id, now: now)
        case .stored(let id): self.stored(id, now: now)
        case .storageFailed(let id): self.storageFailed(id, now: now)
        case .policyChanged(let policy): self.policy = policy
        case .permissionsChanged(let permissions): self.permissions = permissions
        case .alarmReset(let endpoint, let user): self.resetAlarm(endpoint, user, now: now)
        case .deviceUnblocked(let endpoint, let user): self.unblock(endpoint, user, now: now)
        case .sessionReset(let endpoint, let isForced, let user):
            self.resetSession(endpoint, isForced: isForced, user, now: now)
        case .identifiersGiven(let endpoint, let pair, let user): self.take(pair, of: endpoint, user)
        }
    }

    /// Removes and returns the oldest output; nil when there is none.
    public mutating func nextOutput() -> GatewayOutput? { self.outputs.next() }

    /// When ``GatewayEvent/deadlineReached`` must next be told; nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        mutating get { self.timers.earliest() }
    }

    mutating func emit(_ output: GatewayOutput) {
        self.outputs.append(output)
    }

    mutating func makeOperationID() -> GatewayOperationID {
        self.lastOperation += 1
        return GatewayOperationID(rawValue: self.lastOperation)
    }

    private mutating func reachDeadlines(now: MonotonicTime) {
        while let timer = self.timers.popReached(now: now) {
            switch timer {
            case .device(let slot): self.pump(slot, now: now)
            case .storage: self.writeAgain()
            }
        }
    }

    // MARK: Devices

    /// The slot of a device, a new one when it is not known.
    ///
    /// - Returns: nil when too many are known.
    mutating func makeSlot(_ endpoint: UTF8Text) -> Int? {
        if let slot = self.slots[endpoint] { return slot }
        guard self.slots.count < self.configuration.maximumDevices else { return nil }
        return self.addDevice(endpoint)
    }

    mutating func addDevice(_ endpoint: UTF8Text) -> Int {
        let device = GatewayDevice(endpoint: endpoint)
        let slot: Int
        if let free = self.freeSlots.popLast() {
            slot = free
            self.devices[slot] = device
        } else {
            slot = self.devices.count
            self.devices.append(device)
        }
        self.slots[endpoint] = slot
        return slot
    }

    private mutating func appear(_ endpoint: UTF8Text, _ securedSession: UInt32?, now: MonotonicTime) {
        guard let slot = self.makeSlot(endpoint) else {
            self.emit(.report(.tooManyDevices(endpoint: endpoint)))
            return
        }
        // A device that deregistered and comes back on the session it had is not new: what was sent there may arrive.
        let isNewSession = securedSession != nil && securedSession != self.devices[slot]?.connection
        if isNewSession {
            self.devices[slot]?.connection = securedSession
            self.devices[slot]?.quietUntil = .zero
        }
        // A device that was not there may answer now; one that was there all the time keeps its pause.
        if isNewSession || self.devices[slot]?.isAvailable == false || self.sessions[slot]?.machine.isWaiting == true {
            self.devices[slot]?.pausedUntil = .zero
        }
        self.devices[slot]?.isAvailable = true
        self.pump(slot, now: now)
    }

    /// Does what can be done for a device now, and sets the time of what cannot.
    mutating func pump(_ slot: Int, now: MonotonicTime) {
        guard let before = self.devices[slot] else { return }
        if before.quietUntil <= now { self.devices[slot]?.quietUntil = .zero }
        self.endSuspension(slot, now: now)
        self.endOverdue(slot, now: now)
        self.advance(slot, now: now)
        self.timers.set(self.deadline(of: slot, after: now), for: .device(slot))
        if let device = self.devices[slot], device.isForgettable, self.sessions[slot] == nil {
            self.devices[slot] = nil
            self.slots[device.endpoint] = nil
            self.freeSlots.append(slot)
            self.timers.set(nil, for: .device(slot))
        }
    }

    /// When the device must be looked at again.
    private func deadline(of slot: Int, after now: MonotonicTime) -> MonotonicTime? {
        guard let device = self.devices[slot] else { return nil }
        var times: [MonotonicTime] = []
        // Commands are given in the order of their deadlines. One whose session is under way is looked at when it rests.
        if let next = device.queue.first(where: { $0.isStored && !$0.isEnding && $0.deadline > now }) {
            times.append(next.deadline)
        }
        if device.standing.contains(.suspended) { times.append(device.suspendedUntil) }
        if device.isAvailable, device.next != nil || self.sessions[slot] != nil { times.append(device.pausedUntil) }
        // Without commands it is the time from which the device may be forgotten.
        if self.sessions[slot] == nil { times.append(device.quietUntil) }
        return times.filter { $0 > now }.min()
    }
}
