/// How devices spread over the bootstrap server instances of a balancer, as the balancer counts it.
public struct InstanceSpread: Hashable, Sendable {
    /// What the balancer says of one instance.
    public struct Instance: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Whether it reports in time.
        public var isUp: Bool
        /// Bootstraps under way there.
        public var inProgress: Int
        /// Bootstraps that ended well there.
        public var completed: Int

        /// Creates an instance from its numbers.
        public init(name: String, isUp: Bool, inProgress: Int, completed: Int) {
            self.name = name
            self.isUp = isUp
            self.inProgress = inProgress
            self.completed = completed
        }
    }

    /// The most instances that have a line of their own.
    static let mostLines = 8
    private static let nameWidth = 16

    /// The instances, in the balancer's order.
    public var instances: [Instance]
    /// How often somebody asked for a name that does not exist, where the balancer answers for its zone itself.
    public var unknownNames: Int?

    /// Creates a spread from its numbers.
    public init(instances: [Instance], unknownNames: Int? = nil) {
        self.instances = instances
        self.unknownNames = unknownNames
    }

    /// One line with everything; no colours, no control characters.
    var line: String {
        var parts = self.instances.prefix(Self.mostLines).map { "\($0.name) \($0.completed)" }
        if let unknownNames { parts.append("NXDOMAIN \(unknownNames)") }
        return parts.joined(separator: " ")
    }

    /// A bar for each instance, all of one scale, and what strangers found; with the colour of each line.
    func lines(width: Int) -> [(text: String, colour: Int)] {
        let room = max(width - Self.nameWidth - 36, 8)
        let most = max(self.instances.map(\.completed).max() ?? 0, 1)
        var lines = self.instances.prefix(Self.mostLines).map { instance in
            let length = room * max(instance.completed, 0) / most
            let bar = String(repeating: "#", count: length) + String(repeating: " ", count: room - length)
            let name = String(instance.name.prefix(Self.nameWidth - 2))
            let gap = String(repeating: " ", count: Self.nameWidth - name.count)
            let state = instance.isUp ? "\(instance.inProgress) under way" : "lost"
            return (
                text: "\(name)\(gap)\(bar)  \(instance.completed) bootstrapped, \(state)",
                colour: instance.isUp ? 36 : 31
            )
        }
        if self.instances.count > Self.mostLines {
            lines.append(("and \(self.instances.count - Self.mostLines) instances more", 0))
        }
        if let unknownNames {
            lines.append(("strangers asked for \(unknownNames) names that do not exist (NXDOMAIN)", 33))
        }
        return lines
    }
}
