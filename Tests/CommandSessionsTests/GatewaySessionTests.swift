import CoAPMessages
import CommandSessions
import Primitives
import Testing

@Suite struct GatewaySessionTests {
    @Test func theShortFormGivesBackOnlyTheDSID() throws {
        let short = SessionWording(form: .deviceIdentifier)
        var gateway = try short.gateway()
        #expect(gateway.begin(try command(), identifier: try identifier("Z")) == .store(gateway.record))
        #expect(gateway.record.stage == .offered)
        #expect(gateway.record.gsid == IdentifierCache())
        let message1 = SessionMessage(number: 1, command: try command(), gsid: nil, dsid: nil)
        #expect(gateway.stored() == .sendMessage1(message1))
        #expect(gateway.writeAnswered(.changed) == .readMessage2)
        let message2 = SessionMessage(number: 2, command: try command(), gsid: nil, dsid: try identifier("2"))
        #expect(gateway.message2Received(message2.encoded) == .store(gateway.record))
        #expect(gateway.record.stage == .confirmed)
        #expect(gateway.record.dsid == (try cache(established: "5", provisional: "2")))
        let message3 = SessionMessage(number: 3, command: try command(), gsid: nil, dsid: try identifier("2"))
        #expect(gateway.stored() == .sendMessage3(message3))
        #expect(gateway.writeAnswered(.changed) == .store(gateway.record))
        #expect(gateway.record == GatewaySessionRecord(dsid: try cache(established: "2")))
        #expect(gateway.stored() == .finish(.done(.changed)))
        #expect(gateway.isIdle)
    }

    @Test("A code that is not 2.04 may be a refusal or the command's own", arguments: SessionWording.both)
    func anotherAnswerToMessage3MakesItAsk(_ wording: SessionWording) throws {
        for code in [CoAPCode.created, .forbidden, .conflict, .internalServerError, .notFound] {
            var gateway = try wording.gateway()
            try wording.confirm(&gateway, "Z", "2")
            #expect(gateway.writeAnswered(code) == .sendOutcomeQuery(try wording.pair("Z", "2")))
            #expect(gateway.writeAnswered(.changed) == .readOutcome)
            #expect(gateway.outcomeReceived(try wording.report(.done(code), "Z", "2")) == .store(gateway.record))
            #expect(gateway.ending == .done(code))
            #expect(gateway.record.dsid == (try cache(established: "2")))
            #expect(gateway.stored() == .finish(.done(code)))
            #expect(gateway.ending == nil)
        }
    }

    struct Told: Sendable, CustomTestStringConvertible {
        let outcome: SessionOutcome
        let end: GatewaySessionMachine.End
        /// The DSID that the next session gives back: message 3 has established the new one, or has not.
        let established: String

        var testDescription: String { "\(self.outcome)" }

        static let all = [
            Told(outcome: .notDone, end: .notDone(.notExecuted), established: "5"),
            Told(outcome: .done(.deleted), end: .done(.deleted), established: "2"),
            Told(outcome: .unknown, end: .unknown, established: "2"),
        ]
    }

    @Test(arguments: SessionWording.both, Told.all)
    func whatTheDeviceTellsEndsTheSession(_ wording: SessionWording, _ told: Told) throws {
        var gateway = try wording.gateway()
        try wording.confirm(&gateway, "Z", "2")
        _ = gateway.unanswered()
        _ = gateway.resume()
        _ = gateway.writeAnswered(.changed)
        #expect(gateway.outcomeReceived(try wording.report(told.outcome, "Z", "2")) == .store(gateway.record))
        #expect(gateway.ending == told.end)
        #expect(gateway.record.stage == .none)
        #expect(gateway.stored() == .finish(told.end))

        _ = gateway.begin(try command(50), identifier: try identifier("Y"))
        #expect(gateway.stored() == .sendMessage1(try wording.message1("Y", told.established, 50)))
    }

    @Test(arguments: SessionWording.both)
    func aCommandThatIsBeingExecutedIsAskedForLater(_ wording: SessionWording) throws {
        var gateway = try wording.gateway()
        try wording.confirm(&gateway, "Z", "2")
        #expect(gateway.unanswered() == .wait(.unanswered))
        #expect(gateway.isWaiting)
        #expect(gateway.begin(try command(), identifier: try identifier("Y")) == .none, "one command at a time")
        #expect(gateway.resume() == .sendOutcomeQuery(try wording.pair("Z", "2")))
        #expect(gateway.writeAnswered(.changed) == .readOutcome)
        #expect(gateway.outcomeReceived(try wording.report(.executing, "Z", "2")) == .wait(.executing))
        #expect(gateway.resume() == .sendOutcomeQuery(try wording.pair("Z", "2")))
        #expect(gateway.unanswered() == .wait(.unanswered))
        #expect(gateway.resume() == .sendOutcomeQuery(try wording.pair("Z", "2")))
        #expect(gateway.writeAnswered(.serviceUnavailable) == .wait(.refused(.serviceUnavailable)))
        _ = gateway.resume()
        _ = gateway.writeAnswered(.changed)
        #expect(gateway.readRefused(.notFound) == .wait(.refused(.notFound)))
        _ = gateway.resume()
        _ = gateway.writeAnswered(.changed)
        #expect(gateway.unanswered() == .wait(.unanswered))
        _ = gateway.resume()
        _ = gateway.writeAnswered(.changed)
        #expect(gateway.outcomeReceived([0xF6]) == .wait(.refused(.badRequest)))
        #expect(gateway.record.stage == .confirmed)
    }

    @Test("A copy of an older question came between", arguments: SessionWording.both)
    func theOutcomeOfAnotherSessionIsNotItsOwn(_ wording: SessionWording) throws {
        var gateway = try wording.gateway()
        try wording.confirm(&gateway, "Z", "2")
        _ = gateway.unanswered()
        _ = gateway.resume()
        _ = gateway.writeAnswered(.changed)
        #expect(gateway.outcomeReceived(try wording.report(.notDone, "E", "5")) == .wait(.overtaken))
        #expect(gateway.resume() == .sendOutcomeQuery(try wording.pair("Z", "2")))
    }

    static let refusals: [CoAPCode] = [.unauthorized, .forbidden, .notFound, .serviceUnavailable, .content]

    @Test(arguments: SessionWording.both, refusals)
    func withoutMessage2NothingIsDone(_ wording: SessionWording, _ code: CoAPCode) throws {
        var gateway = try wording.gateway()
        _ = gateway.begin(try command(), identifier: try identifier("Z"))
        _ = gateway.stored()
        #expect(gateway.writeAnswered(code) == .finish(.notDone(.refused(code))))
        #expect(gateway.isIdle)

        _ = gateway.begin(try command(), identifier: try identifier("Y"))
        _ = gateway.stored()
        _ = gateway.writeAnswered(.changed)
        #expect(gateway.readRefused(code) == .finish(.notDone(.refused(code))))
        #expect(gateway.record.stage == .none)
    }

    @Test(arguments: SessionWording.both)
    func beforeMessage3NoAnswerMeansNotDone(_ wording: SessionWording) throws {
        var gateway = try wording.gateway()
        _ = gateway.begin(try command(), identifier: try identifier("Z"))
        _ = gateway.stored()
        #expect(gateway.unanswered() == .finish(.notDone(.unanswered)))
        _ = gateway.begin(try command(), identifier: try identifier("Y"))
        #expect(gateway.stored() == .sendMessage1(try wording.message1("Y", "5")))
        _ = gateway.writeAnswered(.changed)
        #expect(gateway.unanswered() == .finish(.notDone(.unanswered)))
        #expect(gateway.isIdle)
        try wording.confirm(&gateway, "X", "2")
    }

    @Test func aGSIDIsNotUsedAgain() throws {
        var gateway = try SessionWording(form: .bothIdentifiers).gateway()
        #expect(
            gateway.begin(try command(), identifier: try identifier("E"))
                == .finish(.notDone(.breach(.wrongIdentifier)))
        )
        #expect(gateway.isIdle)
        _ = gateway.begin(try command(), identifier: try identifier("Z"))
        _ = gateway.stored()
        _ = gateway.unanswered()
        #expect(
            gateway.begin(try command(), identifier: try identifier("Z"))
                == .finish(.notDone(.breach(.wrongIdentifier)))
        )
    }

    @Test func theShortFormTakesNothingFromTheGSIDsOfTheOther() throws {
        let (long, short) = (SessionWording(form: .bothIdentifiers), SessionWording(form: .deviceIdentifier))
        var gateway = try short.gateway(long.gateway().record)
        try short.confirm(&gateway, "", "2")
        gateway = try short.gateway(gateway.record)
        #expect(gateway.resume() == .sendOutcomeQuery(try short.pair("", "2")))
    }
}
