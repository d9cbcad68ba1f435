public import BalancerEngine
public import CoAPTransport
internal import Primitives

/// An authoritative DNS server for one zone inside this process: the registry of a quick start.
///
/// It answers by UDP and TCP from the loop's thread. It holds what it was told until it goes; nothing is on disk, so
/// whoever writes it publishes everything anew after a restart. It publishes, beside the names: the zone's SOA and NS
/// records, the address of `ns.ZONE` and the epoch's text at `_epoch.ZONE`.
public final class EmbeddedResponder: NameRegistry {
    private let datagrams: DatagramService
    private let streams: StreamService
    private let loop: EventLoop
    private let inbox: LoopInbox<Bool>
    private var answerer: QuestionAnswerer
    private var limit: SourceLimit?
    private var completions: [() -> Void] = []

    /// Where it listens, with the port it got.
    public let address: SocketAddress

    /// Opens the sockets.
    ///
    /// - Throws: ``RegistrySetupError/invalidZone``, ``RegistrySetupError/addressInUse``,
    ///   ``RegistrySetupError/addressNotAvailable`` or ``RegistrySetupError/outOfResources``.
    public init(configuration: Configuration, loop: EventLoop) throws(RegistrySetupError) {
        guard let name = DomainName(configuration.zone), name.prefixed(by: "_epoch") != nil else { throw .invalidZone }
        guard let inbox = LoopInbox<Bool>(loop: loop) else { throw .outOfResources }
        (self.datagrams, self.streams) = try EmbeddedResponder.listen(configuration, loop)
        self.address = self.datagrams.address
        self.inbox = inbox
        self.loop = loop
        self.limit = configuration.answersPerSourceAndSecond.map { SourceLimit(perSecond: $0) }
        self.answerer = QuestionAnswerer(
            zone: PublishedZone(name: name, maximumNames: configuration.maximumNames),
            negativeTimeToLive: configuration.negativeTimeToLive,
            nameServerAddress: IPAddress(self.datagrams.address.addressBytes)
        )
        inbox.take = { [unowned self] _ in self.complete() }
        self.datagrams.answer = { [unowned self] in self.answer($0, from: $1) }
        self.streams.answer = { [unowned self] in self.answerer.answer($0, byTCP: true) }
        self.streams.onClose = { [unowned self] in self.answerer.counters.connectionsClosed += 1 }
    }

    /// What was asked so far.
    public var counters: Counters { self.answerer.counters }

    /// How many names are published.
    public var nameCount: Int { self.answerer.zone.count }

    /// How many TCP connections are open.
    public var connectionCount: Int { self.streams.connectionCount }

    /// Does a batch; it is seen by every question that comes afterwards.
    public func apply(_ update: NameUpdate, completion: @escaping (Result<Void, RegistryFailure>) -> Void) {
        let result: Result<Void, RegistryFailure>
        do throws(RegistryFailure) {
            try self.answerer.zone.apply(update)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        self.afterwards { completion(result) }
    }

    /// Reads the epoch of the zone; nil when it has none.
    public func readEpoch(completion: @escaping (Result<RegistryEpoch?, RegistryFailure>) -> Void) {
        let epoch = self.answerer.zone.epoch
        self.afterwards { completion(.success(epoch)) }
    }

    /// Reads every name that the zone assigns.
    public func readNames(completion: @escaping (Result<[NameRecord], RegistryFailure>) -> Void) {
        let names = self.answerer.zone.records
        self.afterwards { completion(.success(names)) }
    }

    /// Calls a completion in the next turn, as every registry does.
    private func afterwards(_ completion: @escaping () -> Void) {
        self.completions.append(completion)
        self.inbox.post(true)
    }

    private func complete() {
        let completions = self.completions
        self.completions = []
        for completion in completions { completion() }
    }

    private func answer(_ message: [UInt8], from source: SystemAddress) -> [UInt8]? {
        if self.limit != nil, let address = source.address {
            let number = address.addressBytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
            guard self.limit?.admit(number, now: self.loop.now) == true else {
                self.answerer.counters.limited += 1
                // Whoever uses a false source gets little sent there; a true one can still come.
                return self.answerer.counters.limited % 2 == 0 ? self.answerer.deferral(of: message) : nil
            }
        }
        return self.answerer.answer(message, byTCP: false)
    }

    /// Opens both sockets on one port; a port that the system chose may be taken for TCP, then it chooses again.
    private static func listen(
        _ configuration: Configuration,
        _ loop: EventLoop
    ) throws(RegistrySetupError) -> (DatagramService, StreamService) {
        var attempts = configuration.address.port == 0 ? 16 : 1
        while true {
            attempts -= 1
            let datagrams = try DatagramService(address: configuration.address, loop: loop)
            do throws(RegistrySetupError) {
                let streams = try StreamService(
                    address: datagrams.address,
                    maximumConnections: configuration.maximumConnections,
                    timeout: configuration.connectionTimeout,
                    loop: loop
                )
                return (datagrams, streams)
            } catch {
                guard error == .addressInUse, attempts > 0 else { throw error }
            }
        }
    }
}
