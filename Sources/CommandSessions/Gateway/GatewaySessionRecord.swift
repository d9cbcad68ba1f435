/// What a gateway must find again after a restart about the sessions with one device.
///
/// Of fixed size, whatever happens.
public struct GatewaySessionRecord: Equatable, Sendable {
    /// How far the session in progress may have come at the device.
    public enum Stage: UInt8, Hashable, Sendable {
        /// There is none.
        case none = 0
        /// Message 1 may have been sent, message 3 was not: the command was not executed.
        case offered = 1
        /// Message 3 may have been sent: only the device knows what became of the command.
        case confirmed = 2
    }

    /// The gateway's own identifiers; empty in the short form.
    public var gsid: IdentifierCache
    /// The device's.
    public var dsid: IdentifierCache
    /// How far the session in progress may have come.
    public var stage: Stage

    /// Creates a record; an empty one is that of a device with which there never was a session.
    public init(
        gsid: IdentifierCache = IdentifierCache(),
        dsid: IdentifierCache = IdentifierCache(),
        stage: Stage = .none
    ) {
        self.gsid = gsid
        self.dsid = dsid
        self.stage = stage
    }

    /// The identifiers of a session whose message 3 may have been sent.
    ///
    /// Its GSID came back in message 2 and is established; its DSID is so once it is known that message 3 came.
    var confirmedPair: SessionPair? {
        guard self.stage == .confirmed else { return nil }
        return self.dsid.provisional.map { SessionPair(gsid: self.gsid.established, dsid: $0) }
    }
}
