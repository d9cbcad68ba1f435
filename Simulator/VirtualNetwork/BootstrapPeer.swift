public import BootstrapEngine
import ClientEngine
import CoAPMessages
public import Primitives

/// A bootstrap server on a virtual network.
public final class BootstrapPeer: VirtualPeer {
    /// The server's engine.
    public private(set) var engine: BootstrapEngine
    /// What the engine reported, oldest first.
    public private(set) var reports: [BootstrapReport] = []
    /// Chosen at every Bootstrap-Request; nil refuses the device.
    private let plans: (_ endpoint: UTF8Text) -> BootstrapPlan?
    private let keys: (_ identity: [UInt8]) -> SecretBytes?
    /// Told what the balancer of the server would be told.
    public var onProgress: (ProcedureID, BootstrapProgress, _ endpoint: UTF8Text, _ host: UTF8Text) -> Void = {
        _,
        _,
        _,
        _ in
    }
    /// Whether the balancer keeps a host for an endpoint; asked when the engine's host rule lets it.
    public var pins: (_ endpoint: UTF8Text, _ host: UTF8Text) -> Bool = { _, _ in false }
    private let keepsReports: Bool

    /// Creates a server.
    ///
    /// - Parameters:
    ///   - configuration: its rules and bounds.
    ///   - keys: the key of an identity; nil refuses it.
    ///   - plans: what an endpoint is told; nil refuses it.
    ///   - keepsReports: false for long runs of many devices.
    public init(
        configuration: BootstrapConfiguration = BootstrapConfiguration(),
        keepsReports: Bool = true,
        keys: @escaping (_ identity: [UInt8]) -> SecretBytes?,
        plans: @escaping (_ endpoint: UTF8Text) -> BootstrapPlan?
    ) {
        self.engine = BootstrapEngine(configuration: configuration)
        self.keys = keys
        self.plans = plans
        self.keepsReports = keepsReports
    }

    /// Gives the engine an event of its embedder; have the network attend to the peer afterwards.
    public func deliver(_ event: BootstrapEvent, now: MonotonicTime) { self.engine.handle(event, now: now) }

    /// The key of an identity.
    public func key(of identity: [UInt8]) -> SecretBytes? { self.keys(identity) }

    /// When the engine has something to do.
    public var nextDeadline: MonotonicTime? { self.engine.nextDeadline }

    /// Translates what happened for the engine.
    public func handle(_ event: PeerEvent, now: MonotonicTime) {
        if let event = event.serverEvent {
            self.engine.handle(.network(event), now: now)
        } else if case .deadlineReached = event {
            self.engine.handle(.deadlineReached, now: now)
        }
    }

    /// The next output that concerns the network; the others are dealt with here.
    public func nextOutput(now: MonotonicTime) -> PeerOutput? {
        while let output = self.engine.nextOutput() {
            switch output {
            case .findSecret(let procedure, let endpoint, let identity):
                self.engine.handle(.secretFound(procedure, self.keys(identity ?? endpoint.bytes)), now: now)
            case .askPin(let procedure, let endpoint, let host):
                self.engine.handle(.pinAnswered(procedure, isPinned: self.pins(endpoint, host)), now: now)
            case .choosePlan(let procedure, let endpoint, _):
                self.engine.handle(.planChosen(procedure, self.plans(endpoint)), now: now)
            case .sendResponse(let exchange, let response): return .sendResponse(exchange, response)
            case .sendRequest(let request, let session, let message): return .sendRequest(request, session, message)
            case .notify(let procedure, let progress, let endpoint, let host):
                self.onProgress(procedure, progress, endpoint, host)
            case .report(let report):
                if self.keepsReports { self.reports.append(report) }
            }
        }
        return nil
    }
}
