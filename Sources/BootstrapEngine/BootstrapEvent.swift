public import CoAPMessages
public import LwM2MModel
public import Primitives

/// One device's bootstrap; unique within an engine.
public struct ProcedureID: Hashable, Sendable {
    /// The number the engine gave it.
    public let rawValue: UInt64

    /// Creates an identifier from its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// What happened, told to ``BootstrapEngine`` by its driver.
public enum BootstrapEvent: Sendable {
    /// Something happened on a session; each request is answered by one ``BootstrapOutput/sendResponse(_:_:)``.
    case network(ServerEvent)
    /// What a device gets, and durably so; nil refuses it.
    case planChosen(ProcedureID, BootstrapPlan?)
    /// What a device should get could not be made durable; it is told 5.00 and gets nothing.
    case planNotStored(ProcedureID)
    /// The secret that a device's temporary names are made of; nil refuses it.
    case secretFound(ProcedureID, SecretBytes?)
    /// Whether the balancer keeps the host for the device; without this event it does not.
    case pinAnswered(ProcedureID, isPinned: Bool)
    /// Which endpoint name goes with which identity from now on.
    case endpointRuleChanged(EndpointRule)
    /// What the civil time is now; told once before a host is judged, and again whenever the clock may have jumped.
    case clockSet(WallTime)
    /// The server is about to end: bootstraps in progress go on, nobody else is served.
    case drainRequested
    /// The time of ``BootstrapEngine/nextDeadline`` has come; harmless when it has not.
    case deadlineReached
}

/// What the driver of ``BootstrapEngine`` must do next.
public enum BootstrapOutput: Hashable, Sendable {
    /// Find the secret of a device's temporary names; answered by ``BootstrapEvent/secretFound(_:_:)``.
    case findSecret(ProcedureID, endpoint: UTF8Text, identity: [UInt8]?)
    /// Ask the balancer whether it keeps a host for a device; answered by
    /// ``BootstrapEvent/pinAnswered(_:isPinned:)``, or not at all.
    case askPin(ProcedureID, endpoint: UTF8Text, host: UTF8Text)
    /// Decide what the device gets; answered by ``BootstrapEvent/planChosen(_:_:)``, at once or later.
    case choosePlan(ProcedureID, endpoint: UTF8Text, identity: [UInt8]?)
    /// Answer a request.
    case sendResponse(ExchangeID, CoAPResponse)
    /// Send a confirmable request; answered by one response or failure.
    case sendRequest(RequestID, SessionID, CoAPRequest)
    /// Tell the balancer what became of a bootstrap under the host; only where hosts matter.
    case notify(ProcedureID, BootstrapProgress, endpoint: UTF8Text, host: UTF8Text)
    /// Tell the embedder.
    case report(BootstrapReport)
}

/// What became of a bootstrap, for the balancer.
public enum BootstrapProgress: Hashable, Sendable {
    /// The device was accepted.
    case started
    /// The device has everything.
    case completed
    /// The bootstrap ended before its end.
    case failed
}

/// A step of a bootstrap, as the server sees it.
public enum BootstrapStep: Hashable, Sendable {
    /// Ask what the device holds.
    case discover
    /// Delete a path.
    case delete(ObjectPath)
    /// Write an instance.
    case write(ObjectPath)
    /// Finish.
    case finish
}

/// Why the bootstrap of a device ended before its end.
public enum BootstrapServerFailure: Error, Hashable, Sendable {
    /// The device refused a step.
    case refused(BootstrapStep, CoAPCode)
    /// The device did not answer a step.
    case unreachable(BootstrapStep, RequestFailure)
    /// The values cannot be written in the format that the device asked for.
    case encoding(BootstrapStep)
    /// The session ended.
    case sessionClosed
    /// The device asked anew before its bootstrap had ended.
    case restarted
}

/// Diagnostics; none carries a secret or the name of a host.
public enum BootstrapReport: Hashable, Sendable {
    /// A device asked and will be served.
    case started(endpoint: UTF8Text)
    /// A device has everything, and said so; `since` is when it asked.
    case finished(endpoint: UTF8Text, since: MonotonicTime)
    /// The bootstrap of a device failed; it will ask again by itself.
    case failed(endpoint: UTF8Text, BootstrapServerFailure)
    /// A request was refused; the endpoint is the one that the request names, if it can be told.
    case refused(SessionID, endpoint: UTF8Text?, BootstrapRefusal)
}
