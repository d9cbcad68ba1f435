import BalancerEngine
import CoAPTransport
import Foundation
import NameRegistry
import Primitives
import Testing

/// A registry with a loop of its own, whose requests a test waits for.
final class RegistryClient {
    let zone: String
    private let loop: EventLoop
    private let registry: DynamicUpdateRegistry
    /// What the zone's epoch is, as far as this client knows.
    var epoch: RegistryEpoch?
    let writer: UTF8Text

    var counters: DynamicUpdateRegistry.Counters { self.registry.counters }

    /// - Parameters:
    ///   - address: as `127.0.0.1:20053`.
    ///   - key: in base64.
    init(
        address: String,
        zone: String,
        keyName: String = ZoneFolder.keyName,
        key: String,
        writer: UTF8Text = "balancer-1",
        timeout: Duration = .seconds(20)
    ) throws {
        self.zone = zone
        self.writer = writer
        self.loop = try EventLoop()
        self.registry = try DynamicUpdateRegistry(
            configuration: .init(
                server: #require(SocketAddress(parsing: UTF8Text(address))),
                zone: UTF8Text(zone),
                keyName: UTF8Text(keyName),
                key: SecretBytes(Array(#require(Data(base64Encoded: key)))),
                timeout: timeout
            ),
            loop: self.loop
        )
    }

    /// Does a batch as one who knows the epoch; nil when it was done.
    func publish(
        _ names: [(name: String, address: [UInt8])],
        removing removed: [String] = [],
        timeToLive: UInt32 = 2
    ) throws -> RegistryFailure? {
        let next = RegistryEpoch(writer: self.writer, number: (self.epoch?.number ?? 0) + 1)
        let failure = try self.apply(
            NameUpdate(
                expected: self.epoch,
                epoch: next,
                assigned: names.map { name, address in
                    NameRecord(name: UTF8Text(name), address: try #require(IPAddress(address)))
                },
                removed: removed.map { UTF8Text($0) },
                timeToLive: timeToLive
            )
        )
        if failure == nil { self.epoch = next }
        return failure
    }

    /// Does a batch; nil when it was done.
    func apply(_ update: NameUpdate) throws -> RegistryFailure? {
        let result: Result<Void, RegistryFailure> = try self.wait { self.registry.apply(update, completion: $0) }
        if case .failure(let failure) = result { return failure }
        return nil
    }

    func readEpoch() throws -> Result<RegistryEpoch?, RegistryFailure> {
        try self.wait { self.registry.readEpoch(completion: $0) }
    }

    func readNames() throws -> Result<[NameRecord], RegistryFailure> {
        try self.wait { self.registry.readNames(completion: $0) }
    }

    private func wait<Value>(_ start: (@escaping (Value) -> Void) -> Void) throws -> Value {
        var value: Value?
        start { value = $0 }
        let end = self.loop.now.advanced(by: .seconds(300))
        while value == nil {
            try #require(self.loop.now < end, "no completion within 300 seconds")
            self.loop.turn(until: end)
        }
        return try #require(value)
    }
}
