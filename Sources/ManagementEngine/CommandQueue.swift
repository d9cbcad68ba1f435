internal import CoAPMessages
internal import Primitives

/// A command with the request that carries it out; without an identifier nobody waits for its end.
struct PendingCommand: Sendable {
    let id: CommandID?
    let operation: DeviceOperation
    let request: CoAPRequest
    let deadline: MonotonicTime
}

/// The commands of one device: they go one at a time, in the order they were given.
///
///            enqueue()             begin(…)                finish(…)
///     empty ───────────▶ waiting ───────────▶ on its way ─────────────▶ waiting or empty
///                           │ dropExpired(…)       │ dropExpired(…)
///                           ▼                      ▼
///                     given back            given back; a late answer finds nothing
///
/// - Source: RFC 7252, section 4.7: one outstanding interaction (NSTART = 1).
struct CommandQueue: Sendable {
    private var waiting: [PendingCommand] = []
    private var running: (request: RequestID, command: PendingCommand)?

    /// How many commands wait or are on their way.
    var count: Int { self.waiting.count + (self.running == nil ? 0 : 1) }

    /// Whether the next command may go.
    var isReady: Bool { self.running == nil && !self.waiting.isEmpty }

    /// The request that is on its way.
    var runningRequest: RequestID? { self.running?.request }

    /// The earliest time at which a command must have ended.
    ///
    /// Commands are given in the order of their deadlines.
    var nextDeadline: MonotonicTime? {
        guard let running = self.running else { return self.waiting.first?.deadline }
        return running.command.deadline
    }

    mutating func enqueue(_ command: PendingCommand) {
        self.waiting.append(command)
    }

    /// Takes the next command as the one that is on its way.
    mutating func begin(as request: RequestID) -> PendingCommand? {
        guard self.isReady else { return nil }
        let command = self.waiting.removeFirst()
        self.running = (request, command)
        return command
    }

    /// Takes the command that the request carried out; nil when it has ended before.
    mutating func finish(_ request: RequestID) -> PendingCommand? {
        guard let running = self.running, running.request == request else { return nil }
        self.running = nil
        return running.command
    }

    /// Takes the commands whose time is over, oldest first.
    mutating func dropExpired(now: MonotonicTime) -> [PendingCommand] {
        var dropped: [PendingCommand] = []
        if let running = self.running, running.command.deadline <= now {
            dropped.append(running.command)
            self.running = nil
        }
        while let first = self.waiting.first, first.deadline <= now {
            dropped.append(first)
            self.waiting.removeFirst()
        }
        return dropped
    }

    /// Takes everything, oldest first.
    mutating func removeAll() -> [PendingCommand] {
        defer {
            self.running = nil
            self.waiting = []
        }
        return (self.running.map { [$0.command] } ?? []) + self.waiting
    }
}
