import ClientEngine
import CoAPMessages
public import Primitives

/// A network in memory on which any number of client and server engines meet, with a clock that jumps.
///
/// It does what the real transport does for an engine: handshakes, confirmable messages that are sent again,
/// duplicates that are answered from memory, separate answers, failures when all that did not help. Datagrams are
/// lost, delayed, doubled and overtaken as ``NetworkConditions`` say; all of it comes from one seed, so a run can be
/// repeated exactly.
public final class VirtualNetwork {
    enum Happening: Sendable {
        case arrival(session: Int, at: End, Datagram)
        case retransmission(MessageKey, attempt: Int)
        case handshakeRetry(session: Int, flight: Int, wait: Duration)
        case unreachable(peer: Int, SessionID, SessionFailure)
        case answerDue(TokenKey)
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

    var generator: SeededGenerator
    var queue = TimedQueue<Happening>()
    var peers: [any VirtualPeer] = []
    var listeners: [UTF8Text: Int] = [:]
    var silenced: Set<Int> = []
    var deadlines = DeadlineHeap<Int>()

    var sessions: [Int: VirtualSession] = [:]
    var sessionNumbers: [PeerSession: Int] = [:]
    var lastSession = 0
    var outstanding: [MessageKey: Outstanding] = [:]
    var answers: [TokenKey: PendingAnswer] = [:]
    var tokens: [PeerRequest: TokenKey] = [:]
    var exchanges: [ExchangeID: OpenExchange] = [:]
    var lastExchange: UInt64 = 0

    /// A session as one peer names it.
    struct PeerSession: Hashable {
        let peer: Int
        let session: SessionID
    }

    /// A request as one peer names it.
    struct PeerRequest: Hashable {
        let peer: Int
        let request: RequestID
    }

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
    /// - Returns: the number of the peer in this network.
    @discardableResult
    public func add(_ peer: some VirtualPeer, listeningAt address: UTF8Text? = nil) -> Int {
        self.peers.append(peer)
        if let address { self.listeners[address] = self.peers.count - 1 }
        return self.peers.count - 1
    }

    /// Tells a peer to begin.
    public func start(_ peer: Int) { self.tell(peer, .started) }

    /// Carries out what a peer wants after something was changed behind the network's back.
    public func attend(to peer: Int) {
        self.drain(peer)
        self.deadlines.set(self.peers[peer].nextDeadline, for: peer)
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
            let next = [self.queue.earliest, self.deadlines.earliest()].compactMap { $0 }.min()
            guard let next, next <= end else {
                self.now = max(self.now, end)
                return true
            }
            self.now = max(self.now, next)
            if let happening = self.queue.popReached(now: self.now) {
                self.handle(happening)
            } else if let peer = self.deadlines.popReached(now: self.now) {
                self.tell(peer, .deadlineReached)
            }
        }
        return false
    }

    func tell(_ peer: Int, _ event: PeerEvent) {
        self.peers[peer].handle(event, now: self.now)
        self.attend(to: peer)
    }

    private func drain(_ peer: Int) {
        while let output = self.peers[peer].nextOutput(now: self.now) {
            switch output {
            case .openSession(let session, let uri, let credentials):
                self.open(session, uri, credentials, by: peer)
            case .closeSession(let session): self.close(session, by: peer)
            case .sendRequest(let request, let session, let message):
                self.send(message, request, on: session, by: peer)
            case .sendResponse(let exchange, let response): self.respond(to: exchange, response)
            case .sendNotification(let notification, let session, let token, let response, let isConfirmable):
                self.notify(response, token, notification, isConfirmable: isConfirmable, on: session, by: peer)
            case .cancelObservation(let request, _): self.forget(request, of: peer)
            }
        }
    }

    private func handle(_ happening: Happening) {
        switch happening {
        case .arrival(let session, let end, let datagram): self.arrived(datagram, on: session, at: end)
        case .retransmission(let key, let attempt): self.retransmit(key, attempt: attempt)
        case .handshakeRetry(let session, let flight, let wait): self.retryHandshake(session, flight, wait: wait)
        case .unreachable(let peer, let session, let failure): self.tell(peer, .sessionClosed(session, failure))
        case .answerDue(let key): self.giveUpAnswer(key)
        }
    }

    /// Puts a datagram on the wire towards one end of a session.
    func transmit(_ datagram: Datagram, on session: Int, to end: End) {
        guard let (client, server) = self.sessions[session].map({ ($0.client, $0.server) }) else { return }
        self.datagramsSent += 1
        let arrivals = self.conditions.arrivals(&self.generator)
        guard !self.silenced.contains(client), !self.silenced.contains(server) else { return }
        for delay in arrivals {
            self.datagramsArrived += 1
            self.queue.add(.arrival(session: session, at: end, datagram), at: self.now.advanced(by: delay))
        }
    }
}
