import ArgumentParser
import BootstrapEngine
import BootstrapServer
import CoAPMessages
import CoAPTransport
import LwM2MModel
import Primitives
import ServiceSupport

/// A bootstrap server for development.
struct BootstrapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootstrap",
        abstract: "Run an LwM2M bootstrap server that tells every device of a management server.",
        discussion: """
            A device that asks is asked what it holds, emptied, told of the management server with a key of its own or \
            a common one, and told to finish. Without --server-psk-…, the keys for the management server are the \
            ones of the bootstrap accounts.

            EXAMPLES
              Keys derived from one secret, at both servers:
                starling bootstrap --listen coaps://127.0.0.1:5694 --psk-secret 000102030405060708090a0b0c0d0e0f \\
                  --server coaps://127.0.0.1:5684 --server-lifetime 300

              One key for bootstrap; another secret for the management server:
                starling bootstrap --listen coaps://127.0.0.1:0 --psk-key 001122334455 \\
                  --server coaps://127.0.0.1:5684 --server-psk-secret 000102030405060708090a0b0c0d0e0f

            EXIT STATUS
              0  ended by SIGTERM or SIGINT
              2  the options are not valid, or an address, a key or the state cannot be used
            """
    )

    @OptionGroup var service: ServiceOptions
    @Option(help: ArgumentHelp("The management server that devices are told of.", valueName: "uri"))
    var server: String
    @Option(help: ArgumentHelp("Its short server identifier, 1 to 65534.", valueName: "n"))
    var serverShortId: UInt16 = 1
    @Option(help: ArgumentHelp("Lifetime of registrations there.", valueName: "seconds"))
    var serverLifetime: UInt32 = 300
    @Option(help: ArgumentHelp("Default least time between notifications.", valueName: "seconds"))
    var serverMinimumPeriod: UInt32?
    @Option(help: ArgumentHelp("Default most time between notifications.", valueName: "seconds"))
    var serverMaximumPeriod: UInt32?
    @Option(help: ArgumentHelp("One key for all devices at the management server.", valueName: "hex"))
    var serverPskKey: String?
    @Option(help: ArgumentHelp("The secret from which each device's key there is derived.", valueName: "hex"))
    var serverPskSecret: String?
    @Option(help: ArgumentHelp("Devices with their keys there; others are refused.", valueName: "file"))
    var serverCredentials: String?
    @Flag(help: "Do not ask devices what they hold before deleting and writing.")
    var skipDiscover = false
    @Option(help: ArgumentHelp("SQLite file that keeps what was given to whom.", valueName: "file"))
    var state: String?

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
        if !self.service.quiet { server.onReport = self.show }
        server.run()
    }

    private func configuration() throws(ServiceError) -> BootstrapServer.Configuration {
        let keys = try self.service.keys()
        var configuration = BootstrapServer.Configuration(
            addresses: try self.service.addresses(),
            keys: keys,
            rules: [try self.rule(bootstrapKeys: keys)],
            statePath: self.state
        )
        configuration.stopsOnSignals = true
        // A process that is nothing but a server has thousands of sessions, and used no OpenSSL before.
        configuration.transport.compactsTLSMemory = true
        configuration.discoversFirst = !self.skipDiscover
        if self.service.anyEndpoint {
            configuration.engine.endpointRule = EndpointRule(.any)
        } else if case .listed(let table) = keys {
            configuration.engine.endpointRule = table.endpointRule
        }
        return configuration
    }

    private func rule(bootstrapKeys: DeviceKeys) throws(ServiceError) -> ProvisioningRule {
        let uri: CoAPURI
        do { uri = try CoAPURI(parsing: UTF8Text(self.server)) } catch {
            throw ServiceError("'\(self.server)' is no CoAP URI", hint: "write it as coaps://127.0.0.1:5684")
        }
        let keys = try self.serverKeys() ?? bootstrapKeys
        if uri.scheme == .coaps, case .none = keys {
            throw ServiceError("\(self.server) needs keys", hint: "--server-psk-key HEX or --server-psk-secret HEX")
        }
        return ProvisioningRule(
            server: ProvisionedServer(
                shortServerID: self.serverShortId,
                uri: UTF8Text(self.server),
                security: .none,
                lifetime: self.serverLifetime,
                minimumPeriod: self.serverMinimumPeriod,
                maximumPeriod: self.serverMaximumPeriod
            ),
            keys: uri.scheme == .coap ? .none : .known(keys)
        )
    }

    private func serverKeys() throws(ServiceError) -> DeviceKeys? {
        let given = [self.serverPskKey, self.serverPskSecret, self.serverCredentials].compactMap { $0 }
        guard given.count <= 1 else {
            throw ServiceError(
                "there is more than one source of keys for the management server",
                hint: "choose one of --server-psk-key, --server-psk-secret and --server-credentials"
            )
        }
        if let text = self.serverPskKey { return .shared(try DeviceKeys.readKey(text, option: "--server-psk-key")) }
        if let text = self.serverPskSecret {
            return .derived(secret: try DeviceKeys.readKey(text, option: "--server-psk-secret"))
        }
        if let path = self.serverCredentials { return .listed(try CredentialTable(contentsOf: path)) }
        return nil
    }

    private func show(_ report: BootstrapReport) {
        var members: [(String, String)]
        switch report {
        case .started(let endpoint): members = [("event", "started"), ("endpoint", endpoint.string)]
        case .finished(let endpoint, _): members = [("event", "finished"), ("endpoint", endpoint.string)]
        case .failed(let endpoint, let failure):
            members = [("event", "failed"), ("endpoint", endpoint.string), ("cause", Self.words(failure))]
        case .refused(_, let code): members = [("event", "refused"), ("code", code.text)]
        }
        if self.service.json {
            ServiceConsole.say(ServiceConsole.json(Dictionary(members) { first, _ in first }))
        } else {
            ServiceConsole.say(members.map(\.1).joined(separator: " "))
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
