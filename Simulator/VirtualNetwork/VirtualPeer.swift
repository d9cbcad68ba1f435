public import ClientEngine
public import CoAPMessages
public import Primitives

/// Who takes part in a virtual network: an engine behind the events and outputs that all engines have in common.
public protocol VirtualPeer: AnyObject {
    /// Takes one event.
    func handle(_ event: PeerEvent, now: MonotonicTime)
    /// Removes and returns the oldest thing to do; nil when there is none.
    func nextOutput(now: MonotonicTime) -> PeerOutput?
    /// When ``PeerEvent/deadlineReached`` must next be told.
    var nextDeadline: MonotonicTime? { get }
    /// The key of an identity that wants to open a session; nil refuses it. Asked of peers that listen.
    func key(of identity: [UInt8]) -> SecretBytes?
}

extension VirtualPeer {
    /// Knows nobody.
    public func key(of identity: [UInt8]) -> SecretBytes? { nil }
}

/// What happens to a peer.
public enum PeerEvent: Sendable {
    /// The peer begins.
    case started
    /// The time of its deadline has come.
    case deadlineReached
    /// A session that the peer wanted is open.
    case sessionOpened(SessionID)
    /// Another peer opened a session.
    case sessionAccepted(SessionID, identity: [UInt8]?)
    /// A session ended or could not be opened.
    case sessionClosed(SessionID, SessionFailure)
    /// A request came.
    case requestReceived(ExchangeID, SessionID, CoAPRequest, token: CoAPToken)
    /// An answer or notification came.
    case responseReceived(RequestID, CoAPResponse)
    /// There will be no answer.
    case requestFailed(RequestID, RequestFailure)
    /// A confirmable notification was acknowledged.
    case notificationAcknowledged(NotificationID)
    /// A notification was rejected or not acknowledged.
    case notificationFailed(NotificationID, RequestFailure)
}

extension PeerEvent {
    /// The event as a server engine knows it; nil for what only concerns clients, or the clock.
    var serverEvent: ServerEvent? {
        switch self {
        case .sessionAccepted(let session, let identity): .sessionAccepted(session, identity: identity)
        case .sessionClosed(let session, _): .sessionClosed(session)
        case .requestReceived(let exchange, let session, let request, _): .requestReceived(exchange, session, request)
        case .responseReceived(let request, let response): .responseReceived(request, response)
        case .requestFailed(let request, let failure): .requestFailed(request, failure)
        case .started, .deadlineReached, .sessionOpened, .notificationAcknowledged, .notificationFailed: nil
        }
    }
}

/// What a peer wants done.
public enum PeerOutput: Sendable {
    /// Drop the answer that the resolver keeps for a host name.
    case forgetName(UTF8Text)
    /// Open a session.
    case openSession(SessionID, CoAPURI, SessionCredentials)
    /// Close a session; nothing is reported about it afterwards.
    case closeSession(SessionID)
    /// Send a confirmable request.
    case sendRequest(RequestID, SessionID, CoAPRequest)
    /// Answer a request.
    case sendResponse(ExchangeID, CoAPResponse)
    /// Send a notification.
    case sendNotification(NotificationID, SessionID, CoAPToken, CoAPResponse, isConfirmable: Bool)
    /// Forget an observation.
    case cancelObservation(RequestID, SessionID)
}
