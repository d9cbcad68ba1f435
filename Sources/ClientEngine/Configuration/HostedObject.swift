public import LwM2MModel

/// One instance of a hosted object with its values.
public struct HostedInstance: Hashable, Sendable {
    /// The identifier of the instance, 0 to 65534.
    public let id: UInt16
    /// Its values.
    public var values: ResourceValues

    /// Creates an instance; `HostedInstance(0, [5700: .float(21.5)])`.
    public init(_ id: UInt16, _ values: ResourceValues) {
        self.id = id
        self.values = values
    }
}

/// An object of the device with the instances it starts with.
///
/// Copying it copies references: devices made from one configuration share everything they do not change.
public struct HostedObject: Hashable, Sendable {
    /// What the object is.
    public let definition: ObjectDefinition
    /// The instances, lowest identifier first.
    public internal(set) var instances: [HostedInstance]
    /// Whether the embedder decides every write of a server before it is done.
    public var asksBeforeWrite: Bool
    /// Whether a server may create and delete instances, and whether bootstrap's `DELETE /` removes them.
    ///
    /// Off unless asked for: the instances of a sensor are those the hardware has.
    public var allowsCreateDelete: Bool
    /// The executable resources the device has, in every instance.
    public let executables: [UInt16]

    /// Creates a hosted object.
    ///
    /// - Parameters:
    ///   - definition: what the object is.
    ///   - instances: in any order; of two with one identifier the later one counts.
    ///   - executables: nil stands for the mandatory executable resources.
    ///   - asksBeforeWrite: whether the embedder decides every write.
    ///   - allowsCreateDelete: whether servers may create and delete instances.
    public init(
        _ definition: ObjectDefinition,
        instances: [HostedInstance],
        executables: [UInt16]? = nil,
        asksBeforeWrite: Bool = false,
        allowsCreateDelete: Bool = false
    ) {
        self.definition = definition
        self.instances = []
        self.asksBeforeWrite = asksBeforeWrite
        self.allowsCreateDelete = allowsCreateDelete
        self.executables =
            executables
            ?? definition.resources.filter { $0.isMandatory && $0.operations.contains(.execute) }.map { $0.id }
        for instance in instances { self.insert(instance) }
    }

    /// The instance with the identifier.
    func instance(_ id: UInt16) -> HostedInstance? {
        let index = self.index(of: id)
        return index < self.instances.count && self.instances[index].id == id ? self.instances[index] : nil
    }

    /// Adds the instance, in place of one with its identifier.
    mutating func insert(_ instance: HostedInstance) {
        let index = self.index(of: instance.id)
        if index < self.instances.count, self.instances[index].id == instance.id {
            self.instances[index] = instance
        } else {
            self.instances.insert(instance, at: index)
        }
    }

    /// Removes the instance with the identifier.
    ///
    /// - Returns: whether there was one.
    mutating func remove(_ id: UInt16) -> Bool {
        let index = self.index(of: id)
        guard index < self.instances.count, self.instances[index].id == id else { return false }
        self.instances.remove(at: index)
        return true
    }

    /// Where the instance is or would be.
    func index(of id: UInt16) -> Int {
        var low = 0
        var high = self.instances.count
        while low < high {
            let middle = (low + high) / 2
            if self.instances[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
