internal import CommandSessions
internal import Primitives

/// The section about command sessions, with the fields of a policy as its keys, and the identifiers given beforehand.
enum SessionSection {
    private static let key = "commandSessions"

    static func read(
        _ root: YAMLMapping
    ) throws(DeviceConfigurationError) -> (SessionPolicy?, SessionPair?) {
        guard let section = try root.mapping(self.key) else { return (nil, nil) }
        try section.allowOnly(SessionPolicy.Field.allCases.map { $0.name.string } + ["gsid", "dsid"])
        var fields: [(name: UTF8Text, value: UTF8Text)] = []
        for name in section.keys where name != "gsid" && name != "dsid" {
            for value in try section.texts(name) ?? [] { fields.append((UTF8Text(name), UTF8Text(value))) }
        }
        let policy: SessionPolicy
        do throws(SessionPolicy.FieldError) { policy = try SessionPolicy(fields: fields) } catch {
            switch error {
            case .unknown(let name): throw section.error(.unknownKey, name.string, "")
            case .invalid(let field), .repeated(let field):
                throw section.error(.invalid, field.name.string, field.hint.string)
            }
        }
        let gsid = try self.identifier("gsid", section)
        guard let dsid = try self.identifier("dsid", section) else {
            guard gsid == nil else { throw section.error(.missing, "dsid", "gsid and dsid go together") }
            return (policy, nil)
        }
        guard (gsid == nil) == (policy.form == .deviceIdentifier) else {
            throw section.error(.invalid, "gsid", "gsid and dsid go together; the short form has dsid only")
        }
        return (policy, SessionPair(gsid: gsid, dsid: dsid))
    }

    private static func identifier(
        _ name: String,
        _ section: YAMLMapping
    ) throws(DeviceConfigurationError) -> SessionIdentifier? {
        guard let text = try section.text(name) else { return nil }
        guard let identifier = SessionIdentifier(text: UTF8Text(text)) else {
            throw section.error(
                .invalid,
                name,
                "32 to 64 hexadecimal digits in quotes, as made by: openssl rand -hex 16"
            )
        }
        return identifier
    }
}
