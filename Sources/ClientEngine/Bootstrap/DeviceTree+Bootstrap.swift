import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives

/// The operations of a bootstrap server. Each throws the code of its answer and then has changed nothing that the
/// caller keeps: call the mutating ones on a copy.
///
/// - Source: LwM2M Core 1.2.2, clause 6.1.7.
extension DeviceTree {
    /// Whether every server has its two accounts, usable and telling the same short identifier.
    ///
    /// - Source: LwM2M Core 1.2.2, clause 6.1.7.5 (Bootstrap-Finish).
    var isConsistentAfterBootstrap: Bool {
        let accounts = self.security.filter { !$0.isBootstrap }
        let servers = self.servers
        guard !accounts.isEmpty, accounts.count == servers.count, self.security.count - accounts.count <= 1 else {
            return false
        }
        var seen: [UInt16] = []
        for account in accounts {
            guard let id = account.shortServerID, (1...65_534).contains(id), !seen.contains(id),
                account.address != nil,
                let server = servers.first(where: { $0.shortServerID == id }),
                let definition = self.object(1)?.definition,
                (try? Self.checkComplete(server.values, of: definition) { $0.operations.contains(.read) }) != nil,
                (try? Self.checkServer(server.values)) != nil
            else { return false }
            seen.append(id)
        }
        return self.profilesHold
    }

    /// Bootstrap-Read: objects 1 and 2 only.
    func bootstrapRead(_ path: ObjectPath) throws(Refusal) -> [ResourceRecord] {
        guard let object = path.object, object == 1 || object == 2, path.depth <= 2 else {
            throw Refusal(.methodNotAllowed)
        }
        guard let hosted = self.object(object) else { throw Refusal(.notFound) }
        if let instance = path.instance, hosted.instance(instance) == nil { throw Refusal(.notFound) }
        return self.records(below: path) { !$0.operations.contains(.execute) }
    }

    /// Bootstrap-Discover: the objects and instances, with what ties accounts to servers.
    func bootstrapDiscover(_ path: ObjectPath, version: EnablerVersion) throws(Refusal) -> [DiscoveredPath] {
        guard path.depth <= 1 else { throw Refusal(.methodNotAllowed) }
        guard path.depth == 0 || path.object == 0 || path.object.flatMap({ self.object($0) }) != nil else {
            throw Refusal(.notFound)
        }
        var root = DiscoveredPath(.root)
        root.enablerVersion = version.number
        var lines = [root]
        if path.depth == 0 || path.object == 0 {
            for account in self.security {
                var line = DiscoveredPath(ObjectPath(0, account.instance))
                if !account.isBootstrap { line.shortServerID = account.shortServerID }
                if version >= .v1_1 { line.serverURI = account.serverURI }
                lines.append(line)
            }
        }
        for object in self.objects where path.depth == 0 || path.object == object.definition.id {
            let below = ObjectPath(object.definition.id)
            if object.statedVersion != nil || object.instances.isEmpty {
                lines.append(DiscoveredPath(below, version: object.statedVersion))
            }
            for instance in object.instances {
                var line = DiscoveredPath(below.appending(instance.id))
                if object.definition.id == 1 {
                    line.shortServerID = ServerAccount(instance: instance.id, values: instance.values).shortServerID
                }
                lines.append(line)
            }
        }
        return lines
    }

    /// Bootstrap-Write: creates or overwrites instances, or sets one resource.
    mutating func bootstrapWrite(_ records: [ResourceRecord], at path: ObjectPath) throws(Refusal) {
        guard let object = path.object else { throw Refusal(.methodNotAllowed) }
        for record in records where !path.contains(record.path) || record.path.depth < 3 {
            throw Refusal(.badRequest)
        }
        if object == 0 { return try self.writeSecurity(records, at: path) }
        guard let hosted = self.object(object) else { throw Refusal(.notFound) }
        if let resource = path.resource {
            guard hosted.definition.resource(resource) != nil, self.instance(path) != nil else {
                throw Refusal(.notFound)
            }
        }
        // The payload of one object may hold many instances, each written whole.
        var written: [UInt16] = path.instance.map { [$0] } ?? []
        for record in records {
            if let instance = record.path.instance, !written.contains(instance) { written.append(instance) }
        }
        for instance in written {
            try self.writeInstance(instance, of: hosted, records.filter { $0.path.instance == instance }, at: path)
        }
        if self.isProfileObject(object), !self.profilesHold { throw Refusal(.badRequest) }
        if self.isSessionObject(object), !self.sessionsHold { throw Refusal(.badRequest) }
    }

    /// Bootstrap-Delete: never the bootstrap account, nor with `/` its profile and command sessions, nor what the device cannot be without.
    mutating func bootstrapDelete(_ path: ObjectPath) throws(Refusal) {
        guard path.depth <= 2 else { throw Refusal(.methodNotAllowed) }
        guard let object = path.object else {
            self.removeSecurity { !$0.isBootstrap }
            for object in self.objects
            where Self.isRemovable(object) && !self.isProfileObject(object.definition.id)
                && !self.isSessionObject(object.definition.id)
            {
                self.removeInstances(of: object)
            }
            return
        }
        if object == 0 { return try self.deleteSecurity(path.instance) }
        guard let hosted = self.object(object) else { throw Refusal(.notFound) }
        guard Self.isRemovable(hosted) else { throw Refusal(.badRequest) }
        guard let instance = path.instance else { return self.removeInstances(of: hosted) }
        guard self.removeInstance(ObjectPath(object, instance)) else { throw Refusal(.notFound) }
    }

    private static func isRemovable(_ object: HostedObject) -> Bool {
        object.definition.id == 1 || object.definition.id == 2
            || object.allowsCreateDelete && !(object.definition.isMandatory && !object.definition.isMultiple)
    }

    private mutating func removeInstances(of object: HostedObject) {
        for instance in object.instances { _ = self.removeInstance(ObjectPath(object.definition.id, instance.id)) }
    }

    private mutating func deleteSecurity(_ instance: UInt16?) throws(Refusal) {
        guard let instance else { return self.removeSecurity { !$0.isBootstrap } }
        guard let account = self.security.first(where: { $0.instance == instance }) else { throw Refusal(.notFound) }
        guard !account.isBootstrap else { throw Refusal(.badRequest) }
        self.removeSecurity { $0.instance == instance }
    }

    private mutating func writeInstance(
        _ id: UInt16,
        of hosted: HostedObject,
        _ records: [ResourceRecord],
        at path: ObjectPath
    ) throws(Refusal) {
        let definition = hosted.definition
        let present = hosted.instance(id)
        guard present != nil || Self.isRemovable(hosted) else { throw Refusal(.methodNotAllowed) }
        let limit =
            definition.id == 1
            ? EngineLimits.accounts
            : self.isSessionObject(definition.id) ? EngineLimits.commandSessions : EngineLimits.instancesPerObject
        guard present != nil || (self.object(definition.id)?.instances.count ?? 0) < limit else {
            throw Refusal(.requestEntityTooLarge)
        }
        // What the hardware measures is not the bootstrap server's to clear: only accounts are overwritten whole.
        let overwrites = path.depth < 3 && Self.isRemovable(hosted)
        var values = overwrites ? ResourceValues() : present?.values ?? ResourceValues()
        if path.depth == 3, let resource = path.resource { values.remove(resource: resource) }
        for record in records {
            // Clause 6.1.7.3: a resource that the client does not support is left out.
            guard let resource = record.path.resource.flatMap(definition.resource),
                !resource.operations.contains(.execute)
            else { continue }
            values.set(ResourceRecord(record.path, try resource.checked(record.value, at: record.path)))
        }
        guard values.count <= EngineLimits.valuesPerInstance else { throw Refusal(.requestEntityTooLarge) }
        _ = self.insert(HostedInstance(id, values), into: definition.id)
    }

    private mutating func writeSecurity(_ records: [ResourceRecord], at path: ObjectPath) throws(Refusal) {
        var written: [UInt16] = path.instance.map { [$0] } ?? []
        for record in records {
            if let instance = record.path.instance, !written.contains(instance) { written.append(instance) }
        }
        for instance in written {
            let present = self.security.first { $0.instance == instance }
            if path.depth >= 3, present == nil { throw Refusal(.notFound) }
            guard present != nil || self.security.count < EngineLimits.accounts else {
                throw Refusal(.requestEntityTooLarge)
            }
            let kept = path.depth >= 3 ? present : nil
            var account = kept ?? SecurityAccount(instance: instance, serverURI: "")
            for record in records where record.path.instance == instance { try account.set(record) }
            self.insert(account)
        }
    }
}

extension SecurityAccount {
    /// Sets the resource that a record's path ends in; one that this client does not use is left out.
    ///
    /// - Throws: 4.00 for a value of the wrong type or out of range.
    mutating func set(_ record: ResourceRecord) throws(Refusal) {
        switch (record.path.resource, record.value) {
        case (0, .string(let text)) where text.bytes.count <= 255: self.serverURI = text
        case (1, .boolean(let flag)): self.isBootstrap = flag
        case (2, _):
            guard let number = record.value.asInteger.flatMap({ UInt8(exactly: $0) }),
                let mode = SecurityMode(rawValue: number)
            else { throw Refusal(.badRequest) }
            self.mode = mode
        case (3, .opaque(let bytes)) where bytes.count <= EngineLimits.valueSize: self.identity = bytes
        case (4, .opaque(let bytes)) where bytes.count <= EngineLimits.valueSize: self.serverPublicKey = bytes
        case (5, .opaque(let bytes)) where bytes.count <= EngineLimits.valueSize: self.key = SecretBytes(bytes)
        case (10, _):
            guard let id = record.value.asInteger.flatMap({ UInt16(exactly: $0) }), id > 0, id < 65_535 else {
                throw Refusal(.badRequest)
            }
            self.shortServerID = id
        case (11, _): self.holdOff = try Self.seconds(record.value)
        case (12, _): self.bootstrapAccountTimeout = try Self.seconds(record.value)
        case (0, _), (1, _), (3, _), (4, _), (5, _), (nil, _): throw Refusal(.badRequest)
        default: break
        }
    }

    private static func seconds(_ value: ResourceValue) throws(Refusal) -> UInt32 {
        guard let seconds = value.asInteger.flatMap({ UInt32(exactly: $0) }) else { throw Refusal(.badRequest) }
        return seconds
    }
}
