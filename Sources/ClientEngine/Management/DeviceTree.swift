import CoAPMessages
import LwM2MModel
import Primitives

/// Why an operation is not done: the code of its answer.
struct Refusal: Error, Hashable {
    let code: CoAPCode

    init(_ code: CoAPCode) { self.code = code }
}

/// The objects of a device: accounts of object 0, and the instances of every other object.
///
/// Copying it copies two references. An operation that changes it works on a copy, which takes the place of the
/// original when nothing was wrong.
struct DeviceTree: Sendable {
    /// The instances of object 0, lowest identifier first.
    private(set) var security: [SecurityAccount]
    /// Every other object, lowest identifier first.
    private(set) var objects: [HostedObject]
    /// Where the objects of this project stand.
    let ids: OwnObjectIDs

    init(configuration: ClientConfiguration, registry: ObjectRegistry) {
        self.security = []
        self.objects = []
        self.ids = configuration.ownObjectIDs
        for account in configuration.security { self.insert(account) }
        self.insert(
            HostedObject(
                registry.object(1) ?? Objects.server,
                instances: configuration.servers.map { HostedInstance($0.instance, $0.values) },
                executables: [4, 8, 9]
            )
        )
        if let profiles = configuration.profileInstances,
            let definition = registry.object(self.ids.bootstrapURIProfile)
        {
            self.hostProfiles(definition, profiles)
        }
        if let sessions = configuration.sessions, let definition = registry.object(self.ids.commandSession) {
            self.hostSessions(definition, sessions.map { $0.instance })
        }
        for object in configuration.objects where !self.isOwn(object.definition.id) { self.insert(object) }
    }

    /// Whether the engine itself keeps the object, so that an embedder cannot host it.
    func isOwn(_ object: UInt16) -> Bool {
        object == 0 || object == 1 || self.isProfileObject(object) || self.isSessionObject(object)
    }

    /// Whether no server may see the object outside bootstrap, and Register does not list it.
    ///
    /// - Source: LwM2M Core 1.2.2, clauses 6.2.1 and 6.3: Security, OSCORE, COSE.
    static func isHidden(_ object: UInt16) -> Bool { object == 0 || object == 21 || object == 23 }

    // MARK: Looking up

    func object(_ id: UInt16) -> HostedObject? {
        let index = self.index(of: id)
        return index < self.objects.count && self.objects[index].definition.id == id ? self.objects[index] : nil
    }

    func instance(_ path: ObjectPath) -> HostedInstance? {
        guard let object = path.object, let instance = path.instance else { return nil }
        return self.object(object)?.instance(instance)
    }

    func definition(_ path: ObjectPath) -> ResourceDefinition? {
        guard let object = path.object, let resource = path.resource else { return nil }
        return self.object(object)?.definition.resource(resource)
    }

    func value(at path: ObjectPath) -> ResourceValue? {
        guard let instance = self.instance(path), let resource = path.resource else { return nil }
        return if let resourceInstance = path.resourceInstance {
            instance.values[resource, resourceInstance]
        } else {
            instance.values[resource]
        }
    }

    /// The accounts of object 1.
    var servers: [ServerAccount] {
        self.object(1)?.instances.map { ServerAccount(instance: $0.id, values: $0.values) } ?? []
    }

    /// The account of object 1 in the instance.
    func server(instance: UInt16) -> ServerAccount? {
        self.object(1)?.instance(instance).map { ServerAccount(instance: $0.id, values: $0.values) }
    }

    /// The account with a bootstrap server, when there is one.
    var bootstrapAccount: SecurityAccount? { self.security.first { $0.isBootstrap } }

    /// What must survive a restart.
    var stored: StoredConfiguration {
        StoredConfiguration(
            security: self.security,
            servers: self.servers,
            profiles: self.object(self.ids.bootstrapURIProfile)?.instances
        )
    }

    /// Every value at or below a path that has them, executable resources and object 0 left out.
    ///
    /// - Parameter isIncluded: tells by definition whether a resource belongs to the answer.
    func records(below path: ObjectPath, where isIncluded: (ResourceDefinition) -> Bool = { _ in true })
        -> [ResourceRecord]
    {
        var records: [ResourceRecord] = []
        for object in self.objects where path.object == nil || path.object == object.definition.id {
            for instance in object.instances where path.instance == nil || path.instance == instance.id {
                let below = ObjectPath(object.definition.id, instance.id)
                if path.depth < 3 { records.reserveCapacity(records.count + instance.values.count) }
                let entries = path.resource.map { instance.values.entries(of: $0) } ?? instance.values.entries[...]
                for entry in entries {
                    guard let definition = object.definition.resource(ResourceValues.resource(of: entry)),
                        isIncluded(definition)
                    else { continue }
                    let record = ResourceRecord(ResourceValues.path(of: entry.key, below: below), entry.value)
                    if path.contains(record.path) { records.append(record) }
                }
            }
        }
        return records
    }

    // MARK: Changing

    /// Sets values without asking who may: for the embedder.
    ///
    /// - Returns: false, with nothing changed, when the resource is not defined, its instance is missing, or the value
    ///   does not fit.
    mutating func set(_ record: ResourceRecord) -> Bool {
        guard let definition = self.definition(record.path),
            let value = try? definition.checked(record.value, at: record.path)
        else { return false }
        return self.withInstance(record.path) { $0.set(ResourceRecord(record.path, value)) }
    }

    /// Removes a resource or resource instance.
    ///
    /// - Returns: whether there was one.
    mutating func remove(_ path: ObjectPath) -> Bool {
        guard let resource = path.resource, let instance = self.instance(path),
            instance.values.contains(resource: resource)
        else { return false }
        return self.withInstance(path) { values in
            if let resourceInstance = path.resourceInstance {
                values[resource, resourceInstance] = nil
            } else {
                values.remove(resource: resource)
            }
        }
    }

    /// Puts an instance into an object that is there, in place of one with its identifier.
    ///
    /// - Returns: false when there is no such object.
    mutating func insert(_ instance: HostedInstance, into object: UInt16) -> Bool {
        let index = self.index(of: object)
        guard index < self.objects.count, self.objects[index].definition.id == object else { return false }
        self.objects[index].insert(instance)
        return true
    }

    mutating func removeInstance(_ path: ObjectPath) -> Bool {
        guard let object = path.object, let instance = path.instance else { return false }
        let index = self.index(of: object)
        guard index < self.objects.count, self.objects[index].definition.id == object else { return false }
        return self.objects[index].remove(instance)
    }

    mutating func insert(_ object: HostedObject) {
        let index = self.index(of: object.definition.id)
        if index < self.objects.count, self.objects[index].definition.id == object.definition.id {
            self.objects[index] = object
        } else {
            self.objects.insert(object, at: index)
        }
    }

    mutating func insert(_ account: SecurityAccount) {
        self.security.removeAll { $0.instance == account.instance }
        let index = self.security.firstIndex { $0.instance > account.instance } ?? self.security.count
        self.security.insert(account, at: index)
    }

    mutating func removeSecurity(where isRemoved: (SecurityAccount) -> Bool) {
        self.security.removeAll(where: isRemoved)
    }

    /// Lends the values of the instance that a path leads to.
    ///
    /// - Returns: false when there is no such instance.
    mutating func withInstance(_ path: ObjectPath, _ body: (inout ResourceValues) -> Void) -> Bool {
        guard let object = path.object, let instance = path.instance else { return false }
        let index = self.index(of: object)
        guard index < self.objects.count, self.objects[index].definition.id == object else { return false }
        let position = self.objects[index].index(of: instance)
        guard position < self.objects[index].instances.count, self.objects[index].instances[position].id == instance
        else { return false }
        body(&self.objects[index].instances[position].values)
        return true
    }

    private func index(of id: UInt16) -> Int {
        var low = 0
        var high = self.objects.count
        while low < high {
            let middle = (low + high) / 2
            if self.objects[middle].definition.id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
