import CoAPMessages
import LwM2MModel
import ManagementEngine
import Primitives
import Testing

@Suite struct IdentityTests {
    private static let table = EndpointRule(.strict, endpoints: [Array("id-7".utf8): "dev7"])

    private static let cases: [(rule: EndpointRule, name: UTF8Text?, identity: String?, endpoint: UTF8Text?)] = [
        (EndpointRule(), "dev1", "dev1", "dev1"),
        (EndpointRule(), nil, "dev1", "dev1"),
        (EndpointRule(), "dev2", "dev1", nil),
        (EndpointRule(), "dev1", nil, "dev1"),
        (EndpointRule(), nil, nil, nil),
        (table, "dev7", "id-7", "dev7"),
        (table, nil, "id-7", "dev7"),
        (table, "id-7", "id-7", nil),
        (table, "dev7", "dev7", nil),
        (table, "dev7", nil, nil),
        (table, "dev8", "dev8", "dev8"),
        (EndpointRule(.any), "dev2", "dev1", "dev2"),
        (EndpointRule(.any), nil, "dev1", "dev1"),
    ]

    @Test(arguments: cases)
    func judgesNamesByIdentity(_ rule: EndpointRule, name: UTF8Text?, identity: String?, endpoint: UTF8Text?) {
        let judged = try? rule.endpoint(named: name, identity: identity.map { Array($0.utf8) })
        #expect(judged == endpoint)
    }

    @Test func aMismatchIsForbiddenAndCounted() {
        let bench = Bench()
        bench.open(1, as: "evil")
        #expect(bench.answer(Bench.register())?.code == .forbidden)
        #expect(bench.engine.counters.identityMismatches == 1)
    }

    @Test(arguments: ["dev\n1", "\u{1B}[2J", "dev\u{7F}", "dev\u{9B}1", "\0"])
    func aNameThatWouldForgeALineOfALogIsRefused(_ name: String) {
        let bench = Bench()
        bench.open(2, as: name)
        #expect(bench.answer(Bench.register(["lt=300"]), on: 2)?.code == .badRequest)
        bench.open(3, as: nil)
        #expect(bench.answer(Bench.register([UTF8Text("ep=" + name)]), on: 3)?.code == .badRequest)
        #expect(bench.engine.registrationCount == 0)
    }

    @Test func otherLettersAreNamesToo() {
        let bench = Bench()
        bench.open(2, as: "Gerät-ü\u{A0}1")
        #expect(bench.answer(Bench.register(["lt=300"]), on: 2)?.code == .created)
    }

    @Test func nobodyElseUpdatesOrEndsARegistration() {
        let bench = Bench()
        let location = bench.registered()
        bench.open(2, as: "evil")
        bench.open(3, as: nil)
        for session in [2, 3] as [UInt32] {
            #expect(bench.answer(Bench.update(location), on: session)?.code == .forbidden)
            #expect(bench.answer(CoAPRequest(.delete, path: ["rd", location]), on: session)?.code == .forbidden)
        }
        #expect(bench.engine.registrationCount == 1)
        #expect(bench.engine.counters.identityMismatches == 4)
    }

    @Test func anUnsecuredPeerDoesNotTakeTheNameOfASecuredOne() {
        let bench = Bench()
        _ = bench.registered()
        bench.open(2, as: nil)
        #expect(bench.answer(Bench.register(), on: 2)?.code == .forbidden)
    }

    @Test func theSameIdentityMayComeFromAnotherAddress() {
        let bench = Bench()
        let location = bench.registered()
        bench.open(2)
        #expect(bench.answer(Bench.update(location), on: 2)?.code == .changed)
        let outputs = bench.command(.read(ObjectPath(3, 0)))
        guard case .sendRequest(_, let session, _)? = outputs.first else {
            Issue.record("no request was sent")
            return
        }
        #expect(session == SessionID(rawValue: 2))
    }

    @Test func aSessionThatNoDeviceUsesAnyMoreIsClosed() {
        var bench = Bench()
        let location = bench.registered()
        bench.open(2)
        #expect(bench.ask(Bench.update(location), on: 2).contains(.closeSession(SessionID(rawValue: 1))))
        bench.open(3)
        #expect(bench.ask(Bench.register(), on: 3).contains(.closeSession(SessionID(rawValue: 2))))
        #expect(bench.wait(.seconds(300)).contains(.closeSession(SessionID(rawValue: 3))))

        // One that other devices use stays, and one whose device deregisters is the device's to close.
        bench = Bench()
        bench.open(1, as: nil)
        _ = bench.ask(Bench.register(["ep=a", "lt=100"]))
        _ = bench.ask(Bench.register(["ep=b", "lt=300"]))
        #expect(!bench.wait(.seconds(100)).contains(.closeSession(SessionID(rawValue: 1))))
        #expect(bench.wait(.seconds(200)).contains(.closeSession(SessionID(rawValue: 1))))
    }

    @Test func aCommandOnASessionThatWasLeftBehindEnds() {
        let bench = Bench()
        let location = bench.registered()
        _ = bench.command(.read(ObjectPath(3, 0)))
        bench.open(2)
        let outputs = bench.ask(Bench.update(location), on: 2)
        #expect(outputs.results == [.failed(.unreachable(.sessionClosed))])
        #expect(bench.command(.read(ObjectPath(3, 0))).requests.count == 1)
    }
}
