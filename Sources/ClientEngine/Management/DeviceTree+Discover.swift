import CoAPMessages
import LwM2MCodecs
import LwM2MModel

extension DeviceTree {
    /// Discover: what lies at and below a path, with the attributes that one server attached.
    ///
    /// - Source: LwM2M Core 1.2.2, clause 6.3.3: for an object its instances and their resources, for an instance its
    ///   resources, for a resource itself with the attributes it inherits.
    func discover(_ path: ObjectPath, attributes: AttributeTable) throws(Refusal) -> [DiscoveredPath] {
        let object = try self.resolve(path)
        var lines: [DiscoveredPath] = []
        switch path.depth {
        case 1:
            lines.append(
                DiscoveredPath(path, attributes: attributes.attached(to: path), version: object.statedVersion)
            )
            for instance in object.instances {
                let below = path.appending(instance.id)
                lines.append(DiscoveredPath(below, attributes: attributes.attached(to: below)))
                for resource in object.resources(of: instance) {
                    lines.append(DiscoveredPath(below.appending(resource)))
                }
            }
        case 2:
            guard let instance = self.instance(path) else { throw Refusal(.notFound) }
            lines.append(DiscoveredPath(path, attributes: attributes.attached(to: path)))
            for resource in object.resources(of: instance) {
                let below = path.appending(resource)
                lines.append(
                    DiscoveredPath(
                        below,
                        attributes: attributes.attached(to: below),
                        dimension: object.dimension(of: resource, in: instance)
                    )
                )
            }
        default:
            guard let instance = self.instance(path), let resource = path.resource,
                object.resources(of: instance).contains(resource)
            else { throw Refusal(.notFound) }
            let dimension = object.dimension(of: resource, in: instance)
            lines.append(
                DiscoveredPath(path, attributes: attributes.effective(at: path), dimension: dimension)
            )
            guard dimension != nil else { break }
            for entry in instance.values.entries(of: resource) {
                let below = ResourceValues.path(of: entry.key, below: path.prefix(2))
                lines.append(DiscoveredPath(below, attributes: attributes.attached(to: below)))
            }
        }
        return lines
    }
}

extension HostedObject {
    /// The resources that an instance has: those with values, and the executable ones.
    func resources(of instance: HostedInstance) -> [UInt16] {
        var resources: [UInt16] = []
        for resource in self.definition.resources {
            let isThere =
                resource.operations.contains(.execute)
                ? self.executables.contains(resource.id) : instance.values.contains(resource: resource.id)
            if isThere { resources.append(resource.id) }
        }
        return resources
    }

    /// How many instances a multiple resource has; nil for a single one.
    fileprivate func dimension(of resource: UInt16, in instance: HostedInstance) -> UInt32? {
        guard self.definition.resource(resource)?.isMultiple ?? false else { return nil }
        return UInt32(instance.values.entries(of: resource).count)
    }
}
