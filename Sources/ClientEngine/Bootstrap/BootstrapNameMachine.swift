public import BootstrapURIs
import CoAPMessages
public import Primitives

/// Where one attempt to bootstrap looks for the server: which window's name comes first, and which when that leads
/// nowhere.
///
/// Pure: the owner derives the names, reports one event at a time and carries out the ``Action`` that comes back.
///
///            begin                failed, a candidate is left
///     idle ────────▶ trying ───────────────────────────────────▶ trying (the next one)
///      ▲               │ ▲
///      │ failed,       │ │ deadline: the same name, resolved anew
///      │ none is left  │ │
///      ├───────────────┤ │
///      │ settled       ▼ │ held
///      └───────────── holding
///
/// The candidates are the windows, the closest first. The static URI comes last, and only when the profile allows it
/// and the clock is unknown or no window's name has a record: a name that is there but leads nowhere, or servers that
/// cannot say, are reasons to wait. Once a server has taken the request the procedure stays where it is.
public struct BootstrapNameMachine: Sendable {
    /// What the owner must do next.
    public enum Action: Equatable, Sendable {
        case none
        /// Open a session at the URI of the window; nil for the static one.
        case open(TimeWindow?)
        /// Resolve the name of the last URI anew and open a session there.
        case reopen
        /// Close the session; the wait takes so many seconds or up to a quarter more.
        case hold(seconds: UInt32)
        /// Give the attempt up.
        case fail(BootstrapFailure)
    }

    private enum State: Sendable {
        case idle
        case trying
        case holding(until: MonotonicTime)
    }

    /// How many windows of one attempt are tried.
    static let mostWindows = 3
    /// How often servers may ask for patience in one attempt.
    static let mostHolds: UInt8 = 100
    /// The shortest and the longest wait that a server may ask for, in seconds.
    static let holdLimits: ClosedRange<UInt32> = 1...3600

    private var state: State = .idle
    /// The windows not tried yet, the next one last.
    private var remaining: [TimeWindow] = []
    private var fallsBack = false
    private var isAtStaticURI = false
    private var holds: UInt8 = 0
    /// Why a candidate failed whose name does have a record, or may have one.
    private var telling: BootstrapFailure?

    /// Creates a machine without an attempt.
    public init() {}

    /// When ``deadlineReached(now:)`` must next be called, or nil when nothing is pending.
    public var nextDeadline: MonotonicTime? {
        if case .holding(let until) = self.state { until } else { nil }
    }

    /// Begins an attempt with temporary names.
    ///
    /// - Parameters:
    ///   - windows: those to try, the first one first; empty when the time is not known. Only three are tried.
    ///   - fallsBack: whether the static URI may be tried.
    public mutating func begin(_ windows: [TimeWindow], fallsBack: Bool) -> Action {
        self.forget()
        self.state = .trying
        self.fallsBack = fallsBack
        self.remaining = Array(windows.prefix(Self.mostWindows).reversed())
        return self.next(.clockUnknown)
    }

    /// Begins an attempt of a device that has no temporary names.
    public mutating func beginAtStaticURI() -> Action {
        self.forget()
        self.state = .trying
        self.isAtStaticURI = true
        return .open(nil)
    }

    /// Reports that the URI under way led to no server that took the request.
    public mutating func failed(_ failure: BootstrapFailure) -> Action {
        switch self.state {
        case .trying: break
        // The session was closed before the wait, so whatever fails is not of this attempt any more.
        case .holding: return .none
        case .idle: return .fail(failure)
        }
        guard !self.isAtStaticURI else { return self.fail(failure) }
        switch failure {
        case .session(.nameNotFound):
            // One that had devices wait did have a record: the windows of now may be others.
            if self.holds > 0 { self.telling = failure }
        // 4.03 is what an instance says to a name of another window.
        case .session, .request, .rejected(.forbidden):
            self.telling = failure
        default:
            return self.fail(failure)
        }
        return self.next(.noName)
    }

    /// Reports 5.03 Service Unavailable with Max-Age to the Bootstrap-Request.
    ///
    /// - Parameters:
    ///   - maxAge: in seconds; it is brought into 1 to 3600.
    ///   - jitter: from 0 up to 1; up to a quarter is added, so that devices do not come back all at once.
    ///   - now: the time.
    public mutating func held(maxAge: UInt64, jitter: Double, now: MonotonicTime) -> Action {
        guard case .trying = self.state else { return .none }
        guard self.holds < Self.mostHolds else { return self.fail(.rejected(.serviceUnavailable)) }
        self.holds += 1
        let limits = Self.holdLimits
        let seconds = UInt32(min(max(maxAge, UInt64(limits.lowerBound)), UInt64(limits.upperBound)))
        let wait = Duration.seconds(Int64(seconds))
        self.state = .holding(until: now.advanced(by: wait + wait / 4 * jitter))
        return .hold(seconds: seconds)
    }

    /// Reports that the deadline has passed; a call before ``nextDeadline`` has no effect.
    public mutating func deadlineReached(now: MonotonicTime) -> Action {
        guard case .holding(let until) = self.state, until <= now else { return .none }
        self.state = .trying
        return .reopen
    }

    /// Reports that a server took the request, or that the attempt is over for another reason.
    public mutating func settled() {
        self.forget()
    }

    /// - Parameter reason: why it failed when every name has been tried and none has a record.
    private mutating func next(_ reason: BootstrapFailure) -> Action {
        if let window = self.remaining.popLast() { return .open(window) }
        if let telling = self.telling { return self.fail(telling) }
        guard self.fallsBack else { return self.fail(reason) }
        self.isAtStaticURI = true
        return .open(nil)
    }

    private mutating func fail(_ failure: BootstrapFailure) -> Action {
        self.forget()
        return .fail(failure)
    }

    private mutating func forget() {
        self = BootstrapNameMachine()
    }
}
