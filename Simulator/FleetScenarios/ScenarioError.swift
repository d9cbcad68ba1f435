public import BootstrapURIs
public import CoAPMessages
public import CommandSessions
public import FleetEngine
import Primitives

/// Why the options of a run do not describe one.
///
/// No case holds what was given as a key.
public enum ScenarioError: Error, Hashable, Sendable {
    /// A required option is missing; any one of these will do.
    case missing([String])
    /// Two options that exclude each other.
    case conflicting(String, String)
    /// Not a whole number, or one outside the range.
    case invalidNumber(option: String, text: String, allowed: ClosedRange<Int>)
    /// Not a duration, or a negative or senselessly long one.
    case invalidDuration(option: String, text: String)
    /// Not a rate.
    case invalidRate(option: String, text: String)
    /// Not a `coap` or `coaps` URI.
    case invalidURI(option: String, text: String, CoAPURI.ParseError)
    /// Not an IP address, with a port where one may be.
    case invalidAddress(option: String, text: String)
    /// Not hexadecimal digits, or too few or too many of them.
    case invalidKey(option: String, allowed: ClosedRange<Int>)
    /// Not an identity template.
    case invalidTemplate(option: String, text: String, IdentityTemplate.ParseError)
    /// Several devices would have the same name.
    case sameNameForAll(option: String)
    /// A truth value that is neither true nor false.
    case invalidFlag(option: String, text: String)
    /// The profile of temporary URIs is none, or does not fit the URI of `--bootstrap`.
    case invalidProfile(ProfileError)
    /// What devices are told about command sessions is no policy.
    case invalidSessions(SessionPolicy.FieldError)
    /// Not a percentage.
    case invalidShare(option: String, text: String)
    /// `--loss` is a whole percentage.
    case invalidLoss(text: String)
    /// The file that the profile should come from cannot be read.
    case unreadableProfile(path: String)
    /// The file that a key should come from cannot be read.
    case unreadableKey(option: String, path: String)
    /// The scenario file cannot be read.
    case unreadableFile(path: String)
    /// The scenario file is larger than a scenario can be; the limit in bytes.
    case fileTooLarge(limit: Int)
    /// The scenario file is not YAML, or not a mapping of names to plain values; at this line when known.
    case invalidFile(line: Int?)
    /// The scenario file names something that is no option.
    case unknownOption(String)

    /// What is wrong, for people.
    public var message: String {
        switch self {
        case .missing(let options): "missing " + options.map { "--\($0)" }.joined(separator: " or ")
        case .conflicting(let first, let second): "--\(first) and --\(second) exclude each other"
        case .invalidNumber(let option, let text, let allowed):
            "--\(option) '\(text)' is not a whole number from \(allowed.lowerBound) to \(allowed.upperBound)"
        case .invalidDuration(let option, let text): "--\(option) '\(text)' is not a duration"
        case .invalidRate(let option, let text): "--\(option) '\(text)' is not a rate"
        case .invalidURI(let option, let text, let reason): "--\(option) '\(text)': \(Self.text(of: reason))"
        case .invalidAddress(let option, let text): "--\(option) '\(text)' is not an IP address"
        case .invalidKey(let option, let allowed):
            "--\(option) is not hexadecimal, \(allowed.lowerBound) to \(allowed.upperBound) bytes"
        case .invalidTemplate(let option, let text, let reason): "--\(option) '\(text)': \(Self.text(of: reason))"
        case .sameNameForAll(let option): "--\(option) gives every device the same name"
        case .invalidFlag(let option, let text): "--\(option) '\(text)' is neither true nor false"
        case .invalidProfile(let reason): "--profile: \(reason.description)"
        case .invalidSessions(.unknown(let name)): "--command-sessions has no field '\(name.string)'"
        case .invalidSessions(.invalid(let field)): "--command-sessions: '\(field.name.string)' is missing or not valid"
        case .invalidSessions(.repeated(let field)): "--command-sessions states '\(field.name.string)' twice"
        case .invalidLoss(let text): "--loss '\(text)' is not a whole percentage below 100%"
        case .invalidShare(let option, let text): "--\(option) '\(text)' is not a percentage"
        case .unreadableProfile(let path): "the file of --profile, '\(path)', cannot be read"
        case .unreadableKey(let option, let path): "the file of --\(option), '\(path)', cannot be read"
        case .unreadableFile(let path): "the scenario file '\(path)' cannot be read"
        case .fileTooLarge(let limit): "the scenario file is larger than \(limit) bytes"
        case .invalidFile(let line):
            "the scenario file is not a YAML mapping of options to values" + (line.map { ", line \($0)" } ?? "")
        case .unknownOption(let name): "the scenario file has an unknown option '\(name)'"
        }
    }

    /// What to do about it, for people.
    public var hint: String {
        switch self {
        case .missing(let options) where options.contains("psk-key"):
            "coaps needs a key: --psk-key for all devices, or --psk-secret from which each device's key is derived"
        case .missing(["bootstrap"]): "names are derived from its URI: --bootstrap coaps://bs.example.com:5684"
        case .missing: "for example --server coaps://127.0.0.1:5684"
        case .conflicting: "leave one of them out"
        case .invalidNumber: "digits only, without separators"
        case .invalidDuration: "for example 500ms, 60s, 5m or 1h"
        case .invalidRate: "for example 500/s, or 30/m"
        case .invalidURI: "for example coaps://127.0.0.1:5684, or coap://[::1]:5683"
        case .invalidAddress: "for example 127.0.0.2,127.0.0.3, or [::1]"
        case .invalidKey: "for example --psk-key 00112233445566778899aabbccddeeff, or @FILE with such digits in it"
        case .invalidTemplate: "{index}, {index:8} and, in --psk-identity, {endpoint} are replaced"
        case .sameNameForAll: "add {index}, as in 'urn:dev:starling:{index}'"
        case .invalidFlag: "write true or false"
        case .invalidProfile: "for example --profile period=3600, with --bootstrap coaps://bs.example.com:5684"
        case .invalidSessions(.unknown):
            "the fields are \(SessionPolicy.Field.allCases.map { $0.name.string }.joined(separator: ", "))"
        case .invalidSessions(.invalid(let field)), .invalidSessions(.repeated(let field)): field.hint.string
        case .invalidLoss: "for example 2%"
        case .invalidShare: "for example 1%, or 0.5%"
        case .unreadableKey, .unreadableFile, .unreadableProfile: "check the path and its permissions"
        case .fileTooLarge, .invalidFile: "one option a line, as in 'rate: 500/s'"
        case .unknownOption: "the names are those of the options of `starling fleet run`, without dashes in front"
        }
    }

    private static func text(of reason: CoAPURI.ParseError) -> String {
        switch reason {
        case .unsupportedScheme: "the scheme is neither coap nor coaps"
        case .invalidHost: "the host is missing or malformed"
        case .invalidPort: "the port is not a number from 1 to 65535"
        case .invalidCharacter(let offset): "byte \(offset) must be escaped"
        case .unexpectedPart: "a fragment or user name has no place in it"
        case .tooLong: "it is longer than 255 bytes"
        }
    }

    private static func text(of reason: IdentityTemplate.ParseError) -> String {
        switch reason {
        case .empty: "it is empty"
        case .tooLong(let limit): "it is longer than \(limit) bytes"
        case .unclosedPlaceholder: "a { is not closed"
        case .unknownPlaceholder(let name): "there is no {\(name)}"
        }
    }
}
