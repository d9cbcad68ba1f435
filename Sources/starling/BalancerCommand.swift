import ArgumentParser
import BalancerEngine
import BootstrapBalancer
import BootstrapURIs
import CoAPMessages
import CoAPTransport
import FleetEngine
import Foundation
import Primitives
import ServiceSupport

/// The bootstrap load balancer.
struct BalancerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "balancer",
        abstract: "Run the balancer that maps temporary bootstrap names to bootstrap server instances.",
        discussion: """
            It derives the temporary host name of every device for each window of time, shares the names among the \
            instances that report to it, and publishes them in DNS: by a responder in this process, or at a server \
            that takes signed updates (BIND, Knot). Names of devices that have been bootstrapped are not published.

            The first lines on standard output say where instances report, where the responder answers, where devices \
            are held and where the control socket is; what happens follows. Temporary names are in no line: \
            'starling ctl balancer names' shows them.

            EXAMPLES
              Ten devices with derived keys, and a DNS responder in this process:
                starling balancer --zone example.test --static-uri coaps://bs.example.test:5694 \\
                  --profile period=3600 --psk-secret 000102030405060708090a0b0c0d0e0f \\
                  --endpoints 'urn:dev:starling:{index}:10' --listen coaps://127.0.0.1:5685 \\
                  --instance-credentials instances.csv --dns embedded:127.0.0.1:5353 \\
                  --state balancer.sqlite --control balancer.sock

              A device database, and BIND:
                starling balancer --zone example.test --static-uri coaps://bs.example.test --profile @profile \\
                  --credentials devices.csv --listen coaps://10.0.0.1:5685 --instance-credentials instances.csv \\
                  --dns rfc2136:10.0.0.2:53 --tsig balancer:@tsig.key --state balancer.sqlite

            EXIT STATUS
              0  ended by SIGTERM or SIGINT
              2  the options are not valid, or an address, a key or the state cannot be used
            """
    )

    @Option(help: ArgumentHelp("The zone that the names are in.", valueName: "name"))
    var zone: String
    @OptionGroup var uris: TemporaryURIOptions
    @OptionGroup var secrets: DeviceSecretOptions
    @Option(
        help: ArgumentHelp("Where instances report; repeat it or separate with commas.", valueName: "uri")
    )
    var listen: [String] = []
    @Option(
        help: ArgumentHelp("Instances that may report: lines NAME,KEY, or as --credentials.", valueName: "file")
    )
    var instanceCredentials: String
    @OptionGroup var registry: RegistryOptions
    @OptionGroup var rules: BalancerRuleOptions
    @OptionGroup var onDemand: OnDemandOptions
    @Option(help: ArgumentHelp("SQLite file that keeps what is published and in progress.", valueName: "file"))
    var state: String?
    @Option(help: ArgumentHelp("Local socket for 'starling ctl balancer'.", valueName: "path"))
    var control: String?
    @Flag(help: "Print each event as a line of JSON instead of text.")
    var json = false
    @Flag(help: "Print no events, only where the balancer listens.")
    var quiet = false

    func run() throws {
        StandardStream.outlivesItsReader()
        Starling.showLibraryNotice()
        let balancer: BootstrapBalancer
        let writesJSON = self.json
        let isQuiet = self.quiet
        do throws(ServiceError) {
            balancer = try BootstrapBalancer(configuration: try self.configuration()) { entry in
                if !isQuiet { Self.show(entry, asJSON: writesJSON) }
            }
        } catch {
            ServiceConsole.complain(error)
            throw ServiceConsole.Exit.usage
        }
        for address in balancer.addresses { ServiceConsole.say("listening \(address.text)") }
        if let address = balancer.responderAddress { ServiceConsole.say("dns \(address.text)") }
        if let address = balancer.holdingAddress { ServiceConsole.say("holding \(address.text)") }
        if let control { ServiceConsole.say("control \(control)") }
        balancer.run()
    }

    private func configuration() throws(ServiceError) -> BootstrapBalancer.Configuration {
        guard let uris = try self.uris.uris() else {
            throw ServiceError("there is no static URI", hint: "--static-uri coaps://bs.example.test")
        }
        var addresses: [ListenAddress] = []
        for text in self.listen.flatMap({ $0.split(separator: ",").map(String.init) }) {
            addresses.append(try ListenAddress(parsing: text.trimmingCharacters(in: .whitespaces)))
        }
        var configuration = BootstrapBalancer.Configuration(
            zone: UTF8Text(self.zone.lowercased()),
            uris: uris,
            secrets: try self.secrets.secrets(),
            addresses: addresses,
            instances: try CredentialTable(contentsOf: self.instanceCredentials),
            registry: try self.registry.registry()
        )
        configuration.statePath = self.state
        configuration.controlPath = self.control
        configuration.stopsOnSignals = true
        configuration.transport.compactsTLSMemory = true
        try self.rules.apply(to: &configuration.engine, period: uris.profile.period)
        try self.onDemand.apply(to: &configuration)
        return configuration
    }

    private static func show(_ entry: BalancerLogEntry, asJSON: Bool) {
        guard asJSON else {
            ServiceConsole.say(entry.text)
            return
        }
        ServiceConsole.say(ServiceConsole.json(entry.members.merging(["event": entry.event]) { first, _ in first }))
    }
}
