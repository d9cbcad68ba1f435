import CoAPMessages
import CoAPTransport
import Primitives
import Testing

extension TransportTests {
    @Suite(.serialized) struct HandshakeTests {
        private func security(identity: [UInt8] = Loopback.identity, key: UInt8 = 7) -> SessionSecurity {
            .preSharedKey(
                PreSharedKey(identity: identity, key: SecretBytes([UInt8](repeating: key, count: 16))),
                serverName: nil
            )
        }

        @Test func refusesAWrongKey() throws {
            var quick = Loopback.quick
            quick.handshakeTimeout = .milliseconds(400)
            let link = try Loopback(client: quick, server: quick)
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            let session = try link.client.openSession(to: address, security: self.security(key: 8), from: nil, tag: 5)
            #expect(try link.closure(of: session) == .handshakeRefused)
            try link.drive("the server gives up as well") { link.server.counters.wrongKeys > 0 }
            #expect(link.acceptedSession == nil)
            #expect(!link.isConnected(session))
        }

        @Test func refusesAnUnknownIdentity() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            let stranger = self.security(identity: Array("stranger".utf8))
            let session = try link.client.openSession(to: address, security: stranger, from: nil, tag: 5)
            #expect(try link.closure(of: session) == .handshakeRefused)
            #expect(link.server.counters.unknownIdentities == 1)
            #expect(link.acceptedSession == nil)
        }

        @Test(arguments: CipherSuite.allCases, CipherSuite.allCases)
        func agreesOnlyOnACommonSuite(_ client: CipherSuite, _ server: CipherSuite) throws {
            var clientSide = Loopback.quick
            clientSide.cipherSuites = [client]
            var serverSide = Loopback.quick
            serverSide.cipherSuites = [server]
            let link = try Loopback(client: clientSide, server: serverSide)
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            if client == server {
                _ = try link.connect(to: address, security: Loopback.preSharedKey)
            } else {
                let session = try link.client.openSession(
                    to: address,
                    security: Loopback.preSharedKey,
                    from: nil,
                    tag: 5
                )
                #expect(try link.closure(of: session) == .handshakeRefused)
            }
        }

        @Test("RFC 6066, section 3: the server learns the host that the peer named", arguments: ["BS1.example", nil])
        func tellsTheServerName(_ name: String?) throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            let key = PreSharedKey(identity: Loopback.identity, key: Loopback.key)
            let security = SessionSecurity.preSharedKey(key, serverName: name.map { UTF8Text($0) })
            let session = try link.connect(to: address, security: security)
            try link.drive("the server accepts") { link.acceptedSession != nil }
            let accepted = try #require(link.acceptedSession)
            #expect(link.server.serverName(of: accepted) == name.map { UTF8Text($0.lowercased()) })
            link.client.closeSession(session)
            link.server.closeSession(accepted)
            #expect(link.server.serverName(of: accepted) == nil)
        }

        @Test func givesUpOnSilence() throws {
            var quick = Loopback.quick
            quick.handshakeTimeout = .milliseconds(300)
            let link = try Loopback(client: quick)
            let silent = try RawPeer()
            let session = try link.client.openSession(
                to: silent.address,
                security: Loopback.preSharedKey,
                from: nil,
                tag: 5
            )
            #expect(try link.closure(of: session) == .unreachable)
        }

        @Test func noticesThatNobodyListens() throws {
            let link = try Loopback()
            let address: SocketAddress
            do { address = try RawPeer().address }
            let session = try link.client.openSession(to: address, security: Loopback.preSharedKey, from: nil, tag: 5)
            #expect(try link.closure(of: session) == .unreachable)
        }

        @Test func freesTheSourcePortWhenASessionCloses() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            let source = try RawPeer().address
            for round in 1...3 {
                let session = try link.client.openSession(
                    to: address,
                    security: Loopback.preSharedKey,
                    from: source,
                    tag: UInt64(round)
                )
                try link.drive("the handshake succeeds in round \(round)") { link.isConnected(session) }
                link.client.closeSession(session)
                try link.drive("the server learns of the end in round \(round)") {
                    link.serverEvents.count { if case .sessionClosed = $0 { true } else { false } } == round
                }
            }
        }

        @Test func namesTheServer() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            let key = PreSharedKey(identity: Loopback.identity, key: Loopback.key)
            _ = try link.connect(to: address, security: .preSharedKey(key, serverName: "server.example"))
        }

        @Test func refusesKeysThatCannotBe() throws {
            let link = try Loopback()
            let peer = SocketAddress(ipv4: (127, 0, 0, 1), port: 9)
            for (identity, key) in [(0, 16), (256, 16), (1, 0), (1, 65)] {
                let material = PreSharedKey(
                    identity: [UInt8](repeating: 1, count: identity),
                    key: SecretBytes([UInt8](repeating: 1, count: key))
                )
                #expect(throws: TransportError.invalidKey) {
                    try link.client.openSession(
                        to: peer,
                        security: .preSharedKey(material, serverName: nil),
                        from: nil,
                        tag: 0
                    )
                }
            }
        }

        @Test func serverCanCloseASession() throws {
            let link = try Loopback()
            let address = try link.server.listen(on: link.ipv4, security: Loopback.accepting())
            let session = try link.connect(to: address, security: Loopback.preSharedKey)
            link.server.closeSession(try #require(link.acceptedSession))
            #expect(try link.closure(of: session) == .closed)
            #expect(throws: TransportError.sessionUnknown) {
                try link.client.send(CoAPRequest(.get, path: ["x"]), on: session, tag: 1)
            }
        }
    }
}
