import BalancerEngine
import Primitives
import ServiceStore
import Testing

@Suite struct BalancerStoreTests {
    private static let addresses = [IPAddress([127, 0, 25, 1]), IPAddress([UInt8](repeating: 1, count: 16))]
        .compactMap { $0 }

    private static func names(_ range: Range<Int>, address: Int = 0) -> [NameRecord] {
        range.map { NameRecord(name: UTF8Text("bs\($0).example.test"), address: Self.addresses[address]) }
    }

    private static func update(_ number: UInt64, assigned: [NameRecord], removed: [UTF8Text] = []) -> NameUpdate {
        NameUpdate(
            expected: number > 1 ? RegistryEpoch(writer: "w", number: number - 1) : nil,
            epoch: RegistryEpoch(writer: "w", number: number),
            assigned: assigned,
            removed: removed,
            timeToLive: 30
        )
    }

    /// Changes of every kind, in steps as a balancer makes them.
    private static let steps: [[BalancerChange]] = [
        [
            .instanceChanged(
                BootstrapInstance(
                    name: "a",
                    addresses: Self.addresses,
                    weight: 7,
                    region: "north",
                    classes: ["x", "y"]
                )
            ), .instanceChanged(BootstrapInstance(name: "b", addresses: Self.addresses)),
        ],
        [.batchBegun(Self.update(1, assigned: Self.names(0..<50)))],
        [.batchDone, .batchBegun(Self.update(2, assigned: Self.names(50..<60), removed: ["bs1.example.test"]))],
        [
            .deviceChanged(
                DeviceProgress(
                    endpoint: "dev1",
                    phase: .started,
                    host: "bs2.example.test",
                    instance: "a",
                    isRestarted: true,
                    since: WallTime(secondsSinceEpoch: 99),
                    sequence: .max,
                    procedures: [1, .max]
                )
            ), .deviceChanged(DeviceProgress(endpoint: "dev2", phase: .completed)),
        ],
        [.batchDone],
        [.superseded(true), .instanceForgotten("b"), .deviceForgotten("dev2")],
        [.batchBegun(Self.update(3, assigned: Self.names(0..<5, address: 1)))],
        [.superseded(false), .zoneRead(Self.names(100..<103), RegistryEpoch(writer: "other", number: 8))],
        [.zoneRead([], nil)],
    ]

    private func ordered(_ snapshot: BalancerSnapshot) -> BalancerSnapshot {
        var snapshot = snapshot
        snapshot.published.sort { $0.name.bytes.lexicographicallyPrecedes($1.name.bytes) }
        snapshot.devices.sort { $0.endpoint.bytes.lexicographicallyPrecedes($1.endpoint.bytes) }
        snapshot.instances.sort { $0.name.bytes.lexicographicallyPrecedes($1.name.bytes) }
        return snapshot
    }

    @Test func afterEveryStepItHoldsWhatWasStored() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("state.sqlite")
        var expected = BalancerSnapshot()
        for changes in Self.steps {
            expected.apply(changes)
            do {
                let store = try BalancerStore(path: path)
                try store.apply(changes)
                #expect(self.ordered(try store.snapshot()) == self.ordered(expected))
            }
            #expect(self.ordered(try BalancerStore(path: path).snapshot()) == self.ordered(expected))
        }
    }

    @Test func aNewFileHoldsNothing() throws {
        let folder = try TemporaryFolder()
        #expect(try BalancerStore(path: folder.file("state.sqlite")).snapshot() == BalancerSnapshot())
    }

    @Test func aBatchThatWasNeverBegunChangesNothing() throws {
        let folder = try TemporaryFolder()
        let store = try BalancerStore(path: folder.file("state.sqlite"))
        try store.apply([.batchDone])
        #expect(try store.snapshot() == BalancerSnapshot())
    }

    @Test func whatTheFileBelongsToIsKept() throws {
        let folder = try TemporaryFolder()
        let store = try BalancerStore(path: folder.file("state.sqlite"))
        #expect(try store.setting("zone") == nil)
        try store.setSetting("zone", "example.test")
        #expect(try store.setting("zone") == "example.test")
        // Settings and the state do not mix.
        try store.setSetting("epoch", "x")
        #expect(try store.snapshot().epoch == nil)
    }

    @Test func devicesOfAnotherServerAreKeptWithTheirKeys() throws {
        let folder = try TemporaryFolder()
        let store = try BalancerStore(path: folder.file("state.sqlite"))
        let first = BalancerStore.KnownDevice(endpoint: "a", identity: [1], key: SecretBytes([1]), region: "north")
        let second = BalancerStore.KnownDevice(endpoint: "b", identity: [2], key: SecretBytes([2]), deviceClass: "x")
        try store.update(knownDevices: [first, second], removed: [])
        #expect(try store.knownDevices() == [first, second])
        // The identities change places, as when a device is replaced by another.
        var swapped = [first, second]
        swapped[0].identity = [2]
        swapped[1].identity = [1]
        try store.update(knownDevices: swapped, removed: [])
        #expect(try store.knownDevices() == swapped)
        try store.update(knownDevices: [], removed: ["a"])
        #expect(try store.knownDevices() == [swapped[1]])
    }
}
