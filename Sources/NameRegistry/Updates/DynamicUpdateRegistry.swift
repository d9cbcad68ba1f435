public import BalancerEngine
public import CoAPTransport

/// A zone of a DNS server that takes signed dynamic updates.
///
/// Messages go over TCP, signed with hmac-sha256, one at a time, on a thread of their own; every answer is verified.
/// A batch is one message of at most 65,535 bytes. It is sent when its names need at most 64,000 bytes: for each that is
/// assigned three times its length and 12, and its address; for each that is removed its length and 12. One that needs
/// more fails with ``RegistryFailure/refused(_:)`` and code 1 (FORMERR).
///
/// - Source: RFC 2136 (updates), RFC 8945 (signatures), RFC 5936 (zone transfer).
public final class DynamicUpdateRegistry: NameRegistry {
    /// The most requests that wait for the server at a time; further ones fail with ``RegistryFailure/local``.
    public static let maximumWaiting = 64

    private let inbox: LoopInbox<RegistryReply>
    private let worker: RegistryWorker
    private var waiting: [UInt64: (RegistryAnswer) -> Void] = [:]
    private var lastNumber: UInt64 = 0

    /// What was exchanged with the server so far.
    public private(set) var counters = Counters()

    /// Creates a registry and its thread; nothing is sent yet.
    ///
    /// - Throws: ``RegistrySetupError/invalidZone``, ``RegistrySetupError/invalidKeyName``,
    ///   ``RegistrySetupError/invalidKey`` or ``RegistrySetupError/outOfResources``.
    public init(configuration: Configuration, loop: EventLoop) throws(RegistrySetupError) {
        let zone = try SignedZone(configuration)
        guard let inbox = LoopInbox<RegistryReply>(loop: loop) else { throw .outOfResources }
        self.inbox = inbox
        self.worker = try RegistryWorker(zone: zone) { inbox.post($0) }
        inbox.take = { [unowned self] replies in
            for reply in replies { self.complete(reply) }
        }
    }

    deinit {
        // The thread is gone when this returns: nothing is posted to an inbox that is closed.
        self.worker.stop()
    }

    /// Does a batch in one message.
    public func apply(_ update: NameUpdate, completion: @escaping (Result<Void, RegistryFailure>) -> Void) {
        self.ask(.apply(update)) { answer in
            completion(
                answer.flatMap { value in
                    if case .applied = value { return .success(()) }
                    return .failure(.malformedAnswer)
                }
            )
        }
    }

    /// Reads the epoch of the zone; nil when it has none.
    public func readEpoch(completion: @escaping (Result<RegistryEpoch?, RegistryFailure>) -> Void) {
        self.ask(.readEpoch) { answer in
            completion(
                answer.flatMap { value in
                    if case .epoch(let epoch) = value { return .success(epoch) }
                    return .failure(.malformedAnswer)
                }
            )
        }
    }

    /// Reads every name that the zone assigns, but those of its own apex and name servers.
    ///
    /// It may take twelve times as long as the time limit of one message. A zone with more names than configured, or
    /// more than a gibibyte long, fails with ``RegistryFailure/local``.
    public func readNames(completion: @escaping (Result<[NameRecord], RegistryFailure>) -> Void) {
        self.ask(.readNames) { answer in
            completion(
                answer.flatMap { value in
                    if case .names(let names) = value { return .success(names) }
                    return .failure(.malformedAnswer)
                }
            )
        }
    }

    private func ask(_ request: RegistryRequest, _ completion: @escaping (RegistryAnswer) -> Void) {
        self.lastNumber += 1
        let isTooMany = self.waiting.count >= DynamicUpdateRegistry.maximumWaiting
        self.waiting[self.lastNumber] = completion
        if isTooMany {
            self.inbox.post(RegistryReply(number: self.lastNumber, answer: .failure(.local)))
        } else {
            self.worker.ask(request, number: self.lastNumber)
        }
    }

    private func complete(_ reply: RegistryReply) {
        self.counters.messagesSent += reply.traffic.messagesSent
        self.counters.bytesSent += reply.traffic.bytesSent
        self.counters.bytesReceived += reply.traffic.bytesReceived
        self.waiting.removeValue(forKey: reply.number)?(reply.answer)
    }
}
