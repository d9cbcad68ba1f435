import CoAPMessages
import CommandSessions
import Primitives
import Testing

/// What somebody can send who has heard messages: nothing of it executes a command, and each has its line of the policy.
///
/// Whether the sender is a gateway at all is checked before, by who owns the machine.
@Suite struct AttackTests {
    private func refusal(_ breach: SessionBreach) -> DeviceSessionMachine.Action { .refuse(.breach(breach)) }

    private func expectSpoofed(_ action: DeviceSessionMachine.Action, _ breach: SessionBreach) {
        #expect(action == self.refusal(breach))
        #expect(breach.line == .spoofed)
    }

    // MARK: On the device

    @Test("Message 1 of the last sessions is late, and one of a session before them a breach")
    func aReplayedMessage1BeginsNoSession() throws {
        let long = SessionWording(form: .bothIdentifiers)
        var device = try long.device()
        try long.complete(&device, "Z", "5", new: "2")
        try long.complete(&device, "Y", "2", new: "3")
        try long.complete(&device, "X", "3", new: "4")
        let before = device.record
        for late in [try long.message1("X", "3"), try long.message1("Y", "2")] {
            #expect(device.message1Received(late, identifier: try identifier("6")) == .refuse(.late))
        }
        self.expectSpoofed(
            device.message1Received(try long.message1("Z", "5"), identifier: try identifier("6")),
            .wrongIdentifier
        )
        #expect(device.record == before)
        #expect(device.stateNumber == 0)
    }

    @Test("A replay of message 1 in the short form gets no further than message 2")
    func aReplayedMessage1OfTheShortFormExecutesNothing() throws {
        let short = SessionWording(form: .deviceIdentifier)
        var device = try short.device()
        try short.complete(&device, "", "", new: "2")
        try short.offer(&device, "", "", new: "3")
        #expect(device.message3Received(try short.message3("", "2")) == .answer(.done(.changed)), "told, not executed")
        _ = device.deadlineReached(now: seconds(60))
        #expect(device.counters.completed == 1)
    }

    @Test(arguments: SessionWording.both)
    func aReplayedMessage3ExecutesNothing(_ wording: SessionWording) throws {
        var device = try wording.device()
        try wording.complete(&device, "Z", "5", new: "2")
        #expect(device.message3Received(try wording.message3("Z", "2")) == .answer(.done(.changed)))
        try wording.complete(&device, "Y", "2", new: "3")
        #expect(device.message3Received(try wording.message3("Z", "2")) == .answer(.done(.changed)))
        // Nor in the middle of another session, which goes on.
        try wording.offer(&device, "X", "3", new: "4")
        self.expectSpoofed(device.message3Received(try wording.message3("Z", "2")), .wrongIdentifier)
        #expect(device.message2 == (try wording.message2("X", "4")))
        #expect(device.counters.completed == 2)
    }

    @Test(arguments: SessionWording.both)
    func theDevicesOwnMessageIsNoneForIt(_ wording: SessionWording) throws {
        var device = try wording.device()
        try wording.offer(&device, "Z", "5", new: "2")
        let message2 = try #require(device.message2)
        self.expectSpoofed(device.message3Received(message2), .reflected)
        self.expectSpoofed(device.message1Received(message2, identifier: try identifier("3")), .reflected)
        #expect(device.message2 == message2, "the session goes on")
    }

    @Test(arguments: SessionWording.both)
    func aMessageInThePlaceOfAnotherIsReflected(_ wording: SessionWording) throws {
        var device = try wording.device()
        let message3 = try wording.message3("Z", "2")
        self.expectSpoofed(device.message1Received(message3, identifier: try identifier("2")), .reflected)
        try wording.offer(&device, "Z", "5", new: "2")
        self.expectSpoofed(device.message3Received(try wording.message1("Z", "5")), .reflected)
    }

    @Test(arguments: SessionWording.both)
    func aChangedCommandInMessage3EndsTheSession(_ wording: SessionWording) throws {
        let changes = [
            try command(50), SessionCommand(.delete, try command().path),
            SessionCommand(.write, try command().path, contentFormat: .text, payload: [49, 49]),
            SessionCommand(.write, try command().path, contentFormat: .opaque, payload: [49]),
            SessionCommand(.update, try command().path, contentFormat: .text, payload: [49]),
        ]
        for change in changes {
            var device = try wording.device()
            try wording.offer(&device, "Z", "5", new: "2")
            let honest = try wording.message3("Z", "2")
            let changed = SessionMessage(
                number: 3,
                command: try #require(change),
                gsid: honest.gsid,
                dsid: honest.dsid
            )
            self.expectSpoofed(device.message3Received(changed), .changedCommand)
            #expect(device.stateNumber == 0)
            #expect(device.message3Received(honest) == .refuse(.late), "the session is over")
            #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.notDone))
            #expect(device.counters.aborted == 1)
        }
    }

    @Test func aSwappedIdentifierEndsTheSession() throws {
        let long = SessionWording(form: .bothIdentifiers)
        for (gsid, dsid) in [("E", "2"), ("Y", "2"), ("Z", "5"), ("Z", "3")] {
            var device = try long.device()
            try long.offer(&device, "Z", "5", new: "2")
            self.expectSpoofed(device.message3Received(try long.message3(gsid, dsid)), .swappedIdentifier)
            #expect(device.message3Received(try long.message3("Z", "2")) == .refuse(.late))

            device = try long.device()
            try long.offer(&device, "Z", "5", new: "2")
            self.expectSpoofed(device.outcomeAsked(try long.pair(gsid, dsid)), .swappedIdentifier)
            #expect(device.stateNumber == 0)
        }
    }

    @Test(arguments: SessionWording.both)
    func identifiersOfNobodyAreABreachAndTheSessionGoesOn(_ wording: SessionWording) throws {
        var device = try wording.device()
        try wording.offer(&device, "Z", "5", new: "2")
        self.expectSpoofed(device.message3Received(try wording.message3("A", "9")), .wrongIdentifier)
        self.expectSpoofed(device.outcomeAsked(try wording.pair("A", "9")), .wrongIdentifier)
        #expect(device.message3Received(try wording.message3("Z", "2")) == .store(device.record))
    }

    @Test func aGuessedDSIDBeginsNoSession() throws {
        let long = SessionWording(form: .bothIdentifiers)
        var device = try long.device()
        for guess in ["9", "E", nil] {
            let message1 = try long.message1("A", guess)
            self.expectSpoofed(device.message1Received(message1, identifier: try identifier("2")), .wrongIdentifier)
        }
        #expect(device.record == (try long.device().record))
    }

    @Test("Two gateways at once: each learns the DSIDs of its own sessions only")
    func twoGatewaysAtOnceDoNotExecuteEachOthersCommands() throws {
        let short = SessionWording(form: .deviceIdentifier)
        var device = try short.device()
        try short.offer(&device, "", "", new: "2")
        // The other's message 1 takes the place of the session in progress.
        _ = device.message1Received(try short.message1("", nil, 50), identifier: try identifier("3"))
        _ = device.stored(now: now)
        #expect(device.message3Received(try short.message3("", "2")) == .refuse(.late))
        self.expectSpoofed(device.message3Received(try short.message3("", "3", 49)), .changedCommand)
        #expect(device.counters.completed == 0)
    }

    @Test func aSecondGatewayOfTheLongFormNeedsTheStateOfTheLastSession() throws {
        let long = SessionWording(form: .bothIdentifiers)
        var device = try long.device()
        try long.offer(&device, "Z", "5", new: "2")
        let stranger = device.message1Received(try long.message1("A", nil, 50), identifier: try identifier("3"))
        self.expectSpoofed(stranger, .wrongIdentifier)
        #expect(device.message3Received(try long.message3("Z", "2")) == .store(device.record), "the session goes on")
    }

    // MARK: On the gateway

    struct Spoof: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let breach: SessionBreach
        /// What is read in place of message 2, once as long as the session of Z and 2 is on.
        let bytes: @Sendable (SessionWording) throws -> [UInt8]

        static let all = [
            Spoof(testDescription: "a changed command", breach: .changedCommand) {
                try $0.message2("Z", "2", 50).encoded
            },
            Spoof(testDescription: "message 1 reflected", breach: .reflected) { try $0.message1("Z", "5").encoded },
            Spoof(testDescription: "message 3 of an old session", breach: .reflected) {
                try $0.message3("E", "5").encoded
            },
            Spoof(testDescription: "a replay with the established DSID", breach: .wrongIdentifier) {
                try $0.message2("Z", "5").encoded
            },
            Spoof(testDescription: "the other form", breach: .wrongIdentifier) { wording in
                let others = SessionWording.both.filter { $0.form != wording.form }
                return try others.first.map { try $0.message2("Z", "2").encoded } ?? []
            },
            Spoof(testDescription: "no message at all", breach: .changedCommand) { _ in [0xF6] },
            Spoof(testDescription: "nothing", breach: .changedCommand) { _ in [] },
        ]
    }

    @Test(arguments: SessionWording.both, Spoof.all)
    func aSpoofedMessage2EndsTheSessionBeforeMessage3(_ wording: SessionWording, _ spoof: Spoof) throws {
        var gateway = try wording.gateway()
        _ = gateway.begin(try command(), identifier: try identifier("Z"))
        _ = gateway.stored()
        _ = gateway.writeAnswered(.changed)
        #expect(gateway.message2Received(try spoof.bytes(wording)) == .finish(.notDone(.breach(spoof.breach))))
        #expect(spoof.breach.line == .spoofed)
        #expect(gateway.isIdle)
        #expect(gateway.record.stage == .none)
        #expect(gateway.record.dsid == (try cache(established: "5")))
        try wording.confirm(&gateway, "Y", "3")
    }

    @Test(arguments: ["E", "Y"])
    func aMessage2WithAnotherGSIDIsNotTheDevices(_ gsid: String) throws {
        let long = SessionWording(form: .bothIdentifiers)
        var gateway = try long.gateway()
        _ = gateway.begin(try command(), identifier: try identifier("Z"))
        _ = gateway.stored()
        _ = gateway.writeAnswered(.changed)
        #expect(
            gateway.message2Received(try long.message2(gsid, "2").encoded)
                == .finish(.notDone(.breach(.wrongIdentifier)))
        )
    }
}
