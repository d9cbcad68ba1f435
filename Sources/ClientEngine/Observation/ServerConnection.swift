import CoAPMessages
import LwM2MModel
import Primitives

/// One observation of a server.
struct Observation: Sendable {
    /// Tells it from the others of the device; the upper half of its notifications' identifiers.
    let key: UInt16
    let path: ObjectPath
    let token: CoAPToken
    let format: ContentFormat
    var machine: ObservationMachine
    /// The value of Observe in the last notification; 24 bits (RFC 7641, section 3.4).
    var sequence: UInt32 = 0
    var sentAt: MonotonicTime

    mutating func nextSequence() -> UInt32 {
        self.sequence = (self.sequence + 1) & 0xFF_FFFF
        return self.sequence
    }
}

/// A notification that waits until the server can be reached again.
struct StoredNotification: Sendable {
    let observation: UInt16
    let payload: [UInt8]
}

/// Everything the device knows about one server besides its account.
struct ServerConnection: Sendable {
    let shortServerID: UInt16
    let serverInstance: UInt16
    let securityInstance: UInt16
    var registration: RegistrationMachine
    var session: SessionID?
    var isOpen = false
    /// Where the server is; known while the session is open.
    var peerAddress: IPAddress?
    /// The Register, Update or Deregister that waits for its answer.
    var request: RequestID?
    var binding: UTF8Text
    var defaultMinimumPeriod: UInt32?
    var defaultMaximumPeriod: UInt32?
    var storesNotifications: Bool
    var attributes = AttributeTable()
    var observations: [Observation] = []
    var stored: [StoredNotification] = []
    var isStoredInFlight = false

    init(security: SecurityAccount, server: ServerAccount, version: EnablerVersion, hasBootstrapAccount: Bool) {
        self.shortServerID = server.shortServerID
        self.serverInstance = server.instance
        self.securityInstance = security.instance
        self.registration = RegistrationMachine(
            parameters: RegistrationParameters(server, hasBootstrapAccount: hasBootstrapAccount),
            version: version
        )
        self.binding = server.binding
        self.defaultMinimumPeriod = server.defaultMinimumPeriod
        self.defaultMaximumPeriod = server.defaultMaximumPeriod
        self.storesNotifications = server.storesNotifications
    }

    /// Takes over what a write changed in the account.
    ///
    /// - Returns: what the server must be told.
    mutating func apply(_ server: ServerAccount, hasBootstrapAccount: Bool) -> RegistrationChanges {
        var changes: RegistrationChanges = []
        let parameters = RegistrationParameters(server, hasBootstrapAccount: hasBootstrapAccount)
        if parameters.lifetime != self.registration.parameters.lifetime { changes.insert(.lifetime) }
        if server.binding != self.binding { changes.insert(.binding) }
        self.registration.parameters = parameters
        self.binding = server.binding
        self.defaultMinimumPeriod = server.defaultMinimumPeriod
        self.defaultMaximumPeriod = server.defaultMaximumPeriod
        self.storesNotifications = server.storesNotifications
        return changes
    }

    /// The attributes that count for an observed path: attached ones, then the defaults of the account.
    func effectiveAttributes(at path: ObjectPath) -> NotificationAttributes {
        var attributes = self.attributes.effective(at: path)
        attributes.minimumPeriod = attributes.minimumPeriod ?? self.defaultMinimumPeriod
        attributes.maximumPeriod = attributes.maximumPeriod ?? self.defaultMaximumPeriod
        return attributes
    }

    /// Whether the server holds a registration but cannot be reached.
    var isOffline: Bool { self.registration.location != nil && !self.isOpen }

    /// Whether a notification may go now.
    func canNotify(now: MonotonicTime) -> Bool {
        self.isOpen && self.registration.allowsNotification(now: now)
    }

    /// When the connection next has something to do by itself.
    ///
    /// Observations wait without a deadline while an Update runs or kept notifications go first.
    func nextDeadline(now: MonotonicTime) -> MonotonicTime? {
        var earliest = self.registration.nextDeadline
        guard !self.observations.isEmpty, (self.canNotify(now: now) && self.stored.isEmpty) || self.keepsNotifications
        else { return earliest }
        for observation in self.observations {
            let attributes = self.effectiveAttributes(at: observation.path)
            if let deadline = observation.machine.nextDeadline(attributes: attributes) {
                earliest = min(earliest ?? deadline, deadline)
            }
        }
        return earliest
    }

    /// Whether due notifications go to the store of the connection now.
    var keepsNotifications: Bool {
        self.isOffline && self.storesNotifications
            && self.stored.count < EngineLimits.storedNotificationsPerServer
    }

    /// Forgets what ends with a registration.
    mutating func endObservations() {
        self.observations = []
        self.stored = []
        self.isStoredInFlight = false
    }
}
