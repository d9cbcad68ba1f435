import LwM2MModel
import ManagementEngine
import ManagementService
import ServiceSupport
import Testing

/// The verbs of the control socket that the owner of a service answers.
@Suite(.serialized) struct OwnVerbTests {
    private static let verbs: [ControlRequest.Verb] = [.command, .commands, .audit]

    @Test(arguments: verbs) func aServiceWithoutAnOwnersAnswerSaysWhoHasOne(_ verb: ControlRequest.Verb) throws {
        let bench = try ServiceBench()
        let reply = try bench.ask(ControlRequest(id: 9, verb: verb, endpoint: "dev1"), try bench.control())
        #expect(reply.id == 9 && reply.kind == .error && reply.done)
        #expect(reply.cause == "not-a-gateway")
        #expect(reply.message?.contains("starling gateway") == true)
    }

    @Test(arguments: verbs) func anAskerIsSentLinesUntilTheLast(_ verb: ControlRequest.Verb) throws {
        let bench = try ServiceBench()
        var askers: [ControlAsker] = []
        bench.service.onOwnRequest = { askers.append($0) }
        let client = try bench.control()
        var request = ControlRequest(id: 3, verb: verb, endpoint: "dev1", path: "/3303/0/5850")
        request.operation = "write"
        request.values = ["": "true"]
        try bench.send(request, client)
        try bench.drive("the request") { !askers.isEmpty }
        let asker = try #require(askers.first)
        #expect(asker.request == request)

        var line = ControlReply(id: 0, kind: .event, done: false)
        line.event = "message-1"
        line.details = ["attempt": .integer(1), "mode": .text("both")]
        asker.send(line)
        asker.send(ControlReply(id: 99, kind: .result, done: true))
        asker.send(line)
        #expect(!asker.isWaiting)
        line.id = 3
        #expect(try bench.reply(client) == line)
        let last = try bench.reply(client)
        #expect(last.id == 3 && last.done)
        // Nothing came behind the last line.
        #expect(try bench.ask(ControlRequest(id: 4, verb: .stats), client).id == 4)
    }

    @Test func anAskerIsRefusedWithACause() throws {
        let bench = try ServiceBench()
        bench.service.onOwnRequest = { $0.refuse(ControlRefusal("not-permitted", "nobody may do that now")) }
        let reply = try bench.ask(ControlRequest(id: 3, verb: .command), try bench.control())
        #expect(reply.id == 3 && reply.kind == .error && reply.done)
        #expect(reply.cause == "not-permitted")
        #expect(reply.message == "nobody may do that now")
    }

    @Test func anAskerIsToldHowAnOperationEnded() throws {
        let bench = try ServiceBench()
        bench.service.onOwnRequest = { [unowned bench] asker in
            bench.service.perform(.read(ObjectPath(3, 0)), at: "nobody") { result in
                var reply = ControlReply(id: asker.request.id, kind: .result, done: true)
                reply.take(result)
                asker.send(reply)
            }
        }
        let reply = try bench.ask(ControlRequest(id: 3, verb: .command), try bench.control())
        #expect(reply.kind == .error && reply.cause == "not-registered")
    }

    @Test func theOwnerIsToldWhoGoesBeforeTheLastLine() throws {
        let bench = try ServiceBench()
        var askers: [ControlAsker] = []
        var gone: [UInt64] = []
        bench.service.onOwnRequest = { asker in
            asker.onGone = { gone.append(asker.request.id) }
            askers.append(asker)
        }
        var client: LineClient? = try bench.control()
        for id in 1...3 as ClosedRange<UInt64> {
            try bench.send(ControlRequest(id: id, verb: .audit), try #require(client))
        }
        let other = try bench.control()
        try bench.send(ControlRequest(id: 4, verb: .audit), other)
        try bench.drive("the requests") { askers.count == 4 }
        askers.first { $0.request.id == 2 }?.send(ControlReply(id: 2, kind: .result, done: true))
        client = nil
        try bench.drive("two are gone") { gone.count == 2 }
        #expect(Set(gone) == [1, 3])
        #expect(askers.filter(\.isWaiting).map(\.request.id) == [4])
        for asker in askers { asker.send(ControlReply(id: 0, kind: .result, done: true)) }
        #expect(try bench.reply(other).id == 4)
    }

    @Test func unansweredRequestsAreBounded() throws {
        let bench = try ServiceBench()
        var askers: [ControlAsker] = []
        bench.service.onOwnRequest = { askers.append($0) }
        let client = try bench.control()
        for id in 1...4096 as ClosedRange<UInt64> {
            try bench.send(ControlRequest(id: id, verb: .command), client)
            if id % 256 == 0 { try bench.drive("requests up to \(id)") { askers.count == Int(id) } }
        }
        let refused = try bench.ask(ControlRequest(id: 5000, verb: .command), client)
        #expect(refused.id == 5000 && refused.cause == "too-many-requests")
        // One answer makes room for one.
        askers.removeFirst().send(ControlReply(id: 0, kind: .result, done: true))
        #expect(try bench.reply(client).id == 1)
        try bench.send(ControlRequest(id: 5001, verb: .command), client)
        try bench.drive("one more") { askers.count == 4096 }
    }

    @Test func anAskerOfAServiceThatIsNoMoreIsSentNothing() throws {
        var asker: ControlAsker?
        do {
            let bench = try ServiceBench()
            bench.service.onOwnRequest = { asker = $0 }
            let client = try bench.control()
            try bench.send(ControlRequest(id: 1, verb: .audit), client)
            try bench.drive("the request") { asker != nil }
        }
        asker?.send(ControlReply(id: 1, kind: .result, done: true))
    }

    // MARK: What a command asks for

    private static let operations: [(String, replaces: Bool?, path: String, DeviceOperation)] = [
        ("write", nil, "/3303/0/5601", .replace(ObjectPath(3303, 0, 5601), [number(5601)])),
        ("write", nil, "/3303/0", .replace(ObjectPath(3303, 0), [number(5601)])),
        ("write", false, "/3303/0", .update(ObjectPath(3303, 0), [number(5601)])),
        ("write", true, "/3303/0", .replace(ObjectPath(3303, 0), [number(5601)])),
        ("update", nil, "/3303/0", .update(ObjectPath(3303, 0), [number(5601)])),
        ("update", true, "/3303/0", .update(ObjectPath(3303, 0), [number(5601)])),
        ("execute", nil, "/3/0/4", .execute(ObjectPath(3, 0, 4), arguments: Array("0".utf8))),
        ("create", nil, "/3303/0", .create(object: 3303, instance: 0, [number(5601)])),
        ("delete", nil, "/3303/0", .delete(ObjectPath(3303, 0))),
    ]

    private static func number(_ resource: UInt16) -> ResourceRecord {
        ResourceRecord(ObjectPath(3303, 0, resource), .float(2.5))
    }

    @Test(arguments: operations)
    func aCommandAsksForWhatItsOperationSays(
        _ operation: String,
        replaces: Bool?,
        path: String,
        expected: DeviceOperation
    ) throws {
        let bench = try ServiceBench()
        var request = ControlRequest(id: 1, verb: .command, endpoint: "dev1", path: path)
        request.operation = operation
        request.replaces = replaces
        request.arguments = "0"
        request.values = [path.hasSuffix("5601") ? "" : "5601": "2.5"]
        request.types = request.values?.mapValues { _ in "float" }
        #expect(try request.deviceOperation(registry: bench.service.objects) == expected)
    }

    @Test(arguments: [nil, "", "read", "WRITE"] as [String?])
    func aCommandWithAnotherOperationMakesNoSense(_ operation: String?) throws {
        let bench = try ServiceBench()
        var request = ControlRequest(id: 1, verb: .command, endpoint: "dev1", path: "/3/0")
        request.operation = operation
        let refusal = #expect(throws: ControlRefusal.self) {
            try request.deviceOperation(registry: bench.service.objects)
        }
        #expect(refusal?.cause == "bad-request")
    }

    @Test func aListOfCommandsAsksNoDevice() throws {
        let bench = try ServiceBench()
        for verb in [ControlRequest.Verb.commands, .audit] {
            let request = ControlRequest(id: 1, verb: verb)
            #expect(try request.deviceOperation(registry: bench.service.objects) == nil)
        }
    }
}
