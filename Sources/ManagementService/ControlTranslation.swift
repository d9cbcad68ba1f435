import CoAPMessages
import LwM2MCodecs
public import LwM2MModel
public import ManagementEngine
import Primitives

/// Why a line of the control socket is not done: said to its sender.
public struct ControlRefusal: Error, Equatable, Sendable {
    /// A short word that does not change, such as `bad-request`.
    public let cause: String
    /// A sentence about it.
    public let message: String

    /// Creates a refusal from both.
    public init(_ cause: String, _ message: String) {
        self.cause = cause
        self.message = message
    }
}

extension ControlRequest {
    /// What the request asks a device to do; nil when its verb is none of a device's.
    ///
    /// - Parameter registry: gives values their types.
    public func deviceOperation(registry: ObjectRegistry) throws(ControlRefusal) -> DeviceOperation? {
        switch self.verb {
        case .list, .stats, .events, .cancelCommand, .commands, .audit, .standing, .unblock, .resetAlarm, .resetSession,
            .identifiers:
            return nil
        case .command: return try self.plainRequest().deviceOperation(registry: registry)
        case .read: return .read(try self.objectPath(), accept: try self.contentFormat())
        case .discover: return .discover(try self.objectPath())
        case .observe: return .observe(try self.objectPath(), accept: try self.contentFormat())
        case .cancel: return .cancelObservation(try self.objectPath())
        case .delete: return .delete(try self.objectPath())
        case .execute: return .execute(try self.objectPath(), arguments: Array((self.arguments ?? "").utf8))
        case .writeAttributes: return .writeAttributes(try self.objectPath(), try self.notificationAttributes())
        case .write:
            let path = try self.objectPath()
            let records = try self.records(below: path, registry: registry)
            guard !records.isEmpty else { throw ControlRefusal("bad-request", "there is no value to write") }
            let format = try self.contentFormat()
            // A single resource is written as it is; of an instance, what is not written stays unless asked otherwise.
            let isWhole = self.replaces ?? (path.depth >= 3)
            return isWhole ? .replace(path, records, format: format) : .update(path, records, format: format)
        case .create:
            let path = try self.objectPath()
            guard let object = path.object, path.depth <= 2 else {
                throw ControlRefusal("bad-request", "create needs an object or an instance, as in /3303 or /3303/1")
            }
            let base = ObjectPath(object, path.instance ?? 0)
            return .create(
                object: object,
                instance: path.instance,
                try self.records(below: base, registry: registry),
                format: try self.contentFormat()
            )
        }
    }

    /// The request that asks for a command's operation without a session.
    private func plainRequest() throws(ControlRefusal) -> ControlRequest {
        var plain = self
        switch self.operation {
        case "write":
            plain.verb = .write
            // With an update beside it, a write is what removes the rest.
            plain.replaces = self.replaces ?? true
        case "update":
            plain.verb = .write
            plain.replaces = false
        case "execute": plain.verb = .execute
        case "create": plain.verb = .create
        case "delete": plain.verb = .delete
        default:
            throw ControlRefusal(
                "bad-request",
                "a command needs an operation; there are write, update, execute, create, delete"
            )
        }
        return plain
    }

    private func objectPath() throws(ControlRefusal) -> ObjectPath {
        guard let text = self.path else { throw ControlRefusal("bad-request", "there is no path") }
        do { return try ObjectPath(parsing: UTF8Text(text)) } catch {
            throw ControlRefusal("bad-request", "'\(text)' is no path; write it as /3/0/1")
        }
    }

    private func contentFormat() throws(ControlRefusal) -> ContentFormat? {
        guard let name = self.format else { return nil }
        guard let format = ControlNames.formats[name] else {
            throw ControlRefusal(
                "bad-request",
                "'\(name)' is no format; there are \(ControlNames.formats.keys.sorted().joined(separator: ", "))"
            )
        }
        return format
    }

    private func notificationAttributes() throws(ControlRefusal) -> NotificationAttributes {
        var attributes = NotificationAttributes()
        for (name, value) in self.attributes ?? [:] {
            switch name {
            case "pmin", "pmax":
                guard let seconds = UInt32(exactly: value) else {
                    throw ControlRefusal("bad-request", "\(name) is whole seconds from 0 on")
                }
                if name == "pmin" { attributes.minimumPeriod = seconds } else { attributes.maximumPeriod = seconds }
            case "gt": attributes.greaterThan = value
            case "lt": attributes.lessThan = value
            case "st": attributes.step = value
            default: throw ControlRefusal("bad-request", "'\(name)' is no attribute; there are pmin, pmax, gt, lt, st")
            }
        }
        guard !attributes.isEmpty else { throw ControlRefusal("bad-request", "there is no attribute to write") }
        return attributes
    }

    /// The values below a path, in the order of their paths.
    private func records(below base: ObjectPath, registry: ObjectRegistry) throws(ControlRefusal) -> [ResourceRecord] {
        var records: [ResourceRecord] = []
        for (place, text) in self.values ?? [:] {
            guard let path = try? ObjectPath(parsing: UTF8Text(base.text + (place.isEmpty ? "" : "/" + place))),
                path.depth >= 3
            else { throw ControlRefusal("bad-request", "'\(place)' is no resource below \(base.text)") }
            let type: ResourceType
            if let name = self.types?[place] {
                guard let named = ControlNames.types[name] else {
                    throw ControlRefusal(
                        "bad-request",
                        "'\(name)' is no type; there are \(ControlNames.types.keys.sorted().joined(separator: ", "))"
                    )
                }
                type = named
            } else {
                type = registry.type(of: path) ?? ControlNames.likelyType(of: text)
            }
            guard let value = ControlNames.value(text, type) else {
                throw ControlRefusal("bad-request", "\(path.text) needs a value of type \(ControlNames.name(of: type))")
            }
            records.append(ResourceRecord(path, value))
        }
        return records.sorted { $0.path < $1.path }
    }
}

extension ControlReply {
    /// Creates the last line about a request, which says why it is not done.
    init(id: UInt64, _ refusal: ControlRefusal) {
        self.init(id: id, kind: .error, done: true)
        self.cause = refusal.cause
        self.message = refusal.message
    }

    /// Takes over what an answer of a device says.
    mutating func take(_ answer: DeviceAnswer) {
        switch answer {
        case .empty: break
        case .values(let records): self.values = records.map(ControlNames.value)
        case .paths(let paths): self.paths = paths.map(ControlNames.path)
        case .created(let path): self.created = path.text
        case .unreadable(let format, let bytes):
            self.format = format?.rawValue
            self.body = Hexadecimal.encode(bytes)
            if let text = UTF8Text(validating: bytes), format == nil || format == .text { self.message = text.string }
        }
    }

    /// Takes over how an operation ended; the line becomes an error when the device did not answer.
    public mutating func take(_ result: CommandResult) {
        switch result {
        case .answered(let code, let answer):
            self.code = code.text
            self.take(answer)
        case .failed(let failure):
            self.kind = .error
            (self.cause, self.message) = ControlNames.words(for: failure)
        }
    }
}

extension ControlDevice {
    init(_ status: RegistrationStatus, now: MonotonicTime) {
        let registration = status.registration
        self.init(
            endpoint: registration.endpoint.string,
            location: "/rd/" + registration.location.string,
            lifetime: registration.lifetime,
            expiresIn: status.expires.map { ControlNames.seconds(now.duration(to: $0)) },
            heardAgo: ControlNames.seconds(status.lastHeard.duration(to: now)),
            version: "\(registration.version.major).\(registration.version.minor)",
            binding: registration.binding.string,
            queueMode: registration.isQueueMode,
            secured: status.isSecured,
            connected: status.isConnected,
            objects: registration.objects.entries.map(\.path.text),
            observations: status.observations.map(\.text),
            pendingCommands: status.pendingCommands
        )
    }
}
