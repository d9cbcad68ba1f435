import ClientEngine
import CoAPMessages
import CoAPTransport
import DeviceRuntime
import DeviceStore
import LoopbackPeers
import LwM2MModel
import Primitives
import Testing

@Suite struct DeviceRuntimeTests {
    @Test(arguments: [true, false]) func registersAnswersAndDeregisters(isSecured: Bool) throws {
        let harness = try RuntimeHarness(isSecured: isSecured)
        let device = harness.start("one")
        #expect(harness.runUntilRegistered("one"))
        #expect(harness.server.registrations["one"]?.parameters["lt"] == "300")
        #expect(harness.server.registrations["one"]?.objects.contains("</3/0>") == true)

        let answer = try #require(try harness.ask(.read("3", "0", "0"), of: "one"))
        #expect(answer.code == .content)
        #expect(answer.payload == Array("Acme".utf8))

        harness.runtime.deliver(.stopRequested, to: device)
        #expect(harness.run { harness.server.deregistered == ["one"] })
        #expect(
            harness.run {
                harness.reports[device]?.contains { if case .client(.stopped) = $0 { true } else { false } } == true
            }
        )
    }

    @Test func measuresTheHandshake() throws {
        let harness = try RuntimeHarness()
        let before = harness.loop.now
        var since: MonotonicTime?
        harness.runtime.onReport = { _, report, _ in if case .sessionOpened(let start) = report { since = start } }
        _ = harness.start("one")
        #expect(harness.run { since != nil })
        #expect(try #require(since) >= before)
        #expect(try #require(since) < harness.loop.now)
    }

    @Test func drivesManyDevicesOnOneLoop() throws {
        let harness = try RuntimeHarness()
        let names = (0..<200).map { "device-\($0)" }
        harness.runtime.reserveDevices(names.count)
        let devices = names.map { harness.start($0) }
        #expect(harness.run { harness.server.registrations.count == 200 })
        #expect(harness.runtime.deviceCount == 200)
        for device in devices { harness.runtime.deliver(.stopRequested, to: device) }
        #expect(harness.run { harness.server.deregistered.count == 200 })
        #expect(Set(harness.server.deregistered) == Set(names))
    }

    @Test func observesThroughNotifications() throws {
        let harness = try RuntimeHarness()
        let sensor = HostedObject(Objects.temperature, instances: [HostedInstance(0, [5700: .float(1)])])
        let device = harness.start("one", objects: [sensor])
        #expect(harness.runUntilRegistered("one"))
        var observe = CoAPRequest.read("3303", "0", "5700")
        observe.options.append(.observe, unsigned: 0)
        let tag = try harness.server.send(observe, to: "one")
        #expect(harness.run { harness.server.answers(to: tag).count == 1 })
        harness.runtime.deliver(.valueSet([ResourceRecord(ObjectPath(3303, 0, 5700), .float(2))]), to: device)
        #expect(harness.run { harness.server.answers(to: tag).count == 2 })
        #expect(harness.server.answers(to: tag).last?.payload == Array("2.0".utf8))
        #expect(harness.runtime.value(at: ObjectPath(3303, 0, 5700), of: device) == .float(2))
    }

    @Test(arguments: [("one", [UInt8](repeating: 9, count: 16)), ("stranger", RuntimeHarness.key)])
    func aRefusedHandshakeIsReportedAndHarmsNobodyElse(_ identity: String, key: [UInt8]) throws {
        let harness = try RuntimeHarness(handshakeTimeout: .milliseconds(400))
        let wrong = harness.start("wrong", identity: identity, key: key)
        #expect(harness.run { !harness.sessionFailures(of: wrong).isEmpty })
        #expect(harness.sessionFailures(of: wrong).first == .handshakeRefused)
        _ = harness.start("right")
        #expect(harness.runUntilRegistered("right"))
        #expect(harness.server.registrations["wrong"] == nil)
    }

    @Test func triesEveryAddressOfAName() throws {
        // Nobody listens on 127.0.0.77; the second address is the server's.
        let dns = DNSResponder { _ in .addresses(timeToLive: 60, [[127, 0, 0, 77], [127, 0, 0, 1]]) }
        let harness = try RuntimeHarness(dns: dns, handshakeTimeout: .milliseconds(400))
        let device = harness.start("one", uri: harness.server.uri(host: "server.test"))
        #expect(harness.runUntilRegistered("one"))
        #expect(harness.sessionFailures(of: device).isEmpty)
    }

    @Test func saysThatNoAddressAnswered() throws {
        let dns = DNSResponder { _ in .addresses(timeToLive: 60, [[127, 0, 0, 77], [127, 0, 0, 78]]) }
        let harness = try RuntimeHarness(dns: dns, handshakeTimeout: .milliseconds(400))
        let device = harness.start("one", uri: harness.server.uri(host: "server.test"))
        #expect(harness.run { !harness.sessionFailures(of: device).isEmpty })
        #expect(harness.sessionFailures(of: device) == [.unreachable])
    }

    @Test(arguments: [(DNSResponder.Reply.code(3), SessionFailure.nameNotFound), (.silence, .nameResolutionFailed)])
    func saysThatANameHasNoAddress(_ reply: DNSResponder.Reply, failure: SessionFailure) throws {
        let harness = try RuntimeHarness(dns: DNSResponder { _ in reply })
        let device = harness.start("one", uri: "coaps://server.test")
        #expect(harness.run { !harness.sessionFailures(of: device).isEmpty })
        #expect(harness.sessionFailures(of: device).first == failure)
    }

    @Test func withoutAResolverANameIsNotFound() throws {
        let harness = try RuntimeHarness()
        let device = harness.start("one", uri: "coaps://server.test")
        #expect(harness.sessionFailures(of: device).first == .nameNotFound)
    }

    @Test func reachesAServerOverIPv6() throws {
        let loopback = [UInt8](repeating: 0, count: 15) + [1]
        let harness = try RuntimeHarness(serverAddress: SocketAddress(ipv6: loopback, port: 0))
        _ = harness.start("one")
        #expect(harness.runUntilRegistered("one"))
    }

    @Test func anExecuteIsAnsweredByItsHandlerOrRefused() throws {
        let harness = try RuntimeHarness()
        _ = harness.start("one")
        #expect(harness.runUntilRegistered("one"))
        let reboot = CoAPRequest(.post, path: ["3", "0", "4"])
        #expect(try harness.ask(reboot, of: "one")?.code == .methodNotAllowed)

        // Answered later, as a device does that must finish something first.
        var waiting: (DeviceID, ExchangeID)?
        harness.runtime.onExecute = { device, exchange, _, _ in waiting = (device, exchange) }
        let tag = try harness.server.send(reboot, to: "one")
        #expect(harness.run { waiting != nil })
        let (device, exchange) = try #require(waiting)
        harness.runtime.deliver(.executed(exchange, .changed), to: device)
        #expect(harness.run { !harness.server.answers(to: tag).isEmpty })
        #expect(harness.server.answers(to: tag).first?.code == .changed)
    }

    @Test func aHandlerMayDeliverWhileOutputsArePerformed() throws {
        let harness = try RuntimeHarness()
        let device = harness.start("one")
        harness.runtime.onExecute = { device, exchange, _, _ in
            harness.runtime.deliver(.valueSet([ResourceRecord(ObjectPath(3, 0, 0), .string("New"))]), to: device)
            harness.runtime.deliver(.executed(exchange, .changed), to: device)
        }
        #expect(harness.runUntilRegistered("one"))
        #expect(try harness.ask(CoAPRequest(.post, path: ["3", "0", "4"]), of: "one")?.code == .changed)
        #expect(harness.runtime.value(at: ObjectPath(3, 0, 0), of: device) == .string("New"))
    }

    @Test func aRemovedDeviceLeavesItsPlaceAndNothingElse() throws {
        let harness = try RuntimeHarness(dns: DNSResponder { _ in .addresses(timeToLive: 60, [[127, 0, 0, 1]]) })
        let resolving = harness.start("resolving", uri: harness.server.uri(host: "server.test"))
        harness.runtime.removeDevice(resolving)
        let opening = harness.start("opening")
        #expect(opening == resolving)
        harness.runtime.removeDevice(opening)
        harness.runtime.removeDevice(opening)
        harness.runtime.deliver(.updateRequested(shortServerID: nil), to: opening)
        #expect(harness.runtime.deviceCount == 0)
        #expect(harness.runtime.value(at: ObjectPath(3, 0, 0), of: opening) == nil)

        let third = harness.start("third")
        #expect(third == opening)
        #expect(harness.runUntilRegistered("third"))
        #expect(Set(harness.server.registrations.keys) == ["third"])
    }

    @Test func whatAServerWroteIsStoredBeforeItIsAnswered() throws {
        let folder = TemporaryFolder()
        let write = CoAPRequest(.put, path: ["1", "0", "1"], contentFormat: .text, payload: Array("600".utf8))
        do {
            let harness = try RuntimeHarness()
            _ = harness.start("one", store: DeviceStore(folder: folder.store))
            #expect(harness.runUntilRegistered("one"))
            #expect(try harness.ask(write, of: "one")?.code == .changed)
        }
        let stored = try #require(try DeviceStore(folder: folder.store).load())
        #expect(stored.servers.first?.lifetime == 600)
        #expect(stored.security.count == 1)
    }

    @Test func aWriteThatCannotBeStoredIsRefused() throws {
        let harness = try RuntimeHarness()
        let device = harness.start("one", store: DeviceStore(folder: "/proc/starling"))
        #expect(harness.runUntilRegistered("one"))
        let write = CoAPRequest(.put, path: ["1", "0", "1"], contentFormat: .text, payload: Array("600".utf8))
        #expect(try harness.ask(write, of: "one")?.code == .internalServerError)
        #expect(
            harness.reports[device]?.contains { if case .storageFailed = $0 { true } else { false } } == true
        )
        #expect(harness.runtime.value(at: ObjectPath(1, 0, 1), of: device) == .integer(300))
    }
}
