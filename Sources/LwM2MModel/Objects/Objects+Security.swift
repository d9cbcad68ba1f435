import Primitives

extension Objects {
    /// Object 0: keys and addresses of a server; nobody but bootstrap touches it.
    ///
    /// - Source: OMA registry, `urn:oma:lwm2m:oma:0:1.2`.
    public static let security = ObjectDefinition(
        0,
        "LWM2M Security",
        version: ObjectVersion(1, 2),
        isMultiple: true,
        isMandatory: true,
        resources: [
            ResourceDefinition(0, "LWM2M Server URI", [], .string, isMandatory: true, range: .lengths(0...255)),
            ResourceDefinition(1, "Bootstrap-Server", [], .boolean, isMandatory: true),
            ResourceDefinition(2, "Security Mode", [], .integer, isMandatory: true, range: .numbers(0...4)),
            ResourceDefinition(3, "Public Key or Identity", [], .opaque, isMandatory: true),
            ResourceDefinition(4, "Server Public Key", [], .opaque, isMandatory: true),
            ResourceDefinition(5, "Secret Key", [], .opaque, isMandatory: true),
            ResourceDefinition(6, "SMS Security Mode", [], .integer, range: .numbers(0...255)),
            ResourceDefinition(7, "SMS Binding Key Parameters", [], .opaque, range: .lengths(6...6)),
            ResourceDefinition(8, "SMS Binding Secret Key(s)", [], .opaque, range: .lengthsOneOf([16, 32, 48])),
            ResourceDefinition(9, "LwM2M Server SMS Number", [], .string),
            ResourceDefinition(10, "Short Server ID", [], .integer, range: .numbers(1...65_534)),
            ResourceDefinition(11, "Client Hold Off Time", [], .integer, units: "s"),
            ResourceDefinition(12, "Bootstrap-Server Account Timeout", [], .integer, units: "s"),
            ResourceDefinition(13, "Matching Type", [], .unsignedInteger, range: .numbers(0...3)),
            ResourceDefinition(14, "SNI", [], .string),
            ResourceDefinition(15, "Certificate Usage", [], .unsignedInteger, range: .numbers(0...3)),
            ResourceDefinition(16, "DTLS/TLS Ciphersuite", [], .unsignedInteger, isMultiple: true),
            ResourceDefinition(17, "OSCORE Security Mode", [], .objectLink),
            ResourceDefinition(
                18,
                "Groups To Use by Client",
                [],
                .unsignedInteger,
                isMultiple: true,
                range: .numbers(0...65_535)
            ),
            ResourceDefinition(
                19,
                "Signature Algorithms Supported by Server",
                [],
                .unsignedInteger,
                isMultiple: true,
                range: .numbers(0...65_535)
            ),
            ResourceDefinition(
                20,
                "Signature Algorithms To Use by Client",
                [],
                .unsignedInteger,
                isMultiple: true,
                range: .numbers(0...65_535)
            ),
            ResourceDefinition(
                21,
                "Signature Algorithm Certs Supported by Server",
                [],
                .unsignedInteger,
                isMultiple: true,
                range: .numbers(0...65_535)
            ),
            ResourceDefinition(
                22,
                "TLS 1.3 Features To Use by Client",
                [],
                .unsignedInteger,
                range: .numbers(0...65_535)
            ),
            ResourceDefinition(
                23,
                "TLS Extensions Supported by Server",
                [],
                .unsignedInteger,
                range: .numbers(0...65_535)
            ),
            ResourceDefinition(
                24,
                "TLS Extensions To Use by Client",
                [],
                .unsignedInteger,
                range: .numbers(0...65_535)
            ),
            ResourceDefinition(
                25,
                "Secondary LwM2M Server URI",
                [],
                .string,
                isMultiple: true,
                range: .lengths(0...255)
            ),
            ResourceDefinition(26, "MQTT Server", [], .objectLink),
            ResourceDefinition(27, "LwM2M COSE Security", [], .objectLink, isMultiple: true),
            ResourceDefinition(28, "RDS Destination Port", [], .integer, range: .numbers(0...15)),
            ResourceDefinition(29, "RDS Source Port", [], .integer, range: .numbers(0...15)),
            ResourceDefinition(30, "RDS Application ID", [], .string),
        ]
    )
}
