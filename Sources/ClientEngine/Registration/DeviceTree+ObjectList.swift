import CoAPMessages
import LwM2MCodecs
import LwM2MModel

extension DeviceTree {
    /// What Register and Update tell a server: every object and instance but the hidden ones.
    ///
    /// An object has an entry of its own where it states a version other than 1.0, or has no instance.
    /// - Source: LwM2M Core 1.2.2, clause 6.2.1.
    func objectList(version: EnablerVersion) -> [UInt8] {
        var entries: [ObjectList.Entry] = []
        entries.reserveCapacity(self.objects.count * 2)
        for object in self.objects where !Self.isHidden(object.definition.id) {
            let path = ObjectPath(object.definition.id)
            let stated = object.statedVersion
            if stated != nil || object.instances.isEmpty { entries.append(ObjectList.Entry(path, version: stated)) }
            for instance in object.instances { entries.append(ObjectList.Entry(path.appending(instance.id))) }
        }
        let formats: [ContentFormat] = version == .v1_0 ? [.tlv] : [.cbor, .senMLJSON, .senMLCBOR, .tlv]
        return ObjectList(entries: entries, contentFormats: formats).encoded()
    }
}

extension HostedObject {
    /// The version, where it is not the one that goes without saying.
    var statedVersion: ObjectVersion? { self.definition.version == .initial ? nil : self.definition.version }
}
