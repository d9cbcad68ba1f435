import CoAPMessages
import Foundation
import LwM2MCodecs
import LwM2MModel
import ManagementEngine
import Primitives
import ServiceStore
import Testing

@Suite struct RegistrationStoreTests {
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    static func registration(_ number: Int, lifetime: UInt32 = 300) -> Registration {
        Registration(
            endpoint: UTF8Text("dev\(number)"),
            location: UTF8Text("loc\(number)"),
            identity: number % 2 == 0 ? Array("id\(number)".utf8) : nil,
            lifetime: lifetime,
            version: ObjectVersion(1, 2),
            binding: "UT",
            isQueueMode: number % 3 == 0,
            objects: ObjectList(
                entries: [
                    ObjectList.Entry(ObjectPath(1, 0)),
                    ObjectList.Entry(ObjectPath(3303), version: ObjectVersion(1, 1)),
                ],
                contentFormats: [.senMLCBOR],
                alternatePath: ["lwm2m"]
            )
        )
    }

    @Test func whatWasStoredComesBack() throws {
        let path = self.folder.file("state.sqlite")
        let registrations = (0..<5).map { Self.registration($0) }
        do {
            let store = try RegistrationStore(path: path)
            try store.apply(registrations.map { .saved($0) })
            try store.apply([.saved(Self.registration(2, lifetime: 60))])
            try store.apply([.removed(endpoint: "dev4"), .removed(endpoint: "unknown")])
            try store.apply([])
        }
        let expected = [0, 1].map { registrations[$0] } + [Self.registration(2, lifetime: 60), registrations[3]]
        #expect(try RegistrationStore(path: path).all() == expected)
    }

    @Test func nobodyElseMayReadTheFile() throws {
        let path = self.folder.file("state.sqlite")
        let store = try RegistrationStore(path: path)
        try store.apply([.saved(Self.registration(1))])
        for name in try FileManager.default.contentsOfDirectory(atPath: self.folder.path) {
            let mode = try FileManager.default.attributesOfItem(atPath: self.folder.file(name))[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(name)")
        }
        _ = store
    }

    @Test func twoServersDoNotShareAFile() throws {
        let path = self.folder.file("state.sqlite")
        let first = try RegistrationStore(path: path)
        try first.apply([.saved(Self.registration(1))])
        #expect(throws: StoreError.inUse) { try RegistrationStore(path: path) }
        _ = first
    }

    @Test func whatIsNoStateIsRefused() throws {
        let path = self.folder.file("state.sqlite")
        try Data((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7) }).write(to: URL(fileURLWithPath: path))
        #expect(throws: StoreError.damaged) { try RegistrationStore(path: path) }
        #expect(throws: StoreError.cannotOpen) { try RegistrationStore(path: self.folder.file("none/state.sqlite")) }
        #expect(throws: StoreError.cannotOpen) { try RegistrationStore(path: self.folder.path) }
    }

    /// A child registers devices 0, 1, 2 … and notes each one that was acknowledged, until it is killed somewhere.
    @Test(arguments: 0..<5) func killedAtAnyMomentNothingAcknowledgedIsLost(_ round: Int) async throws {
        let path = self.folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as Int] in
            let store = try RegistrationStore(path: path + "/state.sqlite")
            let notes = open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
            Child.killAfter(microseconds: 3000 + UInt32(round) * 4100)
            for number in 0... {
                try store.apply([.saved(RegistrationStoreTests.registration(number))])
                _ = write(notes, [1], 1)
            }
        }
        let acknowledged = (try? Data(contentsOf: URL(fileURLWithPath: path + "/acknowledged")))?.count ?? 0
        let stored = Set(try RegistrationStore(path: path + "/state.sqlite").all())
        #expect(stored.isSuperset(of: (0..<acknowledged).map { Self.registration($0) }))
        // The one after the last acknowledged may have become durable before its note was written.
        #expect(stored.count <= acknowledged + 1)
    }

    @Test func aFullDiskIsReportedAndLosesNothing() async throws {
        let path = self.folder.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let store = try RegistrationStore(path: path + "/state.sqlite")
            try store.apply([.saved(RegistrationStoreTests.registration(0))])
            // A file-size limit fails in the middle of a write, as a full disk does.
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 90_000, rlim_max: 90_000)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
            for number in 1..<10_000 {
                do throws(StoreError) {
                    try store.apply([.saved(RegistrationStoreTests.registration(number))])
                } catch {
                    exit(number > 1 ? 0 : 3)
                }
            }
            exit(4)
        }
        let stored = try RegistrationStore(path: path + "/state.sqlite").all()
        #expect(stored.contains(Self.registration(0)))
    }
}

enum Child {
    /// Ends this process without warning, from a thread of its own.
    static func killAfter(microseconds: UInt32) {
        Thread.detachNewThread {
            usleep(microseconds)
            kill(getpid(), SIGKILL)
        }
    }
}
