import Foundation
import Testing

extension Interop {
    /// The programs of libcoap's own package, which share no code of ours above the CoAP layer.
    @Suite("libcoap's programs")
    struct LibcoapPeers {
        @Test(
            "2,000 devices register over DTLS-PSK at libcoap's resource directory",
            .enabled(if: Program.coapResourceDirectory != nil, "coap-rd-openssl is missing; make install brings it"),
            .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
        )
        func fleetAtResourceDirectory() throws {
            let starling = try #require(Program.starling)
            let port = try LoopbackPorts.pair()
            let directory = try RunningProgram(
                #require(Program.coapResourceDirectory),
                ["-A", "127.0.0.1", "-p", "\(port)", "-h", "hint", "-k", SharedKey.text],
                limit: 180
            )
            try LoopbackPorts.waitForCoAP(port: port)
            let folder = try TemporaryFolder()
            let fleet = try starling.run(
                [
                    "fleet", "run", "--devices", "2000", "--server", "coaps://127.0.0.1:\(port + 1)",
                    "--psk-key", SharedKey.hexadecimal, "--rate", "400/s", "--duration", "10s",
                    "--json", folder.path("report.json"),
                ],
                limit: 150
            )
            #expect(fleet.status == 0, "\(fleet.output)\n\(fleet.errors)")
            let report = try FleetReportFile(folder.json("report.json"))
            #expect(report.registered == 2000)
            #expect(report.failed == 0)
            directory.end()
        }

        @Test(
            "coap-client registers at starling server over DTLS-PSK and is listed",
            .enabled(if: Program.coapClient != nil, "coap-client-openssl is missing; make install brings it"),
            .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
        )
        func clientAtServer() throws {
            let server = try DevelopmentServer(#require(Program.starling))
            let client = try #require(Program.coapClient).run(
                [
                    "-m", "post", "-u", "libcoap-device", "-k", SharedKey.text, "-t", "40", "-e", "</1/0>,</3/0>",
                    "\(server.secureURI)/rd?ep=libcoap-device&lt=300&lwm2m=1.1&b=U", "-v", "6", "-B", "20",
                ]
            )
            #expect(client.status == 0)
            #expect((client.output + client.errors).contains("c:2.01"), "\(client.output)\(client.errors)")
            let list = try server.control("list", "--json")
            #expect(list.status == 0, "\(list.errors)")
            #expect(list.output.contains("libcoap-device"))
        }

        @Test(
            "coap-client with a wrong key is refused and not listed",
            .enabled(if: Program.coapClient != nil, "coap-client-openssl is missing; make install brings it"),
            .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
        )
        func wrongKey() throws {
            let server = try DevelopmentServer(#require(Program.starling))
            let client = try #require(Program.coapClient).run(
                [
                    "-m", "post", "-u", "libcoap-device", "-k", "not-the-same-key", "-t", "40", "-e", "</3/0>",
                    "\(server.secureURI)/rd?ep=libcoap-device&lt=300&lwm2m=1.1&b=U", "-v", "6", "-B", "3",
                ]
            )
            #expect(!(client.output + client.errors).contains("c:2.01"))
            let list = try server.control("list", "--json")
            #expect(list.status == 0, "\(list.errors)")
            #expect(!list.output.contains("libcoap-device"))
        }
    }
}
