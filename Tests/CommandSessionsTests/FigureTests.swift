import CommandSessions
import LwM2MModel
import Primitives
import TestSupport
import Testing

/// Identifiers that a test can name.
func identifier(_ name: String) throws -> SessionIdentifier {
    try #require(SessionIdentifier(bytes: Array(name.utf8) + Array(repeating: 0, count: 16 - name.utf8.count)))
}

func cache(established: String?, provisional: String? = nil) throws -> IdentifierCache {
    IdentifierCache(
        established: try established.map(identifier),
        provisional: try provisional.map(identifier)
    )
}

let now = MonotonicTime.zero

@Suite("The exchange of the figure: gateway GSID cache E, DSID cache 5, device the same")
struct FigureTests {
    @Test("Z and 2 become provisional and then established, step by step, and the command runs once")
    func exchange() throws {
        let command = try #require(
            SessionCommand(.write, ObjectPath(3303, 0, 5601), contentFormat: .text, payload: [49])
        )
        var device = DeviceSessionMachine(
            form: .bothIdentifiers,
            record: .init(gsid: try cache(established: "E"), dsid: try cache(established: "5"))
        )
        var gateway = GatewaySessionMachine(
            form: .bothIdentifiers,
            record: .init(gsid: try cache(established: "E"), dsid: try cache(established: "5"))
        )

        // 1. The gateway makes Z: its cache is (Z) E. It sends the command, Z, and 5.
        #expect(gateway.begin(command, identifier: try identifier("Z")) == .store(gateway.record))
        #expect(gateway.record.gsid == (try cache(established: "E", provisional: "Z")))
        let message1 = SessionMessage(number: 1, command: command, gsid: try identifier("Z"), dsid: try identifier("5"))
        #expect(gateway.stored() == .sendMessage1(message1))

        // 2. The device finds 5, keeps (Z) E, makes 2: its cache is (2) 5.
        #expect(device.message1Received(message1, identifier: try identifier("2")) == .store(device.record))
        #expect(device.record.gsid == (try cache(established: "E", provisional: "Z")))
        #expect(device.record.dsid == (try cache(established: "5", provisional: "2")))
        #expect(device.message2 == nil, "nothing can be read before it is stored")
        #expect(device.stored(now: now) == .acceptMessage1)
        let message2 = SessionMessage(number: 2, command: command, gsid: try identifier("Z"), dsid: try identifier("2"))
        #expect(device.message2 == message2)

        // 3. The gateway finds its command and Z: it keeps 2, and Z is established.
        #expect(gateway.writeAnswered(.changed) == .readMessage2)
        #expect(gateway.message2Received(message2.encoded) == .store(gateway.record))
        #expect(gateway.record.gsid == (try cache(established: "Z")))
        #expect(gateway.record.dsid == (try cache(established: "5", provisional: "2")))
        let message3 = SessionMessage(number: 3, command: command, gsid: try identifier("Z"), dsid: try identifier("2"))
        #expect(gateway.stored() == .sendMessage3(message3))

        // 4. The device finds command, Z and 2: both are established, and it executes the command, once.
        #expect(device.message3Received(message3) == .store(device.record))
        #expect(device.record.gsid == (try cache(established: "Z")))
        #expect(device.record.dsid == (try cache(established: "2")))
        #expect(device.stored(now: now) == .execute(command))
        #expect(device.executed(.done(.changed)) == .store(device.record))
        #expect(device.stored(now: now) == .answer(.done(.changed)))
        #expect(device.message3Received(message3) == .answer(.done(.changed)), "a repeat is told, not executed")

        #expect(gateway.writeAnswered(.changed) == .store(gateway.record))
        #expect(gateway.record.gsid == (try cache(established: "Z")))
        #expect(gateway.record.dsid == (try cache(established: "2")))
        #expect(gateway.stored() == .finish(.done(.changed)))
    }
}
