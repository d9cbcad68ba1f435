import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import ManagementEngine
import Primitives
import TestSupport
import Testing

@Suite("Core 1.2.2, clause 6.2: registration") struct RegistrationTests {
    @Test func registersUpdatesAndDeregisters() throws {
        let bench = Bench()
        bench.open()

        let outputs = bench.ask(Bench.register())
        // What the answer promises is stored before it is sent.
        let registration = try #require(bench.engine.status(of: "dev1")?.registration)
        #expect(outputs.first == .store(.saved(registration)))
        #expect(outputs.codes == [.created])
        #expect(registration.lifetime == 300)
        #expect(registration.version == ObjectVersion(1, 1))
        #expect(registration.identity == Array("dev1".utf8))
        #expect(registration.objects.entries.map(\.path.text) == ["/1/0", "/3/0", "/3303", "/3303/0"])

        #expect(bench.answer(Bench.update(registration.location))?.code == .changed)
        #expect(bench.answer(CoAPRequest(.delete, path: ["rd", registration.location]))?.code == .deleted)
        #expect(bench.engine.registrationCount == 0)
        #expect(bench.answer(Bench.update(registration.location))?.code == .notFound)
        #expect(bench.engine.counters.registered == 1)
        #expect(bench.engine.counters.updated == 1)
        #expect(bench.engine.counters.deregistered == 1)
        #expect(bench.engine.counters.unknownLocations == 1)
    }

    @Test func answersRegisterWithTheLocation() {
        let bench = Bench()
        bench.open()
        let path = bench.answer(Bench.register())?.options.texts(.locationPath)
        #expect(path?.count == 2)
        #expect(path?.first == "rd")
        #expect(path?.last == bench.engine.status(of: "dev1")?.registration.location)
    }

    @Test func endsWithItsLifetime() {
        let bench = Bench()
        _ = bench.registered()
        #expect(bench.engine.nextDeadline == MonotonicTime.zero.advanced(by: .seconds(300)))
        #expect(bench.wait(.seconds(299)).isEmpty)
        let outputs = bench.wait(.seconds(1))
        #expect(
            outputs == [
                .closeSession(SessionID(rawValue: 1)), .store(.removed(endpoint: "dev1")),
                .report(.expired(endpoint: "dev1")),
            ]
        )
        #expect(bench.engine.registrationCount == 0)
        #expect(bench.engine.nextDeadline == nil)
    }

    @Test func updateBeginsTheLifetimeAnew() {
        let bench = Bench()
        let location = bench.registered()
        _ = bench.wait(.seconds(299))
        #expect(bench.answer(Bench.update(location))?.code == .changed)
        #expect(bench.wait(.seconds(299)).isEmpty)
        #expect(bench.wait(.seconds(1)).changes == [.removed(endpoint: "dev1")])
    }

    @Test func updateChangesOnlyWhatItNames() {
        let bench = Bench()
        let location = bench.registered()
        #expect(bench.ask(Bench.update(location)).changes.isEmpty)
        #expect(bench.ask(Bench.update(location, ["lt=60"])).changes.count == 1)
        var registration = bench.engine.status(of: "dev1")?.registration
        #expect(registration?.lifetime == 60)
        #expect(registration?.binding == "U")
        #expect(registration?.objects.entries.count == 4)
        _ = bench.ask(Bench.update(location, objects: "</3/0>"))
        registration = bench.engine.status(of: "dev1")?.registration
        #expect(registration?.objects.entries.map(\.path.text) == ["/3/0"])
        #expect(registration?.lifetime == 60)
    }

    @Test func aLifetimeOfZeroIsForEver() {
        let bench = Bench()
        _ = bench.registered(["ep=dev1", "lt=0"])
        #expect(bench.engine.nextDeadline == nil)
        #expect(bench.engine.status(of: "dev1")?.expires == nil)
    }

    @Test func registeringAgainTakesThePlaceOfTheFirst() {
        let bench = Bench()
        let first = bench.registered()
        let second = bench.answer(Bench.register())?.options.texts(.locationPath)?.last ?? ""
        #expect(first != second)
        #expect(bench.engine.registrationCount == 1)
        #expect(bench.engine.counters.replaced == 1)
        #expect(bench.answer(Bench.update(first))?.code == .notFound)
        #expect(bench.answer(Bench.update(second))?.code == .changed)
    }

    @Test func peersThatSayLittleAreTaken() {
        let bench = Bench()
        bench.open(1, as: nil)
        #expect(bench.answer(CoAPRequest(.post, path: ["rd"], query: ["ep=node1"]))?.code == .created)
        let registration = bench.engine.status(of: "node1")?.registration
        #expect(registration?.lifetime == 86_400)
        #expect(registration?.version == .initial)
        #expect(registration?.binding == "U")
    }

    @Test func theIdentityStandsInForAMissingName() {
        let bench = Bench()
        bench.open()
        #expect(bench.answer(Bench.register(["lt=300"]))?.code == .created)
        #expect(bench.engine.status(of: "dev1") != nil)
    }

    private static let refused: [(query: [UTF8Text], objects: String, code: CoAPCode)] = [
        (["ep="], "</3/0>", .badRequest),
        (["ep"], "</3/0>", .badRequest),
        (["ep=dev1", "ep=dev1"], "</3/0>", .badRequest),
        (["ep=dev1", "lt=soon"], "</3/0>", .badRequest),
        (["ep=dev1", "lt=-1"], "</3/0>", .badRequest),
        (["ep=dev1", "lt=4294967296"], "</3/0>", .badRequest),
        (["ep=dev1", "lt="], "</3/0>", .badRequest),
        (["ep=dev1", "lwm2m=1"], "</3/0>", .badRequest),
        (["ep=dev1", "lwm2m=1.2.3"], "</3/0>", .badRequest),
        (["ep=dev1", "lwm2m=999.1"], "</3/0>", .badRequest),
        (["ep=dev1", "lwm2m=2.0"], "</3/0>", .preconditionFailed),
        (["ep=dev1", "lwm2m=1.3"], "</3/0>", .preconditionFailed),
        (["ep=dev1", "b=UUUUUUUUU"], "</3/0>", .badRequest),
        (["ep=dev1", "b=1"], "</3/0>", .badRequest),
        (["ep=dev1"], "</3/0", .badRequest),
        (["ep=dev1"], "nonsense", .badRequest),
        (["ep=dev1"], "</70000>", .badRequest),
        (["ep=dev1", "pid=1:0badc0de"], "", .conflict),
        (["ep=dev2"], "</3/0>", .forbidden),
        ([UTF8Text("ep=" + String(repeating: "x", count: 256))], "</3/0>", .badRequest),
    ]

    @Test(arguments: refused)
    func refusesWhatMakesNoSense(_ query: [UTF8Text], objects: String, code: CoAPCode) {
        let bench = Bench()
        bench.open()
        let outputs = bench.ask(Bench.register(query, objects: objects))
        #expect(outputs.codes == [code])
        #expect(outputs.changes.isEmpty)
        #expect(bench.engine.registrationCount == 0)
    }

    @Test func refusesOtherFormatsMethodsAndPaths() {
        let bench = Bench()
        let location = bench.registered()
        let text = CoAPRequest(.post, path: ["rd"], query: ["ep=dev1"], contentFormat: .text, payload: [0x3C])
        #expect(bench.answer(text)?.code == .unsupportedContentFormat)
        #expect(bench.answer(CoAPRequest(.get, path: ["rd"]))?.code == .methodNotAllowed)
        #expect(bench.answer(CoAPRequest(.put, path: ["rd", location]))?.code == .methodNotAllowed)
        #expect(bench.answer(CoAPRequest(.post, path: ["rd", location, "x"]))?.code == .notFound)
        #expect(bench.answer(CoAPRequest(.post, path: []))?.code == .notFound)
        var broken = CoAPRequest(method: .post)
        broken.options.append(.uriPath, [0xFF])
        #expect(bench.answer(broken)?.code == .badRequest)
        broken = CoAPRequest(.post, path: ["rd"])
        broken.options.append(.uriQuery, [0x65, 0x70, 0x3D, 0xC3])
        #expect(bench.answer(broken)?.code == .badRequest)
    }

    @Test func aSessionThatNobodyAnnouncedIsRefused() {
        let bench = Bench()
        #expect(bench.answer(Bench.register(), on: 9)?.code == .serviceUnavailable)
    }

    @Test func survivesDamagedRegistrations() throws {
        let bench = Bench()
        bench.open()
        let payload = Array("</>;rt=\"oma.lwm2m\";ct=\"110 112\",</1/0>,</3303>;ver=1.1".utf8)
        for damaged in Damage.truncations(payload) + Damage.bitFlips(payload) {
            let request = CoAPRequest(.post, path: ["rd"], query: ["ep=dev1"], payload: damaged)
            let code = try #require(bench.answer(request)?.code)
            #expect(code == .created || code == .badRequest)
            #expect(bench.engine.registrationCount <= 1)
        }
    }

    @Test func restoredRegistrationsGetTheirWholeLifetimeAgain() {
        let bench = Bench()
        bench.now = MonotonicTime.zero.advanced(by: .seconds(1000))
        let registration = Registration(
            endpoint: "dev1",
            location: "abc",
            identity: Array("dev1".utf8),
            lifetime: 300
        )
        #expect(bench.tell(.registrationsRestored([registration, registration])).isEmpty)
        #expect(bench.engine.registrationCount == 1)
        #expect(bench.engine.status(of: "dev1")?.isConnected == false)
        _ = bench.wait(.seconds(299))
        bench.open()
        #expect(bench.answer(Bench.update("abc"))?.code == .changed)
        #expect(bench.engine.status(of: "dev1")?.isConnected == true)
        #expect(bench.engine.status(of: "dev1")?.isSecured == true)
        #expect(bench.wait(.seconds(300)).changes == [.removed(endpoint: "dev1")])
    }

    @Test func listsEveryDevicePageByPage() {
        let bench = Bench()
        for index in 0..<25 {
            bench.open(UInt32(index), as: "dev\(index)")
            _ = bench.ask(Bench.register([UTF8Text("ep=dev\(index)")]), on: UInt32(index))
        }
        var names: Set<String> = []
        var cursor: Int? = 0
        var pages = 0
        while let from = cursor {
            let (page, next) = bench.engine.registrations(from: from, limit: 10)
            #expect(page.count <= 10)
            names.formUnion(page.map(\.registration.endpoint.string))
            cursor = next
            pages += 1
        }
        #expect(names.count == 25)
        #expect(pages == 3)
    }

    @Test func takesWhatADeviceSendsByItself() {
        let bench = Bench()
        _ = bench.registered()
        let payload = Array(#"[{"n":"/3303/0/5700","v":21.5}]"#.utf8)
        let request = CoAPRequest(.post, path: ["dp"], contentFormat: .senMLJSON, payload: payload)
        let outputs = bench.ask(request)
        #expect(outputs.codes == [.changed])
        #expect(outputs.contains(.sent(endpoint: "dev1", [ResourceRecord(ObjectPath(3303, 0, 5700), .float(21.5))])))
        bench.open(2, as: "other")
        #expect(bench.answer(request, on: 2)?.code == .notFound)
        let broken = CoAPRequest(.post, path: ["dp"], contentFormat: .senMLJSON, payload: [0x5B])
        #expect(bench.answer(broken)?.code == .badRequest)
    }
}
