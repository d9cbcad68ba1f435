internal import ClientEngine
public import CoAPMessages
internal import CommandSessions
internal import DeviceRuntime
public import LwM2MModel
internal import Primitives

extension LwM2MClient {
    /// What a running client did.
    public enum Event: Sendable {
        /// A session with a server is open; how long its handshake took.
        case connected(handshake: Duration)
        /// A session could not be opened, or ended; the client tries again by itself.
        case disconnected(LwM2MError)
        /// The bootstrap server is looked for at a temporary name, or with `isStatic` at the name of the configuration.
        case bootstrapNameTried(isStatic: Bool)
        /// The bootstrap server asked for patience; for so long or up to a quarter more.
        case bootstrapHeld(for: Duration)
        /// The bootstrap server was asked.
        case bootstrapStarted
        /// The bootstrap server delivered and everything is stored; how long it took.
        case bootstrapFinished(after: Duration)
        /// Bootstrap failed; the client tries again by itself unless there is nobody to ask.
        case bootstrapFailed(LwM2MError)
        /// A server accepted the registration; how long it took.
        case registered(server: UInt16, after: Duration)
        /// An attempt to register failed; the client tries again by itself, with growing pauses.
        case registrationFailed(server: UInt16, LwM2MError)
        /// A server accepted an update.
        case updated(server: UInt16)
        /// A server let the device go.
        case deregistered(server: UInt16)
        /// A server's operation was answered with the code; the operation's name is that of the specification.
        case served(operation: String, ObjectPath, CoAPCode)
        /// A server wrote the path.
        case written(ObjectPath)
        /// A server created the instance.
        case created(ObjectPath)
        /// A server deleted the path.
        case deleted(ObjectPath)
        /// A notification of the path was sent.
        case notified(ObjectPath)
        /// A command of the gateway was executed in a session; the code of its result.
        case commandExecuted(CoAPCode)
        /// A command session ended before its command was executed.
        case commandAborted
        /// A check of command sessions failed; a word that tells which, and the server's address where it is kept.
        case breached(String, server: UInt16, address: String?)
        /// The device talks no more with the server for so long, because a check of command sessions failed.
        case serverSuspended(server: UInt16, for: Duration)
        /// What servers changed could not be stored, and was refused.
        case storageFailed(LwM2MError)
        /// The client has stopped.
        case stopped
    }
}

extension LwM2MClient.Event {
    /// Returns nil for what only measurements need.
    init?(_ report: DeviceReport, now: MonotonicTime) {
        switch report {
        case .client(let report): self.init(report, now: now)
        case .sessionOpened(let since): self = .connected(handshake: since.duration(to: now))
        case .sessionFailed(let failure): self = .disconnected(LwM2MError(failure))
        case .storageFailed(let error): self = .storageFailed(LwM2MError(error))
        case .requestFailed: return nil
        }
    }

    private init?(_ report: ClientReport, now: MonotonicTime) {
        switch report {
        case .bootstrapNameTried(let window): self = .bootstrapNameTried(isStatic: window == nil)
        case .bootstrapHeld(let seconds): self = .bootstrapHeld(for: .seconds(Int64(seconds)))
        case .bootstrapStarted: self = .bootstrapStarted
        case .bootstrapFinished(let since): self = .bootstrapFinished(after: since.duration(to: now))
        case .bootstrapFailed(let failure): self = .bootstrapFailed(LwM2MError(failure))
        case .registered(let server, let since): self = .registered(server: server, after: since.duration(to: now))
        case .registrationFailed(let server, let failure):
            self = .registrationFailed(server: server, LwM2MError(failure))
        case .updated(let server, _): self = .updated(server: server)
        case .deregistered(let server): self = .deregistered(server: server)
        case .operationServed(let operation, let path, let code):
            self = .served(operation: operation.name, path, code)
        case .notificationSent(let path): self = .notified(path)
        case .notificationAcknowledged, .commandSessionLate: return nil
        case .valueWritten(let path): self = .written(path)
        case .instanceCreated(let path): self = .created(path)
        case .instanceDeleted(let path): self = .deleted(path)
        case .commandExecuted(let code): self = .commandExecuted(code)
        case .commandSessionAborted: self = .commandAborted
        case .commandSessionBreached(let breach, let server, let address):
            self = .breached("\(breach.name)", server: server, address: address?.text.string)
        case .serverSuspended(let server, let seconds):
            self = .serverSuspended(server: server, for: .seconds(Int64(seconds)))
        case .stopped: self = .stopped
        }
    }
}

extension ManagementOperation {
    var name: String {
        switch self {
        case .read: "Read"
        case .discover: "Discover"
        case .write: "Write"
        case .partialUpdate: "Write (partial update)"
        case .writeAttributes: "Write-Attributes"
        case .execute: "Execute"
        case .create: "Create"
        case .delete: "Delete"
        case .observe: "Observe"
        case .cancelObservation: "Cancel Observation"
        case .bootstrapRead: "Bootstrap-Read"
        case .bootstrapDiscover: "Bootstrap-Discover"
        case .bootstrapWrite: "Bootstrap-Write"
        case .bootstrapDelete: "Bootstrap-Delete"
        case .bootstrapFinish: "Bootstrap-Finish"
        case .unknown: "unknown operation"
        }
    }
}
