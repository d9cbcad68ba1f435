import BootstrapURIs
import ClientEngine
import CoAPMessages
import CoAPTransport
import CryptographicHashes
import DeviceRuntime
import DeviceStore
import LoopbackPeers
import LwM2MModel
import Primitives
import Testing

@Suite struct TemporaryURITests {
    /// A bootstrap server on an address of its own, a management server, and DNS that knows what the test says.
    final class Site {
        let runtime: RuntimeHarness
        let bootstrap: LoopbackBootstrapServer
        let dns: DNSResponder

        init(
            isSecured: Bool = true,
            acknowledgeTimeout: Duration = .seconds(2),
            maximumRetransmit: Int = 4,
            _ rule: @escaping (DNSResponder.Question) -> DNSResponder.Reply
        ) throws {
            self.dns = DNSResponder(rule)
            self.runtime = try RuntimeHarness(
                isSecured: isSecured,
                dns: self.dns,
                handshakeTimeout: .milliseconds(400),
                acknowledgeTimeout: acknowledgeTimeout,
                maximumRetransmit: maximumRetransmit
            )
            let harness = self.runtime
            self.bootstrap = try LoopbackBootstrapServer(
                loop: harness.loop,
                address: SocketAddress(ipv4: (127, 0, 22, 1), port: 0),
                key: isSecured ? RuntimeHarness.key : nil,
                account: { (harness.server.uri, "one", RuntimeHarness.key) }
            )
        }

        /// A second server, at the same port of another address.
        func another(_ last: UInt8) throws -> LoopbackBootstrapServer {
            let harness = self.runtime
            return try LoopbackBootstrapServer(
                loop: harness.loop,
                address: SocketAddress(ipv4: (127, 0, 22, last), port: self.bootstrap.address.port),
                key: RuntimeHarness.key,
                account: { (harness.server.uri, "one", RuntimeHarness.key) }
            )
        }

        func start(_ profile: BootstrapURIProfile? = .standard, store: DeviceStore? = nil) -> DeviceID {
            var account = SecurityAccount(
                instance: 0,
                serverURI: UTF8Text(self.bootstrap.uri(host: "bs.example.test")),
                isBootstrap: true
            )
            account.key = SecretBytes(RuntimeHarness.key)
            if self.bootstrap.uri(host: "h").hasPrefix("coaps") {
                account.mode = .preSharedKey
                account.identity = Array("one".utf8)
            }
            var configuration = ClientConfiguration(
                endpoint: "one",
                security: [account],
                objects: [
                    HostedObject(
                        Objects.device,
                        instances: [HostedInstance(0, [0: .string("Acme"), 16: .string("U")])]
                    )
                ],
                bootstrapURIProfile: profile
            )
            if let stored = try? store?.load() { configuration.apply(stored) }
            let device = self.runtime.runtime.addDevice(configuration, registry: .standard, seed: 1, store: store)
            self.runtime.runtime.deliver(.started, to: device)
            return device
        }

        func failures(of device: DeviceID) -> [BootstrapFailure] {
            (self.runtime.reports[device] ?? []).compactMap {
                if case .client(.bootstrapFailed(let failure)) = $0 { failure } else { nil }
            }
        }

        func hasRegistered(_ device: DeviceID) -> Bool {
            (self.runtime.reports[device] ?? []).contains {
                if case .client(.registered) = $0 { true } else { false }
            }
        }

        /// The names that DNS was asked for.
        var asked: Set<String> { Set(self.dns.questions.map(\.name)) }
    }

    /// The names of a device in the window that the machine's clock stands in, and in its neighbours.
    static func names(of profile: BootstrapURIProfile = .standard) throws -> [String] {
        let uris = try TemporaryURIs(profile: profile, staticURI: try CoAPURI(parsing: "coaps://bs.example.test"))
        let now = try #require(SystemClock.time)
        let window = profile.window(at: now)
        return try [window, profile.next(window), profile.previous(window)].map { window in
            let secret = SecretBytes(RuntimeHarness.key)
            return try uris.uri(secret: secret, endpoint: "one", window: window, hashes: .libCrypto).host.string
        }
    }

    @Test("The device asks DNS for the derived name alone, says it in handshake and Uri-Host, and registers")
    func bootstrapsAtTheTemporaryName() throws {
        let names = try Self.names()
        let site = try Site { question in
            names.contains(question.name) ? .addresses(timeToLive: 60, [[127, 0, 22, 1]]) : .code(3)
        }
        let device = site.start()
        #expect(site.runtime.runUntilRegistered("one"))
        let name = try #require(site.bootstrap.visits.first?.host)
        #expect(names.contains(name))
        #expect(site.bootstrap.visits == [.init(host: name, serverName: name, path: "bs")])
        #expect(site.asked == [name])
        #expect(site.failures(of: device).isEmpty)
        #expect(site.runtime.runtime.bootstrapURI(of: device) == nil)
        #expect(site.runtime.server.registrations["one"]?.objects.contains("</42769/0>") == true)
        let text = "\(site.runtime.reports[device] ?? [])"
        #expect(text.contains("bootstrapNameTried"))
        #expect(!text.contains(name))
    }

    @Test("A server at an address gets no server name and no Uri-Host")
    func namesNoAddress() throws {
        let site = try Site { _ in .code(3) }
        var configuration = ClientConfiguration(endpoint: "one", security: [])
        var account = SecurityAccount(
            instance: 0,
            serverURI: UTF8Text(site.bootstrap.uri(host: "127.0.22.1")),
            isBootstrap: true,
            mode: .preSharedKey,
            identity: Array("one".utf8)
        )
        account.key = SecretBytes(RuntimeHarness.key)
        configuration.security = [account]
        let device = site.runtime.runtime.addDevice(configuration, registry: .standard, seed: 1)
        site.runtime.runtime.deliver(.started, to: device)
        #expect(site.runtime.run { !site.bootstrap.visits.isEmpty })
        #expect(site.bootstrap.visits == [.init(host: nil, serverName: nil, path: "bs")])
    }

    @Test(
        "Without any record the device says so; the static name is asked for only by permission",
        arguments: [true, false]
    )
    func fallsBackByPermission(isAllowed: Bool) throws {
        let site = try Site { question in
            question.name == "bs.example.test" ? .addresses(timeToLive: 60, [[127, 0, 22, 1]]) : .code(3)
        }
        let profile = try BootstrapURIProfile(parsing: isAllowed ? "fallback=yes" : "fallback=no")
        let device = site.start(profile)
        if isAllowed {
            #expect(site.runtime.runUntilRegistered("one"))
            #expect(site.bootstrap.visits.map(\.host) == ["bs.example.test"])
        } else {
            #expect(site.runtime.run { !site.failures(of: device).isEmpty })
            #expect(site.failures(of: device) == [.noName])
            #expect(!site.asked.contains("bs.example.test"))
        }
    }

    @Test(
        "A resolver that fails is not a name without a record: no fallback, and the failure is its own",
        arguments: [DNSResponder.Reply.silence, .code(2), .code(5), .garbage([1, 2, 3])]
    )
    func tellsFailureFromAbsence(reply: DNSResponder.Reply) throws {
        let site = try Site { question in
            question.name == "bs.example.test" ? .addresses(timeToLive: 60, [[127, 0, 22, 1]]) : reply
        }
        let device = site.start(try BootstrapURIProfile(parsing: "fallback=yes"))
        #expect(site.runtime.run { !site.failures(of: device).isEmpty })
        #expect(site.failures(of: device) == [.session(.nameResolutionFailed)])
        #expect(!site.asked.contains("bs.example.test"))
    }

    @Test("One family that fails is not a name without a record either", arguments: [true, false])
    func tellsHalfAFailureFromAbsence(failsForIPv6: Bool) throws {
        let site = try Site { question in
            question.isIPv6 == failsForIPv6 ? .code(2) : .addresses(timeToLive: 60, [])
        }
        let device = site.start()
        #expect(site.runtime.run { !site.failures(of: device).isEmpty })
        #expect(site.failures(of: device) == [.session(.nameResolutionFailed)])
    }

    @Test("Of several addresses the next is tried when nobody is at the first, over DTLS and over plain UDP")
    func triesEveryAddress() throws {
        for isSecured in [true, false] {
            let site = try Site(isSecured: isSecured, acknowledgeTimeout: .seconds(1), maximumRetransmit: 1) { _ in
                .addresses(timeToLive: 60, [[127, 0, 22, 9], [127, 0, 22, 1]])
            }
            // Somebody is at the first address and says nothing.
            let silent = SilentPeer(SocketAddress(ipv4: (127, 0, 22, 9), port: site.bootstrap.address.port))
            let device = site.start()
            #expect(site.runtime.runUntilRegistered("one"))
            #expect(site.bootstrap.visits.count == 1)
            #expect(site.failures(of: device).isEmpty)
            #expect(silent.isBound)
        }
    }

    @Test("5.03 with Max-Age: the same name is resolved anew, and the procedure goes on where it leads then")
    func holds() throws {
        let names = try Self.names()
        let site = try Site { question in
            names.contains(question.name) ? .addresses(timeToLive: 3600, [[127, 0, 22, 1]]) : .code(3)
        }
        let other = try site.another(2)
        var holding = CoAPResponse(.serviceUnavailable)
        holding.options.append(.maxAge, unsigned: 1)
        site.bootstrap.rule = { [holding] _ in .answer(holding) }
        let device = site.start()
        #expect(site.runtime.run { !site.bootstrap.visits.isEmpty })
        site.dns.rule = { _ in .addresses(timeToLive: 3600, [[127, 0, 22, 2]]) }
        #expect(site.runtime.runUntilRegistered("one"))
        #expect(site.bootstrap.visits.count == 1)
        #expect(other.visits == site.bootstrap.visits)
        #expect(site.failures(of: device).isEmpty)
    }

    @Test("An empty acknowledgement keeps the attempt alive until the answer comes in a message of its own")
    func waitsForASeparateResponse() throws {
        let site = try Site { _ in .addresses(timeToLive: 60, [[127, 0, 22, 1]]) }
        site.bootstrap.rule = { _ in .acknowledge }
        let device = site.start()
        #expect(site.runtime.run { site.bootstrap.isWaiting })
        site.bootstrap.answerWaiting(CoAPResponse(.changed))
        #expect(site.runtime.runUntilRegistered("one"))
        #expect(site.failures(of: device).isEmpty)
    }

    @Test("Without a clock nothing is resolved; the profile may allow the static name", arguments: [true, false])
    func needsAClock(isAllowed: Bool) throws {
        let site = try Site { _ in .addresses(timeToLive: 60, [[127, 0, 22, 1]]) }
        site.runtime.runtime.clock = { nil }
        let device = site.start(try BootstrapURIProfile(parsing: isAllowed ? "fallback=yes" : "fallback=no"))
        if isAllowed {
            #expect(site.runtime.runUntilRegistered("one"))
            #expect(site.asked == ["bs.example.test"])
        } else {
            #expect(site.failures(of: device) == [.clockUnknown])
            #expect(site.asked.isEmpty)
        }
    }

    @Test("A clock that jumps or is lost while the device runs is told to it")
    func followsTheClock() throws {
        let harness = try RuntimeHarness()
        harness.runtime.clock = { WallTime(secondsSinceEpoch: 1_800_000_000) }
        let device = harness.start("one")
        #expect(harness.runUntilRegistered("one"))
        harness.runtime.clock = { WallTime(secondsSinceEpoch: 1_900_000_000) }
        let read = CoAPRequest.read("3", "0", "13")
        var times: [String] = []
        let isTold = harness.run {
            let answer = try? harness.ask(read, of: "one")
            times.append(String(decoding: answer?.payload ?? [], as: UTF8.self))
            return times.last?.hasPrefix("19") ?? false
        }
        #expect(isTold)
        #expect(times.first?.hasPrefix("18") == true || times.first?.hasPrefix("19") == true)
        harness.runtime.clock = { nil }
        #expect(harness.run { (try? harness.ask(read, of: "one"))?.code == .notFound })
        #expect(harness.sessionFailures(of: device).isEmpty)
    }

    @Test("What bootstrap delivered stands again after a restart, the profile with it")
    func survivesARestart() throws {
        let folder = TemporaryFolder()
        let store = DeviceStore(folder: folder.store)
        let names = try Self.names()
        let site = try Site { _ in .addresses(timeToLive: 60, [[127, 0, 22, 1]]) }
        let first = site.start(store: store)
        #expect(site.runtime.runUntilRegistered("one"))
        site.runtime.runtime.removeDevice(first)
        let stored = try #require(try store.load())
        #expect(stored.profiles?.count == 1)
        // Another start finds the profile in the store and not in its configuration, and the trigger uses it.
        let second = site.start(nil, store: store)
        let isRegistered = site.runtime.run { site.hasRegistered(second) }
        #expect(isRegistered)
        let trigger = CoAPRequest(.post, path: ["1", "0", "9"])
        #expect(try site.runtime.ask(trigger, of: "one")?.code == .changed)
        #expect(site.runtime.run { site.bootstrap.visits.count == 2 })
        #expect(site.bootstrap.visits.allSatisfy { names.contains($0.host ?? "") })
    }
}
