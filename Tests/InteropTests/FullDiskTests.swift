import Foundation
import Testing

extension Interop {
    /// A full disk under standard output, and readers that go away: what is written is lost, and nothing ends.
    @Suite(
        "Output that goes nowhere",
        .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
    )
    struct LostOutput {
        @Test("A server whose log is on a full disk serves on")
        func serverLog() throws {
            let starling = try #require(Program.starling)
            let folder = try TemporaryFolder()
            let control = folder.path("control")
            let server = try RunningProgram(
                #require(Program(installed: "sh")),
                [
                    "-c", "exec \"$0\" \"$@\" >/dev/full 2>/dev/full", starling.path, "server", "--listen",
                    "coap://127.0.0.1:0", "--control", control,
                ],
                limit: 60
            )
            try waitUntil("the control socket answers") {
                try starling.run(["ctl", "list", "--control", control], limit: 20).status == 0
            }
            #expect(server.isRunning)
            server.interrupt()
            #expect(server.waitForEnd() == 0)
        }

        @Test("A fleet on a full disk, or whose reader is gone, ends as it would have", arguments: [true, false])
        func fleet(_ isPiped: Bool) throws {
            let starling = try #require(Program.starling)
            let server = try DevelopmentServer(starling)
            let command = "\"$0\" \"$@\" 2>&1"
            let status = "echo $? >\"$STATUS\""
            let script = isPiped ? "(\(command); \(status)) | true" : "\(command) >/dev/full; \(status)"
            let folder = try TemporaryFolder()
            let shell = try #require(Program(installed: "sh")).run(
                [
                    "-c", script, starling.path, "fleet", "run", "--devices", "3", "--server", server.secureURI,
                    "--psk-key", SharedKey.hexadecimal, "--duration", "2s",
                ],
                environment: ["STATUS": folder.path("status")],
                limit: 60
            )
            #expect(shell.status == 0)
            #expect(try folder.read("status") == "0\n", "\(shell.output)")
        }

        @Test("A report that cannot be written is an error with a hint, after the table")
        func report() throws {
            let starling = try #require(Program.starling)
            let server = try DevelopmentServer(starling)
            let result = try starling.run(
                [
                    "fleet", "run", "--devices", "1", "--server", server.secureURI, "--psk-key", SharedKey.hexadecimal,
                    "--duration", "1s", "--json", "/nonexistent/report.json",
                ],
                limit: 60
            )
            #expect(result.status == 2)
            #expect(result.output.contains("register"))
            #expect(result.errors.contains("Hint: "))
        }
    }
}
