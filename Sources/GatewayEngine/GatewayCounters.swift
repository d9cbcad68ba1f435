public import CommandSessions

/// What a gateway saw since it was created; each number only grows.
public struct GatewayCounters: Hashable, Sendable {
    /// Commands that were stored and accepted.
    public var commandsAccepted: UInt64 = 0
    /// Commands that were executed.
    public var commandsDone: UInt64 = 0
    /// Commands that were not executed.
    public var commandsNotDone: UInt64 = 0
    /// Commands of which nobody can tell.
    public var commandsUnknown: UInt64 = 0
    /// Commands refused because a queue or table was full.
    public var queueFull: UInt64 = 0
    /// Commands refused because their user may not send them.
    public var unpermitted: UInt64 = 0
    /// Commands that were refused otherwise.
    public var refusedOtherwise: UInt64 = 0
    /// Commands that their device refused.
    public var refusedByDevice: UInt64 = 0
    /// Sessions that were begun.
    public var sessionsBegun: UInt64 = 0
    /// Of those, how many were not the first for their command.
    public var retries: UInt64 = 0
    /// Sessions whose command was executed.
    public var sessionsCompleted: UInt64 = 0
    /// Sessions whose command was not executed.
    public var sessionsAborted: UInt64 = 0
    /// Sessions of which the device cannot tell the outcome.
    public var sessionsUnknown: UInt64 = 0
    /// Changes that could not be stored at once.
    public var storageFailures: UInt64 = 0
    /// Lines of the audit log that could not be stored.
    public var auditsLost: UInt64 = 0
    private var breaches = [UInt64](repeating: 0, count: SessionBreach.allCases.count)

    /// Creates counters that are zero.
    public init() {}

    /// How many breaches of a kind were found.
    public internal(set) subscript(breach: SessionBreach) -> UInt64 {
        get { self.breaches[Int(breach.rawValue) - 1] }
        set { self.breaches[Int(breach.rawValue) - 1] = newValue }
    }
}
