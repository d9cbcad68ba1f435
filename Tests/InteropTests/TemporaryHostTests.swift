import Foundation
import Testing

extension Interop {
    /// An instance of the bootstrap server, and a client that shares no code of ours above the CoAP layer.
    @Suite(
        "Temporary hosts and libcoap's client",
        .enabled(if: Program.coapClient != nil, "coap-client-openssl is missing; make install brings it"),
        .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
    )
    struct TemporaryHosts {
        private static let names = [
            "--static-uri", "coaps://bs.example.test", "--profile", "period=3600,rounding=floor",
        ]

        /// An instance with a database of devices, and what its log says.
        private final class Instance {
            let folder: TemporaryFolder
            let process: RunningProgram
            let uri: String

            init(_ devices: [String]) throws {
                let folder = try TemporaryFolder()
                _ = try folder.write(Self.database(devices), to: "devices.csv")
                self.folder = folder
                self.process = try RunningProgram(
                    #require(Program.starling),
                    ["bootstrap", "--listen", "coaps://127.0.26.4:0", "--database", folder.path("devices.csv")]
                        + ["--drain", "0"] + TemporaryHosts.names,
                    limit: 120
                )
                self.uri = try self.process.line(startingWith: "listening ")
            }

            static func database(_ devices: [String]) -> String {
                "endpoint,key,server\n"
                    + devices.map { "\($0),\(SharedKey.hexadecimal),coap://127.0.0.1\n" }.joined()
            }

            /// Has the client ask, and returns the code of the answer.
            func code(
                _ host: String?,
                as identity: String = "client-1",
                naming endpoint: String? = nil
            ) throws -> Substring? {
                let result = try #require(Program.coapClient).run(
                    ["-m", "post", "-u", identity, "-k", SharedKey.text, "-B", "10", "-v", "6", "-U"]
                        + (host.map { ["-O", "3,\($0)"] } ?? []) + ["\(self.uri)/bs?ep=\(endpoint ?? identity)"],
                    limit: 30
                )
                let text = result.output + result.errors
                let lines = text.split(separator: "\n")
                return lines.last { $0.contains("t:ACK c:") }?.split(separator: " ")
                    .first { $0.hasPrefix("c:") }?.dropFirst(2)
            }
        }

        /// The host of a device, so many hours from now, as the command line derives it.
        private func host(of endpoint: String, hours: Int = 0) throws -> String {
            let time = Int(Date().timeIntervalSince1970) + hours * 3600
            let result = try #require(Program.starling).run(
                ["uri", "--endpoint", endpoint, "--secret", SharedKey.hexadecimal, "--time", "\(time)", "--short"]
                    + Self.names
            )
            let uri = result.output.trimmingCharacters(in: .whitespacesAndNewlines)
            return try #require(URL(string: uri)?.host, "\(result.errors)")
        }

        @Test("The name of now is served; any other host, or none, is forbidden and logged without its name")
        func wrongHosts() throws {
            let instance = try Instance(["client-1", "client-2"])
            let old = try self.host(of: "client-1", hours: -24)
            #expect(try instance.code(self.host(of: "client-1")) == "2.04")
            #expect(try instance.code("bs.example.test") == "4.03")
            #expect(try instance.code(old) == "4.03")
            #expect(try instance.code(self.host(of: "client-2")) == "4.03")
            #expect(try instance.code(nil) == "4.03")
            #expect(try instance.code(self.host(of: "client-2"), naming: "client-2") == "4.03")
            let refusals = instance.process.output.split(separator: "\n").filter { $0.hasPrefix("refused") }
            #expect(refusals.count == 5)
            #expect(refusals.filter { $0 == "refused client-1: unknown host" }.count >= 2)
            #expect(refusals.contains("refused client-1: expired host"))
            #expect(refusals.contains("refused client-2: identity"))
            #expect(!instance.process.output.contains(old))
        }

        @Test("SIGHUP has the database read again, and SIGTERM ends the instance")
        func signals() throws {
            let instance = try Instance(["client-1"])
            let host = try self.host(of: "client-2")
            #expect(try instance.code(host, as: "client-2") == nil, "its identity is not known")
            _ = try instance.folder.write(Instance.database(["client-1", "client-2"]), to: "devices.csv")
            instance.process.signal(SIGHUP)
            #expect(try instance.process.line(startingWith: "database ") == "2")
            #expect(try instance.code(host, as: "client-2") == "2.04")
            instance.process.signal(SIGTERM)
            #expect(instance.process.waitForEnd() == 0)
        }
    }
}
