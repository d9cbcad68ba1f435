internal import BootstrapURIs
internal import CoAPMessages
internal import LwM2MClient
internal import LwM2MModel
internal import Primitives

/// The section that says how temporary bootstrap URIs are derived, with the fields of a profile as its keys.
enum ProfileSection {
    private static let key = "bootstrapURI"

    static func read(
        _ root: YAMLMapping,
        role: LwM2MClient.Configuration.Role,
        uri: String
    ) throws(DeviceConfigurationError) -> BootstrapURIProfile? {
        guard let section = try root.mapping(self.key) else { return nil }
        guard role == .bootstrap else {
            throw root.error(.invalid, self.key, "it is for devices that begin at a bootstrap server: write bootstrap")
        }
        try section.allowOnly(ProfileField.allCases.map { $0.name.string })
        var fields: [BootstrapURIProfile.Field] = []
        for name in section.keys {
            // A list may be written as YAML has it, or as in the one-line form.
            let text = (try section.texts(name) ?? []).joined(separator: "+")
            fields.append(BootstrapURIProfile.Field(UTF8Text(name), UTF8Text(text)))
        }
        do throws(ProfileError) {
            let profile = try BootstrapURIProfile(fields: fields)
            if let staticURI = try? CoAPURI(parsing: UTF8Text(uri)) {
                _ = try TemporaryURIs(profile: profile, staticURI: staticURI)
            }
            return profile
        } catch {
            if case .invalid(let field) = error { throw section.error(.invalid, field.name.string, "\(error)") }
            throw root.error(.invalid, self.key, "\(error)")
        }
    }

    static func readOwnObjectIDs(_ root: YAMLMapping) throws(DeviceConfigurationError) -> OwnObjectIDs? {
        guard let text = try root.text("ownObjectIDs") else { return nil }
        guard let first = UInt16(text), let ids = OwnObjectIDs(first: first) else {
            throw root.error(.invalid, "ownObjectIDs", "the first of the identifiers, 32769 to 42799")
        }
        return ids
    }
}
