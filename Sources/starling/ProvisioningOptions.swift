import ArgumentParser
import BootstrapEngine
import BootstrapServer
import CoAPMessages
import Primitives
import ServiceSupport

/// The management servers that devices are told of.
///
/// What stands once holds for all of them, what stands as often as `--server` for one after the other.
struct ProvisioningOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A management server that devices are told of; repeat it for more.", valueName: "uri"))
    var server: [String] = []
    @Option(help: ArgumentHelp("Its short server identifier, 1 to 65534; 1, 2, 3 … by itself.", valueName: "n"))
    var serverShortId: [UInt16] = []
    @Option(help: ArgumentHelp("Lifetime of registrations there; 300 by itself.", valueName: "seconds"))
    var serverLifetime: [UInt32] = []
    @Option(help: ArgumentHelp("Default least time between notifications.", valueName: "seconds"))
    var serverMinimumPeriod: [UInt32] = []
    @Option(help: ArgumentHelp("Default most time between notifications.", valueName: "seconds"))
    var serverMaximumPeriod: [UInt32] = []
    @Option(help: ArgumentHelp("One key for all devices at the management server.", valueName: "hex"))
    var serverPskKey: [String] = []
    @Option(help: ArgumentHelp("The secret from which each device's key there is derived.", valueName: "hex"))
    var serverPskSecret: [String] = []
    @Option(help: ArgumentHelp("Devices with their keys there; others are refused.", valueName: "file"))
    var serverCredentials: [String] = []
    @Option(
        help: ArgumentHelp(
            "What single devices are told, as lines or JSON; SIGHUP has it read again.",
            valueName: "file"
        )
    )
    var database: String?
    @Flag(help: "Do not ask devices what they hold before deleting and writing.")
    var skipDiscover = false

    /// - Parameter hasAccountKeys: whether the bootstrap accounts have keys, which then hold at the servers too.
    func rules(hasAccountKeys: Bool) throws(ServiceError) -> [ProvisioningRule] {
        var rules: [ProvisioningRule] = []
        for index in self.server.indices { rules.append(try self.rule(index, hasAccountKeys: hasAccountKeys)) }
        try self.checkCounts()
        return rules
    }

    private func rule(_ index: Int, hasAccountKeys: Bool) throws(ServiceError) -> ProvisioningRule {
        let text = self.server[index]
        let uri: CoAPURI
        do { uri = try CoAPURI(parsing: UTF8Text(text)) } catch {
            throw ServiceError("'\(text)' is no CoAP URI", hint: "write it as coaps://127.0.0.1:5684")
        }
        let keys = try self.keys(index)
        if uri.scheme == .coaps, case .account = keys, !hasAccountKeys {
            throw ServiceError("\(text) needs keys", hint: "--server-psk-key HEX or --server-psk-secret HEX")
        }
        return ProvisioningRule(
            server: ProvisionedServer(
                shortServerID: self.serverShortId.isEmpty
                    ? UInt16(clamping: index + 1) : Self.value(self.serverShortId, index) ?? 0,
                uri: UTF8Text(text),
                security: .none,
                lifetime: Self.value(self.serverLifetime, index) ?? 300,
                minimumPeriod: Self.value(self.serverMinimumPeriod, index),
                maximumPeriod: Self.value(self.serverMaximumPeriod, index)
            ),
            keys: uri.scheme == .coap ? .none : keys
        )
    }

    private static func value<Value>(_ values: [Value], _ index: Int) -> Value? {
        values.count == 1 ? values.first : values.indices.contains(index) ? values[index] : nil
    }

    private func keys(_ index: Int) throws(ServiceError) -> ProvisioningRule.Keys {
        let given = [self.serverPskKey, self.serverPskSecret, self.serverCredentials].filter { !$0.isEmpty }
        guard given.count <= 1 else {
            throw ServiceError(
                "there is more than one source of keys for the management server",
                hint: "choose one of --server-psk-key, --server-psk-secret and --server-credentials"
            )
        }
        if let text = Self.value(self.serverPskKey, index) {
            return .known(.shared(try DeviceKeys.readKey(text, option: "--server-psk-key")))
        }
        if let text = Self.value(self.serverPskSecret, index) {
            return .known(.derived(secret: try DeviceKeys.readKey(text, option: "--server-psk-secret")))
        }
        if let path = Self.value(self.serverCredentials, index) {
            return .known(.listed(try CredentialTable(contentsOf: path)))
        }
        return .account
    }

    private func checkCounts() throws(ServiceError) {
        let counts: KeyValuePairs = [
            "--server-short-id": self.serverShortId.count, "--server-lifetime": self.serverLifetime.count,
            "--server-minimum-period": self.serverMinimumPeriod.count,
            "--server-maximum-period": self.serverMaximumPeriod.count, "--server-psk-key": self.serverPskKey.count,
            "--server-psk-secret": self.serverPskSecret.count, "--server-credentials": self.serverCredentials.count,
        ]
        for (option, count) in counts where count > 1 && count != self.server.count {
            throw ServiceError(
                "\(option) stands \(count) times and --server \(self.server.count) times",
                hint: "once for all servers, or once for each in the same order"
            )
        }
    }
}
