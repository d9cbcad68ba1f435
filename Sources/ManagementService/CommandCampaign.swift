/// The client side of the control socket that gives many devices the same command at a rate, and counts what became of it.
///
/// Open load: when a command is due follows from its number and the rate alone. Pure: it takes the gateway's lines and
/// gives requests; whoever owns the connection carries them.
public struct CommandCampaign: Sendable {
    /// What became of the commands.
    public struct Counts: Codable, Hashable, Sendable {
        /// Commands that were sent to the gateway.
        public var given = 0
        /// Commands that were executed, and their device answered with a code of success.
        public var done = 0
        /// Commands that were executed, and whose device refused what they ask for.
        public var refusedByDevice = 0
        /// Commands that were not executed, and never will be.
        public var notDone = 0
        /// Commands of which nobody can tell.
        public var unknown = 0
        /// Commands that the gateway did not take.
        public var notTaken = 0

        /// Creates counts of nothing.
        public init() {}

        /// How many have not ended.
        public var unended: Int {
            self.given - self.done - self.refusedByDevice - self.notDone - self.unknown - self.notTaken
        }
    }

    /// The most commands that have not ended; the control socket has a bound of its own above this.
    private static let mostAtOnce = 2_000

    /// What was counted so far.
    public private(set) var counts = Counts()
    /// How many commands there will be.
    public let total: Int
    private let endpoints: [String]
    private let perSecond: Double

    /// Creates a campaign that has begun nothing.
    ///
    /// - Parameters:
    ///   - endpoints: the devices, each of which gets the command in turn.
    ///   - repeats: how often each gets it.
    ///   - perSecond: how many commands are given in a second; 0.001 to 1,000,000.
    public init(endpoints: [String], repeats: Int, perSecond: Double) {
        precondition((0.001...1_000_000).contains(perSecond), "the rate is within its bounds")
        self.endpoints = endpoints
        self.total = endpoints.count * repeats
        self.perSecond = perSecond
    }

    /// Whether every command has ended.
    public var isOver: Bool { self.counts.given == self.total && self.counts.unended == 0 }

    /// Whether every command was executed as it asked.
    public var isFlawless: Bool { self.counts.done == self.total }

    /// When the next command is due, counted from the start; nil when none is, or too many have not ended.
    public var nextStart: Duration? {
        guard self.counts.given < self.total, self.counts.unended < Self.mostAtOnce else { return nil }
        return .seconds(Double(self.counts.given) / self.perSecond)
    }

    /// Takes the next command that is due: the number of its request, and its device.
    public mutating func next(after elapsed: Duration) -> (number: UInt64, endpoint: String)? {
        guard let due = self.nextStart, due <= elapsed else { return nil }
        let endpoint = self.endpoints[self.counts.given % self.endpoints.count]
        self.counts.given += 1
        return (UInt64(self.counts.given), endpoint)
    }

    /// Takes a line that the gateway sent.
    public mutating func take(_ reply: ControlReply) {
        guard reply.done else { return }
        switch (reply.kind, reply.details?["outcome"]?.text) {
        case (.result, "done") where reply.isSuccess: self.counts.done += 1
        case (.result, "done"): self.counts.refusedByDevice += 1
        case (.result, "unknown"): self.counts.unknown += 1
        case (.result, _): self.counts.notDone += 1
        default: self.counts.notTaken += 1
        }
    }
}

extension ControlReply {
    /// Whether the device's code is one of success.
    public var isSuccess: Bool { self.code?.hasPrefix("2.") ?? false }
}
