import Primitives

extension Objects {
    /// Object 3: what the device is and how it fares.
    ///
    /// - Source: OMA registry, `urn:oma:lwm2m:oma:3:1.2`.
    public static let device = ObjectDefinition(
        3,
        "Device",
        version: ObjectVersion(1, 2),
        isMultiple: false,
        isMandatory: true,
        resources: [
            ResourceDefinition(0, "Manufacturer", .read, .string),
            ResourceDefinition(1, "Model Number", .read, .string),
            ResourceDefinition(2, "Serial Number", .read, .string),
            ResourceDefinition(3, "Firmware Version", .read, .string),
            ResourceDefinition(4, "Reboot", .execute, .none, isMandatory: true),
            ResourceDefinition(5, "Factory Reset", .execute, .none),
            ResourceDefinition(6, "Available Power Sources", .read, .integer, isMultiple: true, range: .numbers(0...7)),
            ResourceDefinition(7, "Power Source Voltage", .read, .integer, isMultiple: true),
            ResourceDefinition(8, "Power Source Current", .read, .integer, isMultiple: true),
            ResourceDefinition(9, "Battery Level", .read, .integer, range: .numbers(0...100), units: "/100"),
            ResourceDefinition(10, "Memory Free", .read, .integer),
            ResourceDefinition(
                11,
                "Error Code",
                .read,
                .integer,
                isMultiple: true,
                isMandatory: true,
                range: .numbers(0...32)
            ),
            ResourceDefinition(12, "Reset Error Code", .execute, .none),
            ResourceDefinition(13, "Current Time", .readWrite, .time),
            ResourceDefinition(14, "UTC Offset", .readWrite, .string),
            ResourceDefinition(15, "Timezone", .readWrite, .string),
            ResourceDefinition(16, "Supported Binding and Modes", .read, .string, isMandatory: true),
            ResourceDefinition(17, "Device Type", .read, .string),
            ResourceDefinition(18, "Hardware Version", .read, .string),
            ResourceDefinition(19, "Software Version", .read, .string),
            ResourceDefinition(20, "Battery Status", .read, .integer, range: .numbers(0...6)),
            ResourceDefinition(21, "Memory Total", .read, .integer),
            ResourceDefinition(22, "ExtDevInfo", .read, .objectLink, isMultiple: true),
        ]
    )
}
