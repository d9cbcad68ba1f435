import CoAPMessages
import LoopbackPeers
import LwM2MModel
import ManagementEngine
import ManagementService
import Primitives
import Testing

/// What a service offers to the one that is made of it.
@Suite(.serialized) struct OwnerTests {
    private func update(_ location: UTF8Text) -> CoAPRequest { CoAPRequest(.post, path: ["rd", location]) }

    @Test func anOwnerIsToldWhatBecomesOfRegistrations() throws {
        let bench = try ServiceBench()
        var reports: [ManagementReport] = []
        bench.service.onReport = { reports.append($0) }
        let session = try bench.connected()
        let location = try bench.register(on: session)
        _ = try bench.ask(self.update(location), on: session)
        _ = try bench.ask(CoAPRequest(.delete, path: ["rd", location]), on: session)
        let short = CoAPRequest(.post, path: ["rd"], query: ["ep=dev1", "lt=1", "lwm2m=1.1"])
        _ = try bench.ask(short, on: session)
        try bench.drive("the registration expires") { reports.last == .expired(endpoint: "dev1") }
        #expect(
            reports == [
                .registered(endpoint: "dev1"), .updated(endpoint: "dev1"), .deregistered(endpoint: "dev1"),
                .registered(endpoint: "dev1"), .expired(endpoint: "dev1"),
            ]
        )
    }

    @Test func aNewAssociationIsToldApartFromAPlainUpdate() throws {
        let bench = try ServiceBench()
        var sessions: [SessionID?] = []
        bench.service.onReport = { [unowned bench] _ in
            sessions.append(bench.service.status(of: "dev1")?.session)
        }
        let first = try bench.connected()
        let location = try bench.register(on: first)
        _ = try bench.ask(self.update(location), on: first)
        _ = try bench.register(on: first)
        let second = try bench.connected()
        let again = try bench.register(on: second)
        _ = try bench.ask(self.update(again), on: try bench.connected())
        try #require(sessions.count == 5 && !sessions.contains(nil))
        #expect(sessions[0] == sessions[1] && sessions[1] == sessions[2])
        #expect(Set(sessions).count == 3)
    }

    @Test(arguments: ["dev1", nil]) func aSecuredDeviceIsToldApart(_ identity: String?) throws {
        let bench = try ServiceBench()
        _ = try bench.register(on: try bench.connected(as: identity))
        #expect(bench.service.status(of: "dev1")?.isSecured == (identity != nil))
    }

    @Test func anOperationGivenByCodeReachesTheDevice() throws {
        let bench = try ServiceBench()
        _ = try bench.register(on: try bench.connected())
        bench.device.answer = { request in
            request.method == .get
                ? CoAPResponse(.content, contentFormat: .opaque, payload: [7]) : CoAPResponse(.conflict)
        }
        var results: [CommandResult] = []
        let path = ObjectPath(33_000, 0, 1)
        bench.service.perform(.replace(path, [ResourceRecord(path, .opaque([1]))]), at: "dev1") { results.append($0) }
        bench.service.perform(.read(path, accept: .opaque), at: "dev1") { results.append($0) }
        try bench.drive("both results") { results.count == 2 }
        let value = ResourceRecord(path, .opaque([7]))
        #expect(results == [.answered(.conflict, .empty), .answered(.content, .values([value]))])
    }

    @Test func anOperationWaitsBehindThoseOfTheControlSocket() throws {
        let bench = try ServiceBench()
        _ = try bench.register(on: try bench.connected())
        var methods: [CoAPCode] = []
        bench.device.answer = { request in
            methods.append(request.method)
            return CoAPResponse(.changed)
        }
        let client = try bench.control()
        var isDone = false
        try bench.send(ControlRequest(id: 1, verb: .execute, endpoint: "dev1", path: "/3/0/4"), client)
        // Only the service goes on, so that its request is without an answer.
        let limit = bench.service.loop.now.advanced(by: .seconds(10))
        while bench.service.status(of: "dev1")?.pendingCommands == 0, bench.service.loop.now < limit {
            bench.service.turn(until: limit)
        }
        bench.service.perform(.delete(ObjectPath(3303, 0)), at: "dev1") { _ in isDone = true }
        #expect(bench.service.status(of: "dev1")?.pendingCommands == 2)
        try bench.drive("the result") { isDone }
        #expect(bench.service.status(of: "dev1")?.pendingCommands == 0)
        #expect(methods == [.post, .delete])
        #expect(try bench.reply(client).code == "2.04")
    }

    @Test func anOperationAtNobodyFailsAtOnce() throws {
        let bench = try ServiceBench()
        var result: CommandResult?
        bench.service.perform(.read(ObjectPath(3, 0)), at: "nobody") { result = $0 }
        #expect(result == .failed(.notRegistered))
    }

    @Test func anOwnerMayAskADeviceAsSoonAsItIsReported() throws {
        let bench = try ServiceBench()
        var results: [CommandResult] = []
        bench.service.onReport = { [unowned bench] report in
            guard case .registered(let endpoint) = report else { return }
            bench.service.perform(.execute(ObjectPath(3, 0, 8)), at: endpoint) { result in
                results.append(result)
                // The next one may follow from the result of this one.
                bench.service.perform(.delete(ObjectPath(3303, 0)), at: endpoint) { results.append($0) }
            }
        }
        _ = try bench.register(on: try bench.connected())
        try bench.drive("both results") { results.count == 2 }
        #expect(results == [.answered(.changed, .empty), .answered(.changed, .empty)])
    }

    @Test func theOwnersDeadlineEndsTheWait() throws {
        let bench = try ServiceBench()
        let service = bench.service
        let limit = service.loop.now.advanced(by: .seconds(60))
        var due: MonotonicTime? = service.loop.now.advanced(by: .milliseconds(5))
        service.onTurn = { now in
            if let time = due, time <= now { due = nil }
            return due
        }
        while due != nil, service.loop.now < limit { service.turn(until: limit) }
        #expect(service.loop.now < limit)
    }

    @Test func whatIsDueIsDoneInTheTurn() throws {
        let bench = try ServiceBench()
        _ = try bench.register(on: try bench.connected())
        var result: CommandResult?
        var isDue = true
        bench.service.onTurn = { [unowned bench] _ in
            guard isDue else { return nil }
            isDue = false
            bench.service.perform(.execute(ObjectPath(3, 0, 4)), at: "dev1") { result = $0 }
            return nil
        }
        try bench.drive("the result") { result != nil }
        #expect(result == .answered(.changed, .empty))
    }

    @Test func anOwnerAnswersRequestsOfItsOwn() throws {
        let bench = try ServiceBench()
        var accepted = 0
        bench.service.onEvent = { event in
            switch event {
            case .sessionAccepted: accepted += 1
            case .requestReceived(_, _, let request) where request.path == ["own"]: return CoAPResponse(.valid)
            default: break
            }
            return nil
        }
        let session = try bench.connected()
        #expect(try bench.ask(CoAPRequest(.get, path: ["own"]), on: session).code == .valid)
        #expect(try bench.ask(CoAPRequest(.get, path: ["other"]), on: session).code == .notFound)
        #expect(accepted == 1)
    }

    @Test func theOwnersCountersStandBesideTheOthers() throws {
        let bench = try ServiceBench()
        bench.service.ownStatistics = { ["commandsDone": 5] }
        let stats = try bench.ask(ControlRequest(id: 1, verb: .stats), try bench.control()).stats
        #expect(stats?["commandsDone"] == 5)
        #expect(stats?["registrations"] == 0)
    }
}
