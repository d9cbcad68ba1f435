import BalancerEngine
import BootstrapURIs
import CoAPMessages
import CoAPTransport
import CryptographicHashes
import Foundation
import Glibc
import NameRegistry
import Primitives
import ServiceSupport
import Synchronization
import Testing

@testable import BootstrapBalancer

extension BootstrapBalancerTests {
    /// Balancers in processes of their own, killed at random points while they rotate names and take notifications.
    @Suite struct KilledBalancerTests {
        private static let rounds: UInt64 = 24
        static let devices = 1500

        /// A balancer whose windows last two seconds, so that some names are always on their way.
        static func configuration(_ folder: String) throws -> BootstrapBalancer.Configuration {
            var configuration = try BalancerBench.configuration(
                devices: Self.devices,
                staticURI: "coaps://bs.example.test"
            )
            configuration.uris = try TemporaryURIs(
                profile: BootstrapURIProfile(parsing: "period=2,clock-skew=0"),
                staticURI: configuration.uris.staticURI
            )
            configuration.engine.registryTime = .zero
            configuration.engine.reportInterval = .seconds(60)
            configuration.engine.batchSize = 50
            configuration.statePath = folder + "/state.sqlite"
            return configuration
        }

        /// Serves until so many devices started, and is killed within the five milliseconds that follow.
        static func serveAndDie(_ folder: String, round: UInt64, seed: UInt64) throws {
            var generator = SeededGenerator(seed: seed &+ round)
            let limit = generator.next() % 40
            let delay = useconds_t(generator.next() % 5000)
            let balancer = try BootstrapBalancer(configuration: try Self.configuration(folder))
            let address = try #require(balancer.addresses.first)
            let responder = try #require(balancer.responderAddress)
            try "\(address.text) \(responder.text)".write(
                toFile: folder + "/address-\(round)",
                atomically: true,
                encoding: .utf8
            )
            // A parent that failed tells of nobody: then it ends otherwise than expected.
            let end = balancer.loop.now.advanced(by: .seconds(60))
            while balancer.engine.counters.started < limit {
                if balancer.loop.now > end { exit(9) }
                balancer.turn(until: balancer.loop.now.advanced(by: .seconds(1)))
            }
            Thread.detachNewThread {
                usleep(delay)
                kill(getpid(), SIGKILL)
            }
            while true { balancer.turn(until: nil) }
        }

        @Test func nothingThatWasAcknowledgedIsLost() async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "kb-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let seed =
                ProcessInfo.processInfo.environment["STARLING_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...9999)
            print("balancers killed with seed \(seed); again: STARLING_SEED=\(seed)")
            let memory = InstanceMemory()
            for round in 0..<Self.rounds {
                let isOver = Flag()
                async let talk: Void = OwnThread.run { try memory.talk(folder, round: round, until: isOver) }
                await #expect(processExitsWith: .signal(SIGKILL)) {
                    [folder = folder as String, round = round as UInt64, seed = seed as UInt64] in
                    try KilledBalancerTests.serveAndDie(folder, round: round, seed: seed)
                }
                isOver.set()
                try await talk
            }
            try await OwnThread.run { try memory.checkAtLast(folder) }
            #expect(memory.acknowledged > 100)
        }
    }
}

/// Something that one thread says and another one hears.
private final class Flag: Sendable {
    private let value = Mutex(false)

    var isSet: Bool { self.value.withLock { $0 } }

    func set() { self.value.withLock { $0 = true } }
}

/// What an instance told balancers that were killed, and which of it they acknowledged.
private final class InstanceMemory: @unchecked Sendable {
    // Unchecked: the threads that use it follow one another.
    private struct Device {
        var host: UTF8Text
        var procedure: UTF8Text
        var acknowledged: BootstrapNotice.Event?
        /// Sent, and nobody knows whether it was taken.
        var uncertain: BootstrapNotice.Event?

        var isInProgress: Bool { self.acknowledged == .started && self.uncertain == nil }
    }

    private var devices: [UTF8Text: Device] = [:]
    private var sequence: UInt64 = 0
    private var next = 0
    private(set) var acknowledged = 0

    /// Checks what was acknowledged before, and tells of more devices until the balancer is gone.
    func talk(_ folder: String, round: UInt64, until isOver: Flag) throws {
        let loop = try EventLoop()
        let peer = try CoAPTransport(configuration: CoAPTransport.Configuration(), loop: loop)
        var answers: [UInt32: CoAPResponse] = [:]
        var isConnected = false
        peer.onEvent = { event in
            if case .responseReceived(_, _, let tag, let response) = event { answers[tag] = response }
            if case .sessionConnected = event { isConnected = true }
        }
        /// Turns until something holds; false when the balancer is gone first.
        func drive(_ condition: () -> Bool) -> Bool {
            while !condition() {
                if isOver.isSet { return false }
                loop.turn(until: loop.now.advanced(by: .milliseconds(2)))
            }
            return true
        }
        var text: String?
        guard
            drive({
                text = try? String(contentsOfFile: folder + "/address-\(round)", encoding: .utf8)
                return text != nil
            })
        else { return }
        let addresses = try #require(text).split(separator: " ").map(String.init)
        let question = try DNSQuestion(to: try #require(SocketAddress(parsing: UTF8Text(addresses[1]))))
        let session = try peer.openSession(
            to: try ListenAddress(parsing: addresses[0]).address,
            security: .preSharedKey(PreSharedKey(identity: [0x61], key: BalancerBench.key), serverName: nil),
            from: nil,
            tag: 0
        )
        var tag: UInt32 = 0
        func ask(_ request: CoAPRequest) throws -> CoAPResponse? {
            tag += 1
            let number = tag
            try peer.send(request, on: session, tag: number)
            return drive({ answers[number] != nil }) ? answers[number] : nil
        }
        guard drive({ isConnected }), try ask(BalancerBench.report("a")) != nil else { return }
        guard try self.check(ask) else { return }
        while true {
            self.sequence += 1
            // Every third time one that started completes; otherwise the next one starts.
            let inProgress = self.sequence % 3 == 0 ? self.devices.first { $0.value.isInProgress } : nil
            let endpoint = inProgress?.key ?? UTF8Text("dev\(self.next)")
            let event: BootstrapNotice.Event = inProgress == nil ? .started : .completed
            let fresh = Device(host: try self.host(endpoint, folder), procedure: UTF8Text("p\(self.sequence)"))
            var device = inProgress?.value ?? fresh
            if event == .started {
                // A device comes by a name that it found in DNS.
                guard let answer = try question.ask(device.host, { drive($0) }) else { return }
                guard case .address = answer else { continue }
                self.next = (self.next + 1) % BootstrapBalancerTests.KilledBalancerTests.devices
            }
            device.uncertain = event
            self.devices[endpoint] = device
            let notice = BalancerBench.notice(
                event,
                endpoint,
                host: device.host,
                procedure: device.procedure,
                sequence: self.sequence
            )
            guard let answer = try ask(notice) else { return }
            // The devices are not loaded yet: nothing was taken.
            if answer.code == .serviceUnavailable { continue }
            try #require(answer.code == .changed)
            self.acknowledged += 1
            device.acknowledged = event
            device.uncertain = nil
            self.devices[endpoint] = device
        }
    }

    /// Asks about every device whose state is certain; false when the balancer was gone first.
    private func check(_ ask: (CoAPRequest) throws -> CoAPResponse?) throws -> Bool {
        for (endpoint, device) in self.devices where device.uncertain == nil {
            var answer: CoAPResponse?
            repeat {
                answer = try ask(BalancerBench.pin(endpoint, host: device.host))
                if answer == nil { return false }
            } while answer?.code == .serviceUnavailable
            let expected: CoAPCode = device.acknowledged == .started ? .content : .notFound
            try #require(answer?.code == expected, "\(endpoint) is no longer as it was acknowledged")
        }
        return true
    }

    private func host(_ endpoint: UTF8Text, _ folder: String) throws -> UTF8Text {
        let uris = try BootstrapBalancerTests.KilledBalancerTests.configuration(folder).uris
        let now = WallTime(secondsSinceEpoch: Int64(Date().timeIntervalSince1970))
        let key = try #require(DeviceKeys.derived(secret: BalancerBench.secret).key(of: endpoint.bytes))
        return try uris.uri(
            secret: key,
            endpoint: endpoint,
            window: uris.profile.window(at: now),
            hashes: .libCrypto
        ).host
    }

    /// Starts a last balancer with the same state: everything is as it was acknowledged, and the zone as it was stored.
    func checkAtLast(_ folder: String) throws {
        let balancer = try BootstrapBalancer(
            configuration: try BootstrapBalancerTests.KilledBalancerTests.configuration(folder)
        )
        let published = balancer.status.names.published
        #expect(balancer.opened.responder?.nameCount == published)
        let end = balancer.loop.now.advanced(by: .seconds(60))
        while balancer.status.registry.state != "current"
            || balancer.status.devices.known < BootstrapBalancerTests.KilledBalancerTests.devices
        {
            try #require(balancer.loop.now < end, "everything is written")
            balancer.turn(until: balancer.loop.now.advanced(by: .milliseconds(1)))
        }
        for (endpoint, device) in self.devices where device.uncertain == nil {
            let phase = try #require(balancer.engine.progress(of: endpoint)).phase
            #expect(phase == (device.acknowledged == .started ? .started : .completed))
        }
    }
}
