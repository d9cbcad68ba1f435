public import LwM2MModel
import Primitives

extension BootstrapURIProfile {
    /// The resource that links an instance of the object to the bootstrap Security instance it belongs to.
    public static let securityLinkResource: UInt16 = 0

    /// The definition of the object that holds profiles: readable and writable, and without any secret.
    public static func objectDefinition(ids: OwnObjectIDs = .standard) -> ObjectDefinition {
        ObjectDefinition(
            ids.bootstrapURIProfile,
            "Bootstrap URI Profile",
            isMultiple: true,
            resources: [
                ResourceDefinition(
                    self.securityLinkResource,
                    "Security Instance",
                    .readWrite,
                    .objectLink,
                    isMandatory: true
                )
            ] + ProfileField.allCases.map { $0.definition }
        )
    }

    /// Reads a profile from the resources of an instance; a resource that is missing is as in ``standard``.
    ///
    /// - Parameters:
    ///   - records: the resources of one instance of the object, in any order; the link may be among them.
    ///   - ids: the identifiers of this deployment's own objects.
    /// - Throws: ``ProfileError``, for the first record that is wrong, then for resources that contradict each other.
    public init(records: [ResourceRecord], ids: OwnObjectIDs = .standard) throws(ProfileError) {
        guard records.count <= ProfileField.allCases.count + 1 else { throw .tooLong }
        var draft = ProfileDraft()
        var seen: Set<ProfileField> = []
        let instance = records.first?.path.prefix(2)
        for record in records {
            let path = record.path
            guard path.object == ids.bootstrapURIProfile, path.depth == 3, path.prefix(2) == instance,
                let resource = path.resource
            else { throw .unknownRecord }
            if resource == Self.securityLinkResource { continue }
            guard let field = ProfileField(rawValue: resource) else { throw .unknownRecord }
            guard seen.insert(field).inserted else { throw .repeated(field) }
            try draft.set(field, to: record.value)
        }
        self = try draft.validated()
    }

    /// The profile as the resources of an instance, lowest identifier first.
    ///
    /// - Parameters:
    ///   - instance: the instance of the object, 0 to 65534.
    ///   - securityInstance: the instance of object 0 that the profile is for, 0 to 65534.
    ///   - ids: the identifiers of this deployment's own objects.
    public func records(
        instance: UInt16 = 0,
        securityInstance: UInt16 = 0,
        ids: OwnObjectIDs = .standard
    ) -> [ResourceRecord] {
        let base = ObjectPath(ids.bootstrapURIProfile, instance)
        var records = [
            ResourceRecord(
                base.appending(Self.securityLinkResource),
                .objectLink(object: 0, instance: securityInstance)
            )
        ]
        for field in ProfileField.allCases {
            if let value = self.value(of: field) {
                records.append(ResourceRecord(base.appending(field.rawValue), value))
            }
        }
        return records
    }

    private func value(of field: ProfileField) -> ResourceValue? {
        switch field {
        case .period: .integer(self.period)
        case .clockSkew: .integer(self.clockSkew)
        case .counter: self.counter.map { .unsignedInteger($0) }
        case .fallback: .boolean(self.fallsBackToStaticURI)
        case .regeneration: .boolean(self.regeneratesEveryPeriod)
        case .shortNames: .boolean(self.allowsShortNames)
        case .test: .boolean(self.isTest)
        case .parameters, .combination, .suite, .alphabet, .selection, .insertion, .part, .rounding, .timeForm:
            self.text(of: field).map { .string($0) }
        }
    }
}

extension ProfileDraft {
    /// Takes over the value of a resource.
    fileprivate mutating func set(_ field: ProfileField, to value: ResourceValue) throws(ProfileError) {
        switch (field, value) {
        case (.period, .integer(let seconds)): self.period = seconds
        case (.clockSkew, .integer(let seconds)): self.clockSkew = seconds
        case (.counter, .unsignedInteger(let counter)): self.counter = counter
        case (.fallback, .boolean(let isSet)): self.fallsBackToStaticURI = isSet
        case (.regeneration, .boolean(let isSet)): self.regeneratesEveryPeriod = isSet
        case (.shortNames, .boolean(let isSet)): self.allowsShortNames = isSet
        case (.test, .boolean(let isSet)): self.isTest = isSet
        case (.period, _), (.clockSkew, _), (.counter, _), (.fallback, _), (.regeneration, _), (.shortNames, _),
            (.test, _):
            throw .invalid(field)
        case (_, .string(let text)): try self.set(field, to: text.bytes[...])
        default: throw .invalid(field)
        }
    }
}
