/// What a bootstrap server saw since it was created; each number only grows.
public struct BootstrapCounters: Hashable, Sendable {
    /// Bootstrap-Requests that were accepted.
    public var started: UInt64 = 0
    /// Bootstraps that ended well.
    public var finished: UInt64 = 0
    /// Bootstraps that a device ended by refusing a step.
    public var refusedByDevice: UInt64 = 0
    /// Bootstraps that ended in silence.
    public var timedOut: UInt64 = 0
    /// Bootstraps that ended otherwise: the session closed, or the device asked anew.
    public var abandoned: UInt64 = 0
    /// Requests refused with 4.00.
    public var malformed: UInt64 = 0
    /// Requests of devices for which there is no plan.
    public var unknownEndpoints: UInt64 = 0
    /// Requests refused because the endpoint belongs to another identity.
    public var identityMismatches: UInt64 = 0
    /// Requests that name no host, where hosts matter.
    public var missingHosts: UInt64 = 0
    /// Requests for a host that is no name of the device.
    public var unknownHosts: UInt64 = 0
    /// Requests for a host that was a name of the device in an earlier window.
    public var expiredHosts: UInt64 = 0
    /// Requests for a host that is not of now, which were accepted because it is pinned.
    public var pinnedHosts: UInt64 = 0
    /// Requests for the static host, which were accepted because the profile lets devices fall back to it.
    public var staticHosts: UInt64 = 0
    /// Questions whether a host is pinned that got no answer in time; the host was refused.
    public var unansweredPins: UInt64 = 0
    /// Requests that were sent elsewhere because the server is about to end.
    public var drained: UInt64 = 0
    /// Requests refused because a bound was reached.
    public var refusedByBounds: UInt64 = 0
    /// Requests refused for another reason.
    public var refusedOtherwise: UInt64 = 0

    /// Creates counters that are zero.
    public init() {}

    mutating func count(_ refusal: BootstrapRefusal) {
        switch refusal {
        case .malformed: self.malformed += 1
        case .identityMismatch: self.identityMismatches += 1
        case .missingHost: self.missingHosts += 1
        case .unknownHost: self.unknownHosts += 1
        case .expiredHost: self.expiredHosts += 1
        case .unknownEndpoint: self.unknownEndpoints += 1
        case .busy: self.refusedByBounds += 1
        case .draining: self.drained += 1
        case .notFound, .methodNotAllowed, .unsupportedFormat, .packNotImplemented, .notStored:
            self.refusedOtherwise += 1
        }
    }
}
