/// One line that a client of the control socket sends: a verb with its operands.
///
/// As JSON, without the members that are nil: `{"id": 1, "verb": "read", "endpoint": "urn:dev:1", "path": "/3/0"}`.
public struct ControlRequest: Codable, Equatable, Sendable {
    /// What is asked for.
    public enum Verb: String, Codable, Sendable {
        /// Registered devices, a page at a time.
        case list
        /// Counters of the server.
        case stats
        case read
        case discover
        case write
        case execute
        case create
        case delete
        case writeAttributes = "write-attributes"
        /// Observe, and stream notifications until the client goes or cancels.
        case observe
        case cancel
        /// Stream registrations, updates and their ends until the client goes.
        case events
        /// Do ``ControlRequest/operation`` inside a command session; only a gateway does.
        case command
        /// Commands and how far they are; only a gateway has them.
        case commands
        /// What was commanded and what was suspicious; only a gateway keeps it.
        case audit
        /// What a gateway knows of the sessions with a device.
        case standing
        /// Let a device take commands again that a gateway has blocked or suspended.
        case unblock
        /// Reset the alarm that a gateway raised about a device.
        case resetAlarm = "reset-alarm"
        /// Have a gateway forget the identifiers of a device that was commissioned anew; ``ControlRequest/replaces``
        /// forces it.
        case resetSession = "reset-session"
        /// Have a gateway end a command that is not wanted any more, ``ControlRequest/command``, if it can be still.
        case cancelCommand = "cancel-command"
        /// Tell a gateway the identifiers that a device was given beforehand: ``ControlRequest/gsid`` and
        /// ``ControlRequest/dsid``.
        case identifiers

        /// Whether only the owner of a service knows what to do.
        var isOwners: Bool {
            switch self {
            case .command, .cancelCommand, .commands, .audit, .standing, .unblock, .resetAlarm, .resetSession,
                .identifiers:
                true
            default: false
            }
        }
    }

    /// Chosen by the client; every line about the request carries it.
    public var id: UInt64
    /// What is asked for.
    public var verb: Verb
    /// The device.
    public var endpoint: String?
    /// The path, as in `/3/0/1`.
    public var path: String?
    /// What a command does: `write`, `update`, `execute`, `create` or `delete`.
    public var operation: String?
    /// Values by their place below the path (`"5700"`, `"7/0"`), or one under `""` for the path itself.
    public var values: [String: String]?
    /// The types of values the server's registry does not know, by the same places: `"integer"`.
    public var types: [String: String]?
    /// The format of a write or the one wanted back: `text`, `opaque`, `cbor`, `tlv`, `senml-json`, `senml-cbor`.
    public var format: String?
    /// Whether a write removes what is not written.
    public var replaces: Bool?
    /// The arguments of Execute.
    public var arguments: String?
    /// Who asks, for a gateway's permissions and audit log.
    public var user: String?
    /// The number of a command, as a gateway told it.
    public var command: UInt64?
    /// Whether the client wants to hear of every message of a command's session, not of its acceptance and end alone.
    public var progress: Bool?
    /// The gateway's identifier in hexadecimal, which a device was given beforehand; nil in the short form.
    public var gsid: ControlSecret?
    /// The device's.
    public var dsid: ControlSecret?
    /// The attributes of write-attributes: `pmin`, `pmax`, `gt`, `lt`, `st`.
    public var attributes: [String: Double]?
    /// Where a page of the list begins; nil for the first.
    public var cursor: Int?

    /// Creates a request; members that the verb does not use stay nil.
    public init(id: UInt64, verb: Verb, endpoint: String? = nil, path: String? = nil) {
        self.id = id
        self.verb = verb
        self.endpoint = endpoint
        self.path = path
    }
}

/// A text that only the two ends of the control socket see: it has no description.
public struct ControlSecret: Codable, Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    /// The text itself.
    public let text: String

    /// Creates a secret from its text.
    public init(_ text: String) {
        self.text = text
    }

    /// Reads a JSON string.
    public init(from decoder: any Decoder) throws {
        self.text = try decoder.singleValueContainer().decode(String.self)
    }

    /// Writes a JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.text)
    }

    /// That it is one; never its text.
    public var description: String { "secret" }

    /// An empty mirror, so that dumping an enclosing value shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// One line that the server sends about a request.
public struct ControlReply: Codable, Equatable, Sendable {
    /// The request it is about; 0 when that could not be read.
    public var id: UInt64
    /// Whether this is the last line about the request.
    public var done: Bool
    /// What the line tells: `result`, `notification`, `end`, `event`, `page`, `stats` or `error`.
    public var kind: Kind
    /// The device it is about.
    public var endpoint: String?
    /// The path it is about.
    public var path: String?
    /// The device's code, as in `2.05`.
    public var code: String?
    /// Values that came.
    public var values: [ControlValue]?
    /// What Discover found.
    public var paths: [ControlPath]?
    /// The instance that Create made.
    public var created: String?
    /// A body that could not be read, in hexadecimal, and its format.
    public var body: String?
    /// The number of that format.
    public var format: UInt16?
    /// The cause of an error: a short word that does not change, such as `not-registered` or `timed-out`.
    public var cause: String?
    /// A sentence about it.
    public var message: String?
    /// Registered devices.
    public var devices: [ControlDevice]?
    /// Where the next page begins; nil behind the last.
    public var cursor: Int?
    /// Counters by name.
    public var stats: [String: UInt64]?
    /// What a verb of the service's owner tells besides, by name.
    public var details: [String: ControlScalar]?
    /// What happened to a registration: `registered`, `updated`, `deregistered`, `expired`, or `sent` for values.
    public var event: String?

    /// What a line tells.
    public enum Kind: String, Codable, Sendable {
        /// The device answered; `code` says how.
        case result
        /// The device reported a change.
        case notification
        /// An observation ended.
        case end
        /// Something happened to a registration.
        case event
        /// A page of the list.
        case page
        /// Counters.
        case stats
        /// There is no answer; `cause` and `message` say why.
        case error
    }

    /// Creates a line that tells nothing yet.
    public init(id: UInt64, kind: Kind, done: Bool) {
        self.id = id
        self.kind = kind
        self.done = done
    }
}

/// One value with its path and type.
public struct ControlValue: Codable, Equatable, Sendable {
    /// The path, as in `/3/0/1`.
    public var path: String
    /// `string`, `integer`, `unsigned`, `float`, `boolean`, `opaque`, `time` or `link`.
    public var type: String
    /// The value.
    public var value: ControlScalar

    /// Creates a value.
    public init(path: String, type: String, value: ControlScalar) {
        self.path = path
        self.type = type
        self.value = value
    }
}

/// A value as JSON has it: bytes are hexadecimal text, links `3:0`, times seconds since 1970.
public enum ControlScalar: Codable, Equatable, Sendable {
    case text(String)
    case integer(Int64)
    case unsigned(UInt64)
    case number(Double)
    case boolean(Bool)

    /// Reads any JSON scalar.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .unsigned(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    /// Writes a JSON scalar; a number that JSON does not have becomes text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .unsigned(let value): try container.encode(value)
        case .number(let value):
            if value.isFinite { try container.encode(value) } else { try container.encode("\(value)") }
        case .boolean(let value): try container.encode(value)
        }
    }

    /// The value for people.
    public var text: String {
        switch self {
        case .text(let value): value
        case .integer(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .number(let value): "\(value)"
        case .boolean(let value): "\(value)"
        }
    }
}

/// One line of Discover.
public struct ControlPath: Codable, Equatable, Sendable {
    /// The path, as in `/3/0/1`.
    public var path: String
    /// What is attached: `pmin`, `pmax`, `gt`, `lt`, `st`, and `dim` for multiple resources.
    public var attributes: [String: Double]
    /// The version of the object, when it is stated.
    public var version: String?
}

/// One registered device.
public struct ControlDevice: Codable, Equatable, Sendable {
    /// The name.
    public var endpoint: String
    /// The path of the registration, as in `/rd/k3m9x2p7ab`.
    public var location: String
    /// The lifetime in seconds; 0 is for ever.
    public var lifetime: UInt32
    /// How many seconds are left without an Update; nil is for ever.
    public var expiresIn: Double?
    /// How many seconds ago the device registered or updated.
    public var heardAgo: Double
    /// The version of the enabler, as in `1.1`.
    public var version: String
    /// The binding, as in `U`.
    public var binding: String
    /// Whether it sleeps.
    public var queueMode: Bool
    /// Whether it proved an identity.
    public var secured: Bool
    /// Whether there is a session for commands.
    public var connected: Bool
    /// Its objects and instances, as in `/3/0`.
    public var objects: [String]
    /// What is observed.
    public var observations: [String]
    /// Commands that wait or are on their way.
    public var pendingCommands: Int
}
