import CoAPMessages
import LwM2MModel
import Primitives

extension DeviceTree {
    /// Discover: what lies at and below a path, with the attributes that one server attached.
    ///
    /// - Source: LwM2M Core 1.2.2, clause 6.3.3: for an object its instances and their resources, for an instance its
    ///   resources, for a resource itself with the attributes it inherits.
    func discover(_ path: ObjectPath, attributes: AttributeTable) throws(Refusal) -> [UInt8] {
        let object = try self.resolve(path)
        var links = ObjectLinks()
        switch path.depth {
        case 1:
            links.append(path)
            if object.definition.version != .initial { links.appendVersion(object.definition.version) }
            links.append(attributes.attached(to: path))
            for instance in object.instances {
                let below = path.appending(instance.id)
                links.append(below)
                links.append(attributes.attached(to: below))
                for resource in object.resources(of: instance) { links.append(below.appending(resource)) }
            }
        case 2:
            guard let instance = self.instance(path) else { throw Refusal(.notFound) }
            links.append(path)
            links.append(attributes.attached(to: path))
            for resource in object.resources(of: instance) {
                let below = path.appending(resource)
                links.append(below)
                links.appendDimension(instance, resource, of: object)
                links.append(attributes.attached(to: below))
            }
        default:
            guard let instance = self.instance(path), let resource = path.resource,
                object.resources(of: instance).contains(resource)
            else { throw Refusal(.notFound) }
            links.append(path)
            links.appendDimension(instance, resource, of: object)
            links.append(attributes.effective(at: path))
            guard object.definition.resource(resource)?.isMultiple ?? false else { break }
            for entry in instance.values.entries(of: resource) {
                let below = ResourceValues.path(of: entry.key, below: path.prefix(2))
                links.append(below)
                links.append(attributes.attached(to: below))
            }
        }
        return links.bytes
    }
}

extension HostedObject {
    /// The resources that an instance has: those with values, and the executable ones.
    func resources(of instance: HostedInstance) -> [UInt16] {
        self.definition.resources
            .filter {
                $0.operations.contains(.execute)
                    ? self.executables.contains($0.id) : instance.values.contains(resource: $0.id)
            }
            .map(\.id)
    }
}

extension ObjectLinks {
    /// How many instances a multiple resource has.
    fileprivate mutating func appendDimension(_ instance: HostedInstance, _ resource: UInt16, of object: HostedObject) {
        guard object.definition.resource(resource)?.isMultiple ?? false else { return }
        self.append("dim", UInt64(instance.values.entries(of: resource).count))
    }
}
