import CoAPMessages
import CommandSessions
import Primitives
import Testing

/// Both sides after troubles that once kept them apart: the shortest course of each.
@Suite struct RecoveryTests {
    /// A session that neither side disturbs; true when the command was executed.
    private static func complete(
        _ gateway: inout GatewaySessionMachine,
        _ device: inout DeviceSessionMachine,
        gsid: String,
        dsid: String
    ) throws -> Bool {
        _ = gateway.begin(try command(), identifier: try identifier(gsid))
        guard case .sendMessage1(let message1) = gateway.stored() else { return false }
        // In the short form the same command is a repeat of the session that a copy of message 1 has begun.
        var answer = device.message1Received(message1, identifier: try identifier(dsid))
        if case .store = answer { answer = device.stored(now: now) }
        guard answer == .acceptMessage1, let message2 = device.message2 else { return false }
        _ = gateway.writeAnswered(.changed)
        _ = gateway.message2Received(message2.encoded)
        guard case .sendMessage3(let message3) = gateway.stored() else { return false }
        _ = device.message3Received(message3)
        guard case .execute = device.stored(now: now) else { return false }
        _ = device.executed(.done(.changed))
        guard device.stored(now: now) == .answer(.done(.changed)) else { return false }
        _ = gateway.writeAnswered(.changed)
        return gateway.stored() == .finish(.done(.changed))
    }

    /// Message 3 is lost, the gateway asks, and nothing was done.
    private static func loseMessage3(
        _ wording: SessionWording,
        _ gateway: inout GatewaySessionMachine,
        _ device: inout DeviceSessionMachine
    ) throws {
        _ = gateway.unanswered()
        guard case .sendOutcomeQuery(let pair) = gateway.resume() else { return }
        #expect(device.outcomeAsked(pair) == .answer(.notDone))
        _ = gateway.writeAnswered(.changed)
        _ = gateway.outcomeReceived(SessionReport(.notDone, of: pair).encoded)
        #expect(gateway.stored() == .finish(.notDone(.notExecuted)))
    }

    @Test(arguments: SessionWording.both)
    func aCopyOfMessage1AfterTheSessionDoesNotKeepTheSidesApart(_ wording: SessionWording) throws {
        var (gateway, device) = (try wording.gateway(), try wording.device())
        try wording.confirm(&gateway, "Z", "2")
        try wording.offer(&device, "Z", "5", new: "2")
        _ = device.deadlineReached(now: seconds(60))
        if wording.form == .bothIdentifiers {
            let copy = try wording.message1("Z", "5")
            #expect(device.message1Received(copy, identifier: try identifier("3")) == .refuse(.late))
        } else {
            try wording.offer(&device, "Z", "5", new: "3")
        }
        try Self.loseMessage3(wording, &gateway, &device)
        #expect(try Self.complete(&gateway, &device, gsid: "Y", dsid: "4"))
    }

    @Test("Somebody puts the DSID of message 3 into a message 1")
    func aChangedMessage1DoesNotKeepTheSidesApart() throws {
        let long = SessionWording(form: .bothIdentifiers)
        var (gateway, device) = (try long.gateway(), try long.device())
        try long.confirm(&gateway, "Z", "2")
        try long.offer(&device, "Z", "5", new: "2")
        let changed = try long.message1("A", "2")
        #expect(device.message1Received(changed, identifier: try identifier("3")) == .refuse(.breach(.wrongIdentifier)))
        try Self.loseMessage3(long, &gateway, &device)
        #expect(try Self.complete(&gateway, &device, gsid: "Y", dsid: "4"))
    }

    @Test(arguments: SessionWording.both)
    func aDeviceThatExecutedIsFoundAgainByAGatewayThatDoesNotKnowHow(_ wording: SessionWording) throws {
        var (gateway, device) = (try wording.gateway(), try wording.device())
        try wording.confirm(&gateway, "Z", "2")
        try wording.offer(&device, "Z", "5", new: "2")
        _ = device.message3Received(try wording.message3("Z", "2"))
        device = try wording.device(device.record)
        gateway = try wording.gateway(gateway.record)
        _ = gateway.resume()
        #expect(device.outcomeAsked(try wording.pair("Z", "2")) == .answer(.unknown))
        _ = gateway.writeAnswered(.changed)
        _ = gateway.outcomeReceived(try wording.report(.unknown, "Z", "2"))
        #expect(gateway.stored() == .finish(.unknown))
        #expect(try Self.complete(&gateway, &device, gsid: "Y", dsid: "4"))
    }

    @Test("An old message 2, with a command that comes again, in the form without GSIDs")
    func anExecutedSessionIsNotTakenForTheNextOfTheSameCommand() throws {
        let short = SessionWording(form: .deviceIdentifier)
        var (gateway, device) = (try short.gateway(), try short.device())
        let old = try short.message2("", "1").encoded
        #expect(try Self.complete(&gateway, &device, gsid: "", dsid: "1"))
        // A session in between that came to nothing must not make the gateway forget the executed one.
        try short.confirm(&gateway, "", "2")
        try short.offer(&device, "", "", new: "2")
        try Self.loseMessage3(short, &gateway, &device)
        try short.confirm(&gateway, "", "3")
        try short.offer(&device, "", "", new: "3")
        try Self.loseMessage3(short, &gateway, &device)
        _ = gateway.begin(try command(), identifier: try identifier("Z"))
        _ = gateway.stored()
        _ = gateway.writeAnswered(.changed)
        #expect(gateway.message2Received(old) == .finish(.notDone(.breach(.wrongIdentifier))))
    }
}
