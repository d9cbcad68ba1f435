public import LwM2MModel
public import Primitives

/// When one observed path is notified.
///
/// Pure: the owner reports changes, acknowledgements and the time, and carries out the ``Action``.
///
///             changed, and the conditions hold       pmin is over, the server can be reached
///     quiet ──────────────────────────────▶ due ───────────────────────────────────────────▶ notify
///       │             pmax is over           ▲ ▲                                                │
///       └────────────────────────────────────┘ │ changed meanwhile: the newest value goes       ▼
///       ▲                                      └──────────────────────────────────── in flight (confirmable)
///       └────────────────────────────── acknowledged, or sent without confirmation ◀──────────┘
///
/// - Source: LwM2M Core 1.2.2, clauses 6.4 and 7.3.2; RFC 7641, section 4.5 (confirmable once in 24 hours).
public struct ObservationMachine: Sendable {
    /// What the owner must do next.
    public enum Action: Equatable, Sendable {
        case none
        /// Send the present value.
        case notify(isConfirmable: Bool)
    }

    /// The longest time without a confirmable notification.
    static let confirmationInterval: Duration = .seconds(86_400)

    private var notifiedAt: MonotonicTime
    private var confirmedAt: MonotonicTime
    private var notifiedNumber: Double?
    private var isDue = false
    private var isInFlight = false

    /// Creates the machine of an observation that was answered with the present value.
    ///
    /// - Parameters:
    ///   - number: the value as a number, when it is one.
    ///   - now: when it was answered.
    public init(number: Double?, now: MonotonicTime) {
        self.notifiedAt = now
        self.confirmedAt = now
        self.notifiedNumber = number
    }

    /// When ``deadlineReached(attributes:confirms:now:)`` must next be called, or nil when nothing is pending.
    public func nextDeadline(attributes: NotificationAttributes) -> MonotonicTime? {
        guard !self.isInFlight else { return nil }
        if self.isDue { return self.earliest(attributes) }
        guard let maximum = attributes.maximumPeriod, maximum > 0, maximum >= attributes.minimumPeriod ?? 0 else {
            // Clause 7.3.2: a pmax below pmin is ignored.
            return nil
        }
        return self.notifiedAt.advanced(by: .seconds(Int64(maximum)))
    }

    /// Reports that the observed path changed.
    ///
    /// - Parameter number: the new value, when one number is observed; nil makes every change count.
    public mutating func changed(to number: Double?, attributes: NotificationAttributes) {
        if self.isDue { return }
        self.isDue = self.conditionHolds(for: number, attributes)
    }

    /// Reports that the time came, or that the server can be reached again.
    ///
    /// - Parameter confirms: whether every notification is confirmable.
    public mutating func deadlineReached(
        attributes: NotificationAttributes,
        confirms: Bool,
        now: MonotonicTime
    ) -> Action {
        guard let deadline = self.nextDeadline(attributes: attributes), now >= deadline else { return .none }
        let isStale = self.confirmedAt.duration(to: now) >= Self.confirmationInterval
        return .notify(isConfirmable: confirms || isStale)
    }

    /// Reports that a notification with the present value was sent.
    public mutating func notified(number: Double?, isConfirmable: Bool, now: MonotonicTime) {
        self.notifiedAt = now
        self.notifiedNumber = number
        self.isDue = false
        self.isInFlight = isConfirmable
    }

    /// Reports the acknowledgement of the notification in flight.
    public mutating func acknowledged(now: MonotonicTime) {
        self.isInFlight = false
        self.confirmedAt = now
    }

    /// Reports that the notification in flight was not acknowledged.
    ///
    /// - Parameter repeats: whether the present value is to be sent again when the server can be reached.
    public mutating func unacknowledged(repeats: Bool) {
        self.isInFlight = false
        if repeats { self.isDue = true }
    }

    /// Reports that the session is gone: nothing will be acknowledged any more.
    ///
    /// - Parameter repeats: whether what was in flight is to be sent again.
    public mutating func sessionLost(repeats: Bool) {
        if self.isInFlight { self.unacknowledged(repeats: repeats) }
    }

    private func earliest(_ attributes: NotificationAttributes) -> MonotonicTime {
        self.notifiedAt.advanced(by: .seconds(Int64(attributes.minimumPeriod ?? 0)))
    }

    private func conditionHolds(for number: Double?, _ attributes: NotificationAttributes) -> Bool {
        guard attributes.greaterThan != nil || attributes.lessThan != nil || attributes.step != nil else { return true }
        guard let new = number, let old = self.notifiedNumber else { return true }
        if let limit = attributes.greaterThan, (old > limit) != (new > limit) { return true }
        if let limit = attributes.lessThan, (old < limit) != (new < limit) { return true }
        if let step = attributes.step, (new - old).magnitude >= step { return true }
        return false
    }
}
