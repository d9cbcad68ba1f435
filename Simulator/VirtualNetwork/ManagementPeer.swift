import ClientEngine
import CoAPMessages
public import LwM2MModel
public import ManagementEngine
public import Primitives

/// A management server on a virtual network.
public final class ManagementPeer: VirtualPeer {
    /// The server's engine.
    public private(set) var engine: ManagementEngine
    /// How commands ended, oldest first.
    public private(set) var results: [(id: CommandID, endpoint: UTF8Text, result: CommandResult)] = []
    /// What devices reported, oldest first.
    public private(set) var notifications: [(endpoint: UTF8Text, path: ObjectPath, answer: DeviceAnswer)] = []
    /// What the engine reported, oldest first.
    public private(set) var reports: [ManagementReport] = []
    /// The key of an identity.
    private let keys: (_ identity: [UInt8]) -> SecretBytes?
    private var lastCommand: UInt64 = 0

    /// Creates a server without registrations.
    ///
    /// - Parameters:
    ///   - configuration: its rules and bounds.
    ///   - seed: of its registrations' locations.
    ///   - keys: the key of an identity; nil refuses it.
    public init(
        configuration: ManagementConfiguration = ManagementConfiguration(),
        seed: UInt64,
        keys: @escaping (_ identity: [UInt8]) -> SecretBytes?
    ) {
        self.engine = ManagementEngine(configuration: configuration, registry: .standard, seed: seed)
        self.keys = keys
    }

    /// Gives a command; have the network attend to the peer afterwards.
    @discardableResult
    public func give(_ operation: DeviceOperation, to endpoint: UTF8Text, now: MonotonicTime) -> CommandID {
        self.lastCommand += 1
        let id = CommandID(rawValue: self.lastCommand)
        self.engine.handle(.commandGiven(id, endpoint: endpoint, operation), now: now)
        return id
    }

    /// How a command ended; nil while it has not.
    public func result(of id: CommandID) -> CommandResult? { self.results.last { $0.id == id }?.result }

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
            case .sendResponse(let exchange, let response): return .sendResponse(exchange, response)
            case .sendRequest(let request, let session, let message): return .sendRequest(request, session, message)
            case .cancelObservation(let request, let session): return .cancelObservation(request, session)
            case .closeSession(let session): return .closeSession(session)
            case .commandFinished(let id, let endpoint, let result): self.results.append((id, endpoint, result))
            case .notified(let endpoint, let path, let answer): self.notifications.append((endpoint, path, answer))
            case .report(let report): self.reports.append(report)
            case .store, .sent, .observationEnded: break
            }
        }
        return nil
    }
}
