import CoAPMessages
import CommandSessions
import LwM2MModel
import Primitives
import Testing

/// The command of a session, or another one.
func command(_ payload: UInt8 = 49) throws -> SessionCommand {
    try #require(SessionCommand(.write, ObjectPath(3303, 0, 5601), contentFormat: .text, payload: [payload]))
}

/// Messages and records in one of the forms, by the names of their identifiers; the short form drops the gateway's.
struct SessionWording: Sendable, CustomTestStringConvertible {
    let form: SessionForm

    var testDescription: String { "\(self.form)" }

    static let both = SessionForm.allCases.map(SessionWording.init)

    private func gsid(_ name: String?) throws -> SessionIdentifier? {
        self.form == .bothIdentifiers ? try name.map(identifier) : nil
    }

    func message1(_ gsid: String, _ dsid: String?, _ payload: UInt8 = 49) throws -> SessionMessage {
        SessionMessage(
            number: 1,
            command: try command(payload),
            gsid: try self.gsid(gsid),
            dsid: self.form == .bothIdentifiers ? try dsid.map(identifier) : nil
        )
    }

    func message2(_ gsid: String, _ dsid: String, _ payload: UInt8 = 49) throws -> SessionMessage {
        try self.message(2, gsid, dsid, payload)
    }

    func message3(_ gsid: String, _ dsid: String, _ payload: UInt8 = 49) throws -> SessionMessage {
        try self.message(3, gsid, dsid, payload)
    }

    private func message(_ number: UInt8, _ gsid: String, _ dsid: String, _ payload: UInt8) throws -> SessionMessage {
        SessionMessage(
            number: number,
            command: try command(payload),
            gsid: try self.gsid(gsid),
            dsid: try identifier(dsid)
        )
    }

    func pair(_ gsid: String, _ dsid: String) throws -> SessionPair {
        SessionPair(gsid: try self.gsid(gsid), dsid: try identifier(dsid))
    }

    func report(_ outcome: SessionOutcome, _ gsid: String, _ dsid: String) throws -> [UInt8] {
        SessionReport(outcome, of: try self.pair(gsid, dsid)).encoded
    }

    func gsids(_ established: String?, _ provisional: String? = nil) throws -> IdentifierCache {
        IdentifierCache(established: try self.gsid(established), provisional: try self.gsid(provisional))
    }

    /// The device of the figure: GSID cache E, DSID cache 5.
    func device(_ record: DeviceSessionRecord? = nil) throws -> DeviceSessionMachine {
        let figure = DeviceSessionRecord(gsid: try self.gsids("E"), dsid: try cache(established: "5"))
        return DeviceSessionMachine(form: self.form, timeout: .seconds(60), record: record ?? figure)
    }

    /// The gateway of the figure, with the same caches.
    func gateway(_ record: GatewaySessionRecord? = nil) throws -> GatewaySessionMachine {
        let figure = GatewaySessionRecord(gsid: try self.gsids("E"), dsid: try cache(established: "5"))
        return GatewaySessionMachine(form: self.form, record: record ?? figure)
    }

    /// Brings a device to where message 2 can be read.
    func offer(_ device: inout DeviceSessionMachine, _ gsid: String, _ dsid: String, new: String) throws {
        _ = device.message1Received(try self.message1(gsid, dsid), identifier: try identifier(new))
        try #require(device.stored(now: now) == .acceptMessage1)
    }

    /// Brings a device through a session.
    func complete(_ device: inout DeviceSessionMachine, _ gsid: String, _ dsid: String, new: String) throws {
        try self.offer(&device, gsid, dsid, new: new)
        _ = device.message3Received(try self.message3(gsid, new))
        try #require(device.stored(now: now) == .execute(try command()))
        _ = device.executed(.done(.changed))
        try #require(device.stored(now: now) == .answer(.done(.changed)))
    }

    /// Brings a gateway to where message 3 may have been sent.
    func confirm(_ gateway: inout GatewaySessionMachine, _ gsid: String, _ dsid: String) throws {
        _ = gateway.begin(try command(), identifier: try identifier(gsid))
        _ = gateway.stored()
        _ = gateway.writeAnswered(.changed)
        _ = gateway.message2Received(try self.message2(gsid, dsid).encoded)
        try #require(gateway.stored() == .sendMessage3(try self.message3(gsid, dsid)))
    }
}

func seconds(_ seconds: Int64) -> MonotonicTime { now.advanced(by: .seconds(seconds)) }
