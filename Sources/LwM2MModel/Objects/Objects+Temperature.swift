import Primitives

extension Objects {
    /// Object 3303: a temperature sensor.
    ///
    /// - Source: OMA registry, `urn:oma:lwm2m:ext:3303:1.1`.
    public static let temperature = ObjectDefinition(
        3303,
        "Temperature",
        version: ObjectVersion(1, 1),
        isMultiple: true,
        resources: [
            ResourceDefinition(5518, "Timestamp", .read, .time),
            ResourceDefinition(5601, "Min Measured Value", .read, .float),
            ResourceDefinition(5602, "Max Measured Value", .read, .float),
            ResourceDefinition(5603, "Min Range Value", .read, .float),
            ResourceDefinition(5604, "Max Range Value", .read, .float),
            ResourceDefinition(5605, "Reset Min and Max Measured Values", .execute, .none),
            ResourceDefinition(5700, "Sensor Value", .read, .float, isMandatory: true),
            ResourceDefinition(5701, "Sensor Units", .read, .string),
            ResourceDefinition(5750, "Application Type", .readWrite, .string),
            ResourceDefinition(6042, "Measurement Quality Indicator", .read, .integer, range: .numbers(0...23)),
            ResourceDefinition(6049, "Measurement Quality Level", .read, .integer, range: .numbers(0...100)),
            ResourceDefinition(6050, "Fractional Timestamp", .read, .float, range: .numbers(0...1), units: "s"),
        ]
    )
}
