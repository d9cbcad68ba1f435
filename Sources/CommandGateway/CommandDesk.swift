import CoAPMessages
import CommandSessions
import GatewayEngine
import LwM2MModel
import ManagementEngine
import ManagementService
import Primitives
import ServiceStore
import ServiceSupport

/// What people ask a gateway on its control socket: commands, what became of them, and the audit log.
final class CommandDesk {
    private static let pageLength = 100
    private static let longestUser = 64
    private static let longestEndpoint = 255

    private unowned let gateway: CommandGateway
    /// Who wants to know what becomes of a command; a client that goes leaves its command to its end.
    private var askers: [GatewayCommandID: ControlAsker] = [:]
    /// Who cancelled a command and wants to know whether that came in time.
    private var cancellers: [GatewayCommandID: [ControlAsker]] = [:]
    /// Who waits for a session reset: one for each device, until it is answered, also when the client has gone.
    private var resetAskers: [UTF8Text: ControlAsker] = [:]
    /// Who waits for identifiers to be taken: one for each device, likewise.
    private var identifierAskers: [UTF8Text: ControlAsker] = [:]
    /// Who waits for what it did to the standing of a device to be durable.
    private var standingAskers: [UTF8Text: [ControlAsker]] = [:]

    init(gateway: CommandGateway) {
        self.gateway = gateway
    }

    /// Takes a request that the service leaves to its owner.
    func take(_ asker: ControlAsker) {
        do throws(ControlRefusal) {
            switch asker.request.verb {
            case .command: try self.give(asker)
            case .cancelCommand: try self.cancel(asker)
            case .commands: try self.listCommands(asker)
            case .audit: try self.listAudit(asker)
            case .standing: try self.tellStanding(asker)
            case .unblock:
                let (device, user) = (try self.knownDevice(of: asker), try self.user(of: asker))
                self.awaitStanding(of: device.endpoint, asker)
                self.gateway.tell(.deviceUnblocked(endpoint: device.endpoint, user: user))
            case .resetAlarm:
                let (device, user) = (try self.knownDevice(of: asker), try self.user(of: asker))
                self.awaitStanding(of: device.endpoint, asker)
                self.gateway.tell(.alarmReset(endpoint: device.endpoint, user: user))
            case .resetSession: try self.resetSession(asker)
            case .identifiers: try self.takeIdentifiers(asker)
            default: throw ControlRefusal("bad-request", "a gateway has no such verb")
            }
        } catch {
            asker.refuse(error)
        }
    }

    // MARK: Commands

    private func give(_ asker: ControlAsker) throws(ControlRefusal) {
        let endpoint = try self.endpoint(of: asker)
        let status = self.gateway.service.status(of: endpoint)
        guard status != nil || self.gateway.engine.status(of: endpoint) != nil else {
            throw ControlRefusal("not-registered", "no device of this name is registered, or ever had a session")
        }
        guard let operation = try asker.request.deviceOperation(registry: self.gateway.service.objects) else {
            throw ControlRefusal("bad-request", "there is no operation")
        }
        let user = try self.user(of: asker)
        let registration = status?.registration ?? Registration(endpoint: endpoint, location: "")
        guard let command = try? SessionCommand(operation, for: registration) else {
            throw ControlRefusal("bad-request", "the path does not suit the operation, or the value its format")
        }
        let id = self.gateway.makeCommandID()
        self.askers[id] = asker
        asker.onGone = { [weak self] in self?.askers[id] = nil }
        self.gateway.tell(
            .commandGiven(GatewayCommand(id: id, endpoint: endpoint, command: command, user: user))
        )
    }

    /// Answered by the end of the command, which is another one when it was executed already.
    private func cancel(_ asker: ControlAsker) throws(ControlRefusal) {
        guard let number = asker.request.command else { throw ControlRefusal("bad-request", "there is no command") }
        let user = try self.user(of: asker)
        let id = GatewayCommandID(rawValue: number)
        guard self.gateway.engine.hasCommand(id) else {
            throw ControlRefusal("unknown-command", "no command of this number waits or is under way")
        }
        self.cancellers[id, default: []].append(asker)
        asker.onGone = { [weak self, weak asker] in
            self?.cancellers[id]?.removeAll { $0 === asker }
            if self?.cancellers[id]?.isEmpty == true { self?.cancellers[id] = nil }
        }
        self.gateway.tell(.commandCancelled(id, user: user))
    }

    /// A command is durable.
    func accepted(_ id: GatewayCommandID) {
        self.send(id, "accepted") { $0.details = ["command": .unsigned(id.rawValue)] }
    }

    /// A command is not taken.
    func refused(_ id: GatewayCommandID, _ refusal: CommandRefusal) {
        guard let asker = self.askers.removeValue(forKey: id) else { return }
        asker.refuse(ControlRefusal(refusal.name, CommandWords.sentence(refusal)))
    }

    /// A command ended.
    func finished(_ id: GatewayCommandID, _ endpoint: UTF8Text, _ outcome: CommandOutcome) {
        let askers = [self.askers.removeValue(forKey: id)].compactMap { $0 }
        for asker in askers + (self.cancellers.removeValue(forKey: id) ?? []) {
            var reply = ControlReply(id: asker.request.id, kind: .result, done: true)
            reply.endpoint = endpoint.string
            reply.path = asker.request.path
            reply.code = CommandWords.code(outcome)
            reply.details = CommandWords.details(outcome)
            reply.details?["command"] = .unsigned(id.rawValue)
            reply.message = CommandWords.sentence(outcome)
            asker.send(reply)
        }
    }

    /// Shows who waits for a command how far it is.
    func report(_ report: GatewayReport) {
        guard let id = CommandWords.command(of: report), self.askers[id]?.request.progress == true,
            let (event, details) = CommandWords.progress(report)
        else { return }
        self.send(id, event) { $0.details = details }
    }

    private func send(_ id: GatewayCommandID, _ event: String, _ fill: (inout ControlReply) -> Void) {
        guard let asker = self.askers[id] else { return }
        var reply = ControlReply(id: asker.request.id, kind: .event, done: false)
        reply.endpoint = asker.request.endpoint
        reply.path = asker.request.path
        reply.event = event
        fill(&reply)
        asker.send(reply)
    }

    // MARK: Lists

    private func listCommands(_ asker: ControlAsker) throws(ControlRefusal) {
        let store = try self.store()
        let before = try asker.request.cursor.map { cursor throws(ControlRefusal) in
            GatewayCommandID(rawValue: try Self.number(cursor))
        }
        let page: [GatewayStore.StoredCommand]
        do throws(StoreError) {
            page = try store.commands(
                of: asker.request.endpoint.map { UTF8Text($0) },
                before: before,
                limit: Self.pageLength
            )
        } catch {
            throw ControlRefusal("storage", "the state cannot be read")
        }
        for command in page {
            var reply = ControlReply(id: asker.request.id, kind: .event, done: false)
            reply.event = "command"
            reply.endpoint = command.endpoint.string
            reply.path = command.summary.path.text
            reply.code = command.outcome.flatMap(CommandWords.code)
            reply.details = CommandWords.details(command)
            asker.send(reply)
        }
        self.end(asker, next: page.count < Self.pageLength ? nil : page.last.map { Int(clamping: $0.id.rawValue) })
    }

    private func listAudit(_ asker: ControlAsker) throws(ControlRefusal) {
        let store = try self.store()
        let page: [GatewayStore.StoredAuditEntry]
        let before = try asker.request.cursor.map(Self.number)
        do throws(StoreError) {
            page = try store.audit(
                of: asker.request.endpoint.map { UTF8Text($0) },
                before: before,
                limit: Self.pageLength
            )
        } catch {
            throw ControlRefusal("storage", "the state cannot be read")
        }
        for line in page {
            var reply = ControlReply(id: asker.request.id, kind: .event, done: false)
            reply.event = "audit"
            reply.endpoint = line.entry.endpoint.string
            reply.path = line.entry.summary?.path.text
            reply.details = CommandWords.details(line)
            asker.send(reply)
        }
        self.end(asker, next: page.count < Self.pageLength ? nil : page.last.map { Int(clamping: $0.sequence) })
    }

    private func end(_ asker: ControlAsker, next: Int?) {
        var reply = ControlReply(id: asker.request.id, kind: .page, done: true)
        reply.cursor = next
        asker.send(reply)
    }

    private func store() throws(ControlRefusal) -> GatewayStore {
        guard let store = self.gateway.store else {
            throw ControlRefusal("no-state", "the gateway keeps nothing; start it with --state FILE")
        }
        return store
    }

    private static func number(_ cursor: Int) throws(ControlRefusal) -> UInt64 {
        guard cursor >= 0 else { throw ControlRefusal("bad-request", "a cursor is what the last page told") }
        return UInt64(cursor)
    }

    // MARK: Devices

    private func tellStanding(_ asker: ControlAsker) throws(ControlRefusal) {
        let status = try self.knownDevice(of: asker)
        var reply = ControlReply(id: asker.request.id, kind: .result, done: true)
        reply.endpoint = status.endpoint.string
        reply.details = CommandWords.details(status)
        asker.send(reply)
    }

    private func awaitStanding(of endpoint: UTF8Text, _ asker: ControlAsker) {
        self.standingAskers[endpoint, default: []].append(asker)
        asker.onGone = { [weak self, weak asker] in
            self?.standingAskers[endpoint]?.removeAll { $0 === asker }
            if self?.standingAskers[endpoint]?.isEmpty == true { self?.standingAskers[endpoint] = nil }
        }
    }

    /// What operators did to the standing of a device is durable.
    func settled(_ endpoint: UTF8Text) {
        for asker in self.standingAskers.removeValue(forKey: endpoint) ?? [] { self.acknowledge(asker) }
    }

    private func resetSession(_ asker: ControlAsker) throws(ControlRefusal) {
        let endpoint = try self.endpoint(of: asker)
        let user = try self.user(of: asker)
        guard self.resetAskers[endpoint] == nil else { throw Self.refusal(.storing) }
        self.resetAskers[endpoint] = asker
        self.gateway.tell(
            .sessionReset(endpoint: endpoint, isForced: asker.request.replaces ?? false, user: user)
        )
    }

    /// A session reset was done or not.
    func reset(_ endpoint: UTF8Text, _ answer: SessionResetAnswer) {
        guard let asker = self.resetAskers.removeValue(forKey: endpoint) else { return }
        if answer == .done { self.acknowledge(asker) } else { asker.refuse(Self.refusal(answer)) }
    }

    private func takeIdentifiers(_ asker: ControlAsker) throws(ControlRefusal) {
        let endpoint = try self.endpoint(of: asker)
        // The device need not be known: what it was given at manufacture is told before it comes.
        guard (1...Self.longestEndpoint).contains(endpoint.bytes.count), !endpoint.hasControlCharacters else {
            throw ControlRefusal("bad-request", "no device can have this name")
        }
        let user = try self.user(of: asker)
        let gsid = try asker.request.gsid.map(Self.identifier)
        guard let dsid = try asker.request.dsid.map(Self.identifier) else {
            throw ControlRefusal("bad-request", "there is no device's identifier")
        }
        guard self.identifierAskers[endpoint] == nil else { throw Self.refusal(.storing) }
        self.identifierAskers[endpoint] = asker
        self.gateway.tell(
            .identifiersGiven(endpoint: endpoint, SessionPair(gsid: gsid, dsid: dsid), user: user)
        )
    }

    private static func identifier(_ secret: ControlSecret) throws(ControlRefusal) -> SessionIdentifier {
        guard let identifier = SessionIdentifier(text: UTF8Text(secret.text)) else {
            throw ControlRefusal("bad-request", "an identifier has 32 to 64 hexadecimal digits")
        }
        return identifier
    }

    /// Identifiers were taken or not.
    func identifiersAnswered(_ endpoint: UTF8Text, _ answer: IdentifiersAnswer) {
        guard let asker = self.identifierAskers.removeValue(forKey: endpoint) else { return }
        switch answer {
        case .done: self.acknowledge(asker)
        case .alreadyKnown:
            asker.refuse(ControlRefusal("already-known", "the gateway has identifiers of this device"))
        case .inProgress:
            asker.refuse(ControlRefusal("in-progress", "a session is in progress that began without identifiers"))
        case .notStored: asker.refuse(ControlRefusal("not-stored", "the identifiers could not be stored"))
        case .storing: asker.refuse(Self.refusal(.storing))
        case .tooManyDevices: asker.refuse(ControlRefusal("too-many-devices", "too many devices are known"))
        case .wrongForm:
            let isBoth = asker.request.gsid == nil
            asker.refuse(
                ControlRefusal(
                    "bad-request",
                    isBoth
                        ? "this gateway uses both identifiers: there must be a gsid too"
                        : "this gateway uses the short form: there must be no gsid"
                )
            )
        }
    }

    private static func refusal(_ answer: SessionResetAnswer) -> ControlRefusal {
        switch answer {
        case .inProgress: ControlRefusal("in-progress", "a session is in progress; --force gives its outcome up")
        case .done, .storing: ControlRefusal("storing", "something of the device is being stored; try again")
        case .unknownDevice: ControlRefusal("unknown-device", "nothing is known of sessions with this device")
        }
    }

    private func acknowledge(_ asker: ControlAsker) {
        var reply = ControlReply(id: asker.request.id, kind: .result, done: true)
        reply.endpoint = asker.request.endpoint
        asker.send(reply)
    }

    private func endpoint(of asker: ControlAsker) throws(ControlRefusal) -> UTF8Text {
        guard let endpoint = asker.request.endpoint else { throw ControlRefusal("bad-request", "there is no endpoint") }
        return UTF8Text(endpoint)
    }

    private func knownDevice(of asker: ControlAsker) throws(ControlRefusal) -> GatewayDeviceStatus {
        guard let status = self.gateway.engine.status(of: try self.endpoint(of: asker)) else {
            throw Self.refusal(.unknownDevice)
        }
        return status
    }

    /// Who asks; not cut when it is too long, or it would become somebody else, whom rules may allow more.
    private func user(of asker: ControlAsker) throws(ControlRefusal) -> UTF8Text {
        let user = UTF8Text(asker.request.user ?? "operator")
        guard (1...Self.longestUser).contains(user.bytes.count),
            !user.hasControlCharacters
        else {
            throw ControlRefusal(
                "bad-request",
                "a user's name has 1 to \(Self.longestUser) bytes, none a control character"
            )
        }
        return user
    }
}

extension SessionCommand {
    /// The command that does in a session what an operation does without.
    init?(_ operation: DeviceOperation, for registration: Registration) throws {
        let kind: Operation
        switch operation {
        case .replace: kind = .write
        case .update: kind = .update
        case .execute: kind = .execute
        case .create: kind = .create
        case .delete: kind = .delete
        case .read, .discover, .writeAttributes, .observe, .cancelObservation: return nil
        }
        let request = try operation.request(for: registration)
        let path: ObjectPath =
            if case .create(let object, _, _, _) = operation { ObjectPath(object) } else { operation.path }
        self.init(kind, path, contentFormat: request.options.contentFormat, payload: request.payload)
    }
}
