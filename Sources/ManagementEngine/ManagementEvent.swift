public import CoAPMessages
public import LwM2MModel
public import Primitives

/// What happened, told to ``ManagementEngine`` by its driver.
public enum ManagementEvent: Hashable, Sendable {
    /// Registrations that were stored before the server stopped; each gets its whole lifetime again.
    case registrationsRestored([Registration])
    /// A new registration could not be stored, and its device is told so: it is none.
    case registrationNotStored(endpoint: UTF8Text)
    /// Something happened on a session; each request is answered by one ``ManagementOutput/sendResponse(_:_:)``.
    case network(ServerEvent)
    /// Do something at a device; answered by one ``ManagementOutput/commandFinished(_:endpoint:_:)``.
    case commandGiven(CommandID, endpoint: UTF8Text, DeviceOperation)
    /// The time of ``ManagementEngine/nextDeadline`` has come; harmless when it has not.
    case deadlineReached
}

/// What the driver of ``ManagementEngine`` must do next.
public enum ManagementOutput: Hashable, Sendable {
    /// Store durably before any output behind this one is performed.
    case store(RegistrationChange)
    /// Answer a request.
    case sendResponse(ExchangeID, CoAPResponse)
    /// Send a confirmable request; answered by one response or failure, and by more responses for an observation.
    case sendRequest(RequestID, SessionID, CoAPRequest)
    /// Forget the observation that the request began.
    case cancelObservation(RequestID, SessionID)
    /// Close a session: no device uses it any more; nothing is reported about it afterwards.
    case closeSession(SessionID)
    /// A command ended.
    case commandFinished(CommandID, endpoint: UTF8Text, CommandResult)
    /// A device reported a change.
    case notified(endpoint: UTF8Text, ObjectPath, DeviceAnswer)
    /// A device sent values by itself.
    case sent(endpoint: UTF8Text, [ResourceRecord])
    /// An observation ended.
    case observationEnded(endpoint: UTF8Text, ObjectPath, ObservationEnd)
    /// Tell the embedder.
    case report(ManagementReport)
}

/// Diagnostics; none carries a secret.
public enum ManagementReport: Hashable, Sendable {
    /// A device registered, for the first time or again.
    case registered(endpoint: UTF8Text)
    /// A device renewed or changed its registration.
    case updated(endpoint: UTF8Text)
    /// A device ended its registration.
    case deregistered(endpoint: UTF8Text)
    /// A registration ended because no Update came.
    case expired(endpoint: UTF8Text)
    /// A request was refused with the code.
    case refused(SessionID, CoAPCode)
}

/// What a management server saw since it was created; each number only grows.
public struct ManagementCounters: Hashable, Sendable {
    /// Register requests that were accepted.
    public var registered: UInt64 = 0
    /// Of those, how many took the place of a registration that was there.
    public var replaced: UInt64 = 0
    /// Update requests that were accepted.
    public var updated: UInt64 = 0
    /// Deregister requests that were accepted.
    public var deregistered: UInt64 = 0
    /// Registrations that ended because no Update came.
    public var expired: UInt64 = 0
    /// Requests refused with 4.00.
    public var malformed: UInt64 = 0
    /// Requests refused because the endpoint or registration belongs to another identity.
    public var identityMismatches: UInt64 = 0
    /// Requests for a registration or a path that does not exist.
    public var unknownLocations: UInt64 = 0
    /// Requests refused because a bound was reached.
    public var refusedByBounds: UInt64 = 0
    /// Requests refused for another reason.
    public var refusedOtherwise: UInt64 = 0
    /// Commands that devices answered.
    public var commandsAnswered: UInt64 = 0
    /// Commands that ended without an answer.
    public var commandsFailed: UInt64 = 0
    /// Notifications, the first answers to Observe not counted.
    public var notifications: UInt64 = 0
    /// Notifications that were older than one that came before.
    public var staleNotifications: UInt64 = 0
    /// Values that devices sent by themselves, in messages.
    public var sends: UInt64 = 0
    /// Bodies of answers, notifications and sends that could not be read.
    public var unreadableBodies: UInt64 = 0

    /// Creates counters that are zero.
    public init() {}
}
