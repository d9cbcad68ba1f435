import BootstrapURIs
import CoAPMessages

extension DeviceTree {
    /// Whether there is a profile for the account.
    func hasTemporaryURIs(_ account: SecurityAccount) -> Bool { !self.profiles.isEmpty }

    /// The profile of an account bound to its URI; nil when it has none.
    ///
    /// - Throws: when the profile does not fit the URI.
    func temporaryURIs(of account: SecurityAccount) throws(ProfileError) -> TemporaryURIs? {
        guard let profile = self.profiles.first, let uri = account.address?.uri else { return nil }
        return try TemporaryURIs(profile: profile, staticURI: uri)
    }
}
