import Primitives
import Testing

extension Interop {
    /// What comes to a server's port from anybody.
    @Suite(
        "Hostile datagrams",
        .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
    )
    struct HostileDatagrams {
        @Test("RFC 7252 §3: datagrams that are not CoAP change nothing for a device that registers next")
        func nonsense() throws {
            let server = try DevelopmentServer(#require(Program.starling))
            let peer = try RawCoAP(server.plainURI)
            for datagram in Self.malformed { peer.send(datagram) }
            var generator = SeededGenerator(seed: 20)
            for length in 0..<400 {
                peer.send((0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) })
            }
            #expect(try RawCoAP(server.plainURI).register("after-nonsense") == 0x41)
            #expect(try server.control("list", "--json").output.contains("after-nonsense"))
        }

        @Test("RFC 7252 §5.4.1: an unknown critical option is answered with 4.02")
        func unknownCriticalOption() throws {
            let server = try DevelopmentServer(#require(Program.starling))
            let peer = try RawCoAP(server.plainURI)
            #expect(peer.register("critical", more: [(65_001, [1])]) == 0x82)
            #expect(peer.register("elective", more: [(65_000, [1])]) == 0x41)
            let list = try server.control("list", "--json").output
            #expect(!list.contains("critical"))
            #expect(list.contains("elective"))
        }

        @Test("Core 1.1.1 §6.2.1: a registration without an endpoint name is a bad request")
        func noEndpoint() throws {
            let server = try DevelopmentServer(#require(Program.starling))
            let peer = try RawCoAP(server.plainURI)
            let code = peer.exchange(
                code: 0x02,
                options: [(11, Array("rd".utf8)), (12, [40]), (15, Array("lt=300".utf8))],
                payload: Array("</1/0>".utf8)
            )
            #expect(code == 0x80)
        }

        @Test(
            "A registration whose objects cannot be read is a bad request",
            arguments: ["<", "</1/0", "\u{0}", "</x/y>,,"]
        )
        func badLinks(_ links: String) throws {
            let server = try DevelopmentServer(#require(Program.starling))
            let peer = try RawCoAP(server.plainURI)
            let queries = ["ep=bad-links", "lt=300", "lwm2m=1.1", "b=U"]
            let code = peer.exchange(
                code: 0x02,
                options: [(11, Array("rd".utf8)), (12, [40])] + queries.map { (15, Array($0.utf8)) },
                payload: Array(links.utf8)
            )
            #expect(code == 0x80)
            #expect(try !server.control("list", "--json").output.contains("bad-links"))
        }

        /// One datagram for each way in which a message can be malformed.
        private static let malformed: [[UInt8]] = [
            [],
            [0x40],
            [0x40, 0x01, 0x00],
            [0x00, 0x01, 0x00, 0x01],  // version 0
            [0xC0, 0x01, 0x00, 0x01],  // version 3
            [0x49, 0x01, 0x00, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 9],  // a token of 9 bytes
            [0x48, 0x01, 0x00, 0x02, 1, 2],  // a token that is cut off
            [0x40, 0x01, 0x00, 0x03, 0xF1, 0x00],  // an option delta of 15
            [0x40, 0x01, 0x00, 0x04, 0x1F, 0x00],  // an option length of 15
            [0x40, 0x01, 0x00, 0x05, 0xBA, 0x72],  // an option that is cut off
            [0x40, 0x01, 0x00, 0x06, 0xE0],  // an extended delta that is cut off
            [0x40, 0x01, 0x00, 0x07, 0xE1, 0xFF, 0xFF, 0x00],  // an option number beyond 65,535
            [0x40, 0x01, 0x00, 0x08, 0xB2, 0x72, 0x64, 0xFF],  // a payload marker without a payload
            [0x40, 0x00, 0x00, 0x09, 0xFF, 0x00],  // an empty message that is not empty
            [0x40, 0xFF, 0x00, 0x0A],  // a reserved code
            [0x60, 0x45, 0x00, 0x0B],  // an acknowledgement of nothing
            [0x70, 0x00, 0x00, 0x0C],  // a reset of nothing
            [0x16, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],  // a DTLS record on the plain port
        ]
    }
}
