/// What a device must find again after a restart: two caches, the last session that executed, and one that it gave up.
///
/// Of fixed size, whatever happens.
public struct DeviceSessionRecord: Equatable, Sendable {
    /// A session whose command was executed, or was about to be.
    public struct Execution: Equatable, Sendable {
        /// Its identifiers.
        public let pair: SessionPair
        /// ``SessionOutcome/executing`` from before the command runs until its outcome is stored.
        public var outcome: SessionOutcome

        /// Creates an execution.
        public init(pair: SessionPair, outcome: SessionOutcome) {
            self.pair = pair
            self.outcome = outcome
        }
    }

    /// The gateway's identifiers; empty in the short form.
    public var gsid: IdentifierCache
    /// The device's own.
    public var dsid: IdentifierCache
    /// The last session that came to its command.
    public var lastExecution: Execution?
    /// A session that a newer one took the place of, so that what is still on its way from it is known as late.
    public var superseded: SessionPair?

    /// Creates a record; an empty one is that of a device that never had a session.
    public init(
        gsid: IdentifierCache = IdentifierCache(),
        dsid: IdentifierCache = IdentifierCache(),
        lastExecution: Execution? = nil,
        superseded: SessionPair? = nil
    ) {
        self.gsid = gsid
        self.dsid = dsid
        self.lastExecution = lastExecution
        self.superseded = superseded
    }

    /// The identifiers of the session since the last one that was completed.
    var provisionalPair: SessionPair? {
        self.dsid.provisional.map { SessionPair(gsid: self.gsid.provisional, dsid: $0) }
    }

    var establishedPair: SessionPair? {
        self.dsid.established.map { SessionPair(gsid: self.gsid.established, dsid: $0) }
    }
}
