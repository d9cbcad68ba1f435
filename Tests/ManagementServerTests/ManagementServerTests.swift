import CoAPMessages
import LoopbackPeers
import ManagementEngine
import ManagementServer
import ServiceSupport
import Testing

@Suite(.serialized) struct ManagementServerTests {
    @Test func aServerIsWhatItsConfigurationSays() throws {
        let folder = TemporaryFolder()
        var reports: [ManagementReport] = []
        func bench() throws -> ServerBench {
            let bench = try ServerBench {
                $0.statePath = folder.path + "/state"
                $0.controlPath = folder.path + "/c"
                $0.engine.maximumRegistrations = 1
            }
            bench.server.onReport = { reports.append($0) }
            return bench
        }
        do {
            let bench = try bench()
            #expect(try bench.device.register(on: bench.connected()) != nil)
            let refused = try bench.ask(LoopbackDevice.register("dev2"), on: bench.connected(as: "dev2"))
            #expect(refused.code == .serviceUnavailable)
            let client = try LineClient(path: folder.path + "/c")
            #expect(client.send(Array(#"{"id":1,"verb":"stats"}"#.utf8)))
            try bench.device.drive("an answer") { client.waits(milliseconds: 0) }
        }
        #expect(reports.contains(.registered(endpoint: "dev1")))
        #expect(try bench().server.statistics["registrations"] == 1)
    }

    @Test func aServerThatIsStoppedRunsNoMore() throws {
        let bench = try ServerBench()
        bench.server.stop()
        bench.server.run()
    }
}
