import Testing

extension Interop {
    /// A gateway in Python, written from docs/command-sessions.md, with our device.
    @Suite(
        "A gateway of somebody else's",
        .enabled(if: Program.python != nil, "aiocoap is missing; make install brings it"),
        .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
    )
    struct CommandSessionPeers {
        typealias Step = SessionSite.Step

        /// Several breaches follow one another, which the standard policy would not let happen.
        static let logsOnly = "breaches: spoofed=log;unpermitted=log,report;unknown=log"

        private func site(
            _ steps: [String],
            policy: [String] = [],
            form: String = "both",
            gateway: String = "127.0.0.1"
        ) throws -> SessionSite {
            try SessionSite(
                #require(Program.starling),
                #require(Program.python),
                steps,
                policy: policy,
                form: form,
                gateway: gateway
            )
        }

        private func completed(_ code: String = "2.04") -> Step {
            var step = Step(step: "session", message1: "2.04", message2: "is right", message3: code)
            guard code != "2.04" else { return step }
            (step.question, step.outcome, step.code) = ("2.04", "done", code)
            return step
        }

        @Test("Commands run in sessions, each on the identifiers of the one before", arguments: ["both", "device"])
        func commands(form: String) throws {
            let (steps, events) = try self.site(
                [
                    "session", "write:/3303/0/5750=attic", "read", "/3303/0/5750", "session", "execute:/3303/0/5605",
                    "outcome", "session", "delete:/3/0", "session", "write:/3303/0/5750=porch", "read", "/3303/0/5750",
                ],
                form: form
            )
            .finish()
            #expect(
                steps == [
                    self.completed(),
                    Step(step: "read", code: "2.05", value: "attic"),
                    self.completed(),
                    Step(step: "outcome", question: "2.04", outcome: "done", code: "2.04"),
                    self.completed("4.05"),
                    self.completed(),
                    Step(step: "read", code: "2.05", value: "porch"),
                ]
            )
            let executed = events.filter { $0.event == "commandExecuted" }
            #expect(executed.map { $0.code } == ["2.04", "2.04", "4.05", "2.04"])
            #expect(events.filter { $0.event == "executed" }.count == 1, "the embedder is asked once")
            #expect(!events.contains { $0.event == "breached" || $0.event == "commandAborted" })
        }

        @Test(
            "Replayed, invented, changed, swapped, reflected and late messages execute nothing, nor do direct changes"
        )
        func mischief() throws {
            let theft = "write:/3303/0/5750=stolen"
            let (steps, events) = try self.site(
                [
                    "session", "write:/3303/0/5750=attic", "session", "write:/3303/0/5750=cellar", "replay", "guess",
                    theft,
                    "changed", theft, "swapped", theft, "reflect", theft, "repeat", "old", "late", theft, "direct",
                    theft,
                    "direct", "execute:/3303/0/5605", "direct", "write:/42770/0/3=1", "direct", "execute:/42770/0/16",
                    "read", "/3303/0/5750", "read", "/42770/0/7", "read", "/42770/0/12", "read", "/42770/0/13",
                    "session", "write:/3303/0/5750=porch", "read", "/3303/0/5750",
                ],
                policy: [Self.logsOnly]
            )
            .finish()
            func mischief(_ name: String, _ code: String) -> Step {
                Step(step: name, message1: "2.04", message2: "is right", message3: code)
            }
            var late = mischief("late", "4.09")
            (late.question, late.outcome) = ("2.04", "not done")
            let direct = Step(step: "direct", code: "4.03")
            #expect(
                steps == [
                    self.completed(), self.completed(),
                    Step(step: "replay", message1: "4.09"), Step(step: "guess", message1: "4.03"),
                    mischief("changed", "4.03"), mischief("swapped", "4.03"), mischief("reflect", "4.03"),
                    Step(step: "repeat", message3: "2.04"), Step(step: "old", message3: "4.03"), late,
                    direct, direct, direct, direct,
                    Step(step: "read", code: "2.05", value: "cellar"),
                    Step(step: "read", code: "2.05", value: "direct-change server 1"),
                    Step(step: "read", code: "2.05", value: "5"), Step(step: "read", code: "2.05", value: "4"),
                    self.completed(), Step(step: "read", code: "2.05", value: "porch"),
                ]
            )
            #expect(
                events.filter { $0.event == "breached" }.map { $0.error } == [
                    "wrong-identifier", "changed-command", "swapped-identifier", "reflected", "wrong-identifier",
                    "direct-change", "direct-change", "direct-change", "direct-change",
                ]
            )
            #expect(events.filter { $0.event == "commandExecuted" }.count == 3)
            #expect(!events.contains { $0.event == "executed" })
        }

        @Test("The standard policy leaves a server for an hour whose message carries a wrong identifier")
        func suspends() throws {
            let (steps, events) = try self.site([
                "session", "write:/3303/0/5750=attic", "guess", "write:/3303/0/5750=stolen", "deregistration",
            ])
            .finish()
            #expect(
                steps == [
                    self.completed(), Step(step: "guess", message1: "4.03"), Step(step: "deregistration"),
                ]
            )
            #expect(events.filter { $0.event == "breached" }.map { $0.error } == ["wrong-identifier"])
            let suspended = events.filter { $0.event == "serverSuspended" }
            #expect(suspended.map { $0.milliseconds } == [3_600_000])
            #expect(suspended.map { $0.server } == [1])
            #expect(events.filter { $0.event == "commandExecuted" }.count == 1)
        }

        @Test("A server at another address is told 4.01, and nothing but that from its first message on")
        func elsewhere() throws {
            let (steps, events) = try self.site(
                [
                    "read", "/42770/0/3", "direct", "write:/3303/0/5750=stolen", "read", "/3303/0/5750",
                    "guess", "write:/3303/0/5750=stolen", "guess", "write:/3303/0/5750=stolen",
                ],
                gateway: "192.0.2.1"
            )
            .finish()
            let refused = Step(step: "guess", message1: "4.01")
            #expect(
                steps == [
                    Step(step: "read", code: "4.01"), Step(step: "direct", code: "4.01"),
                    Step(step: "read", code: "2.05", value: "hall"), refused, refused,
                ]
            )
            let breaches = events.filter { $0.event == "breached" }
            #expect(breaches.map { $0.error } == ["direct-change", "unknown-address"])
            #expect(breaches.last?.message == "unknown-address at 127.0.0.1")
        }

        @Test("A device that goes down between message 2 and 3 goes on from what it stored")
        func powerCut() throws {
            let site = try self.site([
                "session", "write:/3303/0/5750=attic", "abandon", "write:/3303/0/5750=lost", "registration",
                "session", "execute:/3303/0/5605", "session", "write:/3303/0/5750=porch",
            ])
            try site.cutPower(after: "abandon")
            try site.startDevice()
            let (steps, events) = try site.finish()
            #expect(
                steps == [
                    self.completed(), Step(step: "abandon", message1: "2.04", message2: "is right"),
                    Step(step: "registration"), self.completed(), self.completed(),
                ]
            )
            #expect(!events.contains { $0.event == "breached" })
        }
    }
}
