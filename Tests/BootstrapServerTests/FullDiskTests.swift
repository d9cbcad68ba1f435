import BootstrapEngine
import BootstrapServer
import CoAPMessages
import CoAPTransport
import Foundation
import Glibc
import Primitives
import ServiceSupport
import Testing

/// What a device is told when the key that was made for it cannot be kept; in a process of its own, which has the limit.
@Suite struct FullDiskTests {
    @Test func aKeyThatCannotBeKeptIsNotHandedOut() async {
        await #expect(processExitsWith: .success) {
            let path = FileManager.default.temporaryDirectory.appending(path: "full-\(UUID().uuidString)").path
            defer { for end in ["", "-wal", "-journal"] { try? FileManager.default.removeItem(atPath: path + end) } }
            let account = ProvisionedServer(shortServerID: 1, uri: "coaps://127.0.0.1:5684", security: .none)
            let server = try BootstrapServer(
                configuration: BootstrapServer.Configuration(
                    addresses: [try ListenAddress(parsing: "coap://127.0.0.1:0")],
                    keys: .none,
                    rules: [ProvisioningRule(server: account, keys: .fresh)],
                    statePath: path
                )
            )
            let loop = try EventLoop()
            let device = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: loop)
            var answer: CoAPCode?
            device.onEvent = { event in
                switch event {
                case .sessionConnected(let session, _):
                    try? device.send(CoAPRequest(.post, path: ["bs"], query: ["ep=dev1"]), on: session, tag: 1)
                case .responseReceived(_, _, _, let response): answer = response.code
                // A bootstrap has begun, which must not be.
                case .requestReceived: exit(3)
                default: break
                }
            }
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            limit.rlim_cur = 0
            if setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) != 0 { exit(2) }
            _ = try device.openSession(to: server.addresses[0].address, security: .none, from: nil, tag: 0)
            let end = loop.now.advanced(by: .seconds(10))
            while answer == nil, loop.now < end {
                server.turn(until: loop.now.advanced(by: .milliseconds(2)))
                loop.turn(until: loop.now.advanced(by: .milliseconds(2)))
            }
            if answer != .internalServerError { exit(4) }
            if server.storageFailures != 1 { exit(5) }
            exit(0)
        }
    }
}
