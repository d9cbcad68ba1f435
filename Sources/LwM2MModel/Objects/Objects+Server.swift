import Primitives

extension Objects {
    /// Object 1: how the device behaves toward a server.
    ///
    /// - Source: OMA registry, `urn:oma:lwm2m:oma:1:1.2`.
    public static let server = ObjectDefinition(
        1,
        "LwM2M Server",
        version: ObjectVersion(1, 2),
        isMultiple: true,
        isMandatory: true,
        resources: [
            ResourceDefinition(0, "Short Server ID", .read, .integer, isMandatory: true, range: .numbers(1...65_534)),
            ResourceDefinition(1, "Lifetime", .readWrite, .integer, isMandatory: true, units: "s"),
            ResourceDefinition(2, "Default Minimum Period", .readWrite, .integer, units: "s"),
            ResourceDefinition(3, "Default Maximum Period", .readWrite, .integer, units: "s"),
            ResourceDefinition(4, "Disable", .execute, .none),
            ResourceDefinition(5, "Disable Timeout", .readWrite, .integer, units: "s"),
            ResourceDefinition(
                6,
                "Notification Storing When Disabled or Offline",
                .readWrite,
                .boolean,
                isMandatory: true
            ),
            ResourceDefinition(7, "Binding", .readWrite, .string, isMandatory: true),
            ResourceDefinition(8, "Registration Update Trigger", .execute, .none, isMandatory: true),
            ResourceDefinition(9, "Bootstrap-Request Trigger", .execute, .none),
            ResourceDefinition(10, "APN Link", .readWrite, .objectLink),
            ResourceDefinition(11, "TLS-DTLS Alert Code", .read, .unsignedInteger, range: .numbers(0...255)),
            ResourceDefinition(12, "Last Bootstrapped", .read, .time),
            ResourceDefinition(13, "Registration Priority Order", .read, .unsignedInteger),
            ResourceDefinition(14, "Initial Registration Delay Timer", .readWrite, .unsignedInteger, units: "s"),
            ResourceDefinition(15, "Registration Failure Block", .read, .boolean),
            ResourceDefinition(16, "Bootstrap on Registration Failure", .read, .boolean),
            ResourceDefinition(17, "Communication Retry Count", .readWrite, .unsignedInteger),
            ResourceDefinition(18, "Communication Retry Timer", .readWrite, .unsignedInteger, units: "s"),
            ResourceDefinition(19, "Communication Sequence Delay Timer", .readWrite, .unsignedInteger, units: "s"),
            ResourceDefinition(20, "Communication Sequence Retry Count", .readWrite, .unsignedInteger),
            ResourceDefinition(21, "Trigger", .readWrite, .boolean),
            ResourceDefinition(22, "Preferred Transport", .readWrite, .string),
            ResourceDefinition(23, "Mute Send", .readWrite, .boolean),
            ResourceDefinition(24, "Alternate APN Links", .readWrite, .objectLink, isMultiple: true),
            ResourceDefinition(25, "Supported Server Versions", .readWrite, .string, isMultiple: true),
            ResourceDefinition(26, "Default Notification Mode", .readWrite, .integer, range: .numbers(0...1)),
            ResourceDefinition(27, "Profile ID Hash Algorithm", .readWrite, .unsignedInteger, range: .numbers(0...255)),
        ]
    )
}
