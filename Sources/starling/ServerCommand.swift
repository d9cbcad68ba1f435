import ArgumentParser
import CoAPMessages
import CoAPTransport
import LwM2MModel
import ManagementEngine
import ManagementServer
import Primitives
import ServiceSupport

/// A management server for development.
struct ServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Run an LwM2M management server for development.",
        discussion: """
            Devices register here and 'starling ctl' manages them. The endpoint name must be the DTLS identity, or the \
            one that --credentials gives the identity. The first lines on standard output say where it listens.

            EXAMPLES
              DTLS on any free port, one key for every device, a control socket for 'starling ctl':
                starling server --listen coaps://127.0.0.1:0 --psk-key 001122334455 --control ctl.sock

              Plain and secured side by side, a key per device, registrations that survive a restart:
                starling server --listen coap://127.0.0.1:5683 --listen coaps://127.0.0.1:5684 \\
                  --psk-secret 000102030405060708090a0b0c0d0e0f --state server.sqlite --control ctl.sock

              Try it with libcoap's client:
                coap-client-openssl -m post -u node1 -k secret -t 40 -e '</3/0>' \\
                  'coaps://127.0.0.1:5684/rd?ep=node1&lwm2m=1.1&lt=300&b=U'

            EXIT STATUS
              0  ended by SIGTERM or SIGINT
              2  the options are not valid, or an address, a key or the state cannot be used
            """
    )

    @OptionGroup var service: ServiceOptions
    @Option(
        help: ArgumentHelp(
            "Who may read the devices of --credentials at /credentials, with a key in hexadecimal or @FILE; repeat it.",
            valueName: "identity:key"
        )
    )
    var credentialsReader: [String] = []
    @Option(help: ArgumentHelp("SQLite file that keeps the registrations.", valueName: "file"))
    var state: String?
    @Option(help: ArgumentHelp("Local socket for 'starling ctl'.", valueName: "path"))
    var control: String?
    @Option(help: ArgumentHelp("Observe this at every device that registers; repeat it for more.", valueName: "path"))
    var observe: [String] = []
    @Option(help: ArgumentHelp("The most registrations.", valueName: "n"))
    var maximumRegistrations = 100_000

    func run() throws {
        StandardStream.outlivesItsReader()
        Starling.showLibraryNotice()
        let server: ManagementServer
        do throws(ServiceError) {
            server = try ManagementServer(configuration: try self.configuration())
        } catch {
            ServiceConsole.complain(error)
            throw ServiceConsole.Exit.usage
        }
        for address in server.addresses { ServiceConsole.say("listening \(address.text)") }
        if let control { ServiceConsole.say("control \(control)") }
        if !self.service.quiet { server.onReport = self.show }
        server.run()
    }

    private func configuration() throws(ServiceError) -> ManagementServer.Configuration {
        let keys = try self.service.keys()
        var configuration = ManagementServer.Configuration(
            addresses: try self.service.addresses(),
            keys: keys,
            statePath: self.state,
            controlPath: self.control
        )
        configuration.stopsOnSignals = true
        if !self.credentialsReader.isEmpty {
            configuration.credentialsReaders = try NamedKey.table(
                self.credentialsReader,
                option: "--credentials-reader"
            )
        }
        // A process that is nothing but a server has thousands of sessions, and used no OpenSSL before.
        configuration.transport.compactsTLSMemory = true
        guard self.maximumRegistrations > 0 else {
            throw ServiceError("--maximum-registrations is \(self.maximumRegistrations)", hint: "at least 1")
        }
        configuration.engine.maximumRegistrations = self.maximumRegistrations
        if self.service.anyEndpoint {
            configuration.engine.endpointRule = EndpointRule(.any)
        } else if case .listed(let table) = keys {
            configuration.engine.endpointRule = table.endpointRule
        }
        for text in self.observe {
            guard let path = try? ObjectPath(parsing: UTF8Text(text)), path.depth > 0 else {
                throw ServiceError("'\(text)' is no path to observe", hint: "write it as /3303/0/5700")
            }
            configuration.engine.automaticObservations.append(path)
        }
        return configuration
    }

    private func show(_ report: ManagementReport) {
        let (event, subject): (String, String)
        switch report {
        case .registered(let endpoint): (event, subject) = ("registered", endpoint.string)
        case .updated(let endpoint): (event, subject) = ("updated", endpoint.string)
        case .deregistered(let endpoint): (event, subject) = ("deregistered", endpoint.string)
        case .expired(let endpoint): (event, subject) = ("expired", endpoint.string)
        case .refused(_, let code): (event, subject) = ("refused", code.text)
        }
        if self.service.json {
            let name = event == "refused" ? "code" : "endpoint"
            ServiceConsole.say(ServiceConsole.json(["event": event, name: subject]))
        } else {
            ServiceConsole.say("\(event) \(subject)")
        }
    }
}
