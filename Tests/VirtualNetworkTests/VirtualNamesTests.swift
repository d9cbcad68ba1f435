import BalancerEngine
import ClientEngine
import CoAPMessages
import Primitives
import Testing
import VirtualNetwork

/// Opens a session with a host whenever it is told to, and says what became of it.
private final class Visitor: VirtualPeer {
    private var outputs: [PeerOutput] = []
    private(set) var opened = 0
    private(set) var failures: [SessionFailure] = []
    let nextDeadline: MonotonicTime? = nil

    func visit(_ host: UTF8Text, forgetting: Bool = false) {
        if forgetting { self.outputs.append(.forgetName(host)) }
        let uri = CoAPURI(scheme: .coap, host: host)
        self.outputs.append(.openSession(SessionID(rawValue: UInt32(self.opened + self.failures.count)), uri, .none))
    }

    func handle(_ event: PeerEvent, now: MonotonicTime) {
        switch event {
        case .sessionOpened(let session):
            self.opened += 1
            self.outputs.append(.closeSession(session))
        case .sessionClosed(_, let failure): self.failures.append(failure)
        default: break
        }
    }

    func nextOutput(now: MonotonicTime) -> PeerOutput? { self.outputs.isEmpty ? nil : self.outputs.removeFirst() }
}

/// Counts the sessions that others open.
private final class Host: VirtualPeer {
    private(set) var sessions = 0
    let nextDeadline: MonotonicTime? = nil

    func handle(_ event: PeerEvent, now: MonotonicTime) {
        if case .sessionAccepted = event { self.sessions += 1 }
    }

    func nextOutput(now: MonotonicTime) -> PeerOutput? { nil }
}

@Suite struct VirtualNamesTests {
    private let network = VirtualNetwork(seed: 1)
    private let visitor = Visitor()
    private let hosts = [Host(), Host()]
    private let addresses: [IPAddress]
    private let number: Int

    init() throws {
        self.addresses = try [1, 2].map { try #require(IPAddress([192, 0, 2, $0])) }
        self.number = self.network.add(self.visitor)
        for (host, address) in zip(self.hosts, self.addresses) {
            self.network.listen(self.network.add(host), at: address)
        }
    }

    private func visit(_ name: UTF8Text, forgetting: Bool = false) {
        self.visitor.visit(name, forgetting: forgetting)
        self.network.attend(to: self.number)
        self.network.run(until: self.network.now.advanced(by: .seconds(1)))
    }

    private func update(_ assigned: [(UTF8Text, IPAddress)], removed: [UTF8Text] = [], from: UInt64?) -> NameUpdate {
        NameUpdate(
            expected: from.map { RegistryEpoch(writer: "a", number: $0) },
            epoch: RegistryEpoch(writer: "a", number: (from ?? 0) + 1),
            assigned: assigned.map { NameRecord(name: $0.0, address: $0.1) },
            removed: removed,
            timeToLive: 60
        )
    }

    @Test("RFC 2136 §3: a batch is done whole, and only upon the epoch that it expects")
    func batchesFollowEachOther() throws {
        try self.network.names.apply(self.update([("a.test", self.addresses[0])], from: nil))
        #expect(throws: RegistryFailure.epochMismatch) {
            try self.network.names.apply(self.update([("b.test", self.addresses[0])], from: nil))
        }
        #expect(self.network.names.count == 1)
        try self.network.names.apply(self.update([("b.test", self.addresses[1])], removed: ["a.test"], from: 1))
        #expect(self.network.names.records == [NameRecord(name: "b.test", address: self.addresses[1])])
        #expect(self.network.names.updates == 2)
        #expect(self.network.names.changes == 3)
    }

    @Test func anAnswerIsKeptAsLongAsItMayBe() {
        self.network.names.assign("x.test", to: self.addresses[0], timeToLive: 30)
        self.visit("x.test")
        self.network.names.assign("x.test", to: self.addresses[1], timeToLive: 30)
        self.visit("x.test")
        #expect(self.hosts.map(\.sessions) == [2, 0])
        self.network.run(until: self.network.now.advanced(by: .seconds(30)))
        self.visit("x.test")
        #expect(self.hosts.map(\.sessions) == [2, 1])
        #expect(self.network.names.found == 2)
    }

    @Test func aForgottenNameIsAskedForAgain() {
        self.network.names.assign("x.test", to: self.addresses[0], timeToLive: 3_600)
        self.visit("x.test")
        self.network.names.assign("x.test", to: self.addresses[1], timeToLive: 3_600)
        self.visit("x.test", forgetting: true)
        #expect(self.hosts.map(\.sessions) == [1, 1])
    }

    @Test func aMissingNameIsReportedAndTheAnswerKeptForAWhile() {
        self.visit("x.test")
        #expect(self.visitor.failures == [.nameNotFound])
        self.network.names.assign("x.test", to: self.addresses[0], timeToLive: 30)
        self.visit("x.test")
        #expect(self.visitor.failures == [.nameNotFound, .nameNotFound])
        #expect(self.network.names.notFound == 1)
        self.network.run(until: self.network.now.advanced(by: .seconds(5)))
        self.visit("x.test")
        #expect(self.visitor.opened == 1)
    }

    @Test func anAddressWhereNobodyListensIsUnreachable() throws {
        self.network.names.assign("x.test", to: try #require(IPAddress([192, 0, 2, 9])), timeToLive: 30)
        self.visit("x.test")
        #expect(self.visitor.failures == [.unreachable])
    }

    @Test func aPeerThatWasTakenOffTheNetworkHearsNothing() {
        self.network.names.assign("x.test", to: self.addresses[0], timeToLive: 30)
        self.visitor.visit("x.test")
        self.network.attend(to: self.number)
        self.network.remove(self.number)
        #expect(self.network.run(until: MonotonicTime(nanoseconds: 3_600_000_000_000)))
        #expect(self.visitor.opened == 0)
        #expect(self.visitor.failures.isEmpty)
    }
}
