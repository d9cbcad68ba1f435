internal import ClientEngine
internal import CommandSessions
internal import LwM2MModel
internal import Primitives

/// The bytes of a stored configuration.
///
///     "STARLING" · version (2) · length of the content (4) · content · CRC-32 of everything before (4)
///
/// Numbers are big-endian; a run of bytes stands behind its length in 2 bytes. The content of version 1 ends behind the
/// accounts; version 2 has the profiles of temporary bootstrap URIs behind them; version 3 the command sessions.
enum StoredConfigurationFormat {
    static let version: UInt16 = 3
    static let maximumSize = 1 << 20
    private static let magic: [UInt8] = Array("STARLING".utf8)
    private static let headerSize = 14
    static let absent: UInt16 = 65_535

    // MARK: Writing

    static func encode(_ configuration: StoredConfiguration) throws(DeviceStoreError) -> [UInt8] {
        var content = ByteWriter(capacity: 512)
        try self.writeCount(configuration.security.count, to: &content)
        for account in configuration.security { try self.write(account, to: &content) }
        try self.writeCount(configuration.servers.count, to: &content)
        for account in configuration.servers { try self.write(account.values, of: account.instance, to: &content) }
        if let profiles = configuration.profiles {
            guard profiles.count < Int(self.absent) else { throw .tooLarge }
            try self.writeCount(profiles.count, to: &content)
            for profile in profiles { try self.write(profile.values, of: profile.id, to: &content) }
        } else {
            content.write(UInt64(self.absent), byteCount: 2)
        }
        try self.write(configuration.sessions, to: &content)
        guard content.bytes.count <= self.maximumSize - self.headerSize - 4 else { throw .tooLarge }

        var file = ByteWriter(capacity: content.bytes.count + self.headerSize + 4)
        file.write(self.magic)
        file.write(UInt64(self.version), byteCount: 2)
        file.write(UInt64(content.bytes.count), byteCount: 4)
        file.write(content.bytes)
        file.write(UInt64(Checksum.crc32(file.bytes[...])), byteCount: 4)
        return file.bytes
    }

    private static func write(_ account: SecurityAccount, to writer: inout ByteWriter) throws(DeviceStoreError) {
        writer.write(UInt64(account.instance), byteCount: 2)
        writer.write(account.isBootstrap ? 1 : 0)
        writer.write(account.mode.rawValue)
        try self.writeRun(account.serverURI.bytes, to: &writer)
        try self.writeRun(account.identity, to: &writer)
        try self.writeRun(account.serverPublicKey, to: &writer)
        try self.writeRun(account.key.copyBytes(), to: &writer)
        // 65535 is no short server ID, so it can stand for none.
        writer.write(UInt64(account.shortServerID ?? self.absent), byteCount: 2)
        writer.write(UInt64(account.holdOff), byteCount: 4)
        writer.write(account.bootstrapAccountTimeout == nil ? 0 : 1)
        writer.write(UInt64(account.bootstrapAccountTimeout ?? 0), byteCount: 4)
    }

    static func write(
        _ values: ResourceValues,
        of instance: UInt16,
        to writer: inout ByteWriter
    ) throws(DeviceStoreError) {
        writer.write(UInt64(instance), byteCount: 2)
        let records = values.records(below: ObjectPath(1, instance))
        try self.writeCount(records.count, to: &writer)
        for record in records {
            writer.write(UInt64(record.path.resource ?? self.absent), byteCount: 2)
            writer.write(UInt64(record.path.resourceInstance ?? self.absent), byteCount: 2)
            try self.write(record.value, to: &writer)
        }
    }

    private static func write(_ value: ResourceValue, to writer: inout ByteWriter) throws(DeviceStoreError) {
        switch value {
        case .string(let text):
            writer.write(1)
            try self.writeRun(text.bytes, to: &writer)
        case .integer(let number):
            writer.write(2)
            writer.write(UInt64(bitPattern: number), byteCount: 8)
        case .unsignedInteger(let number):
            writer.write(3)
            writer.write(number, byteCount: 8)
        case .float(let number):
            writer.write(4)
            writer.write(number.bitPattern, byteCount: 8)
        case .boolean(let flag):
            writer.write(5)
            writer.write(flag ? 1 : 0)
        case .opaque(let bytes):
            writer.write(6)
            try self.writeRun(bytes, to: &writer)
        case .time(let time):
            writer.write(7)
            writer.write(UInt64(bitPattern: time.secondsSinceEpoch), byteCount: 8)
        case .objectLink(let object, let instance):
            writer.write(8)
            writer.write(UInt64(object), byteCount: 2)
            writer.write(UInt64(instance), byteCount: 2)
        }
    }

    static func writeRun(_ bytes: [UInt8], to writer: inout ByteWriter) throws(DeviceStoreError) {
        try self.writeCount(bytes.count, to: &writer)
        writer.write(bytes)
    }

    static func writeCount(_ count: Int, to writer: inout ByteWriter) throws(DeviceStoreError) {
        guard count <= 0xFFFF else { throw .tooLarge }
        writer.write(UInt64(count), byteCount: 2)
    }

    // MARK: Reading

    static func decode(_ file: [UInt8]) throws(DeviceStoreError) -> StoredConfiguration {
        guard file.count >= self.headerSize + 4, file.count <= self.maximumSize, Array(file[..<8]) == self.magic else {
            throw .corrupt
        }
        var trailer = StoredBytes(file, file.count - 4..<file.count)
        guard try trailer.number(4) == UInt64(Checksum.crc32(file.dropLast(4))) else { throw .corrupt }
        var cursor = StoredBytes(file, 8..<file.count - 4)
        let version = UInt16(truncatingIfNeeded: try cursor.number(2))
        guard (1...self.version).contains(version) else { throw .unsupportedVersion(version) }
        guard try cursor.number(4) == UInt64(cursor.remaining) else { throw .corrupt }
        var configuration = StoredConfiguration(security: [], servers: [])
        for _ in 0..<(try cursor.number(2)) { configuration.security.append(try self.readSecurity(&cursor)) }
        for _ in 0..<(try cursor.number(2)) {
            let (instance, values) = try self.readInstance(&cursor)
            configuration.servers.append(ServerAccount(instance: instance, values: values))
        }
        if version > 1 { configuration.profiles = try self.readProfiles(&cursor) }
        if version > 2 { configuration.sessions = try self.readSessions(&cursor) }
        guard cursor.remaining == 0 else { throw .corrupt }
        return configuration
    }

    private static func readSecurity(_ cursor: inout StoredBytes) throws(DeviceStoreError) -> SecurityAccount {
        let instance = UInt16(truncatingIfNeeded: try cursor.number(2))
        let isBootstrap = try cursor.flag()
        guard let mode = SecurityMode(rawValue: UInt8(truncatingIfNeeded: try cursor.number(1))) else { throw .corrupt }
        let serverURI = try cursor.text()
        let identity = try cursor.run()
        let serverPublicKey = try cursor.run()
        let key = SecretBytes(try cursor.run())
        let shortServerID = UInt16(truncatingIfNeeded: try cursor.number(2))
        let holdOff = UInt32(truncatingIfNeeded: try cursor.number(4))
        let hasTimeout = try cursor.flag()
        let timeout = UInt32(truncatingIfNeeded: try cursor.number(4))
        return SecurityAccount(
            instance: instance,
            serverURI: serverURI,
            isBootstrap: isBootstrap,
            mode: mode,
            identity: identity,
            serverPublicKey: serverPublicKey,
            key: key,
            shortServerID: shortServerID == self.absent ? nil : shortServerID,
            holdOff: holdOff,
            bootstrapAccountTimeout: hasTimeout ? timeout : nil
        )
    }

    private static func readProfiles(_ cursor: inout StoredBytes) throws(DeviceStoreError) -> [HostedInstance]? {
        let count = try cursor.number(2)
        guard count != UInt64(self.absent) else { return nil }
        var profiles: [HostedInstance] = []
        for _ in 0..<count {
            let (instance, values) = try self.readInstance(&cursor)
            profiles.append(HostedInstance(instance, values))
        }
        return profiles
    }

    static func readInstance(
        _ cursor: inout StoredBytes
    ) throws(DeviceStoreError) -> (UInt16, ResourceValues) {
        let instance = UInt16(truncatingIfNeeded: try cursor.number(2))
        var values = ResourceValues()
        for _ in 0..<(try cursor.number(2)) {
            let resource = UInt16(truncatingIfNeeded: try cursor.number(2))
            let resourceInstance = UInt16(truncatingIfNeeded: try cursor.number(2))
            // 65535 is reserved, and no path may hold it.
            guard instance != self.absent, resource != self.absent else { throw .corrupt }
            let value = try self.readValue(&cursor)
            if resourceInstance == self.absent {
                values[resource] = value
            } else {
                values[resource, resourceInstance] = value
            }
        }
        return (instance, values)
    }

    private static func readValue(_ cursor: inout StoredBytes) throws(DeviceStoreError) -> ResourceValue {
        switch try cursor.number(1) {
        case 1: return .string(try cursor.text())
        case 2: return .integer(Int64(bitPattern: try cursor.number(8)))
        case 3: return .unsignedInteger(try cursor.number(8))
        case 4: return .float(Double(bitPattern: try cursor.number(8)))
        case 5: return .boolean(try cursor.flag())
        case 6: return .opaque(try cursor.run())
        case 7: return .time(WallTime(secondsSinceEpoch: Int64(bitPattern: try cursor.number(8))))
        case 8:
            let object = UInt16(truncatingIfNeeded: try cursor.number(2))
            return .objectLink(object: object, instance: UInt16(truncatingIfNeeded: try cursor.number(2)))
        default: throw .corrupt
        }
    }
}

/// A reader that reports every shortage as a corrupt file.
struct StoredBytes {
    private var reader: ByteReader

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.reader = ByteReader(bytes, range: range)
    }

    var remaining: Int { self.reader.remaining }

    mutating func number(_ byteCount: Int) throws(DeviceStoreError) -> UInt64 {
        do { return try self.reader.readUnsigned(byteCount: byteCount) } catch { throw .corrupt }
    }

    mutating func flag() throws(DeviceStoreError) -> Bool {
        switch try self.number(1) {
        case 0: false
        case 1: true
        default: throw .corrupt
        }
    }

    mutating func run() throws(DeviceStoreError) -> [UInt8] {
        let count = Int(try self.number(2))
        do { return try self.reader.readBytes(count) } catch { throw .corrupt }
    }

    mutating func text() throws(DeviceStoreError) -> UTF8Text {
        guard let text = UTF8Text(validating: try self.run()) else { throw .corrupt }
        return text
    }
}
