public import CommandSessions
public import LwM2MModel
public import Primitives

/// A command to a device, as it was given.
public struct GatewayCommand: Hashable, Sendable {
    /// Its number.
    public let id: GatewayCommandID
    /// The device.
    public let endpoint: UTF8Text
    /// What to do.
    public let command: SessionCommand
    /// Who gave it.
    public let user: UTF8Text

    /// Creates a command.
    public init(id: GatewayCommandID, endpoint: UTF8Text, command: SessionCommand, user: UTF8Text) {
        self.id = id
        self.endpoint = endpoint
        self.command = command
        self.user = user
    }
}

/// What may be told of a command: not what it writes.
public struct CommandSummary: Hashable, Sendable {
    /// What to do.
    public let operation: SessionCommand.Operation
    /// Where.
    public let path: ObjectPath
    /// How many bytes of payload.
    public let payloadLength: Int

    /// Creates a summary from its parts, as they were stored.
    public init(operation: SessionCommand.Operation, path: ObjectPath, payloadLength: Int) {
        self.operation = operation
        self.path = path
        self.payloadLength = payloadLength
    }

    /// Creates the summary of a command.
    public init(_ command: SessionCommand) {
        self.init(operation: command.operation, path: command.path, payloadLength: command.payload.count)
    }
}

extension SessionCommand.Operation {
    /// The operation's name in logs and rules.
    public var name: String {
        switch self {
        case .write: "write"
        case .execute: "execute"
        case .create: "create"
        case .delete: "delete"
        case .update: "update"
        }
    }

    /// The operation of a name; nil for anything else.
    public init?(name: String) {
        guard let operation = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = operation
    }
}

extension CommandSummary: CustomStringConvertible {
    /// Such as `write /3303/0/5601, 4 bytes`.
    public var description: String {
        "\(self.operation.name) \(self.path.text), \(self.payloadLength) bytes"
    }
}
