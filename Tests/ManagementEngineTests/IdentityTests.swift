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
}
