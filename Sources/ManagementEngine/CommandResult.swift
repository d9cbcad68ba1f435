public import CoAPMessages
public import LwM2MCodecs
public import LwM2MModel

/// A command that was given; unique within its giver.
public struct CommandID: Hashable, Sendable {
    /// The number the giver chose.
    public let rawValue: UInt64

    /// Creates an identifier from its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// What the body of an answer says.
public enum DeviceAnswer: Hashable, Sendable {
    /// There is no body.
    case empty
    /// Values with their paths.
    case values([ResourceRecord])
    /// What Discover found.
    case paths([DiscoveredPath])
    /// The instance that Create made.
    case created(ObjectPath)
    /// A body that cannot be read: its format and bytes.
    case unreadable(ContentFormat?, [UInt8])
}

/// Why a command never reached the device, or got no answer.
public enum CommandFailure: Error, Hashable, Sendable {
    /// No device of this name is registered.
    case notRegistered
    /// The path does not suit the operation.
    case invalidPath(ObjectPath)
    /// The values cannot be written in the format.
    case encoding(PayloadEncodingError)
    /// Too many commands wait for the device.
    case queueFull
    /// The device has as many observations as are allowed.
    case tooManyObservations
    /// Nothing is observed at the path.
    case notObserved(ObjectPath)
    /// The device answered, but will not report changes.
    case observationRefused
    /// The registration ended while the command waited.
    case registrationEnded
    /// The device did not answer.
    case unreachable(RequestFailure)
}

/// How a command ended.
public enum CommandResult: Hashable, Sendable {
    /// The device answered, with a code of success or of refusal.
    case answered(CoAPCode, DeviceAnswer)
    /// There is no answer.
    case failed(CommandFailure)
}

/// Why an observation ended.
public enum ObservationEnd: Hashable, Sendable {
    /// It was cancelled by a command.
    case cancelled
    /// Another command observes the same path.
    case replaced
    /// The device ended it with an error code.
    case refused(CoAPCode)
    /// The registration ended.
    case registrationEnded
    /// The session ended.
    case sessionClosed
}
