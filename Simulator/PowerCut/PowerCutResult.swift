/// What became of a power cut: the numbers behind tables and plots.
///
/// Times are seconds since the power returned. The same configuration gives the same result, to the last digit.
public struct PowerCutResult: Codable, Hashable, Sendable {
    /// One server, static or instance.
    public struct Server: Codable, Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Bootstraps that ended well.
        public var finished = 0
        /// Bootstraps that ended in silence, with the session or because the device asked anew.
        public var abandoned = 0
        /// Requests that were refused, whatever the reason.
        public var refused = 0
        /// Datagrams of devices that were served.
        public var served = 0
        /// Datagrams of devices that found the queue full.
        public var lost = 0
        /// Datagrams of strangers that were served.
        public var strangersServed = 0
        /// Datagrams of strangers that found the queue full.
        public var strangersLost = 0
        /// Seconds of CPU.
        public var busySeconds = 0.0
        /// The share of each interval of ``PowerCutResult/intervalSeconds`` in which it was busy, in thousandths.
        public var load: [Int] = []

        /// Creates a server that did nothing.
        public init(name: String) {
            self.name = name
        }
    }

    /// What strangers tried and got.
    public struct Strangers: Codable, Hashable, Sendable {
        /// Guesses of temporary names.
        public var guesses = 0
        /// Guesses that ended in NXDOMAIN.
        public var nameErrors = 0
        /// Guesses that were names of devices.
        public var hits = 0

        /// Creates strangers who did nothing.
        public init() {}
    }

    /// The zone and its balancer; all zero without one.
    public struct Names: Codable, Hashable, Sendable {
        /// Temporary names that led somewhere when the power returned.
        public var published = 0
        /// Seconds from the balancer's start until all of them did; nil when they did not when the power returned.
        public var publishedAfter: Double?
        /// Batches that the registry did, first publication included.
        public var updates = 0
        /// Names that those assigned or removed.
        public var changes = 0
        /// Devices that the balancer knows to be bootstrapped, by what instances told it.
        public var completed = 0
        /// Questions of devices that were answered with an address.
        public var answers = 0
        /// Questions of devices that were answered with NXDOMAIN.
        public var nameErrors = 0

        /// Creates the names of a static server.
        public init() {}
    }

    /// The version of the keys.
    public var formatVersion = 1
    /// Devices that rebooted.
    public var devices: Int
    /// Balanced instances; 0 for one static server.
    public var instances: Int
    /// Datagrams per second of strangers at the static name's address.
    public var attackRate: Double
    /// In how many seconds all devices had power again.
    public var withinSeconds: Double
    /// What everything random came from.
    public var seed: UInt64
    /// Devices that were bootstrapped before the experiment ended.
    public var bootstrapped = 0
    /// When the experiment ended.
    public var endSeconds = 0.0
    /// When 50 % of the devices were bootstrapped; nil when they never were.
    public var secondsTo50: Double?
    /// When 99 % of the devices were bootstrapped; nil when they never were.
    public var secondsTo99: Double?
    /// When all devices were bootstrapped; nil when they never were.
    public var secondsTo100: Double?
    /// Datagrams that devices and servers sent, lost ones included.
    public var datagrams = 0
    /// Sessions that devices began.
    public var sessions = 0
    /// Bootstrap-Requests that devices sent.
    public var requests = 0
    /// Attempts that failed, by cause.
    public var failures: [String: Int] = [:]
    /// The length of the intervals of ``bootstrappedCurve`` and ``Server/load``.
    public var intervalSeconds = 1
    /// How many devices were bootstrapped at the end of each interval.
    public var bootstrappedCurve: [Int] = []
    /// The servers that devices asked, and last the one under the static name when there are instances beside it.
    public var servers: [Server] = []
    /// What strangers did.
    public var strangers = Strangers()
    /// The zone and its balancer.
    public var names = Names()

    /// Creates the result of a power cut in which nothing has happened yet.
    public init(devices: Int, instances: Int, attackRate: Double, withinSeconds: Double, seed: UInt64) {
        self.devices = devices
        self.instances = instances
        self.attackRate = attackRate
        self.withinSeconds = withinSeconds
        self.seed = seed
    }
}
