/// One line that a client of a balancer's control socket sends.
///
/// As JSON, without the members that are nil: `{"id": 1, "verb": "status"}`.
public struct BalancerControlRequest: Codable, Equatable, Sendable {
    /// What is asked for.
    public enum Verb: String, Codable, Sendable {
        /// What the balancer does, in numbers.
        case status
        /// The names that lead somewhere, a page at a time.
        case names
        /// How far a device's bootstrap has come.
        case device
        /// New names for everybody who waits, now.
        case rotate
        /// Write the zone, whoever wrote it before.
        case takeOver = "take-over"
        /// Devices must bootstrap again; without endpoints, all of them.
        case needs
        /// Read the devices and their secrets anew.
        case reload
    }

    /// Chosen by the client; the line about the request carries it.
    public var id: UInt64
    /// What is asked for.
    public var verb: Verb
    /// The devices of ``Verb/needs`` and ``Verb/device``, at most 1,000.
    public var endpoints: [String]?
    /// Where a page of names begins; nil for the first.
    public var cursor: Int?

    /// Creates a request.
    public init(id: UInt64, verb: Verb, endpoints: [String]? = nil, cursor: Int? = nil) {
        self.id = id
        self.verb = verb
        self.endpoints = endpoints
        self.cursor = cursor
    }
}

/// The line that the balancer answers with.
public struct BalancerControlReply: Codable, Equatable, Sendable {
    /// What a line tells.
    public enum Kind: String, Codable, Sendable {
        /// It is done.
        case result
        /// A page of names.
        case page
        /// It is not done; `cause` and `message` say why.
        case error
    }

    /// A name and where it leads.
    public struct Name: Codable, Equatable, Sendable {
        /// The whole name.
        public var name: String
        /// The address.
        public var address: String
    }

    /// How far a device's bootstrap has come.
    public struct Device: Codable, Equatable, Sendable {
        /// The device.
        public var endpoint: String
        /// `waiting`, `started` or `completed`.
        public var phase: String
        /// The instance that told about it last.
        public var instance: String?
        /// Whether its instance was lost since.
        public var isRestarted: Bool
    }

    /// The request it is about; 0 when that could not be read.
    public var id: UInt64
    /// Always true: one line answers one request.
    public var done = true
    /// What the line tells.
    public var kind: Kind
    /// What the balancer does.
    public var balancer: BalancerReportedStatus?
    /// Names; temporary ones, for operators only.
    public var names: [Name]?
    /// Where the next page begins; nil behind the last.
    public var cursor: Int?
    /// A device.
    public var device: Device?
    /// The cause of an error: a short word that does not change.
    public var cause: String?
    /// A sentence about it.
    public var message: String?

    /// Creates a line that tells nothing yet.
    public init(id: UInt64, kind: Kind) {
        self.id = id
        self.kind = kind
    }
}

/// What a balancer does, in numbers.
public struct BalancerReportedStatus: Codable, Equatable, Sendable {
    /// An instance, also one that is gone.
    public struct Instance: Codable, Equatable, Sendable {
        /// Its name.
        public var name: String
        /// Its addresses.
        public var addresses: [String]
        /// Whether it reports.
        public var isUp: Bool
        /// The names that lead to it, or will after the next batches.
        public var names: Int
        /// The bootstraps in progress, by its reports.
        public var inProgress: Int
        /// Devices that started there, since the balancer started; so the next two.
        public var started: UInt64
        /// Devices that completed there.
        public var completed: UInt64
        /// Procedures that failed there.
        public var failed: UInt64
    }

    /// Devices by how far they are.
    public struct Devices: Codable, Equatable, Sendable {
        /// All of them.
        public var known: Int
        /// Those that need bootstrap.
        public var waiting: Int
        /// Those that are being bootstrapped.
        public var inProgress: Int
        /// Those of them whose instance was lost.
        public var restarted: Int
        /// Those that have been bootstrapped.
        public var completed: Int
    }

    /// Names by where they are.
    public struct Names: Codable, Equatable, Sendable {
        /// Those that the zone assigns.
        public var published: Int
        /// Those that are to be added or changed.
        public var pending: Int
        /// Whether names are being derived.
        public var isDeriving: Bool
    }

    /// The registry.
    public struct Registry: Codable, Equatable, Sendable {
        /// `current`, `behind`, `reading`, `unreachable`, `refused` or `foreign`.
        public var state: String
        /// The DNS response code of a refusal.
        public var code: UInt8?
        /// Who wrote the zone last.
        public var writer: String?
        /// The number of that state of the zone.
        public var epoch: UInt64?
        /// Batches that were done.
        public var updates: UInt64
        /// Tries that failed.
        public var failures: UInt64
    }

    /// What the responder in the balancer's process was asked.
    public struct Questions: Codable, Equatable, Sendable {
        /// Answered with records, or with none for a name that exists.
        public var answers: UInt64
        /// For names that do not exist: over, or a stranger's guess.
        public var nxdomain: UInt64
        /// Refused.
        public var refused: UInt64
        /// That cannot be read.
        public var malformed: UInt64
    }

    /// Where the devices come from.
    public struct Secrets: Codable, Equatable, Sendable {
        /// `file`, `derived` or `server`.
        public var source: String
        /// How often everything was read.
        public var readings: UInt64
        /// How often reading failed.
        public var failures: UInt64
    }

    /// Every instance that reported to this process, by name.
    public var instances: [Instance]
    /// The devices.
    public var devices: Devices
    /// The names.
    public var names: Names
    /// The stamp of the window that it is now; nil while the time is not known.
    public var window: Int64?
    /// The stamps of the windows that are served.
    public var windows: [Int64]
    /// The registry.
    public var registry: Registry
    /// The responder in this process, when there is one.
    public var dns: Questions?
    /// Where the devices come from.
    public var secrets: Secrets
    /// Counters by name.
    public var counters: [String: UInt64]
}
