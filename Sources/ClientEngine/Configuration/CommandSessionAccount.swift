public import CommandSessions
import LwM2MModel

/// What a device is told at manufacture about command sessions with one gateway: an instance of the object.
public struct CommandSessionAccount: Sendable {
    /// The identifier of the instance.
    public let instance: UInt16
    /// Who the gateway is, and what may only be changed in a session.
    public let policy: SessionPolicy
    /// The identifiers that device and gateway were given beforehand; nil lets the first session begin without.
    ///
    /// Without them whoever comes first at the gateway's address begins the first session.
    public let identifiers: SessionPair?

    /// Creates an account.
    public init(instance: UInt16 = 0, policy: SessionPolicy, identifiers: SessionPair? = nil) {
        self.instance = instance
        self.policy = policy
        self.identifiers = identifiers
    }

    /// The account as what a device keeps.
    func stored(ids: OwnObjectIDs) -> StoredCommandSession {
        let records = self.policy.records(instance: self.instance, ids: ids)
        return StoredCommandSession(
            instance: HostedInstance(self.instance, ResourceValues(records: records)),
            record: DeviceSessionRecord(given: self.identifiers)
        )
    }
}

/// What a restart must not lose of the sessions with one gateway.
public struct StoredCommandSession: Equatable, Sendable {
    /// The instance of the object: the policy, the alarm, and what was counted.
    public var instance: HostedInstance
    /// The identifiers and the last outcome.
    public var record: DeviceSessionRecord

    /// Creates what is to be stored, or was loaded.
    public init(instance: HostedInstance, record: DeviceSessionRecord) {
        self.instance = instance
        self.record = record
    }
}

extension DeviceSessionRecord {
    /// A record of a device that never had a session, with the identifiers it was given.
    init(given pair: SessionPair?) {
        self.init(gsid: IdentifierCache(established: pair?.gsid), dsid: IdentifierCache(established: pair?.dsid))
    }
}
