/// What became of the command sessions of a fleet, as its devices saw it.
public struct FleetCommands: Codable, Hashable, Sendable {
    /// Sessions whose command was executed.
    public var completed = 0
    /// Of those, how many commands were refused with a code of error.
    public var refused = 0
    /// Sessions that ended before their command was executed.
    public var aborted = 0
    /// Messages of sessions that were over.
    public var late = 0
    /// Checks that failed, by what they found.
    public var breaches: [String: Int] = [:]
    /// How often a device left a server for a while because of one.
    public var suspensions = 0
    /// How often a device was taken down in the middle and came back.
    public var restarts = 0

    /// Creates counts of nothing.
    public init() {}

    /// What the table joins.
    var parts: [String] {
        var parts = ["\(self.completed) completed", "\(self.aborted) aborted"]
        for (count, words) in [
            (self.refused, "refused"), (self.late, "late"), (self.suspensions, "suspended"),
            (self.restarts, "restarts"),
        ] where count > 0 {
            parts.append("\(count) \(words)")
        }
        parts += self.breaches.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return parts
    }
}
