public import CommandSessions
public import Primitives

/// What must be durable, told to the store; changes of one output are stored together or not at all.
public enum GatewayChange: Equatable, Sendable {
    /// A command was given.
    case commandSaved(GatewayCommand)
    /// A command ended.
    case commandFinished(GatewayCommandID, CommandOutcome)
    /// What is known of the sessions with a device, and the command of the session in progress.
    case sessionSaved(endpoint: UTF8Text, GatewaySessionRecord, command: GatewayCommandID?)
    /// Nothing is known any more of the sessions with a device.
    case sessionForgotten(endpoint: UTF8Text)
    /// The standing of a device changed; an empty one need not be kept.
    case standingSaved(endpoint: UTF8Text, DeviceStanding)
    /// A line of the audit log.
    case audited(AuditEntry)
}

/// What a gateway must find again after it stopped.
public struct GatewaySnapshot: Equatable, Sendable {
    /// What is known of the sessions with a device.
    public struct Session: Equatable, Sendable {
        /// The device.
        public var endpoint: UTF8Text
        /// Identifiers and stage.
        public var record: GatewaySessionRecord
        /// The command of the session in progress; it may have ended already.
        public var command: GatewayCommandID?

        /// Creates what is known.
        public init(endpoint: UTF8Text, record: GatewaySessionRecord, command: GatewayCommandID?) {
            self.endpoint = endpoint
            self.record = record
            self.command = command
        }
    }

    /// The standing of a device.
    public struct Standing: Equatable, Sendable {
        /// The device.
        public var endpoint: UTF8Text
        /// Not empty.
        public var standing: DeviceStanding

        /// Creates a standing.
        public init(endpoint: UTF8Text, standing: DeviceStanding) {
            self.endpoint = endpoint
            self.standing = standing
        }
    }

    /// One for each device with which there was a session.
    public var sessions: [Session] = []
    /// One for each device whose standing is not empty.
    public var standings: [Standing] = []
    /// Commands that have not ended, in the order in which they were given.
    public var commands: [GatewayCommand] = []

    /// Creates a snapshot of nothing.
    public init() {}

    /// Takes changes in, as a store does; simple rather than fast.
    public mutating func apply(_ changes: [GatewayChange]) {
        for change in changes {
            switch change {
            case .commandSaved(let command): self.commands.append(command)
            case .commandFinished(let id, _): self.commands.removeAll { $0.id == id }
            case .sessionSaved(let endpoint, let record, let command):
                self.sessions.removeAll { $0.endpoint == endpoint }
                self.sessions.append(Session(endpoint: endpoint, record: record, command: command))
            case .sessionForgotten(let endpoint): self.sessions.removeAll { $0.endpoint == endpoint }
            case .standingSaved(let endpoint, let standing):
                self.standings.removeAll { $0.endpoint == endpoint }
                if !standing.isEmpty {
                    self.standings.append(Standing(endpoint: endpoint, standing: standing))
                }
            case .audited: break
            }
        }
    }
}
