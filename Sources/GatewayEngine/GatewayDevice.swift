internal import CommandSessions
internal import Primitives

/// One device, as the engine keeps it; a session with it stands elsewhere while there is one.
struct GatewayDevice: Sendable {
    let endpoint: UTF8Text
    /// What is known of its sessions, when none is in progress.
    var record = GatewaySessionRecord()
    /// Commands that have not ended durably, in the order they were given.
    var queue: [QueuedCommand] = []
    var isAvailable = false
    var standing: DeviceStanding = []
    /// Whether the store has another standing, and takes this one when it is tried again; no session goes on before.
    var isStandingUnsaved = false
    /// Lines of the audit log that go with it.
    var unsavedAudits: [AuditEntry] = []
    /// Standings on their way to the store.
    var standingWrites: UInt32 = 0
    /// Whether an operator waits for what it did to the standing to be durable.
    var isStandingAwaited = false
    /// When a suspension ends.
    var suspendedUntil = MonotonicTime.zero
    /// No session is begun or asked about before.
    var pausedUntil = MonotonicTime.zero
    /// A message may be on its way until then: no session is begun before.
    var quietUntil = MonotonicTime.zero
    /// The secured session on which the device was there last.
    var connection: UInt32?
    /// Ends that are not durable yet: until they are, no session begins or goes on, or a command that has ended could be
    /// given anew after a crash.
    var endsBeingStored: UInt32 = 0
    /// Everything that is not durable yet.
    var writes: UInt32 = 0

    init(endpoint: UTF8Text) {
        self.endpoint = endpoint
    }

    /// Whether nothing would be lost with it.
    var isForgettable: Bool {
        !self.isAvailable && self.queue.isEmpty && self.standing.isEmpty && !self.isStandingUnsaved && self.writes == 0
            && self.record == GatewaySessionRecord() && self.quietUntil == .zero
    }

    /// The command that the next session is for.
    var next: Int? {
        guard let index = self.queue.firstIndex(where: { !$0.isEnding }), self.queue[index].isStored else { return nil }
        return index
    }

    /// Where a command stands that has not ended.
    func index(of id: GatewayCommandID?) -> Int? {
        self.queue.firstIndex { $0.command.id == id && !$0.isEnding }
    }
}

/// A command that has not ended durably.
///
///               stored                  its outcome is known          stored
///      given ─────────▶ waiting, tried ─────────────────────▶ ending ────────▶ told and forgotten
struct QueuedCommand: Sendable {
    let command: GatewayCommand
    let deadline: MonotonicTime
    /// Whether it was accepted.
    var isStored: Bool
    /// How it ended, on its way to the store; nil while it goes on.
    var outcome: CommandOutcome?
    var isEnding: Bool { self.outcome != nil }
    /// The first operator who did not want it any more; nil while it is wanted.
    var cancelledBy: UTF8Text?
    var isCancelled: Bool { self.cancelledBy != nil }
    /// How many sessions were begun for it; a restart forgets all but one in progress.
    var tries = 0
}

/// A session in progress with one device.
struct ActiveSession: Sendable {
    /// What the driver was asked to do.
    enum Step: Sendable {
        case write
        case readMessage2
        case readOutcome
    }

    var machine: GatewaySessionMachine
    /// What the session is for; the command may have ended before its session.
    let command: GatewayCommandID?
    /// The operation under way, and the connection it went out on.
    var operation: (id: GatewayOperationID, step: Step, connection: UInt32?)?
    /// The record on its way to the store.
    var change: GatewayChangeID?
    /// How often the outcome was asked for in vain.
    var interruptions = 0
    /// Whether the last answer refused a read.
    var wasReadRefused = false

    init(machine: GatewaySessionMachine, command: GatewayCommandID?) {
        self.machine = machine
        self.command = command
    }
}
