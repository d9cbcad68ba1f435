public import BalancerEngine
import ClientEngine
import CoAPMessages
public import Primitives

/// How long a registry and the way to it take.
public struct RegistryPace: Hashable, Sendable {
    /// The time of a batch without records.
    public var batch: Duration
    /// The time of each name in it.
    public var record: Duration

    /// Creates a pace; by default that of a name server on the same machine.
    public init(batch: Duration = .microseconds(500), record: Duration = .microseconds(11)) {
        self.batch = batch
        self.record = record
    }
}

/// A balancer on a virtual network, whose store says yes to everything and whose registry is the network's ``VirtualNames``.
///
/// Instances speak to it without a session: what they say arrives after a while, in the order in which it was said.
public final class BalancerPeer: VirtualPeer {
    /// The balancer's engine.
    public private(set) var engine: BalancerEngine
    /// What the engine reported, oldest first.
    public private(set) var reports: [BalancerReport] = []
    private unowned let network: VirtualNetwork
    private let pace: RegistryPace
    /// What is on its way to the engine, the next first.
    private var arriving = TimedQueue<BalancerEvent>()
    private var updates: [UpdateID: NameUpdate] = [:]
    private var notices: [BootstrapNotification] = []
    private var lastExchange: UInt64 = 0

    /// How long an instance collects what it has to tell.
    private static let collecting: Duration = .milliseconds(100)
    /// The most that it tells at once.
    private static let noticesAtOnce = 100

    /// Creates a balancer that was told nothing yet.
    ///
    /// - Parameters:
    ///   - configuration: its rules and bounds.
    ///   - derivation: where the names come from.
    ///   - network: whose names it writes; it keeps the peer, not the other way round.
    ///   - pace: how long the registry takes.
    /// - Throws: when the rules do not go together.
    public init(
        configuration: BalancerConfiguration,
        derivation: NameDerivation,
        network: VirtualNetwork,
        pace: RegistryPace = RegistryPace()
    ) throws(BalancerConfiguration.Problem) {
        self.engine = try BalancerEngine(configuration: configuration, derivation: derivation)
        self.network = network
        self.pace = pace
    }

    /// Gives the engine an event; have the network attend to the peer afterwards.
    public func deliver(_ event: BalancerEvent, now: MonotonicTime) { self.engine.handle(event, now: now) }

    /// An instance has something to tell; have the network attend to the peer afterwards.
    public func notify(_ notice: BootstrapNotification, now: MonotonicTime) {
        self.notices.append(notice)
        if self.notices.count == Self.noticesAtOnce {
            self.sendNotices(now: now)
        } else if self.notices.count == 1 {
            self.noticesDue = now.advanced(by: Self.collecting)
        }
    }

    private var noticesDue: MonotonicTime?

    private func sendNotices(now: MonotonicTime) {
        self.lastExchange += 1
        let exchange = ExchangeID(rawValue: self.lastExchange)
        let trip = self.network.conditions.delay.lowerBound
        self.arriving.add(.bootstrapNotified(exchange, self.notices), at: now.advanced(by: trip))
        self.notices = []
        self.noticesDue = nil
    }

    /// When the engine has something to do, or something reaches it.
    public var nextDeadline: MonotonicTime? {
        [self.engine.nextDeadline, self.arriving.earliest, self.noticesDue].compactMap { $0 }.min()
    }

    /// Hears the clock.
    public func handle(_ event: PeerEvent, now: MonotonicTime) {
        guard case .deadlineReached = event else { return }
        if let due = self.noticesDue, due <= now { self.sendNotices(now: now) }
        while let event = self.arriving.popReached(now: now) {
            if case .updateApplied(let id) = event {
                self.engine.handle(self.applied(id), now: now)
            } else {
                self.engine.handle(event, now: now)
            }
        }
        if let deadline = self.engine.nextDeadline, deadline <= now { self.engine.handle(.deadlineReached, now: now) }
    }

    /// Deals with the engine's outputs; none concerns a session.
    public func nextOutput(now: MonotonicTime) -> PeerOutput? {
        while let output = self.engine.nextOutput() {
            switch output {
            case .store(let storage, _): self.engine.handle(.stored(storage), now: now)
            case .update(let id, let update):
                self.updates[id] = update
                let records = update.assigned.count + update.removed.count
                let time = self.pace.batch + self.pace.record * records
                self.arriving.add(.updateApplied(id), at: now.advanced(by: time))
            case .readEpoch:
                self.arriving.add(.epochRead(.success(self.network.names.epoch)), at: now.advanced(by: self.pace.batch))
            case .readNames:
                let records = self.network.names.records
                let time = self.pace.batch + self.pace.record * records.count
                self.arriving.add(.namesRead(.success(records)), at: now.advanced(by: time))
            case .startInstance: self.engine.handle(.instanceStartFailed, now: now)
            case .stopInstance, .acknowledge, .answerPin, .answerHold: break
            case .report(let report): self.reports.append(report)
            }
        }
        return nil
    }

    private func applied(_ id: UpdateID) -> BalancerEvent {
        guard let update = self.updates.removeValue(forKey: id) else { return .updateFailed(id, .unreachable) }
        do {
            try self.network.names.apply(update)
            return .updateApplied(id)
        } catch {
            return .updateFailed(id, error)
        }
    }
}
