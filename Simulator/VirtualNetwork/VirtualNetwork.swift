import ClientEngine
import CoAPMessages
public import Primitives

/// A network in memory on which any number of client and server engines meet, with a clock that jumps.
///
/// It does what the real transport does for an engine: handshakes, confirmable messages that are sent again,
/// duplicates that are answered from memory, separate answers, failures when all that did not help. Datagrams are
/// lost, delayed, doubled and overtaken as ``NetworkConditions`` say; all of it comes from one seed, so a run can be
/// repeated exactly.
///
/// Peers listen under a `host:port`, or at an address to which ``names`` lead; a peer with a ``ServiceCapacity`` serves
/// one datagram after the other. Peers come and go, and only what is under way costs memory, so that a million devices
/// are a test too.
public final class VirtualNetwork {
    enum Happening {
        case arrival(VirtualSession, at: End, Datagram)
        case served(VirtualSession, at: End, Datagram)
        case retransmission(VirtualSession, End, messageID: UInt16, attempt: Int)
        case handshakeRetry(VirtualSession, flight: Int, wait: Duration)
        case resolved(peer: Int, SessionID, CoAPURI, SessionCredentials)
        case unreachable(peer: Int, SessionID, SessionFailure)
        case answerDue(VirtualSession, End, CoAPToken)
        case idle(VirtualSession)
        case start(peer: Int)
        case deadline(peer: Int)
    }

    /// How the network treats datagrams from now on.
    public var conditions: NetworkConditions
    /// How often messages are sent again.
    public let policy: RetransmissionPolicy
    /// The time on the network's clock.
    public private(set) var now = MonotonicTime.zero
    /// How many datagrams were sent, lost ones included.
    public internal(set) var datagramsSent = 0
    /// How many of those arrived, copies included.
    public internal(set) var datagramsArrived = 0

    /// Where host names lead.
    public var names = VirtualNames()

    var generator: SeededGenerator
    var queue = TimedQueue<Happening>()
    var slots: [PeerSlot?] = []
    var listeners: [UTF8Text: Int] = [:]
    var addresses: [IPAddress: Int] = [:]
    var silenced: Set<Int> = []
    var lastSession: UInt32 = 0
    var exchanges: [ExchangeID: OpenExchange] = [:]
    var lastExchange: UInt64 = 0

    /// Creates a network without peers.
    ///
    /// - Parameters:
    ///   - conditions: how datagrams fare.
    ///   - policy: how often messages are sent again.
    ///   - seed: what everything random comes from.
    public init(
        conditions: NetworkConditions = NetworkConditions(),
        policy: RetransmissionPolicy = RetransmissionPolicy(),
        seed: UInt64
    ) {
        self.conditions = conditions
        self.policy = policy
        self.generator = SeededGenerator(seed: seed)
    }

    /// Adds a peer.
    ///
    /// - Parameters:
    ///   - peer: who.
    ///   - address: `host:port` where it listens; nil for a peer that only opens sessions.
    ///   - capacity: what it can do in a time; nil for everything at once.
    /// - Returns: the number of the peer in this network.
    @discardableResult
    public func add(
        _ peer: some VirtualPeer,
        listeningAt address: UTF8Text? = nil,
        capacity: ServiceCapacity? = nil
    ) -> Int {
        let number = self.slots.count
        self.slots.append(PeerSlot(peer, queue: capacity.map { ServiceQueue(capacity: $0) }))
        if let address { self.listeners[address] = number }
        return number
    }

    /// Has a peer listen at an address too, whatever the port; ``names`` tell others where that is.
    public func listen(_ peer: Int, at address: IPAddress) { self.addresses[address] = peer }

    /// Takes a peer off the network without a word to anybody; its number is not given to another one.
    public func remove(_ peer: Int) {
        guard let slot = self.slots[peer] else { return }
        for session in slot.opened { self.abandon(session, at: .client) }
        for session in slot.accepted.values.sorted(by: { $0.serverID.rawValue < $1.serverID.rawValue }) {
            self.abandon(session, at: .server)
        }
        self.slots[peer] = nil
        self.silenced.remove(peer)
    }

    /// Lets strangers send to a peer that has a capacity, in place of a flood before; it uses chance of its own.
    public func flood(_ peer: Int, with flood: DatagramFlood, seed: UInt64) {
        self.slots[peer]?.queue?.flood = DatagramFlood.Course(flood, seed: seed)
    }

    /// What a peer with a capacity had to do so far; nothing for others.
    public func load(of peer: Int) -> ServiceLoad { self.slots[peer]?.queue?.load(at: self.now) ?? ServiceLoad() }

    /// Tells a peer to begin.
    public func start(_ peer: Int) { self.tell(peer, .started) }

    /// Tells a peer to begin at a time.
    public func start(_ peer: Int, at time: MonotonicTime) { self.queue.add(.start(peer: peer), at: time) }

    /// Carries out what a peer wants after something was changed behind the network's back.
    public func attend(to peer: Int) {
        self.drain(peer)
        // What a peer said while it was drained may have been its last word.
        guard let slot = self.slots[peer] else { return }
        slot.deadline = slot.peer.nextDeadline
        self.awaitDeadline(of: peer, slot)
    }

    /// Cuts a peer off, or connects it again; it keeps its state.
    public func setSilent(_ isSilent: Bool, _ peer: Int) {
        if isSilent { self.silenced.insert(peer) } else { self.silenced.remove(peer) }
    }

    /// Lets time pass until a moment, jumping from one happening to the next.
    ///
    /// - Parameters:
    ///   - end: when to stop; the clock stands there afterwards.
    ///   - limit: the most happenings; peers that talk without end would otherwise never return.
    /// - Returns: whether the moment was reached within the limit.
    @discardableResult
    public func run(until end: MonotonicTime, limit: Int = 50_000_000) -> Bool {
        self.run(until: end, limit: limit) { false }
    }

    /// Lets time pass until a condition holds or a moment has come.
    ///
    /// - Returns: whether the condition came to hold, or, where it never does, whether the moment was reached within
    ///   the limit.
    @discardableResult
    public func run(until end: MonotonicTime, limit: Int = 50_000_000, _ condition: () -> Bool) -> Bool {
        for _ in 0..<limit {
            if condition() { return true }
            guard let next = self.nextHappening, next <= end else {
                self.now = max(self.now, end)
                return true
            }
            self.now = max(self.now, next)
            if let happening = self.queue.popReached(now: self.now) { self.handle(happening) }
        }
        return false
    }

    /// When the next thing happens; nil when nothing will.
    public var nextHappening: MonotonicTime? { self.queue.earliest }

    /// A peer whose deadline moves away, as it does with every message, is looked at when the earlier one has come.
    private func awaitDeadline(of peer: Int, _ slot: PeerSlot) {
        guard let deadline = slot.deadline, slot.awaited.map({ deadline < $0 }) ?? true else { return }
        slot.awaited = deadline
        self.queue.add(.deadline(peer: peer), at: max(deadline, self.now))
    }

    private func deadlineReached(of peer: Int) {
        guard let slot = self.slots[peer], let awaited = slot.awaited, awaited <= self.now else { return }
        slot.awaited = nil
        if let deadline = slot.deadline, deadline <= self.now {
            self.tell(peer, .deadlineReached)
        } else {
            self.awaitDeadline(of: peer, slot)
        }
    }

    func tell(_ peer: Int, _ event: PeerEvent) {
        guard let slot = self.slots[peer] else { return }
        slot.peer.handle(event, now: self.now)
        self.attend(to: peer)
    }

    private func drain(_ peer: Int) {
        guard let slot = self.slots[peer] else { return }
        while let output = slot.peer.nextOutput(now: self.now) {
            switch output {
            case .forgetName(let name): slot.keptNames.removeAll { $0.name == name }
            case .openSession(let session, let uri, let credentials):
                self.open(session, uri, credentials, by: peer)
            case .closeSession(let session): self.close(session, by: peer)
            case .sendRequest(let request, let session, let message):
                self.send(message, request, on: session, by: peer)
            case .sendResponse(let exchange, let response): self.respond(to: exchange, response)
            case .sendNotification(let notification, let session, let token, let response, let isConfirmable):
                self.notify(response, token, notification, isConfirmable: isConfirmable, on: session, by: peer)
            case .cancelObservation(let request, let session): self.forget(request, on: session, of: peer)
            }
        }
    }

    private func handle(_ happening: Happening) {
        switch happening {
        case .arrival(let session, let end, let datagram): self.reached(datagram, on: session, at: end)
        case .served(let session, let end, let datagram): self.arrived(datagram, on: session, at: end)
        case .retransmission(let session, let end, let id, let attempt):
            self.retransmit(id, on: session, by: end, attempt: attempt)
        case .handshakeRetry(let session, let flight, let wait): self.retryHandshake(session, flight, wait: wait)
        case .resolved(let peer, let session, let uri, let credentials):
            self.resolved(session, uri, credentials, by: peer)
        case .unreachable(let peer, let session, let failure): self.notOpened(session, failure, by: peer)
        case .answerDue(let session, let end, let token): self.giveUpAnswer(token, on: session, at: end)
        case .idle(let session): self.drop(session, at: .server, .closed)
        case .start(let peer): self.tell(peer, .started)
        case .deadline(let peer): self.deadlineReached(of: peer)
        }
    }

    /// Puts a datagram on the wire towards one end of a session.
    func transmit(_ datagram: Datagram, on session: VirtualSession, to end: End) {
        self.datagramsSent += 1
        let arrivals = self.conditions.arrivals(&self.generator)
        if !self.silenced.isEmpty,
            self.silenced.contains(session.client) || self.silenced.contains(session.server)
        {
            return
        }
        if let delay = arrivals.first { self.arrive(datagram, on: session, at: end, after: delay) }
        if let delay = arrivals.second { self.arrive(datagram, on: session, at: end, after: delay) }
    }

    private func arrive(_ datagram: Datagram, on session: VirtualSession, at end: End, after delay: Int64) {
        self.datagramsArrived += 1
        var time = MonotonicTime(nanoseconds: self.now.nanoseconds + delay)
        if self.conditions.keepsOrder { time = session.arrival(at: end, notBefore: time) }
        self.queue.add(.arrival(session, at: end, datagram), at: time)
    }

    /// A datagram has come to a peer, which serves it now or when its turn has come.
    private func reached(_ datagram: Datagram, on session: VirtualSession, at end: End) {
        guard let queue = self.slots[session.peer(at: end)]?.queue else {
            return self.arrived(datagram, on: session, at: end)
        }
        guard let turn = queue.admit(datagram, now: self.now) else { return }
        self.queue.add(.served(session, at: end, datagram), at: turn)
    }
}

/// A peer with what the network keeps for it.
final class PeerSlot {
    /// An answer of the resolver, as long as it may be kept.
    struct KeptName {
        let name: UTF8Text
        let address: IPAddress?
        let until: MonotonicTime
    }

    let peer: any VirtualPeer
    let queue: ServiceQueue?
    /// Sessions that the peer opened.
    var opened: [VirtualSession] = []
    /// Sessions that others opened with the peer.
    var accepted: [SessionID: VirtualSession] = [:]
    /// Sessions that wait for an address, or for the word that there is none.
    var unopened: [SessionID] = []
    var keptNames: [KeptName] = []
    /// When the peer must be told, and the earliest time at which that will be looked at.
    var deadline: MonotonicTime?
    var awaited: MonotonicTime?

    init(_ peer: any VirtualPeer, queue: ServiceQueue?) {
        self.peer = peer
        self.queue = queue
    }
}
