public import Primitives

/// What happens on the sessions that peers open to a server; every server engine is told the same.
public enum ServerEvent: Hashable, Sendable {
    /// A peer opened a session.
    ///
    /// `identity` is what it proved, nil without security; `serverName` is the host it named in the handshake, nil
    /// when it named none or the driver cannot tell.
    case sessionAccepted(SessionID, identity: [UInt8]?, serverName: UTF8Text? = nil)
    /// A session ended; its requests have failed before.
    case sessionClosed(SessionID)
    /// A peer asks for something; it waits for one answer.
    case requestReceived(ExchangeID, SessionID, CoAPRequest)
    /// The answer to a request of the engine, or a notification of an observation that the request began.
    case responseReceived(RequestID, CoAPResponse)
    /// There will be no answer.
    case requestFailed(RequestID, RequestFailure)
}
