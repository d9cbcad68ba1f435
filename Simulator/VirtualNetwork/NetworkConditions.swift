import Primitives

/// How badly a virtual network treats datagrams.
public struct NetworkConditions: Hashable, Sendable {
    /// The share of datagrams that never arrive, 0 to 1.
    public var loss: Double
    /// The share of datagrams that arrive twice, 0 to 1.
    public var duplication: Double
    /// The shortest and longest time a datagram takes; where they differ, datagrams overtake each other.
    public var delay: ClosedRange<Duration> {
        didSet { (self.shortest, self.spread) = Self.nanoseconds(self.delay) }
    }
    /// Whether datagrams of one session never overtake each other.
    public var keepsOrder: Bool
    /// The shortest delay and what the longest adds to it, in nanoseconds.
    private var shortest: Int64
    private var spread: Int64

    /// Creates conditions; by default everything arrives once, after 20 ms.
    public init(
        loss: Double = 0,
        duplication: Double = 0,
        delay: ClosedRange<Duration> = .milliseconds(20)...(.milliseconds(20)),
        keepsOrder: Bool = false
    ) {
        self.loss = loss
        self.duplication = duplication
        self.delay = delay
        self.keepsOrder = keepsOrder
        (self.shortest, self.spread) = Self.nanoseconds(delay)
    }

    private static func nanoseconds(_ delay: ClosedRange<Duration>) -> (Int64, Int64) {
        (delay.lowerBound.nanoseconds, (delay.upperBound - delay.lowerBound).nanoseconds)
    }

    /// When the copies of one datagram arrive, in nanoseconds from its sending; nil where it is lost or not doubled.
    func arrivals(_ generator: inout SeededGenerator) -> (first: Int64?, second: Int64?) {
        var arrivals: (first: Int64?, second: Int64?)
        if generator.nextUnitInterval() >= self.loss { arrivals.first = self.oneDelay(&generator) }
        if generator.nextUnitInterval() < self.duplication { arrivals.second = self.oneDelay(&generator) }
        return arrivals
    }

    private func oneDelay(_ generator: inout SeededGenerator) -> Int64 {
        self.shortest + Int64(Double(self.spread) * generator.nextUnitInterval())
    }
}

/// How often and for how long messages are sent again.
public struct RetransmissionPolicy: Hashable, Sendable {
    /// The shortest first wait for an acknowledgement; the longest is half as much again.
    ///
    /// - Source: RFC 7252, section 4.8, ACK_TIMEOUT and ACK_RANDOM_FACTOR.
    public var acknowledgeTimeout: Duration = .seconds(2)
    /// How often a message is sent again.
    ///
    /// - Source: RFC 7252, section 4.8, MAX_RETRANSMIT.
    public var maximumRetransmit = 4
    /// How long a request waits for its answer once it was acknowledged without one.
    public var answerTimeout: Duration = .seconds(150)
    /// The first wait within a handshake; it doubles each time.
    ///
    /// - Source: RFC 6347, section 4.2.4.1.
    public var handshakeRetry: Duration = .seconds(1)
    /// How long a handshake may take.
    public var handshakeTimeout: Duration = .seconds(60)
    /// After how much silence a server forgets a session whose client has gone.
    public var idleTimeout: Duration = .seconds(600)

    /// Creates the policy with the defaults above.
    public init() {}

    /// How long to wait after a message was sent for the n-th time, n counted from 0.
    func wait(afterAttempt attempt: Int, jitter: Double) -> Duration {
        let first = Double(self.acknowledgeTimeout.nanoseconds) * (1 + jitter / 2)
        return .nanoseconds(Int64(first * Double(1 << min(attempt, 20))))
    }
}
