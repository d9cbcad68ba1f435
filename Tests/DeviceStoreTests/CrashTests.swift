import ClientEngine
import DeviceStore
import Glibc
import LoopbackPeers
import Primitives
import Testing

@Suite struct CrashTests {
    let folder = TemporaryFolder()

    /// A child stores lifetimes 1, 2, 3 … and notes each one that was acknowledged, until it is killed somewhere.
    @Test(arguments: 0..<6) func killedAtAnyMomentNothingAcknowledgedIsLost(_ round: UInt64) async throws {
        let path = self.folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, round = round as UInt64] in
            Child.killAfter(microseconds: 2000 + UInt32(round) * 3700)
            let store = DeviceStore(folder: UTF8Text(path + "/device"))
            let notes = open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
            for lifetime in UInt32(1)... {
                try store.save(makeConfiguration(lifetime: lifetime))
                withUnsafeBytes(of: lifetime) { _ = write(notes, $0.baseAddress, 4) }
            }
        }
        let notes = File.read(path + "/acknowledged") ?? []
        let acknowledged = UInt32(notes.count / 4)
        let loaded = try DeviceStore(folder: self.folder.store).load()
        // The one after the last acknowledged may have become durable before its note was written.
        let stored = loaded?.servers.first?.lifetime ?? 0
        #expect(stored == acknowledged || stored == acknowledged + 1)
        if let loaded { #expect(loaded == makeConfiguration(lifetime: stored)) }
    }

    @Test func aFullDiskIsReportedAndHarmless() async throws {
        let path = self.folder.path
        try DeviceStore(folder: self.folder.store).save(makeConfiguration(lifetime: 1))
        await #expect(processExitsWith: .success) { [path = path as String] in
            // A file-size limit fails in the middle of a write, as a full disk does.
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100, rlim_max: 100)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
            do throws(DeviceStoreError) {
                try DeviceStore(folder: UTF8Text(path + "/device")).save(makeConfiguration(lifetime: 2))
                exit(3)
            } catch {
                exit(error == .storageFull ? 0 : 4)
            }
        }
        #expect(try DeviceStore(folder: self.folder.store).load() == makeConfiguration(lifetime: 1))
        try DeviceStore(folder: self.folder.store).save(makeConfiguration(lifetime: 3))
        #expect(try DeviceStore(folder: self.folder.store).load() == makeConfiguration(lifetime: 3))
    }
}

enum Child {
    /// Ends this process without warning, from a thread of its own.
    static func killAfter(microseconds: UInt32) {
        var thread = pthread_t()
        let delay = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
        delay.pointee = microseconds
        pthread_create(
            &thread,
            nil,
            { delay in
                usleep(delay?.assumingMemoryBound(to: UInt32.self).pointee ?? 0)
                kill(getpid(), SIGKILL)
                return nil
            },
            delay
        )
    }
}
