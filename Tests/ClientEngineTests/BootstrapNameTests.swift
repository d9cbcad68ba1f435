import BootstrapURIs
import ClientEngine
import CoAPMessages
import CryptographicHashes
import LwM2MModel
import Primitives
import Testing

@Suite("Bootstrap at temporary URIs")
struct BootstrapNameTests {
    static let key = SecretBytes(Array("0123456789abcdef".utf8))
    static let staticURI: UTF8Text = "coaps://bs.example.test"
    /// The middle of a window of an hour, and 10 s before its end.
    static let middle: Int64 = 1_800_000_000
    static let border: Int64 = 1_800_001_790

    static func configuration(_ profile: BootstrapURIProfile? = .standard) -> ClientConfiguration {
        var account = Sample.bootstrapAccount()
        account.serverURI = Self.staticURI
        account.key = Self.key
        return ClientConfiguration(
            endpoint: "urn:dev:1",
            security: [account],
            objects: Sample.objects,
            bootstrapURIProfile: profile
        )
    }

    static func profile(_ fields: UTF8Text) throws -> BootstrapURIProfile { try BootstrapURIProfile(parsing: fields) }

    /// A driver with a clock; nil for one without.
    static func driver(_ profile: BootstrapURIProfile? = .standard, clock: Int64?) -> EngineDriver {
        var driver = EngineDriver(Self.configuration(profile))
        if let clock { driver.handle(.clockSet(WallTime(secondsSinceEpoch: clock))) }
        return driver
    }

    static func uri(_ stamp: Int64, _ profile: BootstrapURIProfile = .standard) throws -> CoAPURI {
        try TemporaryURIs(profile: profile, staticURI: try CoAPURI(parsing: Self.staticURI))
            .uri(secret: Self.key, endpoint: "urn:dev:1", window: TimeWindow(stamp: stamp), hashes: .libCrypto)
    }

    @Test("The Bootstrap-Request goes to the name of the present window, with that name in Uri-Host")
    func asksAtTheTemporaryName() throws {
        var driver = Self.driver(clock: Self.middle)
        let outputs = driver.handle(.started)
        let session = try #require(outputs.openedSession)
        let uri = try Self.uri(1_800_000_000)
        #expect(outputs == [.openSession(session, uri, .preSharedKey(identity: [0x62], key: Self.key))])
        #expect(uri.host != "bs.example.test")
        let request = try #require(driver.handle(.sessionOpened(session)).sentRequest).request
        #expect(request.options.texts(.uriHost) == [uri.host])
        #expect(driver.engine.bootstrapURI == UTF8Text(uri.text))
        #expect(driver.takeReports().first == .bootstrapNameTried(TimeWindow(stamp: 1_800_000_000)))
    }

    @Test("Near a border the neighbour's name comes next; without any record the attempt fails with noName")
    func triesTheNeighbour() throws {
        var driver = Self.driver(clock: Self.border)
        let first = try #require(driver.handle(.started).openedSession)
        let outputs = driver.handle(.sessionClosed(first, .nameNotFound))
        let second = try #require(outputs.openedSession)
        #expect(
            outputs == [
                .openSession(
                    second,
                    try Self.uri(1_800_003_600),
                    .preSharedKey(identity: [0x62], key: Self.key)
                )
            ]
        )
        #expect(driver.handle(.sessionClosed(second, .nameNotFound)).isEmpty)
        #expect(driver.takeReports().last == .bootstrapFailed(.noName))
        #expect(driver.engine.nextDeadline != nil)
        #expect(driver.engine.bootstrapURI == nil)
    }

    @Test("Without records the static URI follows only by permission", arguments: ["no", "yes"])
    func fallsBackByPermission(permission: UTF8Text) throws {
        let profile = try Self.profile(permission == "yes" ? "fallback=yes" : "fallback=no")
        var driver = Self.driver(profile, clock: Self.middle)
        let first = try #require(driver.handle(.started).openedSession)
        let outputs = driver.handle(.sessionClosed(first, .nameNotFound))
        guard permission == "yes" else { return #expect(outputs.isEmpty) }
        let session = try #require(outputs.openedSession)
        #expect(
            outputs == [
                .openSession(
                    session,
                    try CoAPURI(parsing: Self.staticURI),
                    .preSharedKey(identity: [0x62], key: Self.key)
                )
            ]
        )
        #expect(driver.takeReports().last == .bootstrapNameTried(nil))
    }

    @Test("Without a clock the device waits and says so; the attempt after the clock is set uses it")
    func needsAClock() throws {
        var driver = Self.driver(clock: nil)
        #expect(driver.handle(.started).isEmpty)
        #expect(driver.takeReports() == [.bootstrapFailed(.clockUnknown)])
        driver.handle(.clockSet(WallTime(secondsSinceEpoch: Self.middle)))
        let session = try #require(driver.jump().openedSession)
        driver.handle(.clockLost)
        driver.handle(.sessionClosed(session, .unreachable))
        #expect(driver.jump().isEmpty)
        #expect(driver.takeReports().last == .bootstrapFailed(.clockUnknown))
    }

    @Test("A profile without a time stamp needs no clock")
    func needsNoClockWithoutTime() throws {
        let profile = try Self.profile("parameters=endpoint")
        var driver = Self.driver(profile, clock: nil)
        #expect(driver.handle(.started).openedSession != nil)
    }

    @Test("A clock that shows what no clock can is none", arguments: [Int64.min, -1, 253_402_300_800, .max])
    func doubtsAnAbsurdClock(time: Int64) throws {
        var driver = Self.driver(clock: time)
        #expect(driver.handle(.started).isEmpty)
        #expect(driver.takeReports() == [.bootstrapFailed(.clockUnknown)])
    }

    @Test("A secret under 16 bytes is reported, and nothing is sent")
    func refusesAWeakSecret() {
        var configuration = Self.configuration()
        configuration.security[0].key = SecretBytes([1, 2, 3])
        var driver = EngineDriver(configuration)
        driver.handle(.clockSet(WallTime(secondsSinceEpoch: Self.middle)))
        #expect(driver.handle(.started).isEmpty)
        #expect(driver.takeReports().last == .bootstrapFailed(.derivation))
    }

    @Test("The procedure ends at the URI where it began, though the period rolls over during a hold")
    func staysAtOneURI() throws {
        var driver = Self.driver(clock: Self.border)
        let first = try #require(driver.handle(.started).openedSession)
        let request = try #require(driver.handle(.sessionOpened(first)).sentRequest)
        var holding = CoAPResponse(.serviceUnavailable)
        holding.options.append(.maxAge, unsigned: 30)
        #expect(driver.handle(.responseReceived(request.id, holding)) == [.closeSession(first)])
        #expect(driver.takeReports().last == .bootstrapHeld(seconds: 30))
        let outputs = driver.jump()
        let uri = try Self.uri(1_800_000_000)
        let second = try #require(outputs.openedSession)
        #expect(
            outputs == [
                .forgetName(uri.host), .openSession(second, uri, .preSharedKey(identity: [0x62], key: Self.key)),
            ]
        )
        let again = try #require(driver.handle(.sessionOpened(second)).sentRequest)
        #expect(again.request == request.request)
        driver.handle(.responseReceived(again.id, CoAPResponse(.changed)))
        driver.advance(.seconds(100))
        #expect(driver.answer(CoAPRequest(.delete, path: []), session: second)?.code == .deleted)
        #expect(driver.engine.bootstrapURI == UTF8Text(uri.text))
    }

    @Test("A host that is silent or refuses has its name resolved anew, and the neighbour comes next")
    func leavesADeadHost() throws {
        var driver = Self.driver(clock: Self.border)
        let first = try #require(driver.handle(.started).openedSession)
        let outputs = driver.handle(.sessionClosed(first, .unreachable))
        #expect(outputs.first == .forgetName(try Self.uri(1_800_000_000).host))
        let second = try #require(outputs.openedSession)
        let request = try #require(driver.handle(.sessionOpened(second)).sentRequest)
        let last = driver.handle(.responseReceived(request.id, CoAPResponse(.forbidden)))
        #expect(last == [.forgetName(try Self.uri(1_800_003_600).host), .closeSession(second)])
        #expect(driver.takeReports().last == .bootstrapFailed(.rejected(.forbidden)))
    }
}
