import CoAPMessages
import CoAPTransport
import LoopbackPeers
import LwM2MClient
import Primitives
import Testing

@Suite struct LwM2MClientTests {
    private static func write(_ path: [UTF8Text], _ text: String) -> CoAPRequest {
        CoAPRequest(.put, path: path, contentFormat: .text, payload: Array(text.utf8))
    }

    private static func read(_ path: [UTF8Text]) -> CoAPRequest { CoAPRequest(.get, path: path, accept: .text) }

    @Test func registersServesAndDeregistersWhenCancelled() async throws {
        let harness = try ClientHarness()
        try await harness.client.add(.temperature(celsius: 21.5))
        #expect(await harness.startAndRegister())
        let registration = try #require(harness.server.registrations["one"])
        #expect(registration.parameters["lt"] == "300")
        #expect(registration.objects.contains("</3303/0>"))
        #expect(try await harness.ask(Self.read(["3", "0", "0"]))?.payload == Array("Acme".utf8))

        let events = try await harness.stop()
        #expect(harness.server.deregistered == ["one"])
        #expect(events.map(\.name) == ["connected", "registered", "served", "deregistered", "stopped"])
    }

    @Test func setsAndReadsValuesBeforeAndWhileItRuns() async throws {
        let harness = try ClientHarness()
        try await harness.client.add(.temperature(celsius: 21.5))
        try await harness.client.set(22.5, at: "/3303/0/5700")
        #expect(await harness.client.value(at: "/3303/0/5700") == .float(22.5))
        #expect(await harness.startAndRegister())
        #expect(try await harness.ask(Self.read(["3303", "0", "5700"]))?.payload == Array("22.5".utf8))
        // A whole number fits a resource of type float.
        try await harness.client.set(23, at: "/3303/0/5700")
        #expect(await harness.client.value(at: "/3303/0/5700") == .float(23))
        _ = try await harness.stop()
    }

    @Test func notifiesWhatAServerObserves() async throws {
        let harness = try ClientHarness()
        try await harness.client.add(.temperature(celsius: 1))
        #expect(await harness.startAndRegister())
        var observe = Self.read(["3303", "0", "5700"])
        observe.options.append(.observe, unsigned: 0)
        let tag = try harness.server.send(observe, to: "one")
        #expect(await harness.serve { harness.server.answers(to: tag).count == 1 })
        try await harness.client.set(2.5, at: "/3303/0/5700")
        #expect(await harness.serve { harness.server.answers(to: tag).count == 2 })
        #expect(harness.server.answers(to: tag).last?.payload == Array("2.5".utf8))
        _ = try await harness.stop()
    }

    @Test func anObjectOfOnesOwnTakesAFewLines() async throws {
        let harness = try ClientHarness()
        #expect(await harness.startAndRegister())
        let valve = DeviceObject(
            26_241,
            "Valve",
            resources: [.readable(0, "Position", 0), .writable(1, "Target", 5), .executable(2, "Close")]
        )
        let closed = Flag()
        try await harness.client.add(valve)
        await harness.client.onExecute("/26241/0/2") { _ in closed.set() }
        // The server learns of it by an update.
        #expect(await harness.serve { harness.server.registrations["one"]?.objects.contains("</26241/0>") == true })
        #expect(try await harness.ask(Self.write(["26241", "0", "1"], "7"))?.code == .changed)
        #expect(await harness.client.value(at: "/26241/0/1") == .integer(7))
        #expect(try await harness.ask(CoAPRequest(.post, path: ["26241", "0", "2"]))?.code == .changed)
        #expect(closed.isSet)
        #expect(try await harness.ask(Self.write(["26241", "0", "0"], "7"))?.code == .methodNotAllowed)
        _ = try await harness.stop()
    }

    @Test func aHandlerDecidesAWriteAndItsRefusalReachesTheServer() async throws {
        let harness = try ClientHarness()
        try await harness.client.add(DeviceObject(26_241, "Valve", resources: [.writable(1, "Target", 5)]))
        let seen = Collector<ResourceRecord>()
        await harness.client.onWrite("/26241") { records in
            for record in records { seen.append(record) }
            if records.contains(where: { $0.value == .integer(9) }) { throw Refusal(.conflict) }
            if records.contains(where: { $0.value == .integer(10) }) { throw CancellationError() }
        }
        #expect(await harness.startAndRegister())
        #expect(try await harness.ask(Self.write(["26241", "0", "1"], "8"))?.code == .changed)
        #expect(try await harness.ask(Self.write(["26241", "0", "1"], "9"))?.code == .conflict)
        #expect(try await harness.ask(Self.write(["26241", "0", "1"], "10"))?.code == .internalServerError)
        #expect(await harness.client.value(at: "/26241/0/1") == .integer(8))
        #expect(seen.values.map(\.value) == [.integer(8), .integer(9), .integer(10)])
        let events = try await harness.stop()
        #expect(events.filter { $0.name == "written" }.count == 1)
    }

    @Test func anExecuteGetsItsArgumentsAndItsHandlersCode() async throws {
        let harness = try ClientHarness()
        let arguments = Collector<[UInt8]>()
        await harness.client.onExecute("/3/0/4") { bytes in
            arguments.append(bytes)
            if !bytes.isEmpty { throw Refusal.badRequest }
        }
        #expect(await harness.startAndRegister())
        #expect(try await harness.ask(CoAPRequest(.post, path: ["3", "0", "4"]))?.code == .changed)
        let withArguments = CoAPRequest(.post, path: ["3", "0", "4"], payload: Array("5='now'".utf8))
        #expect(try await harness.ask(withArguments)?.code == .badRequest)
        #expect(arguments.values == [[], Array("5='now'".utf8)])
        _ = try await harness.stop()
    }

    @Test func whatAServerWroteCountsAfterARestart() async throws {
        let folder = TemporaryFolder()
        do {
            let harness = try ClientHarness { $0.store = folder.store.string }
            #expect(await harness.startAndRegister())
            #expect(try await harness.ask(Self.write(["1", "0", "1"], "600"))?.code == .changed)
            _ = try await harness.stop()
        }
        // The server has moved: where it is says the configuration, what it wrote the store.
        let harness = try ClientHarness { $0.store = folder.store.string }
        #expect(await harness.startAndRegister())
        #expect(harness.server.registrations["one"]?.parameters["lt"] == "600")
        _ = try await harness.stop()
    }

    @Test func runsAgainAfterItStopped() async throws {
        let harness = try ClientHarness()
        let client = harness.client
        let first = Task { try await client.run() }
        #expect(await harness.serve { harness.server.registrations["one"] != nil })
        first.cancel()
        #expect(await harness.serve { harness.server.deregistered == ["one"] })
        try await first.value
        #expect(await harness.startAndRegister())
        _ = try await harness.stop()
        #expect(harness.server.deregistered == ["one", "one"])
    }

    @Test func doesNotRunTwiceAtOnce() async throws {
        let harness = try ClientHarness()
        #expect(await harness.startAndRegister())
        await #expect(throws: LwM2MError(.alreadyRunning, "")) { try await harness.client.run() }
        _ = try await harness.stop()
    }

    @Test func stoppingTakesABoundedTimeWhenTheServerIsGone() async throws {
        let harness = try ClientHarness { $0.stopTimeout = .milliseconds(100) }
        let client = harness.client
        let running = Task { try await client.run() }
        #expect(await harness.serve { harness.server.registrations["one"] != nil })
        // From here on nobody turns the server.
        running.cancel()
        try await running.value
        #expect(harness.server.deregistered.isEmpty)
    }

    @Test func aTaskThatIsCancelledAlreadyDoesNotRun() async throws {
        let harness = try ClientHarness { $0.stopTimeout = .milliseconds(100) }
        let client = harness.client
        let running = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await client.run()
        }
        try await running.value
        #expect(harness.server.registrations.isEmpty)
    }

    @Test func aRefusedRegistrationIsAnEventWithTheServersCode() async throws {
        let harness = try ClientHarness { $0.stopTimeout = .milliseconds(100) }
        harness.server.refusal = .forbidden
        let client = harness.client
        harness.startWithoutReading()
        let reading = Task { () -> LwM2MError? in
            for await event in client.events {
                if case .registrationFailed(_, let error) = event { return error }
            }
            return nil
        }
        let flag = Flag()
        let waiting = Task { () -> LwM2MError? in
            defer { flag.set() }
            return await reading.value
        }
        #expect(await harness.serve { flag.isSet })
        let error = try #require(await waiting.value)
        #expect(error.code == .rejected)
        #expect(error.response == .forbidden)
        #expect(!error.hint.isEmpty)
        _ = try await harness.stop()
    }

    private static let unusable: [(change: @Sendable (inout LwM2MClient.Configuration) -> Void, what: String)] = [
        ({ $0.server = "http://server.test" }, "scheme"),
        ({ $0.server = "" }, "empty"),
        ({ $0.server = "coaps://" }, "no host"),
        ({ $0.endpoint = "" }, "no endpoint"),
        ({ $0.endpoint = String(repeating: "e", count: 256) }, "long endpoint"),
        ({ $0.security = .none }, "coaps without key"),
        ({ $0.server = "coap://127.0.0.1" }, "key without coaps"),
        ({ $0.security = .preSharedKey(identity: "", key: [1]) }, "no identity"),
        ({ $0.security = .preSharedKey(identity: "a", key: []) }, "no key"),
        ({ $0.security = .preSharedKey(identity: "a", key: [UInt8](repeating: 0, count: 65)) }, "long key"),
        ({ $0.lifetime = .seconds(-1) }, "negative lifetime"),
        ({ $0.lifetime = .seconds(5_000_000_000) }, "long lifetime"),
        ({ $0.nameServers = ["127.0.0.1", "dns.test"] }, "name server"),
    ]

    @Test(arguments: unusable) func refusesAConfigurationThatCannotWork(
        _ change: @Sendable (inout LwM2MClient.Configuration) -> Void,
        _ what: String
    ) {
        #expect(throws: LwM2MError(.invalidConfiguration, "")) { _ = try ClientHarness(change: change) }
    }

    @Test func refusesPathsAndValuesThatDoNotFit() async throws {
        let client = try ClientHarness().client
        try await client.add(.temperature(celsius: 1))
        for path: ObjectPath in ["/", "/3303", "/3303/0", "/3303/0/9", "/4/0/0", "/0/0/0", "/1/0/1"] {
            await #expect(throws: LwM2MError(.invalidPath, "")) { try await client.set(1, at: path) }
        }
        await #expect(throws: LwM2MError(.invalidValue, "")) { try await client.set("warm", at: "/3303/0/5700") }
        await #expect(throws: LwM2MError(.invalidPath, "")) {
            try await client.add(DeviceObject(Objects.server, instances: [:]))
        }
        #expect(await client.value(at: "/3303/0/5700") == .float(1))
    }

    @Test func aStoreThatCannotBeReadEndsTheRunWithAHint() async throws {
        let harness = try ClientHarness { $0.store = "/proc/self/mem/device" }
        do {
            try await harness.client.run()
            Issue.record("ran")
        } catch {
            #expect(error.code == .storage)
            #expect(!error.hint.isEmpty)
        }
    }

    @Test func aProfileThatCannotWorkIsFoundBeforeTheStart() throws {
        let changes: [(inout LwM2MClient.Configuration) -> Void] = [
            { $0.role = .management },
            { $0.server = "coaps://192.0.2.1" },
            { $0.security = .preSharedKey(identity: "one", key: [1, 2, 3]) },
            { $0.endpoint = nil },
        ]
        let configuration = LwM2MClient.Configuration(
            endpoint: "one",
            server: "coaps://bs.example.test",
            role: .bootstrap,
            security: .preSharedKey(identity: "one", key: ClientHarness.key),
            bootstrapURIProfile: .standard
        )
        _ = try LwM2MClient(configuration: configuration)
        for change in changes {
            var changed = configuration
            change(&changed)
            let spoiled = changed
            #expect(throws: LwM2MError(.invalidConfiguration, "")) { try LwM2MClient(configuration: spoiled) }
        }
    }

    @Test func withoutAClockATemporaryNameIsNotTriedAndTheReasonIsSaid() async throws {
        let harness = try ClientHarness {
            $0.server = "coaps://bs.example.test"
            $0.role = .bootstrap
            $0.bootstrapURIProfile = .standard
            $0.clock = .custom { nil }
        }
        harness.startWithoutReading()
        for await event in harness.client.events {
            guard case .bootstrapFailed(let error) = event else { continue }
            #expect(error.code == .clockUnknown)
            #expect(!error.hint.isEmpty)
            break
        }
        _ = try await harness.stop()
    }

    @Test func errorsHoldNeitherKeyNorIdentity() {
        do {
            _ = try ClientHarness {
                $0.server = "coap://127.0.0.1"
                $0.security = .preSharedKey(identity: "alice", key: Array("swordfish".utf8))
            }
        } catch {
            #expect(!"\(error)".contains("alice"))
            #expect(!"\(error)".contains("swordfish"))
        }
    }
}

extension LwM2MClient.Event {
    var name: String {
        switch self {
        case .connected: "connected"
        case .disconnected: "disconnected"
        case .bootstrapNameTried: "bootstrapNameTried"
        case .bootstrapHeld: "bootstrapHeld"
        case .bootstrapStarted: "bootstrapStarted"
        case .bootstrapFinished: "bootstrapFinished"
        case .bootstrapFailed: "bootstrapFailed"
        case .registered: "registered"
        case .registrationFailed: "registrationFailed"
        case .updated: "updated"
        case .deregistered: "deregistered"
        case .served: "served"
        case .written: "written"
        case .created: "created"
        case .deleted: "deleted"
        case .notified: "notified"
        case .commandExecuted: "commandExecuted"
        case .commandAborted: "commandAborted"
        case .breached: "breached"
        case .serverSuspended: "serverSuspended"
        case .storageFailed: "storageFailed"
        case .stopped: "stopped"
        }
    }
}
