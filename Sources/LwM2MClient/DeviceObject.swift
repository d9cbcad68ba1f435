internal import ClientEngine
public import LwM2MModel
internal import Primitives

/// An object of the device, in a few lines.
///
///     let valve = DeviceObject(26_241, "Valve", resources: [
///         .readable(0, "Position", .integer(0)),
///         .writable(1, "Target", .integer(0)),
///         .executable(2, "Close"),
///     ])
public struct DeviceObject: Sendable {
    /// One resource of an object that is described here.
    public struct Resource: Sendable {
        let definition: ResourceDefinition
        let value: ResourceValue?

        /// A resource that servers read and observe.
        public static func readable(_ id: UInt16, _ name: String, _ value: ResourceValue, units: String = "")
            -> Resource
        {
            Resource(id, name, .read, value, units)
        }

        /// A resource that servers read, observe and write.
        public static func writable(_ id: UInt16, _ name: String, _ value: ResourceValue, units: String = "")
            -> Resource
        {
            Resource(id, name, .readWrite, value, units)
        }

        /// A resource that servers execute.
        public static func executable(_ id: UInt16, _ name: String) -> Resource {
            Resource(
                definition: ResourceDefinition(id, UTF8Text(name), .execute, .none),
                value: nil
            )
        }

        private init(definition: ResourceDefinition, value: ResourceValue?) {
            self.definition = definition
            self.value = value
        }

        private init(
            _ id: UInt16,
            _ name: String,
            _ operations: ResourceOperations,
            _ value: ResourceValue,
            _ units: String
        ) {
            self.init(
                definition: ResourceDefinition(id, UTF8Text(name), operations, value.type, units: UTF8Text(units)),
                value: value
            )
        }
    }

    /// What the object is.
    public let definition: ObjectDefinition
    /// The values of each instance, by its identifier and theirs.
    let instances: [HostedInstance]
    private let executables: [UInt16]?

    /// Describes an object of one's own with one instance.
    ///
    /// - Parameters:
    ///   - id: 26241 to 32768 are free for everybody.
    ///   - name: for people.
    ///   - version: what registration says.
    ///   - instance: the identifier of its instance.
    ///   - resources: with the values that they start with, which also say their types.
    public init(
        _ id: UInt16,
        _ name: String,
        version: ObjectVersion = .initial,
        instance: UInt16 = 0,
        resources: [Resource]
    ) {
        var values = ResourceValues()
        for resource in resources { values[resource.definition.id] = resource.value }
        self.definition = ObjectDefinition(
            id,
            UTF8Text(name),
            version: version,
            isMultiple: true,
            resources: resources.map { $0.definition }
        )
        self.instances = [HostedInstance(instance, values)]
        self.executables = resources.filter { $0.value == nil }.map { $0.definition.id }
    }

    /// Takes a defined object with the values of its instances.
    ///
    /// - Parameters:
    ///   - definition: ``LwM2MModel/Objects`` has those of the OMA registry.
    ///   - instances: values by resource, by instance; `[0: [5700: .float(21.5)]]`.
    ///   - executables: the optional executable resources that the device has, besides the mandatory ones.
    public init(
        _ definition: ObjectDefinition,
        instances: [UInt16: [UInt16: ResourceValue]],
        executables: [UInt16] = []
    ) {
        self.definition = definition
        self.instances = instances.sorted { $0.key < $1.key }.map { id, resources in
            var values = ResourceValues()
            for (resource, value) in resources {
                if definition.resource(resource)?.isMultiple == true {
                    values[resource, 0] = value
                } else {
                    values[resource] = value
                }
            }
            return HostedInstance(id, values)
        }
        let mandatory = definition.resources.filter { $0.isMandatory && $0.operations.contains(.execute) }.map { $0.id }
        self.executables = mandatory + executables
    }

    /// The executable resources of every instance.
    public var executablePaths: [ObjectPath] {
        self.instances.flatMap { instance in
            (self.executables ?? []).map { ObjectPath(self.definition.id, instance.id, $0) }
        }
    }

    /// A temperature sensor: object 3303 with its value in degrees Celsius.
    public static func temperature(instance: UInt16 = 0, celsius: Double) -> DeviceObject {
        DeviceObject(
            Objects.temperature,
            instances: [instance: [5700: .float(celsius), 5701: .string("Cel")]],
            executables: [5605]
        )
    }

    /// Object 3 with its mandatory resources.
    static func device(_ information: LwM2MClient.DeviceInformation) -> DeviceObject {
        var values: [UInt16: ResourceValue] = [11: .integer(0), 16: .string("U")]
        for (resource, text) in [
            (0, information.manufacturer), (1, information.model), (2, information.serialNumber),
            (3, information.firmwareVersion),
        ] as [(UInt16, String?)] {
            if let text { values[resource] = .string(UTF8Text(text)) }
        }
        return DeviceObject(Objects.device, instances: [0: values])
    }

    /// The object as the engine takes it; every write asks, so that handlers can be added at any time.
    var hosted: HostedObject {
        HostedObject(self.definition, instances: self.instances, executables: self.executables, asksBeforeWrite: true)
    }
}
