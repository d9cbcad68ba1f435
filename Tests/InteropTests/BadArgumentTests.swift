import Testing

extension Interop {
    /// What people get wrong at the command line: a status that scripts can tell apart, and a hint.
    @Suite(
        "Bad arguments",
        .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
    )
    struct BadArguments {
        static let fleet = ["fleet", "run", "--devices", "1"]
        static let key = ["--psk-key", SharedKey.hexadecimal]
        static let server = ["server", "--psk-key", SharedKey.hexadecimal]

        static let bootstrap = ["bootstrap", "--listen", "coap://127.0.0.1:0"]
        static let server1 = ["--server", "coap://127.0.0.1:5683"]
        static let names = ["--static-uri", "coaps://bs.example.test"]
        static let balancer = [
            "--balancer", "coaps://127.0.0.1:5685", "--name", "bs-1", "--balancer-psk", SharedKey.hexadecimal,
        ]

        static let mistakes: [(arguments: [String], status: Int32)] = [
            (fleet, 64),
            (fleet + key + ["--server", "http://127.0.0.1:1"], 64),
            (fleet + key + ["--server", "coaps://"], 64),
            (fleet + key + ["--server", "coaps://127.0.0.1:99999"], 64),
            (fleet + ["--server", "coaps://127.0.0.1:1"], 64),
            (fleet + ["--server", "coaps://127.0.0.1:1", "--psk-key", "no-hex"], 64),
            (fleet + ["--server", "coaps://127.0.0.1:1", "--psk-key", ""], 64),
            (fleet + key + ["--server", "coaps://127.0.0.1:1", "--rate", "fast"], 64),
            (fleet + key + ["--server", "coaps://127.0.0.1:1", "--duration=-1s"], 64),
            (fleet + key + ["--bootstrap", "coaps://bs.example.test", "--profile", "period=0"], 64),
            (fleet + key + ["--bootstrap", "coaps://127.0.0.1:1", "--profile", "period=60"], 64),
            (fleet + key + ["--bootstrap", "coaps://bs.example.test", "--profile", "@/nonexistent/profile"], 64),
            (fleet + key + ["--server", "coaps://127.0.0.1:1", "--profile", "period=60"], 64),
            (fleet + key + ["--server", "coaps://127.0.0.1:1", "--own-object-ids", "3"], 64),
            (["fleet", "run", "--scenario", "/nonexistent/scenario.yaml"], 64),
            (["fleet", "run", "--devices", "100000", "--server", "coap://127.0.0.1:1"], 2),
            (["device", "/nonexistent/device.yaml"], 78),
            (server + ["--listen", "http://127.0.0.1:0"], 2),
            (server + ["--listen", "coaps://127.0.0.1:70000"], 2),
            (server + ["--listen", "coap://203.0.113.1:0"], 2),
            (["server", "--listen", "coaps://127.0.0.1:0"], 2),
            (["server", "--listen", "coaps://127.0.0.1:0", "--psk-key", "xyz"], 2),
            (["server", "--listen", "coaps://127.0.0.1:0", "--credentials", "/nonexistent/credentials"], 2),
            (server + ["--listen", "coap://127.0.0.1:0", "--state", "/nonexistent/state.sqlite"], 2),
            (server + ["--listen", "coap://127.0.0.1:0", "--control", "/nonexistent/control"], 2),
            (bootstrap, 2),
            (bootstrap + ["--server", "nonsense"], 2),
            (bootstrap + ["--database", "/nonexistent/devices.csv"], 2),
            (bootstrap + server1 + ["--server-lifetime", "1", "--server-lifetime", "2"], 2),
            (bootstrap + server1 + ["--server-short-id", "0"], 2),
            (bootstrap + server1 + ["--profile", "period=3600"], 2),
            (bootstrap + server1 + ["--static-uri", "coaps://127.0.0.1"], 2),
            (bootstrap + server1 + ["--static-uri", "coaps://bs.example.test", "--profile", "period=never"], 2),
            (bootstrap + server1 + ["--static-uri", "coaps://bs.example.test", "--profile", "@/nonexistent"], 2),
            (bootstrap + server1 + ["--name", "bs-1"], 2),
            (bootstrap + server1 + balancer, 2),
            (bootstrap + server1 + names + ["--balancer", "coaps://balancer.example.test:5685"], 2),
            (bootstrap + server1 + names + ["--balancer", "coap://127.0.0.1:5685"], 2),
            (bootstrap + server1 + names + balancer + ["--weight", "0"], 2),
            (bootstrap + server1 + names + balancer + ["--address", "127.0.0.1:5684"], 2),
            (["bootstrap", "--listen", "coap://0.0.0.0:0"] + server1 + names + balancer, 2),
            (["ctl", "list", "--control", "/nonexistent/control"], 3),
            (gateway, 2),
            (gateway + plain + ["--form", "neither"], 2),
            (gateway + plain + ["--tries", "0"], 2),
            (gateway + plain + ["--command-timeout", "0"], 2),
            (gateway + plain + ["--quiet-time=-1"], 2),
            (gateway + plain + ["--suspension", "0"], 2),
            (gateway + plain + ["--maximum-commands-per-device", "0"], 2),
            (gateway + plain + ["--maximum-registrations", "0"], 2),
            (gateway + plain + ["--breaches", "spoofed=shout"], 2),
            (gateway + plain + ["--policy", "/nonexistent/policy.json"], 2),
            (gateway + plain + ["--state", "/nonexistent/state.sqlite"], 2),
            (command + [], 2),
            (command + ["urn:dev:1"], 2),
            (command + ["urn:dev:1", "write"], 2),
            (command + ["urn:dev:1", "write", "/3303/0/5750"], 2),
            (command + ["urn:dev:1", "update", "/3303/0"], 2),
            (command + ["urn:dev:1", "write", "/3303/0", "cellar"], 2),
            (command + ["urn:dev:1", "read", "/3303/0/5750"], 2),
            (command + ["urn:dev:1", "delete", "/3303/0", "5750=x"], 2),
            (command + ["urn:dev:1", "execute", "/3/0/4", "1", "2"], 2),
            (command + ["urn:dev:1", "write", "/3303/0/5750", "cellar", "--rate", "5"], 2),
            (command + ["urn:dev:1", "write", "/3303/0/5750", "cellar", "--repeat", "5"], 2),
            (command + ["--all", "write"], 2),
            (command + ["--all", "write", "/3303/0/5750", "cellar", "--rate", "0"], 2),
            (command + ["--all", "write", "/3303/0/5750", "cellar", "--rate", "nan"], 2),
            (command + ["--all", "write", "/3303/0/5750", "cellar", "--rate", "1e300"], 2),
            (command + ["--all", "write", "/3303/0/5750", "cellar", "--repeat", "0"], 2),
            (command + ["--all", "write", "/3303/0/5750", "cellar", "--repeat", "9000000000000000000"], 2),
            (command + ["--all", "write", "/3303/0/5750", "cellar", "--detach"], 2),
            (command + ["urn:dev:1", "write", "/3303/0/5750", "cellar"], 3),
            (["ctl", "audit", "--count", "0"] + nowhere, 2),
            (["ctl", "audit"] + nowhere, 3),
            (["ctl", "commands"] + nowhere, 3),
            (["ctl", "gateway", "unblock", "urn:dev:1"] + nowhere, 3),
            (["ctl", "gateway", "reset-session", "urn:dev:1"] + nowhere, 3),
            (["ctl", "gateway", "identifiers", "urn:dev:1", "/nonexistent/ids"] + nowhere, 2),
            (["ctl", "gateway", "identifiers", "urn:dev:1", "/dev/null"] + nowhere, 2),
        ]

        static let gateway = ["gateway", "--psk-key", SharedKey.hexadecimal]
        static let plain = ["--listen", "coap://127.0.0.1:0"]
        static let nowhere = ["--control", "/nonexistent/control"]
        static let command = ["ctl", "command"] + nowhere

        @Test("Each mistake has its exit status, a message and a hint, and ends at once", arguments: mistakes)
        func refuses(_ arguments: [String], status: Int32) throws {
            let result = try #require(Program.starling).run(arguments, limit: 20)
            #expect(result.status == status, "\(result.errors)")
            #expect(result.errors.contains("rror: "), "\(result.errors)")
            #expect(result.errors.contains("Hint: ") || result.errors.contains(" — "), "\(result.errors)")
            #expect(!result.errors.contains(SharedKey.hexadecimal))
        }

        @Test("A port that is in use is named, with a hint")
        func usedPort() throws {
            let server = try DevelopmentServer(#require(Program.starling))
            let second = try #require(Program.starling).run(
                Self.server + ["--listen", server.secureURI],
                limit: 20
            )
            #expect(second.status == 2)
            #expect(second.errors.contains("in use"), "\(second.errors)")
            #expect(second.errors.contains("Hint: "))
            #expect(try server.control("list").status == 0)
        }

        @Test("A state file that is no database is refused and left as it was")
        func stateIsNoDatabase() throws {
            let folder = try TemporaryFolder()
            let path = try folder.write(String(repeating: "not a database ", count: 100), to: "state.sqlite")
            let result = try #require(Program.starling).run(
                Self.server + ["--listen", "coap://127.0.0.1:0", "--state", path],
                limit: 20
            )
            #expect(result.status == 2, "\(result.errors)")
            #expect(result.errors.contains("Hint: "))
            #expect(try folder.read("state.sqlite").hasPrefix("not a database "))
        }

        static let policies = [
            "", "[]", #"{"permission":[]}"#, #"{"permissions":[{"operations":["shout"]}]}"#, "\u{0}",
        ]

        @Test("A policy that cannot be read names the file", arguments: policies)
        func policy(_ text: String) throws {
            let folder = try TemporaryFolder()
            let path = try folder.write(text, to: "policy.json")
            let result = try #require(Program.starling).run(Self.gateway + Self.plain + ["--policy", path], limit: 20)
            #expect(result.status == 2, "\(result.errors)")
            #expect(result.errors.contains("policy.json"), "\(result.errors)")
            #expect(result.errors.contains("Hint: "), "\(result.errors)")
        }

        static let scenarios = ["devices: [", "devices: many", "unknown-option: 1", "\u{0}", ""]

        @Test("A scenario that cannot be read names the file", arguments: scenarios)
        func scenario(_ text: String) throws {
            let folder = try TemporaryFolder()
            let path = try folder.write(text, to: "scenario.yaml")
            let result = try #require(Program.starling).run(["fleet", "run", "--scenario", path], limit: 20)
            #expect(result.status == 64, "\(result.errors)")
            #expect(result.errors.contains("Hint: "), "\(result.errors)")
        }

        static let devices = ["endpoint: [", "endpoint: 1\nunknown: 2", "server: coaps://127.0.0.1:1\n", "\u{0}", ""]

        @Test("A device's configuration that cannot be used names the file", arguments: devices)
        func device(_ text: String) throws {
            let folder = try TemporaryFolder()
            let path = try folder.write(text, to: "device.yaml")
            let result = try #require(Program.starling).run(["device", path], limit: 20)
            #expect(result.status == 78, "\(result.errors)")
            #expect(result.errors.contains("device.yaml"), "\(result.errors)")
        }

        @Test("A fleet whose server does not answer ends, reports the cause, and fails")
        func nobodyAnswers() throws {
            let port = try LoopbackPorts.pair()
            let result = try #require(Program.starling).run(
                Self.fleet + ["--server", "coap://127.0.0.1:\(port)", "--duration", "1s"],
                limit: 60
            )
            #expect(result.status == 1, "\(result.output)\(result.errors)")
            #expect(result.output.contains("1 failed"), "\(result.output)")
        }

        @Test("A source address of another machine fails the devices, not the process")
        func foreignSourceAddress() throws {
            let result = try #require(Program.starling).run(
                Self.fleet + ["--server", "coap://127.0.0.1:1", "--source-address", "203.0.113.1", "--duration", "1s"],
                limit: 60
            )
            #expect(result.status == 1, "\(result.output)\(result.errors)")
            #expect(result.output.contains("1 failed"), "\(result.output)")
        }

        @Test("A fleet with a wrong key ends, reports the cause, and the server goes on")
        func wrongKey() throws {
            let server = try DevelopmentServer(#require(Program.starling))
            let fleet = try #require(Program.starling).run(
                Self.fleet + [
                    "--server", server.secureURI, "--psk-key", "00112233", "--handshake-timeout", "2s", "--duration",
                    "1s",
                ],
                limit: 60
            )
            #expect(fleet.status == 1, "\(fleet.output)\(fleet.errors)")
            #expect(try RawCoAP(server.plainURI).register("afterwards") == 0x41)
        }
    }
}
