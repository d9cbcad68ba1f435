import Foundation
import Testing

extension Interop {
    /// `starling gateway`, its verbs of `starling ctl`, and fleets whose devices protect something, over DTLS.
    @Suite(
        "Command gateway",
        .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
    )
    struct CommandGateways {
        static let device = "urn:dev:starling:0"
        /// A text of the fleet's devices that only commands change: they have none at first.
        static let path = "/3303/0/5750"

        @Test("A command shows its three messages; a direct write is refused and counted")
        func messages() throws {
            let site = try GatewaySite(#require(Program.starling))
            let fleet = try site.fleet(devices: 2)
            let command = try site.control(
                "command",
                Self.device,
                "write",
                Self.path,
                "cellar",
                "--verbose",
                "--user",
                "anna"
            )
            #expect(command.status == 0, "\(command.errors)")
            let lines = command.output.split(separator: "\n").map(String.init)
            #expect(lines.first == "command 1 accepted")
            #expect(lines.last == "done 2.04: executed once")
            for (message, direction) in [("message-1", "sent"), ("message-2", "received"), ("message-3", "sent")] {
                let line = try #require(lines.first { $0.hasPrefix("\(message) \(direction) ") }, "\(lines)")
                #expect(line.contains("gsid ") && line.hasSuffix("write /3303/0/5750, 6 bytes"), "\(line)")
            }
            let read = try site.control("read", Self.device, Self.path)
            #expect(read.output.contains("cellar"), "\(read.output)\(read.errors)")

            let direct = try site.control("write", Self.device, Self.path, "elsewhere")
            #expect(direct.status == 1)
            #expect(direct.output.contains("4.03"), "\(direct.output)\(direct.errors)")
            #expect(try site.control("read", Self.device, "/42770/0/13").output.contains(" = 1"))

            let audit = try site.control("audit", Self.device)
            #expect(audit.output.contains("given, command 1: write /3303/0/5750, 6 bytes, by anna"), "\(audit.output)")
            #expect(audit.output.contains("executed 2.04, command 1"), "\(audit.output)")
            let commands = try site.control("commands")
            #expect(commands.output.contains("\(Self.device) write /3303/0/5750, 6 bytes, by anna: done 2.04"))
            let json = try site.control("commands", "--json").output
            #expect(json.contains(#""code":"2.04","details":{"bytes":6,"command":1,"#), "\(json)")
            #expect(!(site.log + command.output + audit.output + json).contains("cellar"))

            let counts = try site.report(of: fleet).commands
            #expect(counts.completed == 1 && counts.aborted == 0)
            #expect(counts.breaches == ["direct-change": 1])
        }

        @Test("Every way in which a command may end has its exit status")
        func exitStatuses() throws {
            let rules = #"{"permissions":[{"user":"anna"},{"user":"bob","path":"/3303","operations":["execute"]}]}"#
            let policy = try TemporaryFolder()
            let site = try GatewaySite(
                #require(Program.starling),
                "--policy",
                try policy.write(rules, to: "policy.json")
            )
            let fleet = try site.fleet(devices: 1)
            func status(_ words: String..., user: String = "anna") throws -> Int32 {
                let result = try RunningProgram(
                    #require(Program.starling),
                    ["ctl", "command"] + words + ["--user", user, "--control", site.folder.path("control")],
                    limit: 60
                )
                return result.waitForEnd()
            }
            #expect(try status(Self.device, "write", Self.path, "cellar") == 0)
            #expect(try status(Self.device, "write", Self.path, "cellar", "--detach") == 0)
            #expect(try status("--all", "write", Self.path, "cellar") == 0)
            // Executed, but the device will not have it.
            #expect(try status(Self.device, "write", "/3303/0/5700", "1") == 1)
            #expect(try status("--all", "write", "/3303/0/5700", "1") == 1)
            #expect(try status(Self.device, "write", Self.path, "cellar", user: "bob") == 1)
            #expect(try status(Self.device, "write", "/3303/0/5750/x", "cellar") == 2)
            #expect(try status(Self.device, "write", "/3303/0/5700", "warm", "--type", "float") == 2)
            #expect(try status("nobody", "write", Self.path, "cellar") == 3)
            for verb in ["standing", "unblock", "reset-alarm"] {
                #expect(try site.control("gateway", verb, Self.device).status == 0, "\(verb)")
            }
            for verb in ["standing", "unblock", "reset-alarm", "reset-session"] {
                #expect(try site.control("gateway", verb, "nobody").status == 3, "\(verb)")
            }
            let digits = String(repeating: "5a", count: 16)
            let identifiers = try policy.write("gsid: \(digits)\ndsid: \"\(digits)\"\n", to: "ids")
            let given = try site.control("gateway", "identifiers", "later", identifiers)
            #expect(given.status == 0 && given.output == "done\n", "\(given.output)\(given.errors)")
            let again = try site.control("gateway", "identifiers", "later", identifiers, "--json")
            #expect(again.status == 1 && again.errors.contains("reset-session"), "\(again.errors)")
            let wrong = try site.control("command", Self.device, "write", "/3303/0/5750/x", "cellar", "--user", "anna")
            #expect(wrong.errors.contains("'starling help ctl' has examples"), "\(wrong.errors)")
            let help = try RunningProgram(#require(Program.starling), ["help", "ctl"], limit: 60)
            #expect(help.waitForEnd() == 0)
            #expect(try site.control("gateway", "standing", "later").output.contains("identifiers true"))
            let audit = try site.control("audit", "later")
            #expect(audit.output.contains("identifiers-given, by "), "\(audit.output)")
            #expect(!(given.output + again.output + again.errors + audit.output + site.log).contains(digits.prefix(8)))
            // A device that comes back later has the command then; the gateway is killed before.
            fleet.interrupt()
            _ = fleet.waitForEnd()
            let waiting = try RunningProgram(
                #require(Program.starling),
                [
                    "ctl", "command", Self.device, "write", Self.path, "later", "--user", "anna", "--control",
                    site.folder.path("control"),
                ],
                limit: 60
            )
            _ = try waiting.line(startingWith: "command ")
            let list = try site.control("commands", Self.device).output
            #expect(list.contains(": waiting\n"))
            let unwanted = try RunningProgram(
                #require(Program.starling),
                [
                    "ctl", "command", Self.device, "write", Self.path, "unwanted", "--user", "anna", "--control",
                    site.folder.path("control"),
                ],
                limit: 60
            )
            let number = try unwanted.line(startingWith: "command ").prefix { $0 != " " }
            let cancelled = try site.control("gateway", "cancel", String(number), "--user", "eve")
            #expect(cancelled.status == 0, "\(cancelled.output)\(cancelled.errors)")
            #expect(cancelled.output.hasSuffix("not executed, and never will be: it was cancelled\n"))
            #expect(unwanted.waitForEnd() == 1)
            #expect(try site.control("gateway", "cancel", String(number)).status == 1)
            site.kill()
            #expect(waiting.waitForEnd() == 3)
            #expect(waiting.errors.contains("stands in its state"), "\(waiting.errors)")
            #expect(try site.control("command", Self.device, "write", Self.path, "x").status == 3)
        }

        @Test("SIGHUP has the policy read again; one that is not valid changes nothing")
        func policy() throws {
            let folder = try TemporaryFolder()
            let path = try folder.write(#"{"permissions":[{"user":"anna"}]}"#, to: "policy.json")
            let site = try GatewaySite(#require(Program.starling), "--policy", path)
            let fleet = try site.fleet(devices: 1)
            func status(_ user: String) throws -> Int32 {
                try site.control("command", Self.device, "write", Self.path, "cellar", "--user", user).status
            }
            #expect(try [status("anna"), status("bob")] == [0, 1])
            _ = try folder.write(#"{"permissions":[{"user":"bob"}]}"#, to: "policy.json")
            site.hangUp()
            try waitUntil("the policy is read again") { site.log.contains("policy read again\n") }
            #expect(try [status("anna"), status("bob")] == [1, 0])
            _ = try folder.write(#"{"permissions":[{"user":null}]}"#, to: "policy.json")
            site.hangUp()
            try waitUntil("the complaint") { site.log.contains("Error: ") }
            #expect(try [status("anna"), status("bob")] == [1, 0])
            #expect(try site.report(of: fleet).commands.completed == 3)
        }

        @Test("One command for each of 50 devices, at a rate: all are done, and the fleet's report says so")
        func campaign() throws {
            let site = try GatewaySite(#require(Program.starling), "--quiet")
            let fleet = try site.fleet(devices: 50)
            let counts = try site.campaign(at: Self.path, "--rate", "40")
            #expect(counts == CampaignCounts(given: 50, done: 50))
            let statistics = try site.statistics()
            #expect(statistics["commandsDone"] == 50)
            #expect(statistics["commandsWaiting"] == 0)
            let commands = try site.report(of: fleet).commands
            #expect(commands.completed == 50)
            #expect(commands.refused == 0 && commands.breaches.isEmpty && commands.restarts == 0)
        }

        @Test("Devices that go down in the middle: every command ends, and none is executed twice")
        func restarts() throws {
            let site = try GatewaySite(#require(Program.starling), "--quiet", "--quiet-time", "0", "--tries", "20")
            let fleet = try site.fleet(devices: 50, "--command-restarts", "5%")
            let counts = try site.campaign(at: Self.path, "--rate", "20", "--repeat", "4")
            #expect(counts.given == 200)
            #expect(counts.done + counts.unknown == 200, "\(counts)")
            #expect(try site.statistics()["commandsWaiting"] == 0)
            let commands = try site.report(of: fleet).commands
            #expect(
                commands.completed >= counts.done && commands.completed <= counts.done + counts.unknown,
                "\(commands)"
            )
            #expect(commands.restarts > 0)
            #expect(commands.breaches.isEmpty, "\(commands)")
        }

        @Test("Every twentieth datagram lost each way: every command ends, done once, since each side sends again")
        func losses() throws {
            let site = try GatewaySite(#require(Program.starling), "--quiet")
            let fleet = try site.fleet(devices: 40, "--loss", "5%")
            let counts = try site.campaign(at: Self.path, "--repeat", "3")
            #expect(counts.given == 120)
            #expect(counts.done + counts.unknown == 120, "\(counts)")
            let report = try site.report(of: fleet)
            #expect(report.commands.completed >= counts.done, "\(report)")
            #expect(report.commands.completed <= counts.done + counts.unknown, "\(report)")
            #expect(report.commands.breaches.isEmpty, "\(report)")
            #expect(report.lossPercent == 5)
            #expect(report.transport["losslessSessions"] == 0)
            // Answers of devices were lost, so that the gateway asked again.
            #expect(report.transport["duplicateRequests"] ?? 0 > 0, "\(report)")
        }

        @Test(
            "A gateway and a device that are killed in the middle of commands tell the truth about each",
            .enabled(if: Program(installed: "python3") != nil, "python3 is missing")
        )
        func crashes() throws {
            let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
            let result = try #require(Program(installed: "python3")).run(
                [root.appending(path: "Scripts/command-crashes").path, "12"],
                environment: ["STARLING": #require(Program.starling).path],
                limit: 900
            )
            print(result.output)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
        }
    }
}
