import Primitives

/// One line of a balancer's log; no secret, key or temporary name is in it.
public struct BalancerLogEntry: Equatable, Sendable {
    /// A short word that does not change, such as `instance-up`.
    public var event: String
    /// What it is about, by name; machines read these.
    public var members: [String: String]
    /// The same for people.
    public var text: String

    init(_ event: String, _ text: String, _ members: [String: String] = [:]) {
        self.event = event
        self.text = text
        self.members = members
    }
}

/// Lets through so many lines of a kind a second, and counts the others.
struct LineLimit {
    private static let perSecond = 5

    private var second: Int64 = .min
    private var counts: [String: Int] = [:]

    /// Whether a line of this kind may be written.
    ///
    /// - Returns: how many lines of each kind were left out in the second before, to be told first; nil: write nothing.
    mutating func admit(_ kind: String, now: MonotonicTime) -> [(kind: String, count: Int)]? {
        var leftOut: [(String, Int)] = []
        let second = now.nanoseconds / 1_000_000_000
        if second != self.second {
            leftOut = self.counts.filter { $0.value > Self.perSecond }
                .map { ($0.key, $0.value - Self.perSecond) }
                .sorted { $0.0 < $1.0 }
            self.second = second
            self.counts = [:]
        }
        self.counts[kind, default: 0] += 1
        return self.counts[kind, default: 0] <= Self.perSecond ? leftOut : nil
    }
}
