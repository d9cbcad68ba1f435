/// How the devices of a fleet found their bootstrap server by temporary names: numbers of attempts, not of devices.
public struct FleetNames: Codable, Hashable, Sendable {
    /// Attempts at the name of the window in which the device's clock stood.
    public var current = 0
    /// Attempts at the name of a neighbouring window, near the border of a period.
    public var neighbour = 0
    /// Attempts at the static name, where the profile allows them.
    public var `static` = 0
    /// Answers that made a device wait and resolve its name again.
    public var holds = 0
    /// How often no name that a device could derive had an address.
    public var withoutName = 0
    /// How often a device had no clock to derive a name by.
    public var withoutClock = 0

    /// Creates counts of nothing.
    public init() {}

    /// The counts as a line of plain text.
    public var text: String { self.parts.joined(separator: ", ") }

    /// What ``text`` joins: where the devices went, then what kept them.
    var parts: [String] {
        var parts = ["\(self.current) current", "\(self.neighbour) neighbour", "\(self.static) static"]
        for (count, words) in [
            (self.holds, "held"), (self.withoutName, "without a name"), (self.withoutClock, "without a clock"),
        ] where count > 0 {
            parts.append("\(count) \(words)")
        }
        return parts
    }
}
