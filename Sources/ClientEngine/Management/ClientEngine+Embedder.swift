import CoAPMessages
import LwM2MModel
import Primitives

/// What the embedder changes: its values, instances and objects, and the time.
///
/// During bootstrap a change is also made in the configuration that a failure brings back, so that none is lost.
extension ClientEngine {
    mutating func setClock(_ time: WallTime, now: MonotonicTime) {
        self.clockStart = time.secondsSinceEpoch &- now.nanoseconds / 1_000_000_000
        self.prepareBootstrapURI(isChanged: false, now: now)
    }

    mutating func loseClock(now: MonotonicTime) {
        self.clockStart = nil
        self.prepareBootstrapURI(isChanged: false, now: now)
    }

    mutating func set(_ records: [ResourceRecord], now: MonotonicTime) {
        var hasServerChanges = self.setProfiles(records, now: now)
        for record in records
        where !self.tree.isProfileObject(record.path.object) && !self.tree.isSessionObject(record.path.object) {
            let before = self.tree.value(at: record.path)
            _ = self.bootstrap.previous?.set(record)
            guard self.tree.set(record) else { continue }
            if record.path == ObjectPath(3, 0, 13), case .time(let time) = record.value {
                self.setClock(time, now: now)
            }
            guard before != self.tree.value(at: record.path) else { continue }
            if record.path.object == 1, let instance = record.path.instance {
                hasServerChanges = true
                self.serverAccountChanged(instance: instance, now: now)
            }
            self.valueChanged(record.path)
        }
        if hasServerChanges { self.put(.store(self.makeStorageID(), self.stored(self.wholeTree))) }
    }

    /// Sets resources of profiles, all together: left out as a whole when no whole profile comes of it.
    ///
    /// - Returns: whether something is to be stored.
    private mutating func setProfiles(_ records: [ResourceRecord], now: MonotonicTime) -> Bool {
        let concerned = records.filter { self.tree.isProfileObject($0.path.object) }
        guard !concerned.isEmpty else { return false }
        var candidate = self.tree
        guard concerned.allSatisfy({ candidate.set($0) }), candidate.profilesHold else { return false }
        self.tree = candidate
        for record in concerned {
            _ = self.bootstrap.previous?.set(record)
            self.valueChanged(record.path)
        }
        self.prepareBootstrapURI(isChanged: true, now: now)
        return true
    }

    mutating func removeValue(_ path: ObjectPath) {
        guard !self.tree.isProfileObject(path.object), !self.tree.isSessionObject(path.object) else { return }
        _ = self.bootstrap.previous?.remove(path)
        if self.tree.remove(path) { self.valueChanged(path) }
    }

    mutating func addInstance(_ object: UInt16, _ instance: UInt16, _ records: [ResourceRecord], now: MonotonicTime) {
        guard !self.tree.isOwn(object), instance < 65_535, let hosted = self.tree.object(object) else { return }
        var values = ResourceValues()
        for record in records {
            guard let resource = record.path.resource.flatMap(hosted.definition.resource),
                let value = try? resource.checked(record.value, at: record.path)
            else { continue }
            values.set(ResourceRecord(record.path, value))
        }
        _ = self.bootstrap.previous?.insert(HostedInstance(instance, values), into: object)
        _ = self.tree.insert(HostedInstance(instance, values), into: object)
        self.instanceListChanged(ObjectPath(object, instance), now: now)
    }

    mutating func removeInstance(_ path: ObjectPath, now: MonotonicTime) {
        guard let object = path.object, !self.tree.isOwn(object), path.depth == 2 else { return }
        _ = self.bootstrap.previous?.removeInstance(path)
        guard self.tree.removeInstance(path) else { return }
        self.instanceListChanged(path, now: now)
    }

    mutating func addObject(_ object: HostedObject, now: MonotonicTime) {
        guard !self.tree.isOwn(object.definition.id) else { return }
        self.registry = self.registry.including([object])
        self.bootstrap.previous?.insert(object)
        self.tree.insert(object)
        self.instanceListChanged(ObjectPath(object.definition.id), now: now)
    }

    /// An instance came or went: the servers hear of it, and observations of the object see it.
    mutating func instanceListChanged(_ path: ObjectPath, now: MonotonicTime) {
        if let object = path.object { self.objectListChanged(object, now: now) }
        self.valueChanged(path)
    }
}
