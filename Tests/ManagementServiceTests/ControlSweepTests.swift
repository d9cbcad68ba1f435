import Foundation
import ManagementService
import Testing

@Suite("A sweep over all devices")
struct ControlSweepTests {
    private func page(_ endpoints: [String], cursor: Int? = nil) throws -> ControlReply {
        let devices = endpoints.map {
            """
            {"endpoint": "\($0)", "location": "/rd/1", "lifetime": 300, "heardAgo": 0, "version": "1.1", "binding": "U", \
            "queueMode": false, "secured": true, "connected": true, "objects": ["/3/0"], "observations": [], "pendingCommands": 0}
            """
        }
        let json = "{\"id\": 2, \"kind\": \"page\", \"done\": true, \"devices\": [\(devices.joined(separator: ","))]}"
        var reply = try JSONDecoder().decode(ControlReply.self, from: Data(json.utf8))
        reply.cursor = cursor
        return reply
    }

    private func next(_ sweep: inout ControlSweep) throws -> ControlRequest {
        let request = sweep.nextRequest()
        return try #require(request)
    }

    private func event(_ event: String, _ endpoint: String) -> ControlReply {
        var reply = ControlReply(id: 1, kind: .event, done: false)
        reply.event = event
        reply.endpoint = endpoint
        return reply
    }

    private func result(_ request: ControlRequest, _ code: String) -> ControlReply {
        var reply = ControlReply(id: request.id, kind: .result, done: true)
        reply.code = code
        reply.endpoint = request.endpoint
        return reply
    }

    @Test func asksADeviceOneThingAfterAnother() throws {
        var sweep = ControlSweep(plan: .init(read: "/3/0", write: ("/1/0/1", "60"), observe: "/3303/0/5700"))
        #expect(sweep.nextRequest()?.verb == .events)
        #expect(sweep.nextRequest()?.verb == .list)
        #expect(sweep.nextRequest() == nil)
        try sweep.take(self.page(["a"]))
        let read = try self.next(&sweep)
        #expect(read.verb == .read && read.endpoint == "a" && read.path == "/3/0")
        #expect(sweep.nextRequest() == nil)
        sweep.take(self.result(read, "2.05"))
        let write = try self.next(&sweep)
        #expect(write.verb == .write && write.path == "/1/0/1" && write.values == ["": "60"])
        sweep.take(self.result(write, "2.04"))
        let observe = try self.next(&sweep)
        #expect(!sweep.isIdle)
        sweep.take(self.result(observe, "2.05"))
        #expect(sweep.isIdle && sweep.isFlawless)
        #expect(sweep.counts.read == 1 && sweep.counts.written == 1 && sweep.counts.observed == 1)
    }

    @Test func countsADeviceOnceHoweverOftenItIsFoundOrHeard() throws {
        var sweep = ControlSweep(plan: .init(read: "/3/0"))
        while sweep.nextRequest() != nil {}
        sweep.take(self.event("registered", "a"))
        try sweep.take(self.page(["a"]))
        sweep.take(self.event("registered", "a"))
        #expect(sweep.counts.registered == 1)
        #expect(sweep.nextRequest()?.endpoint == "a")
        #expect(sweep.nextRequest() == nil)
        for _ in 0..<3 { sweep.take(self.event("updated", "a")) }
        for _ in 0..<3 { sweep.take(self.event("deregistered", "a")) }
        #expect(sweep.counts.updated == 1 && sweep.counts.deregistered == 1)
    }

    @Test func readsEveryPageOfTheList() throws {
        var sweep = ControlSweep(plan: .init())
        while sweep.nextRequest() != nil {}
        try sweep.take(self.page(["a"], cursor: 7))
        #expect(!sweep.isIdle)
        #expect(sweep.nextRequest()?.cursor == 7)
        try sweep.take(self.page(["b"]))
        #expect(sweep.isIdle && sweep.counts.registered == 2)
    }

    @Test func asksNoMoreAtOnceThanThePlanSays() throws {
        var plan = ControlSweep.Plan(read: "/3/0")
        plan.requestsInFlight = 2
        var sweep = ControlSweep(plan: plan)
        while sweep.nextRequest() != nil {}
        try sweep.take(self.page(["a", "b", "c"]))
        let requests = [sweep.nextRequest(), sweep.nextRequest()].compactMap { $0 }
        #expect(requests.count == 2)
        #expect(sweep.nextRequest() == nil)
        sweep.take(self.result(requests[0], "2.05"))
        #expect(sweep.nextRequest() != nil)
    }

    @Test func aRefusalIsCountedByItsCauseAndTheNextQuestionFollows() throws {
        var sweep = ControlSweep(plan: .init(read: "/9/0", execute: "/3/0/4"))
        while sweep.nextRequest() != nil {}
        try sweep.take(self.page(["a"]))
        let read = try self.next(&sweep)
        sweep.take(self.result(read, "4.04"))
        let execute = try self.next(&sweep)
        #expect(execute.verb == .execute)
        var silence = ControlReply(id: execute.id, kind: .error, done: true)
        silence.cause = "timed-out"
        sweep.take(silence)
        #expect(sweep.isIdle && !sweep.isFlawless)
        #expect(sweep.counts.failures == ["4.04": 1, "timed-out": 1])
    }

    @Test func linesAboutNothingItAskedChangeNothing() throws {
        var sweep = ControlSweep(plan: .init(read: "/3/0"))
        while sweep.nextRequest() != nil {}
        try sweep.take(self.page([]))
        var stranger = ControlReply(id: 99, kind: .result, done: true)
        stranger.code = "2.05"
        sweep.take(stranger)
        sweep.take(self.event("updated", "nobody"))
        sweep.take(self.event("renamed", "a"))
        sweep.take(ControlReply(id: 1, kind: .event, done: false))
        #expect(sweep.counts == ControlSweep.Counts())
    }
}
