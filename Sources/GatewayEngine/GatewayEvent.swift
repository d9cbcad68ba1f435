public import CoAPMessages
public import CommandSessions
public import LwM2MModel
public import Primitives

/// What happened, told to ``GatewayEngine`` by its driver.
public enum GatewayEvent: Sendable {
    /// What was stored before the gateway stopped; the first event, told once. A command gets its whole time again.
    case restored(GatewaySnapshot)
    /// The time of ``GatewayEngine/nextDeadline`` has come; harmless when it has not.
    case deadlineReached

    /// A device can be reached; told at each registration and update.
    ///
    /// `securedSession` is the number of the secured session that it is there on, which no other one had or will have:
    /// on a new one nothing that was sent before can reach it any more. Nil without security, where nothing says so.
    case deviceAvailable(endpoint: UTF8Text, securedSession: UInt32?)
    /// A device cannot be reached: what is under way is answered by ``OperationAnswer/unanswered`` all the same.
    case deviceGone(endpoint: UTF8Text)

    /// A command is given; answered by one ``GatewayOutput/commandAccepted(_:endpoint:)`` or
    /// ``GatewayOutput/commandRefused(_:endpoint:_:)``.
    case commandGiven(GatewayCommand)
    /// A command is not wanted any more by an operator; it ends, cancelled if that is possible still.
    case commandCancelled(GatewayCommandID, user: UTF8Text)

    /// What became of a write or read; told once for each.
    case operationAnswered(GatewayOperationID, OperationAnswer)

    /// Changes are durable.
    case stored(GatewayChangeID)
    /// Changes are not durable, none of them.
    case storageFailed(GatewayChangeID)

    /// What to do about breaches from now on.
    case policyChanged(BreachPolicy)
    /// Who may send which commands from now on; those that were accepted stay.
    case permissionsChanged(PermissionPolicy)
    /// An operator has seen the alarm of a device; answered by ``GatewayOutput/standingAnswered(endpoint:)`` if the device
    /// is known.
    case alarmReset(endpoint: UTF8Text, user: UTF8Text)
    /// An operator lets a device take commands again, and ends its suspension; answered likewise.
    case deviceUnblocked(endpoint: UTF8Text, user: UTF8Text)
    /// An operator makes the gateway forget the identifiers of a device that was commissioned anew; answered by one
    /// ``GatewayOutput/sessionResetAnswered(endpoint:_:)``.
    case sessionReset(endpoint: UTF8Text, isForced: Bool, user: UTF8Text)
    /// An operator tells the identifiers that a device and its gateway were given beforehand, so that the first session
    /// begins with them; answered by one ``GatewayOutput/identifiersAnswered(endpoint:_:)``.
    ///
    /// The GSID is nil in the short form, and only there.
    case identifiersGiven(endpoint: UTF8Text, SessionPair, user: UTF8Text)
}

/// What became of a write or read.
public enum OperationAnswer: Hashable, Sendable {
    /// A write was answered with the code.
    case writeAnswered(CoAPCode)
    /// A read was answered with the bytes.
    case readAnswered([UInt8])
    /// A read was answered with a code that is none of success.
    case readRefused(CoAPCode)
    /// There is no answer, or the operation could not be sent.
    case unanswered
}

/// What the driver of ``GatewayEngine`` must do next.
public enum GatewayOutput: Equatable, Sendable {
    /// Store all these changes or none, behind those that were handed out before; answered by `stored` or
    /// `storageFailed`. Several may be under way, and may share a transaction.
    case store(GatewayChangeID, [GatewayChange])
    /// Write an opaque resource of a device; answered by one `operationAnswered`.
    case write(GatewayOperationID, endpoint: UTF8Text, ObjectPath, [UInt8])
    /// Read an opaque resource of a device; answered by one `operationAnswered`.
    case read(GatewayOperationID, endpoint: UTF8Text, ObjectPath)
    /// A command is durable: it will end, and its giver can be told so.
    case commandAccepted(GatewayCommandID, endpoint: UTF8Text)
    /// A command is not taken.
    case commandRefused(GatewayCommandID, endpoint: UTF8Text, CommandRefusal)
    /// A command ended, and the outcome is durable.
    case commandFinished(GatewayCommandID, endpoint: UTF8Text, CommandOutcome)
    /// What operators did to the standing of a device so far is durable.
    case standingAnswered(endpoint: UTF8Text)
    /// What became of a session reset.
    case sessionResetAnswered(endpoint: UTF8Text, SessionResetAnswer)
    /// What became of identifiers that were given.
    case identifiersAnswered(endpoint: UTF8Text, IdentifiersAnswer)
    /// Tell the embedder.
    case report(GatewayReport)
}

/// Why a command is not taken.
public enum CommandRefusal: UInt8, Error, Hashable, Sendable, CaseIterable {
    /// The device takes no commands until an operator unblocks it.
    case blocked = 1
    /// There is a command of this number.
    case duplicate = 2
    /// The command could not be stored.
    case notStored = 3
    /// Too many commands wait, for the device or for all together.
    case queueFull = 4
    /// Too many devices are known.
    case tooManyDevices = 5
    /// The user may not send it.
    case unpermitted = 6

    /// A name for logs and answers, which never changes.
    public var name: String {
        switch self {
        case .blocked: "blocked"
        case .duplicate: "duplicate"
        case .notStored: "not-stored"
        case .queueFull: "queue-full"
        case .tooManyDevices: "too-many-devices"
        case .unpermitted: "unpermitted"
        }
    }
}

/// What became of a session reset.
public enum SessionResetAnswer: Hashable, Sendable {
    /// The identifiers are forgotten, durably.
    case done
    /// A session is in progress; by force it would end, and the outcome of its command might stay unknown.
    case inProgress
    /// Something of the device is on its way to the store: later.
    case storing
    /// No session with the device is known.
    case unknownDevice
}

/// What became of identifiers that an operator gave.
public enum IdentifiersAnswer: Hashable, Sendable {
    /// The gateway has identifiers of the device, which a session left or somebody gave: these would take their place.
    case alreadyKnown
    /// They are durable, and the next session begins with them.
    case done
    /// A session is in progress, which began without them.
    case inProgress
    /// They could not be stored.
    case notStored
    /// Something of the device is on its way to the store: later.
    case storing
    /// Too many devices are known.
    case tooManyDevices
    /// Both identifiers need a GSID, the short form has none.
    case wrongForm
}
