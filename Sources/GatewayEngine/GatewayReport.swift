internal import CoAPMessages
public import CommandSessions
public import Primitives

/// Diagnostics; none shows an identifier.
public enum GatewayReport: Equatable, Sendable {
    /// A message of a session was sent or received.
    case traced(SessionTrace)
    /// A session for a command begins; which try of the command it is, from 1.
    case sessionBegun(endpoint: UTF8Text, GatewayCommandID, attempt: Int)
    /// A session ended as it should; told when the policy logs routine communication.
    case sessionEnded(endpoint: UTF8Text, GatewaySessionMachine.End)
    /// A session ended without its command being executed.
    case sessionAborted(endpoint: UTF8Text, GatewayCommandID?, GatewaySessionMachine.Cause)
    /// The outcome of a session is not known yet; it is asked for again after the pause, or when the device is back.
    case outcomeAwaited(endpoint: UTF8Text, GatewayCommandID?, GatewaySessionMachine.Interruption, pause: Duration)
    /// Another session for the command begins after the pause at the earliest.
    case retrying(endpoint: UTF8Text, GatewayCommandID, pause: Duration)
    /// A check found something wrong; the responses say who wants to hear of it.
    case breach(endpoint: UTF8Text, SessionBreach, GatewayCommandID?, BreachPolicy.Responses)
    /// A user gave a command that it may not send; the responses say who wants to hear of it.
    case unpermitted(endpoint: UTF8Text, CommandSummary, user: UTF8Text, BreachPolicy.Responses)
    /// The standing of a device changed.
    case standingChanged(endpoint: UTF8Text, DeviceStanding)
    /// The store failed; what must be stored is handed out again after this long.
    case storageFailed(retry: Duration)
    /// The random source gave no identifier.
    case noIdentifier(endpoint: UTF8Text)
    /// A device is not served because ``GatewayConfiguration/maximumDevices`` are known.
    case tooManyDevices(endpoint: UTF8Text)
}

extension GatewaySessionMachine.Interruption {
    /// A name for logs and answers, such as `refused 4.03`.
    public var name: String {
        switch self {
        case .executing: "executing"
        case .overtaken: "overtaken"
        case .refused(let code): "refused \(code.text)"
        case .unanswered: "unanswered"
        }
    }
}
