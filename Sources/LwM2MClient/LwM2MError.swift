public import CoAPMessages

/// What went wrong, for programs (``code``) and for people (``hint``).
///
/// Keys and PSK identities never appear in it.
public struct LwM2MError: Error, Sendable {
    /// What kind of error it is; open, so that new kinds do not break a `switch` with a default.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String, Hashable, Sendable {
            case alreadyRunning
            case clockUnknown
            case handshakeRefused
            case inconsistentBootstrap
            case invalidConfiguration
            case invalidPath
            case invalidValue
            case local
            case malformedAnswer
            case nameNotFound
            case noAccount
            case rejected
            case storage
            case timedOut
            case unreachable
        }

        private let kind: Kind

        private init(_ kind: Kind) {
            self.kind = kind
        }

        /// The client runs already; one client runs once at a time.
        public static let alreadyRunning = Code(.alreadyRunning)
        /// The time is not known, and nothing can be done without it.
        public static let clockUnknown = Code(.clockUnknown)
        /// The server refused the handshake: identity, key or cipher suites.
        public static let handshakeRefused = Code(.handshakeRefused)
        /// What the bootstrap server delivered does not fit together.
        public static let inconsistentBootstrap = Code(.inconsistentBootstrap)
        /// The configuration cannot work as it is.
        public static let invalidConfiguration = Code(.invalidConfiguration)
        /// The path leads to nothing that this client hosts, or not to a resource.
        public static let invalidPath = Code(.invalidPath)
        /// The value does not fit the resource's type or range.
        public static let invalidValue = Code(.invalidValue)
        /// This machine has no descriptor, port or memory left, or lacks a library's feature.
        public static let local = Code(.local)
        /// The peer answered something that the protocol does not allow.
        public static let malformedAnswer = Code(.malformedAnswer)
        /// The server's name has no address, or no DNS server answered.
        public static let nameNotFound = Code(.nameNotFound)
        /// Neither a server nor a bootstrap server is known.
        public static let noAccount = Code(.noAccount)
        /// The server refused; ``LwM2MError/response`` has its code.
        public static let rejected = Code(.rejected)
        /// What must be kept could not be stored or loaded.
        public static let storage = Code(.storage)
        /// The server was silent for too long.
        public static let timedOut = Code(.timedOut)
        /// Nothing answers at the server's address.
        public static let unreachable = Code(.unreachable)

        /// The name of the code; `"handshakeRefused"`.
        public var description: String { self.kind.rawValue }
    }

    /// What kind of error it is.
    public let code: Code
    /// What happened, in one sentence.
    public let message: String
    /// What to check next; empty when there is nothing to say.
    public let hint: String
    /// The server's code, for ``Code/rejected``.
    public let response: CoAPCode?
    /// The error that caused this one.
    public let underlying: (any Error)?
    /// The file that made the error.
    public let file: String
    /// The line that made the error.
    public let line: Int

    /// Creates an error.
    public init(
        _ code: Code,
        _ message: String,
        hint: String = "",
        response: CoAPCode? = nil,
        underlying: (any Error)? = nil,
        file: String = #fileID,
        line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.response = response
        self.underlying = underlying
        self.file = file
        self.line = line
    }
}

extension LwM2MError: Equatable {
    /// Errors are equal when their codes, and the server's codes if any, are.
    public static func == (lhs: LwM2MError, rhs: LwM2MError) -> Bool {
        lhs.code == rhs.code && lhs.response == rhs.response
    }
}

extension LwM2MError: CustomStringConvertible {
    /// The message and, behind a dash, the hint.
    public var description: String { self.hint.isEmpty ? self.message : "\(self.message) — \(self.hint)" }
}
