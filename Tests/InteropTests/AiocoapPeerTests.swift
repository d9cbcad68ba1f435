import Foundation
import Testing

extension Interop {
    /// aiocoap with tinydtls: another CoAP and another DTLS implementation at once.
    @Suite("aiocoap's programs")
    struct AiocoapPeers {
        @Test(
            "A small fleet registers over DTLS-PSK at aiocoap's resource directory",
            .enabled(if: Program.aiocoapResourceDirectory != nil, "aiocoap is missing; make install brings it"),
            .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
        )
        func fleetAtResourceDirectory() throws {
            let starling = try #require(Program.starling)
            let folder = try TemporaryFolder()
            let devices = 8
            let port = try LoopbackPorts.pair()
            let credentials = (0..<devices).map { index in
                """
                ":\(index)": {"dtls": {"psk": {"hex": "\(SharedKey.hexadecimal)"}, \
                "client-identity": {"ascii": "urn:dev:starling:\(index)"}}}
                """
            }
            let directory = try RunningProgram(
                #require(Program.aiocoapResourceDirectory),
                [
                    "--bind", "127.0.0.1:\(port)", "--lwm2m-compat",
                    "--credentials", folder.write("{\(credentials.joined(separator: ","))}", to: "credentials.json"),
                ],
                environment: ["AIOCOAP_SERVER_TRANSPORT": "udp6:tinydtls_server"],
                limit: 120
            )
            try LoopbackPorts.waitForCoAP(port: port)
            let fleet = try starling.run(
                [
                    "fleet", "run", "--devices", "\(devices)", "--server", "coaps://127.0.0.1:\(port + 1)",
                    "--psk-key", SharedKey.hexadecimal, "--rate", "10/s", "--duration", "5s",
                    "--json", folder.path("report.json"),
                ],
                limit: 100
            )
            #expect(fleet.status == 0, "\(fleet.output)\n\(fleet.errors)\n\(directory.errors)")
            let report = try FleetReportFile(folder.json("report.json"))
            #expect(report.registered == devices)
            #expect(report.failed == 0)
            directory.end()
        }

        @Test(
            "aiocoap's client registers at starling server over DTLS-PSK and is listed",
            .enabled(if: Program.aiocoapClient != nil, "aiocoap is missing; make install brings it"),
            .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
        )
        func clientAtServer() throws {
            let server = try DevelopmentServer(#require(Program.starling))
            let folder = try TemporaryFolder()
            let credentials = """
                {"\(server.secureURI)/*": {"dtls": {"psk": {"hex": "\(SharedKey.hexadecimal)"}, \
                "client-identity": {"ascii": "aiocoap-device"}}}}
                """
            let client = try #require(Program.aiocoapClient).run(
                [
                    "--credentials", folder.write(credentials, to: "credentials.json"), "-m", "POST",
                    "--content-format", "application/link-format", "--payload", "</1/0>,</3/0>",
                    "\(server.secureURI)/rd?ep=aiocoap-device&lt=300&lwm2m=1.1&b=U",
                ],
                limit: 30
            )
            #expect(client.status == 0, "\(client.output)\(client.errors)")
            let list = try server.control("list", "--json")
            #expect(list.status == 0, "\(list.errors)")
            #expect(list.output.contains("aiocoap-device"))
        }

        @Test(
            "aiocoap's client registers at starling server over plain CoAP and is listed",
            .enabled(if: Program.aiocoapClient != nil, "aiocoap is missing; make install brings it"),
            .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
        )
        func plainClientAtServer() throws {
            let server = try DevelopmentServer(#require(Program.starling))
            let client = try #require(Program.aiocoapClient).run(
                [
                    "-m", "POST", "--content-format", "application/link-format", "--payload", "</1/0>,</3/0>",
                    "\(server.plainURI)/rd?ep=aiocoap-plain-device&lt=300&lwm2m=1.1&b=U",
                ],
                limit: 30
            )
            #expect(client.status == 0, "\(client.output)\(client.errors)")
            let list = try server.control("list", "--json")
            #expect(list.output.contains("aiocoap-plain-device"))
        }
    }
}
