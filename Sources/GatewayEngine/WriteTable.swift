internal import CommandSessions
internal import Primitives

/// Changes on their way to the store, and those that must be handed out again because it failed.
struct WriteTable: Sendable {
    /// What waits for the changes.
    enum Purpose: Sendable {
        /// A command that was given; it is refused if they fail.
        case acceptance(GatewayCommandID)
        /// Lines of the audit log; they are lost if they fail.
        case audit
        /// The end of a command, with that of its session when the machine waits for it; never given up.
        case end(GatewayCommandID, isOfSession: Bool)
        /// Identifiers that were given, and what is known of the device's sessions with them; given up if they fail.
        case identifiers(GatewaySessionRecord)
        /// The identifiers are forgotten, and with them the end of a command when there was one; never given up.
        case reset(GatewayCommandID?)
        /// The session with the device.
        case session
        /// The standing of the device; the newest is never given up.
        case standing
    }

    struct Write: Sendable {
        let purpose: Purpose
        let slot: Int?
        let changes: [GatewayChange]
    }

    private var underWay: [GatewayChangeID: Write] = [:]
    /// Those that failed and are handed out again.
    private var failed: [Write] = []
    private var failures = 0
    private var last: UInt64 = 0

    mutating func add(_ write: Write) -> GatewayChangeID {
        self.last += 1
        let id = GatewayChangeID(rawValue: self.last)
        self.underWay[id] = write
        return id
    }

    mutating func stored(_ id: GatewayChangeID) -> Write? {
        guard let write = self.underWay.removeValue(forKey: id) else { return nil }
        self.failures = 0
        return write
    }

    mutating func failed(_ id: GatewayChangeID) -> Write? {
        self.underWay.removeValue(forKey: id)
    }

    /// Keeps a write until it is handed out again.
    mutating func keep(_ write: Write) {
        self.failed.append(write)
    }

    /// Takes what waits to be handed out again.
    mutating func takeFailed() -> [Write] {
        defer { self.failed = [] }
        return self.failed
    }

    /// How long the next try waits, longer each time.
    mutating func nextPause() -> Duration {
        defer { self.failures += 1 }
        return min(Duration.seconds(1) * (1 << min(self.failures, 6)), .seconds(60))
    }
}
