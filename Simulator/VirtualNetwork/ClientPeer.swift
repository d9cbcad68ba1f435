public import ClientEngine
import CoAPMessages
public import LwM2MModel
public import Primitives

/// A device on a virtual network: a client engine whose store and embedder say yes to everything.
public final class ClientPeer: VirtualPeer {
    /// The device's engine.
    public private(set) var engine: ClientEngine
    /// What the engine reported, oldest first, and when.
    public private(set) var reports: [(report: ClientReport, time: MonotonicTime)] = []
    /// The configuration that was stored last; nil when none was.
    public private(set) var stored: StoredConfiguration?
    private let keepsReports: Bool
    private let reportReceiver: ((ClientReport, MonotonicTime) -> Void)?

    /// Creates a device that has not started.
    ///
    /// - Parameters:
    ///   - configuration: who it is and what it has.
    ///   - registry: the definitions it knows.
    ///   - seed: of its jitter.
    ///   - hashes: what its temporary bootstrap URIs are derived with; nil when it has none.
    ///   - keepsReports: false for long runs of many devices.
    ///   - reportReceiver: is told every report when it is made; it may take the peer off the network.
    public init(
        configuration: ClientConfiguration,
        registry: ObjectRegistry = .standard,
        seed: UInt64,
        hashes: HashFunctions? = nil,
        keepsReports: Bool = true,
        reportReceiver: ((ClientReport, MonotonicTime) -> Void)? = nil
    ) {
        self.engine = ClientEngine(configuration: configuration, registry: registry, seed: seed, hashes: hashes)
        self.keepsReports = keepsReports
        self.reportReceiver = reportReceiver
    }

    /// Gives the engine an event of its embedder; have the network attend to the peer afterwards.
    public func deliver(_ event: ClientEvent, now: MonotonicTime) { self.engine.handle(event, now: now) }

    /// Whether the engine reported something that the predicate knows.
    public func hasReported(_ predicate: (ClientReport) -> Bool) -> Bool {
        self.reports.contains { predicate($0.report) }
    }

    /// When the engine has something to do.
    public var nextDeadline: MonotonicTime? { self.engine.nextDeadline }

    /// Translates what happened for the engine.
    public func handle(_ event: PeerEvent, now: MonotonicTime) {
        switch event {
        case .started: self.engine.handle(.started, now: now)
        case .deadlineReached: self.engine.handle(.deadlineReached, now: now)
        case .sessionOpened(let session): self.engine.handle(.sessionOpened(session), now: now)
        case .sessionClosed(let session, let failure): self.engine.handle(.sessionClosed(session, failure), now: now)
        case .sessionAccepted: break
        case .requestReceived(let exchange, let session, let request, let token):
            self.engine.handle(.requestReceived(exchange, session, request, token: token), now: now)
        case .responseReceived(let request, let response):
            self.engine.handle(.responseReceived(request, response), now: now)
        case .requestFailed(let request, let failure): self.engine.handle(.requestFailed(request, failure), now: now)
        case .notificationAcknowledged(let notification):
            self.engine.handle(.notificationAcknowledged(notification), now: now)
        case .notificationFailed(let notification, let failure):
            self.engine.handle(.notificationFailed(notification, failure), now: now)
        }
    }

    /// The next output that concerns the network; the others are dealt with here.
    public func nextOutput(now: MonotonicTime) -> PeerOutput? {
        while let output = self.engine.nextOutput() {
            switch output {
            case .openSession(let session, let uri, let credentials): return .openSession(session, uri, credentials)
            case .closeSession(let session): return .closeSession(session)
            case .sendRequest(let request, let session, let message): return .sendRequest(request, session, message)
            case .sendResponse(let exchange, let response): return .sendResponse(exchange, response)
            case .sendNotification(let notification, let session, let token, let response, let isConfirmable):
                return .sendNotification(notification, session, token, response, isConfirmable: isConfirmable)
            case .store(let storage, let configuration):
                self.stored = configuration
                self.engine.handle(.stored(storage), now: now)
            case .execute(let exchange, _, _): self.engine.handle(.executed(exchange, .changed), now: now)
            case .decideWrite(let exchange, _): self.engine.handle(.writeDecided(exchange, .changed), now: now)
            case .forgetName(let name): return .forgetName(name)
            case .report(let report):
                if self.keepsReports { self.reports.append((report, now)) }
                self.reportReceiver?(report, now)
            }
        }
        return nil
    }
}
