import ArgumentParser
import BootstrapEngine
import BootstrapServer
import CoAPMessages
import CoAPTransport
import LwM2MModel
import Primitives
import ServiceSupport

/// A bootstrap server: for development, or as one of the instances of a balancer.
struct BootstrapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootstrap",
        abstract: "Run an LwM2M bootstrap server that tells every device of its management servers.",
        discussion: """
            A device that asks is asked what it holds, emptied, told of the management servers with a key of its own \
            or a common one, and told to finish. Without --server-psk-…, the keys for a management server are the \
            ones of the bootstrap accounts. A --database says what single devices are told instead.

            With --profile and --static-uri, a device is served only under its own temporary name of now; with \
            --balancer, the server is one of the instances to which a balancer sends devices. SIGTERM ends it after \
            the bootstraps in progress, a second one at once; SIGHUP has the database read again.

            EXAMPLES
              Keys derived from one secret, at both servers:
                starling bootstrap --listen coaps://127.0.0.1:5694 --psk-secret 000102030405060708090a0b0c0d0e0f \\
                  --server coaps://127.0.0.1:5684 --server-lifetime 300

              One key for bootstrap; another secret for the management server:
                starling bootstrap --listen coaps://127.0.0.1:0 --psk-key 001122334455 \\
                  --server coaps://127.0.0.1:5684 --server-psk-secret 000102030405060708090a0b0c0d0e0f

              An instance of a balancer:
                starling bootstrap --listen coaps://10.0.0.11:5694 --psk-secret @secret --server coaps://10.0.0.2:5684 \\
                  --static-uri coaps://bs.example.com:5694 --profile period=3600 \\
                  --balancer coaps://10.0.0.1:5685 --balancer-psk @instance.key --name bs-1

            EXIT STATUS
              0  ended by SIGTERM or SIGINT
              2  the options are not valid, or an address, a key, the database or the state cannot be used
            """
    )

    @OptionGroup var service: ServiceOptions
    @OptionGroup var provisioning: ProvisioningOptions
    @OptionGroup var temporaryURIs: TemporaryURIOptions
    @OptionGroup var instance: InstanceOptions
    @Option(help: ArgumentHelp("SQLite file that keeps what was given to whom.", valueName: "file"))
    var state: String?
    @Option(help: ArgumentHelp("Local socket for 'starling ctl stats'.", valueName: "path"))
    var control: String?
    @Option(help: ArgumentHelp("How long bootstraps in progress may take to end at SIGTERM.", valueName: "seconds"))
    var drain = 10

    func run() throws {
        StandardStream.outlivesItsReader()
        Starling.showLibraryNotice()
        let server: BootstrapServer
        do throws(ServiceError) {
            server = try BootstrapServer(configuration: try self.configuration())
        } catch {
            ServiceConsole.complain(error)
            throw ServiceConsole.Exit.usage
        }
        for address in server.addresses { ServiceConsole.say("listening \(address.text)") }
        if let control { ServiceConsole.say("control \(control)") }
        if !self.service.quiet {
            server.onReport = self.show
            server.onBalancerReport = self.show
        }
        server.onDatabaseRead = self.show
        server.run()
    }

    private func configuration() throws(ServiceError) -> BootstrapServer.Configuration {
        let keys = try self.service.keys()
        let addresses = try self.service.addresses()
        var hasAccountKeys = self.provisioning.database != nil
        if case .none = keys {} else { hasAccountKeys = true }
        var configuration = BootstrapServer.Configuration(
            addresses: addresses,
            keys: keys,
            rules: try self.provisioning.rules(hasAccountKeys: hasAccountKeys),
            statePath: self.state
        )
        configuration.controlPath = self.control
        configuration.databasePath = self.provisioning.database
        configuration.discoversFirst = !self.provisioning.skipDiscover
        configuration.temporaryURIs = try self.temporaryURIs.uris()
        configuration.balancer = try self.instance.link(listening: addresses)
        configuration.allowsAnyEndpoint = self.service.anyEndpoint
        configuration.stopsOnSignals = true
        guard (0...3600).contains(self.drain) else {
            throw ServiceError("--drain is \(self.drain)", hint: "0 to 3600 seconds")
        }
        configuration.drainTime = .seconds(self.drain)
        // A process that is nothing but a server has thousands of sessions, and used no OpenSSL before.
        configuration.transport.compactsTLSMemory = true
        return configuration
    }

    private func show(_ report: BootstrapReport) {
        var members: [(String, String)]
        switch report {
        case .started(let endpoint): members = [("event", "started"), ("endpoint", endpoint.string)]
        case .finished(let endpoint, _): members = [("event", "finished"), ("endpoint", endpoint.string)]
        case .failed(let endpoint, let failure):
            members = [("event", "failed"), ("endpoint", endpoint.string), ("cause", Self.words(failure))]
        case .refused(_, let endpoint, let refusal):
            members = [("event", "refused")]
            if let endpoint { members.append(("endpoint", endpoint.string)) }
            if !self.service.json { members[members.count - 1].1 += ":" }
            members.append(("cause", Self.words(refusal)))
            if self.service.json { members.append(("code", refusal.code.text)) }
        }
        self.say(members)
    }

    private func show(_ report: BalancerLinkReport) {
        switch report {
        case .known: self.say([("event", "balancer"), ("state", "known")])
        case .back: self.say([("event", "balancer"), ("state", "back")])
        case .lost: self.say([("event", "balancer"), ("state", "unreachable")])
        case .refused(let code): self.say([("event", "balancer"), ("state", "refuses"), ("code", code.text)])
        }
    }

    private func show(_ result: Result<Int, ServiceError>) {
        switch result {
        case .success(let count): self.say([("event", "database"), ("devices", "\(count)")])
        case .failure(let error): ServiceConsole.complain(error)
        }
    }

    private func say(_ members: [(String, String)]) {
        if self.service.json {
            ServiceConsole.say(ServiceConsole.json(Dictionary(members) { first, _ in first }))
        } else {
            ServiceConsole.say(members.map(\.1).joined(separator: " "))
        }
    }

    private static func words(_ refusal: BootstrapRefusal) -> String {
        switch refusal {
        case .malformed: "malformed"
        case .identityMismatch: "identity"
        case .missingHost: "missing host"
        case .unknownHost: "unknown host"
        case .expiredHost: "expired host"
        case .unknownEndpoint: "unknown device"
        case .busy: "busy"
        case .draining: "ending"
        case .notFound: "no such path"
        case .methodNotAllowed: "no such method"
        case .unsupportedFormat: "unsupported format"
        case .packNotImplemented: "no Bootstrap-Pack"
        case .notStored: "not stored"
        }
    }

    private static func words(_ failure: BootstrapServerFailure) -> String {
        switch failure {
        case .refused(let step, let code): "refused \(self.words(step)) with \(code.text)"
        case .unreachable(let step, .timedOut): "no answer to \(self.words(step))"
        case .unreachable(let step, _): "lost at \(self.words(step))"
        case .encoding(let step): "cannot be written in the device's format: \(self.words(step))"
        case .sessionClosed: "session closed"
        case .restarted: "asked anew"
        }
    }

    private static func words(_ step: BootstrapStep) -> String {
        switch step {
        case .discover: "discover"
        case .delete(let path): "delete \(path.text)"
        case .write(let path): "write \(path.text)"
        case .finish: "finish"
        }
    }
}
