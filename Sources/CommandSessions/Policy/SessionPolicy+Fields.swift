import LwM2MModel
public import Primitives

extension SessionPolicy {
    /// The fields of a policy as people write them, in files and on command lines.
    ///
    /// `gateway` and `protect` may stand there several times: `gateway=192.0.2.1,protect=/3303/0/5601,protect=/5`.
    public enum Field: UInt8, Sendable, CaseIterable {
        /// An address of the gateway; at least one.
        case gateway
        /// A path that is changed in sessions only.
        case protect
        /// `both` or `device`: whose identifiers the messages carry.
        case form
        /// The Short Server ID of the gateway; any server at the addresses without.
        case server
        /// The ``BreachPolicy`` as text.
        case breaches
        /// How long "suspend" lasts, in seconds.
        case suspension
        /// How long the device waits for message 3, in seconds.
        case timeout

        /// The name as it is written.
        public var name: UTF8Text {
            switch self {
            case .gateway: "gateway"
            case .protect: "protect"
            case .form: "form"
            case .server: "server"
            case .breaches: "breaches"
            case .suspension: "suspension"
            case .timeout: "timeout"
            }
        }

        var isRepeatable: Bool { self == .gateway || self == .protect }

        /// What the value must be, for people.
        public var hint: UTF8Text {
            switch self {
            case .gateway: "an address, as in 192.0.2.1; at least one, at most 16"
            case .protect: "a path, as in /3303/0/5601; at most 64"
            case .form: "both, or device for the short form"
            case .server: "a Short Server ID, 1 to 65534"
            case .breaches: "lines as in spoofed=log,suspend,alarm; with ; between"
            case .suspension: "seconds, 1 to 2592000"
            case .timeout: "seconds, 1 to 86400"
            }
        }
    }

    /// Why fields are no policy.
    public enum FieldError: Error, Hashable, Sendable {
        /// There is no field of the name.
        case unknown(UTF8Text)
        /// The value is not what the field takes.
        case invalid(Field)
        /// A field that stands for one value is there twice.
        case repeated(Field)
    }

    /// Reads a policy from fields; what is missing is as in a policy that was told nothing else.
    public init(fields: [(name: UTF8Text, value: UTF8Text)]) throws(FieldError) {
        var records: [ResourceRecord] = []
        var counts: (addresses: UInt16, paths: UInt16) = (0, 0)
        var seen: [Field] = []
        let base = ObjectPath(OwnObjectIDs.standard.commandSession, 0)
        for (name, value) in fields {
            guard let field = Field.allCases.first(where: { $0.name == name }) else { throw .unknown(name) }
            guard field.isRepeatable || !seen.contains(field) else { throw .repeated(field) }
            seen.append(field)
            switch field {
            case .gateway:
                guard counts.addresses < Self.maximumAddresses else { throw .invalid(field) }
                let path = base.appending(SessionResource.gatewayAddresses.rawValue).appending(counts.addresses)
                records.append(ResourceRecord(path, .string(value)))
                counts.addresses += 1
            case .protect:
                guard counts.paths < Self.maximumPaths else { throw .invalid(field) }
                let path = base.appending(SessionResource.protectedPaths.rawValue).appending(counts.paths)
                records.append(ResourceRecord(path, .string(value)))
                counts.paths += 1
            case .form:
                guard value == "both" || value == "device" else { throw .invalid(field) }
                let path = base.appending(SessionResource.mode.rawValue)
                records.append(ResourceRecord(path, .integer(value == "both" ? 0 : 1)))
            case .server:
                records.append(try Self.number(value, field, at: base.appending(SessionResource.gateway.rawValue)))
            case .breaches:
                let path = base.appending(SessionResource.breachPolicy.rawValue)
                records.append(ResourceRecord(path, .string(value)))
            case .suspension:
                records.append(try Self.number(value, field, at: base.appending(SessionResource.suspension.rawValue)))
            case .timeout:
                records.append(try Self.number(value, field, at: base.appending(SessionResource.timeout.rawValue)))
            }
        }
        do throws(ValidationError) { try self.init(records: records) } catch {
            switch error {
            case .gatewayAddresses, .malformed(resource: SessionResource.gatewayAddresses.rawValue):
                throw .invalid(.gateway)
            case .protectedPaths, .malformed(resource: SessionResource.protectedPaths.rawValue):
                throw .invalid(.protect)
            case .malformed(resource: SessionResource.breachPolicy.rawValue): throw .invalid(.breaches)
            case .malformed(resource: SessionResource.gateway.rawValue): throw .invalid(.server)
            case .malformed(resource: SessionResource.mode.rawValue): throw .invalid(.form)
            case .malformed(resource: SessionResource.timeout.rawValue): throw .invalid(.timeout)
            case .malformed, .duration: throw .invalid(.suspension)
            }
        }
    }

    private static func number(
        _ text: UTF8Text,
        _ field: Field,
        at path: ObjectPath
    ) throws(FieldError) -> ResourceRecord {
        guard (1...7).contains(text.bytes.count), text.bytes.allSatisfy(Ascii.isDigit) else { throw .invalid(field) }
        let number = text.bytes.reduce(0 as Int64) { $0 * 10 + Int64($1 - Ascii.zero) }
        let allowed: ClosedRange<Int64> =
            switch field {
            case .server: 1...65_534
            case .suspension: 1...2_592_000
            default: 1...86_400
            }
        guard allowed.contains(number) else { throw .invalid(field) }
        return ResourceRecord(path, .integer(number))
    }
}
