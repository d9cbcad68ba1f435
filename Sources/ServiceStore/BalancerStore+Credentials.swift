internal import GRDB
public import Primitives

extension BalancerStore {
    /// What is kept of a device that another server told of.
    public struct KnownDevice: Equatable, Sendable {
        /// The endpoint name.
        public var endpoint: UTF8Text
        /// The DTLS identity of its bootstrap account.
        public var identity: [UInt8]
        /// The key of the identity.
        public var key: SecretBytes
        /// Where the device is.
        public var region: UTF8Text?
        /// What kind of device it is.
        public var deviceClass: UTF8Text?

        /// Creates a device from its parts.
        public init(
            endpoint: UTF8Text,
            identity: [UInt8],
            key: SecretBytes,
            region: UTF8Text? = nil,
            deviceClass: UTF8Text? = nil
        ) {
            self.endpoint = endpoint
            self.identity = identity
            self.key = key
            self.region = region
            self.deviceClass = deviceClass
        }
    }

    /// The devices that another server told of, so that a balancer starts while that server is away.
    public func knownDevices() throws(StoreError) -> [KnownDevice] {
        try self.database.read { database in
            var devices: [KnownDevice] = []
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT endpoint, identity, key, region, class FROM credential"
            )
            while let row = try rows.next() {
                guard let endpoint = Self.text(row[0]), let identity: Blob = row[1], let key: Blob = row[2] else {
                    continue
                }
                devices.append(
                    KnownDevice(
                        endpoint: endpoint,
                        identity: identity.bytes,
                        key: SecretBytes(key.bytes),
                        region: Self.text(row[3]),
                        deviceClass: Self.text(row[4])
                    )
                )
            }
            return devices
        }
    }

    /// Takes over what another server told, all of it or nothing.
    ///
    /// - Parameters:
    ///   - changed: devices that are new, or known otherwise so far.
    ///   - removed: devices that the server knows no longer.
    public func update(knownDevices changed: [KnownDevice], removed: [UTF8Text]) throws(StoreError) {
        try self.database.write { database in
            let forget = try database.cachedStatement(sql: "DELETE FROM credential WHERE endpoint = ?")
            for endpoint in removed { try forget.execute(arguments: [Blob(endpoint.bytes)]) }
            // An identity may have gone from one device to another: all old rows go first.
            for device in changed { try forget.execute(arguments: [Blob(device.endpoint.bytes)]) }
            let insert = try database.cachedStatement(sql: "INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?, ?)")
            for device in changed {
                try insert.execute(arguments: [
                    Blob(device.endpoint.bytes), Blob(device.identity), Blob(device.key.copyBytes()),
                    device.region.map { Blob($0.bytes) }, device.deviceClass.map { Blob($0.bytes) },
                ])
            }
        }
    }
}
