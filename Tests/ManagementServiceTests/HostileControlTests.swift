import CoAPMessages
import Foundation
import ManagementService
import Primitives
import ServiceSupport
import Testing

/// Clients of the control socket that ask for too much.
@Suite(.serialized) struct HostileControlTests {
    @Test(arguments: ["[", #"{"id":"#, "\"\\u"])
    func linesWithoutEndOfNestingAreAnswered(_ piece: String) throws {
        let bench = try ServiceBench()
        let client = try bench.control()
        #expect(client.send(Array(String(repeating: piece, count: 60_000 / piece.utf8.count).utf8)))
        let reply = try bench.reply(client)
        #expect(reply.kind == .error)
        #expect(reply.cause == "bad-request")
        // The client and the server go on.
        #expect(try bench.ask(ControlRequest(id: 2, verb: .stats), client).kind == .stats)
    }

    @Test func watchersOfOnePathAreBounded() throws {
        let bench = try ServiceBench()
        let session = try bench.connected(as: nil)
        _ = try bench.register(on: session)
        bench.device.answer = { request in
            var response = CoAPResponse(.content, payload: Array("1".utf8))
            response.options.append(.contentFormat, unsigned: 0)
            if request.options.observe == 0 { response.options.append(.observe, unsigned: 1) }
            return response
        }
        let client = try bench.control()
        var kinds: [ControlReply.Kind] = []
        for id in 1...66 as ClosedRange<UInt64> {
            let request = ControlRequest(id: id, verb: .observe, endpoint: "dev1", path: "/3303/0/5700")
            kinds.append(try bench.ask(request, client).kind)
        }
        #expect(kinds == Array(repeating: .result, count: 64) + [.error, .error])
    }
}
