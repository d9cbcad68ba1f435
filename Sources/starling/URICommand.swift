import ArgumentParser
import BootstrapURIs
import CryptographicHashes
import Foundation
import KeyDerivation
import Primitives
import ServiceSupport

/// Derives temporary bootstrap URIs and shows every step.
struct URICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uri",
        abstract: "Derive temporary bootstrap URIs and print every step, never the secret.",
        discussion: """
            A device, the balancer and every bootstrap server derive the same URI from the same secret, endpoint name, \
            time and profile. This verb does what they do. What it prints leads to a live server: do not log it.

            The secret comes from --secret, from the variable that --secret-env names, or for each endpoint from \
            --psk-secret, as everywhere in this program.

            EXAMPLES
              Every step, for a device, now, with the standard profile:
                starling uri --static-uri coaps://bs.example.com --endpoint urn:dev:1 --secret @device.key

              The names of a day in half hours, one URI a line:
                starling uri --static-uri coaps://bs.example.com --endpoint urn:dev:1 --secret @device.key \\
                  --profile period=1800 --time 2026-11-21T00:00:00Z --until 2026-11-21T23:59:59Z --short

              Two devices of a fleet whose keys follow from one secret, in the current and the next window, for machines:
                starling uri --static-uri coaps://bs.example.com --endpoint a --endpoint b \\
                  --psk-secret @fleet.secret --windows 2 --json

              The hash alone, by its name of RFC 6920:
                starling uri --static-uri coaps://bs.example.com --endpoint urn:dev:1 --secret-env DEVICE_KEY \\
                  --profile suite=sha-256-128,combination=concatenation --ni

              A profile is name=value with commas or line breaks between; what is left out is as here:
                \(BootstrapURIProfile.standard.text.string)

            EXIT STATUS
              0  derived
              2  the options are not valid, or there is no such URI
            """
    )

    @OptionGroup var uris: TemporaryURIOptions
    @Option(help: ArgumentHelp("The endpoint client name; repeat it for several devices.", valueName: "name"))
    var endpoint: [String] = []
    @Option(
        help: ArgumentHelp(
            "The pre-shared key or other credential that device and network share, in hexadecimal, or @FILE with it.",
            valueName: "hex"
        )
    )
    var secret: String?
    @Option(help: ArgumentHelp("The environment variable that holds the same.", valueName: "variable"))
    var secretEnv: String?
    @Option(
        help: ArgumentHelp(
            "The secret of each device's key: 16 bytes of HMAC-SHA-256 over its endpoint name. Or @FILE.",
            valueName: "hex"
        )
    )
    var pskSecret: String?
    @Option(
        help: ArgumentHelp(
            "When: seconds since 1970, or as 2026-11-21T10:00:00Z. Without it, now.",
            valueName: "time"
        )
    )
    var time: String?
    @Option(help: ArgumentHelp("Every window from that of --time to that of this time.", valueName: "time"))
    var until: String?
    @Option(help: ArgumentHelp("So many windows from that of --time.", valueName: "n"))
    var windows: Int?
    @Flag(help: "Also the neighbouring windows that the clock skew allows, as a device tries them.")
    var neighbours = false
    @Flag(help: "Print an object a line for machines.")
    var json = false
    @Flag(help: "Print the ni: form of the derivative alone.")
    var ni = false
    @Flag(help: "Print the URI alone.")
    var short = false

    private static let mostWindows = 100_000
    private static let largestSecret = 4096

    func run() throws {
        StandardStream.outlivesItsReader()
        do throws(ServiceError) {
            try self.print()
        } catch {
            ServiceConsole.complain(error)
            throw ServiceConsole.Exit.usage
        }
    }

    private func print() throws(ServiceError) {
        guard let uris = try self.uris.uris() else {
            throw ServiceError("there is no URI to insert names into", hint: "--static-uri coaps://bs.example.com:5684")
        }
        guard [self.json, self.ni, self.short].count(where: { $0 }) <= 1 else {
            throw ServiceError("there is more than one form to print in", hint: "choose --json, --ni or --short")
        }
        let profile = uris.profile
        let endpoints = try self.endpoints(profile)
        let printer = DerivationPrinter(
            profile: profile,
            form: self.json ? .json : self.ni ? .ni : self.short ? .short : .steps
        )
        if self.ni, profile.suite == .hmacSHA256 {
            throw ServiceError(
                "the suite hmac-sha-256 is not in the registry of RFC 6920, so it has no ni: form",
                hint: "--profile suite=sha-256"
            )
        }
        let windows = try self.chosenWindows(profile)
        var header = printer.header
        for endpoint in endpoints {
            let secret = try self.secret(of: endpoint)
            for window in windows {
                do throws(DerivationError) {
                    let steps = try uris.derivation(
                        secret: secret,
                        endpoint: UTF8Text(endpoint),
                        window: window,
                        hashes: .libCrypto
                    )
                    if let text = header { ServiceConsole.say(text) }
                    header = nil
                    ServiceConsole.say(printer.text(of: steps, endpoint: endpoint))
                } catch {
                    throw ServiceError(
                        error.description,
                        hint: "'openssl rand -hex 16' makes a key; test=yes takes any"
                    )
                }
            }
        }
    }

    private func endpoints(_ profile: BootstrapURIProfile) throws(ServiceError) -> [String] {
        guard self.endpoint.isEmpty else { return self.endpoint }
        guard !profile.parameters.contains(.endpoint), self.pskSecret == nil else {
            throw ServiceError("the name of a device is missing", hint: "--endpoint urn:dev:1")
        }
        return [""]
    }

    // MARK: Secrets

    private func secret(of endpoint: String) throws(ServiceError) -> SecretBytes {
        let given = [self.secret, self.secretEnv, self.pskSecret].compactMap { $0 }
        guard given.count == 1 else {
            throw ServiceError(
                given.isEmpty ? "there is no secret" : "there is more than one secret",
                hint: "choose one of --secret HEX or @FILE, --secret-env VARIABLE and --psk-secret HEX or @FILE"
            )
        }
        if let text = self.pskSecret {
            let secret = try DeviceKeys.readKey(text, option: "--psk-secret")
            return PreSharedKeyDerivation.key(secret: secret, identity: Array(endpoint.utf8))
        }
        if let variable = self.secretEnv {
            guard let text = ProcessInfo.processInfo.environment[variable] else {
                throw ServiceError(
                    "the variable '\(variable)' of --secret-env is not set",
                    hint: "export \(variable)=…"
                )
            }
            return try Self.credential(text, option: "the variable '\(variable)'")
        }
        return try Self.credential(self.secret ?? "", option: "--secret")
    }

    /// A credential may be longer than a key: a raw public key has hundreds of bytes.
    private static func credential(_ text: String, option: String) throws(ServiceError) -> SecretBytes {
        var digits = text
        if text.hasPrefix("@") {
            let path = String(text.dropFirst())
            guard let file = FileHandle(forReadingAtPath: path),
                let data = try? file.read(upToCount: 2 * self.largestSecret + 2)
            else {
                throw ServiceError("the file of \(option), '\(path)', cannot be read", hint: "check its permissions")
            }
            digits = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        guard let bytes = Hexadecimal.decode(digits) else {
            throw ServiceError(
                "\(option) is not hexadecimal",
                hint: "an even number of digits 0-9 and a-f, or @FILE; 'openssl rand -hex 16' makes a key"
            )
        }
        guard (1...self.largestSecret).contains(bytes.count) else {
            throw ServiceError("\(option) has \(bytes.count) bytes", hint: "1 to \(self.largestSecret) bytes")
        }
        return SecretBytes(bytes)
    }

    // MARK: Windows

    private func chosenWindows(_ profile: BootstrapURIProfile) throws(ServiceError) -> [TimeWindow] {
        let begin =
            try self.time.map { text throws(ServiceError) in try Self.parse(text, option: "--time") } ?? Self.now
        let given = [self.until != nil, self.windows != nil, self.neighbours].count(where: { $0 })
        guard given <= 1 else {
            throw ServiceError("there is more than one choice of windows", hint: "--until, --windows or --neighbours")
        }
        if self.neighbours { return profile.windows(around: begin) }
        var windows = [profile.window(at: begin)]
        guard profile.usesTime else { return windows }
        let last = try self.until.map { text throws(ServiceError) in
            profile.window(at: try Self.parse(text, option: "--until"))
        }
        let count = self.windows ?? (last == nil ? 1 : Self.mostWindows + 1)
        guard count >= 1, self.windows ?? 1 <= Self.mostWindows, last.map({ $0 >= windows[0] }) ?? true else {
            throw ServiceError(
                "there are no such windows",
                hint: "1 to \(Self.mostWindows), and --until not before --time"
            )
        }
        while windows.count < count, let window = windows.last, window != last { windows.append(profile.next(window)) }
        guard windows.count <= Self.mostWindows else {
            throw ServiceError("there are more than \(Self.mostWindows) windows", hint: "an earlier --until")
        }
        return windows
    }

    private static var now: WallTime { WallTime(secondsSinceEpoch: Int64(Date().timeIntervalSince1970.rounded(.down))) }

    private static func parse(_ text: String, option: String) throws(ServiceError) -> WallTime {
        if let seconds = Int64(text) { return WallTime(secondsSinceEpoch: seconds) }
        if let date = try? Date(text, strategy: .iso8601) {
            return WallTime(secondsSinceEpoch: Int64(date.timeIntervalSince1970.rounded(.down)))
        }
        throw ServiceError(
            "'\(text)' of \(option) is no time",
            hint: "seconds since 1970, or as 2026-11-21T10:00:00Z"
        )
    }
}
