public import LwM2MModel
public import Primitives

/// What one device is to be told about one server.
public struct ProvisionedServer: Hashable, Sendable {
    /// How the device proves itself to the server.
    public enum Security: Hashable, Sendable {
        /// It does not.
        case none
        /// DTLS with a pre-shared key.
        case preSharedKey(identity: [UInt8], key: SecretBytes)

        /// Hashes what is no secret.
        public func hash(into hasher: inout Hasher) {
            if case .preSharedKey(let identity, _) = self { hasher.combine(identity) }
        }
    }

    /// Resource /1/x/0 and /0/x/10: 1 to 65534, another one for each server.
    public var shortServerID: UInt16
    /// Resource /0/x/0: `coaps://example.com:5684`, at most 255 bytes.
    public var uri: UTF8Text
    /// Resources /0/x/2, 3 and 5.
    public var security: Security
    /// Resource /1/x/1, in seconds; 0 is for ever.
    public var lifetime: UInt32
    /// Resource /1/x/2, in seconds.
    public var minimumPeriod: UInt32?
    /// Resource /1/x/3, in seconds.
    public var maximumPeriod: UInt32?
    /// Resource /1/x/6: whether notifications are kept while the server cannot be reached.
    public var storesNotifications: Bool
    /// Resource /1/x/7.
    public var binding: UTF8Text

    /// Creates what a device is told.
    public init(
        shortServerID: UInt16,
        uri: UTF8Text,
        security: Security,
        lifetime: UInt32 = 300,
        minimumPeriod: UInt32? = nil,
        maximumPeriod: UInt32? = nil,
        storesNotifications: Bool = true,
        binding: UTF8Text = "U"
    ) {
        self.shortServerID = shortServerID
        self.uri = uri
        self.security = security
        self.lifetime = lifetime
        self.minimumPeriod = minimumPeriod
        self.maximumPeriod = maximumPeriod
        self.storesNotifications = storesNotifications
        self.binding = binding
    }

    /// The values of the instance of Security (0) that describes the server.
    func securityRecords(instance: UInt16) -> [ResourceRecord] {
        let base = ObjectPath(0, instance)
        let mode: Int64
        let identity: [UInt8]
        let key: [UInt8]
        switch self.security {
        case .none: (mode, identity, key) = (3, [], [])
        case .preSharedKey(let name, let secret): (mode, identity, key) = (0, name, secret.copyBytes())
        }
        return [
            ResourceRecord(base.appending(0), .string(self.uri)),
            ResourceRecord(base.appending(1), .boolean(false)),
            ResourceRecord(base.appending(2), .integer(mode)),
            ResourceRecord(base.appending(3), .opaque(identity)),
            ResourceRecord(base.appending(4), .opaque([])),
            ResourceRecord(base.appending(5), .opaque(key)),
            ResourceRecord(base.appending(10), .integer(Int64(self.shortServerID))),
        ]
    }

    /// The values of the instance of Server (1) that describes the server.
    func serverRecords(instance: UInt16) -> [ResourceRecord] {
        let base = ObjectPath(1, instance)
        var records = [
            ResourceRecord(base.appending(0), .integer(Int64(self.shortServerID))),
            ResourceRecord(base.appending(1), .integer(Int64(self.lifetime))),
        ]
        if let period = self.minimumPeriod {
            records.append(ResourceRecord(base.appending(2), .integer(Int64(period))))
        }
        if let period = self.maximumPeriod {
            records.append(ResourceRecord(base.appending(3), .integer(Int64(period))))
        }
        records.append(ResourceRecord(base.appending(6), .boolean(self.storesNotifications)))
        records.append(ResourceRecord(base.appending(7), .string(self.binding)))
        return records
    }
}

/// What a bootstrap server does to one device.
public struct BootstrapPlan: Hashable, Sendable {
    /// The servers that the device will know.
    public var servers: [ProvisionedServer]
    /// What is deleted before anything is written; the root means everything that may be deleted.
    public var deletes: [ObjectPath]
    /// Whether the device is asked first what it holds, so that its bootstrap account is not written over.
    ///
    /// Without asking, instance 0 of Security is taken for the bootstrap account.
    public var discoversFirst: Bool

    /// Creates a plan.
    public init(servers: [ProvisionedServer], deletes: [ObjectPath] = [.root], discoversFirst: Bool = true) {
        self.servers = servers
        self.deletes = deletes
        self.discoversFirst = discoversFirst
    }
}
