import ArgumentParser
import CommandGateway
import CommandSessions
import ManagementService
import Primitives
import ServiceSupport

/// Shows the commands that a gateway was given.
struct CtlCommandsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commands",
        abstract: "Show the commands that a gateway was given, the newest first.",
        discussion: """
            EXAMPLES
              starling ctl commands --control gateway.ctl
              starling ctl commands urn:dev:starling:0 --json --control gateway.ctl
            """
    )
    @Argument(help: ArgumentHelp("Only of this device.", valueName: "ep")) var endpoint: String?
    @Option(help: ArgumentHelp("The most lines.", valueName: "n")) var count = 100
    @OptionGroup var control: ControlOptions

    func run() throws {
        try GatewayPages.show(.commands, self.endpoint, count: self.count, self.control, CommandLines.command)
    }
}

/// Shows a gateway's audit log.
struct CtlAuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Show what a gateway was told and found suspicious, the newest first.",
        discussion: """
            EXAMPLES
              starling ctl audit --control gateway.ctl
              starling ctl audit urn:dev:starling:0 --count 10 --json --control gateway.ctl
            """
    )
    @Argument(help: ArgumentHelp("Only of this device.", valueName: "ep")) var endpoint: String?
    @Option(help: ArgumentHelp("The most lines.", valueName: "n")) var count = 100
    @OptionGroup var control: ControlOptions

    func run() throws {
        try GatewayPages.show(.audit, self.endpoint, count: self.count, self.control, CommandLines.audit)
    }
}

/// Asks a gateway about one device, and lets it off.
struct CtlGatewayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Ask a gateway about the sessions with a device, and say what it cannot know.",
        discussion: """
            EXAMPLES
              starling ctl gateway standing urn:dev:starling:0 --control gateway.ctl
              starling ctl gateway unblock urn:dev:starling:0 --control gateway.ctl
              starling ctl gateway cancel 12 --control gateway.ctl
              starling ctl gateway reset-session urn:dev:starling:0 --control gateway.ctl
              starling ctl gateway identifiers urn:dev:starling:0 thermometer.ids --control gateway.ctl

            EXIT STATUS
              0  done, and stored
              1  it cannot be done as things are: the command was executed or ended before, the gateway has identifiers of
                 the device, or a session is in progress
              2  the options or the file are not valid
              3  the gateway does not answer, does not know the device, or cannot store it now
            """,
        subcommands: [
            Standing.self, Cancel.self, Unblock.self, ResetAlarm.self, ResetSession.self, Identifiers.self,
        ]
    )

    struct Standing: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what a gateway knows of a device.")
        @Argument(help: ArgumentHelp("Endpoint name of the device.", valueName: "ep")) var endpoint: String
        @OptionGroup var control: ControlOptions

        func run() throws {
            let session = try ControlSession(self.control)
            let reply = try session.ask(ControlRequest(id: 1, verb: .standing, endpoint: self.endpoint))
            guard !self.control.json else { return session.printJSON(reply) }
            for (name, value) in (reply.details ?? [:]).sorted(by: { $0.key < $1.key }) {
                ServiceConsole.say("\(name) \(value.text)")
            }
        }
    }

    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a command that is not wanted any more.",
            discussion: """
                A command that waits ends at once. One whose message 3 is under way cannot be called back: then this \
                waits for its end and tells it. 'starling ctl commands' shows the numbers.
                """
        )
        @Argument(help: ArgumentHelp("Number of the command.", valueName: "command")) var command: UInt64
        @OptionGroup var user: UserOptions
        @OptionGroup var control: ControlOptions

        func run() throws {
            let session = try ControlSession(self.control)
            var request = ControlRequest(id: 1, verb: .cancelCommand)
            request.command = self.command
            request.user = self.user.name
            let reply = try session.ask(request)
            if self.control.json { session.printJSON(reply) } else { ServiceConsole.say(CommandLines.result(reply)) }
            guard reply.details?["reason"]?.text == "cancelled" else { throw ServiceConsole.Exit.refused }
        }
    }

    struct Unblock: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a device take commands again that is blocked or suspended."
        )
        @Argument(help: ArgumentHelp("Endpoint name of the device.", valueName: "ep")) var endpoint: String
        @OptionGroup var user: UserOptions
        @OptionGroup var control: ControlOptions

        func run() throws { try GatewayPages.tell(.unblock, self.endpoint, self.user, self.control) }
    }

    struct ResetAlarm: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-alarm",
            abstract: "Reset the alarm about a device: somebody has seen it."
        )
        @Argument(help: ArgumentHelp("Endpoint name of the device.", valueName: "ep")) var endpoint: String
        @OptionGroup var user: UserOptions
        @OptionGroup var control: ControlOptions

        func run() throws { try GatewayPages.tell(.resetAlarm, self.endpoint, self.user, self.control) }
    }

    struct ResetSession: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-session",
            abstract: "Forget the identifiers of a device that was commissioned anew.",
            discussion: "A device whose identifiers bootstrap removed refuses a gateway that still has some."
        )
        @Argument(help: ArgumentHelp("Endpoint name of the device.", valueName: "ep")) var endpoint: String
        @Flag(help: "Also while a session is in progress: its outcome may stay unknown.") var force = false
        @OptionGroup var user: UserOptions
        @OptionGroup var control: ControlOptions

        func run() throws {
            try GatewayPages.tell(.resetSession, self.endpoint, self.user, self.control) { request in
                if self.force { request.replaces = true }
            }
        }
    }
}

/// Tells a gateway what a device was given at manufacture.
extension CtlGatewayCommand {
    struct Identifiers: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell the identifiers that a device was given beforehand, so that its first session uses them.",
            discussion: """
                The file has the lines gsid and dsid of the device's own file; the short form has dsid alone. It is a file \
                or standard input, so that no list of processes shows them, and nothing shows them again. The device need \
                not have registered. A gateway that has identifiers of the device takes no others: 'starling ctl gateway \
                reset-session' makes it forget them first.

                EXAMPLE
                  printf 'gsid: %s\\ndsid: %s\\n' $(openssl rand -hex 16) $(openssl rand -hex 16) > thermometer.ids
                  starling ctl gateway identifiers urn:dev:starling:0 thermometer.ids --control gateway.ctl
                  starling ctl gateway identifiers urn:dev:starling:0 - --control gateway.ctl < thermometer.ids
                """
        )
        @Argument(help: ArgumentHelp("Endpoint name of the device.", valueName: "ep")) var endpoint: String
        @Argument(help: ArgumentHelp("The identifiers; - is standard input.", valueName: "file")) var file: String
        @OptionGroup var user: UserOptions
        @OptionGroup var control: ControlOptions

        func run() throws {
            let given: IdentifierFile
            do throws(ServiceError) { given = try IdentifierFile(contentsOf: self.file) } catch {
                ServiceConsole.complain(error)
                throw ServiceConsole.Exit.usage
            }
            try GatewayPages.tell(.identifiers, self.endpoint, self.user, self.control) { request in
                request.gsid = given.gsid.map { ControlSecret($0.text.string) }
                request.dsid = ControlSecret(given.dsid.text.string)
            }
        }
    }
}

/// What the verbs about a gateway have in common.
private enum GatewayPages {
    static func show(
        _ verb: ControlRequest.Verb,
        _ endpoint: String?,
        count: Int,
        _ control: ControlOptions,
        _ text: (ControlReply) -> String
    ) throws {
        guard count > 0 else {
            ServiceConsole.complain(ServiceError("--count is \(count)", hint: "at least 1"))
            throw ServiceConsole.Exit.usage
        }
        let session = try ControlSession(control)
        var request = ControlRequest(id: 1, verb: verb, endpoint: endpoint)
        var left = count
        while left > 0 {
            try session.send(request)
            var reply = try session.receive()
            while !reply.done {
                if left > 0 {
                    if control.json { session.printJSON(reply) } else { ServiceConsole.say(text(reply)) }
                }
                left -= 1
                reply = try session.receive()
            }
            if reply.kind == .error { throw session.end(reply) }
            guard let cursor = reply.cursor else { return }
            request.cursor = cursor
        }
    }

    static func tell(
        _ verb: ControlRequest.Verb,
        _ endpoint: String,
        _ user: UserOptions,
        _ control: ControlOptions,
        _ fill: (inout ControlRequest) -> Void = { _ in }
    ) throws {
        let session = try ControlSession(control)
        var request = ControlRequest(id: 1, verb: verb, endpoint: endpoint)
        request.user = user.name
        fill(&request)
        let reply = try session.ask(request)
        if control.json { session.printJSON(reply) } else { ServiceConsole.say("done") }
    }
}
