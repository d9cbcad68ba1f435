import BootstrapEngine
import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import Primitives
import TestSupport
import Testing

/// An engine with a clock of its own, told one event at a time; every plan is the same.
private final class Bench {
    var engine: BootstrapEngine
    var now = MonotonicTime.zero
    var plan: BootstrapPlan?
    private var exchanges: UInt64 = 0

    static let key = SecretBytes(Array(0..<16))
    static let server = ProvisionedServer(
        shortServerID: 101,
        uri: "coaps://127.0.0.1:5684",
        security: .preSharedKey(identity: Array("dev1".utf8), key: key),
        lifetime: 300,
        minimumPeriod: 1
    )

    init(
        _ plan: BootstrapPlan? = BootstrapPlan(servers: [Bench.server]),
        _ adjust: (inout BootstrapConfiguration) -> Void = { _ in }
    ) {
        var configuration = BootstrapConfiguration()
        adjust(&configuration)
        self.engine = BootstrapEngine(configuration: configuration)
        self.plan = plan
    }

    func tell(_ event: BootstrapEvent) -> [BootstrapOutput] {
        self.engine.handle(event, now: self.now)
        var outputs: [BootstrapOutput] = []
        while let output = self.engine.nextOutput() {
            if case .choosePlan(let id, _, _) = output {
                self.engine.handle(.planChosen(id, self.plan), now: self.now)
            } else {
                outputs.append(output)
            }
        }
        return outputs
    }

    func tell(_ event: ServerEvent) -> [BootstrapOutput] { self.tell(.network(event)) }

    func open(_ session: UInt32 = 1, as identity: String? = "dev1") {
        _ = self.tell(.sessionAccepted(SessionID(rawValue: session), identity: identity.map { Array($0.utf8) }))
    }

    func ask(_ query: [UTF8Text] = ["ep=dev1"], on session: UInt32 = 1) -> [BootstrapOutput] {
        self.ask(CoAPRequest(.post, path: ["bs"], query: query), on: session)
    }

    func ask(_ request: CoAPRequest, on session: UInt32 = 1) -> [BootstrapOutput] {
        self.exchanges += 1
        return self.tell(.requestReceived(ExchangeID(rawValue: self.exchanges), SessionID(rawValue: session), request))
    }

    /// Answers the request that stands in the outputs.
    func answer(_ outputs: [BootstrapOutput], _ response: CoAPResponse) -> [BootstrapOutput] {
        outputs.requestID.map { self.tell(.responseReceived($0, response)) } ?? []
    }

    func answer(_ outputs: [BootstrapOutput], _ code: CoAPCode) -> [BootstrapOutput] {
        self.answer(outputs, CoAPResponse(code))
    }
}

extension [BootstrapOutput] {
    fileprivate var requestID: RequestID? {
        for case .sendRequest(let id, _, _) in self { return id }
        return nil
    }

    fileprivate var request: CoAPRequest? {
        for case .sendRequest(_, _, let request) in self { return request }
        return nil
    }

    /// The request as people write it; `"PUT /0/1"`.
    fileprivate var step: String? {
        self.request.map { request in
            let names: [CoAPCode: String] = [.get: "GET", .put: "PUT", .post: "POST", .delete: "DELETE"]
            let path = (request.path ?? []).map(\.string).joined(separator: "/")
            return "\(names[request.method] ?? "?") /\(path)"
        }
    }

    fileprivate var failure: BootstrapServerFailure? {
        for case .report(.failed(_, let failure)) in self { return failure }
        return nil
    }
}

private func discovery(_ text: String) -> CoAPResponse {
    CoAPResponse(.content, contentFormat: .linkFormat, payload: Array(text.utf8))
}

@Suite("Core 1.2.2, clause 6.1: bootstrap") struct BootstrapEngineTests {
    @Test func eachStepWaitsForTheOneBefore() {
        let bench = Bench()
        bench.open()
        var outputs = bench.ask()
        #expect(outputs.code == .changed)
        #expect(outputs.step == "GET /")
        #expect(outputs.request?.options.accept == .linkFormat)
        // The account at instance 0 has no short identifier: it is the bootstrap server's.
        outputs = bench.answer(outputs, discovery("</>;lwm2m=1.1,</0/0>,</0/1>;ssid=7,</1/0>;ssid=7,</3/0>"))
        #expect(outputs.step == "DELETE /")
        outputs = bench.answer(outputs, .deleted)
        #expect(outputs.step == "PUT /0/1")
        outputs = bench.answer(outputs, .changed)
        #expect(outputs.step == "PUT /1/0")
        outputs = bench.answer(outputs, .changed)
        #expect(outputs.step == "POST /bs")
        #expect(outputs.request?.payload.isEmpty == true)
        bench.now = bench.now.advanced(by: .seconds(2))
        outputs = bench.answer(outputs, .changed)
        #expect(outputs == [.report(.finished(endpoint: "dev1", since: .zero))])
        #expect(bench.engine.procedureCount == 0)
        #expect(bench.engine.nextDeadline == nil)
        #expect(bench.engine.counters.finished == 1)
    }

    @Test func accountsAreWrittenAsThePlanSays() throws {
        let bench = Bench(BootstrapPlan(servers: [Bench.server], deletes: [], discoversFirst: false))
        bench.open()
        var outputs = bench.ask()
        let security = try #require(outputs.request)
        #expect(outputs.step == "PUT /0/1")
        #expect(security.options.contentFormat == .tlv)
        let account = try Payload.decode(security.payload, as: .tlv, at: ObjectPath(0, 1), registry: .standard)
        #expect(
            account == [
                ResourceRecord(ObjectPath(0, 1, 0), .string("coaps://127.0.0.1:5684")),
                ResourceRecord(ObjectPath(0, 1, 1), .boolean(false)),
                ResourceRecord(ObjectPath(0, 1, 2), .integer(0)),
                ResourceRecord(ObjectPath(0, 1, 3), .opaque(Array("dev1".utf8))),
                ResourceRecord(ObjectPath(0, 1, 4), .opaque([])),
                ResourceRecord(ObjectPath(0, 1, 5), .opaque(Array(0..<16))),
                ResourceRecord(ObjectPath(0, 1, 10), .integer(101)),
            ]
        )
        outputs = bench.answer(outputs, .changed)
        let server = try Payload.decode(
            outputs.request?.payload ?? [],
            as: .tlv,
            at: ObjectPath(1, 0),
            registry: .standard
        )
        #expect(
            server == [
                ResourceRecord(ObjectPath(1, 0, 0), .integer(101)),
                ResourceRecord(ObjectPath(1, 0, 1), .integer(300)),
                ResourceRecord(ObjectPath(1, 0, 2), .integer(1)),
                ResourceRecord(ObjectPath(1, 0, 6), .boolean(true)),
                ResourceRecord(ObjectPath(1, 0, 7), .string("U")),
            ]
        )
    }

    @Test(arguments: [ContentFormat.tlv, .senMLJSON, .senMLCBOR])
    func writesInTheFormatThatTheDeviceAsksFor(_ format: ContentFormat) throws {
        let bench = Bench(BootstrapPlan(servers: [Bench.server], deletes: [], discoversFirst: false))
        bench.open()
        let request = try #require(bench.ask(["ep=dev1", UTF8Text("pct=\(format.rawValue)")]).request)
        #expect(request.options.contentFormat == format)
        #expect(try Payload.decode(request.payload, as: format, at: ObjectPath(0, 1), registry: .standard).count == 7)
    }

    @Test func severalServersGetInstancesThatAreFree() {
        var second = Bench.server
        second.shortServerID = 102
        let bench = Bench(BootstrapPlan(servers: [Bench.server, second]))
        bench.open()
        var outputs = bench.answer(bench.ask(), discovery("</0/1>,</0/2>;ssid=9"))
        var steps: [String] = []
        while let step = outputs.step {
            steps.append(step)
            outputs = bench.answer(outputs, step == "DELETE /" ? .deleted : .changed)
        }
        #expect(steps == ["DELETE /", "PUT /0/0", "PUT /1/0", "PUT /0/2", "PUT /1/1", "POST /bs"])
    }

    @Test(arguments: [CoAPResponse(.notFound), CoAPResponse(.methodNotAllowed), discovery("</0")])
    func aDeviceThatCannotDiscoverIsServed(_ response: CoAPResponse) {
        let bench = Bench()
        bench.open()
        let outputs = bench.answer(bench.ask(), response)
        #expect(outputs.step == "DELETE /")
        #expect(bench.answer(outputs, .deleted).step == "PUT /0/1")
    }

    private static let refusals: [(step: Int, code: CoAPCode, BootstrapStep)] = [
        (1, .methodNotAllowed, .delete(.root)),
        (2, .badRequest, .write(ObjectPath(0, 1))),
        (3, .unsupportedContentFormat, .write(ObjectPath(1, 0))),
        (4, .notAcceptable, .finish),
    ]

    @Test(arguments: refusals) func aRefusedStepEndsTheBootstrap(_ number: Int, _ code: CoAPCode, _ step: BootstrapStep)
    {
        let bench = Bench()
        bench.open()
        var outputs = bench.answer(bench.ask(), discovery("</0/0>"))
        for _ in 1..<number { outputs = bench.answer(outputs, .changed) }
        outputs = bench.answer(outputs, code)
        #expect(outputs.failure == .refused(step, code))
        #expect(bench.engine.procedureCount == 0)
        #expect(bench.engine.counters.refusedByDevice == 1)
    }

    /// Every step, whatever goes wrong in it: the bootstrap ends, is counted, and leaves nothing behind.
    @Test(arguments: 0..<5, ["silence", "failure", "closed", "again"])
    func whateverGoesWrongInAnyStepEndsIt(_ steps: Int, _ event: String) throws {
        let bench = Bench()
        bench.open()
        var outputs = bench.ask()
        for _ in 0..<steps { outputs = bench.answer(outputs, .changed) }
        let request = try #require(outputs.requestID)
        switch event {
        case "silence":
            bench.now = bench.now.advanced(by: .seconds(120))
            outputs = bench.tell(.deadlineReached)
            #expect(bench.engine.counters.timedOut == 1)
        case "failure":
            outputs = bench.tell(.requestFailed(request, .timedOut))
            #expect(bench.engine.counters.timedOut == 1)
        case "closed":
            outputs = bench.tell(.sessionClosed(SessionID(rawValue: 1)))
            #expect(outputs.failure == .sessionClosed)
        default:
            outputs = bench.ask()
            #expect(outputs.failure == .restarted)
            #expect(outputs.code == .changed)
            #expect(outputs.step == "GET /")
        }
        #expect(outputs.failure != nil)
        #expect(bench.engine.procedureCount == (event == "again" ? 1 : 0))
        // An answer that comes too late finds nothing.
        #expect(bench.tell(.responseReceived(request, CoAPResponse(.changed))).isEmpty)
    }

    private static let refused: [(query: [UTF8Text], identity: String?, CoAPCode)] = [
        ([], nil, .badRequest),
        (["ep="], "dev1", .badRequest),
        (["ep=dev1", "ep=dev1"], "dev1", .badRequest),
        (["ep=dev1", "pct=soon"], "dev1", .badRequest),
        (["ep=dev1", "pct="], "dev1", .badRequest),
        (["ep=dev1", "pct=70000"], "dev1", .badRequest),
        (["ep=dev1", "pct=110", "pct=112"], "dev1", .badRequest),
        (["ep=dev1", "pct=0"], "dev1", .unsupportedContentFormat),
        (["ep=dev2"], "dev1", .forbidden),
        ([UTF8Text("ep=" + String(repeating: "x", count: 256))], nil, .badRequest),
        ((0..<17).map { UTF8Text("x\($0)") }, "dev1", .badRequest),
    ]

    @Test(arguments: refused) func refusesWhatMakesNoSense(_ query: [UTF8Text], identity: String?, _ code: CoAPCode) {
        let bench = Bench()
        bench.open(1, as: identity)
        let outputs = bench.ask(query)
        #expect(outputs.code == code)
        #expect(outputs.request == nil)
        #expect(bench.engine.procedureCount == 0)
    }

    @Test func refusesOtherMethodsAndPaths() {
        let bench = Bench()
        bench.open()
        #expect(bench.ask(CoAPRequest(.get, path: ["bs"])).code == .methodNotAllowed)
        #expect(bench.ask(CoAPRequest(.get, path: ["bspack"])).code == .notImplemented)
        #expect(bench.ask(CoAPRequest(.post, path: ["rd"])).code == .notFound)
        #expect(bench.ask(CoAPRequest(.post, path: ["bs"]), on: 9).code == .serviceUnavailable)
    }

    @Test("Core 1.2.2, clause 6.1.7.1: an unknown endpoint is a bad request")
    func aDeviceWithoutAPlanIsRefused() {
        let bench = Bench(nil)
        bench.open()
        #expect(bench.ask().code == .badRequest)
        #expect(bench.engine.counters.unknownEndpoints == 1)
        #expect(bench.engine.procedureCount == 0)
    }

    @Test func theIdentityStandsInForAMissingName() {
        let bench = Bench()
        bench.open()
        #expect(bench.ask([]).code == .changed)
    }

    @Test func devicesAtOnceAreBounded() {
        let bench = Bench(BootstrapPlan(servers: [Bench.server])) { $0.maximumProcedures = 2 }
        for session in 1...3 as ClosedRange<UInt32> {
            bench.open(session, as: "dev\(session)")
            let code = bench.ask([UTF8Text("ep=dev\(session)")], on: session).code
            #expect(code == (session <= 2 ? .changed : .serviceUnavailable))
        }
        _ = bench.tell(.sessionClosed(SessionID(rawValue: 1)))
        #expect(bench.ask(["ep=dev3"], on: 3).code == .changed)
        #expect(bench.engine.counters.refusedByBounds == 1)
    }

    @Test func anyAnswerToDiscoverIsHarmless() {
        let text = Array("</>;lwm2m=1.1,</0/0>,</0/1>;ssid=7;uri=\"coaps://x\",</1/0>;ssid=7".utf8)
        for damaged in Damage.truncations(text) + Damage.bitFlips(text) {
            let bench = Bench()
            bench.open()
            let response = CoAPResponse(.content, contentFormat: .linkFormat, payload: damaged)
            #expect(bench.answer(bench.ask(), response).step == "DELETE /")
        }
    }

    @Test func noReportShowsAKey() {
        let bench = Bench()
        bench.open()
        #expect(!String(reflecting: bench.plan as Any).contains("0, 1, 2, 3"))
    }
}
