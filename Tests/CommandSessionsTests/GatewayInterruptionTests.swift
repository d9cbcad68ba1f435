import CoAPMessages
import CommandSessions
import Primitives
import Testing

/// Restarts from the stored record at every step, and stores that fail.
@Suite struct GatewayInterruptionTests {
    @Test(arguments: SessionWording.both)
    func beforeMessage3ARestartLeavesNothingToAskFor(_ wording: SessionWording) throws {
        var gateway = try wording.gateway()
        #expect(try wording.gateway(gateway.record).isIdle)
        _ = gateway.begin(try command(), identifier: try identifier("Z"))
        let restarted = try wording.gateway(gateway.record)
        #expect(restarted.isIdle)
        #expect(restarted.record.stage == .none)

        _ = gateway.stored()
        _ = gateway.writeAnswered(.changed)
        var again = try wording.gateway(gateway.record)
        #expect(again.isIdle)
        #expect(again.resume() == .none)
        _ = again.begin(try command(), identifier: try identifier("Y"))
        #expect(again.stored() == .sendMessage1(try wording.message1("Y", "5")))
    }

    @Test("Message 3 may have been sent, or not", arguments: SessionWording.both)
    func onceMessage3MayBeSentARestartAsksForTheOutcome(_ wording: SessionWording) throws {
        var gateway = try wording.gateway()
        _ = gateway.begin(try command(), identifier: try identifier("Z"))
        _ = gateway.stored()
        _ = gateway.writeAnswered(.changed)
        _ = gateway.message2Received(try wording.message2("Z", "2").encoded)
        let record = gateway.record
        for _ in 0..<2 {
            var restarted = try wording.gateway(record)
            #expect(restarted.isWaiting)
            #expect(!restarted.isIdle)
            #expect(restarted.resume() == .sendOutcomeQuery(try wording.pair("Z", "2")))
        }
        var restarted = try wording.gateway(record)
        _ = restarted.resume()
        _ = restarted.writeAnswered(.changed)
        #expect(restarted.outcomeReceived(try wording.report(.notDone, "Z", "2")) == .store(restarted.record))
        #expect(restarted.stored() == .finish(.notDone(.notExecuted)))
    }

    @Test("With the record that has no session any more the owner stores the end", arguments: SessionWording.both)
    func theEndIsKnownBeforeItsRecordIsStored(_ wording: SessionWording) throws {
        var gateway = try wording.gateway()
        try wording.confirm(&gateway, "Z", "2")
        #expect(gateway.ending == nil)
        guard case .store(let record) = gateway.writeAnswered(.changed) else {
            Issue.record("the end is stored")
            return
        }
        #expect(gateway.ending == .done(.changed))
        // Whoever comes up with this record has nobody left to ask.
        let restarted = try wording.gateway(record)
        #expect(restarted.isIdle)
        #expect(restarted.ending == nil)
    }

    @Test(arguments: SessionWording.both)
    func withoutItsRecordInStorageNoMessageIsSent(_ wording: SessionWording) throws {
        var gateway = try wording.gateway()
        _ = gateway.begin(try command(), identifier: try identifier("Z"))
        #expect(gateway.storageFailed() == .finish(.notDone(.notStored)))
        #expect(gateway.isIdle)

        _ = gateway.begin(try command(), identifier: try identifier("Y"))
        _ = gateway.stored()
        _ = gateway.writeAnswered(.changed)
        let before = gateway.record
        _ = gateway.message2Received(try wording.message2("Y", "2").encoded)
        #expect(gateway.storageFailed() == .finish(.notDone(.notStored)))
        #expect(gateway.record.dsid == before.dsid)
        #expect(gateway.record.gsid == before.gsid)
        #expect(gateway.record.stage == .none)
        try wording.confirm(&gateway, "X", "3")
    }

    @Test(arguments: SessionWording.both)
    func anEndThatWasNotStoredIsAskedForAgainAfterARestart(_ wording: SessionWording) throws {
        var gateway = try wording.gateway()
        try wording.confirm(&gateway, "Z", "2")
        let stored = gateway.record
        _ = gateway.writeAnswered(.changed)
        #expect(gateway.storageFailed() == .finish(.done(.changed)))
        #expect(gateway.isIdle)
        var restarted = try wording.gateway(stored)
        #expect(restarted.resume() == .sendOutcomeQuery(try wording.pair("Z", "2")))
    }
}
