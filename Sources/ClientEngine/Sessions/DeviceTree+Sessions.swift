import CommandSessions
import LwM2MModel
import Primitives

/// The object that command sessions go over: an instance for each gateway, which lives until bootstrap deletes it by name.
extension DeviceTree {
    func isSessionObject(_ object: UInt16?) -> Bool { object == self.ids.commandSession }

    /// The instances of the object.
    var sessionInstances: [HostedInstance] { self.object(self.ids.commandSession)?.instances ?? [] }

    /// Hosts the object, without instances when it was not there.
    mutating func hostSessions(_ definition: ObjectDefinition, _ instances: [HostedInstance] = []) {
        guard self.object(definition.id) == nil else { return }
        self.insert(
            HostedObject(
                definition,
                instances: instances,
                executables: [SessionResource.resetAlarm.rawValue],
                allowsCreateDelete: true
            )
        )
    }

    /// The policy of an instance; nil when its resources are none.
    func sessionPolicy(of instance: HostedInstance) -> SessionPolicy? {
        try? SessionPolicy(records: instance.values.records(below: ObjectPath(self.ids.commandSession, instance.id)))
    }

    /// Whether every instance holds a policy.
    var sessionsHold: Bool { self.sessionInstances.allSatisfy { self.sessionPolicy(of: $0) != nil } }

    func sessionPath(_ instance: UInt16, _ resource: SessionResource) -> ObjectPath {
        ObjectPath(self.ids.commandSession, instance, resource.rawValue)
    }

    /// Takes the identifiers out of an instance that bootstrap put there, so that nobody reads them.
    ///
    /// - Returns: nil when there were none.
    mutating func takeSessionIdentifiers(_ instance: UInt16) -> DeviceSessionRecord? {
        let path = ObjectPath(self.ids.commandSession, instance)
        var pair: (gsid: SessionIdentifier?, dsid: SessionIdentifier?) = (nil, nil)
        _ = self.withInstance(path) { values in
            pair = (values.takeIdentifier(.gatewayIdentifier), values.takeIdentifier(.deviceIdentifier))
        }
        guard pair.gsid != nil || pair.dsid != nil else { return nil }
        return DeviceSessionRecord(
            gsid: IdentifierCache(established: pair.gsid),
            dsid: IdentifierCache(established: pair.dsid)
        )
    }
}

extension ResourceValues {
    fileprivate mutating func takeIdentifier(_ resource: SessionResource) -> SessionIdentifier? {
        guard case .opaque(let bytes) = self[resource.rawValue] else { return nil }
        self[resource.rawValue] = nil
        return SessionIdentifier(bytes: bytes)
    }

    /// The values without those that end with a session in progress.
    var withoutPassingSession: ResourceValues {
        var kept = self
        for resource in SessionResource.allCases where resource.isPassing { kept[resource.rawValue] = nil }
        kept[SessionResource.state.rawValue] = nil
        return kept
    }
}
