public import CommandSessions
public import Primitives

/// One message of a session for a verbose log: enough to follow a session, too little to take part in one.
public struct SessionTrace: Equatable, Sendable {
    /// Which message.
    public enum Message: Hashable, Sendable {
        /// Written to the device.
        case message1
        /// Read from the device.
        case message2
        /// Written to the device.
        case message3
        /// Written to the device.
        case outcomeQuery
        /// Read from the device; nil when it could not be read as one.
        case outcome(SessionOutcome?)
    }

    /// The device.
    public let endpoint: UTF8Text
    /// Which message.
    public let message: Message
    /// The command that the session is for; it may have ended before.
    public let id: GatewayCommandID?
    /// What that command does; nil when it has ended before.
    public let command: CommandSummary?
    /// The gateway's identifier, when the message has it.
    public let gsid: IdentifierPrefix?
    /// The device's.
    public let dsid: IdentifierPrefix?

    /// Whether the gateway sent it; else the device did.
    public var isSent: Bool {
        switch self.message {
        case .message1, .message3, .outcomeQuery: true
        case .message2, .outcome: false
        }
    }
}

/// The beginning of an identifier, to tell two of them apart.
public struct IdentifierPrefix: Hashable, Sendable {
    /// The first 8 hexadecimal digits, for a verbose log only.
    public let text: UTF8Text

    /// Creates the beginning of an identifier.
    public init(_ identifier: SessionIdentifier) {
        self.text = UTF8Text(Hexadecimal.encode(Array(identifier.copyBytes().prefix(4))))
    }
}

extension IdentifierPrefix: CustomStringConvertible, CustomReflectable {
    /// That it is one; never its digits.
    public var description: String { "beginning of an identifier" }

    /// An empty mirror, so that dumping an enclosing value shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
