import BalancerEngine
import Foundation
import NameRegistry
import Primitives
import TestSupport
import Testing

extension Interop {
    /// Signed updates of a zone at DNS servers that share no code with ours.
    @Suite(
        "DNS registry",
        .enabled(if: !NameServerKind.installed.isEmpty, "named and knotd are missing; make install brings them")
    )
    struct Registry {
        private static let one: [UInt8] = [127, 0, 0, 1]
        private static let two: [UInt8] = [127, 0, 0, 2]
        private static let six: [UInt8] = [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [6]

        private func records(_ names: [(String, [UInt8])]) throws -> Set<NameRecord> {
            Set(try names.map { NameRecord(name: UTF8Text($0.0), address: try #require(IPAddress($0.1))) })
        }

        private func published(_ client: RegistryClient) throws -> Set<NameRecord> {
            Set(try client.readNames().get())
        }

        @Test(
            "BIND and Knot are both here, so that nothing below was left out",
            .enabled(if: NameServerKind.installed.count == 2, "bind9 or knot is missing; make install brings both")
        )
        func bothInstalled() {
            #expect(NameServerKind.installed == NameServerKind.allCases)
        }

        @Test("names come, change their address and its family, and go", arguments: NameServerKind.installed)
        func updates(kind: NameServerKind) throws {
            let server = try kind.start()
            let client = try server.client()
            let probe = try server.probe()
            #expect(try client.readEpoch().get() == nil)
            #expect(try self.published(client).isEmpty)
            #expect(probe.ask("a.example.test")?.code == 3)

            #expect(try client.publish([("a.example.test", Self.one), ("b.x.example.test", Self.six)]) == nil)
            #expect(try client.readEpoch().get() == RegistryEpoch(writer: "balancer-1", number: 1))
            #expect(probe.ask("a.example.test")?.addresses == [Self.one])
            #expect(probe.ask("A.EXAMPLE.TEST")?.addresses == [Self.one])
            #expect(probe.ask("b.x.example.test", .aaaa)?.addresses == [Self.six])
            #expect(
                try self.published(client)
                    == self.records([("a.example.test", Self.one), ("b.x.example.test", Self.six)])
            )

            #expect(try client.publish([("a.example.test", Self.six), ("b.x.example.test", Self.two)]) == nil)
            #expect(probe.ask("a.example.test", .aaaa)?.addresses == [Self.six])
            #expect(probe.ask("a.example.test")?.addresses == [])
            #expect(probe.ask("b.x.example.test")?.addresses == [Self.two])

            // One that was never there may be removed, and one that is assigned as well stays.
            let removed = ["a.example.test", "b.x.example.test", "never.example.test"]
            #expect(try client.publish([("b.x.example.test", Self.one)], removing: removed) == nil)
            #expect(probe.ask("a.example.test", .aaaa)?.code == 3)
            #expect(try self.published(client) == self.records([("b.x.example.test", Self.one)]))
            #expect(try client.readEpoch().get() == RegistryEpoch(writer: "balancer-1", number: 3))
        }

        @Test("RFC 2136 §2.4: a batch that expects another epoch is not done", arguments: NameServerKind.installed)
        func prerequisites(kind: NameServerKind) throws {
            let server = try kind.start()
            let client = try server.client()
            client.epoch = RegistryEpoch(writer: "balancer-1", number: 7)
            #expect(try client.publish([("a.example.test", Self.one)]) == .epochMismatch)
            client.epoch = nil
            #expect(try client.publish([("a.example.test", Self.one)]) == nil)
            let current = client.epoch
            for wrong in [
                nil, RegistryEpoch(writer: "balancer-1", number: 2), RegistryEpoch(writer: "balancer-2", number: 1),
                RegistryEpoch(writer: "balancer-1", number: 0),
            ] {
                client.epoch = wrong
                #expect(try client.publish([("b.example.test", Self.one)]) == .epochMismatch)
            }
            #expect(try client.readEpoch().get() == current)
            #expect(try self.published(client) == self.records([("a.example.test", Self.one)]))
        }

        @Test("two balancers that write at once never write over each other", arguments: NameServerKind.installed)
        func twoWriters(kind: NameServerKind) throws {
            let server = try kind.start()
            let clients = try (1...2).map { try server.client(writer: "balancer-\($0)") }
            var done = [0, 0]
            for round in 0..<20 {
                // Both have read the same epoch; the second to write finds another one.
                let order = round % 3 == 0 ? [1, 0] : [0, 1]
                let epoch = try clients[0].readEpoch().get()
                for writer in order { clients[writer].epoch = epoch }
                let address: [[UInt8]] = [Self.one, Self.two]
                let results = try order.map { try clients[$0].publish([("a.example.test", address[$0])]) }
                #expect(results == [nil, .epochMismatch])
                done[order[0]] += 1
                #expect(try server.probe().ask("a.example.test")?.addresses == [address[order[0]]])
            }
            #expect(done == [13, 7])
            #expect(try clients[0].readEpoch().get()?.number == 20)
        }

        @Test(
            "RFC 2136 §3.4: a batch with one bad name among 400 leaves nothing done",
            arguments: NameServerKind.installed,
            [0, 200, 399]
        )
        func atomicity(kind: NameServerKind, position: Int) throws {
            let server = try kind.start()
            let client = try server.client()
            var names = (0..<400).map { ("n\($0).example.test", Self.one) }
            names[position].0 = "n.example.org"
            #expect(try client.publish(names) == .refused(10))
            #expect(try client.readEpoch().get() == nil)
            #expect(try self.published(client).isEmpty)
            names[position].0 = "n.example.test"
            #expect(try client.publish(names) == nil)
            #expect(try self.published(client).count == 400)
        }

        @Test("RFC 8945 §5.2: another key, or an unknown name of one, is refused", arguments: NameServerKind.installed)
        func wrongKey(kind: NameServerKind) throws {
            let server = try kind.start()
            let otherKey = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
            for (client, code) in [
                (try server.client(key: otherKey), UInt8(16)), (try server.client(keyName: "stranger"), 17),
            ] {
                #expect(try client.publish([("a.example.test", Self.one)]) == .refused(code))
                #expect(throws: RegistryFailure.refused(code)) { try client.readEpoch().get() }
                #expect(throws: RegistryFailure.refused(code)) { try client.readNames().get() }
            }
            #expect(try server.probe().ask("a.example.test")?.code == 3)
        }

        @Test(
            "a key is replaced by another while batches go on: both are known for a while",
            arguments: NameServerKind.installed
        )
        func keyRotation(kind: NameServerKind) throws {
            let server = try kind.start()
            let (oldKey, newKey) = (server.folder.key, ZoneFolder.makeKey())
            let (old, new) = (try server.client(), try server.client(keyName: "balancer-2027", key: newKey))
            #expect(try old.publish([("a.example.test", Self.one)]) == nil)
            try server.reload([ZoneFolder.keyName: oldKey, "balancer-2027": newKey])
            try waitUntil("the new key") { (try? new.readEpoch().get()) == old.epoch }
            #expect(try old.publish([("b.example.test", Self.one)]) == nil)
            new.epoch = old.epoch
            #expect(try new.publish([("c.example.test", Self.one)]) == nil)
            try server.reload(["balancer-2027": newKey])
            try waitUntil("the end of the old key") { if case .failure = try old.readEpoch() { true } else { false } }
            #expect(try old.publish([("d.example.test", Self.one)]) == .refused(17))
            #expect(try new.publish([("d.example.test", Self.one)]) == nil)
            #expect(try self.published(new).count == 4)
        }

        @Test(
            "a name that the server's policy keeps is refused with all of its batch",
            .enabled(if: BindServer.isInstalled, "named is missing; make install brings it")
        )
        func policy() throws {
            let server = try NameServerKind.bind.start()
            let client = try server.client()
            let names = [("a.example.test", Self.one), ("x.locked.example.test", Self.one)]
            #expect(try client.publish(names) == .refused(5))
            #expect(try self.published(client).isEmpty)
            #expect(try client.publish(Array(names.prefix(1))) == nil)
        }

        @Test("an epoch that somebody else wrote by hand is not taken for one", arguments: NameServerKind.installed)
        func foreignText(kind: NameServerKind) throws {
            for text in [["\"not an epoch\""], ["\"b 1\"", "\"c 2\""], ["\"b 1\" \"c\""]] {
                let server = try kind.start(records: text.map { "_epoch TXT \($0)" })
                #expect(throws: RegistryFailure.malformedAnswer) { try server.client().readEpoch().get() }
            }
        }

        @Test("a zone of 10,000 names is read whole, without its name server's", arguments: NameServerKind.installed)
        func transfer(kind: NameServerKind) throws {
            let server = try kind.start(records: ["mail MX 1 ns", "other TXT \"text\"", "@ A 127.0.0.9"])
            let client = try server.client()
            let names = (0..<10_000).map { ("bs\($0).example.test", [127, 1, UInt8($0 / 250), UInt8($0 % 250)]) }
            for start in stride(from: 0, to: names.count, by: 500) {
                try #require(try client.publish(Array(names[start..<(start + 500)])) == nil)
            }
            let before = client.counters.bytesReceived
            #expect(try self.published(client) == self.records(names))
            // Too much for one message, so that signatures build on one another.
            #expect(client.counters.bytesReceived - before > 200_000)
        }

        @Test(
            "a server that is stopped is unreachable, and has lost nothing when it is back",
            arguments: NameServerKind.installed
        )
        func restart(kind: NameServerKind) throws {
            let server = try kind.start()
            let client = try server.client()
            let end: [() throws -> Void] = [{ try server.server.stop() }, { server.process.kill() }]
            for (round, stop) in end.enumerated() {
                #expect(try client.publish([("n\(round).example.test", Self.one)]) == nil)
                try stop()
                #expect(try client.publish([("lost.example.test", Self.one)]) == .unreachable)
                #expect(throws: RegistryFailure.unreachable) { try client.readEpoch().get() }
                #expect(throws: RegistryFailure.unreachable) { try client.readNames().get() }
                try server.server.start()
                #expect(try client.readEpoch().get() == client.epoch)
                #expect(
                    try self.published(client) == self.records((0...round).map { ("n\($0).example.test", Self.one) })
                )
            }
            #expect(try client.publish([("n2.example.test", Self.one)]) == nil)
        }

        @Test(
            "a server that hangs is unreachable; whether it did the batch, the epoch says",
            arguments: NameServerKind.installed
        )
        func hangs(kind: NameServerKind) throws {
            let server = try kind.start()
            let client = try server.client(timeout: .milliseconds(200))
            server.process.pause()
            #expect(try client.publish([("a.example.test", Self.one)]) == .unreachable)
            server.process.resume()
            // The message lies in the server's socket; it may or may not be done when the epoch is read.
            let epoch = try server.client().readEpoch().get()
            let probe = try server.probe()
            if let epoch {
                #expect(epoch == RegistryEpoch(writer: "balancer-1", number: 1))
                #expect(probe.ask("a.example.test")?.addresses == [Self.one])
            }
            // The message that waited may even be done after that; then the epoch is read once more.
            let patient = try server.client()
            patient.epoch = epoch
            if try patient.publish([("b.example.test", Self.one)]) == .epochMismatch {
                patient.epoch = try patient.readEpoch().get()
                #expect(patient.epoch == RegistryEpoch(writer: "balancer-1", number: 1))
                #expect(try patient.publish([("b.example.test", Self.one)]) == nil)
            }
            #expect(probe.ask("b.example.test")?.addresses == [Self.one])
        }

        @Test(
            "after a lost answer the epoch says that the batch was done, and it is not done twice",
            arguments: NameServerKind.installed
        )
        func lostAnswer(kind: NameServerKind) throws {
            let server = try kind.start()
            let relay = try TCPRelay(to: server.server.address)
            let client = try server.client(at: relay.address)
            relay.spoil(.lost)
            #expect(try client.publish([("a.example.test", Self.one)]) == .unreachable)
            relay.spoil(.cut(40))
            #expect(throws: RegistryFailure.unreachable) { try client.readEpoch().get() }
            relay.spoil(.nothing)
            #expect(try client.publish([("a.example.test", Self.one)]) == .epochMismatch)
            client.epoch = try client.readEpoch().get()
            #expect(client.epoch == RegistryEpoch(writer: "balancer-1", number: 1))
            #expect(try client.publish([("b.example.test", Self.two)]) == nil)
        }

        @Test("RFC 8945 §5.3: an answer with any bit changed is not believed", arguments: NameServerKind.installed)
        func changedAnswers(kind: NameServerKind) throws {
            let server = try kind.start()
            let relay = try TCPRelay(to: server.server.address)
            let client = try server.client(at: relay.address)
            #expect(try client.publish([("a.example.test", Self.one)]) == nil)
            let epoch = try client.readEpoch().get()
            let size = try #require(relay.originals.last).count - 2
            var believed: [Int] = []
            for bit in 0..<(size * 8) {
                relay.spoil(.bit(bit))
                if case .success(let read) = try client.readEpoch() {
                    // The case of a letter in a name is all that may differ: names are signed in lower case.
                    #expect(read == epoch)
                    believed.append(bit)
                }
            }
            let original = try #require(relay.originals.last).dropFirst(2)
            for bit in believed {
                let byte = original[original.startIndex + bit / 8]
                #expect(bit % 8 == 5 && Ascii.isLetter(byte), "bit \(bit) of \(byte)")
            }
            #expect(believed.count < 60)
        }

        @Test("a zone transfer with a changed bit anywhere is not believed", arguments: NameServerKind.installed)
        func changedTransfer(kind: NameServerKind) throws {
            let server = try kind.start()
            let relay = try TCPRelay(to: server.server.address)
            let client = try server.client(at: relay.address)
            #expect(try client.publish((0..<100).map { ("bs\($0).example.test", Self.one) }) == nil)
            let names = try self.published(client)
            try SeededRuns.each(300) { generator in
                relay.spoil(.bit(Int.random(in: 0..<(1 << 20), using: &generator)))
                if case .success(let read) = try client.readNames() {
                    // Only the case of letters is not signed, and it does not matter.
                    try #require(Set(read) == names)
                }
            }
        }
    }
}
