public import CoAPMessages
public import Primitives

/// CoAP over UDP and DTLS for thousands of sessions on one event loop.
public final class CoAPTransport {
    /// Called once for everything that happens, inside ``EventLoop/turn(until:)``.
    public var onEvent: (TransportEvent) -> Void = { _ in }

    /// What was seen since the transport was created.
    public private(set) var counters = TransportCounters()

    /// Creates a transport on a loop.
    ///
    /// - Throws: ``TransportError/outOfResources``; ``TransportError/unsupported`` when the CoAP library has no DTLS.
    public init(configuration: Configuration, loop: EventLoop) throws(TransportError) {}

    /// Begins a session with a peer; ``TransportEvent/sessionConnected(_:tag:)`` follows, or
    /// ``TransportEvent/sessionClosed(_:tag:_:)``.
    public func openSession(
        to peer: SocketAddress,
        security: SessionSecurity,
        from source: SocketAddress?,
        tag: UInt64
    ) throws(TransportError) -> TransportSession { throw .unsupported }

    /// Ends a session, telling the peer; no event follows.
    public func closeSession(_ session: TransportSession) {}

    /// Sends a confirmable request; one answer or failure follows, and more answers for an observation.
    public func send(_ request: CoAPRequest, on session: TransportSession, tag: UInt32) throws(TransportError) {}

    /// Forgets an observation, so that its next notification is refused.
    public func cancelObservation(requestTag: UInt32, on session: TransportSession) {}

    /// Answers a request; an exchange that is unknown or finished is ignored.
    public func respond(to exchange: ExchangeID, _ response: CoAPResponse) {}

    /// Sends a notification, which already carries Observe.
    public func notify(
        _ response: CoAPResponse,
        token: CoAPToken,
        on session: TransportSession,
        isConfirmable: Bool,
        tag: UInt32
    ) throws(TransportError) {}

    /// Accepts sessions on an address.
    ///
    /// - Returns: the address with the port in use.
    public func listen(
        on address: SocketAddress,
        security: ListenerSecurity
    ) throws(TransportError) -> SocketAddress { throw .unsupported }

    /// Raises the process's soft descriptor limit to what sessions need.
    ///
    /// - Throws: ``TransportError/descriptorLimit(limit:needed:)`` when the hard limit is too low.
    public static func checkDescriptorLimit(sessions: Int, sessionsPerContext: Int = 256) throws(TransportError) {}
}
