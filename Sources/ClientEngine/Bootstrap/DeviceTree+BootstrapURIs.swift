import BootstrapURIs
import CoAPMessages
import LwM2MModel
import Primitives

/// The object that holds profiles of temporary bootstrap URIs.
///
/// An instance belongs to the bootstrap account that its first resource links to, and lives as long as that account:
/// no Delete of a whole device removes it. Until something is delivered into it a device does not host the object.
extension DeviceTree {
    func isProfileObject(_ object: UInt16?) -> Bool { object == self.ids.bootstrapURIProfile }

    /// The instances that hold profiles.
    var profiles: [HostedInstance] { self.object(self.ids.bootstrapURIProfile)?.instances ?? [] }

    /// Hosts the object, without instances when it was not there.
    mutating func hostProfiles(_ definition: ObjectDefinition, _ instances: [HostedInstance] = []) {
        guard self.object(definition.id) == nil else { return }
        self.insert(HostedObject(definition, instances: instances, allowsCreateDelete: true))
    }

    /// Whether there is a profile for the account.
    func hasProfile(_ account: SecurityAccount) -> Bool {
        self.profiles.contains { Self.account(of: $0) == account.instance }
    }

    /// The profile of an account bound to its URI; nil when it has none.
    ///
    /// - Throws: when the resources are no profile, or it does not fit the URI.
    func temporaryURIs(of account: SecurityAccount) throws(ProfileError) -> TemporaryURIs? {
        guard let instance = self.profiles.first(where: { Self.account(of: $0) == account.instance }),
            let uri = account.address?.uri
        else { return nil }
        let records = instance.values.records(below: ObjectPath(self.ids.bootstrapURIProfile, instance.id))
        let profile = try BootstrapURIProfile(records: records, ids: self.ids)
        return try TemporaryURIs(profile: profile, staticURI: uri)
    }

    /// Whether every profile is whole, belongs to a bootstrap account of its own, and fits that account's URI and key.
    var profilesHold: Bool {
        var seen: [UInt16] = []
        for instance in self.profiles {
            guard let link = Self.account(of: instance), !seen.contains(link),
                let account = self.security.first(where: { $0.instance == link }), account.isBootstrap,
                let uris = try? self.temporaryURIs(of: account),
                account.key.count >= (uris.profile.isTest ? 1 : BootstrapURIProfile.leastSecret)
            else { return false }
            seen.append(link)
        }
        return true
    }

    /// The instance of object 0 that a profile is linked to.
    private static func account(of profile: HostedInstance) -> UInt16? {
        guard case .objectLink(0, let instance) = profile.values[BootstrapURIProfile.securityLinkResource] else {
            return nil
        }
        return instance
    }
}

extension ClientConfiguration {
    /// The instances of the profile object that the device starts with; nil when it does not host it.
    var profileInstances: [HostedInstance]? {
        if let stored = self.storedProfiles { return stored }
        guard let profile = self.bootstrapURIProfile, let account = self.security.first(where: { $0.isBootstrap })
        else { return nil }
        let records = profile.records(securityInstance: account.instance, ids: self.ownObjectIDs)
        return [HostedInstance(0, ResourceValues(records: records))]
    }
}
