import BootstrapURIs
import CoAPMessages
import Foundation
import Primitives

/// Writes derivations for people or machines.
struct DerivationPrinter {
    enum Form {
        case json
        case ni
        case short
        case steps
    }

    let profile: BootstrapURIProfile
    let form: Form

    /// What stands before all derivations, when there is something.
    var header: String? {
        guard self.form == .steps else { return nil }
        let bits = self.profile.bitCount
        return "profile     \(self.profile.text.string)\nbits        \(bits) of the hash are in a name"
    }

    func text(of steps: Derivation, endpoint: String) -> String {
        switch self.form {
        case .json: self.object(steps, endpoint)
        case .ni: steps.namedInformation?.string ?? ""
        case .short: steps.uri.text
        case .steps: self.lines(steps).map { Self.column($0.0) + $0.1 }.joined(separator: "\n")
        }
    }

    // MARK: For people

    private func lines(_ steps: Derivation) -> [(String, String)] {
        var lines = [("", "")]
        if self.profile.usesTime {
            let start = Self.date(self.profile.start(of: steps.window))
            let end = Self.date(self.profile.end(of: steps.window))
            lines.append(("window", "\(steps.window.stamp)   \(start) until \(end)"))
        } else {
            lines.append(("window", "the only one: time is no parameter"))
        }
        for parameter in steps.parameters {
            let shown = Self.words(parameter, self.profile)
            lines.append((parameter.parameter.name.string, "\(Hexadecimal.encode(parameter.bytes))\(shown)"))
        }
        if let message = steps.message { lines.append(("message", Hexadecimal.encode(message))) }
        lines.append(("hashed", self.hashing(steps)))
        lines.append(("derivative", Hexadecimal.encode(steps.derivative)))
        if let ni = steps.namedInformation { lines.append(("ni", ni.string)) }
        lines.append(("text", steps.text.string))
        lines.append(("selected", steps.selected.string))
        if self.profile.part != nil { lines.append(("part", steps.part.string)) }
        lines.append(("name", steps.name.string))
        lines.append(("uri", steps.uri.text))
        return lines
    }

    /// The input of the hash in words: the secret is in it.
    private func hashing(_ steps: Derivation) -> String {
        let suite = self.profile.suite.name.string
        guard steps.message != nil else {
            let keyed = self.profile.suite == .hmacSHA256 ? ", keyed by the secret" : ""
            return "\(suite) of \(steps.inputByteCount) bytes, the secret among them\(keyed)"
        }
        return self.profile.suite == .hmacSHA256
            ? "\(suite) of the message, keyed by the secret"
            : "\(suite) of the message's HMAC-SHA-256, keyed by the secret"
    }

    private static func words(_ parameter: Derivation.Parameter, _ profile: BootstrapURIProfile) -> String {
        switch parameter.parameter {
        case .endpoint: "   \(String(decoding: parameter.bytes, as: UTF8.self).debugDescription)"
        case .time: profile.timeForm == .decimal ? "   \"\(String(decoding: parameter.bytes, as: UTF8.self))\"" : ""
        case .randomVariable: profile.counter.map { "   of counter \($0)" } ?? ""
        }
    }

    private static func column(_ name: String) -> String {
        name.isEmpty ? "" : name + String(repeating: " ", count: max(1, 12 - name.count))
    }

    /// The time as RFC 3339 has it; in seconds when it lies outside the years 1 to 9999.
    private static func date(_ time: WallTime) -> String {
        let seconds = time.secondsSinceEpoch
        guard (-62_135_596_800...253_402_300_799).contains(seconds) else { return "\(seconds)" }
        return Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }

    // MARK: For machines

    private struct Object: Encodable {
        struct Window: Encodable {
            let stamp: Int64
            let start: Int64
            let end: Int64
        }

        struct Parameter: Encodable {
            let name: String
            let bytes: String
        }

        let endpoint: String
        let profile: [String: String]
        let window: Window?
        let parameters: [Parameter]
        let message: String?
        let hashedBytes: Int
        let derivative: String
        let ni: String?
        let text: String
        let selected: String
        let part: String?
        let name: String
        let bits: Int
        let host: String
        let uri: String
    }

    private func object(_ steps: Derivation, _ endpoint: String) -> String {
        let fields = self.profile.fields.map { ($0.name.string, $0.value.string) }
        let object = Object(
            endpoint: endpoint,
            profile: Dictionary(fields) { first, _ in first },
            window: self.profile.usesTime
                ? Object.Window(
                    stamp: steps.window.stamp,
                    start: self.profile.start(of: steps.window).secondsSinceEpoch,
                    end: self.profile.end(of: steps.window).secondsSinceEpoch
                ) : nil,
            parameters: steps.parameters.map {
                Object.Parameter(name: $0.parameter.name.string, bytes: Hexadecimal.encode($0.bytes))
            },
            message: steps.message.map(Hexadecimal.encode),
            hashedBytes: steps.inputByteCount,
            derivative: Hexadecimal.encode(steps.derivative),
            ni: steps.namedInformation?.string,
            text: steps.text.string,
            selected: steps.selected.string,
            part: self.profile.part == nil ? nil : steps.part.string,
            name: steps.name.string,
            bits: self.profile.bitCount,
            host: steps.uri.host.string,
            uri: steps.uri.text
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(object)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
