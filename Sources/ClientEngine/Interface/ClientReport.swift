public import BootstrapURIs
public import CoAPMessages
public import CommandSessions
public import LwM2MModel
public import Primitives

/// Why bootstrap failed.
public enum BootstrapFailure: Error, Hashable, Sendable {
    /// Neither a usable server account nor a bootstrap account exists.
    case noAccount
    /// The URI of the bootstrap account is not one this client can open, or its security mode is not supported.
    case unusableAccount
    /// The session could not be opened or was lost.
    case session(SessionFailure)
    /// The server refused the Bootstrap-Request.
    case rejected(CoAPCode)
    /// The server did not answer the Bootstrap-Request.
    case request(RequestFailure)
    /// The server sent no Bootstrap-Finish in time.
    case timedOut
    /// What the server delivered does not fit together at Bootstrap-Finish.
    case inconsistent
    /// What the server delivered could not be stored.
    case storage
    /// The profile derives names from the time, which nobody knows, and does not allow the static URI.
    case clockUnknown
    /// No temporary name has a DNS record, and the profile does not allow the static URI.
    case noName
    /// The temporary name cannot be derived: the secret is too weak, or the profile does not fit the static URI.
    case derivation
}

/// Why a registration failed.
public enum RegistrationFailure: Error, Hashable, Sendable {
    /// The URI of the account is not one this client can open, or its security mode is not supported.
    case unusableAccount
    /// The session could not be opened or was lost.
    case session(SessionFailure)
    /// The server refused Register or Update.
    case rejected(CoAPCode)
    /// The server did not answer.
    case request(RequestFailure)
    /// The answer to Register named no location.
    case malformedAnswer
    /// Every attempt of every sequence failed; only bootstrap or the embedder starts another.
    case gaveUp
}

/// The operations of the device management and information reporting interfaces, and those of bootstrap.
///
/// - Source: LwM2M Core 1.2.2, clauses 6.1.7, 6.3 and 6.4.
public enum ManagementOperation: Hashable, Sendable {
    case read
    case discover
    case write
    case partialUpdate
    case writeAttributes
    case execute
    case create
    case delete
    case observe
    case cancelObservation
    case bootstrapRead
    case bootstrapDiscover
    case bootstrapWrite
    case bootstrapDelete
    case bootstrapFinish
    /// A method or path that is none of the others.
    case unknown
}

/// Diagnostics and measurements; `since` is when the request or procedure began.
public enum ClientReport: Equatable, Sendable {
    /// A session is being opened at the temporary URI of the window, or at the static URI when it is nil.
    ///
    /// Only where there is a profile of temporary URIs. The name itself is a secret of the window, and in no report.
    case bootstrapNameTried(TimeWindow?)
    /// The Bootstrap-Request is on its way.
    case bootstrapStarted(SessionID)
    /// The server asked for patience: the same URI is tried again, resolved anew, after so many seconds or a few more.
    case bootstrapHeld(seconds: UInt32)
    /// Bootstrap-Finish was accepted and what came is stored.
    case bootstrapFinished(since: MonotonicTime)
    /// Bootstrap failed; another attempt follows by itself unless there is no account.
    case bootstrapFailed(BootstrapFailure)
    /// The server accepted Register.
    case registered(shortServerID: UInt16, since: MonotonicTime)
    /// An attempt to register, update or deregister failed.
    ///
    /// More follow unless it says ``RegistrationFailure/gaveUp`` or the device is stopping.
    case registrationFailed(shortServerID: UInt16, RegistrationFailure)
    /// The server accepted Update.
    case updated(shortServerID: UInt16, since: MonotonicTime)
    /// The registration has ended by this client's wish, and the server said so.
    case deregistered(shortServerID: UInt16)
    /// An operation of a server was answered with the code.
    case operationServed(ManagementOperation, ObjectPath, CoAPCode)
    /// A notification of the path was handed over.
    case notificationSent(ObjectPath)
    /// A confirmable notification of the path was acknowledged.
    case notificationAcknowledged(ObjectPath, since: MonotonicTime)
    /// A server wrote the path.
    case valueWritten(ObjectPath)
    /// A server created the instance.
    case instanceCreated(ObjectPath)
    /// A server deleted the path.
    case instanceDeleted(ObjectPath)
    /// The command of a session was executed, with the code of its result.
    case commandExecuted(CoAPCode)
    /// A command session ended before its command was executed.
    case commandSessionAborted
    /// A message of a command session that was over came from the server, doubled or long under way.
    case commandSessionLate(shortServerID: UInt16)
    /// A check of command sessions failed, and the policy says to log it; the address where it says to trace it.
    case commandSessionBreached(SessionBreach, shortServerID: UInt16, address: IPAddress?)
    /// The policy of command sessions says to talk no more with the server for a while.
    case serverSuspended(shortServerID: UInt16, seconds: UInt32)
    /// Every registration has ended after a request to stop.
    case stopped
}
