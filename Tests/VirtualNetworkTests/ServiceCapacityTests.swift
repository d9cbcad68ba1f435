import ClientEngine
import CoAPMessages
import Primitives
import Testing
import VirtualNetwork

/// Opens one session when it starts, and says when that was done.
private final class Knocker: VirtualPeer {
    private var outputs: [PeerOutput] = []
    private(set) var openedAt: MonotonicTime?
    private(set) var failure: SessionFailure?
    let nextDeadline: MonotonicTime? = nil

    func handle(_ event: PeerEvent, now: MonotonicTime) {
        switch event {
        case .started:
            let uri = CoAPURI(scheme: .coap, host: "server", port: 1)
            self.outputs.append(.openSession(SessionID(rawValue: 1), uri, .none))
        case .sessionOpened: self.openedAt = now
        case .sessionClosed(_, let failure): self.failure = failure
        default: break
        }
    }

    func nextOutput(now: MonotonicTime) -> PeerOutput? { self.outputs.isEmpty ? nil : self.outputs.removeFirst() }
}

/// Takes every session.
private final class Door: VirtualPeer {
    let nextDeadline: MonotonicTime? = nil
    func handle(_ event: PeerEvent, now: MonotonicTime) {}
    func nextOutput(now: MonotonicTime) -> PeerOutput? { nil }
}

@Suite struct ServiceCapacityTests {
    /// 1 ms and two times 2 ms for each handshake: 200 a second.
    private static func capacity(queue: Int) -> ServiceCapacity {
        ServiceCapacity(
            hello: .milliseconds(1),
            handshake: .milliseconds(2),
            message: .milliseconds(1),
            queueLimit: queue
        )
    }

    private func knock(
        _ count: Int,
        queue: Int,
        flood: DatagramFlood? = nil
    ) -> (network: VirtualNetwork, door: Int, knockers: [Knocker]) {
        let network = VirtualNetwork(seed: 1)
        let door = network.add(Door(), listeningAt: "server:1", capacity: Self.capacity(queue: queue))
        if let flood { network.flood(door, with: flood, seed: 2) }
        let knockers = (0..<count).map { _ in Knocker() }
        for knocker in knockers { network.start(network.add(knocker)) }
        return (network, door, knockers)
    }

    @Test func oneDatagramIsServedAfterTheOther() throws {
        let (network, door, knockers) = self.knock(10, queue: 100)
        network.run(until: MonotonicTime(nanoseconds: 500_000_000))
        // Six flights of 20 ms; ten hellos, then the first of the ones that follow.
        let first = try #require(knockers[0].openedAt)
        let last = try #require(knockers[9].openedAt)
        #expect(first >= MonotonicTime(nanoseconds: 125_000_000))
        #expect(first.duration(to: last) == .milliseconds(18))
        let load = network.load(of: door)
        #expect(load.served == 30)
        #expect(load.lost == 0)
        #expect(load.busy == .milliseconds(50))
        #expect(load.waiting == 0)
    }

    @Test func whatFindsTheQueueFullIsLostAndSentAgain() {
        let (network, door, knockers) = self.knock(100, queue: 10)
        network.run(until: MonotonicTime(nanoseconds: 30_000_000))
        #expect(network.load(of: door).waiting <= 10)
        #expect(network.load(of: door).lost > 50)
        network.run(until: MonotonicTime(nanoseconds: 200_000_000_000))
        #expect(knockers.allSatisfy { $0.openedAt != nil || $0.failure == .unreachable })
        #expect(knockers.count { $0.openedAt != nil } > 50)
    }

    @Test func strangersTakeTheCapacityThatIsNotTheirs() throws {
        // Half of what the server can do with first flights, then twice as much.
        let half = DatagramFlood(rate: 500, end: MonotonicTime(nanoseconds: 10_000_000_000))
        let (network, door, knockers) = self.knock(1, queue: 10, flood: half)
        network.run(until: MonotonicTime(nanoseconds: 10_000_000_000))
        let load = network.load(of: door)
        #expect(knockers[0].openedAt != nil)
        #expect((4_500...5_500).contains(load.strangersServed + load.strangersLost))
        #expect(load.strangersLost < 10)
        network.flood(door, with: DatagramFlood(rate: 2_000, begin: network.now), seed: 3)
        network.run(until: MonotonicTime(nanoseconds: 20_000_000_000))
        let flooded = network.load(of: door)
        #expect((9_000...11_000).contains(flooded.strangersLost))
        #expect(flooded.busy - load.busy >= .milliseconds(9_900))
    }

    @Test func aFloodIsTheSameForTheSameSeed() {
        let loads = (0..<2).map { _ in
            let (network, door, _) = self.knock(50, queue: 20, flood: DatagramFlood(rate: 900))
            network.run(until: MonotonicTime(nanoseconds: 5_000_000_000))
            return network.load(of: door)
        }
        #expect(loads[0] == loads[1])
    }

    @Test func rulesAreLimited() {
        #expect(Self.capacity(queue: 0).queueLimit == 1)
        #expect(DatagramFlood(rate: -.infinity).rate == 0)
        #expect(DatagramFlood(rate: .nan).rate == 0)
        #expect(DatagramFlood(rate: .infinity).rate == 1e9)
    }
}
