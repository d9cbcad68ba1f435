/// A request that arrived and waits for its answer; unique within one transport.
public struct ExchangeID: Hashable, Sendable {
    /// The number the transport gave it.
    public let rawValue: UInt64

    /// Creates an identifier from its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// A request that was sent and waits for its answer; unique within the engine that sent it.
public struct RequestID: Hashable, Sendable {
    /// The number the engine gave it.
    public let rawValue: UInt32

    /// Creates an identifier from its number.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// A session with a peer; unique within the engine that named it.
public struct SessionID: Hashable, Sendable {
    /// The number the engine or, for accepted sessions, the transport gave it.
    public let rawValue: UInt32

    /// Creates an identifier from its number.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// Why a request got no answer.
public enum RequestFailure: Error, Hashable, Sendable {
    /// No acknowledgement or answer within the time the transport allows.
    case timedOut
    /// The peer answered with Reset.
    case reset
    /// The session closed or could not be opened.
    case sessionClosed
    /// The answer could not be assembled or was malformed.
    case malformedAnswer
    /// The transport refused to send: too large, or out of memory or buffers.
    case notSent
}

/// Why a session could not be opened or ended.
public enum SessionFailure: Error, Hashable, Sendable {
    /// The host name has no address.
    case nameNotFound
    /// The resolver did not answer, or answered with a failure.
    case nameResolutionFailed
    /// Nothing answered, or the host refused: ICMP, or silence until the handshake's limit.
    case unreachable
    /// The handshake was refused: an unknown identity, a wrong key, or no common cipher suite.
    case handshakeRefused
    /// The peer closed the session, or the transport lost it.
    case closed
    /// This machine has no descriptor, port or memory left.
    case local
}
