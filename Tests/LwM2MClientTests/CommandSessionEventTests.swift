import CoAPMessages
import CommandSessions
import LoopbackPeers
import LwM2MClient
import Primitives
import Testing

/// A gateway on loopback that writes the messages by hand.
@Suite("Command sessions of a client")
struct CommandSessionEventTests {
    private let command: SessionCommand
    private static let path: ObjectPath = "/3303/0/5750"

    init() throws {
        self.command = try #require(
            SessionCommand(.write, Self.path, contentFormat: .text, payload: Array("Kitchen".utf8))
        )
    }

    private static func identifier(_ byte: UInt8) throws -> SessionIdentifier {
        try #require(SessionIdentifier(bytes: Array(repeating: byte, count: 16)))
    }

    /// A client with a sensor whose name is protected.
    private func harness(
        gateway: UTF8Text = "127.0.0.1",
        identifiers: SessionPair? = nil,
        change: (inout LwM2MClient.Configuration) -> Void = { _ in }
    ) async throws -> ClientHarness {
        let policy = try SessionPolicy(
            gatewayAddresses: [try #require(IPAddress(parsing: gateway))],
            protectedPaths: [Self.path]
        )
        let harness = try ClientHarness {
            $0.sessionPolicy = policy
            $0.sessionIdentifiers = identifiers
            change(&$0)
        }
        try await harness.client.add(DeviceObject(3303, "Sensor", resources: [.writable(5750, "Name", "Hall")]))
        return harness
    }

    private func run(
        _ harness: ClientHarness,
        gsid: UInt8,
        knowing dsid: SessionIdentifier? = nil
    ) async throws -> (code: CoAPCode?, dsid: SessionIdentifier?) {
        var session = HandwrittenSession(self.command, gsid: try Self.identifier(gsid), knowing: dsid)
        let first = try await harness.ask(session.writeMessage1)
        guard first?.code == .changed else { return (first?.code, nil) }
        let second = try #require(try await harness.ask(session.readMessage2))
        let isTaken = session.takeMessage2(second.payload)
        #expect(isTaken)
        return (try await harness.ask(session.writeMessage3)?.code, session.dsid)
    }

    private static let write = CoAPRequest(
        .put,
        path: ["3303", "0", "5750"],
        contentFormat: .text,
        payload: Array("Cellar".utf8)
    )

    @Test("The policy of the configuration reaches the device: what it protects is changed in a session, and told")
    func commandExecuted() async throws {
        let harness = try await self.harness()
        #expect(await harness.startAndRegister())
        #expect(harness.server.registrations["one"]?.objects.contains("</42770/0>") == true)
        #expect(try await harness.ask(Self.write)?.code == .forbidden)
        #expect(await harness.client.value(at: Self.path) == .string("Hall"))
        let first = try await self.run(harness, gsid: 1)
        #expect(first.code == .changed)
        #expect(await harness.client.value(at: Self.path) == .string("Kitchen"))
        #expect(try await self.run(harness, gsid: 2, knowing: first.dsid).code == .changed)

        let events = try await harness.stop()
        let executed = events.compactMap { if case .commandExecuted(let code) = $0 { code } else { nil } }
        #expect(executed == [.changed, .changed])
        let breached = events.compactMap { event -> String? in
            if case .breached(let what, server: 1, address: nil) = event { what } else { nil }
        }
        #expect(breached == ["direct-change"])
        #expect(events.filter { $0.name == "written" }.count == 2)
    }

    @Test("A gateway that does not know the identifiers given beforehand is a breach; the client leaves the server")
    func breached() async throws {
        let given = SessionPair(gsid: try Self.identifier(7), dsid: try Self.identifier(8))
        let harness = try await self.harness(identifiers: given)
        #expect(await harness.startAndRegister())
        let stranger = HandwrittenSession(self.command, gsid: try Self.identifier(1))
        #expect(try await harness.ask(stranger.writeMessage1)?.code == .forbidden)
        #expect(await harness.serve { harness.server.deregistered == ["one"] })
        #expect(await harness.client.value(at: "/42770/0/15") == .boolean(true))
        #expect(await harness.client.value(at: Self.path) == .string("Hall"))
        let events = try await harness.stop()
        #expect(
            events.contains {
                if case .breached("wrong-identifier", server: 1, address: nil) = $0 { true } else { false }
            }
        )
        #expect(
            events.contains { if case .serverSuspended(server: 1, for: .seconds(3_600)) = $0 { true } else { false } }
        )
        #expect(!events.map { $0.name }.contains("commandExecuted"))
    }

    @Test("Who knows the identifiers given beforehand begins the first session")
    func givenIdentifiers() async throws {
        let given = SessionPair(gsid: try Self.identifier(7), dsid: try Self.identifier(8))
        let harness = try await self.harness(identifiers: given)
        #expect(await harness.startAndRegister())
        #expect(try await self.run(harness, gsid: 1, knowing: given.dsid).code == .changed)
        _ = try await harness.stop()
    }

    @Test("A server elsewhere than the gateway is a breach with its address")
    func unknownAddress() async throws {
        let harness = try await self.harness(gateway: "127.0.0.9")
        #expect(await harness.startAndRegister())
        let message1 = HandwrittenSession(self.command, gsid: try Self.identifier(1)).writeMessage1
        #expect(try await harness.ask(message1)?.code == .unauthorized)
        #expect(try await harness.ask(Self.write)?.code == .unauthorized)
        let events = try await harness.stop()
        let breached = events.compactMap { event -> [String?]? in
            if case .breached(let what, server: 1, let address) = event { [what, address] } else { nil }
        }
        #expect(breached == [["unknown-address", "127.0.0.1"], ["direct-change", nil]])
    }

    @Test("With a store the sessions go on where they were when the client starts again")
    func store() async throws {
        let folder = TemporaryFolder()
        var known: SessionIdentifier?
        for gsid in [1, 2, 3] as [UInt8] {
            let harness = try await self.harness { $0.store = folder.store.string }
            #expect(await harness.startAndRegister())
            let session = try await self.run(harness, gsid: gsid, knowing: known)
            #expect(session.code == .changed)
            known = session.dsid
            #expect(await harness.client.value(at: "/42770/0/10") == .integer(Int64(gsid)))
            _ = try await harness.stop()
        }
    }

    @Test("A session that ends before its command is told")
    func aborted() async throws {
        let harness = try await self.harness()
        #expect(await harness.startAndRegister())
        for gsid in [1, 2] as [UInt8] {
            let session = HandwrittenSession(self.command, gsid: try Self.identifier(gsid))
            #expect(try await harness.ask(session.writeMessage1)?.code == .changed)
        }
        let events = try await harness.stop()
        #expect(events.filter { $0.name == "commandAborted" }.count == 1)
    }
}
