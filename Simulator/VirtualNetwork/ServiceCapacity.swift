import Primitives

/// What one peer can do in a time, as one core of a machine can, and what waits meanwhile.
///
/// Each datagram that comes takes the time of one that costs as much at a real server, with what it makes the server
/// send; datagrams are served one after the other. What finds the queue full is lost, as at a socket.
public struct ServiceCapacity: Hashable, Sendable {
    /// The time for the first flight of a handshake, of which nothing is kept.
    public var hello: Duration
    /// The time for each of the two flights with which a handshake goes on.
    public var handshake: Duration
    /// The time for any other datagram.
    public var message: Duration
    /// The most datagrams that wait or are being served.
    public var queueLimit: Int

    /// Creates a capacity from its parts.
    public init(hello: Duration, handshake: Duration, message: Duration, queueLimit: Int) {
        self.hello = hello
        self.handshake = handshake
        self.message = message
        self.queueLimit = max(queueLimit, 1)
    }
}

/// What a peer with a capacity had to do so far.
public struct ServiceLoad: Hashable, Sendable {
    /// Datagrams of the network's peers that were taken in.
    public internal(set) var served = 0
    /// Datagrams of the network's peers that found the queue full.
    public internal(set) var lost = 0
    /// Datagrams of a flood that were taken in.
    public internal(set) var strangersServed = 0
    /// Datagrams of a flood that found the queue full.
    public internal(set) var strangersLost = 0
    /// How long the peer was busy.
    public internal(set) var busy = Duration.zero
    /// How many datagrams wait or are being served.
    public internal(set) var waiting = 0

    /// Creates a load of nothing.
    public init() {}
}

/// The datagrams at one peer that wait for their turn.
final class ServiceQueue {
    let capacity: ServiceCapacity
    var flood: DatagramFlood.Course?
    private var load = ServiceLoad()
    /// When each datagram that waits or is being served will be done: a ring, oldest at the head.
    private var ends: [Int64]
    private var head = 0
    private var count = 0
    private var busyUntil: Int64 = 0
    /// All time that was promised to datagrams, served or still waiting.
    private var promised: Int64 = 0
    private let helloCost: Int64
    private let handshakeCost: Int64
    private let messageCost: Int64

    init(capacity: ServiceCapacity) {
        self.capacity = capacity
        self.ends = Array(repeating: 0, count: capacity.queueLimit)
        self.helloCost = capacity.hello.nanoseconds
        self.handshakeCost = capacity.handshake.nanoseconds
        self.messageCost = capacity.message.nanoseconds
    }

    /// Takes a datagram in.
    ///
    /// - Returns: when it will have been served; nil when it is lost.
    func admit(_ datagram: Datagram, now: MonotonicTime) -> MonotonicTime? {
        self.floodUntil(now.nanoseconds)
        guard let end = self.enqueue(cost: self.cost(of: datagram), at: now.nanoseconds) else {
            self.load.lost += 1
            return nil
        }
        self.load.served += 1
        return MonotonicTime(nanoseconds: end)
    }

    /// Spends the time of a message that no datagram caused.
    func spendMessage(now: MonotonicTime) {
        self.busyUntil = max(self.busyUntil, now.nanoseconds) + self.messageCost
        self.promised += self.messageCost
    }

    private func cost(of datagram: Datagram) -> Int64 {
        switch datagram {
        case .handshake(let flight): flight == 0 ? self.helloCost : self.handshakeCost
        case .refusal, .closeNotify, .message: self.messageCost
        }
    }

    /// What the peer had to do until a moment.
    func load(at now: MonotonicTime) -> ServiceLoad {
        self.floodUntil(now.nanoseconds)
        self.leave(until: now.nanoseconds)
        var load = self.load
        load.busy = .nanoseconds(self.promised - max(self.busyUntil - now.nanoseconds, 0))
        load.waiting = self.count
        return load
    }

    /// Lets everything arrive that a flood sent until a moment: it needs no happening of its own each.
    private func floodUntil(_ now: Int64) {
        while let time = self.flood?.next(until: now) {
            if self.enqueue(cost: self.helloCost, at: time) == nil {
                self.load.strangersLost += 1
            } else {
                self.load.strangersServed += 1
            }
        }
    }

    private func enqueue(cost: Int64, at time: Int64) -> Int64? {
        self.leave(until: time)
        guard self.count < self.ends.count else { return nil }
        self.busyUntil = max(self.busyUntil, time) + cost
        self.promised += cost
        var tail = self.head + self.count
        if tail >= self.ends.count { tail -= self.ends.count }
        self.ends[tail] = self.busyUntil
        self.count += 1
        return self.busyUntil
    }

    private func leave(until time: Int64) {
        while self.count > 0, self.ends[self.head] <= time {
            self.head += 1
            if self.head == self.ends.count { self.head = 0 }
            self.count -= 1
        }
    }
}
