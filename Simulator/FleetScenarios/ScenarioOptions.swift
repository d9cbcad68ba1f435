/// The options of a run as text, from the command line or a scenario file.
///
/// The names in files are those of the command line without the dashes in front.
public struct ScenarioOptions: Hashable, Sendable {
    /// The names of all options.
    public static let names = [
        "bootstrap", "bootstrap-timeout", "command-restarts", "command-sessions", "devices", "dns", "duration",
        "endpoint", "first-index", "handshake-timeout", "handshakes-in-flight", "json", "lifetime", "loss",
        "notify-every",
        "own-object-ids", "profile", "psk-identity", "psk-key", "psk-secret", "quiet", "ramp", "rate", "seed",
        "server", "source-address", "start-patience",
    ]

    private var values: [String: String] = [:]

    /// Creates options without any.
    public init() {}

    /// The text of an option; nil when it was not given.
    public subscript(name: String) -> String? {
        get { self.values[name] }
        set { self.values[name] = newValue }
    }

    /// The options with those of another set in place of the same ones here: the command line over a file.
    public func overridden(by others: ScenarioOptions) -> ScenarioOptions {
        var result = self
        // What excludes each other must not meet across the two sources.
        for group in [["server", "bootstrap"], ["psk-key", "psk-secret"]]
        where group.contains(where: { others.values[$0] != nil }) {
            for name in group { result.values[name] = nil }
        }
        result.values.merge(others.values) { _, other in other }
        return result
    }
}
