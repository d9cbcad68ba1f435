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
public enum BootstrapEvent: Hashable, Sendable {
    /// Something happened on a session; each request is answered by one ``BootstrapOutput/sendResponse(_:_:)``.
    case network(ServerEvent)
    /// What a device gets, and durably so; nil refuses it.
    case planChosen(ProcedureID, BootstrapPlan?)
    /// What a device should get could not be made durable; it is told 5.00 and gets nothing.
    case planNotStored(ProcedureID)
    /// The time of ``BootstrapEngine/nextDeadline`` has come; harmless when it has not.
    case deadlineReached
}

/// What the driver of ``BootstrapEngine`` must do next.
public enum BootstrapOutput: Hashable, Sendable {
    /// Decide what the device gets; answered by ``BootstrapEvent/planChosen(_:_:)``, at once or later.
    case choosePlan(ProcedureID, endpoint: UTF8Text, identity: [UInt8]?)
    /// Answer a request.
    case sendResponse(ExchangeID, CoAPResponse)
    /// Send a confirmable request; answered by one response or failure.
    case sendRequest(RequestID, SessionID, CoAPRequest)
    /// Tell the embedder.
    case report(BootstrapReport)
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

/// Diagnostics; none carries a secret.
public enum BootstrapReport: Hashable, Sendable {
    /// A device asked and will be served.
    case started(endpoint: UTF8Text)
    /// A device has everything, and said so; `since` is when it asked.
    case finished(endpoint: UTF8Text, since: MonotonicTime)
    /// The bootstrap of a device failed; it will ask again by itself.
    case failed(endpoint: UTF8Text, BootstrapServerFailure)
    /// A request was refused with the code.
    case refused(SessionID, CoAPCode)
}

/// What a bootstrap server saw since it was created; each number only grows.
public struct BootstrapCounters: Hashable, Sendable {
    /// Bootstrap-Requests that were accepted.
    public var started: UInt64 = 0
    /// Bootstraps that ended well.
    public var finished: UInt64 = 0
    /// Bootstraps that a device ended by refusing a step.
    public var refusedByDevice: UInt64 = 0
    /// Bootstraps that ended in silence.
    public var timedOut: UInt64 = 0
    /// Bootstraps that ended otherwise: the session closed, or the device asked anew.
    public var abandoned: UInt64 = 0
    /// Requests refused with 4.00.
    public var malformed: UInt64 = 0
    /// Requests of devices for which there is no plan.
    public var unknownEndpoints: UInt64 = 0
    /// Requests refused because the endpoint belongs to another identity.
    public var identityMismatches: UInt64 = 0
    /// Requests refused because a bound was reached.
    public var refusedByBounds: UInt64 = 0
    /// Requests refused for another reason.
    public var refusedOtherwise: UInt64 = 0

    /// Creates counters that are zero.
    public init() {}
}

/// The rules and bounds of a bootstrap server.
public struct BootstrapConfiguration: Sendable {
    /// Which endpoint name goes with which identity.
    public var endpointRule = EndpointRule()
    /// The most devices that are served at once; another one is refused with 5.03.
    public var maximumProcedures = 20_000
    /// How long a step may take; longer than the transport tries.
    public var stepTimeout: Duration = .seconds(120)

    /// Creates the default rules.
    public init() {}
}
