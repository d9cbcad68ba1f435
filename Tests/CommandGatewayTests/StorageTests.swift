import CommandSessions
import Foundation
import GatewayEngine
import Glibc
import LoopbackPeers
import ManagementService
import Primitives
import Testing

/// What becomes of commands when the disk under the state is full; in a process of its own, which has the limit.
@Suite struct StorageTests {
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

    @Test func aCommandThatCannotBeStoredIsNotTakenAndNoMessageIsSent() async {
        await #expect(processExitsWith: .success) {
            let bench = try GatewayBench()
            let device = try bench.startDevice()
            Self.check(try bench.command().code == "2.04", 3)
            Self.fillDisk(true)
            let refused = try bench.command(.command("refused"))
            Self.check(refused.cause == "not-stored", 4)
            Self.check(bench.gateway.statistics["commandSessionsBegun"] == 1, 5)
            Self.check(bench.gateway.statistics["gatewayStorageFailures"] ?? 0 > 0, 6)
            Self.check(bench.value(of: device) == .string("cellar"), 7)
            Self.fillDisk(false)
            Self.check(try bench.command(.command("taken")).code == "2.04", 8)
            Self.check(bench.number(.completed, of: device) == 2, 9)
            exit(0)
        }
    }

    @Test func theEndOfACommandIsToldOnceItIsStored() async {
        await #expect(processExitsWith: .success) {
            let bench = try GatewayBench()
            let device = try HandDevice(bench)
            try device.register(isSecured: false)
            let client = try bench.control()
            try bench.send(.command(), client)
            try device.drive("message 3") { !device.executed.isEmpty }
            // The device has executed it; the gateway cannot store that.
            Self.fillDisk(true)
            try device.drive("the failure") { bench.gateway.statistics["gatewayStorageFailures"] ?? 0 > 0 }
            Self.check(bench.outcomes.isEmpty, 3)
            Self.check(try bench.reply(client).event == "accepted", 4)
            Self.fillDisk(false)
            try device.drive("the end") { !bench.outcomes.isEmpty }
            Self.check(try bench.reply(client).code == "2.04", 5)
            Self.check(device.executed.count == 1, 6)
            exit(0)
        }
    }

    @Test func whatManyCommandsNeedStoredIsStoredTogether() throws {
        let bench = try GatewayBench { $0.maximumCommandsPerDevice = 200 }
        let device = try bench.startDevice()
        #expect(try bench.command().code == "2.04")
        bench.runtime.deliver(.stopRequested, to: device)
        try bench.drive("the device is away") { bench.gateway.statistics["registrations"] == 0 }
        let before = bench.gateway.statistics["gatewayCommits"] ?? 0
        let client = try bench.control()
        for id in 1...100 as ClosedRange<UInt64> { try bench.send(.command(id: id), client) }
        try bench.drive("all are accepted") { bench.gateway.statistics["commandsAccepted"] == 101 }
        // As many as the gateway reads in one turn share one wait for the disk.
        #expect((bench.gateway.statistics["gatewayCommits"] ?? 0) - before < 20)
    }
}
