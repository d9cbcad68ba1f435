import ClientEngine
import CoAPMessages
import CryptographicHashes
import LwM2MCodecs
import LwM2MModel
import Primitives

/// Tells an engine what happens, one event at a time, and keeps what it asks for apart by kind.
struct EngineDriver {
    var engine: ClientEngine
    var now: MonotonicTime = .zero
    /// Whether configurations are stored at once, as by a driver without a store.
    var storesAtOnce = true
    private(set) var reports: [ClientReport] = []
    private var exchanges: UInt64 = 0

    init(
        _ configuration: ClientConfiguration,
        registry: ObjectRegistry = .standard,
        seed: UInt64 = 1,
        random: RandomSource? = nil
    ) {
        self.engine = ClientEngine(
            configuration: configuration,
            registry: registry,
            seed: seed,
            hashes: .libCrypto,
            random: random
        )
    }

    /// Handles an event and returns everything asked for but reports, which are kept.
    @discardableResult
    mutating func handle(_ event: ClientEvent) -> [ClientOutput] {
        self.engine.handle(event, now: self.now)
        return self.drain()
    }

    mutating func drain() -> [ClientOutput] {
        var outputs: [ClientOutput] = []
        while let output = self.engine.nextOutput() {
            switch output {
            case .report(let report): self.reports.append(report)
            case .store(let storage, _) where self.storesAtOnce:
                outputs.append(output)
                self.engine.handle(.stored(storage), now: self.now)
            default: outputs.append(output)
            }
        }
        return outputs
    }

    mutating func takeReports() -> [ClientReport] {
        defer { self.reports = [] }
        return self.reports
    }

    /// Moves the clock on and tells the engine.
    @discardableResult
    mutating func advance(_ duration: Duration) -> [ClientOutput] {
        self.now = self.now.advanced(by: duration)
        return self.handle(.deadlineReached)
    }

    /// Moves the clock to the engine's next deadline and tells it; nothing when there is none.
    @discardableResult
    mutating func jump() -> [ClientOutput] {
        guard let deadline = self.engine.nextDeadline else { return [] }
        self.now = max(self.now, deadline)
        return self.handle(.deadlineReached)
    }

    /// Sends a request of a server and returns everything that follows.
    mutating func request(
        _ request: CoAPRequest,
        session: SessionID,
        token: [UInt8] = [1]
    ) -> (exchange: ExchangeID, outputs: [ClientOutput]) {
        self.exchanges += 1
        let exchange = ExchangeID(rawValue: self.exchanges)
        let token = CoAPToken(token) ?? CoAPToken([])
        guard let token else { return (exchange, []) }
        return (exchange, self.handle(.requestReceived(exchange, session, request, token: token)))
    }

    /// Sends a request of a server and returns the answer; nil when there is none yet.
    mutating func answer(_ request: CoAPRequest, session: SessionID, token: [UInt8] = [1]) -> CoAPResponse? {
        let (exchange, outputs) = self.request(request, session: session, token: token)
        for case .sendResponse(exchange, let response) in outputs { return response }
        return nil
    }
}

extension [ClientOutput] {
    /// The session that is to be opened.
    var openedSession: SessionID? {
        for case .openSession(let session, _, _) in self { return session }
        return nil
    }

    /// The last request that is to be sent.
    var sentRequest: (id: RequestID, session: SessionID, request: CoAPRequest)? {
        for case .sendRequest(let id, let session, let request) in self.reversed() { return (id, session, request) }
        return nil
    }

    /// The notifications that are to be sent.
    var notifications: [(id: NotificationID, token: CoAPToken, response: CoAPResponse, isConfirmable: Bool)] {
        self.compactMap {
            if case .sendNotification(let id, _, let token, let response, let isConfirmable) = $0 {
                (id, token, response, isConfirmable)
            } else {
                nil
            }
        }
    }
}

/// The device that most tests use, and requests to it.
enum Sample {
    static let key = SecretBytes([1, 2, 3, 4])

    static let device = HostedObject(
        Objects.device,
        instances: [
            HostedInstance(
                0,
                ResourceValues([0: .string("Acme"), 1: .string("Kettle"), 9: .integer(80), 16: .string("U")])
                    .adding(resource: 6, instances: [0: .integer(1), 2: .integer(5)])
                    .adding(resource: 11, instances: [0: .integer(0)])
            )
        ]
    )

    static let temperature = HostedObject(
        Objects.temperature,
        instances: [HostedInstance(0, [5700: .float(21.5), 5701: .string("Cel")])]
    )

    /// An object that servers may create and delete instances of.
    static let note = HostedObject(
        ObjectDefinition(
            30_000,
            "Note",
            isMultiple: true,
            resources: [
                ResourceDefinition(0, "Text", .readWrite, .string, isMandatory: true, range: .lengths(0...8)),
                ResourceDefinition(1, "Level", .readWrite, .integer, range: .numbers(0...100)),
                ResourceDefinition(2, "Tags", .readWrite, .string, isMultiple: true),
                ResourceDefinition(3, "Serial", .read, .integer),
                ResourceDefinition(4, "Print", .execute, .none, isMandatory: true),
                ResourceDefinition(5, "Secret", .write, .opaque),
            ]
        ),
        instances: [HostedInstance(0, [0: .string("tea"), 1: .integer(7), 3: .integer(99)])],
        allowsCreateDelete: true
    )

    static func account(_ id: UInt16 = 101, instance: UInt16 = 1) -> SecurityAccount {
        SecurityAccount(
            instance: instance,
            serverURI: "coaps://server.example",
            mode: .preSharedKey,
            identity: [0x61],
            key: Self.key,
            shortServerID: id
        )
    }

    static func bootstrapAccount(holdOff: UInt32 = 0) -> SecurityAccount {
        SecurityAccount(
            instance: 0,
            serverURI: "coaps://bootstrap.example",
            isBootstrap: true,
            mode: .preSharedKey,
            identity: [0x62],
            key: Self.key,
            holdOff: holdOff
        )
    }

    static func server(_ id: UInt16 = 101, instance: UInt16 = 0, lifetime: UInt32 = 300) -> ServerAccount {
        ServerAccount(instance: instance, shortServerID: id, lifetime: lifetime)
    }

    static var objects: [HostedObject] { [Self.device, Self.temperature, Self.note] }

    static var configuration: ClientConfiguration {
        ClientConfiguration(
            endpoint: "urn:dev:1",
            security: [Self.account()],
            servers: [Self.server()],
            objects: Self.objects
        )
    }

    static func created(_ location: [UTF8Text] = ["rd", "a"]) -> CoAPResponse {
        var response = CoAPResponse(.created)
        for segment in location { response.options.append(.locationPath, segment.bytes) }
        return response
    }

    static func request(
        _ method: CoAPCode,
        _ path: ObjectPath,
        query: [UTF8Text] = [],
        format: ContentFormat? = nil,
        accept: ContentFormat? = nil,
        payload: [UInt8] = []
    ) -> CoAPRequest {
        CoAPRequest(
            method,
            path: path.segments,
            query: query,
            contentFormat: format,
            accept: accept,
            payload: payload
        )
    }

    static func observe(_ path: ObjectPath, _ value: UInt64 = 0, accept: ContentFormat? = .text) -> CoAPRequest {
        var request = Self.request(.get, path, accept: accept)
        request.options.append(.observe, unsigned: value)
        return request
    }

    /// A driver whose device is registered, and its session.
    static func registered(
        _ configuration: ClientConfiguration = Sample.configuration
    ) -> (driver: EngineDriver, session: SessionID) {
        var driver = EngineDriver(configuration)
        let session = driver.handle(.started).openedSession ?? SessionID(rawValue: 0)
        let register = driver.handle(.sessionOpened(session)).sentRequest
        if let register { driver.handle(.responseReceived(register.id, Self.created())) }
        return (driver, session)
    }
}

extension ResourceValues {
    init(_ values: ResourceValues) { self = values }

    func adding(resource: UInt16, instances: [UInt16: ResourceValue]) -> ResourceValues {
        var values = self
        for (id, value) in instances { values[resource, id] = value }
        return values
    }
}
