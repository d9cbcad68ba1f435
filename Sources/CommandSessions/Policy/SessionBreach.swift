/// What a check found wrong; each kind stands on one line of the ``BreachPolicy``.
public enum SessionBreach: UInt8, Hashable, Sendable, CaseIterable {
    /// The command is not the one of the session.
    case changedCommand = 1
    /// A server changes a protected path outside a session.
    case directChange = 2
    /// The message is one that its receiver sends itself.
    case reflected = 3
    /// One of the two identifiers is not the session's.
    case swappedIdentifier = 4
    /// The server's address is none of the gateway's.
    case unknownAddress = 5
    /// The server is not the gateway.
    case unknownServer = 6
    /// No session that is still known has the identifiers.
    case wrongIdentifier = 7

    /// The line of the policy that it falls under.
    public var line: BreachPolicy.Line {
        switch self {
        case .directChange: .unpermitted
        case .unknownAddress, .unknownServer: .unknown
        case .changedCommand, .reflected, .swappedIdentifier, .wrongIdentifier: .spoofed
        }
    }

    /// A name for logs and counters, which never changes.
    public var name: StaticString {
        switch self {
        case .changedCommand: "changed-command"
        case .directChange: "direct-change"
        case .reflected: "reflected"
        case .swappedIdentifier: "swapped-identifier"
        case .unknownAddress: "unknown-address"
        case .unknownServer: "unknown-server"
        case .wrongIdentifier: "wrong-identifier"
        }
    }
}
