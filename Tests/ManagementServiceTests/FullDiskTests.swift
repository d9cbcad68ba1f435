import CoAPMessages
import Foundation
import Glibc
import LoopbackPeers
import ManagementService
import Primitives
import Testing

/// What devices are told when the disk under the state is full; each test in a process of its own, which has the limit.
@Suite struct FullDiskTests {
    /// Makes every write to a file fail, as a full disk does, or lets them succeed again.
    private static func fillDisk(_ isFull: Bool) {
        signal(SIGXFSZ, SIG_IGN)
        let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        var limit = rlimit()
        getrlimit(resource, &limit)
        limit.rlim_cur = isFull ? 0 : limit.rlim_max
        if setrlimit(resource, &limit) != 0 { exit(2) }
    }

    private static func check(_ isTrue: Bool, _ status: Int32) {
        if !isTrue { exit(status) }
    }

    @Test func aRegisterThatCannotBeStoredIsAnErrorAndNothingAcknowledgedIsLost() async {
        await #expect(processExitsWith: .success) {
            let bench = try ServiceBench()
            let session = try bench.connected(as: nil)
            let kept = try bench.register(on: session, as: "kept")
            Self.fillDisk(true)
            let response = try bench.ask(LoopbackDevice.register("refused"), on: session)
            Self.check(response.code == .internalServerError, 3)
            Self.check(response.options.texts(.locationPath)?.isEmpty ?? true, 4)
            // The device knows that it is not registered, and so does the server.
            Self.check(bench.service.statistics["registrations"] == 1, 5)
            Self.check(bench.service.statistics["storageFailures"] == 1, 6)
            // What needs no storing goes on.
            let update = CoAPRequest(.post, path: ["rd", kept])
            Self.check(try bench.ask(update, on: session).code == .changed, 7)
            // What does is refused, and the registration of before counts.
            let change = CoAPRequest(.post, path: ["rd", kept], query: ["lt=77"])
            Self.check(try bench.ask(change, on: session).code == .internalServerError, 8)
            Self.fillDisk(false)
            Self.check(try bench.ask(LoopbackDevice.register("late"), on: session).code == .created, 9)
            try bench.restart()
            Self.check(bench.service.statistics["registrations"] == 2, 10)
            let again = try bench.connected(as: nil)
            Self.check(try bench.ask(update, on: again).code == .changed, 11)
            exit(0)
        }
    }
}
