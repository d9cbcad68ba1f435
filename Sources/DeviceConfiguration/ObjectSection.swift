internal import LwM2MClient
internal import LwM2MModel
internal import Primitives

/// The `objects` of a configuration: values by resource, by instance, by object.
enum ObjectSection {
    private static let knownObjects = ObjectRegistry.standard.definitions.filter { $0.id > 1 && $0.id != 3 }

    static func read(_ root: YAMLMapping) throws(DeviceConfigurationError) -> [DeviceObject] {
        guard let section = try root.mapping("objects") else { return [] }
        var objects: [DeviceObject] = []
        for key in section.keys { objects.append(try self.readObject(key, section)) }
        return objects
    }

    private static func readObject(
        _ key: String,
        _ section: YAMLMapping
    ) throws(DeviceConfigurationError) -> DeviceObject {
        guard let id = self.identifier(key) else {
            throw section.error(.invalid, key, "an object is a number, as in 3303")
        }
        guard let definition = self.knownObjects.first(where: { $0.id == id }) else {
            let known = self.knownObjects.map { "\($0.id) (\($0.name))" }.joined(separator: ", ")
            throw section.error(
                .invalid,
                key,
                id == 3 ? "object 3 is made from the key 'device'" : "the objects that can stand here are \(known)"
            )
        }
        guard let instances = try section.mapping(key) else {
            throw section.error(.invalid, key, "instances are missing")
        }
        var values: [UInt16: [UInt16: ResourceValue]] = [:]
        for instanceKey in instances.keys {
            guard let instance = self.identifier(instanceKey) else {
                throw instances.error(.invalid, instanceKey, "an instance is a number from 0 to 65534")
            }
            guard let resources = try instances.mapping(instanceKey) else { continue }
            values[instance] = try self.readResources(resources, of: definition)
        }
        return DeviceObject(
            definition,
            instances: values,
            executables: definition.resources.filter { $0.operations.contains(.execute) }.map { $0.id }
        )
    }

    private static func readResources(
        _ resources: YAMLMapping,
        of definition: ObjectDefinition
    ) throws(DeviceConfigurationError) -> [UInt16: ResourceValue] {
        var values: [UInt16: ResourceValue] = [:]
        for key in resources.keys {
            guard let id = self.identifier(key), let resource = definition.resource(id) else {
                throw resources.error(.unknownKey, key, "object \(definition.id) has no such resource")
            }
            guard resource.type != .none, let text = try resources.text(key) else {
                throw resources.error(.invalid, key, "\(resource.name) has no value: servers execute it")
            }
            guard let value = self.value(text, resource.type) else {
                throw resources.error(.invalid, key, "\(resource.name) takes a value of type \(resource.type)")
            }
            values[id] = value
        }
        return values
    }

    private static func value(_ text: String, _ type: ResourceType) -> ResourceValue? {
        switch type {
        case .string, .corelnk: .string(UTF8Text(text))
        case .integer: Int64(text).map { .integer($0) }
        case .unsignedInteger: UInt64(text).map { .unsignedInteger($0) }
        case .float: Double(text).map { .float($0) }
        case .boolean: text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : nil
        case .opaque: Hexadecimal.decode(text).map { .opaque($0) }
        case .time: Int64(text).map { .time(WallTime(secondsSinceEpoch: $0)) }
        case .objectLink: self.link(text)
        case .none: nil
        }
    }

    private static func link(_ text: String) -> ResourceValue? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let object = UInt16(parts[0]), let instance = UInt16(parts[1]) else { return nil }
        return .objectLink(object: object, instance: instance)
    }

    private static func identifier(_ text: String) -> UInt16? {
        guard let number = UInt16(text), number < 65_535, String(number) == text else { return nil }
        return number
    }
}
