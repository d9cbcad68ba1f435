import ClientEngine
import CoAPMessages
import CommandSessions
import Glibc
import LoopbackPeers
import LwM2MModel
import Primitives
import Testing

@testable import DeviceStore

/// A configuration that uses every field and every type of value.
func makeConfiguration(lifetime: UInt32 = 300) -> StoredConfiguration {
    let bootstrap = SecurityAccount(
        instance: 1,
        serverURI: "coaps://bootstrap.test",
        isBootstrap: true,
        mode: .preSharedKey,
        identity: [0, 0xFF, 0x80],
        serverPublicKey: [9],
        key: SecretBytes([1, 2, 3, 4]),
        holdOff: 7,
        bootstrapAccountTimeout: 0
    )
    let management = SecurityAccount(instance: 0, serverURI: "coap://server.test", shortServerID: 123)
    var server = ServerAccount(instance: 3, shortServerID: 123, lifetime: lifetime)
    server.values[100] = .opaque([])
    server.values[101, 0] = .float(-0.5)
    server.values[101, 9] = .unsignedInteger(.max)
    server.values[102] = .integer(.min)
    server.values[103] = .time(WallTime(secondsSinceEpoch: -1))
    server.values[104] = .objectLink(object: 65_535, instance: 65_535)
    server.values[105] = .string("ä")
    var profile = ResourceValues()
    profile[0] = .objectLink(object: 0, instance: 1)
    profile[2, 0] = .string("endpoint")
    return StoredConfiguration(
        security: [bootstrap, management],
        servers: [server],
        profiles: [HostedInstance(4, profile), HostedInstance(65_534, [:])],
        sessions: [
            StoredCommandSession(instance: HostedInstance(0, [3: .integer(0), 15: .boolean(true)]), record: .init()),
            StoredCommandSession(instance: HostedInstance(7, [:]), record: makeRecord()),
        ]
    )
}

/// A record of command sessions that uses every field.
private func makeRecord() -> DeviceSessionRecord {
    func identifier(_ byte: UInt8) -> SessionIdentifier? { SessionIdentifier(bytes: Array(repeating: byte, count: 20)) }
    var record = DeviceSessionRecord(
        gsid: IdentifierCache(established: identifier(1), provisional: identifier(2)),
        dsid: IdentifierCache(established: identifier(3), provisional: identifier(4))
    )
    record.lastExecution = identifier(3).map { .init(pair: SessionPair(gsid: nil, dsid: $0), outcome: .done(.changed)) }
    record.superseded = identifier(5).map { .init(pair: SessionPair(gsid: identifier(6), dsid: $0), outcome: .unknown) }
    return record
}

@Suite struct DeviceStoreTests {
    let folder = TemporaryFolder()
    var store: DeviceStore { DeviceStore(folder: self.folder.store) }
    var file: String { self.store.folder.string + "/configuration" }

    @Test func loadsWhatWasSaved() throws {
        #expect(try self.store.load() == nil)
        let configuration = makeConfiguration()
        try self.store.save(configuration)
        #expect(try self.store.load() == configuration)
        let empty = StoredConfiguration(security: [], servers: [])
        try self.store.save(empty)
        #expect(try self.store.load() == empty)
        #expect(try self.store.loadPrevious() == configuration)
    }

    @Test func writesTheDocumentedFormat() throws {
        try self.store.save(StoredConfiguration(security: [], servers: []))
        let bytes = try #require(File.read(self.file))
        #expect(
            Hexadecimal.encode(bytes.dropLast(4)) == "535441524c494e47" + "0003" + "00000008" + "0000" + "0000" + "ffff"
                + "ffff"
        )
        let checksum = bytes.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        #expect(checksum == Checksum.crc32(bytes.dropLast(4)))
    }

    @Test func tellsNoProfilesFromNothingSaidAboutThem() throws {
        for profiles in [nil, []] as [[HostedInstance]?] {
            let configuration = StoredConfiguration(security: [], servers: [], profiles: profiles)
            let bytes = try StoredConfigurationFormat.encode(configuration)
            #expect(try StoredConfigurationFormat.decode(bytes).profiles == profiles)
        }
    }

    @Test func readsWhatVersionsBeforeThisOneWrote() throws {
        let configuration = StoredConfiguration(security: makeConfiguration().security, servers: [])
        let content = try StoredConfigurationFormat.encode(configuration).dropFirst(14).dropLast(4 + 4)
        let loaded = try StoredConfigurationFormat.decode(Self.wrap(Array(content), version: 1))
        #expect(loaded == configuration)
        #expect(loaded.profiles == nil)
        #expect(try StoredConfigurationFormat.decode(Self.wrap(Array(content) + [0, 0], version: 2)).profiles == [])
        #expect(throws: DeviceStoreError.corrupt) {
            try StoredConfigurationFormat.decode(Self.wrap(Array(content), version: 2))
        }
    }

    @Test("ISO/IEC 8802-3: the check value of CRC-32") func checksumHasItsCheckValue() {
        #expect(Checksum.crc32(Array("123456789".utf8)[...]) == 0xCBF4_3926)
    }

    @Test func onlyTheOwnerReadsTheFiles() throws {
        try self.store.save(makeConfiguration())
        try self.store.save(makeConfiguration(lifetime: 1))
        #expect(File.mode(self.file) == 0o600)
        #expect(File.mode(self.file + ".previous") == 0o600)
        #expect(File.mode(self.store.folder.string) == 0o700)
    }

    @Test func refusesAFileThatWasCutAnywhere() throws {
        try self.store.save(makeConfiguration())
        let bytes = try #require(File.read(self.file))
        for count in 0..<bytes.count {
            File.write(Array(bytes[..<count]), to: self.file)
            #expect(throws: DeviceStoreError.corrupt) { try self.store.load() }
        }
        File.write(bytes + [0], to: self.file)
        #expect(throws: DeviceStoreError.corrupt) { try self.store.load() }
    }

    @Test func refusesAFileWithAnyBitChanged() throws {
        let bytes = try StoredConfigurationFormat.encode(makeConfiguration())
        for index in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[index] ^= 1 << UInt8(bit)
                #expect(throws: DeviceStoreError.corrupt) { try StoredConfigurationFormat.decode(changed) }
            }
        }
    }

    /// Content that a checksum makes look whole: whatever it holds, decoding ends in a value or in an error.
    @Test(arguments: 0..<4) func survivesAnyContentBehindARightChecksum(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let bytes = try StoredConfigurationFormat.encode(makeConfiguration())
        for _ in 0..<2000 {
            var content = Array(bytes[14..<(bytes.count - 4)])
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                content[Int.random(in: content.indices, using: &generator)] = UInt8.random(
                    in: 0...255,
                    using: &generator
                )
            }
            if Bool.random(using: &generator) {
                content.removeLast(Int.random(in: 0..<content.count, using: &generator))
            }
            do throws(DeviceStoreError) {
                let decoded = try StoredConfigurationFormat.decode(Self.wrap(content))
                // What decodes also encodes again.
                _ = try StoredConfigurationFormat.encode(decoded)
            } catch {
                #expect(error == .corrupt)
            }
        }
    }

    @Test func saysThatANewerVersionWroteTheFile() throws {
        #expect(throws: DeviceStoreError.unsupportedVersion(0)) {
            try StoredConfigurationFormat.decode(Self.wrap([0, 0, 0, 0], version: 0))
        }
        #expect(throws: DeviceStoreError.unsupportedVersion(4)) {
            try StoredConfigurationFormat.decode(Self.wrap([0, 0, 0, 0], version: 4))
        }
    }

    @Test func refusesAConfigurationThatDoesNotFit() {
        var configuration = makeConfiguration()
        configuration.security[0].identity = [UInt8](repeating: 1, count: 65_536)
        #expect(throws: DeviceStoreError.tooLarge) { try self.store.save(configuration) }
        configuration.security[0].identity = [UInt8](repeating: 1, count: 65_535)
        configuration.security = Array(repeating: configuration.security[0], count: 17)
        #expect(throws: DeviceStoreError.tooLarge) { try self.store.save(configuration) }
    }

    @Test func refusesAFileLargerThanAnyItWrites() throws {
        try self.store.save(makeConfiguration())
        File.write([UInt8](repeating: 0, count: 2 << 20), to: self.file)
        #expect(throws: DeviceStoreError.corrupt) { try self.store.load() }
    }

    @Test func aSpoiledFileDoesNotPushOutTheOneBefore() throws {
        try self.store.save(makeConfiguration(lifetime: 1))
        try self.store.save(makeConfiguration(lifetime: 2))
        File.write([1, 2, 3], to: self.file)
        #expect(throws: DeviceStoreError.corrupt) { try self.store.load() }
        #expect(try self.store.loadPrevious() == makeConfiguration(lifetime: 1))
        try self.store.save(makeConfiguration(lifetime: 3))
        #expect(try self.store.load() == makeConfiguration(lifetime: 3))
        #expect(try self.store.loadPrevious() == makeConfiguration(lifetime: 1))
    }

    @Test func leftoversOfACrashDoNotMatter() throws {
        try self.store.save(makeConfiguration(lifetime: 1))
        File.write([1, 2, 3], to: self.file + ".new")
        File.write([1, 2, 3], to: self.file + ".previous.new")
        #expect(try self.store.load() == makeConfiguration(lifetime: 1))
        try self.store.save(makeConfiguration(lifetime: 2))
        #expect(try self.store.load() == makeConfiguration(lifetime: 2))
        #expect(try self.store.loadPrevious() == makeConfiguration(lifetime: 1))
    }

    @Test func doesNotWriteThroughAPlantedLink() throws {
        try self.store.save(makeConfiguration())
        let victim = self.folder.path + "/victim"
        File.write([7], to: victim)
        #expect(symlink(victim, self.file + ".new") == 0)
        #expect(throws: DeviceStoreError.writeFailed(ELOOP)) { try self.store.save(makeConfiguration(lifetime: 2)) }
        #expect(File.read(victim) == [7])
        #expect(try self.store.load() == makeConfiguration())
    }

    @Test func saysWhenTheFolderCannotBeUsed() {
        let missing = DeviceStore(folder: UTF8Text(self.folder.path + "/no/device"))
        #expect(throws: DeviceStoreError.folderUnusable(ENOENT)) { try missing.save(makeConfiguration()) }
        File.write([], to: self.folder.path + "/file")
        let notAFolder = DeviceStore(folder: UTF8Text(self.folder.path + "/file"))
        #expect(throws: DeviceStoreError.folderUnusable(ENOTDIR)) { try notAFolder.save(makeConfiguration()) }
    }

    static func wrap(_ content: [UInt8], version: UInt16 = StoredConfigurationFormat.version) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(Array("STARLING".utf8))
        writer.write(UInt64(version), byteCount: 2)
        writer.write(UInt64(content.count), byteCount: 4)
        writer.write(content)
        writer.write(UInt64(Checksum.crc32(writer.bytes[...])), byteCount: 4)
        return writer.bytes
    }
}
