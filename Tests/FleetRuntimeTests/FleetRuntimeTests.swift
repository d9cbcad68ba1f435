import CoAPMessages
import CoAPTransport
import FleetEngine
import FleetReports
import FleetRuntime
import FleetScenarios
import LoopbackPeers
import Primitives
import Testing

/// Small fleets against a server on the same loop: real sockets, one thread, nothing to wait for but the wire.
@Suite(.serialized) struct FleetRuntimeTests {
    private static let key = SecretBytes(Array("0123456789abcdef".utf8))
    private static let keyText = Hexadecimal.encode(Self.key.copyBytes())

    private let loop: EventLoop

    init() throws {
        self.loop = try EventLoop()
    }

    private func server(isSecured: Bool = true) throws -> LoopbackServer {
        try LoopbackServer(loop: self.loop, key: isSecured ? { _ in Self.key } : nil)
    }

    private func scenario(_ server: LoopbackServer, _ values: [String: String] = [:]) throws -> FleetScenario {
        var options = ScenarioOptions()
        options["server"] = server.uri
        options["devices"] = "20"
        options["rate"] = "2000/s"
        options["duration"] = "150ms"
        if server.uri.hasPrefix("coaps") { options["psk-key"] = Self.keyText }
        for (name, value) in values { options[name] = value }
        return try FleetScenario(options: options)
    }

    @Test(arguments: [true, false])
    func everyDeviceRegistersIsManagedAndDeregisters(isSecured: Bool) throws {
        let server = try self.server(isSecured: isSecured)
        let scenario = try self.scenario(server, ["notify-every": "20ms", "first-index": "7", "duration": "30s"])
        let fleet = try FleetRuntime(scenario: scenario, loop: self.loop)
        var wasManaged = false
        var isEnding = false
        let report = fleet.run(progressEvery: .milliseconds(10)) { progress in
            guard progress.phase == .hold else { return }
            // Devices measure in turns: when there were five notifications for each, every one has sent some.
            if !isEnding, progress.operations.contains(where: { $0.operation == .notify && $0.count >= 100 }) {
                isEnding = true
                fleet.interrupt()
            }
            guard !wasManaged else { return }
            wasManaged = true
            #expect(server.registrations.count == 20)
            for endpoint in server.registrations.keys {
                let zone = CoAPRequest(
                    .put,
                    path: ["3", "0", "15"],
                    contentFormat: .text,
                    payload: Array("Europe/Berlin".utf8)
                )
                var observe = CoAPRequest(.get, path: ["3303", "0", "5700"], accept: .text)
                observe.options.append(.observe, unsigned: 0)
                for request in [CoAPRequest(.get, path: ["3", "0", "9"], accept: .text), zone, observe] {
                    _ = try? server.send(request, to: endpoint)
                }
            }
        }
        #expect(report.isFlawless)
        #expect(server.deregistered.sorted() == (7..<27).map { "urn:dev:starling:\($0)" }.sorted())
        let devices = report.devices
        #expect(devices.planned == 20)
        #expect(devices.registered == 20)
        #expect(devices.read == 20)
        #expect(devices.written == 20)
        #expect(devices.observed == 20)
        #expect(devices.notified == 20)
        #expect(devices.deregistered == 20)
        #expect(devices.notDeregistered == 0)
        #expect(report.operations["handshake"]?.count == (isSecured ? 20 : nil))
        #expect(report.operations["register"]?.count == 20)
        #expect(report.operations["start"]?.count == 20)
        #expect((report.operations["notify"]?.count ?? 0) >= 20)
        #expect((report.operations["read"]?.count ?? 0) >= 40)
        #expect(report.cpuMillisecondsPerDevice > 0)
        #expect(report.transport["malformedDatagrams"] == 0)
        #expect(server.failures.isEmpty)
    }

    @Test func registrationsCarryWhatTheOptionsSay() throws {
        let server = try self.server()
        let scenario = try self.scenario(
            server,
            ["devices": "2", "endpoint": "meter-{index:3}", "lifetime": "5m", "source-address": "127.0.0.2,127.0.0.3"]
        )
        let fleet = try FleetRuntime(scenario: scenario, loop: self.loop)
        var seen: [String: LoopbackServer.Registration] = [:]
        let report = fleet.run(progressEvery: .milliseconds(10)) { _ in
            seen.merge(server.registrations) { first, _ in first }
        }
        #expect(report.isFlawless)
        #expect(seen.keys.sorted() == ["meter-000", "meter-001"])
        #expect(seen["meter-000"]?.parameters["lt"] == "300")
        #expect(seen["meter-000"]?.objects.contains("</3303/0>") == true)
    }

    @Test func anInterruptDeregistersEveryDevice() throws {
        let server = try self.server()
        let fleet = try FleetRuntime(scenario: try self.scenario(server, ["duration": "forever"]), loop: self.loop)
        let report = fleet.run(progressEvery: .milliseconds(10)) { progress in
            if progress.phase == .hold { fleet.interrupt() }
        }
        #expect(report.isFlawless)
        #expect(server.registrations.isEmpty)
        #expect(report.devices.deregistered == 20)
    }

    @Test func aSecondInterruptEndsAtOnce() throws {
        let server = try self.server()
        let fleet = try FleetRuntime(scenario: try self.scenario(server, ["duration": "forever"]), loop: self.loop)
        let report = fleet.run(progressEvery: .milliseconds(10)) { progress in
            guard progress.phase == .hold else { return }
            fleet.interrupt()
            fleet.interrupt()
        }
        #expect(report.devices.registered == 20)
        #expect(report.devices.notDeregistered > 0)
    }

    @Test func aWrongKeyIsAFailureWithACause() throws {
        let server = try self.server()
        let scenario = try self.scenario(server, ["psk-key": "00112233", "handshake-timeout": "300ms"])
        let fleet = try FleetRuntime(scenario: scenario, loop: self.loop)
        let report = fleet.run(progressEvery: .milliseconds(10))
        #expect(!report.isFlawless)
        #expect(report.devices.failed == 20)
        #expect(report.devices.registered == 0)
        #expect(report.devices.failedByCause == ["handshakeRefused": 20])
        #expect(server.registrations.isEmpty)
    }

    @Test func aRefusalIsAFailureWithItsCode() throws {
        let server = try self.server()
        server.refusal = .forbidden
        let fleet = try FleetRuntime(scenario: try self.scenario(server), loop: self.loop)
        let report = fleet.run(progressEvery: .milliseconds(10))
        #expect(report.devices.failedByCause == ["refused 4.03": 20])
        #expect(report.failures["refused 4.03"] == 20)
        #expect(report.table.contains("refused 4.03 20"))
    }

    @Test func aSilentServerCostsTheStartLimitAndNoMore() throws {
        let server = try self.server()
        var scenario = try self.scenario(server, ["handshakes-in-flight": "4"])
        // Nobody listens for coap on the reserved port of this address.
        scenario.target = .server(CoAPURI(scheme: .coap, host: "127.255.255.254", port: 9))
        scenario.targetText = "coap://127.255.255.254:9"
        scenario.security = .none
        scenario.fleet.startLimit = .milliseconds(50)
        scenario.fleet.stopLimit = .milliseconds(200)
        let report = try FleetRuntime(scenario: scenario, loop: self.loop).run(progressEvery: .milliseconds(10))
        #expect(report.devices.started == 20)
        #expect(report.devices.failed == 20)
        #expect(report.failures.values.reduce(0, +) >= 20)
    }

    @Test func moreDevicesThanPortsOrDescriptorsAreRefusedBeforeTheStart() throws {
        let server = try self.server()
        let many = try self.scenario(server, ["devices": "1000000"])
        do {
            _ = try FleetRuntime(scenario: many, loop: self.loop)
            Issue.record("a million devices have no ports")
        } catch FleetRuntimeError.tooFewPorts(let available, let needed) {
            #expect(available < needed)
            #expect(needed == 1_000_000)
        }
        let addresses = (2..<200).map { "127.0.0.\($0)" }.joined(separator: ",")
        let wide = try self.scenario(server, ["devices": "1500000", "source-address": addresses])
        do {
            _ = try FleetRuntime(scenario: wide, loop: self.loop)
        } catch FleetRuntimeError.transport(.descriptorLimit(let limit, let needed)) {
            #expect(limit < needed)
            #expect(FleetRuntimeError.transport(.descriptorLimit(limit: limit, needed: needed)).hint.contains("ulimit"))
        }
    }
}
