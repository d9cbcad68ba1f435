import CoAPMessages
import CommandSessions
import Primitives
import Testing

extension DeviceSessionMachine.Counters {
    /// Completed, aborted, late.
    var numbers: [UInt64] { [self.completed, self.aborted, self.late] }
}

@Suite struct DeviceSessionTests {
    @Test func theShortFormTakesOnlyADSID() throws {
        let short = SessionWording(form: .deviceIdentifier)
        var device = DeviceSessionMachine(form: .deviceIdentifier)
        let message1 = SessionMessage(number: 1, command: try command(), gsid: nil, dsid: nil)
        #expect(device.message1Received(message1, identifier: try identifier("2")) == .store(device.record))
        #expect(device.record == DeviceSessionRecord(dsid: try cache(established: nil, provisional: "2")))
        #expect(device.message2 == nil)
        #expect(device.stored(now: now) == .acceptMessage1)
        #expect(
            device.message2 == SessionMessage(number: 2, command: try command(), gsid: nil, dsid: try identifier("2"))
        )
        #expect(device.message3Received(try short.message3("Z", "2")) == .store(device.record))
        #expect(device.record.dsid == (try cache(established: "2")))
        #expect(device.record.gsid == IdentifierCache())
        #expect(device.record.lastExecution == .init(pair: try short.pair("Z", "2"), outcome: .executing))
        #expect(device.stored(now: now) == .execute(try command()))
        #expect(device.executed(.done(.notFound)) == .store(device.record))
        #expect(device.record.lastExecution?.outcome == .done(.notFound))
        #expect(device.stored(now: now) == .answer(.done(.notFound)))
        #expect(device.counters.numbers == [1, 0, 0])
    }

    @Test func aFirstSessionHasNoDSIDToGiveBack() throws {
        let long = SessionWording(form: .bothIdentifiers)
        var device = DeviceSessionMachine(form: .bothIdentifiers)
        let stranger = device.message1Received(try long.message1("Z", "5"), identifier: try identifier("2"))
        #expect(stranger == .refuse(.breach(.wrongIdentifier)))
        #expect(
            device.message1Received(try long.message1("Z", nil), identifier: try identifier("2"))
                == .store(device.record)
        )
        #expect(device.stored(now: now) == .acceptMessage1)
        // Message 2 was lost, and nothing is established yet.
        _ = device.deadlineReached(now: seconds(60))
        #expect(
            device.message1Received(try long.message1("Y", nil), identifier: try identifier("3"))
                == .store(device.record)
        )
        _ = device.stored(now: now)
        _ = device.message3Received(try long.message3("Y", "3"))
        #expect(device.stored(now: now) == .execute(try command()))
        _ = device.executed(.done(.changed))
        _ = device.stored(now: now)
        let again = device.message1Received(try long.message1("X", nil), identifier: try identifier("4"))
        #expect(again == .refuse(.breach(.wrongIdentifier)))
    }

    @Test(arguments: SessionWording.both)
    func aRepeatedMessage1IsAnsweredAgainAndChangesNothing(_ wording: SessionWording) throws {
        var device = try wording.device()
        let message1 = try wording.message1("Z", "5")
        _ = device.message1Received(message1, identifier: try identifier("2"))
        #expect(device.message1Received(message1, identifier: try identifier("3")) == .refuse(.busy), "not stored yet")
        _ = device.stored(now: now)
        let before = device.record
        #expect(device.message1Received(message1, identifier: try identifier("3")) == .acceptMessage1)
        #expect(device.record == before)
        #expect(device.message2 == (try wording.message2("Z", "2")))
        #expect(device.nextDeadline == seconds(60), "a repeat gains no time")
    }

    @Test(arguments: SessionWording.both)
    func aRepeatedMessage3IsToldTheOutcome(_ wording: SessionWording) throws {
        var device = try wording.device()
        try wording.offer(&device, "Z", "5", new: "2")
        let message3 = try wording.message3("Z", "2")
        #expect(device.message3Received(message3) == .store(device.record))
        #expect(device.message3Received(message3) == .refuse(.busy))
        #expect(device.stored(now: now) == .execute(try command()))
        #expect(device.message3Received(message3) == .refuse(.busy))
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.executing))
        #expect(device.executed(.done(.created)) == .store(device.record))
        #expect(device.message3Received(message3) == .answer(.done(.created)))
        #expect(device.stored(now: now) == .answer(.done(.created)))
        #expect(device.message3Received(message3) == .answer(.done(.created)))
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.done(.created)))
        #expect(device.counters.numbers == [1, 0, 0])
    }

    @Test(arguments: SessionWording.both)
    func aCommandThatWasNotBegunLeavesTheIdentifiersAsTheyWere(_ wording: SessionWording) throws {
        var device = try wording.device()
        try wording.offer(&device, "Z", "5", new: "2")
        let before = device.record
        let message3 = try wording.message3("Z", "2")
        _ = device.message3Received(message3)
        _ = device.stored(now: now)
        #expect(device.executed(.notDone) == .store(before))
        #expect(device.stored(now: now) == .answer(.notDone))
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.notDone))
        #expect(device.message3Received(message3) == .refuse(.late))
        #expect(device.counters.numbers == [0, 1, 1])
        try wording.offer(&device, "Y", "5", new: "3")
    }

    @Test(arguments: SessionWording.both)
    func aSessionEndsAtItsDeadlineAndMessage3IsLate(_ wording: SessionWording) throws {
        var device = try wording.device()
        #expect(device.nextDeadline == nil)
        try wording.offer(&device, "Z", "5", new: "2")
        #expect(device.nextDeadline == seconds(60))
        let ended = [59, 60, 61].map { device.deadlineReached(now: seconds($0)) }
        #expect(ended == [false, true, false])
        #expect(device.nextDeadline == nil)
        #expect(device.message2 == nil)
        #expect(device.message3Received(try wording.message3("Z", "2")) == .refuse(.late))
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.notDone))
        #expect(device.counters.numbers == [0, 1, 1])
    }

    @Test(arguments: SessionWording.both)
    func aNewSessionTakesThePlaceOfTheOneInProgress(_ wording: SessionWording) throws {
        var device = try wording.device()
        try wording.offer(&device, "Z", "5", new: "2")
        let other = try wording.message1("Y", "5", 50)
        #expect(device.message1Received(other, identifier: try identifier("3")) == .store(device.record))
        #expect(device.record.superseded == .init(pair: try wording.pair("Z", "2"), outcome: .notDone))
        #expect(device.record.gsid == (try wording.gsids("E", "Y")))
        #expect(device.record.dsid == (try cache(established: "5", provisional: "3")))
        #expect(device.stored(now: now) == .acceptMessage1)
        #expect(device.message2 == (try wording.message2("Y", "3", 50)))

        #expect(device.message3Received(try wording.message3("Z", "2")) == .refuse(.late))
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.notDone))
        #expect(device.message3Received(try wording.message3("Y", "3", 50)) == .store(device.record))
        #expect(device.stored(now: now) == .execute(try command(50)))
        #expect(device.counters.numbers == [0, 1, 1])
    }

    @Test(arguments: SessionWording.both)
    func whoAsksForTheOutcomeOfTheSessionInProgressEndsIt(_ wording: SessionWording) throws {
        var device = try wording.device()
        try wording.offer(&device, "Z", "5", new: "2")
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.notDone))
        #expect(device.message2 == nil)
        #expect(device.message3Received(try wording.message3("Z", "2")) == .refuse(.late), "not done stays true")
        #expect(device.counters.numbers == [0, 1, 1])
    }

    @Test("Only the established DSID begins a session: the one of a session that was not done proves nothing")
    func message1GivesBackTheEstablishedDSID() throws {
        let long = SessionWording(form: .bothIdentifiers)
        var device = try long.device()
        try long.offer(&device, "Z", "5", new: "2")
        _ = device.deadlineReached(now: seconds(60))
        let refused = try long.message1("Y", "2")
        let breach = DeviceSessionMachine.Action.refuse(.breach(.wrongIdentifier))
        #expect(device.message1Received(refused, identifier: try identifier("3")) == breach)
        try long.offer(&device, "Y", "5", new: "3")
        #expect(device.record.dsid == (try cache(established: "5", provisional: "3")))
        #expect(device.record.gsid == (try long.gsids("E", "Y")))
        #expect(device.record.superseded == .init(pair: try long.pair("Z", "2"), outcome: .notDone))
        #expect(device.message3Received(try long.message3("Y", "3")) == .store(device.record))
    }

    @Test("Message 1 with a GSID that is known is late: each gets one session, also after a restart")
    func aLateCopyOfMessage1BeginsNoSession() throws {
        let long = SessionWording(form: .bothIdentifiers)
        var device = try long.device()
        try long.offer(&device, "Z", "5", new: "2")
        device = try long.device(device.record)
        #expect(device.message1Received(try long.message1("Z", "5"), identifier: try identifier("3")) == .refuse(.late))
        #expect(device.message3Received(try long.message3("Z", "2")) == .refuse(.late))
        try long.offer(&device, "Y", "5", new: "3")
        #expect(device.message1Received(try long.message1("Z", "5"), identifier: try identifier("4")) == .refuse(.late))
        #expect(device.message3Received(try long.message3("Y", "3")) == .store(device.record))
        _ = device.stored(now: now)
        _ = device.executed(.done(.changed))
        _ = device.stored(now: now)
        #expect(device.message1Received(try long.message1("Y", "5"), identifier: try identifier("4")) == .refuse(.late))
        #expect(device.counters.late == 4)
    }

    @Test("The session before the newest is known with its outcome, also when it was done")
    func whatIsLateOfTheLastButOne() throws {
        let long = SessionWording(form: .bothIdentifiers)
        var device = try long.device()
        for (gsid, known, dsid) in [("Z", "5", "2"), ("Y", "2", "3")] {
            try long.offer(&device, gsid, known, new: dsid)
            _ = device.message3Received(try long.message3(gsid, dsid))
            _ = device.stored(now: now)
            _ = device.executed(.done(.changed))
            _ = device.stored(now: now)
        }
        #expect(device.message3Received(try long.message3("Z", "2")) == .answer(.done(.changed)))
        #expect(device.outcomeAsked(try long.pair("Z", "2")) == .answer(.done(.changed)))
    }

    @Test(arguments: SessionWording.both)
    func tellsItsStateAsANumber(_ wording: SessionWording) throws {
        var device = try wording.device()
        #expect(device.stateNumber == 0)
        _ = device.message1Received(try wording.message1("Z", "5"), identifier: try identifier("2"))
        #expect(device.stateNumber == 0)
        _ = device.stored(now: now)
        #expect(device.stateNumber == 1)
        _ = device.message3Received(try wording.message3("Z", "2"))
        #expect(device.stateNumber == 2)
        _ = device.stored(now: now)
        #expect(device.stateNumber == 2)
        _ = device.executed(.done(.changed))
        #expect(device.stateNumber == 2)
        _ = device.stored(now: now)
        #expect(device.stateNumber == 0)
    }

    @Test(arguments: SessionWording.both)
    func messagesOfTheOtherFormAreMalformed(_ wording: SessionWording) throws {
        let others = try #require(SessionWording.both.first { $0.form != wording.form })
        var device = try wording.device()
        let message1 = try others.message1("Z", "5")
        #expect(device.message1Received(message1, identifier: try identifier("2")) == .refuse(.malformed))
        try wording.offer(&device, "Z", "5", new: "2")
        #expect(device.message3Received(try others.message3("Z", "2")) == .refuse(.malformed))
        #expect(device.outcomeAsked(try others.pair("Z", "2")) == .refuse(.malformed))
        let without = SessionMessage(number: 3, command: try command(), gsid: try identifier("Z"), dsid: nil)
        #expect(device.message3Received(without) == .refuse(.malformed))
        #expect(device.message2 != nil, "the session goes on")
    }

    @Test func theShortFormTakesNothingFromTheGSIDsOfTheOther() throws {
        let (long, short) = (SessionWording(form: .bothIdentifiers), SessionWording(form: .deviceIdentifier))
        var device = try long.device()
        try long.offer(&device, "Z", "5", new: "2")
        device = try short.device(device.record)
        #expect(device.record.gsid == IdentifierCache())
        try short.offer(&device, "", "", new: "3")
        _ = device.deadlineReached(now: seconds(60))
        #expect(device.message3Received(try short.message3("", "3")) == .refuse(.late))
        #expect(device.outcomeAsked(try short.pair("", "3")) == .answer(.notDone))
    }

    @Test(
        "A command that changes the form is told its outcome in the form of its session",
        arguments: SessionWording.both
    )
    func theOutcomeOfASessionOfTheOtherForm(_ wording: SessionWording) throws {
        let others = try #require(SessionWording.both.first { $0.form != wording.form })
        var device = try wording.device()
        try wording.offer(&device, "Z", "5", new: "2")
        _ = device.message3Received(try wording.message3("Z", "2"))
        _ = device.stored(now: now)
        _ = device.executed(.done(.changed))
        device.form = others.form
        _ = device.stored(now: now)
        for var device in [device, try others.device(device.record)] {
            #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.done(.changed)))
            #expect(device.message3Received(try wording.message3("Z", "2")) == .answer(.done(.changed)))
            #expect(device.message3Received(try wording.message3("Y", "3")) == .refuse(.malformed))
            #expect(device.outcomeAsked(try wording.pair("Y", "3")) == .refuse(.malformed))
        }
    }
}
