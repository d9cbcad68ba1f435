public import CommandSessions
public import LwM2MModel
public import Primitives

/// Who may send which commands to which devices: what no rule allows is refused.
public struct PermissionPolicy: Hashable, Sendable {
    /// Allows some commands.
    public struct Rule: Hashable, Sendable {
        /// Who may; nil for everybody who reaches the control socket.
        public var user: UTF8Text?
        /// How the names of the devices begin; empty for all.
        public var endpointPrefix: UTF8Text
        /// Where the commands may act: there and below.
        public var path: ObjectPath
        /// What the commands may do.
        public var operations: Set<SessionCommand.Operation>

        /// Creates a rule; without arguments it allows everything.
        public init(
            user: UTF8Text? = nil,
            endpointPrefix: UTF8Text = "",
            path: ObjectPath = .root,
            operations: Set<SessionCommand.Operation> = Set(SessionCommand.Operation.allCases)
        ) {
            self.user = user
            self.endpointPrefix = endpointPrefix
            self.path = path
            self.operations = operations
        }

        func allows(_ command: GatewayCommand) -> Bool {
            (self.user == nil || self.user == command.user)
                && command.endpoint.bytes.starts(with: self.endpointPrefix.bytes)
                && self.path.contains(command.command.path)
                && self.operations.contains(command.command.operation)
        }
    }

    /// One that allows is enough.
    public var rules: [Rule]

    /// Whoever reaches the control socket may do everything: the file's mode says who that is.
    public static let standard = PermissionPolicy(rules: [Rule()])

    /// Creates a policy.
    public init(rules: [Rule]) {
        self.rules = rules
    }

    /// Whether a command may be sent.
    public func allows(_ command: GatewayCommand) -> Bool {
        self.rules.contains { $0.allows(command) }
    }
}
