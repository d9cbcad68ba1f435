public import CoAPMessages
public import Primitives

/// The settings of one registration, from the server's account.
///
/// - Source: LwM2M Core 1.2.2, appendix E.2, resources 1, 14 and 16 to 20.
public struct RegistrationParameters: Hashable, Sendable {
    /// How long the server keeps the registration, in seconds; 0 means for ever.
    public var lifetime: UInt32
    /// How long the first Register waits, in seconds.
    public var initialDelay: UInt32
    /// Attempts in one sequence; 0 counts as 1.
    public var retryCount: UInt32
    /// The pause after the first failed attempt, in seconds; it doubles with each.
    public var retryTimer: UInt32
    /// The pause between sequences, in seconds.
    public var sequenceDelay: UInt32
    /// How many sequences there are; 0 counts as 1.
    public var sequenceCount: UInt32
    /// Whether a refusal ends the attempts, because bootstrap follows.
    public var fallsBackToBootstrap: Bool

    /// Creates the settings that an account asks for.
    public init(_ account: ServerAccount, hasBootstrapAccount: Bool) {
        self.lifetime = account.lifetime
        self.initialDelay = account.initialDelay
        self.retryCount = account.retryCount
        self.retryTimer = account.retryTimer
        self.sequenceDelay = account.sequenceDelay
        self.sequenceCount = account.sequenceCount
        self.fallsBackToBootstrap = account.bootstrapsOnFailure && hasBootstrapAccount
    }

    /// How long after Register or Update the next Update is due; nil when the registration never ends.
    ///
    /// It leaves MAX_TRANSMIT_WAIT for retransmissions, and at least half of a short lifetime unspent.
    /// - Source: LwM2M Core 1.2.2, clause 6.2.2; RFC 7252, section 4.8.2.
    public var updateInterval: Duration? {
        guard self.lifetime > 0 else { return nil }
        let lifetime = Duration.seconds(Int64(self.lifetime))
        return max(lifetime - .seconds(93), lifetime / 2)
    }
}

/// What an Update must name because it differs from what the server knows.
public struct RegistrationChanges: OptionSet, Hashable, Sendable {
    /// The changes as bits.
    public let rawValue: UInt8

    /// Creates a set from its bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The lifetime.
    public static let lifetime = RegistrationChanges(rawValue: 1)
    /// The binding.
    public static let binding = RegistrationChanges(rawValue: 2)
    /// The list of objects and instances.
    public static let objects = RegistrationChanges(rawValue: 4)
}

/// The client's registration with one LwM2M server.
///
/// Pure: holds no session, clock, task, or random source. The owner reports one event at a time and carries out the
/// ``Action`` that comes back.
///
///     idle ─ start ─▶ connecting ─ opened ─▶ registering ─ created ─▶ registered ─ deadline ─▶ updating
///      │               ▲  │ failed             │ failed                 │   ▲                      │
///      │ initial delay │  ▼                    ▼                        │   └────── updated ───────┤
///      └────────────▶ waiting ◀────────────────┘         disable, stop  │    refused: registering ─┘
///                      ▲  └─ attempts used up ─▶ failed                 ▼
///                      └────────────── disabled ──────────────── deregistering ─ stop ─▶ stopped
///
/// A lost session of a live registration waits a moment, connects again and sends Update in place of Register.
/// - Source: LwM2M Core 1.2.2, clause 6.2 (Registration interface).
public struct RegistrationMachine: Sendable {
    /// What the owner must do next.
    public enum Action: Equatable, Sendable {
        case none
        /// Open a session, closing the one there is.
        case connect
        /// Send Register with everything the server must know.
        case sendRegister(EnablerVersion)
        /// Send Update with what changed.
        case sendUpdate(RegistrationLocation, RegistrationChanges)
        /// Send Deregister.
        case sendDeregister(RegistrationLocation)
        /// Close the session; nothing is registered, and nothing more happens now.
        case disconnect
        /// The server accepted Register, which was sent at that time.
        case reportRegistered(since: MonotonicTime)
        /// The server accepted Update, which was sent at that time.
        case reportUpdated(since: MonotonicTime)
        /// The registration has ended as wished: close the session.
        case reportDeregistered
        /// The registration has ended here, but the server did not say so: close the session.
        case reportNotDeregistered(RegistrationFailure)
        /// An attempt failed: close the session; another follows by itself.
        case reportFailed(RegistrationFailure)
        /// All attempts failed: close the session; bootstrap, when there is an account, or nothing.
        case giveUp(RegistrationFailure)
        /// The server did not answer Update: close the session and open one to register again.
        case reconnect(RegistrationFailure)
    }

    /// What becomes of the client after Deregister.
    private enum Afterwards: Hashable, Sendable {
        case disabled(MonotonicTime)
        case stopped
    }

    private enum State: Sendable {
        case idle
        case waiting(until: MonotonicTime)
        case connecting
        case registering
        case registered
        case updating
        case deregistering(Afterwards)
        case stopped
        case failed
    }

    private var state: State = .idle
    private var isStopping = false
    private var pending: RegistrationChanges = []
    private var underWay: RegistrationChanges = []
    private var version: EnablerVersion
    private var attempts: UInt16 = 0
    private var sequences: UInt16 = 0
    private var updateDue: MonotonicTime?
    private var requestedAt: MonotonicTime = .zero
    /// The settings; a change takes effect at the next step that uses it.
    public var parameters: RegistrationParameters
    /// Whether the client stays away from a server that it does not trust.
    public private(set) var isSuspended = false
    /// Where the server keeps the registration, while it does.
    public private(set) var location: RegistrationLocation?

    /// Creates a machine that has not registered yet.
    public init(parameters: RegistrationParameters, version: EnablerVersion) {
        self.parameters = parameters
        self.version = version
    }

    /// Whether the server takes part in management and reporting now: registered, over an open session.
    public var isRegistered: Bool {
        switch self.state {
        case .registered, .updating: true
        default: false
        }
    }

    /// Whether a notification may go now: registered, and no Update is due or on its way.
    public func allowsNotification(now: MonotonicTime) -> Bool {
        guard case .registered = self.state else { return false }
        return self.updateDue.map { $0 > now } ?? true
    }

    /// Whether it gave up.
    public var hasFailed: Bool { if case .failed = self.state { true } else { false } }

    /// Whether it ended by a request to stop.
    public var hasStopped: Bool { if case .stopped = self.state { true } else { false } }

    /// When ``deadlineReached(now:)`` must next be called, or nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        switch self.state {
        case .waiting(let until): until
        case .registered: self.updateDue
        case .idle, .connecting, .registering, .updating, .deregistering, .stopped, .failed: nil
        }
    }

    /// Asks for registration; also revives a machine that gave up.
    public mutating func start(now: MonotonicTime) -> Action {
        switch self.state {
        case .idle where self.parameters.initialDelay > 0:
            self.state = .waiting(until: now.advanced(by: .seconds(Int64(self.parameters.initialDelay))))
            return .none
        case .idle, .failed:
            self.state = .connecting
            return .connect
        case .waiting, .connecting, .registering, .registered, .updating, .deregistering, .stopped:
            return .none
        }
    }

    /// Reports that the session is open.
    public mutating func sessionOpened(now: MonotonicTime) -> Action {
        guard case .connecting = self.state else { return .none }
        self.requestedAt = now
        if let location = self.location {
            self.state = .updating
            return .sendUpdate(location, self.takePending())
        }
        return self.register(now: now)
    }

    /// Reports that the session could not be opened, or ended.
    ///
    /// - Parameter jitter: from 0 up to 1; spreads devices whose server went away at once.
    public mutating func sessionLost(_ failure: SessionFailure, jitter: Double, now: MonotonicTime) -> Action {
        switch self.state {
        case .connecting, .registering:
            return self.attemptFailed(.session(failure), now: now)
        case .registered, .updating:
            // The registration lives on at the server until its lifetime ends; Update tells the new address.
            self.pending.formUnion(self.underWay)
            self.underWay = []
            self.state = .waiting(until: now.advanced(by: Self.reconnectSpread * jitter))
            return .none
        case .deregistering(let afterwards):
            return self.deregistered(afterwards, failure: .session(failure))
        case .idle, .waiting, .stopped, .failed:
            return .none
        }
    }

    /// Reports 2.01 Created to Register.
    ///
    /// - Parameter location: nil when the answer named none.
    public mutating func created(location: RegistrationLocation?, now: MonotonicTime) -> Action {
        guard case .registering = self.state else { return self.refused(.created, now: now) }
        guard let location else { return self.attemptFailed(.malformedAnswer, now: now) }
        self.location = location
        self.succeeded(now: now)
        return .reportRegistered(since: self.requestedAt)
    }

    /// Reports 2.04 Changed to Update.
    public mutating func updated(now: MonotonicTime) -> Action {
        guard case .updating = self.state else { return self.refused(.changed, now: now) }
        self.succeeded(now: now)
        return .reportUpdated(since: self.requestedAt)
    }

    /// Reports a code that is no success of the request under way: an error, or the success of another request.
    public mutating func refused(_ code: CoAPCode, now: MonotonicTime) -> Action {
        switch self.state {
        case .registering:
            // 4.12: the server does not speak this version; clause 6.2.1 lets the client try a lower one.
            if code == .preconditionFailed, let lower = self.version.lower, lower >= .v1_0 {
                self.version = lower
                return self.register(now: now)
            }
            if code.codeClass == 4, self.parameters.fallsBackToBootstrap, !self.isStopping {
                return self.fail(.rejected(code))
            }
            return self.attemptFailed(.rejected(code), now: now)
        case .updating:
            // 4.04 says that the registration is gone (clause 6.2.2); any other refusal leaves it just as useless.
            self.location = nil
            return self.register(now: now)
        case .deregistering(let afterwards):
            return self.deregistered(afterwards, failure: .rejected(code))
        case .idle, .waiting, .connecting, .registered, .stopped, .failed:
            return .none
        }
    }

    /// Reports that the request under way gets no answer.
    public mutating func unanswered(_ failure: RequestFailure, now: MonotonicTime) -> Action {
        switch self.state {
        case .registering:
            return self.attemptFailed(.request(failure), now: now)
        case .updating:
            // Silence here may be a security context that only this side still has: start from the handshake.
            self.location = nil
            self.state = .connecting
            return .reconnect(.request(failure))
        case .deregistering(let afterwards):
            return self.deregistered(afterwards, failure: .request(failure))
        case .idle, .waiting, .connecting, .registered, .stopped, .failed:
            return .none
        }
    }

    /// Reports 2.02 Deleted to Deregister.
    public mutating func deleted(now: MonotonicTime) -> Action {
        guard case .deregistering(let afterwards) = self.state else { return self.refused(.deleted, now: now) }
        return self.deregistered(afterwards)
    }

    /// Reports that something changed that the server must know.
    ///
    /// During a running request it is remembered, and an Update follows.
    public mutating func changed(_ changes: RegistrationChanges, now: MonotonicTime) -> Action {
        switch self.state {
        case .registered:
            self.pending.formUnion(changes)
            self.updateDue = now
        case .registering, .updating:
            self.pending.formUnion(changes)
        case .waiting, .connecting:
            if self.location != nil { self.pending.formUnion(changes) }
        case .idle, .deregistering, .stopped, .failed:
            break
        }
        return .none
    }

    /// Asks for an Update now: the trigger of the server, or the embedder.
    ///
    /// During a running Register or Update that one does; while waiting to retry the wait ends, but no suspension.
    public mutating func updateRequested(now: MonotonicTime) -> Action {
        switch self.state {
        case .registered:
            self.updateDue = now
            return .none
        case .waiting:
            if !self.isSuspended { self.state = .waiting(until: now) }
            return .none
        case .failed:
            self.attempts = 0
            self.sequences = 0
            return self.start(now: now)
        case .idle, .connecting, .registering, .updating, .deregistering, .stopped:
            return .none
        }
    }

    /// Disable was executed: deregister, and register again after the time.
    ///
    /// - Source: LwM2M Core 1.2.2, appendix E.2, resources 4 and 5.
    public mutating func disable(seconds: UInt32, now: MonotonicTime) -> Action {
        let until = now.advanced(by: .seconds(Int64(seconds)))
        switch self.state {
        case .registered, .updating:
            guard let location = self.location else { return .none }
            self.state = .deregistering(.disabled(until))
            return .sendDeregister(location)
        case .connecting, .registering, .waiting:
            self.location = nil
            self.pending = []
            self.state = .waiting(until: until)
            return .disconnect
        case .idle, .deregistering, .stopped, .failed:
            return .none
        }
    }

    /// Deregisters from a server that is not to be trusted, and registers again after the time: nothing ends it before.
    public mutating func suspend(seconds: UInt32, now: MonotonicTime) -> Action {
        switch self.state {
        case .idle, .stopped, .failed: return .none
        case .deregistering(.disabled(let until)):
            let longer = max(until, now.advanced(by: .seconds(Int64(seconds))))
            self.state = .deregistering(.disabled(longer))
        case .waiting, .connecting, .registering, .registered, .updating, .deregistering(.stopped): break
        }
        self.isSuspended = true
        return self.disable(seconds: seconds, now: now)
    }

    /// Ends the registration for good.
    public mutating func stop() -> Action {
        self.isStopping = true
        switch self.state {
        case .registered, .updating:
            guard let location = self.location else { return self.halt() }
            self.state = .deregistering(.stopped)
            return .sendDeregister(location)
        case .registering:
            // The server may have registered the client already: its answer tells where to deregister.
            return .none
        case .deregistering:
            self.state = .deregistering(.stopped)
            return .none
        case .idle, .waiting, .connecting, .failed:
            return self.halt()
        case .stopped:
            return .none
        }
    }

    /// Reports that the deadline has passed; a call before ``nextDeadline`` has no effect.
    public mutating func deadlineReached(now: MonotonicTime) -> Action {
        switch self.state {
        case .waiting(let until) where now >= until:
            self.isSuspended = false
            self.state = .connecting
            return .connect
        case .registered:
            guard let due = self.updateDue, now >= due, let location = self.location else { return .none }
            if self.isStopping {
                self.state = .deregistering(.stopped)
                return .sendDeregister(location)
            }
            self.state = .updating
            self.requestedAt = now
            return .sendUpdate(location, self.takePending())
        case .idle, .waiting, .connecting, .registering, .updating, .deregistering, .stopped, .failed:
            return .none
        }
    }

    /// How far apart devices reconnect whose server closed all sessions at once.
    private static let reconnectSpread: Duration = .seconds(10)
    private static let longestWait: Int64 = 7 * 86_400

    private mutating func register(now: MonotonicTime) -> Action {
        self.state = .registering
        self.pending = []
        self.underWay = []
        self.requestedAt = now
        return .sendRegister(self.version)
    }

    private mutating func succeeded(now: MonotonicTime) {
        self.state = .registered
        self.underWay = []
        self.attempts = 0
        self.sequences = 0
        self.updateDue =
            self.isStopping || !self.pending.isEmpty ? now : self.parameters.updateInterval.map(now.advanced(by:))
    }

    private mutating func takePending() -> RegistrationChanges {
        self.underWay = self.pending
        self.pending = []
        return self.underWay
    }

    private mutating func attemptFailed(_ failure: RegistrationFailure, now: MonotonicTime) -> Action {
        self.location = nil
        self.pending = []
        if self.isStopping { return self.halt() }
        self.attempts += 1
        if UInt32(self.attempts) < self.parameters.retryCount {
            let doublings = min(Int64(self.attempts) - 1, 20)
            let pause = min(Int64(self.parameters.retryTimer) << doublings, Self.longestWait)
            self.state = .waiting(until: now.advanced(by: .seconds(pause)))
            return .reportFailed(failure)
        }
        self.attempts = 0
        self.sequences += 1
        if UInt32(self.sequences) < self.parameters.sequenceCount {
            self.state = .waiting(until: now.advanced(by: .seconds(Int64(self.parameters.sequenceDelay))))
            return .reportFailed(failure)
        }
        return self.fail(failure)
    }

    private mutating func fail(_ failure: RegistrationFailure) -> Action {
        self.location = nil
        self.pending = []
        self.attempts = 0
        self.sequences = 0
        self.state = .failed
        return .giveUp(failure)
    }

    private mutating func halt() -> Action {
        self.location = nil
        self.state = .stopped
        return .disconnect
    }

    private mutating func deregistered(_ afterwards: Afterwards, failure: RegistrationFailure? = nil) -> Action {
        self.location = nil
        self.pending = []
        switch afterwards {
        case .disabled(let until) where !self.isStopping: self.state = .waiting(until: until)
        case .disabled, .stopped: self.state = .stopped
        }
        return failure.map(Action.reportNotDeregistered) ?? .reportDeregistered
    }
}
