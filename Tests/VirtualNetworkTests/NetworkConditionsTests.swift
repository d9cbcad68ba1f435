import ClientEngine
import CoAPMessages
import Primitives
import Testing
import VirtualNetwork

/// Opens one session, sends one request a second, and counts what comes back.
private final class Caller: VirtualPeer {
    private var outputs: [PeerOutput] = []
    private var next: UInt32 = 0
    private let interval: Duration
    private let credentials: SessionCredentials
    private(set) var nextDeadline: MonotonicTime?
    private(set) var answers: [UInt32] = []
    private(set) var failures: [UInt32: RequestFailure] = [:]
    private(set) var closed: SessionFailure?
    var sent: UInt32 { self.next }

    init(every interval: Duration = .seconds(1), credentials: SessionCredentials = .none) {
        self.interval = interval
        self.credentials = credentials
    }

    func handle(_ event: PeerEvent, now: MonotonicTime) {
        switch event {
        case .started:
            let uri = CoAPURI(scheme: .coap, host: "server", port: 1)
            self.outputs.append(.openSession(SessionID(rawValue: 7), uri, self.credentials))
        case .sessionOpened, .deadlineReached:
            self.next += 1
            let request = CoAPRequest(.post, path: ["count"])
            self.outputs.append(.sendRequest(RequestID(rawValue: self.next), SessionID(rawValue: 7), request))
            self.nextDeadline = now.advanced(by: self.interval)
        case .responseReceived(let request, _): self.answers.append(request.rawValue)
        case .requestFailed(let request, let failure): self.failures[request.rawValue] = failure
        case .sessionClosed(_, let failure):
            self.closed = failure
            self.nextDeadline = nil
        default: break
        }
    }

    func nextOutput(now: MonotonicTime) -> PeerOutput? { self.outputs.isEmpty ? nil : self.outputs.removeFirst() }
}

/// Counts requests and answers each, at once or later.
private final class Counter: VirtualPeer {
    private var outputs: [PeerOutput] = []
    private var waiting: [ExchangeID] = []
    private let pause: Duration?
    private(set) var nextDeadline: MonotonicTime?
    private(set) var count = 0

    init(answersAfter pause: Duration? = nil) {
        self.pause = pause
    }

    func handle(_ event: PeerEvent, now: MonotonicTime) {
        switch event {
        case .requestReceived(let exchange, _, _, _):
            self.count += 1
            if let pause = self.pause {
                self.waiting.append(exchange)
                self.nextDeadline = now.advanced(by: pause)
            } else {
                self.outputs.append(.sendResponse(exchange, CoAPResponse(.changed)))
            }
        case .deadlineReached:
            for exchange in self.waiting { self.outputs.append(.sendResponse(exchange, CoAPResponse(.changed))) }
            self.waiting = []
            self.nextDeadline = nil
        default: break
        }
    }

    func nextOutput(now: MonotonicTime) -> PeerOutput? { self.outputs.isEmpty ? nil : self.outputs.removeFirst() }
    func key(of identity: [UInt8]) -> SecretBytes? { identity == [1] ? SecretBytes([2]) : nil }
}

@Suite struct NetworkConditionsTests {
    private static let hour = MonotonicTime(nanoseconds: 3_600_000_000_000)

    private func meet(
        _ conditions: NetworkConditions,
        seed: UInt64 = 3,
        caller: Caller = Caller(),
        counter: Counter = Counter()
    ) -> (network: VirtualNetwork, caller: Caller, counter: Counter) {
        let network = VirtualNetwork(conditions: conditions, seed: seed)
        network.add(counter, listeningAt: "server:1")
        network.start(network.add(caller))
        return (network, caller, counter)
    }

    @Test func aPerfectNetworkAnswersEveryRequestOnce() {
        let (network, caller, counter) = self.meet(NetworkConditions())
        #expect(network.run(until: Self.hour))
        #expect(network.now == Self.hour)
        #expect(caller.failures.isEmpty)
        #expect(caller.answers == Array(1...UInt32(caller.answers.count)))
        #expect(counter.count == Int(caller.sent))
        #expect(network.datagramsSent == network.datagramsArrived)
    }

    @Test func lostMessagesAreSentAgainAndServedOnce() {
        let bad = NetworkConditions(loss: 0.3, duplication: 0.2, delay: .milliseconds(1)...(.seconds(3)))
        let (network, caller, counter) = self.meet(bad)
        #expect(network.run(until: Self.hour))
        // A request that arrived many times was handed over once.
        #expect(counter.count <= Int(caller.sent))
        #expect(Set(caller.answers).count == caller.answers.count)
        #expect(caller.answers.count > Int(caller.sent) * 8 / 10)
        #expect(caller.answers != caller.answers.sorted(), "nothing was overtaken")
        #expect(network.datagramsSent > Int(caller.sent) * 2)
    }

    @Test func whatNeverArrivesTimesOut() {
        let (network, caller, _) = self.meet(NetworkConditions())
        network.run(until: MonotonicTime(nanoseconds: 10_000_000_000))
        network.conditions.loss = 1
        let sent = caller.sent
        network.run(until: MonotonicTime(nanoseconds: 200_000_000_000))
        #expect(caller.failures[sent + 1] == .timedOut)
        #expect(caller.failures[sent] == nil)
    }

    @Test func aHandshakeThatNobodyAnswersEnds() {
        let (network, caller, _) = self.meet(NetworkConditions(loss: 1))
        network.run(until: Self.hour)
        #expect(caller.closed == .unreachable)
        #expect(caller.sent == 0)
    }

    @Test(arguments: [([1], [2], nil), ([1], [3], SessionFailure.handshakeRefused), ([4], [2], .handshakeRefused)])
    func keysDecide(_ identity: [UInt8], key: [UInt8], failure: SessionFailure?) {
        let caller = Caller(credentials: .preSharedKey(identity: identity, key: SecretBytes(key)))
        let (network, _, _) = self.meet(NetworkConditions(), caller: caller)
        network.run(until: MonotonicTime(nanoseconds: 5_000_000_000))
        #expect(caller.closed == failure)
        #expect(caller.answers.isEmpty == (failure != nil))
    }

    @Test func lateAnswersTravelByThemselves() {
        let caller = Caller(every: .seconds(60))
        let counter = Counter(answersAfter: .seconds(20))
        let bad = NetworkConditions(loss: 0.2, delay: .milliseconds(1)...(.seconds(1)))
        let (network, _, _) = self.meet(bad, caller: caller, counter: counter)
        network.run(until: Self.hour)
        #expect(caller.answers.count >= 55)
        #expect(counter.count <= Int(caller.sent))
    }

    @Test func aLimitEndsARunThatDoesNotEnd() {
        let (network, _, _) = self.meet(NetworkConditions(), caller: Caller(every: .zero))
        #expect(!network.run(until: Self.hour, limit: 10_000))
    }
}
