import ArgumentParser
import Foundation
import ManagementService
import ServiceSupport

/// Asks a running server.
struct CtlCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ctl",
        abstract: "Ask a running server or gateway about its devices, and manage them; or ask a balancer.",
        discussion: """
            EXAMPLES
              starling ctl list --control ctl.sock
              starling ctl read urn:dev:starling:0 /3/0 --control ctl.sock
              starling ctl write urn:dev:starling:0 /1/0/1 600 --control ctl.sock
              starling ctl write urn:dev:starling:0 /1/0 1=600 2=5 --control ctl.sock
              starling ctl observe urn:dev:starling:0 /3303/0/5700 --json --control ctl.sock
              starling ctl command urn:dev:starling:0 write /3303/0/5750 cellar --verbose --control gateway.ctl
              starling ctl write-attributes urn:dev:starling:0 /3303/0/5700 pmin=1 pmax=60 gt=25 --control ctl.sock

            The option --control may be left out when STARLING_CONTROL names the socket.

            EXIT STATUS
              0  done; the device's code was one of success
              1  the device refused, and its code is shown
              2  the options are not valid, or the server cannot make sense of them
              3  the server, or the device, does not answer or is not known
            """,
        subcommands: [
            List.self, Stats.self, Read.self, Discover.self, Write.self, Execute.self, Create.self, Delete.self,
            WriteAttributes.self, Observe.self, Cancel.self, Events.self, CtlSweepCommand.self,
            CtlCommandCommand.self, CtlCommandsCommand.self, CtlAuditCommand.self, CtlGatewayCommand.self,
            CtlBalancerCommand.self,
        ]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the registered devices, or one of them.")
        @OptionGroup var control: ControlOptions
        @Argument(help: ArgumentHelp("Only this device.", valueName: "ep")) var endpoint: String?

        func run() throws {
            let session = try ControlSession(self.control)
            var table = DeviceTable()
            var request = ControlRequest(id: 1, verb: .list, endpoint: self.endpoint)
            while true {
                let reply = try session.ask(request)
                for device in reply.devices ?? [] {
                    if self.control.json { session.printJSON(device) } else { table.add(device) }
                }
                guard let cursor = reply.cursor else { break }
                request.cursor = cursor
            }
            if !self.control.json { table.print() }
        }
    }

    struct Stats: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the counters of the server.")
        @OptionGroup var control: ControlOptions

        func run() throws {
            let session = try ControlSession(self.control)
            let stats = try session.ask(ControlRequest(id: 1, verb: .stats)).stats ?? [:]
            if self.control.json {
                session.printJSON(stats)
                return
            }
            let width = stats.keys.map(\.count).max() ?? 0
            for (name, number) in stats.sorted(by: { $0.key < $1.key }) {
                print(name.padding(toLength: width, withPad: " ", startingAt: 0), number)
            }
        }
    }

    struct Read: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Read an object, instance or resource.")
        @OptionGroup var target: TargetOptions
        @OptionGroup var format: FormatOptions
        @OptionGroup var control: ControlOptions

        func run() throws {
            var request = self.target.request(.read)
            request.format = self.format.format
            try ControlSession(self.control).show(request)
        }
    }

    struct Discover: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what is below a path and its attributes.")
        @OptionGroup var target: TargetOptions
        @OptionGroup var control: ControlOptions

        func run() throws { try ControlSession(self.control).show(self.target.request(.discover)) }
    }

    struct Write: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a resource, or several of an instance.",
            discussion: """
                The type comes from the object's definition, or from --type, or from the look of the value. Bytes are \
                written in hexadecimal, links as 3:0, times as seconds since 1970. A value that begins with a dash \
                stands behind '--'.
                """
        )
        @OptionGroup var target: TargetOptions
        @Argument(
            help: ArgumentHelp("VALUE of the resource, or RESOURCE=VALUE for an instance.", valueName: "value")
        )
        var values: [String]
        @Flag(help: "Remove what is not written (PUT); otherwise an instance keeps it (POST).") var replace = false
        @Option(help: "Type of every value: string, integer, unsigned, float, boolean, opaque, time, link.")
        var type: String?
        @OptionGroup var format: FormatOptions
        @OptionGroup var control: ControlOptions

        func run() throws {
            var request = self.target.request(.write)
            try request.take(self.values, type: self.type, isSingle: self.target.isResource)
            if self.replace { request.replaces = true }
            request.format = self.format.format
            try ControlSession(self.control).show(request)
        }
    }

    struct Execute: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Execute a resource.")
        @OptionGroup var target: TargetOptions
        @Argument(help: "Arguments, as in 0,1='text'.") var arguments: String?
        @OptionGroup var control: ControlOptions

        func run() throws {
            var request = self.target.request(.execute)
            request.arguments = self.arguments
            try ControlSession(self.control).show(request)
        }
    }

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create an instance; without its number the device chooses one."
        )
        @OptionGroup var target: TargetOptions
        @Argument(help: ArgumentHelp("RESOURCE=VALUE, any number of them.", valueName: "value")) var values: [String] =
            []
        @Option(help: "Type of every value.") var type: String?
        @OptionGroup var format: FormatOptions
        @OptionGroup var control: ControlOptions

        func run() throws {
            var request = self.target.request(.create)
            try request.take(self.values, type: self.type, isSingle: false)
            request.format = self.format.format
            try ControlSession(self.control).show(request)
        }
    }

    struct Delete: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete an instance.")
        @OptionGroup var target: TargetOptions
        @OptionGroup var control: ControlOptions

        func run() throws { try ControlSession(self.control).show(self.target.request(.delete)) }
    }

    struct WriteAttributes: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Attach attributes that steer notifications.")
        @OptionGroup var target: TargetOptions
        @Argument(help: "pmin=SECONDS pmax=SECONDS gt=NUMBER lt=NUMBER st=NUMBER") var attributes: [String]
        @OptionGroup var control: ControlOptions

        func run() throws {
            var request = self.target.request(.writeAttributes)
            var attributes: [String: Double] = [:]
            for text in self.attributes {
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, let number = Double(parts[1]) else {
                    ServiceConsole.complain(ServiceError("'\(text)' is no attribute", hint: "write it as pmin=5"))
                    throw ServiceConsole.Exit.usage
                }
                attributes[parts[0]] = number
            }
            request.attributes = attributes
            try ControlSession(self.control).show(request)
        }
    }

    struct Observe: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a value and then every change, until Ctrl-C."
        )
        @OptionGroup var target: TargetOptions
        @OptionGroup var format: FormatOptions
        @Option(help: ArgumentHelp("End after so many notifications.", valueName: "n")) var count: Int?
        @OptionGroup var control: ControlOptions

        func run() throws {
            var request = self.target.request(.observe)
            request.format = self.format.format
            try ControlSession(self.control).stream(request, limit: self.count)
        }
    }

    struct Cancel: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End an observation.")
        @OptionGroup var target: TargetOptions
        @OptionGroup var control: ControlOptions

        func run() throws { try ControlSession(self.control).show(self.target.request(.cancel)) }
    }

    struct Events: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show registrations, updates, their ends and what devices send, until Ctrl-C."
        )
        @Option(help: ArgumentHelp("End after so many events.", valueName: "n")) var count: Int?
        @OptionGroup var control: ControlOptions

        func run() throws {
            try ControlSession(self.control).stream(ControlRequest(id: 1, verb: .events), limit: self.count)
        }
    }
}

/// Which device and path a verb is about.
struct TargetOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("Endpoint name of the device.", valueName: "ep")) var endpoint: String
    @Argument(help: "Path, as in /3/0/1.") var path: String

    var isResource: Bool { self.path.split(separator: "/").count >= 3 }

    func request(_ verb: ControlRequest.Verb) -> ControlRequest {
        ControlRequest(id: 1, verb: verb, endpoint: self.endpoint, path: self.path)
    }
}

/// In which format values travel.
struct FormatOptions: ParsableArguments {
    @Option(help: "text, opaque, cbor, tlv, senml-json or senml-cbor.") var format: String?
}

extension ControlRequest {
    /// Takes over values from the command line.
    mutating func take(_ texts: [String], type: String?, isSingle: Bool) throws {
        var values: [String: String] = [:]
        for text in texts {
            if isSingle, texts.count == 1, Self.place(text) == nil {
                values[""] = text
                continue
            }
            guard let (place, value) = Self.place(text) else {
                ServiceConsole.complain(
                    ServiceError("'\(text)' names no resource", hint: "write RESOURCE=VALUE, as in 5700=21.5")
                )
                throw ServiceConsole.Exit.usage
            }
            values[place] = value
        }
        self.values = values
        if let type { self.types = values.mapValues { _ in type } }
    }

    /// Splits `5700=21.5`; nil when what stands before the sign is no place.
    private static func place(_ text: String) -> (String, String)? {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy({ $0.isNumber || $0 == "/" }) else { return nil }
        return (parts[0], parts[1])
    }
}
