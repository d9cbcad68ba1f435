import CoAPMessages
import CoAPTransport
import FleetEngine
import FleetReports
import FleetRuntime
import FleetScenarios
import Glibc
import LoopbackPeers
import Primitives
import Testing

/// Fleets whose servers do not behave: the run ends in a bounded time and says what was the matter.
@Suite(.serialized) struct HostileServerTests {
    private static let key = Array("0123456789abcdef".utf8)

    private let loop: EventLoop

    init() throws {
        self.loop = try EventLoop()
    }

    private func scenario(_ uri: String, _ values: [String: String] = [:]) throws -> FleetScenario {
        var options = ScenarioOptions()
        options["server"] = uri
        options["devices"] = "20"
        options["rate"] = "2000/s"
        options["duration"] = "100ms"
        if uri.hasPrefix("coaps") { options["psk-key"] = Hexadecimal.encode(Self.key) }
        for (name, value) in values { options[name] = value }
        var scenario = try FleetScenario(options: options)
        scenario.fleet.startLimit = .milliseconds(300)
        scenario.fleet.stopLimit = .milliseconds(200)
        return scenario
    }

    /// Takes datagrams and never answers one.
    private final class Silence {
        let descriptor: Int32
        let port: UInt16

        init() {
            self.descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let descriptor = self.descriptor
            withUnsafeMutableBytes(of: &address) { bytes in
                bytes.withMemoryRebound(to: sockaddr.self) { address in
                    _ = bind(descriptor, address.baseAddress, size)
                    if let base = address.baseAddress { getsockname(descriptor, base, &size) }
                }
            }
            self.port = UInt16(bigEndian: address.sin_port)
        }

        deinit { close(self.descriptor) }
    }

    @Test(arguments: ["coap", "coaps"])
    func aServerThatNeverAnswersFailsEveryDevice(_ scheme: String) throws {
        let silence = Silence()
        let scenario = try self.scenario("\(scheme)://127.0.0.1:\(silence.port)", ["handshake-timeout": "200ms"])
        let report = try FleetRuntime(scenario: scenario, loop: self.loop).run(progressEvery: .milliseconds(10))
        #expect(report.devices.started == 20)
        #expect(report.devices.failed == 20)
        #expect(report.devices.registered == 0)
        #expect(!report.isFlawless)
        #expect(report.devices.failedByCause.values.reduce(0, +) == 20)
        #expect(report.table.contains("20 failed"))
    }

    @Test func anInterruptDuringTheRampStartsNobodyElseAndDeregistersTheOthers() throws {
        let server = try LoopbackServer(loop: self.loop, key: { _ in SecretBytes(Self.key) })
        var scenario = try self.scenario(server.uri, ["devices": "1000", "rate": "50/s", "duration": "forever"])
        scenario.fleet.stopLimit = .seconds(20)
        let fleet = try FleetRuntime(scenario: scenario, loop: self.loop)
        var isInterrupted = false
        let report = fleet.run(progressEvery: .milliseconds(10)) { progress in
            guard progress.phase == .ramp, server.registrations.count >= 5, !isInterrupted else { return }
            isInterrupted = true
            fleet.interrupt()
        }
        #expect(isInterrupted)
        #expect(report.devices.started < 1000)
        #expect(server.registrations.isEmpty)
        #expect(server.deregistered.count >= 5)
        #expect(report.devices.deregistered == server.deregistered.count)
        // Devices that were never started are none of a flawless run.
        #expect(!report.isFlawless)
    }

    @Test(arguments: [CoAPCode.content, .changed, .continue, .get, .empty, CoAPCode(rawValue: 0xFF)])
    func anAnswerThatIsNoneOfRegisterIsAFailure(_ code: CoAPCode) throws {
        let server = try LoopbackServer(loop: self.loop, key: { _ in SecretBytes(Self.key) })
        server.refusal = code
        let report = try FleetRuntime(scenario: try self.scenario(server.uri), loop: self.loop)
            .run(progressEvery: .milliseconds(10))
        #expect(report.devices.registered == 0)
        #expect(report.devices.failed == 20)
        #expect(server.registrations.isEmpty)
    }
}
