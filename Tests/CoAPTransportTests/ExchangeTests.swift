import CoAPMessages
import CoAPTransport
import Primitives
import Testing

extension TransportTests {
    @Suite(.serialized) struct ExchangeTests {
        enum Family: CaseIterable { case ipv4, ipv6 }

        @Test(arguments: Family.allCases, [false, true])
        func exchangesOneRequest(_ family: Family, isSecured: Bool) throws {
            let link = try Loopback()
            link.answer = { request in
                var response = CoAPResponse(.created, payload: Array("hello".utf8))
                response.options.append(.locationPath, Array("rd".utf8))
                return request.method == .post ? response : nil
            }
            let address = try link.server.listen(
                on: family == .ipv4 ? link.ipv4 : link.ipv6,
                security: isSecured ? Loopback.accepting() : .none
            )
            let session = try link.connect(to: address, security: isSecured ? Loopback.preSharedKey : .none, tag: 42)
            let request = CoAPRequest(.post, path: ["rd"], query: ["ep=a"], payload: [1, 2, 3])
            try link.client.send(request, on: session, tag: 7)

            let response = try link.answer(to: 7)
            #expect(response.code == .created)
            #expect(response.payload == Array("hello".utf8))
            #expect(response.options.texts(.locationPath) == ["rd"])
            #expect(link.serverRequests == [request])
            let identities = link.serverEvents.compactMap { event -> [UInt8]?? in
                if case .sessionAccepted(_, _, let identity) = event { .some(identity) } else { nil }
            }
            #expect(identities == [isSecured ? Loopback.identity : nil])
        }
    }
}
