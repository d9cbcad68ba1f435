import CoAPMessages
import CoAPTransport
import LoopbackPeers
import LwM2MClient
import Primitives
import Synchronization
import Testing

/// A client that runs in its own thread and a server that the test turns.
final class ClientHarness {
    static let key: [UInt8] = Array("0123456789abcdef".utf8)

    let server: LoopbackServer
    let client: LwM2MClient
    private var running: Task<Void, any Error>?
    private var reading: Task<[LwM2MClient.Event], Never>?

    init(change: (inout LwM2MClient.Configuration) -> Void = { _ in }) throws {
        let server = try Self.makeServer()
        self.server = server
        var configuration = LwM2MClient.Configuration(
            endpoint: "one",
            server: server.uri,
            security: .preSharedKey(identity: "identity-1", key: Self.key),
            lifetime: .seconds(300),
            device: .init(manufacturer: "Acme")
        )
        change(&configuration)
        self.client = try LwM2MClient(configuration: configuration)
    }

    private static func makeServer() throws -> LoopbackServer {
        let key = Self.key
        return try LoopbackServer(
            loop: try EventLoop(),
            key: { $0 == Array("identity-1".utf8) ? SecretBytes(key) : nil }
        )
    }

    func start() {
        let client = self.client
        self.reading = Task {
            var events: [LwM2MClient.Event] = []
            for await event in client.events { events.append(event) }
            return events
        }
        self.startWithoutReading()
    }

    /// Runs the client; the test reads its events.
    func startWithoutReading() {
        let client = self.client
        self.running = Task { try await client.run() }
    }

    /// Turns the server until the condition holds; false when it never does, for which a busy machine gets two minutes.
    func serve(until isDone: () -> Bool) async -> Bool {
        let limit = ContinuousClock.now + .seconds(120)
        while !isDone() {
            if ContinuousClock.now > limit { return false }
            self.server.turn()
            await Task.yield()
        }
        return true
    }

    func startAndRegister() async -> Bool {
        self.start()
        return await self.serve { self.server.registrations["one"] != nil }
    }

    /// Sends a request of the server and returns the first answer.
    func ask(_ request: CoAPRequest) async throws -> CoAPResponse? {
        let tag = try self.server.send(request, to: "one")
        _ = await self.serve { !self.server.answers(to: tag).isEmpty }
        return self.server.answers(to: tag).first
    }

    /// Cancels the client's task, serves until it has ended, and returns what it reported.
    func stop() async throws -> [LwM2MClient.Event] {
        let running = try #require(self.running)
        running.cancel()
        let flag = Flag()
        let waiting = Task {
            defer { flag.set() }
            try await running.value
        }
        #expect(await self.serve { flag.isSet })
        try await waiting.value
        self.client.finishEvents()
        return await self.reading?.value ?? []
    }
}

/// Something that has happened or not, readable from any thread.
final class Flag: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { self.state.withLock { $0 } }
    func set() { self.state.withLock { $0 = true } }
}

/// Collects values from handlers.
final class Collector<Value: Sendable>: Sendable {
    private let state = Mutex<[Value]>([])
    var values: [Value] { self.state.withLock { $0 } }
    func append(_ value: Value) { self.state.withLock { $0.append(value) } }
}
