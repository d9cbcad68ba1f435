import CoAPMessages
import LwM2MModel
import Primitives

/// What a Write does to what the payload does not name.
enum WriteMode: Hashable, Sendable {
    /// PUT: removes it.
    case replace
    /// POST: keeps it.
    case update
}

/// The operations of a server. Each throws the code of its answer and then has changed nothing that the caller keeps:
/// call the mutating ones on a copy.
///
/// - Source: LwM2M Core 1.2.2, clause 6.3.
extension DeviceTree {
    /// Checks that a path leads to something a server may know of.
    ///
    /// - Throws: 4.01 for hidden objects, 4.04 for what is not there.
    func resolve(_ path: ObjectPath) throws(Refusal) -> HostedObject {
        guard let id = path.object else { throw Refusal(.methodNotAllowed) }
        guard !Self.isHidden(id) else { throw Refusal(.unauthorized) }
        guard let object = self.object(id) else { throw Refusal(.notFound) }
        guard let instanceID = path.instance else { return object }
        guard let instance = object.instance(instanceID) else { throw Refusal(.notFound) }
        guard let resourceID = path.resource else { return object }
        guard let resource = object.definition.resource(resourceID) else { throw Refusal(.notFound) }
        if let resourceInstance = path.resourceInstance {
            guard instance.values[resourceID, resourceInstance] != nil else { throw Refusal(.notFound) }
        } else if resource.operations.contains(.execute) {
            guard object.executables.contains(resourceID) else { throw Refusal(.notFound) }
        }
        return object
    }

    /// Read: the readable values at or below a path.
    func read(_ path: ObjectPath, overlay: ResourceRecord? = nil) throws(Refusal) -> [ResourceRecord] {
        let object = try self.resolve(path)
        if let resource = path.resource.flatMap(object.definition.resource) {
            guard resource.operations.contains(.read) else { throw Refusal(.methodNotAllowed) }
        }
        var records = self.records(below: path) { $0.operations.contains(.read) }
        if let overlay, path.contains(overlay.path), self.instance(overlay.path) != nil,
            self.definition(overlay.path) != nil
        {
            let index = records.firstIndex { $0.path >= overlay.path } ?? records.count
            if index < records.count, records[index].path == overlay.path { records.remove(at: index) }
            records.insert(overlay, at: index)
        }
        if path.depth == 3, records.isEmpty { throw Refusal(.notFound) }
        return records
    }

    /// Write: replaces or updates an instance, a resource, or a resource instance.
    mutating func write(_ records: [ResourceRecord], at path: ObjectPath, _ mode: WriteMode) throws(Refusal) {
        let object = try self.resolve(path)
        guard path.depth >= 2 else { throw Refusal(.methodNotAllowed) }
        var values = self.instance(path)?.values ?? ResourceValues()
        let checked = try Self.check(records, at: path, of: object.definition)
        if mode == .replace {
            if let resource = path.resource.flatMap(object.definition.resource) {
                guard resource.operations.contains(.write) else { throw Refusal(.methodNotAllowed) }
                if path.depth == 3 { values.remove(resource: resource.id) }
            } else {
                for resource in object.definition.resources where resource.operations.contains(.write) {
                    values.remove(resource: resource.id)
                }
            }
        }
        for record in checked { values.set(record) }
        try Self.checkComplete(values, of: object.definition) { $0.operations.contains(.write) }
        guard values.count <= EngineLimits.valuesPerInstance else { throw Refusal(.requestEntityTooLarge) }
        if path.object == 1 { try Self.checkServer(values) }
        _ = self.withInstance(path) { $0 = values }
    }

    /// Create: adds an instance.
    ///
    /// - Parameters:
    ///   - object: the object.
    ///   - instance: nil lets the device choose.
    ///   - records: the values, with paths below `/object/instance`; read-only ones are left out.
    /// - Returns: the path of the new instance.
    mutating func create(
        object id: UInt16,
        instance: UInt16?,
        records: [ResourceRecord]
    ) throws(Refusal) -> ObjectPath {
        let object = try self.resolveCreatable(id)
        let chosen: UInt16
        if let instance { chosen = instance } else { chosen = try self.freeInstance(of: object) }
        guard object.instance(chosen) == nil else { throw Refusal(.badRequest) }
        guard object.instances.count < EngineLimits.instancesPerObject else { throw Refusal(.internalServerError) }
        let path = ObjectPath(id, chosen)
        var writable: [ResourceRecord] = []
        for record in records {
            let operations = record.path.resource.flatMap(object.definition.resource)?.operations
            if let operations, !operations.contains(.write), !operations.contains(.execute) { continue }
            writable.append(ResourceRecord(record.path.moved(to: path), record.value))
        }
        var values = ResourceValues()
        for record in try Self.check(writable, at: path, of: object.definition) { values.set(record) }
        try Self.checkComplete(values, of: object.definition) { $0.operations.contains(.write) }
        guard values.count <= EngineLimits.valuesPerInstance else { throw Refusal(.requestEntityTooLarge) }
        _ = self.insert(HostedInstance(chosen, values), into: id)
        return path
    }

    /// The object in which a server may create instances.
    func resolveCreatable(_ id: UInt16) throws(Refusal) -> HostedObject {
        let object = try self.resolve(ObjectPath(id))
        guard object.allowsCreateDelete, !self.isOwn(id), object.definition.isMultiple || object.instances.isEmpty
        else { throw Refusal(.methodNotAllowed) }
        return object
    }

    /// The lowest identifier that no instance has.
    func freeInstance(of object: HostedObject) throws(Refusal) -> UInt16 {
        var free: UInt16 = 0
        for instance in object.instances where instance.id == free {
            guard free < 65_534 else { throw Refusal(.internalServerError) }
            free += 1
        }
        return free
    }

    /// Delete: removes an instance.
    mutating func delete(_ path: ObjectPath) throws(Refusal) {
        let object = try self.resolve(path)
        guard path.depth == 2, object.allowsCreateDelete, !self.isOwn(object.definition.id) else {
            throw Refusal(.methodNotAllowed)
        }
        _ = self.removeInstance(path)
    }

    /// The records as values of their types.
    private static func check(
        _ records: [ResourceRecord],
        at path: ObjectPath,
        of definition: ObjectDefinition
    ) throws(Refusal) -> [ResourceRecord] {
        var checked: [ResourceRecord] = []
        checked.reserveCapacity(records.count)
        for record in records {
            guard path.contains(record.path), let id = record.path.resource else { throw Refusal(.badRequest) }
            guard let resource = definition.resource(id) else { throw Refusal(.notFound) }
            guard resource.operations.contains(.write) else { throw Refusal(.methodNotAllowed) }
            checked.append(ResourceRecord(record.path, try resource.checked(record.value, at: record.path)))
        }
        return checked
    }

    /// Checks that no mandatory resource is missing.
    static func checkComplete(
        _ values: ResourceValues,
        of definition: ObjectDefinition,
        where isChecked: (ResourceDefinition) -> Bool
    ) throws(Refusal) {
        for resource in definition.resources where resource.isMandatory && isChecked(resource) {
            guard values.contains(resource: resource.id) else { throw Refusal(.badRequest) }
        }
    }

    /// Checks what the definition of object 1 cannot say: times are not negative, this client is reached over UDP.
    static func checkServer(_ values: ResourceValues) throws(Refusal) {
        for resource in [1, 2, 3, 5, 14, 18, 19] as [UInt16] {
            guard let value = values[resource]?.asInteger else { continue }
            guard UInt32(exactly: value) != nil else { throw Refusal(.badRequest) }
        }
        guard case .string(let binding) = values[7] else { return }
        let known: [UInt8] = [
            UInt8(ascii: "U"), UInt8(ascii: "T"), UInt8(ascii: "S"), UInt8(ascii: "N"), UInt8(ascii: "Q"),
        ]
        guard binding.bytes.contains(UInt8(ascii: "U")), binding.bytes.allSatisfy(known.contains) else {
            throw Refusal(.badRequest)
        }
    }
}

extension ObjectPath {
    /// The path with its object and instance replaced.
    func moved(to instance: ObjectPath) -> ObjectPath {
        guard let resource = self.resource else { return instance }
        let moved = instance.appending(resource)
        return self.resourceInstance.map(moved.appending) ?? moved
    }
}
