/// The client side of the control socket that asks every device the same and counts who did what.
///
///     events, list ──▶ a device is found ──▶ read ──▶ write ──▶ observe ──▶ execute ──▶ notifications and events
///
/// Pure: it takes the server's lines and gives requests; whoever owns the connection carries them.
public struct ControlSweep: Sendable {
    /// What every device is asked; what is nil is left out.
    public struct Plan: Sendable {
        /// The path to read, as in `/3/0/0`.
        public var read: String?
        /// The resource to write and what.
        public var write: (path: String, value: String)?
        /// The path to observe.
        public var observe: String?
        /// The resource to execute.
        public var execute: String?
        /// The most requests that are unanswered at once.
        public var requestsInFlight = 64

        /// Creates a plan.
        public init(
            read: String? = nil,
            write: (path: String, value: String)? = nil,
            observe: String? = nil,
            execute: String? = nil
        ) {
            self.read = read
            self.write = write
            self.observe = observe
            self.execute = execute
        }
    }

    /// How many different devices did what at least once.
    public struct Counts: Codable, Hashable, Sendable {
        /// Devices that are or were registered.
        public var registered = 0
        /// Devices that answered the Read with a success.
        public var read = 0
        /// Devices that answered the Write with a success.
        public var written = 0
        /// Devices that answered the Observe with a success.
        public var observed = 0
        /// Devices that answered the Execute with a success.
        public var executed = 0
        /// Devices that sent a notification.
        public var notified = 0
        /// Devices that updated their registration.
        public var updated = 0
        /// Devices that deregistered.
        public var deregistered = 0
        /// Requests without success, by cause or code.
        public var failures: [String: Int] = [:]

        /// Creates counts of nothing.
        public init() {}
    }

    private struct Activity: OptionSet {
        let rawValue: UInt8
        static let notified = Activity(rawValue: 1)
        static let updated = Activity(rawValue: 2)
        static let deregistered = Activity(rawValue: 4)
    }

    private struct Step {
        let endpoint: String
        let index: Int
    }

    private static let eventsID: UInt64 = 1
    private static let listID: UInt64 = 2

    /// What was counted so far.
    public private(set) var counts = Counts()
    private let plan: Plan
    private let verbs: [ControlRequest.Verb]
    private var devices: [String: Activity] = [:]
    private var ready: [Step] = []
    private var asked: [UInt64: Step] = [:]
    private var lastID = Self.listID
    private var preludes: [ControlRequest]
    private var isListing = true

    /// Creates a sweep that has asked nothing yet.
    public init(plan: Plan) {
        self.plan = plan
        self.verbs = [
            plan.read == nil ? nil : .read, plan.write == nil ? nil : .write,
            plan.observe == nil ? nil : .observe, plan.execute == nil ? nil : .execute,
        ].compactMap { $0 }
        // Events first: who registers while the list is read is in one of the two.
        self.preludes = [
            ControlRequest(id: Self.eventsID, verb: .events), ControlRequest(id: Self.listID, verb: .list),
        ]
    }

    /// Whether every device that was found has been asked everything and has answered.
    public var isIdle: Bool {
        self.preludes.isEmpty && !self.isListing && self.ready.isEmpty && self.asked.isEmpty
    }

    /// Whether every device that was found answered everything with a success.
    public var isFlawless: Bool {
        self.verbs.allSatisfy { self.count(of: $0) == self.counts.registered }
    }

    /// The next request to send; nil when an answer has to come first.
    public mutating func nextRequest() -> ControlRequest? {
        if !self.preludes.isEmpty { return self.preludes.removeFirst() }
        guard self.asked.count < self.plan.requestsInFlight, let step = self.ready.popLast() else { return nil }
        self.lastID += 1
        self.asked[self.lastID] = step
        return self.request(self.verbs[step.index], endpoint: step.endpoint)
    }

    /// Takes a line that the server sent.
    public mutating func take(_ reply: ControlReply) {
        switch reply.kind {
        case .page: self.take(page: reply)
        case .event: self.take(event: reply)
        case .notification: self.note(.notified, of: reply.endpoint)
        case .result, .error: self.take(answer: reply)
        case .end, .stats: break
        }
    }

    private mutating func take(page reply: ControlReply) {
        for device in reply.devices ?? [] { self.found(device.endpoint) }
        self.isListing = reply.cursor != nil
        guard let cursor = reply.cursor else { return }
        var request = ControlRequest(id: Self.listID, verb: .list)
        request.cursor = cursor
        self.preludes.append(request)
    }

    private mutating func take(event reply: ControlReply) {
        guard let endpoint = reply.endpoint else { return }
        switch reply.event {
        case "registered": self.found(endpoint)
        case "updated": self.note(.updated, of: endpoint)
        case "deregistered": self.note(.deregistered, of: endpoint)
        default: break
        }
    }

    private mutating func take(answer reply: ControlReply) {
        guard let step = self.asked.removeValue(forKey: reply.id) else { return }
        if reply.kind == .result, let code = reply.code, code.hasPrefix("2.") {
            self.add(self.verbs[step.index])
        } else {
            self.counts.failures[reply.cause ?? reply.code ?? "unknown", default: 0] += 1
        }
        if step.index + 1 < self.verbs.count {
            self.ready.append(Step(endpoint: step.endpoint, index: step.index + 1))
        }
    }

    private mutating func found(_ endpoint: String) {
        guard self.devices.updateValue(self.devices[endpoint] ?? [], forKey: endpoint) == nil else { return }
        self.counts.registered += 1
        if !self.verbs.isEmpty { self.ready.append(Step(endpoint: endpoint, index: 0)) }
    }

    private mutating func note(_ activity: Activity, of endpoint: String?) {
        guard let endpoint, let before = self.devices[endpoint], !before.contains(activity) else { return }
        self.devices[endpoint] = before.union(activity)
        if activity == .notified { self.counts.notified += 1 }
        if activity == .updated { self.counts.updated += 1 }
        if activity == .deregistered { self.counts.deregistered += 1 }
    }

    private mutating func add(_ verb: ControlRequest.Verb) {
        switch verb {
        case .read: self.counts.read += 1
        case .write: self.counts.written += 1
        case .observe: self.counts.observed += 1
        default: self.counts.executed += 1
        }
    }

    private func count(of verb: ControlRequest.Verb) -> Int {
        switch verb {
        case .read: self.counts.read
        case .write: self.counts.written
        case .observe: self.counts.observed
        default: self.counts.executed
        }
    }

    private func request(_ verb: ControlRequest.Verb, endpoint: String) -> ControlRequest {
        var request = ControlRequest(id: self.lastID, verb: verb, endpoint: endpoint)
        switch verb {
        case .read: request.path = self.plan.read
        case .write:
            request.path = self.plan.write?.path
            request.values = self.plan.write.map { ["": $0.value] }
        case .observe: request.path = self.plan.observe
        default: request.path = self.plan.execute
        }
        return request
    }
}
