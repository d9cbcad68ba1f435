import LoopbackPeers
import NameResolution
import Primitives
import Testing

private let documentationIPv6: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]

@Suite struct NameResolverTests {
    @Test func answersWithEveryAddressOfBothFamilies() throws {
        let harness = try ResolverHarness { _ in
            .addresses(timeToLive: 60, [[192, 0, 2, 1], [192, 0, 2, 2], documentationIPv6])
        }
        let name = try harness.resolve("server.test").get()
        #expect(name.texts == ["192.0.2.1", "192.0.2.2", "20010db8000000000000000000000001"])
        #expect(name.expires == harness.now.advanced(by: .seconds(60)))
    }

    @Test func takesOneFamilyWhenTheOtherIsEmptyOrFails() throws {
        let empty = try ResolverHarness { $0.isIPv6 ? .code(0) : .addresses(timeToLive: 5, [[192, 0, 2, 1]]) }
        #expect(try empty.resolve("server.test").get().texts == ["192.0.2.1"])
        let onlyIPv6 = try ResolverHarness { $0.isIPv6 ? .addresses(timeToLive: 5, [documentationIPv6]) : .code(0) }
        #expect(try onlyIPv6.resolve("server.test").get().addresses.map(\.isIPv6) == [true])
    }

    @Test(arguments: ["192.0.2.7", "2001:db8::7", "[2001:db8::7]", "::1"])
    func answersAddressesAtOnceWithoutAsking(_ text: String) throws {
        let harness = try ResolverHarness { _ in .code(3) }
        var result: Result<ResolvedName, NameResolutionError>?
        try #require(harness.resolver).resolve(UTF8Text(text), now: harness.now) { result = $0 }
        #expect(try result?.get().addresses.count == 1)
        #expect(harness.responder.questions.isEmpty)
    }

    private static let malformedNames: [UTF8Text] = [
        "", ".", "a..b", ".a", "a b", "a/b", "a\u{0}b", "m\u{FC}ller.test", "[192.0.2.1]", "[::1", "1::2::3",
        "127.0.0.1:53",
        UTF8Text(String(repeating: "a", count: 64) + ".test"),
        UTF8Text(Array(repeating: "abcdefghi", count: 26).joined(separator: ".")),
    ]

    @Test(arguments: malformedNames)
    func refusesWhatIsNoHostName(_ name: UTF8Text) throws {
        let harness = try ResolverHarness { _ in .addresses(timeToLive: 60, [[192, 0, 2, 1]]) }
        #expect(try harness.resolve(name) == .failure(.invalidName))
        #expect(harness.responder.questions.isEmpty)
    }

    private static let failures: [(reply: DNSResponder.Reply, error: NameResolutionError)] = [
        (.code(3), .notFound),
        (.code(0), .notFound),
        (.code(2), .serverFailed),
        (.code(5), .serverFailed),
        (.silence, .timedOut),
        (.forged(timeToLive: 60, [[192, 0, 2, 1]]), .timedOut),
    ]

    @Test(arguments: failures)
    func reportsWhyThereIsNoAddress(_ reply: DNSResponder.Reply, error: NameResolutionError) throws {
        let harness = try ResolverHarness { _ in reply }
        #expect(try harness.resolve("server.test") == .failure(error))
        // A failure is not kept: the next lookup asks again.
        let asked = harness.responder.questions.count
        #expect(try harness.resolve("server.test") == .failure(error))
        #expect(harness.responder.questions.count > asked)
    }

    private static let garbage: [[UInt8]] = [
        [], [0x81], [0x81, 0x80], [0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 0], [UInt8](repeating: 0xFF, count: 200),
        // An answer count without answers, and a name that points to itself.
        [
            0x81, 0x80, 0, 1, 0xFF, 0xFF, 0, 0, 0, 0, 6, 0x73, 0x65, 0x72, 0x76, 0x65, 0x72, 4, 0x74, 0x65, 0x73, 0x74,
            0, 0, 1, 0, 1,
        ],
        [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1],
    ]

    @Test(arguments: garbage)
    func survivesGarbageAndGoesOn(_ bytes: [UInt8]) throws {
        let harness = try ResolverHarness { _ in .garbage(bytes) }
        guard case .failure = try harness.resolve("server.test") else {
            Issue.record("garbage became an address")
            return
        }
        harness.responder.rule = { _ in .addresses(timeToLive: 60, [[192, 0, 2, 1]]) }
        #expect(try harness.resolve("server.test").get().texts == ["192.0.2.1"])
    }

    @Test func keepsAnAnswerForItsTimeToLiveAndNotLonger() throws {
        let harness = try ResolverHarness { _ in .addresses(timeToLive: 30, [[192, 0, 2, 1]]) }
        _ = try harness.resolve("Server.Test.").get()
        let asked = harness.responder.questions.count
        harness.now = harness.now.advanced(by: .seconds(29))
        harness.responder.rule = { _ in .addresses(timeToLive: 30, [[192, 0, 2, 9]]) }
        #expect(try harness.resolve("server.test").get().texts == ["192.0.2.1"])
        #expect(harness.responder.questions.count == asked)
        harness.now = harness.now.advanced(by: .seconds(1))
        #expect(try harness.resolve("server.test").get().texts == ["192.0.2.9"])
        #expect(harness.responder.questions.count > asked)
    }

    @Test func asksAgainForANameThatWasForgotten() throws {
        let harness = try ResolverHarness { _ in .addresses(timeToLive: 3600, [[192, 0, 2, 1]]) }
        _ = try harness.resolve("server.test").get()
        harness.responder.rule = { _ in .addresses(timeToLive: 3600, [[192, 0, 2, 9]]) }
        harness.resolver?.forget("other.test")
        harness.resolver?.forget("not a name")
        #expect(try harness.resolve("server.test").get().texts == ["192.0.2.1"])
        harness.resolver?.forget("SERVER.test.")
        #expect(try harness.resolve("server.test").get().texts == ["192.0.2.9"])
    }

    /// A name has no address when both families say so; while one cannot say, it may have one.
    @Test(arguments: [2, 5] as [UInt8], [true, false])
    func halfAFailureIsNoAbsence(code: UInt8, failsForIPv6: Bool) throws {
        let harness = try ResolverHarness { question in
            question.isIPv6 == failsForIPv6 ? .code(code) : .addresses(timeToLive: 60, [])
        }
        #expect(try harness.resolve("server.test") == .failure(.serverFailed))
    }

    @Test func oneFamilyWithAddressesIsEnough() throws {
        let harness = try ResolverHarness { question in
            question.isIPv6 ? .code(3) : .addresses(timeToLive: 60, [[192, 0, 2, 1]])
        }
        #expect(try harness.resolve("server.test").get().texts == ["192.0.2.1"])
    }

    @Test(arguments: [DNSResponder.Reply.silence, .code(2), .code(5)])
    func theNextServerAnswersForOneThatCannot(reply: DNSResponder.Reply) throws {
        let broken = DNSResponder { _ in reply }
        let harness = try ResolverHarness(
            NameResolver.Configuration(timeout: .milliseconds(40), tries: 1),
            before: [broken]
        ) { _ in .addresses(timeToLive: 60, [[192, 0, 2, 1]]) }
        #expect(try harness.resolve("server.test").get().texts == ["192.0.2.1"])
        #expect(!broken.questions.isEmpty)
    }

    @Test func doesNotKeepAnAnswerWithoutTimeToLive() throws {
        let harness = try ResolverHarness { _ in .addresses(timeToLive: 0, [[192, 0, 2, 1]]) }
        _ = try harness.resolve("server.test").get()
        #expect(harness.resolver?.cachedNames == 0)
    }

    @Test func limitsAnAbsurdTimeToLive() throws {
        let harness = try ResolverHarness { _ in .addresses(timeToLive: 0x7FFF_FFFF, [[192, 0, 2, 1]]) }
        #expect(try harness.resolve("server.test").get().expires == MonotonicTime.zero.advanced(by: .seconds(86_400)))
    }

    @Test func boundsWhatItKeeps() throws {
        var configuration = NameResolver.Configuration(timeout: .milliseconds(40), tries: 1)
        configuration.maximumCached = 4
        let harness = try ResolverHarness(configuration) { question in
            .addresses(timeToLive: question.name.hasPrefix("first") ? 1 : 60, [[192, 0, 2, 1]])
        }
        for name in ["first", "b", "c", "d", "e"] { _ = try harness.resolve(UTF8Text("\(name).test")).get() }
        #expect(harness.resolver?.cachedNames == 4)
        // The one that would have ended first made room.
        let asked = harness.responder.questions.count
        _ = try harness.resolve("b.test").get()
        #expect(harness.responder.questions.count == asked)
        _ = try harness.resolve("first.test").get()
        #expect(harness.responder.questions.count > asked)
    }

    @Test func sharesOneQuestionAmongLookupsOfOneName() throws {
        let harness = try ResolverHarness { _ in .addresses(timeToLive: 60, [[192, 0, 2, 1]]) }
        var answered = 0
        for _ in 0..<50 {
            harness.resolver?.resolve("server.test", now: harness.now) { if case .success = $0 { answered += 1 } }
        }
        #expect(harness.resolver?.questionsInFlight == 1)
        harness.drive { answered == 50 }
        #expect(answered == 50)
        #expect(Set(harness.responder.questions).count == 2)
        #expect(harness.resolver?.lookupsWaiting == 0)
    }

    @Test func asksABoundedNumberAtATimeAndAnswersAll() throws {
        let harness = try ResolverHarness(.init(timeout: .seconds(5), tries: 3)) { question in
            .addresses(timeToLive: 60, [[10, 0, 0, UInt8(question.name.utf8.count)]])
        }
        var answered = 0
        var most = 0
        for index in 0..<2000 {
            harness.resolver?.resolve(UTF8Text("device-\(index).test"), now: harness.now) {
                if case .success = $0 { answered += 1 }
                most = max(most, harness.resolver?.questionsInFlight ?? 0)
            }
        }
        #expect(harness.resolver?.questionsInFlight == 128)
        harness.drive { answered == 2000 }
        #expect(answered == 2000)
        #expect(most <= 128)
    }

    @Test func refusesMoreLookupsThanMayWait() throws {
        var configuration = NameResolver.Configuration(timeout: .milliseconds(40), tries: 1)
        configuration.maximumWaiting = 3
        let harness = try ResolverHarness(configuration) { _ in .silence }
        var results: [Result<ResolvedName, NameResolutionError>] = []
        for name in ["a.test", "b.test", "b.test", "c.test"] {
            harness.resolver?.resolve(UTF8Text(name), now: harness.now) { results.append($0) }
        }
        #expect(results == [.failure(.queueFull)])
        harness.drive { results.count == 4 }
        #expect(results.dropFirst().allSatisfy { $0 == .failure(.timedOut) })
        #expect(harness.resolver?.lookupsWaiting == 0)
    }

    @Test func aCompletionMayResolveTheNextName() throws {
        let harness = try ResolverHarness { _ in .addresses(timeToLive: 60, [[192, 0, 2, 1]]) }
        var last: Result<ResolvedName, NameResolutionError>?
        harness.resolver?.resolve("one.test", now: harness.now) { _ in
            harness.resolver?.resolve("two.test", now: harness.now) { last = $0 }
        }
        harness.drive { last != nil }
        #expect(try last?.get().texts == ["192.0.2.1"])
    }

    @Test func hasADeadlineOnlyWhileItWaits() throws {
        let harness = try ResolverHarness { _ in .silence }
        #expect(harness.resolver?.nextDeadline(now: harness.now) == nil)
        var isDone = false
        harness.resolver?.resolve("server.test", now: harness.now) { _ in isDone = true }
        let deadline = try #require(harness.resolver?.nextDeadline(now: harness.now))
        #expect(deadline > harness.now && deadline <= harness.now.advanced(by: .milliseconds(45)))
        harness.drive { isDone }
        #expect(harness.resolver?.nextDeadline(now: harness.now) == nil)
    }

    @Test func goesAwayWithLookupsUnderWay() throws {
        let harness = try ResolverHarness { _ in .silence }
        var isCalled = false
        harness.resolver?.resolve("server.test", now: harness.now) { _ in isCalled = true }
        #expect(harness.openDescriptors > 0)
        harness.destroyResolver()
        #expect(harness.openDescriptors == 0)
        #expect(!isCalled)
    }

    @Test func refusesServersThatAreNone() {
        for (address, port) in [("dns.test", UInt16(53)), ("", 53), ("127.0.0.1", 0)] {
            let good = NameResolver.Configuration.Server(address: "127.0.0.1")
            let bad = NameResolver.Configuration.Server(address: UTF8Text(address), port: port)
            #expect(throws: NameResolutionError.invalidServer(at: 1)) {
                try NameResolver(configuration: .init(servers: [good, bad])) { _, _, _ in }
            }
        }
    }
}
