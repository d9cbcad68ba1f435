import ArgumentParser
import Foundation
import Primitives
import ServiceSupport

/// The options that every service has: where it listens and which keys it knows.
struct ServiceOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Address to listen on; repeat it or separate with commas. Port 0 is any free one.",
            valueName: "uri"
        )
    )
    var listen: [String] = []
    @Option(help: ArgumentHelp("One key for all devices, in hexadecimal, or @FILE with it.", valueName: "hex"))
    var pskKey: String?
    @Option(
        help: ArgumentHelp(
            "The secret of each device's key: 16 bytes of HMAC-SHA-256 over its identity. Or @FILE.",
            valueName: "hex"
        )
    )
    var pskSecret: String?
    @Option(
        help: ArgumentHelp(
            "Devices with their keys: lines 'endpoint,identity,key', or JSON; only they may connect.",
            valueName: "file"
        )
    )
    var credentials: String?
    @Flag(help: "Let any identity use any endpoint name.")
    var anyEndpoint = false
    @Flag(help: "Print each event as a line of JSON instead of text.")
    var json = false
    @Flag(help: "Print no events, only where the server listens.")
    var quiet = false

    func addresses() throws(ServiceError) -> [ListenAddress] {
        var addresses: [ListenAddress] = []
        for text in self.listen.flatMap({ $0.split(separator: ",").map(String.init) }) {
            addresses.append(try ListenAddress(parsing: text.trimmingCharacters(in: .whitespaces)))
        }
        return addresses
    }

    func keys() throws(ServiceError) -> DeviceKeys {
        let given = [self.pskKey, self.pskSecret, self.credentials].compactMap { $0 }
        guard given.count <= 1 else {
            throw ServiceError(
                "there is more than one source of keys",
                hint: "choose one of --psk-key, --psk-secret and --credentials"
            )
        }
        if let text = self.pskKey { return .shared(try DeviceKeys.readKey(text, option: "--psk-key")) }
        if let text = self.pskSecret { return .derived(secret: try DeviceKeys.readKey(text, option: "--psk-secret")) }
        if let path = self.credentials { return .listed(try CredentialTable(contentsOf: path)) }
        return .none
    }
}

/// A name with a key, as `NAME:KEY` on the command line; the key is hexadecimal, or `@FILE` with it.
struct NamedKey {
    let name: UTF8Text
    let key: SecretBytes

    init(parsing text: String, option: String) throws(ServiceError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, (1...255).contains(parts[0].utf8.count) else {
            throw ServiceError("\(option) needs a name and a key", hint: "write NAME:@FILE or NAME:HEX")
        }
        self.name = UTF8Text(parts[0])
        self.key = try DeviceKeys.readKey(parts[1], option: option)
    }

    static func table(_ texts: [String], option: String) throws(ServiceError) -> CredentialTable {
        var credentials: [Credential] = []
        for text in texts {
            let key = try NamedKey(parsing: text, option: option)
            credentials.append(Credential(endpoint: key.name, identity: key.name.bytes, key: key.key))
        }
        return try CredentialTable(credentials)
    }
}

/// How the verbs of the services speak and end.
enum ServiceConsole {
    /// The exit codes of the services and of `ctl`.
    enum Exit {
        static let refused = ExitCode(1)
        static let usage = ExitCode(2)
        static let unreachable = ExitCode(3)
    }

    static func complain(_ error: ServiceError) {
        StandardStream.error.write("Error: \(error.message)\nHint: \(error.hint)\n")
    }

    /// Writes a line at once, also into a pipe.
    static func say(_ line: String) {
        StandardStream.output.write(line + "\n")
    }

    static func json(_ members: [String: String]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(members)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
