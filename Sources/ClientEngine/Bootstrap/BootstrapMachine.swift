public import Primitives

/// The client's side of client-initiated bootstrap.
///
/// Pure: the owner reports one event at a time and carries out the ``Action`` that comes back.
///
///            start            hold-off          sessionOpened         2.04
///     idle ────────▶ holdingOff ─────▶ connecting ─────▶ requesting ─────▶ delivering
///      ▲                 ▲                 │ failed          │ refused        │ Finish    │ silence, inconsistent
///      │                 │                 ▼                 ▼                ▼           ▼
///      │                 └─ deadline ── backingOff ◀─────────┴──────────── storing    backingOff
///      └──────────────────────── stored: Finish is answered ─────────────────┘
///
/// ``BootstrapNameMachine`` says where to connect, and may lead from `requesting` back to `connecting`.
/// The server may deliver before its answer to the request arrives, so operations are taken in `requesting` too.
/// - Source: LwM2M Core 1.2.2, clause 6.1 (Bootstrap interface).
public struct BootstrapMachine: Sendable {
    /// What the owner must do next.
    public enum Action: Equatable, Sendable {
        case none
        /// Keep the present configuration for a rollback and open a session with the bootstrap server.
        case connect
        /// Send the Bootstrap-Request.
        case sendRequest
        /// Make what was delivered durable.
        case store
        /// Answer Bootstrap-Finish with 2.04, then close the session; the request was sent at that time.
        case finish(since: MonotonicTime)
        /// Restore the kept configuration and close the session; another attempt follows by itself.
        case fail(BootstrapFailure)
    }

    private enum State: Sendable {
        case idle
        case holdingOff(until: MonotonicTime)
        case connecting
        case requesting
        case delivering(until: MonotonicTime)
        case storing
        case backingOff(until: MonotonicTime)
    }

    /// How long the server may be silent before the procedure has failed.
    ///
    /// - Source: LwM2M Core 1.2.2, clause 6.1.7.5; RFC 7252, section 4.8.2 (EXCHANGE_LIFETIME).
    public static let standardFinishTimeout: Duration = .seconds(247)
    /// The pause after the first failure; it doubles with each.
    static let firstBackOff: Duration = .seconds(10)
    /// The longest pause between attempts.
    static let longestBackOff: Duration = .seconds(3600)

    private var state: State = .idle
    private var failures: UInt8 = 0
    // Milliseconds in half the size of a duration, because every device of a fleet has one.
    private let finishMilliseconds: UInt32
    private var requestedAt: MonotonicTime = .zero

    /// Creates a machine that does nothing until it is started.
    ///
    /// - Parameter finishTimeout: how long the server may be silent before the procedure has failed.
    public init(finishTimeout: Duration = Self.standardFinishTimeout) {
        self.finishMilliseconds = UInt32(clamping: finishTimeout.nanoseconds / 1_000_000)
    }

    private var finishTimeout: Duration { .milliseconds(Int64(self.finishMilliseconds)) }

    /// Whether a procedure is under way or will be tried again.
    public var isActive: Bool { if case .idle = self.state { false } else { true } }

    /// Whether the attempt still looks for a server that takes it.
    public var isSeeking: Bool {
        switch self.state {
        case .connecting, .requesting: true
        case .idle, .holdingOff, .delivering, .storing, .backingOff: false
        }
    }

    /// Whether an attempt failed and the next one has yet to begin.
    public var isBackingOff: Bool { if case .backingOff = self.state { true } else { false } }

    /// Whether the server may deliver now.
    public var acceptsOperations: Bool {
        switch self.state {
        case .requesting, .delivering: true
        case .idle, .holdingOff, .connecting, .storing, .backingOff: false
        }
    }

    /// When ``deadlineReached(jitter:now:)`` must next be called, or nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        switch self.state {
        case .holdingOff(let until), .delivering(let until), .backingOff(let until): until
        case .idle, .connecting, .requesting, .storing: nil
        }
    }

    /// Asks for bootstrap: after the start, on the server's trigger, or because no server can be reached.
    ///
    /// - Parameters:
    ///   - holdOff: resource 11 of the account; up to a quarter is added, so that devices do not come all at once.
    ///   - jitter: from 0 up to 1.
    ///   - now: the time.
    public mutating func start(holdOff: Duration, jitter: Double, now: MonotonicTime) -> Action {
        guard case .idle = self.state else { return .none }
        guard holdOff > .zero else {
            self.state = .connecting
            return .connect
        }
        self.state = .holdingOff(until: now.advanced(by: holdOff + holdOff / 4 * jitter))
        return .none
    }

    /// Reports that the session is open.
    public mutating func sessionOpened(now: MonotonicTime) -> Action {
        guard case .connecting = self.state else { return .none }
        self.state = .requesting
        self.requestedAt = now
        return .sendRequest
    }

    /// Reports that the account cannot be used, or that the session could not be opened or was lost.
    public mutating func failed(_ failure: BootstrapFailure, jitter: Double, now: MonotonicTime) -> Action {
        switch self.state {
        case .delivering:
            // What the server delivers says more than a lost answer to the request.
            if case .request = failure { return .none }
            return self.fail(failure, jitter: jitter, now: now)
        case .connecting, .requesting:
            return self.fail(failure, jitter: jitter, now: now)
        case .storing:
            // The configuration may be durable already; what the store says decides.
            return .none
        case .idle, .holdingOff, .backingOff:
            return .none
        }
    }

    /// Reports that the attempt goes on in another session: at the next name, or at the same one after a wait.
    public mutating func redirected() -> Action {
        if self.isSeeking { self.state = .connecting }
        return .none
    }

    /// Reports 2.04 Changed to the Bootstrap-Request.
    public mutating func accepted(now: MonotonicTime) -> Action {
        guard case .requesting = self.state else { return .none }
        self.state = .delivering(until: now.advanced(by: self.finishTimeout))
        return .none
    }

    /// Reports an operation of the server other than Finish; it has time again for the next.
    public mutating func operationReceived(now: MonotonicTime) -> Action {
        switch self.state {
        case .requesting, .delivering: self.state = .delivering(until: now.advanced(by: self.finishTimeout))
        case .idle, .holdingOff, .connecting, .storing, .backingOff: break
        }
        return .none
    }

    /// Reports Bootstrap-Finish.
    public mutating func finishReceived(isConsistent: Bool, jitter: Double, now: MonotonicTime) -> Action {
        guard self.acceptsOperations else { return .none }
        guard isConsistent else { return self.fail(.inconsistent, jitter: jitter, now: now) }
        self.state = .storing
        return .store
    }

    /// Reports that what was delivered is durable.
    public mutating func stored() -> Action {
        guard case .storing = self.state else { return .none }
        self.state = .idle
        self.failures = 0
        return .finish(since: self.requestedAt)
    }

    /// Reports that what was delivered could not be stored.
    public mutating func storageFailed(jitter: Double, now: MonotonicTime) -> Action {
        guard case .storing = self.state else { return .none }
        return self.fail(.storage, jitter: jitter, now: now)
    }

    /// Reports that the deadline has passed; a call before ``nextDeadline`` has no effect.
    public mutating func deadlineReached(jitter: Double, now: MonotonicTime) -> Action {
        switch self.state {
        case .holdingOff(let until) where now >= until, .backingOff(let until) where now >= until:
            self.state = .connecting
            return .connect
        case .delivering(let until) where now >= until:
            return self.fail(.timedOut, jitter: jitter, now: now)
        case .idle, .holdingOff, .connecting, .requesting, .delivering, .storing, .backingOff:
            return .none
        }
    }

    /// Ends the procedure without another attempt.
    public mutating func abandon() {
        self.state = .idle
    }

    /// The pause before another attempt: half of it is sure, the rest is chance.
    ///
    /// - Parameters:
    ///   - failures: how many attempts failed before the last one.
    ///   - jitter: from 0 up to 1.
    static func backOff(after failures: UInt8, jitter: Double) -> Duration {
        let full = min(Self.firstBackOff * (1 << Int(min(failures, 16))), Self.longestBackOff)
        return full / 2 + full / 2 * jitter
    }

    private mutating func fail(_ failure: BootstrapFailure, jitter: Double, now: MonotonicTime) -> Action {
        self.state = .backingOff(until: now.advanced(by: Self.backOff(after: self.failures, jitter: jitter)))
        self.failures = min(self.failures + 1, 16)
        return .fail(failure)
    }
}
