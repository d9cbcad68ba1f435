public import CoAPMessages
public import CoAPTransport
public import Primitives
public import ServiceSupport

/// The balancer that an instance belongs to, and how the instance presents itself there.
public struct BalancerLink: Sendable {
    /// Where the balancer listens for instances, with DTLS.
    public var address: SocketAddress
    /// The key of the instance at the balancer; its identity is the instance's name.
    public var key: SecretBytes
    /// What the instance says of itself; how many bootstraps are in progress is filled in each time.
    public var instance: InstanceReport
    /// How long the balancer may take to answer before the connection is made anew.
    public var answerTimeout: Duration = .seconds(5)
    /// The shortest and longest pause before the connection is tried again; it doubles in between.
    public var retryPause: ClosedRange<Duration> = .seconds(1)...(.seconds(30))
    /// The most notices that wait for the balancer; at least 1.
    public var maximumNotices = 20_000

    /// Creates a link from what it needs to know.
    public init(address: SocketAddress, key: SecretBytes, instance: InstanceReport) {
        self.address = address
        self.key = key
        self.instance = instance
    }
}

/// How an instance and its balancer get on.
public enum BalancerLinkReport: Hashable, Sendable {
    /// The balancer knows the instance, for the first time.
    case known
    /// The balancer knows the instance again.
    case back
    /// The balancer does not answer; the instance goes on serving and tries again.
    case lost
    /// The balancer refused the instance with the code; it tries again.
    case refused(CoAPCode)
}

/// What was seen of the balancer since the instance began; each number only grows.
public struct BalancerLinkCounters: Hashable, Sendable {
    /// Announcements that the balancer took.
    public var announcements: UInt64 = 0
    /// Connections that were lost or could not be made.
    public var lostConnections: UInt64 = 0
    /// Notices that the balancer acknowledged.
    public var acknowledgedNotices: UInt64 = 0
    /// Times that notices were sent again, because no acknowledgement came.
    public var repeatedBatches: UInt64 = 0
    /// Beginnings that were left out because the end, which waited too, says as much.
    public var mergedNotices: UInt64 = 0
    /// Notices that were given up because too many waited.
    public var droppedNotices: UInt64 = 0
    /// Requests that the balancer refused.
    public var refusals: UInt64 = 0

    /// Creates counters that are zero.
    public init() {}
}
