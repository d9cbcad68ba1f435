internal import CoAPMessages
internal import LwM2MModel
internal import Primitives

/// One registered device, as the engine keeps it.
struct DeviceRecord: Sendable {
    var registration: Registration
    /// The session it was last heard on; nil until it is heard after a restart, or once the session ended.
    var session: SessionID?
    /// When it last registered or updated.
    var renewed: MonotonicTime
    /// When anything last came from it.
    var lastHeard: MonotonicTime
    var queue = CommandQueue()
    var observations: [ObservationRecord] = []

    /// When the registration ends without an Update; nil for never.
    var expires: MonotonicTime? {
        guard self.registration.lifetime > 0 else { return nil }
        return self.renewed.advanced(by: .seconds(Int64(self.registration.lifetime)))
    }

    /// Whether a command may go now: there is a session, and a sleeping device still listens.
    func isReachable(now: MonotonicTime, awakeWindow: Duration) -> Bool {
        guard self.session != nil else { return false }
        return !self.registration.isQueueMode || now <= self.lastHeard.advanced(by: awakeWindow)
    }
}

/// One observation: notifications come as further answers to the request that began it.
struct ObservationRecord: Sendable {
    let path: ObjectPath
    let request: RequestID
    let session: SessionID
    private var sequence: UInt64
    private var received: MonotonicTime

    init(path: ObjectPath, request: RequestID, session: SessionID, sequence: UInt64, now: MonotonicTime) {
        self.path = path
        self.request = request
        self.session = session
        self.sequence = sequence
        self.received = now
    }

    /// Whether a notification is newer than the last one taken; it then counts as taken.
    ///
    /// - Source: RFC 7641, section 3.4.
    mutating func take(sequence new: UInt64, now: MonotonicTime) -> Bool {
        let half: UInt64 = 1 << 23
        let isFresh =
            (self.sequence < new && new - self.sequence < half)
            || (self.sequence > new && self.sequence - new > half)
            || now > self.received.advanced(by: .seconds(128))
        guard isFresh else { return false }
        self.sequence = new
        self.received = now
        return true
    }
}
