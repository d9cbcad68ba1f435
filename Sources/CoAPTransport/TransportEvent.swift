public import CoAPMessages

/// What happened on the network, reported inside ``EventLoop/turn(until:)``.
public enum TransportEvent: Sendable {
    /// A session that this side opened is ready: the handshake is done, or it is plain UDP.
    case sessionConnected(TransportSession, tag: UInt64)
    /// A peer opened a session: its handshake is done, or its first datagram came. `identity` is what it proved.
    case sessionAccepted(TransportSession, peer: SocketAddress, identity: [UInt8]?)
    /// A session ended, or could not be opened; every request pending on it failed just before.
    case sessionClosed(TransportSession, tag: UInt64, SessionFailure)
    /// A request came, with its whole body; it waits for ``CoAPTransport/respond(to:_:)``.
    case requestReceived(ExchangeID, TransportSession, tag: UInt64, CoAPRequest, token: CoAPToken)
    /// An answer or notification came, with its whole body.
    case responseReceived(TransportSession, tag: UInt64, requestTag: UInt32, CoAPResponse)
    /// A request got no answer.
    case requestFailed(TransportSession, tag: UInt64, requestTag: UInt32, RequestFailure)
    /// A confirmable notification was acknowledged.
    case notificationAcknowledged(TransportSession, tag: UInt64, notificationTag: UInt32)
    /// A notification was refused with Reset, or not acknowledged; its observation is over.
    case notificationFailed(
        TransportSession,
        tag: UInt64,
        notificationTag: UInt32,
        token: CoAPToken,
        RequestFailure
    )
}

/// What a transport saw since it was created; each number only grows.
public struct TransportCounters: Hashable, Sendable {
    /// Datagrams that are no CoAP message, or hold a code or option that CoAP forbids.
    public var malformedDatagrams: UInt64 = 0
    /// Requests answered with 4.02 because they hold a critical option that is not known here.
    public var unknownCriticalOptions: UInt64 = 0
    /// Requests that came again and were answered from memory, or were not answered yet.
    public var duplicateRequests: UInt64 = 0
    /// Handshakes that failed over the key.
    public var wrongKeys: UInt64 = 0
    /// Handshakes of peers with an identity that is not known here.
    public var unknownIdentities: UInt64 = 0
    /// Handshakes that failed otherwise: no common cipher suite, silence, broken records.
    public var failedHandshakes: UInt64 = 0
    /// Sessions that peers opened while the table was full; each took the place of the one that was silent longest.
    public var refusedSessions: UInt64 = 0
    /// Bodies refused with 4.13 because they are larger than allowed.
    public var refusedBodies: UInt64 = 0
    /// Bodies refused with 4.08 because a block was missing, out of order or of the wrong size.
    public var incompleteBodies: UInt64 = 0
    /// Answers and notifications that belong to no request.
    public var unexpectedAnswers: UInt64 = 0
    /// Messages that the library or the system refused to send.
    public var failedSends: UInt64 = 0
    /// Sessions that receive all datagrams although some should get lost, since their socket was not found.
    public var losslessSessions: UInt64 = 0
    /// Lines that the CoAP library would have logged as warnings or errors.
    public var libraryWarnings: UInt64 = 0

    /// Creates counters that are zero.
    public init() {}
}
