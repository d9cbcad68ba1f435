import ClientEngine
import CoAPMessages
import CoAPTransport
import CommandSessions
import DeviceRuntime
import DeviceStore
import Foundation
import LoopbackPeers
import LwM2MModel
import Primitives
import Testing

@Suite("Devices that go down and come back, and what their sessions need of it")
struct RestartTests {
    private let command: SessionCommand

    init() throws {
        self.command = try #require(
            SessionCommand(.write, ObjectPath(1, 0, 1), contentFormat: .text, payload: Array("600".utf8))
        )
    }

    private static func policy(gateway: UTF8Text = "127.0.0.1") throws -> SessionPolicy {
        try SessionPolicy(
            gatewayAddresses: [try #require(IPAddress(parsing: gateway))],
            protectedPaths: [ObjectPath(1, 0, 1)]
        )
    }

    private static func identifier(_ byte: UInt8) throws -> SessionIdentifier {
        try #require(SessionIdentifier(bytes: Array(repeating: byte, count: 16)))
    }

    private static let readState = CoAPRequest(.get, path: HandwrittenSession.path(.state), accept: .text)

    private static let writeLifetime = CoAPRequest(
        .put,
        path: ["1", "0", "1"],
        contentFormat: .text,
        payload: Array("600".utf8)
    )

    /// Runs a session, and tells the answer to its last message and the newest DSID.
    private func run(
        _ harness: RuntimeHarness,
        gsid: UInt8,
        knowing dsid: SessionIdentifier? = nil
    ) throws -> (code: CoAPCode?, dsid: SessionIdentifier?) {
        var session = HandwrittenSession(self.command, gsid: try Self.identifier(gsid), knowing: dsid)
        let first = try harness.ask(session.writeMessage1, of: "one")
        guard first?.code == .changed else { return (first?.code, nil) }
        let second = try #require(try harness.ask(session.readMessage2, of: "one"))
        let isTaken = session.takeMessage2(second.payload)
        #expect(isTaken)
        return (try harness.ask(session.writeMessage3, of: "one")?.code, session.dsid)
    }

    /// Restarts the device from its factory's configuration, and waits until it has registered anew.
    private func restart(_ harness: RuntimeHarness, _ device: DeviceID, seed: UInt64 = 2) throws {
        let before = try #require(harness.server.registrations["one"]).location
        var configuration = harness.configuration("one")
        configuration.commandSessions = [CommandSessionAccount(policy: try Self.policy())]
        harness.runtime.restartDevice(device, configuration, registry: .standard, seed: seed)
        #expect(harness.run { harness.server.registrations["one"]?.location != before })
    }

    // MARK: Restarts

    @Test(
        "What was stored on disk or kept in memory is there after a restart, and what was not is gone",
        arguments: [false, true]
    )
    func comesBack(hasStore: Bool) throws {
        let folder = TemporaryFolder()
        let harness = try RuntimeHarness()
        harness.runtime.keepsConfigurations = !hasStore
        let store = hasStore ? DeviceStore(folder: folder.store) : nil
        let device = harness.start("one", store: store, sessionPolicy: try Self.policy())
        #expect(harness.runUntilRegistered("one"))
        let first = try self.run(harness, gsid: 1)
        #expect(first.code == .changed)
        let zone = CoAPRequest(.put, path: ["3", "0", "15"], contentFormat: .text, payload: Array("Etc/UTC".utf8))
        #expect(try harness.ask(zone, of: "one")?.code == .changed)

        try self.restart(harness, device)
        #expect(harness.runtime.deviceCount == 1)
        #expect(harness.server.deregistered.isEmpty, "a power cut takes no leave")
        #expect(harness.server.registrations["one"]?.parameters["lt"] == "600")
        #expect(harness.runtime.value(at: ObjectPath(1, 0, 1), of: device) == .integer(600))
        #expect(harness.runtime.value(at: ObjectPath(3, 0, 15), of: device) == nil)
        #expect(harness.runtime.value(at: ObjectPath(42_770, 0, 10), of: device) == .integer(1))
        let second = try self.run(harness, gsid: 2, knowing: first.dsid)
        #expect(second.code == .changed)

        try self.restart(harness, device, seed: 3)
        #expect(try self.run(harness, gsid: 3, knowing: second.dsid).code == .changed)
        #expect(harness.runtime.value(at: ObjectPath(42_770, 0, 10), of: device) == .integer(3))
    }

    @Test("A restart in the middle of a session ends it, and the next one succeeds")
    func inTheMiddle() throws {
        let harness = try RuntimeHarness()
        harness.runtime.keepsConfigurations = true
        let device = harness.start("one", sessionPolicy: try Self.policy())
        #expect(harness.runUntilRegistered("one"))
        var session = HandwrittenSession(self.command, gsid: try Self.identifier(1))
        #expect(try harness.ask(session.writeMessage1, of: "one")?.code == .changed)
        let second = try #require(try harness.ask(session.readMessage2, of: "one"))
        let isTaken = session.takeMessage2(second.payload)
        #expect(isTaken)
        try self.restart(harness, device)
        #expect(try harness.ask(session.writeMessage3, of: "one")?.code == .conflict)
        #expect(harness.runtime.value(at: ObjectPath(1, 0, 1), of: device) == .integer(300))
        // Nothing was executed: what was established before still is.
        #expect(try self.run(harness, gsid: 2).code == .changed)
    }

    @Test("Without a store, and when nothing is kept, a device comes back as from the factory")
    func forgets() throws {
        let harness = try RuntimeHarness()
        let device = harness.start("one", sessionPolicy: try Self.policy())
        #expect(harness.runUntilRegistered("one"))
        let first = try self.run(harness, gsid: 1)
        #expect(first.code == .changed)
        try self.restart(harness, device)
        #expect(harness.runtime.value(at: ObjectPath(1, 0, 1), of: device) == .integer(300))
        #expect(try self.run(harness, gsid: 2, knowing: first.dsid).code == .forbidden)
    }

    @Test("A store that cannot be read at a restart is reported")
    func spoiltStore() throws {
        let folder = TemporaryFolder()
        let harness = try RuntimeHarness()
        let store = DeviceStore(folder: folder.store)
        let device = harness.start("one", store: store, sessionPolicy: try Self.policy())
        #expect(harness.runUntilRegistered("one"))
        #expect(try self.run(harness, gsid: 1).code == .changed)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: folder.store.string + "/configuration"))
        try self.restart(harness, device)
        #expect(
            harness.reports[device]?.contains { if case .storageFailed = $0 { true } else { false } } == true
        )
        #expect(harness.runtime.value(at: ObjectPath(1, 0, 1), of: device) == .integer(300))
    }

    @Test("A device that is restarted or removed from inside a handler takes no other device's events along")
    func fromAHandler() throws {
        let harness = try RuntimeHarness()
        let one = harness.start("one")
        let two = harness.start("two")
        let three = harness.start("three")
        #expect(harness.run { harness.server.registrations.count == 3 })
        let set = { (text: UTF8Text) in ClientEvent.valueSet([ResourceRecord(ObjectPath(3, 0, 0), .string(text))]) }
        harness.runtime.onExecute = { device, exchange, _, _ in
            guard device == one else { return }
            harness.runtime.deliver(.executed(exchange, .changed), to: one)
            harness.runtime.deliver(set("lost"), to: two)
            harness.runtime.deliver(set("first"), to: three)
            harness.runtime.restartDevice(two, harness.configuration("two"), registry: .standard, seed: 2)
            harness.runtime.deliver(set("second"), to: three)
        }
        let before = harness.server.registrations["two"]?.location
        #expect(try harness.ask(CoAPRequest(.post, path: ["3", "0", "4"]), of: "one")?.code == .changed)
        #expect(harness.runtime.value(at: ObjectPath(3, 0, 0), of: three) == .string("second"))
        #expect(harness.run { harness.server.registrations["two"]?.location != before })
        #expect(harness.runtime.value(at: ObjectPath(3, 0, 0), of: two) == .string("Acme"))

        // The removed device's own event is done by then; those behind it are still to come.
        harness.runtime.onExecute = { _, exchange, _, _ in
            harness.runtime.deliver(.executed(exchange, .changed), to: one)
            harness.runtime.deliver(set("third"), to: two)
            harness.runtime.deliver(set("third"), to: three)
        }
        harness.runtime.onReport = { device, report, _ in
            guard device == one, case .client(.operationServed) = report else { return }
            harness.runtime.removeDevice(one)
        }
        _ = try harness.server.send(CoAPRequest(.post, path: ["3", "0", "4"]), to: "one")
        #expect(harness.run { harness.runtime.value(at: ObjectPath(3, 0, 0), of: three) == .string("third") })
        #expect(harness.runtime.value(at: ObjectPath(3, 0, 0), of: two) == .string("third"))
        #expect(harness.runtime.deviceCount == 2)
    }

    @Test("A device that is no longer there is not restarted")
    func removed() throws {
        let harness = try RuntimeHarness()
        let device = harness.start("one")
        harness.runtime.removeDevice(device)
        harness.runtime.restartDevice(device, harness.configuration("one"), registry: .standard, seed: 2)
        #expect(harness.runtime.deviceCount == 0)
        let other = harness.start("two")
        #expect(harness.runUntilRegistered("two"))
        #expect(other == device)
        #expect(harness.server.registrations["one"] == nil)
    }

    // MARK: Where the gateway is

    @Test("An open session knows the address it leads to", arguments: [false, true])
    func address(isSecured: Bool) throws {
        for (gateway, code) in [("127.0.0.1", CoAPCode.content), ("127.0.0.9", .unauthorized)] {
            let harness = try RuntimeHarness(isSecured: isSecured)
            _ = harness.start("one", sessionPolicy: try Self.policy(gateway: UTF8Text(gateway)))
            #expect(harness.runUntilRegistered("one"))
            #expect(try harness.ask(Self.readState, of: "one")?.code == code, "\(gateway)")
        }
    }

    @Test("The address is that of IPv6 too")
    func addressOverIPv6() throws {
        let loopback = [UInt8](repeating: 0, count: 15) + [1]
        let harness = try RuntimeHarness(serverAddress: SocketAddress(ipv6: loopback, port: 0))
        _ = harness.start("one", sessionPolicy: try Self.policy(gateway: "::1"))
        #expect(harness.runUntilRegistered("one"))
        #expect(try harness.ask(Self.readState, of: "one")?.code == .content)
    }

    @Test("A plain session that goes to the next address of a name has moved there", arguments: [false, true])
    func movesOn(isSilent: Bool) throws {
        for (gateway, code) in [("127.0.0.1", CoAPCode.content), ("127.0.0.77", .unauthorized)] {
            let dns = DNSResponder { _ in .addresses(timeToLive: 60, [[127, 0, 0, 77], [127, 0, 0, 1]]) }
            let harness = try RuntimeHarness(
                isSecured: false,
                dns: dns,
                acknowledgeTimeout: .milliseconds(100),
                maximumRetransmit: 1
            )
            // Somebody is at the first address and says nothing, or nobody is there.
            let port = harness.server.address.port
            let silent = isSilent ? SilentPeer(SocketAddress(ipv4: (127, 0, 0, 77), port: port)) : nil
            let device = harness.start(
                "one",
                uri: harness.server.uri(host: "server.test"),
                sessionPolicy: try Self.policy(gateway: UTF8Text(gateway))
            )
            #expect(harness.runUntilRegistered("one"))
            #expect(harness.sessionFailures(of: device).isEmpty)
            #expect(try harness.ask(Self.readState, of: "one")?.code == code, "\(gateway)")
            #expect(silent?.isBound != false)
        }
    }
}
