import CoAPMessages
import LwM2MCodecs
import LwM2MModel
import ManagementEngine
import Primitives
import Testing

@Suite("Core 1.2.2, clause 6.3: device management") struct CommandTests {
    private static let sensor = ObjectPath(3303, 0, 5700)
    private static let attributes: NotificationAttributes = {
        var attributes = NotificationAttributes()
        attributes.minimumPeriod = 5
        attributes.greaterThan = 25.5
        return attributes
    }()

    private static let written = ResourceRecord(ObjectPath(1, 0, 1), .integer(60))

    private static let requests: [(DeviceOperation, CoAPCode, String, query: [UTF8Text], format: ContentFormat?)] = [
        (.read(ObjectPath(3)), .get, "/3", [], nil),
        (.read(ObjectPath(3, 0, 9), accept: .cbor), .get, "/3/0/9", [], nil),
        (.discover(ObjectPath(3303)), .get, "/3303", [], nil),
        (.observe(sensor), .get, "/3303/0/5700", [], nil),
        (.replace(ObjectPath(1, 0, 1), [written]), .put, "/1/0/1", [], .text),
        (.replace(ObjectPath(1, 0), [written]), .put, "/1/0", [], .tlv),
        (.update(ObjectPath(1, 0), [written]), .post, "/1/0", [], .tlv),
        (.update(ObjectPath(1, 0), [written], format: .senMLCBOR), .post, "/1/0", [], .senMLCBOR),
        (.execute(ObjectPath(3, 0, 4)), .post, "/3/0/4", [], nil),
        (.execute(ObjectPath(3, 0, 4), arguments: [0x30]), .post, "/3/0/4", [], .text),
        (.create(object: 3303, instance: 4, []), .post, "/3303", [], .tlv),
        (.delete(ObjectPath(3303, 4)), .delete, "/3303/4", [], nil),
        (.writeAttributes(sensor, attributes), .put, "/3303/0/5700", ["pmin=5", "gt=25.5"], nil),
    ]

    @Test(arguments: requests)
    func sendsTheRequestOfTheOperation(
        _ operation: DeviceOperation,
        _ method: CoAPCode,
        _ path: String,
        query: [UTF8Text],
        format: ContentFormat?
    ) throws {
        let bench = Bench()
        _ = bench.registered()
        let (_, request) = try #require(bench.sent(operation))
        #expect(request.method == method)
        #expect(try ObjectPath(segments: request.path ?? []).text == path)
        #expect(request.query == query)
        #expect(request.options.contentFormat == format)
        if case .observe = operation { #expect(request.options.observe == 0) }
        if case .discover = operation { #expect(request.options.accept == .linkFormat) }
    }

    @Test func objectsBelowAnotherRootAreFoundThere() throws {
        let bench = Bench()
        bench.open()
        _ = bench.ask(Bench.register(objects: #"</lwm2m>;rt="oma.lwm2m";ct=112,</lwm2m/3/0>"#))
        let (_, request) = try #require(bench.sent(.replace(ObjectPath(1, 0), [Self.written])))
        #expect(request.path == ["lwm2m", "1", "0"])
        #expect(request.options.contentFormat == .senMLCBOR)
    }

    private static let unsuitable: [DeviceOperation] = [
        .read(.root), .execute(ObjectPath(3, 0)), .delete(ObjectPath(3)), .replace(ObjectPath(3), []),
        .update(ObjectPath(3), []), .writeAttributes(ObjectPath(3), NotificationAttributes()),
        .create(object: 3303, instance: 1, [ResourceRecord(ObjectPath(3303, 2, 5700), .float(1))]),
    ]

    @Test(arguments: unsuitable) func whatNoDeviceCouldMakeSenseOfIsNotSent(_ operation: DeviceOperation) {
        let bench = Bench()
        _ = bench.registered()
        let outputs = bench.command(operation)
        #expect(outputs.requests.isEmpty)
        guard case .failed(.invalidPath)? = outputs.results.first else {
            Issue.record("\(outputs)")
            return
        }
    }

    @Test func valuesThatTheFormatCannotCarryAreNotSent() {
        let bench = Bench()
        _ = bench.registered()
        let two = [Self.written, ResourceRecord(ObjectPath(1, 0, 2), .integer(1))]
        let outputs = bench.command(.replace(ObjectPath(1, 0), two, format: .text))
        #expect(outputs.results == [.failed(.encoding(.needsOneValue(count: 2)))])
    }

    @Test func oneCommandIsOnItsWayAtATime() throws {
        let bench = Bench()
        _ = bench.registered()
        let first = bench.command(.read(ObjectPath(3, 0, 9)))
        #expect(first.requests.count == 1)
        #expect(bench.command(.read(Self.sensor)).requests.isEmpty)
        #expect(bench.command(.execute(ObjectPath(3, 0, 4))).requests.isEmpty)

        var outputs = bench.tell(.responseReceived(first.requestIDs[0], content("77")))
        let battery = ResourceRecord(ObjectPath(3, 0, 9), .integer(77))
        #expect(outputs.results == [.answered(.content, .values([battery]))])
        #expect(outputs.requests.map(\.method) == [.get])

        outputs = bench.tell(.requestFailed(outputs.requestIDs[0], .timedOut))
        #expect(outputs.results == [.failed(.unreachable(.timedOut))])
        #expect(outputs.requests.map(\.method) == [.post])

        outputs = bench.tell(.responseReceived(outputs.requestIDs[0], CoAPResponse(.changed)))
        #expect(outputs.results == [.answered(.changed, .empty)])
        #expect(bench.engine.counters.commandsAnswered == 2)
        #expect(bench.engine.counters.commandsFailed == 1)
    }

    @Test func anAnswerCountsOnce() {
        let bench = Bench()
        _ = bench.registered()
        let id = bench.command(.read(ObjectPath(3, 0, 9))).requestIDs[0]
        #expect(bench.tell(.responseReceived(id, content("77"))).results.count == 1)
        #expect(bench.tell(.responseReceived(id, content("78"))).isEmpty)
        #expect(bench.tell(.requestFailed(id, .timedOut)).isEmpty)
        #expect(bench.tell(.responseReceived(RequestID(rawValue: 4711), content("1"))).isEmpty)
    }

    private static let answers: [(DeviceOperation, CoAPResponse, CommandResult)] = [
        (.read(sensor), CoAPResponse(.notFound), .answered(.notFound, .empty)),
        (
            .read(sensor), content("21.5"),
            .answered(.content, .values([ResourceRecord(sensor, .float(21.5))]))
        ),
        (
            .read(sensor), content("warm"),
            .answered(.content, .unreadable(.text, Array("warm".utf8)))
        ),
        (
            .read(ObjectPath(3, 0)), CoAPResponse(.content, contentFormat: .tlv, payload: [0xC1, 0x09]),
            .answered(.content, .unreadable(.tlv, [0xC1, 0x09]))
        ),
        (
            .discover(ObjectPath(3303)),
            CoAPResponse(.content, contentFormat: .linkFormat, payload: Array("</3303>,</3303/0>".utf8)),
            .answered(
                .content,
                .paths([DiscoveredPath(ObjectPath(3303)), DiscoveredPath(ObjectPath(3303, 0))])
            )
        ),
        (
            .create(object: 3303, instance: 4, []), CoAPResponse(.created),
            .answered(.created, .created(ObjectPath(3303, 4)))
        ),
        (.create(object: 3303, instance: 4, []), CoAPResponse(.badRequest), .answered(.badRequest, .empty)),
        (.observe(sensor), content("1"), .failed(.observationRefused)),
    ]

    @Test(arguments: answers)
    func readsAnswers(_ operation: DeviceOperation, _ response: CoAPResponse, _ result: CommandResult) throws {
        let bench = Bench()
        _ = bench.registered()
        let (id, _) = try #require(bench.sent(operation))
        #expect(bench.tell(.responseReceived(id, response)).results == [result])
    }

    @Test func theInstanceThatADeviceChoseIsRead() throws {
        let bench = Bench()
        _ = bench.registered()
        let record = ResourceRecord(ObjectPath(3303, 0, 5700), .float(1))
        let (id, request) = try #require(bench.sent(.create(object: 3303, instance: nil, [record])))
        #expect(try Payload.decode(request.payload, as: .tlv, at: ObjectPath(3303, 0), registry: .standard) == [record])
        var response = CoAPResponse(.created)
        response.options.append(.locationPath, Array("3303".utf8))
        response.options.append(.locationPath, Array("9".utf8))
        let result = CommandResult.answered(.created, .created(ObjectPath(3303, 9)))
        #expect(bench.tell(.responseReceived(id, response)).results == [result])
    }

    @Test func aDeviceThatIsNotRegisteredGetsNoCommand() {
        let bench = Bench()
        #expect(bench.command(.read(ObjectPath(3, 0))).results == [.failed(.notRegistered)])
    }

    @Test func aCommandEndsInTime() {
        let bench = Bench()
        _ = bench.registered()
        let id = bench.command(.read(ObjectPath(3, 0))).requestIDs[0]
        _ = bench.command(.execute(ObjectPath(3, 0, 4)))
        #expect(bench.wait(.seconds(119)).isEmpty)
        #expect(bench.wait(.seconds(1)).results.count == 2)
        #expect(bench.tell(.responseReceived(id, content("77"))).isEmpty)
        #expect(bench.command(.read(ObjectPath(3, 0))).requests.count == 1)
    }

    @Test func theEndOfARegistrationEndsItsCommands() {
        let bench = Bench()
        let location = bench.registered()
        _ = bench.command(.read(ObjectPath(3, 0)))
        _ = bench.command(.read(ObjectPath(3, 0)))
        let outputs = bench.ask(CoAPRequest(.delete, path: ["rd", location]))
        #expect(outputs.results == [.failed(.registrationEnded), .failed(.registrationEnded)])
    }

    @Test func commandsThatWaitFollowADeviceThatRegistersAgain() {
        let bench = Bench()
        _ = bench.registered()
        _ = bench.command(.read(ObjectPath(3, 0)))
        _ = bench.command(.execute(ObjectPath(3, 0, 4)))
        let outputs = bench.ask(Bench.register())
        #expect(outputs.results == [.failed(.registrationEnded)])
        #expect(outputs.requests.map(\.method) == [.post])
    }

    @Test func aCommandWaitsForTheSession() {
        let bench = Bench()
        let location = bench.registered()
        _ = bench.tell(.sessionClosed(SessionID(rawValue: 1)))
        #expect(bench.command(.read(ObjectPath(3, 0))).isEmpty)
        bench.open(2)
        let outputs = bench.ask(Bench.update(location), on: 2)
        #expect(outputs.codes == [.changed])
        // The answer to Update goes first.
        guard case .sendRequest? = outputs.last else {
            Issue.record("\(outputs)")
            return
        }
    }

    @Test("Core 1.2.2, clause 6.5: a sleeping device gets commands for 93 s after it spoke")
    func queueModeWaitsForTheDevice() {
        let bench = Bench()
        let location = bench.registered(["ep=dev1", "lt=3600", "lwm2m=1.1", "b=U", "Q"])
        _ = bench.wait(.seconds(94))
        #expect(bench.command(.read(ObjectPath(3, 0))).isEmpty)
        _ = bench.wait(.seconds(1000))
        #expect(bench.ask(Bench.update(location)).requests.count == 1)
    }
}
