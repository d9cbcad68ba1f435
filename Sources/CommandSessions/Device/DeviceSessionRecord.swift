/// What a device must find again after a restart: two caches, the last session that executed, and the one before the
/// newest.
///
/// Of fixed size, whatever happens.
public struct DeviceSessionRecord: Equatable, Sendable {
    /// A session that is over, or is executing its command.
    public struct PastSession: Equatable, Sendable {
        /// Its identifiers.
        public let pair: SessionPair
        /// ``SessionOutcome/executing`` from before the command runs until its outcome is stored.
        public var outcome: SessionOutcome

        /// Creates a session.
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
    public var lastExecution: PastSession?
    /// The session before the newest one, so that what is still on its way from it is known as late.
    public var superseded: PastSession?

    /// Creates a record; an empty one is that of a device that never had a session.
    public init(
        gsid: IdentifierCache = IdentifierCache(),
        dsid: IdentifierCache = IdentifierCache(),
        lastExecution: PastSession? = nil,
        superseded: PastSession? = nil
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

    /// The session that the next one supersedes: one that was never confirmed, or the last that was.
    var newestSession: PastSession? {
        self.provisionalPair.map { PastSession(pair: $0, outcome: .notDone) } ?? self.lastExecution
    }

    /// Whether a session with the GSID is known: a gateway makes one for each session, so it is over or in progress.
    func knows(_ gsid: SessionIdentifier) -> Bool {
        self.gsid.contains(gsid) || self.superseded?.pair.gsid == gsid
    }
}
