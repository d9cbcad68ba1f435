import CoAPMessages
import CommandSessions
import LwM2MModel
import Primitives

/// What a device with command sessions has more than others.
struct CommandSessionPart: Sendable {
    var hosts: [CommandSessionHost] = []
    /// What device identifiers are drawn from; without it no session can begin.
    var random: RandomSource?

    init(random: RandomSource?) { self.random = random }
}

/// The sessions with one gateway: what the machine does not know of LwM2M.
struct CommandSessionHost: Sendable {
    /// A message that is answered when something is stored or executed.
    struct Message: Sendable {
        let exchange: ExchangeID
        let path: ObjectPath
        /// The server that sent it.
        let shortServerID: UInt16
    }

    /// The instance of the object.
    let instance: UInt16
    var policy: SessionPolicy
    var machine: DeviceSessionMachine
    /// The message that waits for its answer.
    var waiting: Message?
    /// The server whose session came last.
    var partner: UInt16?
    /// The exchange in which the command runs: its answer is the session's outcome.
    var execution: ExchangeID?
    /// The record is on its way to the store.
    var storage: StorageID?
    /// The record is to be stored as soon as nothing else is.
    var needsStorage = false
    /// The alarm is to be stored as soon as nothing else is being stored; nobody waits for it.
    var hasUnstoredAlarm = false
    /// Bootstrap deleted its instance: one that is written again begins without identifiers.
    var isDeleted = false
    /// Servers that are told nothing but 4.01; no more than there are accounts.
    var blocked: [UInt16] = []

    init(instance: UInt16, policy: SessionPolicy, record: DeviceSessionRecord) {
        self.instance = instance
        self.policy = policy
        self.machine = DeviceSessionMachine(
            form: policy.form,
            timeout: .seconds(Int64(policy.timeout)),
            record: record
        )
    }

    /// What keeps a server from being this gateway; nil when it is.
    func objection(to connection: ServerConnection) -> SessionBreach? {
        if let gateway = self.policy.gateway, gateway != connection.shortServerID { return .unknownServer }
        guard let address = connection.peerAddress, self.policy.gatewayAddresses.contains(address) else {
            return .unknownAddress
        }
        return nil
    }

    /// Takes a changed policy over; a session in progress ends as it began.
    mutating func adopt(_ policy: SessionPolicy) {
        // Who is blocked was judged by the policy before: it may be the gateway now.
        if policy != self.policy { self.blocked = [] }
        self.policy = policy
        self.machine.form = policy.form
        self.machine.timeout = .seconds(Int64(policy.timeout))
    }
}

extension SessionCommand {
    /// The request that would carry the command out without a session.
    var request: CoAPRequest {
        let method: CoAPCode =
            switch self.operation {
            case .write: .put
            case .execute, .create, .update: .post
            case .delete: .delete
            }
        return CoAPRequest(
            method,
            path: self.path.segments,
            contentFormat: self.contentFormat,
            payload: self.payload
        )
    }
}

extension SessionCommand.Operation {
    /// Whether a request is this operation: POST is another one on each level of a path, and on each kind of resource.
    func isDone(by request: ManagementRequest, on resource: ResourceDefinition?) -> Bool {
        switch (self, request) {
        case (.write, .write(_, .replace, _)), (.execute, .execute), (.create, .create), (.delete, .delete),
            (.update, .write(_, .update, _)):
            true
        // What is not defined is refused as such.
        case (.execute, .postResource): resource?.operations.contains(.execute) ?? true
        case (.update, .postResource): !(resource?.operations.contains(.execute) ?? false)
        default: false
        }
    }
}

extension DeviceSessionMachine.Refusal {
    /// The code that tells a gateway so.
    var code: CoAPCode {
        switch self {
        case .breach: .forbidden
        case .busy: .serviceUnavailable
        case .late: .conflict
        case .malformed: .badRequest
        case .notStored: .internalServerError
        }
    }
}
