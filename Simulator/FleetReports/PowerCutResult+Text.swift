import Foundation
public import PowerCut

extension PowerCutResult {
    /// Writes the result as JSON: indented, keys in alphabetical order, a newline at the end.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }

    /// Reads what ``json()`` wrote.
    public init(json: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(json.utf8))
    }

    /// The result as lines of plain text for people.
    public var table: String {
        var lines = [
            "",
            "\(Self.grouped(self.devices)) devices, \(self.serversText), \(self.attackText)",
            "",
            "bootstrapped    \(Self.grouped(self.bootstrapped)) after \(Self.time(self.endSeconds))",
            "50 %, 99 %      \(self.time(self.secondsTo50)), \(self.time(self.secondsTo99))",
            "100 %           \(self.timeToAll)",
            "messages        \(Self.grouped(self.datagrams)) datagrams, \(self.perDevice) for each device; "
                + "\(Self.grouped(self.requests)) bootstrap requests",
        ]
        let failures = self.failures.sorted { $0.key < $1.key }.map { "\($0.key) \(Self.grouped($0.value))" }
        if !failures.isEmpty { lines.append("failed attempts " + failures.joined(separator: ", ")) }
        if self.instances > 0 {
            lines.append(
                "names           \(Self.grouped(self.names.published)) published, "
                    + "\(Self.grouped(self.names.updates)) updates, \(Self.grouped(self.names.changes)) changes"
            )
            lines.append(
                "strangers       \(Self.grouped(self.strangers.guesses)) guesses, "
                    + "\(Self.grouped(self.strangers.nameErrors)) ended in NXDOMAIN"
            )
        }
        lines += ["", "server           finished    refused       lost  strangers   busy s"]
        for server in self.servers {
            let numbers = [
                Self.grouped(server.finished), Self.grouped(server.refused), Self.grouped(server.lost),
                Self.grouped(server.strangersServed + server.strangersLost),
            ]
            let cells = numbers.map { Self.padded($0, 11) }.joined()
            lines.append(
                server.name.padding(toLength: 14, withPad: " ", startingAt: 0) + cells
                    + Self.padded(String(format: "%.1f", server.busySeconds), 9)
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Results as a table in Markdown, one row each.
    public static func markdown(_ results: [PowerCutResult]) -> String {
        var lines = [
            "| Devices | Servers | Attack | 50 % | 99 % | 100 % | Datagrams per device | Refused | Lost at servers "
                + "| CPU of a server |",
            "|--:|---|---|--:|--:|--:|--:|--:|--:|--:|",
        ]
        for result in results {
            let asked = result.askedServers
            let cells = [
                Self.grouped(result.devices), result.serversText, result.attackText, result.time(result.secondsTo50),
                result.time(result.secondsTo99), result.timeToAll, result.perDevice,
                Self.grouped(asked.reduce(0) { $0 + $1.refused }), Self.grouped(asked.reduce(0) { $0 + $1.lost }),
                Self.range(asked.map(\.busySeconds)),
            ]
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The servers that devices ask: not the one under the static name where names are temporary.
    var askedServers: ArraySlice<Server> { self.servers.prefix(max(self.instances, 1)) }

    var serversText: String {
        switch self.instances {
        case 0: "one static server"
        case 1: "1 instance"
        default: "\(self.instances) instances"
        }
    }

    var attackText: String { self.attackRate > 0 ? "\(Self.grouped(Int(self.attackRate)))/s" : "no attack" }

    private var perDevice: String { String(format: "%.1f", Double(self.datagrams) / Double(max(self.devices, 1))) }

    private func time(_ seconds: Double?) -> String {
        seconds.map(Self.time) ?? "not reached"
    }

    /// When all devices were bootstrapped, or how many were when the experiment ended.
    private var timeToAll: String {
        if let seconds = self.secondsTo100 { return Self.time(seconds) }
        let percent = Double(self.bootstrapped) * 100 / Double(max(self.devices, 1))
        return String(format: "%.1f %% in ", percent) + Self.time(self.endSeconds)
    }

    /// `31.6 s`, `4 min 29 s`, `2 h 5 min`.
    static func time(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if seconds < 120 { return String(format: seconds == Double(whole) ? "%.0f s" : "%.1f s", seconds) }
        if whole < 7_200 { return "\(whole / 60) min" + (whole % 60 > 0 ? " \(whole % 60) s" : "") }
        return "\(whole / 3_600) h" + (whole % 3_600 >= 60 ? " \(whole % 3_600 / 60) min" : "")
    }

    private static func range(_ seconds: [Double]) -> String {
        guard let least = seconds.min(), let most = seconds.max() else { return "" }
        let (low, high) = (Int(least.rounded()), Int(most.rounded()))
        return low == high ? "\(Self.grouped(low)) s" : "\(Self.grouped(low)) to \(Self.grouped(high)) s"
    }

    /// `1,000,000`.
    static func grouped(_ number: Int) -> String {
        var digits = Array(String(number.magnitude))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return (number < 0 ? "-" : "") + String(digits)
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 0)) + text
    }
}
